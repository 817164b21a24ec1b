"""Days written otherwise: with a time and a zone, as a period of one day, as an instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.demo.disguises.kit import Disguise, Kit
from precaution.demo.spoils import DATES

if TYPE_CHECKING:
    from precaution.demo.pieces import Piece

_ZONES = ("Z", "+00:00", "+01:00", "+02:00", "+03:00", "-04:00", "-08:00", "+13:00")
"""The day that counts is the one that was written where it was written."""
_DAY = len("2025-01-01")


def _clock(kit: Kit) -> str:
    """Return a time of the day; shortly before and after midnight the zone could move the day."""
    rng = kit.rng
    hour = rng.choice((0, 23, rng.randint(7, 18)))
    fraction = rng.choice(("", "", ".123", ".5"))
    return f"T{hour:02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}{fraction}{rng.choice(_ZONES)}"


def _with_time(piece: Piece, kit: Kit) -> bool:
    done = False
    for key in DATES:
        day = piece.resource.get(key)
        if isinstance(day, str) and len(day) == _DAY:
            piece.resource[key] = day + _clock(kit)
            done = True
    period = piece.resource.get("effectivePeriod")
    for end, day in list(period.items()) if isinstance(period, dict) else ():
        if isinstance(day, str) and len(day) == _DAY:
            period[end] = day + _clock(kit)  # type: ignore[index]
            done = True
    return done


def _as_period(piece: Piece, kit: Kit) -> bool:
    """Give start and end of the same day."""
    for stem in ("effective", "performed"):
        day = piece.resource.get(f"{stem}DateTime")
        if isinstance(day, str) and len(day) == _DAY:
            del piece.resource[f"{stem}DateTime"]
            end = f"{day}T08:{kit.rng.randint(10, 59)}:00Z"
            piece.resource[f"{stem}Period"] = {"start": f"{day}T08:00:00Z", "end": end}
            return True
    return False


def _as_instant(piece: Piece, kit: Kit) -> bool:
    day = piece.resource.get("effectiveDateTime")
    if piece.kind != "Observation" or not isinstance(day, str) or len(day) != _DAY:
        return False
    del piece.resource["effectiveDateTime"]
    piece.resource["effectiveInstant"] = day + _clock(kit)
    return True


TIMES = (
    Disguise("period-of-a-day", 0.08, _as_period),
    Disguise("instant", 0.06, _as_instant),
    Disguise("time-and-zone", 0.6, _with_time),
)
