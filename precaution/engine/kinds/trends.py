"""Facts about several results together: how far one is from a baseline, and whether a limit was crossed in a row.

Where it is not certain which results these are, all are weighed that may be: the value is what it may be then. As in
`figures`, of several results on one day the worst counts, a preliminary result can only make it worse, and one that
can't be used stands for any value.
"""

from __future__ import annotations

from functools import reduce
from math import ceil, inf
from typing import TYPE_CHECKING, NamedTuple

from precaution.engine.chart import Known, by_days, latest_day
from precaution.engine.kinds.figures import DIGITS, as_ratios, reason, value_of
from precaution.values.interval import (
    EVERYTHING,
    Interval,
    at_least,
    at_most,
    exactly,
    greater,
    hull,
    larger,
    less,
    smaller,
)
from precaution.values.logic import Truth
from precaution.values.record import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precaution.engine.chart import Chart, Look, Setting
    from precaution.knowledge.fact_kinds import Change, Confirmed

    Fold = Callable[[Interval, Interval], Interval]
    IsOfTime = Callable[[Entry], Truth]
    """Whether a result is of the time that is looked at; None where it may be."""


class _Side(NamedTuple):
    """What a change is worked out of: the baseline or the latest result, and the entries that may be it."""

    value: Interval
    evidence: tuple[Entry, ...]


# How far it is from a baseline


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
    newest = max([_first_day(e) for e, here in placed if here and e.start is not None and _settled(e)], default=None)
    if newest is None:
        return None
    late = [e for e, here in placed if here is not False and (e.start is None or e.start[1] >= newest)]
    value = reduce(hull, _of_days([entry for entry in late if _settled(entry)], fold))
    hints = [entry for entry in late if not _settled(entry)]
    return _Side(reduce(fold, map(value_of, hints), value), tuple(late))


def _extreme(results: Sequence[Entry], place: IsOfTime, far: Fold) -> _Side | None:
    """Return what the extreme of a time may be; None where there are no settled results of two days in it."""
    here = [(entry, truth) for entry in results if (truth := place(entry)) is not False]
    sure = [entry for entry, truth in here if truth and _settled(entry)]
    days = [entry.start for entry in sure if entry.start is not None]
    if not days or max([day[0] for day in days]) <= min([day[1] for day in days]):
        return None
    least = reduce(far, map(value_of, sure))
    most = reduce(far, [value_of(entry) for entry, truth in here if truth is None and _settled(entry)], least)
    hints = [entry for entry, _ in here if not _settled(entry)]
    return _Side(reduce(far, map(value_of, hints), hull(least, most)), tuple([entry for entry, _ in here]))


def _of_days(entries: Sequence[Entry], fold: Fold) -> list[Interval]:
    """Return what each day comes to: those of no exact day need not be of the same one."""
    return [reduce(fold if _is_exact(group[0]) else hull, map(value_of, group)) for group in by_days(entries)]


def _is_exact(entry: Entry) -> bool:
    return entry.start is not None and entry.start.exact


def _settled(entry: Entry) -> bool:
    return entry.status != "preliminary"


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


# Whether a limit was crossed in a row

_CROSSES: dict[str, Callable[[Interval, Interval], Truth]] = {"<": less, "<=": at_most, ">": greater, ">=": at_least}


class _Crossing(NamedTuple):
    """All settled results of an exact day together, or one other result: when it was, and whether it crosses."""

    first: float
    last: float
    crosses: Truth
    is_settled: bool
    is_recent: bool
    """Whether it is surely of the time that is looked at."""
    is_exact: bool


def confirmed(fact: Confirmed, setting: Setting) -> Look:
    """Return how to find whether the last results crossed a limit, each so many days after the one before.

    The word is the mildest that it may be where that is also the gravest; else it can't be told.
    """
    limit = exactly(fact.limit if fact.limit is not None else setting.number(fact.limit_parameter))
    crosses, worse = _CROSSES[fact.crossing], smaller if fact.worst == "low" else larger
    fold = hull if setting.any_of_day() else worse
    compared = as_ratios(setting.number(fact.upper_limit) if fact.upper_limit else 0.0)
    wanted, apart = setting.number(fact.times), max(setting.window(fact.apart) or 0.0, 1.0)
    days = setting.window(fact.window(setting.stage))

    def look(chart: Chart) -> Known:
        results = chart.entries(fact.confirmed)
        since = -inf if days is None else chart.today - days
        recent = [e for e in results if e.start is None or e.start[1] >= since]
        if fact.times_upper_limit:
            recent = list(map(compared, recent))
        exact = [each for each in by_days([e for e in recent if _settled(e) and _is_exact(e)]) if each]
        other = [[e] for e in recent if not (_settled(e) and _is_exact(e))]
        found = [_crossing(group, crosses(reduce(fold, map(value_of, group)), limit), since) for group in exact + other]
        if not any(each.is_settled and each.is_recent for each in found):
            return Known(None, tuple(recent), "no settled result of a known day", len(results))
        evidence = tuple([e for group in exact[-max(ceil(wanted), 1) :] + other for e in group])
        least, most = _word(_least(found, apart), wanted), _word(_most(found, apart), wanted)
        why = "" if least == most else f"it may be “{least}” or “{most}”"
        return Known(None if why else least, evidence, why, len(results), latest_day(recent))

    return look


def _word(count: int, wanted: float) -> str:
    return "no" if not count else "confirmed" if count >= wanted else "repeat"


def _crossing(group: Sequence[Entry], crosses: Truth, since: float) -> _Crossing:
    day, is_settled = group[0].start, _settled(group[0])
    if day is None:
        return _Crossing(-inf, inf, crosses, is_settled, False, False)
    return _Crossing(day[0], day[1], crosses, is_settled, day[0] >= since, is_settled and day.exact)


def _least(found: Sequence[_Crossing], apart: float) -> int:
    """Return the fewest results in a row: what may not cross breaks the row, on the last day that it may be of."""
    broken = max([each.last for each in found if each.crosses is not True and each.is_settled], default=-inf)
    return _in_a_row([e for e in found if e.is_settled and e.is_recent and e.first > broken], apart)


def _most(found: Sequence[_Crossing], apart: float) -> int:
    """Return the most results in a row: each of no exact day that may cross may be one, wherever that helps.

    What does not cross breaks the row on the first day that it may be of, unless another result may be of its day: the
    worst of a day counts.
    """
    may_cross = [each for each in found if each.crosses is not False]
    breaks = [e.first for e in found if e.crosses is False and e.is_settled and not _meets(e, may_cross)]
    broken = max(breaks, default=-inf)
    other = [each for each in may_cross if not each.is_exact and each.last >= broken]
    return _in_a_row([e for e in may_cross if e.is_exact and e.first > broken], apart) + len(other)


def _meets(one: _Crossing, others: Sequence[_Crossing]) -> bool:
    """Whether one of the others may be of the same day."""
    return any(each.first <= one.last and each.last >= one.first for each in others)


def _in_a_row(found: Sequence[_Crossing], apart: float) -> int:
    """Return how many of them surely lie so far from each other: the one that ends first, and so on."""
    count, last = 0, -inf
    for each in sorted(found, key=_end):
        if each.first - last >= apart:
            count, last = count + 1, each.last
    return count


def _end(crossing: _Crossing) -> float:
    return crossing.last
