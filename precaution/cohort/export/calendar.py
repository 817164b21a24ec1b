"""What is due for a cohort's patients as iCalendar (RFC 5545): an all-day event for each duty with a day."""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import pyarrow.dataset as ds

from precaution.cohort.results import stored
from precaution.cohort.tables import SCHEMAS, put
from precaution.errors import InputError
from precaution.writers.layout import NOTE

import pyarrow as pa  # isort: skip - tables says what to do where it is missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STATES = ("upcoming", "due", "overdue")
LONGEST = 75
"""Octets of a line; a longer one goes on in the next, after a space."""


class Task(NamedTuple):
    """A duty of one patient with the day on which it is due."""

    person: str
    duty: str
    state: str
    due: str
    overdue_after: str
    tell: str
    cites: tuple[str, ...]


def write_calendar(out: Path, path: Path) -> None:
    """Write what is due as a calendar, whole or not at all.

    Raises InputError where the results are not complete or can't be read, OutputError where there is no room.
    """
    stored(out)
    put(path, lambda half: half.write_text(calendar(_tasks(out), _today(out)), encoding="utf-8", newline=""))


def calendar(tasks: Iterator[Task], today: str) -> str:
    """Return the calendar; the same tasks and day give the same bytes."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//precaution//due//EN", "CALSCALE:GREGORIAN"]
    for task in tasks:
        lines += _event(task, today)
    return "".join(f"{folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _event(task: Task, today: str) -> list[str]:
    day = date.fromisoformat(task.due)
    after = f"; overdue after {task.overdue_after}" if task.overdue_after else ""
    about = f"{task.state} on {today}{after}; {' '.join(task.cites)}. {NOTE}"
    return [
        "BEGIN:VEVENT",
        f"UID:{sha256('|'.join((task.person, task.duty, task.due)).encode()).hexdigest()[:32]}@precaution",
        f"DTSTAMP:{_basic(date.fromisoformat(today))}T000000Z",
        f"DTSTART;VALUE=DATE:{_basic(day)}",
        f"DTEND;VALUE=DATE:{_basic(day + timedelta(days=1))}",
        f"SUMMARY:{escaped(f'{task.tell} ({task.person})')}",
        f"DESCRIPTION:{escaped(about)}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _basic(day: date) -> str:
    return day.isoformat().replace("-", "")


def escaped(text: str) -> str:
    """Return a text as a value of type TEXT; what can't be printed is left out."""
    for letter, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(letter, written)
    return "".join(letter for letter in text if letter.isprintable())


def folded(line: str) -> str:
    """Return a line with a break before it gets longer than 75 octets, never within a letter."""
    parts, size = [""], 0
    for letter in line:
        length = len(letter.encode())
        if size + length > LONGEST:
            parts.append(" ")
            size = 1
        parts[-1] += letter
        size += length
    return "\r\n".join(parts)


def _today(out: Path) -> str:
    found = ds.dataset(out / "decisions", schema=SCHEMAS["decisions"], format="parquet").head(1, columns=["today"])
    return str(found.column("today")[0]) if len(found) else "1970-01-01"


def _tasks(out: Path) -> Iterator[Task]:
    """Yield what has a day, in order of day and person."""
    try:
        table = ds.dataset(out / "due", schema=SCHEMAS["due"], format="parquet").to_table(
            columns=list(Task._fields), filter=ds.field("state").isin(STATES) & (ds.field("due") != "")
        )
    except (OSError, pa.ArrowException):
        raise InputError(f"the due list in '{out}' can't be read; make it anew with --overwrite") from None
    for row in table.sort_by([("due", "ascending"), ("person", "ascending"), ("duty", "ascending")]).to_pylist():
        yield Task(**{**row, "cites": tuple(row["cites"])})
