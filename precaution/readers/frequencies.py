"""How often a dose is taken, in each form in which FHIR's Timing says it: times a day, as an interval.

What is said in words alone, or by events that are no times of the day, is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.readers.json_access import child, children, number, text
from precaution.readers.lengths import DAYS
from precaution.values.interval import Interval, exactly, hull

if TYPE_CHECKING:
    from precaution.readers.json_access import Json

_CODES = {
    **dict.fromkeys(("QD", "DAILY", "AM", "PM", "BED", "HS", "QAM", "QPM", "QHS"), 1.0),
    "BID": 2.0,
    "TID": 3.0,
    "QID": 4.0,
    "QOD": 0.5,
    **{f"Q{hours}H": 24 / hours for hours in (1, 2, 3, 4, 6, 8, 12, 24)},
    **dict.fromkeys(("WK", "QWK", "WEEKLY"), 1 / 7),
    **dict.fromkeys(("MO", "MONTHLY"), 12 / 365.2425),
}
"""HL7's abbreviations of timings, and those that are written like them: times a day."""
_ONCE = frozenset(
    (
        "MORN",
        "NOON",
        "AFT",
        "EVE",
        "NIGHT",
        "PHS",
        "HS",
        "WAKE",
        "CM",
        "CD",
        "CV",
        "ACM",
        "ACD",
        "ACV",
        "PCM",
        "PCD",
        "PCV",
    )
)
"""Events of the day that come once; `C` (with meals) may be two or three."""


def times_a_day(timing: Json) -> Interval | None:
    """Return how many times a day, on average, a dose is taken; None where that can't be told."""
    coded, repeated = _coded(child(timing, "code")), _repeated(child(timing, "repeat"))
    if coded is None or repeated is None:
        return repeated if coded is None else coded
    return hull(coded, repeated)


def _coded(concept: Json) -> Interval | None:
    words = [text(each, "code") for each in children(concept, "coding")] or [text(concept, "text")]
    found = next((_CODES[word.upper()] for word in words if word.upper() in _CODES), None)
    return None if found is None else exactly(found)


def _repeated(repeat: Json) -> Interval | None:
    """Return what frequency and period say, or days of the week and times of the day."""
    days, times = _listed(repeat, "dayOfWeek"), _per_day(repeat)
    unit = DAYS.get(text(repeat, "periodUnit").lower())
    period = _positive(repeat.get("period"))
    if unit is None or period is None:
        return None if not (days or times) or "period" in repeat else exactly((times or 1) * (days or 7) / 7)
    often = _positive(repeat.get("frequency")) or 1.0
    most = max(_positive(repeat.get("frequencyMax")) or often, often)
    longest = max(_positive(repeat.get("periodMax")) or period, period)
    found = Interval(often / (longest * unit), most / (period * unit))
    if times and period * unit == 1:
        found = hull(found, exactly(float(times)))
    if days and period * unit == 1:
        return Interval(found.low * days / 7, found.high * days / 7)
    return hull(found, exactly(days * (times or 1) / (7 * period))) if days and unit == DAYS["wk"] else found


def _per_day(repeat: Json) -> int:
    """Return at how many times of the day a dose is taken; 0 where none are named."""
    when = repeat.get("when")
    events = [each for each in when if isinstance(each, str)] if isinstance(when, list) else []
    return _listed(repeat, "timeOfDay") or (len(set(events)) if events and _ONCE.issuperset(events) else 0)


def _listed(repeat: Json, key: str) -> int:
    found = repeat.get(key)
    return len({each for each in found if isinstance(each, str)}) if isinstance(found, list) else 0


def _positive(value: object) -> float | None:
    found = number(value, "a medication", "a number of a timing")
    return found if found is not None and found > 0 else None
