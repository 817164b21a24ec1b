"""The number of a result in its concept's unit, and the upper limit of its reference range.

A number counts only with a unit that can be converted and within what the label's folder calls plausible;
otherwise there is no value, and the note says why.
"""

from __future__ import annotations

import re
from math import inf, isclose
from typing import TYPE_CHECKING, NamedTuple

from precaution.readers.json_access import Json, child, children, choice, coded, number, text
from precaution.readers.units import converted, display_unit
from precaution.values.interval import Interval, above, below, exactly, show_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from precaution.knowledge.terminology import Concept

_COMPARATORS: dict[str, Callable[[float], Interval]] = {
    "": exactly,
    "<": below,
    "<=": lambda limit: below(limit, inclusive=True),
    "≤": lambda limit: below(limit, inclusive=True),
    ">": above,
    ">=": lambda limit: above(limit, inclusive=True),
    "≥": lambda limit: above(limit, inclusive=True),
}
_NUMBER_AS_TEXT = re.compile(
    r"(<=|>=|[<>≤≥]?)\s*([0-9]{1,12})(?:([.,])([0-9]{1,12}))?(?:[eE]([+-]?[0-9]{1,2}))?"
    r"(?:\s+(\S.*)|([^\s0-9.,].*))?"
)
"""A number as text: comparator, whole, mark, fraction, exponent, and a unit that can't be taken for more digits."""
_UCUM = ("http://unitsofmeasure.org", "https://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8")
_UCUM_OR_UNSAID = ("", *_UCUM)
_LARGE = 1e15
_DIMENSIONLESS = re.compile(r"1?|\{[^{}]*\}")


class Amount(NamedTuple):
    """A number as far as it can be used: its value in the concept's unit and its text, or a note why it has none."""

    value: Interval | None = None
    says: str = ""
    note: str = ""


def amount(holder: Json, concept: Concept, source: str) -> Amount:
    """Return the number that an Observation or a component holds; empty where it holds none.

    Raises InputError where the number is not finite.
    """
    if "valueQuantity" in holder:
        return _quantity(child(holder, "valueQuantity"), concept, source)
    key = choice(holder, "value")
    if key in ("valueString", "valueInteger"):
        return _written_number(holder[key], concept, source)
    if key == "valueRange":
        return _range(child(holder, key), concept, source)
    return Amount(note="a ratio is not a value") if key == "valueRatio" else Amount()


def _quantity(quantity: Json, concept: Concept, source: str) -> Amount:
    if (expected := _as_expected(quantity, concept)) is not None:
        return expected
    value = number(quantity.get("value"), source, "valueQuantity.value")
    compared = _COMPARATORS.get(text(quantity, "comparator") or "?") if "comparator" in quantity else exactly
    if value is None:
        return Amount(note="the value is not a number")
    if compared is None:
        return Amount(note="the comparator is not one of < <= >= >")
    return usable(compared(value), unit_spellings(quantity), concept)


def _as_expected(quantity: Json, concept: Concept) -> Amount | None:
    """Return a number that is already in the concept's unit, as most are; None for any other quantity."""
    value, unit = quantity.get("value"), concept.unit
    if type(value) is not float and type(value) is not int:
        return None
    if not unit or quantity.get("code") != unit or quantity.get("unit", unit) != unit or "comparator" in quantity:
        return None
    if quantity.get("system") != _UCUM[0] or not -_LARGE < value < _LARGE:
        return None
    found = Interval(float(value), float(value))
    return _believable(found, f"{found.low:.6g} {unit}", concept)


def _written_number(value: object, concept: Concept, source: str) -> Amount:
    if not isinstance(value, str):
        bare = number(value, source, "valueInteger")
        return Amount(note="the value is not a number") if bare is None else usable(exactly(bare), [], concept)
    match = _NUMBER_AS_TEXT.fullmatch(value.strip())
    if not match:
        return Amount()
    comparator, whole, mark, fraction, exponent, apart, close = match.groups()
    unit = (apart or close or "").strip()
    least = float(f"{whole}.{fraction or 0}e{exponent or 0}")
    if mark == "," and len(fraction) == 3 and len(whole) <= 3:
        return _of_either(least, float(whole + fraction), comparator, unit, concept)
    return usable(_COMPARATORS[comparator](least), [unit] if unit else [], concept)


def _of_either(decimal: float, thousands: float, comparator: str, unit: str, concept: Concept) -> Amount:
    """Return a number whose comma may stand for thousands or for a decimal point: any from the one to the other."""
    note = "the comma may stand for thousands or for a decimal point"
    if comparator or not decimal > 0:
        return Amount(note=note)
    found = usable(Interval(decimal, thousands), [unit] if unit else [], concept)
    return found._replace(note=note) if found.value is not None else found


def _range(value: Json, concept: Concept, source: str) -> Amount:
    ends = [_quantity(child(value, end), concept, source) for end in ("low", "high")]
    values = [end.value for end in ends if end.value is not None]
    if len(values) < 2 or values[0].low > values[1].high:
        return Amount(note=next((end.note for end in ends if end.note), "the range has no two ends"))
    whole = Interval(values[0].low, values[1].high)
    return Amount(whole, f"{show_number(whole)} {concept.unit}".strip())


