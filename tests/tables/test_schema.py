"""Records as tables and back: nothing is lost, and the order of rows means nothing."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pyarrow")

from precaution.readers import read
from precaution.tables.schema import ENTRIES, PERSONS, as_rows, as_table, person_row, record_of, rows_of
from precaution.values.record import Entry, Record
from support.ndjson_sources import LABEL
from support.project import PROJECT
from support.record_strategies import any_record
from support.table_sources import records_of


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
    assert [row[-2] for row in rows] == [0, 1]
    assert record_of(person_row("p", Record()), rows).entries == {"a": (entry, entry)}
