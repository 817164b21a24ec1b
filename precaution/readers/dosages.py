"""The dosage of a medication -> entries of its dose in mg a day, each for as long as it holds.

    dosageInstruction of MedicationRequest and -Dispense, dosage of MedicationStatement and -Administration

Instructions of one time are added; those that follow each other (`sequence` with a length, or periods of their own)
are entries of their own. What can't be placed may be any of them, or all. Where no instruction tells a dose, what is
supplied for so many days does. What is administered is the amount of its day, and no rate. Words alone tell nothing.
"""

from __future__ import annotations

from functools import reduce
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from precaution.knowledge.strengths import Strength
from precaution.readers.dates import period
from precaution.readers.frequencies import times_a_day
from precaution.readers.json_access import Json, child, children, number, text
from precaution.readers.lengths import length, supply
from precaution.readers.strengths import dose_key, known_strength, milligrams, told_strength
from precaution.values.interval import Interval, exactly, hull, shifted, show_number, smaller

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from precaution.knowledge.terminology import Concept

_ANY = Interval(0.0, inf, high_open=True)
SORTS = {
    "MedicationRequest": "ordered",
    "MedicationStatement": "reported",
    "MedicationDispense": "dispensed",
    "MedicationAdministration": "given",
}
"""What a resource tells of: an order, a report, a supply or an administration of the same dose are no four doses."""


class Dosed(NamedTuple):
    """A dose and the days on which it holds: as long as the medication where they are None."""

    value: Interval | None
    """In mg a day on average; of what is administered, in mg on its day."""
    start: Interval | None = None
    end: Interval | None = None
    sequence: float | None = None
    days: float | None = None
    """How long it is to be taken, where it says so."""


def doses(resource: Json, strength: Strength, start: Interval | None) -> list[Dosed]:
    """Return the doses of a medication that begins on `start`; there is always one, with None where it is not told."""
    if text(resource, "resourceType") == "MedicationAdministration":
        return [Dosed(milligrams(child(child(resource, "dosage"), "dose"), strength))]
    told = [_instruction(each, strength) for each in children(resource, _key(resource))]
    if all(each.value is None for each in told):
        return [Dosed(_supplied(resource, strength))]
    if len({each.sequence for each in told}) > 1:
        return _in_sequence(told, start)
    spans = dict.fromkeys((each.start, each.end, each.days) for each in told)
    return [_placed(_sum(e for e in told if (e.start, e.end, e.days) == span), start) for span in spans]


def shown(dose: Interval | None, sort: str) -> str:
    """Return a dose for people."""
    if dose is None:
        return "dose not told"
    if sort == "given":
        return f"{show_number(dose)} mg"
    week = Interval(dose.low * 7, dose.high * 7, dose.low_open, dose.high_open)
    return f"{show_number(dose)} mg a day, {show_number(week)} mg a week"


def strength_in(concept: Concept, medication: Json | None, codes: Iterable[tuple[str, str]]) -> Strength:
    """Return the strength that a Medication says, else what the label's folder says of its codes."""
    found = told_strength(medication) if medication is not None else Strength()
    known = known_strength(concept, codes)
    return Strength(found.piece or known.piece, found.ml or known.ml)


def _key(resource: Json) -> str:
    return "dosage" if text(resource, "resourceType") == "MedicationStatement" else "dosageInstruction"


def _instruction(dosage: Json, strength: Strength) -> Dosed:
    timing = child(dosage, "timing")
    repeat = child(timing, "repeat")
    bounds = period(child(repeat, "boundsPeriod"))
    return Dosed(
        _capped(dosage, _rate(dosage, timing, strength), strength),
        bounds.start,
        bounds.end,
        number(dosage.get("sequence"), "a medication", "sequence"),
        length(child(repeat, "boundsDuration")),
    )