def unit_spellings(quantity: Json) -> list[str]:
    """Return the spellings of a Quantity's unit: the code first, if it is UCUM's or alone."""
    code, unit = text(quantity, "code"), text(quantity, "unit")
    if code and (text(quantity, "system").rstrip("/") in _UCUM_OR_UNSAID or not unit):
        return [code] if unit in ("", code) else [code, unit]
    return [unit] if unit else []


def usable(value: Interval, spellings: list[str], concept: Concept) -> Amount:
    """Return a number in the concept's unit, or why it can't be used.

    `spellings` are the spellings of its one unit. Where two can be converted they must say the same.
    """
    if not concept.unit:
        plain = all(_DIMENSIONLESS.fullmatch(unit) for unit in spellings)
        return _believable(value, show_number(value), concept) if plain else Amount(note="a unit is not expected here")
    found = [(unit, there) for unit in spellings if (there := converted(value, unit, concept)) is not None]
    if not found:
        return Amount(note=f"unit not convertible to {concept.unit}" if spellings else "no unit")
    unit, there = found[0]
    if len(found) > 1 and not _same(there, found[1][1]):
        return Amount(note="the unit's code and its text disagree")
    return _believable(there, _said(value, there, unit, concept), concept)


def _said(value: Interval, there: Interval, unit: str, concept: Concept) -> str:
    """Return number and unit as given where we know the unit, else as converted: never free text."""
    shown = unit if unit == concept.unit else display_unit(unit)
    if shown == unit:
        return f"{show_number(value)} {unit}"
    again = converted(value, shown, concept) if shown else None
    as_given = again is not None and _same(again, there)
    return f"{show_number(value)} {shown}" if as_given else f"{show_number(there)} {concept.unit}"


def _same(first: Interval, second: Interval) -> bool:
    return all(a == b or isclose(a, b, rel_tol=1e-9) for a, b in ((first.low, second.low), (first.high, second.high)))


def _believable(value: Interval, says: str, concept: Concept) -> Amount:
    if _plausible(value, concept):
        return Amount(value, says)
    return Amount(note=f"implausible for {concept.unit}" if concept.unit else "implausible")


def _plausible(value: Interval, concept: Concept) -> bool:
    """Whether a value can be true: not below 0, and within the concept's limits as far as it has ends."""
    least, most = concept.plausible if len(concept.plausible) == 2 else (0.0, inf)
    if value.low == -inf:
        return 0 < value.high <= most or (value.high == 0 and not value.high_open)
    if value.high == inf:
        return 0 <= value.low <= most
    return value.low >= 0 and least <= value.low and value.high <= most


def upper_limit(holder: Json, concept: Concept, source: str) -> tuple[float | None, str]:
    """Return the upper limit of the normal range in the concept's unit, and a note where it can't be used.

    A range that names no unit is in the unit of the value beside it, as laboratories write it.
    """
    if "referenceRange" not in holder:
        return None, ""
    limits: set[float] = set()
    ranges = [each for each in children(holder, "referenceRange") if _normal(each)]
    for high in [child(each, "high") if "high" in each else _written_high(each) for each in ranges]:
        if high is _NO_LIMIT:
            continue
        value = number(high.get("value"), source, "referenceRange.high.value")
        named = unit_spellings(high) or unit_spellings(child(holder, "valueQuantity"))
        found = [
            there
            for unit in named
            if value is not None and (there := converted(exactly(value), unit, concept)) is not None
        ]
        if not concept.unit and value is not None and not named:
            found = [exactly(value)]
        if (
            not found
            or not found[0].low > 0
            or found[0].low == inf
            or "comparator" in high
            or not _same(found[0], found[-1])
        ):
            return None, "the reference range can't be used"
        limits.add(found[0].low)
    if len(limits) > 1:
        return None, "several reference ranges"
    return (limits.pop(), "") if limits else (None, "")


_FIGURE = r"[0-9]{1,6}(?:[.,][0-9]{1,4})?"
_RANGE = re.compile(
    rf"(?:[<≤]=?|(?:up )?to|{_FIGURE}\s*(?:-|–|to|bis))\s*({_FIGURE})(?:\s+(\S.*)|([^\s0-9.,].*))?",
    re.IGNORECASE,
)
"""A reference range as laboratories write it: `10-35 U/L`, `< 35`, `up to 40 U/L`."""
_NO_LIMIT: Json = {}


def _written_high(each: Json) -> Json:
    """Return the upper end of a range that is given as text only; an empty one where it can't be read."""
    match = _RANGE.fullmatch(text(each, "text"))
    if match is None or "low" in each:
        return _NO_LIMIT
    unit = (match[2] or match[3] or "").strip()
    return {"value": float(match[1].replace(",", ".")), **({"unit": unit} if unit else {})}


def _normal(each: Json) -> bool:
    """Whether a reference range is the normal one (not a therapeutic or critical one)."""
    kind = each.get("type")
    return kind is None or "normal" in {code for _, code in coded(child(each, "type"))}
