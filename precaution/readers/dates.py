"""FHIR's dates, periods and ages as intervals of days.

A date is the calendar day as written where it was written: the offset is not applied (a site may name its zone, see
`zones`). A year or a month is all of its days. What can't be read is None, and the caller says so in the entry's note.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from precaution.readers.json_access import Json, child, choice, number, text
from precaution.values.interval import Interval, hull

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FORM = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:[T ](?:[01][0-9]|2[0-4]):[0-5][0-9](?::(?:[0-5][0-9]|60)(?:\.[0-9]{1,12})?)?"
    r"(?:Z|[+-][01][0-9]:?[0-5][0-9])?)?)?)?"
)
OPEN_END = "9999-12-31"
"""What databases write where there is no end; as a start it is no day."""
_PLACEHOLDERS = frozenset({"0001-01-01", "1900-01-01", OPEN_END})
"""What systems write where no day is known: it is no day."""
_YEAR = 365.2425
_DAYS = {"a": _YEAR, "mo": _YEAR / 12, "wk": 7.0, "d": 1.0}
"""UCUM's units of age, in days."""
_LAST = date.max.toordinal()
_NOTHING: Json = {}


class DateRange(NamedTuple):
    """The days on which something began and ended, and what could not be read of them."""

    start: Interval | None = None
    end: Interval | None = None
    note: str = ""


@lru_cache(maxsize=16384)
def day(written: str) -> Interval | None:
    """Return the days of a FHIR date, dateTime or instant; None where it is none, or beyond the calendar."""
    match = _FORM.fullmatch(written)
    if not match or written[:10] in _PLACEHOLDERS:
        return None
    year, month, of_month = (int(part) if part else 0 for part in match.groups())
    try:
        first = date(year, month if match[2] else 1, of_month if match[3] else 1)
    except ValueError:
        return None
    return Interval(first.toordinal(), _last(first, match).toordinal())


def _last(first: date, match: re.Match[str]) -> date:
    if match[3]:
        return first
    month = first.month if match[2] else 12
    return date(first.year, month, monthrange(first.year, month)[1])


def day_at(parent: Mapping[str, object], key: str) -> Interval | None:
    """Return the days of the date under `key`; None where there is none that can be read."""
    value = parent.get(key)
    return day(value.strip()) if isinstance(value, str) else None


def read_dates(parent: Mapping[str, object], stem: str, birth: Interval | None = None) -> DateRange:
    """Return the days of `stem[x]` (onset, effective, performed ...), whichever type it has.

    `birth`: the day of birth, by which an age becomes days; they are then one unit of age wide.
    """
    written = parent.get(stem + "DateTime")
    if isinstance(written, str):
        found = day(written.strip())
        return DateRange(found, None, "" if found is not None else f"{stem} date can't be read")
    key = choice(parent, stem)
    if not key:
        return DateRange(note="" if f"_{stem}DateTime" not in parent else f"{stem} date is said to be missing")
    return _other(parent, key, stem, birth)


def _other(parent: Mapping[str, object], key: str, stem: str, birth: Interval | None) -> DateRange:
    value = child(parent, key)
    if key.endswith("Period") and value:
        return period(value, stem)
    if key.endswith("Age") and value:
        found = at_age(value, birth)
    elif key.endswith("Timing"):
        return _timing(value, stem)
    else:
        found = day_at(parent, key) if key.endswith("Instant") else None
    return DateRange(found, None, "" if found is not None else f"{stem} is not given as a date")


def period(value: Json, stem: str = "period") -> DateRange:
    """Return the days on which a FHIR Period starts and ends; `stem` names it in the note."""
    start, end = day_at(value, "start"), day_at(value, "end")
    unread = any(value.get(key) is not None and found is None for key, found in (("start", start), ("end", end)))
    return DateRange(start, end, f"{stem} date can't be read" if unread else "")


def _timing(value: Json, stem: str) -> DateRange:
    events = value.get("event")
    days = [
        found
        for each in (events if isinstance(events, list) else [])
        if isinstance(each, str) and (found := day(each.strip())) is not None
    ]
    if not days:
        return period(child(child(value, "repeat"), "boundsPeriod"), stem)
    whole = days[0]
    for each in days[1:]:
        whole = hull(whole, each)
    return DateRange(whole, None)


def at_age(age: Json, birth: Interval | None) -> Interval | None:
    """Return the days on which somebody born on `birth` was of this age; None where that can't be told.

    Raises InputError where the age is not a finite number.
    """
    years = number(age.get("value"), "record", "an age")
    unit = _DAYS.get(text(age, "code") or text(age, "unit"))
    if years is None or unit is None or birth is None or not 0 <= years * unit <= 150 * _YEAR or "comparator" in age:
        return None
    low, high = int(birth.low + years * unit) - 1, int(birth.high + (years + 1) * unit) + 1
    return Interval(low, high) if high <= _LAST else None


def spanned(start: Interval | None, end: Interval | None) -> Interval | None:
    """Return the days from `start` to `end`, on one of which something happened; just `start` where there is no end."""
    return start if start is None or end is None else hull(start, end)


@lru_cache(maxsize=4096)
def instant(written: str) -> datetime | None:
    """Return a point in time, in UTC where it names no zone; None where it can't be read."""
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


_WESTERNMOST = timedelta(hours=-12)
"""The offset of the time zone in which a day ends last."""


def still_yesterday(resource: Mapping[str, object], day: str) -> bool:
    """Whether a resource has an instant of `day` (as 2025-03-02) at which somewhere on earth it was the day before.

    Only what is written with an offset is a point in time; a date or a time without one is where it was written.
    """
    return any(_before(value, day) for value in _written_times(resource))


def _written_times(resource: Mapping[str, object]) -> Iterator[str]:
    for value in resource.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from (each for each in value.values() if isinstance(each, str))


def _before(written: str, day: str) -> bool:
    if not written.startswith(day) or not _FORM.fullmatch(written.strip()):
        return False
    try:
        moment = datetime.fromisoformat(written.strip())
    except ValueError:
        return False
    return moment.tzinfo is not None and moment.astimezone(timezone(_WESTERNMOST)).date().isoformat() < day
