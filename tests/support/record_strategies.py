"""Strategies of hypothesis for records of any shape that their types allow."""

from __future__ import annotations

from math import inf

from hypothesis import strategies as st

from precaution.values.interval import EVERYTHING, Interval
from precaution.values.record import Entry, Ignored, Record, Unrecognised, in_order

WORDS = st.text(max_size=5)
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


@st.composite
def days(draw: st.DrawFn) -> Interval | None:
    """Return a day or days of our time, open ends and nothing among them."""
    first = draw(st.integers(700_000, 740_000))
    last = first + draw(st.integers(0, 400))
    return draw(st.sampled_from([None, EVERYTHING, Interval(first, last), Interval(-inf, last, low_open=True)]))


@st.composite
def values(draw: st.DrawFn) -> Interval | None:
    """Return a number or numbers, open ends and nothing among them."""
    low = draw(NUMBERS)
    high = low + draw(st.floats(0, 10))
    made = Interval(low, high, draw(st.booleans()), draw(st.booleans()))
    return draw(st.sampled_from([None, made, Interval(-inf, high, True, True), Interval(low, inf, False, True)]))


ANY_ENTRY = st.builds(
    Entry,
    st.sampled_from(["a", "b", "ask:c"]),
    st.sampled_from(["condition", "result", "medication"]),
    WORDS,
    days(),
    days(),
    st.sampled_from(["active", "ended", "final"]),
    st.sampled_from(["certain", "suspected"]),
    values(),
    st.none() | st.floats(0.1, 100),
    WORDS,
    WORDS,
    WORDS,
    days(),
)


@st.composite
def any_record(draw: st.DrawFn) -> Record:
    """Return a record of up to eight entries."""
    entries: dict[str, list[Entry]] = {}
    for each in draw(st.lists(ANY_ENTRY, max_size=8)):
        entries.setdefault(each.concept, []).append(each)
    kinds = st.frozensets(st.sampled_from(["condition", "medication", "procedure"]))
    return Record(
        draw(days()),
        draw(days()),
        {name: tuple(sorted(each, key=in_order)) for name, each in entries.items()},
        draw(kinds),
        draw(kinds),
        draw(st.booleans()),
        tuple(draw(st.lists(st.builds(Ignored, WORDS, WORDS), max_size=2))),
        tuple(draw(st.lists(st.builds(Unrecognised, WORDS, WORDS, WORDS, WORDS), max_size=2))),
        draw(st.sampled_from(["", "female", "male", "other"])),
        draw(WORDS),
    )
