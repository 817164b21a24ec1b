"""Facts that are counted in days or years: since the last of something, on a drug, of age."""

from __future__ import annotations

from datetime import date
from functools import lru_cache, reduce
from math import inf
from typing import TYPE_CHECKING

from precaution.engine.chart import Known, absence, day_of, latest_day
from precaution.knowledge.formulas import SEXES
from precaution.values.interval import EVERYTHING, Interval, exactly, smaller

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precaution.engine.chart import Chart, Look, Setting
    from precaution.knowledge.computed_facts import OfSex
    from precaution.knowledge.fact_kinds import DaysOn, DaysSince, ReachedAge
    from precaution.values.record import Entry

ANY_DAY = Interval(0, inf, high_open=True)


def days_since(fact: DaysSince, _: Setting) -> Look:
    """Return how to count the days since the latest entry (for a drug, since it was last taken); infinite for none."""
    nothing = absence(fact.absent, fact.list)

    def look(chart: Chart) -> Known:
        entries = [entry for entry in chart.entries(fact.days_since) if entry.status != "planned"]
        every = (*entries, *chart.unreadable(fact.list))
        if not every:
            known = nothing(chart)
            return Known(exactly(inf)) if known.value is False else known
        ages = [_age(entry, chart.today) for entry in every]
        value = reduce(smaller, ages)
        if value == ANY_DAY:
            return Known(None, every, "the day is not certain", len(entries), latest_day(every))
        newest = tuple(e for e, age in zip(every, ages, strict=True) if age.low <= value.high)
        return Known(value, newest, considered=len(entries), since=latest_day(newest))

    return look


def _age(entry: Entry, today: int) -> Interval:
    """How many days ago an entry was; nobody says when a drug without an end was last taken: at the latest today."""
    drug = entry.kind == "medication"
    day = entry.end if drug and entry.end is not None else day_of(entry)
    if day is None:
        return ANY_DAY
    fewest = 0.0 if drug and entry.end is None else max(today - day.high, 0)
    if entry.certainty != "certain" or entry.status == "unknown":
        return Interval(fewest, inf, high_open=True)
    return Interval(fewest, max(today - day.low, 0))


def days_on(fact: DaysOn, _: Setting) -> Look:
    """Return how to count the days for which any of the drugs was taken, overlapping courses counted once."""
    nothing = absence(fact.absent, fact.list)

    def look(chart: Chart) -> Known:
        entries = [entry for entry in chart.entries(fact.days_on) if entry.status != "planned"]
        unreadable = chart.unreadable(fact.list)
        if not entries and not unreadable:
            known = nothing(chart)
            return Known(exactly(0)) if known.value is False else known
        sure = [span for entry in entries if (span := _span(entry, chart.today)) is not None]
        vague = len(sure) < len(entries) or bool(unreadable) or not chart.listed(fact.list)
        low = _union(sure)
        value = Interval(low, inf, high_open=True) if vague else exactly(low)
        return Known(value, (*entries, *unreadable), considered=len(entries), since=latest_day(entries))

    return look


def _span(entry: Entry, today: int) -> tuple[float, float] | None:
    """First and last day of a course; None where it is not certain how long it was."""
    if (
        entry.certainty != "certain"
        or entry.start is None
        or not entry.start.exact
        or entry.status in ("unknown", "held")
    ):
        return None
    if entry.end is not None:
        return (entry.start.low, min(entry.end.low, today)) if entry.end.exact else None
    return (entry.start.low, today) if entry.status == "active" else None


def _union(spans: Sequence[tuple[float, float]]) -> float:
    total, reach = 0.0, -inf
    for first, last in sorted(spans):
        total += max(last - max(first, reach), 0)
        reach = max(reach, last)
    return total


def reached_age(fact: ReachedAge, setting: Setting) -> Look:
    """Return how to tell whether so many years are completed on the day; born on 29 February, on 1 March."""
    years = int(fact.reached_age if fact.reached_age is not None else setting.number(fact.reached_age_parameter))

    def look(chart: Chart) -> Known:
        birth = chart.record.birth
        if birth is None:
            return Known(None, why="no date of birth", since=EVERYTHING)
        if birth.low > chart.today:
            return Known(None, why="the date of birth is after the day of the decision")
        first, last = birthday(int(birth.low), years), birthday(int(birth.high), years)
        if first <= chart.today < last:
            return Known(None, (), "the date of birth is not exact enough", 1, Interval(first, last))
        value = chart.today >= last
        return Known(value, considered=1, since=Interval(first, last) if value else None)

    return look


def of_sex(fact: OfSex, setting: Setting) -> Look:
    """Return how to tell whether the patient's sex, as the record gives it, is that of the fact."""
    del setting

    def look(chart: Chart) -> Known:
        if chart.record.sex not in SEXES:
            return Known(None, why="the sex is not given", since=EVERYTHING)
        return Known(chart.record.sex == fact.sex, considered=1)

    return look


@lru_cache(maxsize=65536)
def birthday(born: int, years: int) -> int:
    """Return the day on which someone born on an ordinal completes so many years."""
    day = date.fromordinal(born)
    try:
        return day.replace(year=day.year + years).toordinal()
    except ValueError:
        return date(min(day.year + years, 9999), 3, 1).toordinal()
