"""Facts about a limit that is crossed in several results in a row.

Where it is not certain which results these are, the fewest and the most in a row are counted that there may be. As in
`figures`, of several results on one day the worst counts, a preliminary result can only make it worse, and one that
can't be used stands for any value.
"""

from __future__ import annotations

from functools import reduce
from math import ceil, inf
from typing import TYPE_CHECKING, NamedTuple

from precaution.engine.chart import Known, by_days, latest_day
from precaution.engine.kinds.figures import as_ratios, is_exact, is_settled, value_of
from precaution.values.interval import Interval, at_least, at_most, exactly, greater, hull, larger, less, smaller
from precaution.values.logic import Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precaution.engine.chart import Chart, Look, Setting
    from precaution.knowledge.fact_kinds import Confirmed
    from precaution.values.record import Entry

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
        exact = [each for each in by_days([e for e in recent if is_settled(e) and is_exact(e)]) if each]
        other = [[e] for e in recent if not (is_settled(e) and is_exact(e))]
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
    day, settled = group[0].start, is_settled(group[0])
    if day is None:
        return _Crossing(-inf, inf, crosses, settled, False, False)
    return _Crossing(day[0], day[1], crosses, settled, day[0] >= since, settled and day.exact)


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
