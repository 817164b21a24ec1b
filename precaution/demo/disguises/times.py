"""Disguises of days: with a time and a zone, as a period of one day, as an instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.demo.disguises.kit import Disguise, Kit
from precaution.demo.spoils import DATES

if TYPE_CHECKING:
    from precaution.demo.resources import DemoResource

_ZONES = ("Z", "+00:00", "+01:00", "+02:00", "+03:00", "-04:00", "-08:00", "+13:00")
"""The day that counts is the one that was written where it was written."""
_DAY = len("2025-01-01")


def _clock(kit: Kit) -> str:
    """Return a time of the day; shortly before and after midnight the zone could move the day."""
    rng = kit.rng
    hour = rng.choice((0, 23, rng.randint(7, 18)))
    fraction = rng.choice(("", "", ".123", ".5"))
    return f"T{hour:02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}{fraction}{rng.choice(_ZONES)}"


def _with_time(item: DemoResource, kit: Kit) -> bool:
    done = False
    for key in DATES:
        day = item.resource.get(key)
        if isinstance(day, str) and len(day) == _DAY:
            item.resource[key] = day + _clock(kit)
            done = True
    period = item.resource.get("effectivePeriod")
    for end, day in list(period.items()) if isinstance(period, dict) else ():
        if isinstance(day, str) and len(day) == _DAY:
            period[end] = day + _clock(kit)  # type: ignore[index]
            done = True
    return done


def _as_period(item: DemoResource, kit: Kit) -> bool:
    """Give start and end of the same day."""
    for stem in ("effective", "performed"):
        day = item.resource.get(f"{stem}DateTime")
        if isinstance(day, str) and len(day) == _DAY:
            del item.resource[f"{stem}DateTime"]
            end = f"{day}T08:{kit.rng.randint(10, 59)}:00Z"
            item.resource[f"{stem}Period"] = {"start": f"{day}T08:00:00Z", "end": end}
            return True
    return False


def _as_instant(item: DemoResource, kit: Kit) -> bool:
    day = item.resource.get("effectiveDateTime")
    if item.kind != "Observation" or not isinstance(day, str) or len(day) != _DAY:
        return False
    del item.resource["effectiveDateTime"]
    item.resource["effectiveInstant"] = day + _clock(kit)
    return True


TIMES = (
    Disguise("period-of-a-day", 0.08, _as_period),
    Disguise("instant", 0.06, _as_instant),
    Disguise("time-and-zone", 0.6, _with_time),
)
