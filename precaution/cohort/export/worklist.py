"""Who comes first: the decisions of a cohort, most urgent first, one line a patient."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, NamedTuple

from precaution.cohort.results import stored
from precaution.cohort.tables import SCHEMAS, put
from precaution.errors import InputError

import pyarrow.dataset as ds  # isort: skip - tables says what to do where it is missing
import pyarrow as pa  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

COLUMNS = ("person", "stage", "action", "attested", "urgent", "overdue_days", "reason", "reason_date", "next_due")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")
"""What a spreadsheet may take for the beginning of a formula; and the apostrophe, so that it can be taken off again."""


class Urgent(NamedTuple):
    """A line of the worklist."""

    person: str
    stage: str
    action: str
    attested: bool
    urgent: bool
    """Whether a finding can't wait."""
    overdue_days: int
    reason: str
    reason_date: str
    next_due: str


def most_urgent(out: Path, top: int = 0) -> list[Urgent]:
    """Return the patients of a folder of results: gravest action, then urgent, then longest overdue.

    `top`: how many; 0 for all. Raises InputError where the folder holds no complete results.
    """
    stored(out)
    try:
        decisions = ds.dataset(out / "decisions", schema=SCHEMAS["decisions"], format="parquet")
        table = decisions.to_table(columns=[*COLUMNS, "rank"])
    except (OSError, pa.ArrowException):
        raise InputError(f"the decisions in '{out}' can't be read; make them anew with --overwrite") from None
    ordered = table.sort_by(
        [("rank", "ascending"), ("urgent", "descending"), ("overdue_days", "descending"), ("person", "ascending")]
    )
    rows = (ordered.slice(0, top) if top else ordered).select(COLUMNS).to_pylist()
    return [Urgent(**row) for row in rows]


def as_csv(rows: Iterable[Urgent]) -> str:
    """Return CSV that a spreadsheet takes as text: a cell that would be a formula begins with an apostrophe."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(Urgent._fields)
    for row in rows:
        writer.writerow([neutral(cell) for cell in row])
    return written.getvalue()


def neutral(cell: object) -> object:
    """Return a cell so that no spreadsheet calculates it."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def write_csv(rows: Sequence[Urgent], path: Path) -> None:
    """Write the worklist as CSV, whole or not at all. Raises OutputError."""
    put(path, lambda half: half.write_text(as_csv(rows), encoding="utf-8", newline=""))
