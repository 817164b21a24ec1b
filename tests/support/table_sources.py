"""Sources of tables for the tests of cohorts: `entries` and `persons` as Parquet, in any order and many files."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from precaution.readers import read_resources
from precaution.tables.decode import decoded
from precaution.tables.schema import ENTRIES, PERSONS, as_table, person_row, rows_of
from precaution.values.record import Record
from support.ndjson_sources import LABEL, Json, by_person

SCHEMAS = {"entries": ENTRIES, "persons": PERSONS}
Rows = dict[str, list[tuple[Any, ...]]]


def records(resources: list[Json]) -> dict[str, Record]:
    """Return each patient's record by the reader of single patients."""
    return {person: read_resources(own, LABEL.terminology, LABEL.asks) for person, own in by_person(resources).items()}


def rows(people: dict[str, Record]) -> Rows:
    """Return the rows of both tables."""
    return {
        "entries": [row for person, record in people.items() for row in rows_of(person, record, LABEL.name)],
        "persons": [person_row(person, record, LABEL.name) for person, record in people.items()],
    }


def put(folder: Path, found: Rows, seed: int = 0, files: int = 3) -> Path:
    """Write rows in any order to any number of files."""
    dice = random.Random(seed)  # noqa: S311
    for table, own in found.items():
        (folder / table).mkdir(parents=True, exist_ok=True)
        mixed = dice.sample(own, len(own))
        for number in range(files):
            written = as_table(mixed[number::files], SCHEMAS[table])
            pq.write_table(written, folder / table / f"{dice.randrange(10**9)}-{number}.parquet")
    return folder


def changed(found: Rows, table: str, row: int, **values: object) -> Rows:
    """Return the rows with other values in the columns of one row."""
    names = SCHEMAS[table].names
    own = [
        tuple(values.get(name, cell) if at == row else cell for name, cell in zip(names, each, strict=True))
        for at, each in enumerate(found[table])
    ]
    return {**found, table: own}


def put_columns(folder: Path, table: str, columns: dict[str, pa.Array]) -> Path:
    """Write a table of any columns at all as its only file."""
    for file in (folder / table).glob("*.parquet"):
        file.unlink()
    pq.write_table(pa.table(columns), folder / table / "only.parquet")
    return folder


def records_of(persons: pa.Table, entries: pa.Table) -> Iterator[tuple[str, Record]]:
    """Yield each person with the record, in order of `person`; the rows of the tables may be in any order."""
    return decoded(persons.sort_by("person"), entries)
