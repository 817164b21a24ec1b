"""Tables decoded a column at a time come to the records that they come to row by row."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("pyarrow")

import pyarrow as pa

from precaution import load_label
from precaution.cohort.row_checks import unsound
from precaution.tables import decode as columns
from precaution.tables.schema import ENTRIES, PERSONS, as_rows, as_table, person_row, record_of, rows_of
from precaution.values.interval import Interval
from precaution.values.record import Entry, Record
from support.effort import tries
from support.engine_builders import TODAY
from support.random_records import AnyRecord
from support.record_strategies import any_record
from support.table_sources import records_of

RECORDS = AnyRecord(load_label("baricitinib"), TODAY)
PEOPLE = st.dictionaries(st.text(min_size=1, max_size=3), any_record(), max_size=6)


def tables(people: dict[str, Record], dice: random.Random | None = None, *, order: bool = True) -> tuple[pa.Table, ...]:
    """Return `persons` and `entries`, with their rows in any order; without the column `order` where that is asked."""
    persons = [person_row(name, record) for name, record in people.items()]
    entries = [
        row if order else (*row[:-2], None, row[-1]) for name, record in people.items() for row in rows_of(name, record)
    ]
    if dice is not None:
        dice.shuffle(persons)
        dice.shuffle(entries)
    return as_table(persons, PERSONS), as_table(entries, ENTRIES)


def row_by_row(persons: pa.Table, entries: pa.Table) -> dict[str, Record]:
    rows = as_rows(entries)
    return {row[0]: record_of(row, [each for each in rows if each[0] == row[0]]) for row in as_rows(persons)}


@settings(max_examples=tries(50, 300))
@given(PEOPLE, st.randoms(), st.booleans())
def test_records_come_back_whole_in_whatever_order_the_rows_are(
    people: dict[str, Record], dice: random.Random, order: bool
) -> None:
    made = list(records_of(*tables(people, dice, order=order)))
    assert [name for name, _ in made] == sorted(people)
    assert dict(made) == people


@pytest.mark.parametrize("block", [1, 50, columns.BLOCK])
@pytest.mark.parametrize("shuffled", [True, False])
def test_many_records_in_blocks_of_any_size(block: int, shuffled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "BLOCK", block)
    people = {f"p{seed:03d}": RECORDS.made(seed) for seed in range(120)}
    made = tables(people, random.Random(1) if shuffled else None)  # noqa: S311 - made-up data
    assert dict(records_of(*made)) == people == row_by_row(*made)


def test_the_order_of_rows_is_not_believed_where_days_do_not_show_it() -> None:
    """Entries of a concept are in the one order of records, whatever a writer of tables took for theirs."""
    late, early = (Entry("a", "condition", f"c/{n}", Interval(day, day)) for n, day in ((1, 20.0), (2, 10.0)))
    rows = [*rows_of("p", Record(entries={"a": (late, early)})), *rows_of("q", Record(entries={"a": (early, late)}))]
    persons = as_table([person_row(name, Record()) for name in "pq"], PERSONS)
    assert {record.entries["a"] for _, record in records_of(persons, as_table(rows, ENTRIES))} == {(early, late)}


def test_entries_of_nobody_are_left_out() -> None:
    people = {name: RECORDS.made(7) for name in ("a", "b", "c")}
    persons, entries = tables(people)
    assert dict(records_of(persons.slice(1, 1), entries)) == {"b": people["b"]}


def test_without_rows_there_is_nobody() -> None:
    assert list(records_of(as_table([], PERSONS), as_table([], ENTRIES))) == []


# Who is looked at row by row


def said(persons: pa.Table, entries: pa.Table, wrong: dict[str, str] | None = None) -> set[str]:
    """Return who is unsound; `wrong`: by person, why that one's rows can't be right."""
    why = wrong or {}
    checked = [
        table.append_column("why", pa.array([why.get(name) for name in table["person"].to_pylist()], pa.string()))
        for table in (persons, entries)
    ]
    return unsound(*checked)


def test_nobody_is_looked_at_row_by_row_without_a_reason() -> None:
    """Without `order` two entries of one concept from one place are a reason: they may be one row, there twice."""
    people = {f"p{seed}": RECORDS.made(seed) for seed in range(40)}
    alike = {
        name
        for name, record in people.items()
        if any(len({entry.source for entry in own}) < len(own) for own in record.entries.values())
    }
    assert said(*tables(people, random.Random(2))) == set()  # noqa: S311 - made-up data
    assert said(*tables(people, random.Random(2), order=False)) == alike != set()  # noqa: S311 - made-up data


def test_whoever_has_a_row_that_is_wrong_or_there_twice_is_looked_at_row_by_row() -> None:
    people = {name: RECORDS.made(5) for name in ("a", "b", "c", "d", "e")}
    assert people["a"].entries
    persons, entries = tables(people)
    of_b = entries.filter(pa.compute.equal(entries["person"], "b")).slice(0, 1)
    assert said(persons, pa.concat_tables([entries, of_b])) == {"b"}
    assert said(pa.concat_tables([persons, persons.slice(2, 1)]), entries) == {"c"}
    assert said(persons.slice(0, 4), entries) == {"e"}
    assert said(persons, entries, {"d": "it has no source"}) == {"d"}
