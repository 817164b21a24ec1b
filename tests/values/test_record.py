"""The record: what it is when nothing is said, and the one order of entries."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.values.interval import EVERYTHING, Interval, exactly
from precaution.values.record import UNREADABLE, Certainty, Entry, Kind, Record, Status, in_order
from support.engine_builders import condition, drug, result


def test_a_record_of_nothing_claims_nothing() -> None:
    empty = Record()
    assert (empty.birth, empty.died, empty.entries, empty.lists) == (None, None, {}, frozenset())
    assert (empty.ignored, empty.unrecognised) == ((), ())


def test_records_do_not_share_their_entries() -> None:
    assert Record().entries is not Record().entries


def test_a_record_is_not_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Record().birth = exactly(1)  # type: ignore[misc]


def test_every_list_of_coded_entries_has_a_place_for_the_unreadable() -> None:
    assert set(UNREADABLE) < set(get_args(Kind))
    assert len(set(UNREADABLE.values())) == len(UNREADABLE)


def test_an_entry_says_little_by_default() -> None:
    entry = Entry("c", "condition", "Condition/1")
    assert (entry.start, entry.end, entry.value, entry.upper, entry.recorded) == (None,) * 5
    assert (entry.status, entry.certainty, entry.result, entry.says, entry.note) == ("final", "certain", "", "", "")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (result("lab", 1, None), result("lab", 1, "2024-01-01")),
        (result("lab", 1, "2024-01-01"), result("lab", 1, "2024-01-02")),
        (drug(end=None), drug(end="2024-02-01")),
        (drug(end="2024-02-01"), drug(end="2024-02-02")),
        (result("lab", 1, source="Observation/1"), result("lab", 1, source="Observation/2")),
        (condition(certainty="certain"), condition(certainty="suspected")),
        (result("lab", None), result("lab", 1)),
        (result("lab", 1), result("lab", 1, upper=40.0)),
        (result("lab", "negative"), result("lab", "positive")),
        (result("lab", 1, says="1"), result("lab", 1, says="2")),
        (result("lab", 1, note="a"), result("lab", 1, note="b")),
    ],
)
def test_entries_that_differ_have_one_order(first: Entry, second: Entry) -> None:
    assert in_order(first) < in_order(second)


INTERVALS = st.one_of(
    st.none(),
    st.just(EVERYTHING),
    st.integers(1, 9).map(exactly),
    st.tuples(st.integers(1, 5), st.integers(5, 9)).map(lambda each: Interval(*each)),
)
ENTRIES = st.builds(
    Entry,
    concept=st.just("x"),
    kind=st.sampled_from(get_args(Kind)),
    source=st.sampled_from(["A/1", "B/2"]),
    start=INTERVALS,
    end=INTERVALS,
    status=st.sampled_from(get_args(Status)),
    certainty=st.sampled_from(get_args(Certainty)),
    value=INTERVALS,
    upper=st.sampled_from([None, 40.0]),
    result=st.sampled_from(["", "positive", "negative"]),
    says=st.sampled_from(["", "x"]),
    note=st.sampled_from(["", "y"]),
    recorded=INTERVALS,
)


@given(st.lists(ENTRIES, max_size=6), st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_the_input(entries: list[Entry], random: object) -> None:
    """Entries that sort as equal may differ only in what decides nothing between them: kind and day of recording."""
    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    plain = [entry._replace(kind="result", recorded=None) for entry in entries]
    again = [entry._replace(kind="result", recorded=None) for entry in shuffled]
    assert sorted(plain, key=in_order) == sorted(again, key=in_order)
