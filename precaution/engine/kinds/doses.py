"""Facts about a dose: how much of a drug is taken a day or a week.

An order, a report and a supply tell of the same dose, each by itself: the dose is what any of them may say. Of several
orders each may add to the others or take the place of one. What was administered is added up over a week.
"""

from __future__ import annotations

from functools import reduce
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from precaution.engine.chart import Known, absence, latest_day
from precaution.engine.kinds.figures import DIGITS, is_exact
from precaution.engine.kinds.history import drug_taken
from precaution.values.interval import Interval, exactly, hull

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precaution.engine.chart import Chart, Look, Setting
    from precaution.engine.kinds.history import Counts
    from precaution.knowledge.computed_facts import Dose
    from precaution.values.logic import Truth
    from precaution.values.record import Entry

LAST_DAYS = 7
"""Over so many days what was given is added up."""
GIVEN = "given"
_ANY = Interval(0.0, inf, high_open=True)


class _Source(NamedTuple):
    """What one sort of entries says of the dose."""

    value: Interval
    sure: bool
    """Whether one of them surely holds now."""
    told: bool
    """Whether all of them say how much it is."""


def dose(fact: Dose, setting: Setting) -> Look:
    """Return how to find the dose of a drug."""
    taken = drug_taken(fact, setting)
    nothing = absence(fact.absent, fact.list)
    days = LAST_DAYS if fact.per == "week" else 1
    places = fact.places()

    def look(chart: Chart) -> Known:
        doses = chart.entries(places)
        dosed = {entry.source for entry in doses}
        every = [*doses, *(entry for entry in chart.entries(fact.dose) if entry.source not in dosed)]
        held = [(entry, here) for entry in every if (here := _holds(entry, chart, taken)) is not False]
        unread = [entry for entry in chart.unreadable(fact.list) if _holds(entry, chart, taken) is not False]
        if not held and not unread:
            known = nothing(chart)
            return Known(exactly(0), (), "", len(every)) if known.value is False else _none(known, len(every))
        value = _all_told(held, fact.per) if held else exactly(0)
        value = _times(value._replace(high=inf) if unread else value, days)
        evidence = (*(entry for entry, _ in held), *unread)
        since = latest_day(evidence)
        if value == _ANY:
            return Known(None, evidence, "its dose is not told", len(every), since)
        return Known(value, evidence, "", len(every), since)

    return look


def _none(known: Known, considered: int) -> Known:
    known.considered = considered
    return known


def _times(value: Interval, days: int) -> Interval:
    high = round(value.high * days, DIGITS)
    return Interval(round(value.low * days, DIGITS), high, False, high == inf)


def _holds(entry: Entry, chart: Chart, taken: Counts) -> Truth:
    """Whether what an entry says of a dose holds today; None where it may."""
    here = _of_this_week(entry, chart.today) if entry.result == GIVEN else taken(entry, chart)
    return None if here and entry.certainty != "certain" else here


def _of_this_week(entry: Entry, today: int) -> Truth:
    """Whether something was given in the last days."""
    day, first = entry.start, today - LAST_DAYS + 1
    if entry.status == "held" or (day is not None and day.high < first):
        return False
    sure = entry.status in ("active", "ended") and day is not None and day.exact and day.low >= first
    return True if sure else None


def _all_told(held: Sequence[tuple[Entry, Truth]], per: str) -> Interval:
    """Return what the dose a day may be by what each sort of entries says; those that tell nothing step back."""
    sorts = sorted({entry.result for entry, _ in held})
    found = [_source([each for each in held if each[0].result == sort], sort, per) for sort in sorts]
    told = [each for each in found if each.told]
    return reduce(hull, [each.value for each in (told if any(each.sure for each in told) else found)])


def _source(held: Sequence[tuple[Entry, Truth]], sort: str, per: str) -> _Source:
    sure, values = any(here for _, here in held), [_amount(entry) for entry, _ in held]
    high = sum(value.high for value in values)
    told = all(entry.value is not None for entry, _ in held)
    if sort == GIVEN:
        return _Source(_given(held, high, per), sure, told)
    low = min(value.low for value in values) if sure else 0.0
    return _Source(Interval(low, high, False, high == inf), sure, told)


def _given(held: Sequence[tuple[Entry, Truth]], high: float, per: str) -> Interval:
    """Return what was given in the last days: a day, from the mean of the week to the most of a day."""
    low = sum(_amount(entry).low for entry, here in held if here) / LAST_DAYS
    if per == "week":
        return Interval(low, high / LAST_DAYS, False, high == inf)
    by_day: dict[Interval, float] = {}
    for entry, _ in held:
        if entry.start is not None and is_exact(entry):
            by_day[entry.start] = by_day.get(entry.start, 0.0) + _amount(entry).high
    loose = sum(_amount(entry).high for entry, _ in held if not is_exact(entry))
    most = max(by_day.values(), default=0.0) + loose
    return Interval(low, most, False, most == inf)


def _amount(entry: Entry) -> Interval:
    """Return the value of an entry, which is not below nothing; any where it has none."""
    value = entry.value
    return _ANY if value is None else Interval(max(value.low, 0.0), max(value.high, 0.0), False, value.high == inf)
