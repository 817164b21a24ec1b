"""Records as tables and back: nothing is lost, and the order of rows means nothing."""

from __future__ import annotations

import random
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pyarrow")

from cohort_make import LABEL
from conftest import PROJECT
from precaution.entries import ENTRIES, PERSONS, as_rows, as_table, person_row, record_of, records_of, rows_of
from precaution.interval import EVERYTHING, Interval
from precaution.readers import read
from precaution.record import Entry, Ignored, Record, Unrecognised, in_order

WORDS = st.text(max_size=5)
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


@st.composite
def days(draw: st.DrawFn) -> Interval | None:
    first = draw(st.integers(700_000, 740_000))
    last = first + draw(st.integers(0, 400))
    return draw(st.sampled_from([None, EVERYTHING, Interval(first, last), Interval(-inf, last, low_open=True)]))


@st.composite
def values(draw: st.DrawFn) -> Interval | None:
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


@given(any_record(), st.randoms())
def test_a_record_comes_back_whole_in_whatever_order_its_rows_are(record: Record, dice: random.Random) -> None:
    rows = rows_of("p", record)
    dice.shuffle(rows)
    (person,) = as_rows(as_table([person_row("p", record)], PERSONS))
    assert record_of(person, as_rows(as_table(rows, ENTRIES))) == record


def test_many_records_come_back_each_as_its_own() -> None:
    files = sorted((PROJECT / "examples").glob("*.json"))
    people = {file.stem: read(file, LABEL.terminology, LABEL.asks) for file in files}
    assert len(people) > 5
    persons = as_table([person_row(name, record) for name, record in people.items()], PERSONS)
    entries = as_table([row for name, record in people.items() for row in rows_of(name, record)], ENTRIES)
    assert dict(records_of(persons, entries)) == people


def test_a_person_without_entries_is_there() -> None:
    persons = as_table([person_row("p", Record(lists=frozenset({"condition"})))], PERSONS)
    assert list(records_of(persons, as_table([], ENTRIES))) == [("p", Record(lists=frozenset({"condition"})))]


def test_entries_that_differ_in_nothing_but_order_are_kept_both() -> None:
    entry = Entry("a", "condition", "Condition/1")
    rows = rows_of("p", Record(entries={"a": (entry, entry)}))
    assert [row[-1] for row in rows] == [0, 1]
    assert record_of(person_row("p", Record()), rows).entries == {"a": (entry, entry)}