def _rate(dosage: Json, timing: Json, strength: Strength) -> Interval | None:
    """Return the dose of an instruction a day; as needed, it may be none."""
    amount, often = _amount(dosage, strength), times_a_day(timing)
    if amount is None or often is None:
        return None
    low = 0.0 if _as_needed(dosage) else amount.low * often.low
    return Interval(low, amount.high * often.high, False, amount.high_open)


def _as_needed(dosage: Json) -> bool:
    return dosage.get("asNeededBoolean") is True or any(
        key in dosage for key in ("asNeededCodeableConcept", "asNeededFor")
    )


def _amount(dosage: Json, strength: Strength) -> Interval | None:
    """Return how much is taken at a time: what is ordered and what was worked out may differ."""
    found = [_one_amount(each, strength) for each in children(dosage, "doseAndRate") or [dosage]]
    told = [each for each in found if each is not None]
    return reduce(hull, told) if told and len(told) == len(found) else None


def _one_amount(holder: Json, strength: Strength) -> Interval | None:
    key = dose_key(holder)
    if key != "doseRange":
        return milligrams(child(holder, key), strength) if key else None
    low, high = (milligrams(child(child(holder, key), end), strength) for end in ("low", "high"))
    if high is None or (low is not None and low.low > high.high):
        return None
    return Interval(0.0 if low is None else low.low, high.high, False, high.high_open)


def _capped(dosage: Json, rate: Interval | None, strength: Strength) -> Interval | None:
    """Return a dose that is at most what the instruction allows in a time."""
    for ratio in children(dosage, "maxDosePerPeriod"):
        most, days = milligrams(child(ratio, "numerator"), strength), length(child(ratio, "denominator"))
        if most is not None and days is not None:
            rate = smaller(_ANY if rate is None else rate, exactly(most.high / days))
    return rate


def _supplied(resource: Json, strength: Strength) -> Interval | None:
    """Return what a supply comes to a day, where it says for how long it is."""
    request = child(resource, "dispenseRequest") or resource
    amount = milligrams(child(request, "quantity"), strength)
    days = supply(child(request, "expectedSupplyDuration") or child(request, "daysSupply"))
    if amount is None or not days:
        return None
    return Interval(amount.low / days, amount.high / days, False, amount.high_open)


def _sum(parts: Iterable[Dosed]) -> Dosed:
    """Return instructions of the same time together; a part that is not told leaves the whole open above."""
    several = list(parts)
    if all(each.value is None for each in several):
        return several[0]
    values = [each.value if each.value is not None else _ANY for each in several]
    low, high = sum(value.low for value in values), sum(value.high for value in values)
    return several[0]._replace(value=Interval(low, high, False, high == inf or any(v.high_open for v in values)))


def _placed(dose: Dosed, start: Interval | None) -> Dosed:
    """Return a dose with the last day on which it holds, where it says for how long it is taken."""
    first = start if dose.start is None else dose.start
    if dose.days is None or dose.end is not None or first is None:
        return dose
    return dose._replace(end=shifted(first, max(dose.days - 1, 0.0)))


def _in_sequence(told: Sequence[Dosed], start: Interval | None) -> list[Dosed]:
    """Return instructions that follow each other; one of them, or all together, where their times are not told."""
    order = sorted({-1.0 if each.sequence is None else each.sequence for each in told})
    groups = [_sum(e for e in told if (-1.0 if e.sequence is None else e.sequence) == number_) for number_ in order]
    placed, begun = list[Dosed](), start
    for group in groups:
        first = begun if group.start is None else group.start
        last = group is groups[-1]
        if first is None or (group.days is None and group.end is None and not last):
            return [_any_of(groups)]
        placed.append(_placed(group._replace(start=first), start))
        begun = group.end if group.days is None else shifted(first, group.days)
    return placed


def _any_of(groups: Sequence[Dosed]) -> Dosed:
    values = [each.value if each.value is not None else _ANY for each in groups]
    high = sum(value.high for value in values)
    return Dosed(Interval(min(value.low for value in values), high, False, high == inf))
