"""Record -> facts: each fact of a label for one patient on one day, worked out when first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.definitions import Ask, Parameter
from precaution.expression import compiled, deciding
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
from precaution.facts.known import Chart, Known, day_of
from precaution.interval import Interval, exactly

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from precaution.definitions import Label
    from precaution.expression import Expression, Value
    from precaution.record import Entry

ANSWER = "ask:"
"""Readers file answers under this prefix and the ask's name."""

_KINDS: dict[type[Fact], Callable[..., Known]] = {
    Latest: figures.latest, Extreme: figures.extreme, Tested: results.tested, Worded: results.worded,
    Ever: history.ever, Active: history.active, Repeated: history.repeated, Planned: history.planned,
    DaysSince: durations.days_since, DaysOn: durations.days_on, ReachedAge: durations.reached_age,
}


class Facts:
    """The facts, asks and parameters of a label for one chart, by name."""

    __slots__ = ("_basic", "_known", "_named", "chart")

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self._known: dict[str, Known] = dict(_parameters(chart.label))
        self._basic: dict[str, tuple[str, ...]] = {}
        self._named = named(chart.label)

    def value(self, name: str) -> Value:
        """Return the value of a fact, an ask or a parameter."""
        known = self._known.get(name)
        return (known if known is not None else self.known(name)).value

    def recorded(self, name: str) -> bool:
        """Whether the record holds any entry that the fact or ask looks at."""
        return self.known(name).considered > 0

    def known(self, name: str) -> Known:
        """Return all that is known of a fact, an ask or a parameter."""
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._evaluated(self._named[name])
        return known

    def basic(self, name: str) -> tuple[str, ...]:
        """Return the facts and asks behind `name` that make it what it is: itself, or for a derived fact those."""
        kept = self._basic.get(name)
        if kept is None:
            definition = self._named[name]
            if isinstance(definition, Derived):
                kept = self.behind(definition.expression)
            else:
                kept = () if isinstance(definition, Parameter) else (name,)
            self._basic[name] = kept
        return kept

    def behind(self, *expressions: Expression) -> tuple[str, ...]:
        """Return the facts and asks that make the expressions what they are."""
        return tuple(dict.fromkeys(name for expression in expressions for inner in deciding(expression, self)
                                   for name in self.basic(inner)))

    def _evaluated(self, definition: Fact | Ask | Parameter) -> Known:
        if isinstance(definition, Ask):
            return self._answered(definition)
        if isinstance(definition, Derived):
            return self._derived(definition)
        if isinstance(definition, Parameter):
            return _chosen(definition)
        return _KINDS[type(definition)](definition, self.chart)

    def _derived(self, definition: Derived) -> Known:
        value = compiled(definition.expression)(self)
        if value is False:
            return Known(False, considered=1)
        behind = [self.known(name) for name in self.behind(definition.expression)]
        evidence = tuple(dict.fromkeys(entry for known in behind for entry in known.evidence))
        why = next((known.why for known in behind if known.why), "") if value is None else ""
        since = max((known.since for known in behind if known.since is not None), default=None)
        return Known(value, evidence, why, 1, since)

    def _answered(self, ask: Ask) -> Known:
        """Return the latest answer, as true or false or as its word; one that no longer counts is unknown."""
        answers = [e for e in self.chart.entries((ANSWER + ask.name,)) if e.start is not None]
        if not answers:
            return Known(None, why="not answered")
        newest = max(entry.start.low for entry in answers if entry.start is not None)
        latest = tuple(e for e in answers if e.start is not None and e.start.low == newest)
        words = {entry.result for entry in latest}
        if len(words) > 1:
            return Known(None, latest, "answered differently on the same day", len(answers))
        word = words.pop()
        void = self._void(ask, word, newest)
        if void:
            return Known(None, latest, void, len(answers), latest[0].start)
        value: Value = word == "yes" if ask.answers == ("yes", "no") else word
        return Known(value, latest, considered=len(answers), since=latest[0].start)

    def _void(self, ask: Ask, word: str, day: float) -> str:
        """Return why a reassuring answer no longer counts, or nothing. Other answers stand."""
        if word not in ask.reassures:
            return ""
        if ask.valid and day < self.chart.today - self.chart.number(ask.valid):
            return f"the answer is older than {self.chart.number(ask.valid):.0f} days"
        newer = next((each for each in ask.about if _newer(self.known(each), day)), None)
        return f"answered before something new: {self.title(newer)}" if newer else ""

    def title(self, name: str) -> str:
        """Return how people call a fact, an ask or a parameter."""
        definition = self._named[name]
        return definition.title if isinstance(definition, Fact) else (
            definition.question if isinstance(definition, Ask) else definition.name)


def _newer(known: Known, day: float) -> bool:
    """Whether there is evidence (for something true or in doubt) newer than an answer."""
    return known.value is not False and known.since is not None and known.since.low > day


def _chosen(parameter: Parameter) -> Known:
    value = parameter.value
    return Known(value if isinstance(value, (str, bool)) else exactly(value))


_PARAMETERS: dict[str, dict[str, Known]] = {}


def _parameters(label: Label) -> dict[str, Known]:
    """Return the parameters as facts, the same for every patient; kept by the label's digest."""
    kept = _PARAMETERS.get(label.digest)
    if kept is None:
        kept = _PARAMETERS[label.digest] = {name.replace("-", "_"): _chosen(each) for name, each in label.parameters.items()}
    return kept


_NAMES: dict[str, Mapping[str, Fact | Ask | Parameter]] = {}


def named(label: Label) -> Mapping[str, Fact | Ask | Parameter]:
    """Return every name an expression of the label may use, with `_` for `-`; kept by the label's digest."""
    names = _NAMES.get(label.digest)
    if names is None:
        tables: tuple[Mapping[str, Fact | Ask | Parameter], ...] = (label.facts, label.asks, label.parameters)
        names = _NAMES[label.digest] = {name.replace("-", "_"): each for table in tables for name, each in table.items()}
    return names


__all__ = ["ANSWER", "Chart", "Facts", "Interval", "Known", "day_of", "named"]
