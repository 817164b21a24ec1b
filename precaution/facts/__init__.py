"""Record -> facts: each fact of a label for one patient on one day, worked out when first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from precaution.definitions import Ask, Parameter
from precaution.expression import deciding
from precaution.fact_kinds import (
    Active,
    DaysOn,
    DaysSince,
    Derived,
    Ever,
    Extreme,
    Fact,
    Latest,
    Planned,
    ReachedAge,
    Repeated,
    Tested,
    Worded,
)
from precaution.facts import durations, figures, history, results
from precaution.facts.known import Chart, Known, day_of, latest_of
from precaution.facts.prepared import ANSWER, chosen, prepared
from precaution.interval import Interval, show_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from precaution.answer import Searched
    from precaution.definitions import Label
    from precaution.expression import Expression, Value
    from precaution.logic import Truth
    from precaution.record import Entry

_KINDS: dict[type[Fact], Callable[..., Known]] = {
    Latest: figures.latest,
    Extreme: figures.extreme,
    Tested: results.tested,
    Worded: results.worded,
    Ever: history.ever,
    Active: history.active,
    Repeated: history.repeated,
    Planned: history.planned,
    DaysSince: durations.days_since,
    DaysOn: durations.days_on,
    ReachedAge: durations.reached_age,
}


Made = TypeVar("Made")
_LISTS = ("condition", "medication", "procedure", "immunization", "order")
_SAME: dict[tuple[object, ...], object] = {}
"""What rules and duties come to where the record says nothing to them."""
_MOST = 8192
_UNANSWERED = Known(None, why="not answered")


class Facts:
    """The facts, asks and parameters of a label for one chart, by name."""

    __slots__ = ("_basic", "_known", "_prepared", "_shared", "_truths", "chart", "searched")

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self._prepared = prepared(chart.label)
        self._known: dict[str, Known] = dict(self._prepared.parameters)
        self._shared: tuple[object, ...] = ()
        self._truths: dict[str, Truth] = {}
        """Facts made of others: whether they hold is asked for often, what is behind them seldom."""
        self._basic: dict[str, tuple[str, ...]] = {}
        self.searched: dict[str, tuple[Searched, ...]] = {}

    def value(self, name: str) -> Value:
        """Return the value of a fact, an ask or a parameter."""
        known = self._known.get(name)
        if known is not None:
            return known.value
        if name in self._truths:
            return self._truths[name]
        derived = self._prepared.derived.get(name)
        if derived is None:
            return self.known(name).value
        truth = self._truths[name] = derived(self)
        return truth

    def same_for_all(
        self,
        of: str,
        names: Iterable[str],
        make: Callable[[], Made],
        *,
        concepts: Iterable[str] = (),
        also: object = None,
    ) -> Made:
        """Return what `make` makes of a rule or duty (`of`): made anew only where the record says anything to it.

        `names` and `concepts` are all that it depends on, with `also`. Where the record says nothing to them it
        comes to the same for every record of the same label, day, stage and complete lists.
        """
        if self._on_record(of, names, concepts):
            return make()
        key = (of, also, *self._alike())
        if key not in _SAME:
            if len(_SAME) >= _MOST:
                _SAME.clear()
            _SAME[key] = make()
        return cast("Made", _SAME[key])

    def _on_record(self, of: str, names: Iterable[str], concepts: Iterable[str]) -> bool:
        reaches = self._prepared.reaches
        if of not in reaches:
            places = self._prepared.reach(names)
            reaches[of] = None if places is None else places | frozenset(concepts)
        places = reaches[of]
        return places is None or not self.chart.record.entries.keys().isdisjoint(places)

    def _alike(self) -> tuple[object, ...]:
        """What two charts share for which an absent entry says the same: label, day, stage, complete lists."""
        if not self._shared:
            chart = self.chart
            self._shared = (chart.label.digest, chart.today, chart.stage, *(chart.listed(kind) for kind in _LISTS))
        return self._shared

    def recorded(self, name: str) -> bool:
        """Whether the record holds any entry that the fact or ask looks at."""
        return self.known(name).considered > 0

    def known(self, name: str) -> Known:
        """Return all that is known of a fact, an ask or a parameter."""
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._evaluated(self._prepared.names[name])
        return known

    def basic(self, name: str) -> tuple[str, ...]:
        """Return the facts and asks behind `name` that make it what it is: itself, or for a derived fact those."""
        kept = self._basic.get(name)
        if kept is None:
            definition = self._prepared.names[name]
            if isinstance(definition, Derived):
                kept = self.behind(definition.expression)
            else:
                kept = () if isinstance(definition, Parameter) else (name,)
            self._basic[name] = kept
        return kept

    def behind(self, *expressions: Expression) -> tuple[str, ...]:
        """Return the facts and asks that make the expressions what they are."""
        found: dict[str, None] = {}
        for expression in expressions:
            for inner in deciding(expression, self):
                found.update(dict.fromkeys(self.basic(inner)))
        return tuple(found)

    def _evaluated(self, definition: Fact | Ask | Parameter) -> Known:
        if isinstance(definition, Ask):
            return self._answered(definition)
        if isinstance(definition, Derived):
            return self._derived(definition)
        if isinstance(definition, Parameter):
            return chosen(definition)
        places = self._prepared.places.get(definition.name)
        if places is not None and self.chart.record.entries.keys().isdisjoint(places):
            return self._nothing(definition)
        return _KINDS[type(definition)](definition, self.chart)

    def _nothing(self, definition: Fact) -> Known:
        """What a fact is where the record has nothing for it: the same for every such patient."""
        kind: str = getattr(definition, "list", "")
        key = (definition.name, self.chart.stage, self.chart.listed(kind) if kind else False)
        known = self._prepared.absent.get(key)
        if known is None:
            known = self._prepared.absent[key] = _KINDS[type(definition)](definition, self.chart)
        return known

    def _derived(self, definition: Derived) -> Known:
        value = self.value(definition.name)
        if value is False:
            return Known(False, considered=1)
        behind = [self.known(name) for name in self.behind(definition.expression)]
        evidence = tuple(dict.fromkeys(entry for known in behind for entry in known.evidence))
        why = next((known.why for known in behind if known.why), "") if value is None else ""
        since = latest_of(known.since for known in behind if known.since is not None)
        return Known(value, evidence, why, 1, since)

    def _answered(self, ask: Ask) -> Known:
        """Return the latest answer, as true or false or as its word; one that no longer counts is unknown."""
        place = ANSWER + ask.name
        if place not in self.chart.record.entries:
            return _UNANSWERED
        answers = [e for e in self.chart.entries((place,)) if e.start is not None]
        if not answers:
            return _UNANSWERED
        newest = max(entry.start.low for entry in answers if entry.start is not None)
        latest = tuple(e for e in answers if e.start is not None and e.start.high >= newest)
        words = {entry.result for entry in latest}
        if len(words) > 1:
            return Known(None, latest, "answered differently on days that may be the same", len(answers))
        word = words.pop()
        void = self._void(ask, word, newest, latest)
        if void:
            return Known(None, latest, void, len(answers), latest[0].start)
        value: Value = word == "yes" if ask.answers == ("yes", "no") else word
        return Known(value, latest, considered=len(answers), since=latest[0].start)

    def _void(self, ask: Ask, word: str, day: float, answers: Iterable[Entry]) -> str:
        """Return why a reassuring answer no longer counts, or nothing. Other answers stand.

        An answer with an end counts until then, and no longer than the label's folder says.
        """
        if word not in ask.reassures:
            return ""
        if all(entry.end is not None and entry.end.high < self.chart.today for entry in answers):
            return "the answer was given for a time that is over"
        if ask.valid and day < self.chart.today - self.chart.number(ask.valid):
            return f"the answer is older than {self.chart.number(ask.valid):.0f} days"
        newer = next((each for each in ask.about if _newer(self.known(each), day)), None)
        return f"answered before something new: {self.title(newer)}" if newer else ""

    def why(self, name: str) -> str:
        """Return why a fact or an ask that something depends on does not settle it; empty for a truth or a word."""
        known = self.known(name)
        if isinstance(known.value, Interval) and not known.value.exact:
            return f"{show_number(known.value)} is on both sides of the limit"
        return known.why

    def title(self, name: str) -> str:
        """Return how people call a fact, an ask or a parameter."""
        definition = self._prepared.names[name]
        return (
            definition.title
            if isinstance(definition, Fact)
            else (definition.question if isinstance(definition, Ask) else definition.name)
        )


def _newer(known: Known, day: float) -> bool:
    """Whether there is evidence (for something true or in doubt) that may be newer than an answer."""
    return known.value is not False and known.since is not None and known.since.high > day


def named(label: Label) -> Mapping[str, Fact | Ask | Parameter]:
    """Return every name an expression of the label may use, with `_` for `-`."""
    return prepared(label).names


__all__ = ["ANSWER", "Chart", "Facts", "Known", "day_of", "named"]
