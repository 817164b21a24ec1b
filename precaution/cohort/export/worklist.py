"""Who comes first: the decisions of a cohort, most urgent first, one line a patient.

Where several labels decided there is a line for each label of a patient; they stand together, where the most urgent of
them belongs.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, NamedTuple

from precaution.cohort.results import stored
from precaution.cohort.tables import SCHEMAS, put
from precaution.errors import InputError

import pyarrow.dataset as ds  # isort: skip - tables says what to do where it is missing
import pyarrow as pa  # isort: skip
import pyarrow.compute as pc  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

COLUMNS = (
    "person",
    "stage",
    "action",
    "attested",
    "urgent",
    "overdue_days",
    "reason",
    "reason_date",
    "next_due",
    "label",
)
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
    label: str = ""
    """The name of the label."""


def most_urgent(out: Path, top: int = 0) -> list[Urgent]:
    """Return the patients of a folder of results: gravest action, then urgent, then longest overdue.

    `top`: how many patients; 0 for all. A label's actions are ranked in its own order. Raises InputError where the
    folder holds no complete results.
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
    together = _together(ordered, top)
    return [Urgent(**row) for row in together.select(COLUMNS).to_pylist()]


def _together(ordered: pa.Table, top: int) -> pa.Table:
    """Return the rows of the first `top` patients, those of each after the first one of theirs; 0 for all."""
    people = pc.unique(ordered.column("person"))
    if len(people) == len(ordered):
        return ordered.slice(0, top) if top else ordered
    place = pc.index_in(ordered.column("person"), value_set=people[:top] if top else people)
    numbered = ordered.append_column("place", place).append_column("row", pa.array(range(len(ordered))))
    found = numbered.filter(pc.is_valid(place))
    return found.sort_by([("place", "ascending"), ("row", "ascending")])


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
