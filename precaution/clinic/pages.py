"""The pages as HTML and CSV: templates that escape everything, and run no script."""

from __future__ import annotations

import csv
import io
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from precaution.clinic import trends
from precaution.clinic.worklist import WorklistView
from precaution.cohort.export.worklist import neutral
from precaution.writers.layout import CAUTION, CLEAR, DUE, MISSING, NOTE, STOP, in_words, symbol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from precaution.clinic.worklist import Listed

_HERE = Path(__file__).parent
STYLE = (_HERE / "static" / "clinic.css").read_text(encoding="utf-8")
ICON = (_HERE / "static" / "icon.svg").read_text(encoding="utf-8")
_TONES = {STOP: "stop", CAUTION: "caution", MISSING: "missing", DUE: "due", CLEAR: "clear"}
_COLUMNS = (
    "patient",
    "stage",
    "action",
    "to do",
    "urgent",
    "reason",
    "reason day",
    "next due",
    "due for",
    "days overdue",
    "name",
    "identifiers",
    "born",
    "site",
    "clinician",
    "no result though overdue",
)


def tone(action: str, *, attested: bool = False) -> str:
    """Return the class of an action's colour: one for each shape, so that shape and colour say the same."""
    return _TONES.get(symbol(action, attested=attested), "caution")


def address(view: WorklistView, **changes: Any) -> str:
    """Return the address of a view of the list, with some of it changed: what is as always is left out."""
    wanted = view._replace(**changes)
    usual = WorklistView()._asdict()
    parts = {name: value for name, value in wanted._asdict().items() if value != usual[name] or name == "who"}
    return "/?" + urlencode(parts)


def rendered(template: str, **values: object) -> str:
    """Return a page as HTML."""
    return _environment().get_template(template).render(note=NOTE, **values)


def csv_lines(rows: Iterable[tuple[Listed, list[str]]]) -> Iterator[str]:
    """Yield the list as CSV, with the mark by which spreadsheets know UTF-8; no cell is taken for a formula."""
    yield "\ufeff" + _line(_COLUMNS)
    for row, steps in rows:
        action = in_words(row.action, attested=row.attested)
        yield _line(
            (
                row.person,
                in_words(row.stage),
                action,
                "; ".join(steps),
                row.urgent,
                row.reason,
                row.reason_date,
                row.next_due,
                row.next_of,
                row.overdue_days,
                row.name,
                row.identifiers,
                row.born,
                row.site,
                row.clinician,
                row.missed,
            )
        )


def _line(cells: Iterable[object]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([neutral(cell) for cell in cells])
    return written.getvalue()


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["words"] = in_words
    made.globals |= _helpers()
    return made


def _helpers() -> Mapping[str, object]:
    return {"tone": tone, "symbol": symbol, "address": address, "trends": trends, "spans": trends.SPANS}
