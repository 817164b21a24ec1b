"""The facts of one record on one day after another: what nothing has touched since is not worked out again.

For a timeline many days of one patient are looked at, and from one to the next hardly anything changes. So a fact is
kept until an entry of those it looks at begins, ends or runs out; everything is worked out anew where the course of
treatment changes or an age is reached.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING

from precaution.engine.chart import Chart, day_of
from precaution.engine.duties import schedule
from precaution.engine.facts import Facts
from precaution.engine.therapy import therapy
from precaution.knowledge.expression import spoken

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from precaution.engine.chart import Known
    from precaution.engine.compiled import CompiledLabel
    from precaution.engine.duties import Scheduled
    from precaution.knowledge.expression import Value
    from precaution.knowledge.model import Duty, Label
    from precaution.values.record import Entry, Record

    Sorted = tuple[list[float], list[Entry]]


TREATMENT = "treatment"
"""Stands among places for days on which the course of treatment may change; ANEW for those on which all may."""
ANEW = "anew"


class DailyFacts:
    """The facts of a record on days that come in order."""

    def __init__(self, record: Record, label: Label) -> None:
        """Look at no day yet."""
        self._record, self._label = record, label
        self._facts: Facts | None = None
        self._touched: dict[str, tuple[list[str], list[Duty]]] = {}
        self._by_day: dict[str, Sorted] = {}

    def on(self, day: int, places: Collection[str], entries: Iterable[Entry]) -> Facts | None:
        """Return the facts on a day (an ordinal), good until the next call; None where nothing has changed.

        `entries`: those that begin, end or run out on this day, or that did since the last one; `places`: the names
        under which they are filed; TREATMENT and ANEW may be among them.
        """
        facts = self._facts
        if facts is None or ANEW in places or (TREATMENT in places and self._changed(facts, day)):
            return self._anew(day)
        facts.chart.today = day
        if facts.chart.truths is not None:
            for entry in entries:
                facts.chart.truths.pop(id(entry), None)
        for place in places:
            if place in self._record.entries:
                facts.chart.past[place] = self._until(place, day)
                facts.chart.forget(place)
        touched = [self._touched[place] for place in places if place in self._touched]
        names = {name for of_place, _ in touched for name in of_place if name in facts or name in facts.details}
        duties = {duty.name: duty for _, of_place in touched for duty in of_place}.values()
        return facts if _renewed(facts, names, list(duties)) else None

    def _changed(self, facts: Facts, day: int) -> bool:
        """Whether the course of treatment is another one than on the day before."""
        before, now = facts.chart.therapy, therapy(self._record, self._label, day)
        facts.chart.therapy = now
        return (before.stage, before.start, before.doubt) != (now.stage, now.start, now.doubt)

    def _anew(self, day: int) -> Facts:
        chart = Chart(self._record, self._label, day, therapy(self._record, self._label, day))
        chart.truths = {}
        facts = self._facts = Facts(chart)
        self._touched = _touched(facts.compiled)
        return facts

    def _until(self, place: str, day: int) -> Sequence[Entry]:
        """Return the entries under a name that are no plans and not of the future."""
        if place not in self._by_day:
            own = [entry for entry in self._record.entries[place] if entry.kind != "order"]
            dated = sorted(((_first(entry), at) for at, entry in enumerate(own)), key=itemgetter(0))
            self._by_day[place] = [first for first, _ in dated], [own[at] for _, at in dated]
        firsts, entries = self._by_day[place]
        return entries[: bisect_right(firsts, day)]


def _first(entry: Entry) -> float:
    day = day_of(entry)
    return float("-inf") if day is None else day.low


def _renewed(facts: Facts, names: Iterable[str], duties: Sequence[Duty]) -> bool:
    """Work out facts and duties anew, and return whether one of them is another than it was."""
    before = {name: (facts.pop(name, None), facts.details.pop(name, None)) for name in names}
    states = [_state(facts.scheduled.pop(duty.name, None)) for duty in duties]
    facts.judged.clear()
    return any(_differs(facts, name, *old) for name, old in before.items()) or states != [
        _state(schedule(duty, facts)) for duty in duties
    ]


def _differs(facts: Facts, name: str, value: Value, known: Known | None) -> bool:
    return facts[name] != value or (known is not None and facts.known(name).since != known.since)


def _state(scheduled: Scheduled | None) -> tuple[str, str] | None:
    return None if scheduled is None else (scheduled.due.state, scheduled.due.action)


def _touched(compiled: CompiledLabel) -> dict[str, tuple[list[str], list[Duty]]]:
    """Return the facts, asks and duties that look at what is filed under a name, also by way of others."""
    found: dict[str, tuple[list[str], list[Duty]]] = {}
    for name in compiled.names:
        for place in compiled.places_behind([name]):
            found.setdefault(place, ([], []))[0].append(name)
    for duty in compiled.label.duties.values():
        for place in _places(duty, compiled):
            found.setdefault(place, ([], []))[1].append(duty)
    return found


def _places(duty: Duty, compiled: CompiledLabel) -> frozenset[str]:
    expressions = [compiled.expression(each).names for each in (duty.when, duty.done_when) if each is not None]
    names = {name for own in expressions for name in own}
    names |= {spoken(name) for name in (*duty.every_if, *duty.again_after, *filter(None, [duty.ask]))}
    needed = (concept for group in duty.needs for concept in group)
    return compiled.places_behind(names) | {*needed, compiled.label.therapy.drug}
