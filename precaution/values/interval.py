"""A number, or a day, that may be uncertain: everything between two ends.

`<0.5` is everything below 0.5; `2024-05` is the days of that month; 2 is [2, 2]. A comparison that holds
for every value of the interval is true, one that holds for none is false, any other can't be told. Days
are proleptic Gregorian ordinals (`datetime.date.toordinal`), so one type serves both.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from functools import lru_cache
from math import inf
from typing import NamedTuple

from precaution.values.logic import Truth, negation

_LAST_DAY = date.max.toordinal()


class Interval(NamedTuple):
    """All values from `low` to `high`; an open end leaves that end itself out."""

    low: float
    high: float
    low_open: bool = False
    high_open: bool = False

    def __bool__(self) -> bool:
        """Refuse to be a truth value: `if interval` is always a mistake."""
        raise TypeError("an interval is neither true nor false; compare it")

    @property
    def exact(self) -> bool:
        """Whether it is a single value."""
        return self.low == self.high


EVERYTHING = Interval(-inf, inf, low_open=True, high_open=True)


def exactly(value: float) -> Interval:
    """Return the interval that holds `value` alone."""
    return Interval(value, value)


def below(limit: float, *, inclusive: bool = False) -> Interval:
    """Return all values `<limit`, or `<=limit` where `inclusive`."""
    return Interval(-inf, limit, low_open=True, high_open=not inclusive)


def above(limit: float, *, inclusive: bool = False) -> Interval:
    """Return all values `>limit`, or `>=limit` where `inclusive`."""
    return Interval(limit, inf, low_open=not inclusive, high_open=True)


def less(left: Interval, right: Interval) -> Truth:
    """Whether `left < right`: true for all pairs of values, false for none, else None."""
    low, high, _, high_open = left
    other_low, other_high, other_low_open, _ = right
    if high < other_low or (high == other_low and (high_open or other_low_open)):
        return True
    return False if low >= other_high else None


def at_least(left: Interval, right: Interval) -> Truth:
    """Whether `left >= right`, as in `less`."""
    return negation(less(left, right))


def greater(left: Interval, right: Interval) -> Truth:
    """Whether `left > right`, as in `less`."""
    return less(right, left)


def at_most(left: Interval, right: Interval) -> Truth:
    """Whether `left <= right`, as in `less`."""
    return negation(less(right, left))


def equal(left: Interval, right: Interval) -> Truth:
    """Whether both are the same value; None where that can't be told. Only single values can surely be equal."""
    if left.exact and right.exact:
        return left.low == right.low
    return False if less(left, right) or less(right, left) else None


def hull(first: Interval, second: Interval) -> Interval:
    """Return the smallest interval that holds both: the value lies in one of them, but it can't be told in which."""
    low, low_open = min((first.low, first.low_open), (second.low, second.low_open))
    high, high_closed = max((first.high, not first.high_open), (second.high, not second.high_open))
    return Interval(low, high, low_open, not high_closed)


def smaller(first: Interval, second: Interval) -> Interval:
    """Return what the lesser of two uncertain values may be."""
    low, low_open = min((first.low, first.low_open), (second.low, second.low_open))
    high, high_closed = min((first.high, not first.high_open), (second.high, not second.high_open))
    return Interval(low, high, low_open, not high_closed)


def larger(first: Interval, second: Interval) -> Interval:
    """Return what the greater of two uncertain values may be."""
    low, low_open = max((first.low, first.low_open), (second.low, second.low_open))
    high, high_closed = max((first.high, not first.high_open), (second.high, not second.high_open))
    return Interval(low, high, low_open, not high_closed)


def shifted(interval: Interval, days: float) -> Interval:
    """Return the interval moved by a number of days, backwards where it is negative."""
    return Interval(interval.low + days, interval.high + days, interval.low_open, interval.high_open)


def show_number(interval: Interval) -> str:
    """Return `0.8`, `<0.5`, `≥3` or `0.5-0.9`: short, and without the noise of binary fractions."""
    low, high = f"{interval.low:.6g}", f"{interval.high:.6g}"
    if interval.exact:
        return low
    if interval.low == -inf:
        return "any" if interval.high == inf else ("<" if interval.high_open else "≤") + high
    if interval.high == inf:
        return (">" if interval.low_open else "≥") + low
    return f"{low}-{high}"


def show_day(interval: Interval | None) -> str:
    """Return an ISO date, a year-month or a year where the interval is just that, else `from/to`."""
    if interval is None:
        return ""
    low, high, _, _ = interval
    if low == high:
        return iso_day(low)
    if low < 1 or high > _LAST_DAY:
        ends = iso_day(low), iso_day(high)
        return "/".join(ends) if any(ends) else ""
    return _partial(date.fromordinal(int(low)), date.fromordinal(int(high)))


@lru_cache(maxsize=65536)
def iso_day(day: float) -> str:
    """Return an ISO date, or nothing for a day that no calendar has."""
    return date.fromordinal(int(day)).isoformat() if 1 <= day <= _LAST_DAY else ""


def _partial(first: date, last: date) -> str:
    whole = first.day == 1 and last.day == monthrange(last.year, last.month)[1]
    if whole and (first.year, first.month) == (last.year, last.month):
        return first.isoformat()[:7]
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31) and first.year == last.year:
        return first.isoformat()[:4]
    return f"{first.isoformat()}/{last.isoformat()}"
