"""Facts about a change: how far the latest result is from a baseline.

Where it is not certain which results these are, all are weighed that may be: the value is what it may be then. As in
`figures`, of several results on one day the worst counts, a preliminary result can only make it worse, and one that
can't be used stands for any value.
"""

from __future__ import annotations

from functools import reduce
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from precaution.engine.chart import Known, by_days, latest_day
from precaution.engine.kinds.figures import DIGITS, is_exact, is_settled, reason, value_of
from precaution.values.interval import EVERYTHING, Interval, hull, larger, smaller
from precaution.values.record import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precaution.engine.chart import Chart, Look, Setting
    from precaution.knowledge.fact_kinds import Change
    from precaution.values.logic import Truth

    Fold = Callable[[Interval, Interval], Interval]
    IsOfTime = Callable[[Entry], Truth]
    """Whether a result is of the time that is looked at; None where it may be."""


class _Side(NamedTuple):
    """What a change is worked out of: the baseline or the latest result, and the entries that may be it."""

    value: Interval
    evidence: tuple[Entry, ...]


def change(fact: Change, setting: Setting) -> Look:
    """Return how to find how far the latest result is from the last before the start, or from the worst of a time."""
    worse, far = (smaller, larger) if fact.direction == "fall" else (larger, smaller)
    of_latest, of_baseline = (hull, hull) if setting.any_of_day() else (worse, far)
    over = setting.window(fact.over)
    days = setting.window(fact.window(setting.stage))

    def look(chart: Chart) -> Known:
        results = chart.entries(fact.change)
        start, recent = chart.therapy.start, None if days is None else _since(chart.today - days)
        if over is not None:
            before = _extreme(results, _since(chart.today - over), far)
            after = _last(results, recent, of_latest)
        elif start is None:
            return Known(None, why="the day treatment started is not known", considered=len(results))
        else:
            before = _last(results, lambda entry: _up_to(start, entry), of_baseline)
            after = _last(results, lambda entry: _after(start, recent, entry), of_latest)
        if before is None or after is None:
            return Known(None, why=_lacking(before, over), considered=len(results))
        return _difference(fact, before, after, len(results))

    return look


def _lacking(before: _Side | None, over: float | None) -> str:
    if over is not None:
        return f"no two results of the last {over:.0f} days to compare" if before is None else "no recent result"
    return "no result from before the start of treatment" if before is None else "no recent result since the start"


def _since(day: float) -> IsOfTime:
    """Return whether a result is of that day or later."""

    def place(entry: Entry) -> Truth:
        begun = entry.start
        if begun is None:
            return None
        return True if begun[0] >= day else False if begun[1] < day else None

    return place


def _up_to(start: Interval, entry: Entry) -> Truth:
    """Whether a result is of the day on which treatment started, or of an earlier one."""
    day = entry.start
    if day is None:
        return None
    return True if day[1] <= start[0] else False if day[0] > start[1] else None


def _after(start: Interval, recent: IsOfTime | None, entry: Entry) -> Truth:
    """Whether a result is of a later day than the start of treatment, and recent."""
    before = _up_to(start, entry)
    if before is True:
        return False
    is_recent = True if recent is None else recent(entry)
    return False if is_recent is False else None if before is None or is_recent is None else True


def _last(results: Sequence[Entry], place: IsOfTime | None, fold: Fold) -> _Side | None:
    """Return what the last result of a time may be; None where no settled one surely is of it."""
    placed = [(entry, True if place is None else place(entry)) for entry in results]
    newest = max([_first_day(e) for e, here in placed if here and e.start is not None and is_settled(e)], default=None)
    if newest is None:
        return None
    late = [e for e, here in placed if here is not False and (e.start is None or e.start[1] >= newest)]
    value = reduce(hull, _of_days([entry for entry in late if is_settled(entry)], fold))
    hints = [entry for entry in late if not is_settled(entry)]
    return _Side(reduce(fold, map(value_of, hints), value), tuple(late))


def _extreme(results: Sequence[Entry], place: IsOfTime, far: Fold) -> _Side | None:
    """Return what the extreme of a time may be; None where there are no settled results of two days in it."""
    here = [(entry, truth) for entry in results if (truth := place(entry)) is not False]
    sure = [entry for entry, truth in here if truth and is_settled(entry)]
    days = [entry.start for entry in sure if entry.start is not None]
    if not days or max([day[0] for day in days]) <= min([day[1] for day in days]):
        return None
    least = reduce(far, map(value_of, sure))
    most = reduce(far, [value_of(entry) for entry, truth in here if truth is None and is_settled(entry)], least)
    hints = [entry for entry, _ in here if not is_settled(entry)]
    return _Side(reduce(far, map(value_of, hints), hull(least, most)), tuple([entry for entry, _ in here]))


def _of_days(entries: Sequence[Entry], fold: Fold) -> list[Interval]:
    """Return what each day comes to: those of no exact day need not be of the same one."""
    return [reduce(fold if is_exact(group[0]) else hull, map(value_of, group)) for group in by_days(entries)]


def _first_day(entry: Entry) -> float:
    return entry.start[0] if entry.start is not None else -inf


def _difference(fact: Change, before: _Side, after: _Side, considered: int) -> Known:
    evidence = (*after.evidence, *(entry for entry in before.evidence if entry not in after.evidence))
    since = latest_day(after.evidence)
    if fact.percent and before.value.low <= 0:
        return Known(None, evidence, "the baseline is not surely above 0", considered, since)
    low, high = (after.value, before.value) if fact.direction == "fall" else (before.value, after.value)
    value = _percent(fact, before.value, after.value) if fact.percent else _minus(high, low)
    if value == EVERYTHING:
        return Known(None, evidence, reason(evidence), considered, since)
    return Known(value, evidence, "", considered, since)


def _minus(left: Interval, right: Interval) -> Interval:
    return Interval(
        round(left.low - right.high, DIGITS),
        round(left.high - right.low, DIGITS),
        left.low_open or right.high_open,
        left.high_open or right.low_open,
    )


def _percent(fact: Change, before: Interval, after: Interval) -> Interval:
    """Return the change in percent of a baseline above 0: the larger the baseline, the nearer the ratio is to 0."""
    low_by, low_by_open = (before.high, before.high_open) if after.low >= 0 else (before.low, before.low_open)
    high_by, high_by_open = (before.low, before.low_open) if after.high >= 0 else (before.high, before.high_open)
    low, high = 100 * (after.low / low_by), 100 * (after.high / high_by)
    low_open = after.low_open or (low_by_open and after.low != 0)
    high_open = after.high_open or (high_by_open and after.high != 0)
    if fact.direction == "rise":
        return Interval(round(low - 100, DIGITS), round(high - 100, DIGITS), low_open, high_open)
    return Interval(round(100 - high, DIGITS), round(100 - low, DIGITS), high_open, low_open)
