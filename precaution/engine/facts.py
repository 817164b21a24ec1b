"""Record -> facts: each fact of a label for one patient on one day, worked out when first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.engine.chart import Chart, Known, day_of, latest_of
from precaution.engine.compiled import ANSWER, prepared
from precaution.engine.memo import UNANSWERED, Blank, blank_of
from precaution.knowledge.expression import decider
from precaution.knowledge.fact_kinds import Fact
from precaution.knowledge.model import Ask, Parameter
from precaution.knowledge.refers import STAGES
from precaution.values.interval import Interval, show_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from precaution.engine.evidence import Backgrounds
    from precaution.knowledge.expression import Expression, Value
    from precaution.knowledge.model import Label
    from precaution.values.record import Entry


class Facts(dict[str, "Value"]):
    """The facts, asks and parameters of a label for one chart, by name.

    As a dictionary it holds their values, each worked out when first asked for; `known` says more of each.
    """

    __slots__ = ("_known", "_settled", "background", "blank", "chart", "prepared")

    def __init__(self, chart: Chart, blank: Blank | None = None) -> None:
        """Take over from a blank record what this one says nothing to, and work out nothing yet."""
        self.chart = chart
        self.prepared = ready = prepared(chart.label, chart.stage)
        self.blank = blank_of(chart, ready) if blank is None else blank
        super().__init__(self.blank.values)
        self.background: Backgrounds | None = None
        """The background sentences for these facts, once they are worked out (`evidence.backgrounds`)."""
        self._known: dict[str, Known] = {}
        self._settled = self.blank.complete or blank is not None
        """Whether all that is still to be worked out is to be worked out of this record."""
        touches = ready.touches
        for place in chart.record.entries:
            if place in touches:
                for name in touches[place]:
                    self.pop(name, None)

    def __missing__(self, name: str) -> Value:
        """Work out a value."""
        ready = self.prepared
        value: Value
        if name in ready.derived:
            value = self[name] = ready.derived[name](self)
            return value
        if name not in ready.looks:
            known = self._answered(ready.asks[name])
        elif self._settled or not self.silent(ready.places.get(name)):
            known = ready.looks[name](self.chart)
        else:
            known = self.blank.worked_out(name, ready.looks[name])
        self._known[name] = known
        value = self[name] = known.value
        return value

    def silent(self, places: frozenset[str] | None) -> bool:
        """Whether the record holds nothing at all of `places` (`Prepared.reach`; None: nobody can say)."""
        return places is not None and self.chart.record.entries.keys().isdisjoint(places)

    def recorded(self, name: str) -> bool:
        """Whether the record holds any entry that the fact or ask looks at."""
        return self.known(name).considered > 0

    def known(self, name: str) -> Known:
        """Return all that is known of a fact, an ask or a parameter."""
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._all_known(name)
        return known

    def _all_known(self, name: str) -> Known:
        self[name]  # what the record says anything to is worked out by this
        ready = self.prepared
        if name in ready.derived:
            return self._derived(name)
        return self._known.get(name) or self.blank.known.get(name) or ready.parameters[name]

    def basic(self, name: str) -> tuple[str, ...]:
        """Return the facts and asks behind `name` that make it what it is: itself, or for a derived fact those."""
        behind = self.prepared.behind.get(name)
        if behind is not None:
            return self._basics(behind(self))
        return () if name in self.prepared.parameters else (name,)

    def behind(self, *expressions: Expression) -> tuple[str, ...]:
        """Return the facts and asks that make the expressions what they are."""
        if len(expressions) == 1:
            return self._basics(decider(expressions[0])(self))
        return self._basics([name for each in expressions for name in decider(each)(self)])

    def _basics(self, names: Sequence[str]) -> tuple[str, ...]:
        if len(names) == 1:
            return self.basic(names[0])
        return tuple(dict.fromkeys([inner for name in names for inner in self.basic(name)]))

    def _derived(self, name: str) -> Known:
        value = self[name]
        if value is False:
            return Known(False, considered=1)
        behind = [self.known(each) for each in self.basic(name)]
        evidence = tuple(dict.fromkeys(entry for known in behind for entry in known.evidence))
        why = next((known.why for known in behind if known.why), "") if value is None else ""
        since = latest_of(known.since for known in behind if known.since is not None)
        return Known(value, evidence, why, 1, since)

    def _answered(self, ask: Ask) -> Known:
        """Return the latest answer, as true or false or as its word; one that no longer counts is unknown."""
        own = self.chart.past.get(ANSWER + ask.name, ())
        answers = [(day, entry) for entry in own if (day := entry.start) is not None]
        if not answers:
            return UNANSWERED
        newest = max([day[0] for day, _ in answers])
        latest = tuple([entry for day, entry in answers if day[1] >= newest])
        word = latest[0].result
        if any(entry.result != word for entry in latest):
            return Known(None, latest, "answered differently on days that may be the same", len(answers))
        void = self._void(ask, word, newest, latest)
        if void:
            return Known(None, latest, void, len(answers), latest[0].start)
        value: Value = word == "yes" if set(ask.answers) <= {"yes", "no"} else word
        return Known(value, latest, "", len(answers), latest[0].start)

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
        newer = next((each for each in ask.about if self._newer(each, day)), None)
        return f"answered before something new: {self.title(newer)}" if newer else ""

    def _newer(self, name: str, day: float) -> bool:
        """Whether there is evidence (for something true or in doubt) that may be newer than an answer."""
        if self[name] is False:
            return False
        since = self.known(name).since
        return since is not None and since[1] > day

    def why(self, name: str) -> str:
        """Return why a fact or an ask that something depends on does not settle it; empty for a truth or a word."""
        known = self.known(name)
        value = known.value
        if isinstance(value, Interval) and not value.exact:
            return f"{show_number(value)} is on both sides of the limit"
        return known.why

    def title(self, name: str) -> str:
        """Return how people call a fact, an ask or a parameter."""
        definition = self.prepared.names[name]
        if isinstance(definition, Fact):
            return definition.title
        return definition.question if isinstance(definition, Ask) else definition.name


def named(label: Label) -> Mapping[str, Fact | Ask | Parameter]:
    """Return every name an expression of the label may use, with `_` for `-`."""
    return prepared(label, STAGES[0]).names


__all__ = ["ANSWER", "Chart", "Facts", "Known", "day_of", "named"]
