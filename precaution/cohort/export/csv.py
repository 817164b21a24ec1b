"""The tables of results as CSV for spreadsheets: one file a table, the evidence of a table as one of its own.

A list of words is written with "; " between them. Every cell is text that no spreadsheet calculates.
"""

from __future__ import annotations

import csv
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow.dataset as ds

from precaution.cohort.export.worklist import neutral
from precaution.cohort.results import stored
from precaution.cohort.tables import SCHEMAS, put
from precaution.errors import InputError

import pyarrow as pa  # isort: skip - tables says what to do where it is missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SHEETS = tuple(name for name in SCHEMAS if name not in ("entries", "persons"))
"""The tables that are results; the others are the records themselves, for programs."""
KEYS = {"findings": "rule", "holds": "rule", "due": "duty"}
"""The column that says what the evidence of a table is of."""
EVIDENCE = ("source", "date", "says", "note")
BETWEEN = "; "


def write_sheets(out: Path, folder: Path) -> list[str]:
    """Write every table of a folder of results as CSV, each whole or not at all; return the names of the files.

    Raises InputError where the results are not complete or can't be read, OutputError where there is no room.
    """
    stored(out)
    written = []
    for name in SHEETS:
        if (out / name).is_dir():
            put(folder / f"{name}.csv", partial(_write, head=_head(name), rows=_rows(out, name)))
            written.append(f"{name}.csv")
        if name in KEYS:
            file = f"{name}_evidence.csv"
            head = ["person", KEYS[name], *EVIDENCE, "label"]
            put(folder / file, partial(_write, head=head, rows=_evidence(out, name)))
            written.append(file)
    return written


def _head(name: str) -> list[str]:
    return [column for column in SCHEMAS[name].names if column != "evidence"]


def _write(path: Path, *, head: list[str], rows: Iterator[list[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for row in rows:
            writer.writerow([neutral(cell) for cell in row])


def _rows(out: Path, name: str) -> Iterator[list[object]]:
    head = _head(name)
    for row in _read(out, name):
        yield [_cell(row[column]) for column in head]


def _evidence(out: Path, name: str) -> Iterator[list[object]]:
    for row in _read(out, name):
        for each in row["evidence"] or ():
            yield [row["person"], row[KEYS[name]], *(each[column] for column in EVIDENCE), row["label"]]


def _cell(value: object) -> object:
    return BETWEEN.join(map(str, value)) if isinstance(value, list) else value


def _read(out: Path, name: str) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a table, some at a time: there may be more than fit in memory."""
    try:
        for batch in ds.dataset(out / name, schema=SCHEMAS[name], format="parquet").to_batches():
            yield from batch.to_pylist()
    except (OSError, pa.ArrowException):
        raise InputError(f"the {name} in '{out}' can't be read; make them anew with --overwrite") from None
