"""Uncertain numbers and days: comparisons against brute force, and how they are shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from math import inf

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from precaution.values.interval import (
    EVERYTHING,
    Interval,
    above,
    at_least,
    at_most,
    below,
    equal,
    exactly,
    greater,
    hull,
    larger,
    less,
    shifted,
    show_day,
    show_number,
    smaller,
)
from precaution.values.logic import Truth

GRID = range(6)
"""Ends of the intervals tried; brute force looks at every quarter between and beyond them."""


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    low, high = sorted((draw(st.sampled_from([-inf, *GRID])), draw(st.sampled_from([*GRID, inf]))))
    if low == high:
        assume(low not in (-inf, inf))
        return exactly(low)
    return Interval(low, high, low == -inf or draw(st.booleans()), high == inf or draw(st.booleans()))


def sampled(interval: Interval) -> set[float]:
    """Return the values of the interval among the quarters from -3 to 9."""
    quarters = {each / 4 for each in range(-12, 37)}
    return {
        value
        for value in quarters
        if (value > interval.low if interval.low_open else value >= interval.low)
        and (value < interval.high if interval.high_open else value <= interval.high)
    }


def brute(compare: Callable[[float, float], bool], left: Interval, right: Interval) -> Truth:
    found = {compare(a, b) for a in sampled(left) for b in sampled(right)}
    return found.pop() if len(found) == 1 else None


COMPARISONS: dict[str, tuple[Callable[[Interval, Interval], Truth], Callable[[float, float], bool]]] = {
    "less": (less, lambda a, b: a < b),
    "at_most": (at_most, lambda a, b: a <= b),
    "greater": (greater, lambda a, b: a > b),
    "at_least": (at_least, lambda a, b: a >= b),
    "equal": (equal, lambda a, b: a == b),
}


@pytest.mark.parametrize("name", COMPARISONS)
@given(left=intervals(), right=intervals())
def test_a_comparison_is_what_all_values_agree_on(name: str, left: Interval, right: Interval) -> None:
    ours, plain = COMPARISONS[name]
    assert ours(left, right) is brute(plain, left, right)


COMBINED: dict[str, tuple[Callable[[Interval, Interval], Interval], Callable[[set[float], set[float]], set[float]]]] = {
    "smaller": (smaller, lambda a, b: {min(x, y) for x in a for y in b}),
    "larger": (larger, lambda a, b: {max(x, y) for x in a for y in b}),
}


@pytest.mark.parametrize("name", COMBINED)
@given(left=intervals(), right=intervals())
def test_the_lesser_and_the_greater_hold_just_the_values_they_may_have(
    name: str, left: Interval, right: Interval
) -> None:
    ours, plain = COMBINED[name]
    assert sampled(ours(left, right)) == plain(sampled(left), sampled(right))


@given(intervals(), intervals())
def test_a_hull_holds_both_and_no_more_than_it_must(left: Interval, right: Interval) -> None:
    whole, both = sampled(hull(left, right)), sampled(left) | sampled(right)
    assert both <= whole
    assert (min(whole), max(whole)) == (min(both), max(both))


@given(intervals(), intervals(), intervals())
def test_combining_does_not_depend_on_order(one: Interval, two: Interval, three: Interval) -> None:
    for combine in (hull, smaller, larger):
        assert combine(one, two) == combine(two, one)
        assert combine(combine(one, two), three) == combine(one, combine(two, three))
        assert combine(one, one) == one


@given(intervals(), intervals(), intervals())
def test_a_vaguer_value_never_turns_a_comparison_round(value: Interval, other: Interval, limit: Interval) -> None:
    """More doubt may only turn an answer into unknown: the ground of 'corrupting leaves an unknown'."""
    vaguer = hull(value, other)
    for compare, _ in COMPARISONS.values():
        assert compare(vaguer, limit) in (compare(value, limit), None)


@pytest.mark.parametrize(
    ("value", "limit", "truth"),
    [
        (exactly(0.99), 1, True),
        (exactly(1), 1, False),
        (exactly(1.01), 1, False),
        (below(1), 1, True),
        (below(1, inclusive=True), 1, None),
        (below(0.5), 1, True),
        (below(2), 1, None),
        (above(1), 1, False),
        (above(1, inclusive=True), 1, False),
        (above(0.9), 1, None),
        (above(0.9, inclusive=True), 1, None),
        (Interval(0.5, 0.9), 1, True),
        (Interval(0.5, 1.0), 1, None),
        (Interval(0.5, 1.0, high_open=True), 1, True),
        (EVERYTHING, 1, None),
    ],
)
def test_is_it_below_the_limit(value: Interval, limit: float, truth: Truth) -> None:
    assert less(value, exactly(limit)) is truth


@pytest.mark.parametrize(
    ("value", "limit", "truth"),
    [
        (exactly(3), 3, True),
        (Interval(3, 4), 3, None),
        (above(3), 3, False),
        (below(3), 3, False),
        (Interval(2, 4), 3, None),
    ],
)
def test_only_single_values_are_surely_equal(value: Interval, limit: float, truth: Truth) -> None:
    assert equal(value, exactly(limit)) is truth


def test_no_interval_is_true_or_false() -> None:
    for value in (exactly(0), exactly(1), EVERYTHING):
        with pytest.raises(TypeError, match="neither true nor false"):
            bool(value)


def test_nothing_is_beyond_infinity() -> None:
    assert less(exactly(28), exactly(inf)) is True
    assert less(exactly(inf), exactly(28)) is False
    assert equal(exactly(inf), exactly(inf)) is True


def test_shifting_keeps_the_ends() -> None:
    assert shifted(Interval(1, 3, low_open=True), 10) == Interval(11, 13, low_open=True)
    assert shifted(EVERYTHING, 10) == EVERYTHING


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (exactly(0.8), "0.8"),
        (exactly(0.1 + 0.2), "0.3"),
        (exactly(8), "8"),
        (exactly(-2), "-2"),
        (exactly(150000), "150000"),
        (below(0.5), "<0.5"),
        (below(0.5, inclusive=True), "≤0.5"),
        (above(3), ">3"),
        (above(3, inclusive=True), "≥3"),
        (Interval(0.5, 0.9), "0.5-0.9"),
        (EVERYTHING, "any"),
    ],
)
def test_a_number_is_shown_short(value: Interval, shown: str) -> None:
    assert show_number(value) == shown


def days(first: str, last: str) -> Interval:
    return Interval(date.fromisoformat(first).toordinal(), date.fromisoformat(last).toordinal())


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (days("2025-02-20", "2025-02-20"), "2025-02-20"),
        (days("2024-02-01", "2024-02-29"), "2024-02"),
        (days("2025-02-01", "2025-02-28"), "2025-02"),
        (days("2025-12-01", "2025-12-31"), "2025-12"),
        (days("2025-01-01", "2025-12-31"), "2025"),
        (days("2024-02-01", "2024-02-28"), "2024-02-01/2024-02-28"),
        (days("2024-01-01", "2024-03-31"), "2024-01-01/2024-03-31"),
        (days("2024-01-01", "2025-12-31"), "2024-01-01/2025-12-31"),
        (days("0001-01-01", "0001-01-01"), "0001-01-01"),
        (days("9999-12-01", "9999-12-31"), "9999-12"),
        (days("9999-01-01", "9999-12-31"), "9999"),
        (None, ""),
        (EVERYTHING, ""),
        (exactly(0), ""),
        (exactly(date.max.toordinal() + 28), ""),
        (below(date(2025, 2, 20).toordinal(), inclusive=True), "/2025-02-20"),
        (above(date(2025, 2, 20).toordinal(), inclusive=True), "2025-02-20/"),
    ],
)
def test_a_day_is_shown_as_it_was_written(value: Interval | None, shown: str) -> None:
    assert show_day(value) == shown
