"""Points in time -> times of the site's own zone, before anything is read.

A time with an offset is a point in time: 2025-03-02T01:30:00Z is the evening of the first of March in Chicago. Midnight
stays as it is written: that is how systems write a day without a time, and a day must not become the one before.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

_POINT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?!00:00(?::00(?:\.0+)?)?[Z+-])[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2})"
)


def in_zone(documents: Iterable[object], zone: str) -> Iterator[object]:
    """Yield parsed documents with each point in time in them as a time of `zone`."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415  # takes some milliseconds that most runs need not spend

    there = ZoneInfo(zone)
    for each in documents:
        yield _moved(each, there)


def _moved(value: object, zone: ZoneInfo) -> object:
    if isinstance(value, str):
        return _time_there(value, zone) if value[4:5] == "-" and _POINT.fullmatch(value) else value
    if isinstance(value, dict):
        return {key: _moved(each, zone) for key, each in value.items()}
    if isinstance(value, list):
        return [_moved(each, zone) for each in value]
    return value


@lru_cache(maxsize=16384)
def _time_there(written: str, zone: ZoneInfo) -> str:
    try:
        return datetime.fromisoformat(written).astimezone(zone).isoformat()
    except (ValueError, OverflowError):
        return written
