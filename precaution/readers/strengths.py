"""How much of a drug is in what a dosage counts: masses in mg, and what one tablet or one mL holds.

The strength is what the Medication says of itself; else what the label's folder says of its code. A dose in a unit that
is no mass, and of which no strength is known, is not known.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from precaution.knowledge.strengths import MASSES, Strength, strength_of
from precaution.readers.json_access import Json, child, children, choice, number, text
from precaution.values.interval import Interval, above, below, exactly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from precaution.knowledge.terminology import Concept

_VOLUMES = {**dict.fromkeys(("ml", "milliliter", "millilitre", "cm3", "cc"), 1.0), "l": 1000.0}
_PIECES = re.compile(
    r"\{?(tbl|tab|tabs|tablets?|tablettes?|tabletten?|caps?|capsules?|kapseln?|pieces?|stk|st|1|)\}?s?"
)
"""What is counted, as dosages write it; a number without a unit counts what is dispensed."""
_PIECE_CODES = frozenset(
    {"732936001", "732937005", "15054000", "428673006", "385055001", "TAB", "CAP", "ORTAB", "ORCAP"}
)
"""Codes of tablets and capsules: SNOMED CT's units of presentation and forms, HL7's orderable forms."""
_COMPARED: Mapping[str, Callable[[float], Interval]] = {
    "": exactly,
    "<": below,
    "<=": lambda limit: below(limit, inclusive=True),
    ">": above,
    ">=": lambda limit: above(limit, inclusive=True),
}


UNKNOWN = Strength()


def known_strength(concept: Concept, codes: Iterable[tuple[str, str]]) -> Strength:
    """Return the strength of the first code that the label's folder knows one of."""
    for system, code in codes:
        if written := concept.strengths.get(f"{system} {code}"):
            return strength_of(written) or UNKNOWN
    return UNKNOWN


def told_strength(medication: Json) -> Strength:
    """Return the strength that a Medication of one ingredient says of itself."""
    ingredients = children(medication, "ingredient")
    if len(ingredients) != 1:
        return UNKNOWN
    ratio = child(ingredients[0], "strength") or child(ingredients[0], "strengthRatio")
    mass = _mass(child(ratio, "numerator"))
    per = child(ratio, "denominator")
    many = number(per.get("value"), "Medication", "strength.denominator.value") if per else 1.0
    if mass is None or not many or many < 0:
        return UNKNOWN
    if (volume := _VOLUMES.get(_unit(per))) is not None:
        return Strength(ml=mass / (many * volume))
    return Strength(piece=mass / many) if _is_piece(per) else UNKNOWN


def milligrams(quantity: Json, strength: Strength) -> Interval | None:
    """Return a quantity in mg; None where it can't be told. A number below 0 is none."""
    factor = _factor(quantity, strength)
    value = number(quantity.get("value"), "a medication", "a dose")
    compared = _COMPARED.get(text(quantity, "comparator"))
    if factor is None or value is None or compared is None or value < 0:
        return None
    found = compared(value * factor)
    return Interval(max(found.low, 0.0), found.high, False, found.high_open)


def _factor(quantity: Json, strength: Strength) -> float | None:
    unit = _unit(quantity)
    if unit in MASSES:
        return MASSES[unit]
    if unit in _VOLUMES:
        return None if strength.ml is None else strength.ml * _VOLUMES[unit]
    return strength.piece if _is_piece(quantity) else None


def _mass(quantity: Json) -> float | None:
    value = number(quantity.get("value"), "Medication", "strength.numerator.value")
    factor = MASSES.get(_unit(quantity))
    return None if value is None or factor is None or value <= 0 or "comparator" in quantity else value * factor


def _is_piece(quantity: Json) -> bool:
    code = text(quantity, "code")
    return code in _PIECE_CODES or _PIECES.fullmatch((text(quantity, "unit") or code).lower()) is not None


def _unit(quantity: Json) -> str:
    """Return the unit in small letters: the code, or where that is no unit of ours the text."""
    code, unit = text(quantity, "code").lower(), text(quantity, "unit").lower()
    return code if code in MASSES or code in _VOLUMES or not unit else unit


def dose_key(holder: Json) -> str:
    """Return the key of a dose (`doseQuantity`, `doseRange`), or nothing."""
    return choice(holder, "dose")
