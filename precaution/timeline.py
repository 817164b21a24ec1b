"""How the stage and the decision of one patient changed over the days of the record."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from precaution.engine.compiled import compiled_label
from precaution.engine.daily import ANEW, TREATMENT, DailyFacts
from precaution.engine.decision import decide, essence
from precaution.engine.kinds.doses import LAST_DAYS
from precaution.engine.kinds.durations import birthday
from precaution.knowledge.computed_facts import Dose
from precaution.knowledge.expression import spoken
from precaution.knowledge.fact_kinds import DaysOn, DaysSince, Planned, ReachedAge
from precaution.values.record import ANSWER, UNREADABLE, Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Duty, Label
    from precaution.values.record import Record


def timeline(record: Record, label: Label, until: int, since: int | None = None) -> list[Decision]:
    """Return the decision of each day, up to `until` (an ordinal), on which stage, action or a finding changed.

    Days looked at are those on which an entry begins or ends, a window of the label runs out for it, or an age is
    reached, so a result that grows too old shows as a change too. `since` leaves out the days before it; the first
    decision is then that of `since`, if it is a day on which something changed.
    """
    changes: list[Decision] = []
    last: object = None
    daily, days = DailyFacts(record, label), _days(record, label, until, since)
    for day, touched in days.items():
        facts = daily.on(day, touched.places, touched.entries)
        now = last if facts is None else essence(facts)
        if now != last and (since is None or day >= since):
            changes.append(decide(record, label, day).decision)
        last = now
    return changes


def treated_since(record: Record, label: Label) -> int | None:
    """Return the first day (an ordinal) on which the record shows the label's drug; None where it shows none."""
    starts = [entry.start.low for entry in record.entries.get(label.therapy.drug, ()) if entry.start is not None]
    return min((int(day) for day in starts if isfinite(day)), default=None)


class _Touched(NamedTuple):
    """What a day changes: entries that begin, end or run out, and the names under which they are filed."""

    places: set[str]
    entries: list[Entry]


def _days(record: Record, label: Label, until: int, since: int | None) -> dict[int, _Touched]:
    """Return days in order, each with what begins, ends or runs out on it.

    Of the days before `since` only the last is looked at.
    """
    spans, days, first = _spans(label), {until: _Touched(set(), [])}, until
    treatment = (label.therapy.drug, UNREADABLE["medication"])
    for place, entry, at in _events(record):
        first = min(first, min(at, default=until))
        for day in {event + shift for event in at for shift in spans.get(place, ())}:
            touched = days.setdefault(day, _Touched(set(), []))
            touched.places.add(place)
            touched.entries.append(entry)
        if place in treatment:
            for day in {event + shift for event in at for shift in spans[TREATMENT]}:
                days.setdefault(day, _Touched(set(), [])).places.add(TREATMENT)
    for day in _birthdays(record, label):
        days.setdefault(day, _Touched(set(), [])).places.add(ANEW)
    every = sorted(day for day in days if first <= day <= until)
    earlier = [day for day in every if since is not None and day < since][:-1]
    return {day: days[day] for day in every[len(earlier) :]}


def _events(record: Record) -> Iterator[tuple[str, Entry, set[int]]]:
    """Yield each entry with the name under which it is filed, and the days on which it begins, ends or was recorded."""
    for place, entries in record.entries.items():
        for entry in entries:
            days = [day[:2] for day in (entry.start, entry.end, entry.recorded) if day is not None]
            yield place, entry, {int(end) for ends in days for end in ends if isfinite(end)}


def _spans(label: Label) -> dict[str, tuple[int, ...]]:
    """Return, by the name under which entries are filed, after how many days one of them may mean something else."""
    found: dict[str, set[int]] = {}
    compiled = compiled_label(label, "before-start")
    every = {name for name, parameter in label.parameters.items() if parameter.written.endswith("days")}

    def add(places: Iterable[str], lengths: Iterable[int]) -> None:
        for place in places:
            found.setdefault(place, {0}).update(lengths)

    def lengths(uses: Iterable[str]) -> set[int]:
        return {int(label.parameters[name].value) for name in uses if name in every}

    for name, fact in label.facts.items():
        after = lengths(every if isinstance(fact, (DaysSince, DaysOn, Planned)) else fact.uses)
        if isinstance(fact, Dose):  # what was given counts for a week
            after |= {LAST_DAYS - 1}
        add(compiled.places[name], after)
        if isinstance(fact, Planned):  # a plan counts from some days before it
            add(compiled.places[name], {-length for length in after})
    asks = [ANSWER + name for name in label.asks]
    add(asks, lengths(every))
    add([TREATMENT], lengths((label.therapy.grace, label.therapy.gap)))
    for duty in label.duties.values():
        after = _due_after(duty, label)
        add((concept for group in duty.needs for concept in group), after)
        add(compiled.places_behind(map(spoken, duty.again_after)), after)
        add((label.therapy.drug, ANSWER + duty.ask), after)
    return {place: tuple(sorted({day for at in days for day in (at, at + 1)})) for place, days in found.items()}


def _due_after(duty: Duty, label: Label) -> set[int]:
    """Return how many days after the start, or after it was last done, a duty is due, and is overdue."""
    names = (*duty.at, duty.every, *duty.every_if.values(), duty.again_in)
    due = {int(label.parameters[name].value) for name in names if name} | {0}
    grace = int(label.parameters[duty.grace].value) if duty.grace else 0
    return due | {day + grace for day in due}


def _birthdays(record: Record, label: Label) -> Iterator[int]:
    """Days on which somebody is born, or reaches an age that the label asks for."""
    yield from (int(born) for born in (record.birth[:2] if record.birth is not None else ()))
    for fact in label.facts.values():
        if isinstance(fact, ReachedAge):
            years = (
                fact.reached_age if fact.reached_age is not None else label.parameters[fact.reached_age_parameter].value
            )
            yield from (
                birthday(int(born), int(years)) for born in (record.birth[:2] if record.birth is not None else ())
            )
