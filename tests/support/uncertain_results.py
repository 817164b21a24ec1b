"""Results of which day or value are not certain, and what they may turn out to be: for properties of facts."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from precaution.values.interval import EVERYTHING, Interval, above, below, exactly
from precaution.values.record import Entry
from support.engine_builders import TODAY, entry

DAYS = st.integers(TODAY - 60, TODAY)
VALUES = st.sampled_from(
    [exactly(3), exactly(4), exactly(5), exactly(6), below(5), above(4), Interval(4, 6), EVERYTHING]
)


@st.composite
def uncertain(draw: st.DrawFn) -> Entry:
    """Return a result of `lab` of the last 60 days, of which day or value may be open."""
    first = draw(DAYS)
    day = draw(st.sampled_from([exactly(first), exactly(first), Interval(first, min(first + 20, TODAY)), None]))
    source = f"r/{draw(st.integers(0, 10**6))}"
    return entry("lab", "result", day, source=source, value=draw(VALUES))


@st.composite
def turned_out(draw: st.DrawFn, entries: Iterable[Entry]) -> list[Entry]:
    """Return entries as they may turn out to be: each of one day that it may be of, with one value that it may have."""
    found = []
    for each in entries:
        low, high = each.start[:2] if each.start is not None else (TODAY - 60, TODAY)
        value = each.value if each.value is not None else EVERYTHING
        numbers = [n for n in (1.0, 3.0, 4.0, 4.5, 5.0, 5.5, 6.0, 9.0) if inside(exactly(n), value)]
        found.append(
            each._replace(
                start=exactly(draw(st.integers(int(low), int(high)))), value=exactly(draw(st.sampled_from(numbers)))
            )
        )
    return found


def inside(one: Interval, whole: Interval) -> bool:
    """Return whether whatever one may be, the whole may be too."""
    low, high = (one.low, not one.low_open), (one.high, not one.high_open)
    return (
        whole.low <= low[0] <= high[0] <= whole.high
        and (low[0] > whole.low or not whole.low_open or not low[1])
        and (high[0] < whole.high or not whole.high_open or not high[1])
    )
