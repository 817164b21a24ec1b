"""What is due for a cohort's patients as iCalendar (RFC 5545): an all-day event with an alarm for each duty with a day.

What was due before the day of the results stands on that day, and says since when: in the past nobody would see it.
"""

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
    from collections.abc import Iterable, Iterator
    from pathlib import Path

STATES = ("upcoming", "due", "overdue")
ALARM = "PT9H"
"""When an alarm rings: nine in the morning of the day, counted from its beginning."""
LONGEST = 75
"""Octets of a line; a longer one goes on in the next, after a space."""


class DueDay(NamedTuple):
    """A duty of one patient with the day on which it is due."""

    person: str
    duty: str
    state: str
    due: str
    overdue_after: str
    tell: str
    cites: tuple[str, ...]
    label: str = ""
    """The name of the label, where several decided."""


def write_calendar(out: Path, path: Path) -> None:
    """Write what is due as a calendar, whole or not at all.

    Raises InputError where the results are not complete or can't be read, OutputError where there is no room.
    """
    stored(out)
    put(path, lambda half: half.write_text(calendar(_due_days(out), _today(out)), encoding="utf-8", newline=""))


def calendar(days: Iterable[DueDay], today: str) -> str:
    """Return the calendar; the same days and `today` give the same bytes."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//precaution//due//EN", "CALSCALE:GREGORIAN"]
    for each in days:
        lines += _event(each, today)
    return "".join(f"{folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _event(each: DueDay, today: str) -> list[str]:
    day = date.fromisoformat(max(each.due, today))
    since = f"{'Overdue' if each.state == 'overdue' else 'Due'} since {each.due}: " if each.due < today else ""
    what = f"{each.label}: {each.tell}" if each.label else each.tell
    summary = escaped(f"{since}{what} ({each.person})")
    after = f"; overdue after {each.overdue_after}" if each.overdue_after else ""
    key = (each.person, each.duty, each.due, *([each.label] if each.label else []))
    about = f"{each.state} on {today}{after}; {' '.join(each.cites)}. {NOTE}"
    return [
        "BEGIN:VEVENT",
        f"UID:{sha256('|'.join(key).encode()).hexdigest()[:32]}@precaution",
        f"DTSTAMP:{_basic(date.fromisoformat(today))}T000000Z",
        f"DTSTART;VALUE=DATE:{_basic(day)}",
        f"DTEND;VALUE=DATE:{_basic(day + timedelta(days=1))}",
        f"SUMMARY:{summary}",
        f"DESCRIPTION:{escaped(about)}",
        "TRANSP:TRANSPARENT",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"TRIGGER:{ALARM}",
        f"DESCRIPTION:{summary}",
        "END:VALARM",
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


def _due_days(out: Path) -> Iterator[DueDay]:
    """Yield what has a day, in order of day and person."""
    try:
        table = ds.dataset(out / "due", schema=SCHEMAS["due"], format="parquet").to_table(
            columns=list(DueDay._fields), filter=ds.field("state").isin(STATES) & (ds.field("due") != "")
        )
    except (OSError, pa.ArrowException):
        raise InputError(f"the due list in '{out}' can't be read; make it anew with --overwrite") from None
    order = [(name, "ascending") for name in ("due", "person", "duty", "label")]
    several = len(table.column("label").unique()) > 1
    for row in table.sort_by(order).to_pylist():
        yield DueDay(**{**row, "cites": tuple(row["cites"]), "label": row["label"] if several else ""})
