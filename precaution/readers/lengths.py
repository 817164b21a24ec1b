"""How long a drug is to be taken, in each form in which FHIR says it; a length that can't be is none.

Of an order: the bounds of its dosages (a period, a length, a range of lengths), a number of doses with their timing,
the period in which it may be dispensed, the supply that is expected. Of a dispense: the days it supplies.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from precaution.readers.dates import period
from precaution.readers.json_access import child, children, number, text
from precaution.values.interval import Interval, larger, smaller

if TYPE_CHECKING:
    from precaution.readers.json_access import Json

_MONTH = 365.2425 / 12
DAYS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1 / 86_400),
    **dict.fromkeys(("min", "minute", "minutes"), 1 / 1440),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 1 / 24),
    **dict.fromkeys(("d", "day", "days"), 1.0),
    **dict.fromkeys(("wk", "week", "weeks"), 7.0),
    **dict.fromkeys(("mo", "month", "months"), _MONTH),
    **dict.fromkeys(("a", "y", "yr", "year", "years"), 365.2425),
}
"""Units of time of UCUM, and their names, in days."""
LONGEST = 3660.0
"""Days; a supply for more than ten years is a slip of the pen."""

Span = tuple[float, float]
"""The least and the most days that something lasts."""


def supply(quantity: Json) -> float | None:
    """Return how many whole days a supply lasts; None where it does not say so, or says what can't be."""
    found = length(quantity)
    return None if found is None or "comparator" in quantity else float(int(found))


def treated(resource: Json, authored: Interval | None) -> tuple[Interval | None, Interval | None]:
    """Return when what a MedicationRequest orders begins (None: with the order), and when it ends (None: not said)."""
    dosages = children(resource, "dosageInstruction")
    repeats = [child(child(dosage, "timing"), "repeat") for dosage in dosages]
    start, end = _period(repeats)
    begun = authored if start is None else start
    if end is None and repeats:
        end = _shifted(begun, [_of_repeat(repeat) for repeat in repeats])
    return start, end if end is not None else _of_supply(child(resource, "dispenseRequest"), begun)


def _period(repeats: list[Json]) -> tuple[Interval | None, Interval | None]:
    """Return the first start and the last end of the dosages' periods; no end where one has none."""
    found = [period(child(repeat, "boundsPeriod")) for repeat in repeats]
    starts = [each.start for each in found if each.start is not None]
    ends = [each.end for each in found if each.end is not None]
    start, end = starts[0] if starts else None, ends[0] if len(ends) == len(found) and ends else None
    for each in starts:
        start = each if start is None else smaller(start, each)
    for each in ends:
        end = None if end is None else larger(end, each)
    return start, end


def _of_repeat(repeat: Json) -> Span | None:
    """Return how long one dosage is to be taken."""
    if "boundsDuration" in repeat:
        found = length(child(repeat, "boundsDuration"))
        return None if found is None else (found, found)
    if "boundsRange" in repeat:
        low, high = (length(child(child(repeat, "boundsRange"), end)) for end in ("low", "high"))
        return (low or 0.0, high) if high is not None else None
    return _counted(repeat)


def _counted(repeat: Json) -> Span | None:
    """Return how long a number of doses lasts, by how often they are taken."""
    count = _positive(repeat.get("countMax") or repeat.get("count"))
    often = _positive(repeat.get("frequency")) or 1.0
    each = _positive(repeat.get("period"))
    unit = DAYS.get(text(repeat, "periodUnit").lower())
    if count is None or each is None or unit is None:
        return (0.0, 1.0) if count == 1 else None
    days = count / often * each * unit
    return (days, days) if days <= LONGEST else None


def _of_supply(request: Json, start: Interval | None) -> Interval | None:
    """Return the end that an order's supplies tell: their days, each time it may be repeated, or its validity."""
    lasts = length(child(request, "expectedSupplyDuration"))
    repeated = _positive(request.get("numberOfRepeatsAllowed")) or 0.0
    valid = period(child(request, "validityPeriod")).end
    if lasts is None or lasts * (1 + repeated) > LONGEST:
        return valid
    supplied = _shifted(start, [(lasts, lasts * (1 + repeated))])
    return supplied if valid is None or supplied is None else larger(valid, supplied)


def _shifted(start: Interval | None, spans: list[Span | None]) -> Interval | None:
    """Return the day so long after a start: of several lengths the longest; None where one is not told."""
    told = [span for span in spans if span is not None]
    if start is None or not told or len(told) < len(spans):
        return None
    least, most = max(low for low, _ in told), max(high for _, high in told)
    return Interval(start.low + ceil(least), start.high + ceil(most))


def length(quantity: Json) -> float | None:
    """Return a Duration or a Quantity of time in days, if it can be one."""
    amount = number(quantity.get("value"), "MedicationRequest", "a length of time")
    factor = DAYS.get((text(quantity, "code") or text(quantity, "unit")).lower())
    if amount is None or factor is None or not 0 < amount * factor <= LONGEST:
        return None
    return amount * factor


def _positive(value: object) -> float | None:
    found = number(value, "MedicationRequest", "a number")
    return found if found is not None and found > 0 else None
