"""Converts values to the unit of a concept: UCUM units by a table of factors, other spellings by aliases.

The factors (units.csv) are computed by a UCUM library, see tools/make_units.py; the spellings of units that are
not UCUM (unit_aliases.csv) were collected from real records. A unit that neither knows, or none, gives no value:
80 may be g/L or nonsense. UCUM tells capitals apart (`g/L` is gram, `G/L` is not), so do we.
"""

from __future__ import annotations

import csv
from functools import cache, lru_cache
from importlib.resources import files
from math import inf, isfinite
from typing import TYPE_CHECKING, NamedTuple

from precaution.errors import KnowledgeError
from precaution.values.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.knowledge.terminology import Concept

_MICRO = str.maketrans({"µ": "u", "μ": "u"})
"""The micro sign and the Greek letter; UCUM writes `u`."""


class _Spelling(NamedTuple):
    """The UCUM unit that another spelling stands for."""

    ucum: str
    log10: bool
    """Whether the number is the decimal logarithm of the value."""


def converted(value: Interval, unit: str, concept: Concept) -> Interval | None:
    """Return `value`, given in `unit`, in the concept's unit.

    None where the unit is missing, unknown or of another kind of quantity. Open ends stay open.
    """
    if unit == concept.unit and unit:
        return value
    found = factor(unit, concept)
    if found is None:
        return None
    linear = _power(value) if _meant(unit, concept.unit).log10 else value
    if linear is None:
        return None
    multiply, divide = found
    return Interval(linear.low * multiply / divide, linear.high * multiply / divide, linear.low_open, linear.high_open)


def factor(unit: str, concept: Concept) -> tuple[float, float] | None:
    """Return by what a value in `unit` is multiplied, and then divided, to have it in the concept's unit.

    None where it can't be told. The division keeps powers of ten exact. Raises KnowledgeError for a factor
    of the concept's own table that is not a positive number.
    """
    if concept.factors and (own := concept.factors.get(_meant(unit, concept.unit).ucum)) is not None:
        if not (isfinite(own) and own > 0):
            raise KnowledgeError(f"[concept.{concept.name}] factors: {own} must be a number above 0")
        return own, 1.0
    return _factor(unit, concept.unit)


def of_one_quantity(unit: str, concept: Concept) -> bool:
    """Whether `unit` measures the same quantity as the concept's, without a factor of the concept's own substance."""
    return _factor(unit, concept.unit) is not None


@lru_cache(maxsize=1024)
def display_unit(unit: str) -> str:
    """Return the UCUM spelling of `unit` for display; empty where it is unknown or means several things.

    A logarithm has none: its number is not in that unit.
    """
    spelled = _tidy(unit)
    meant = {"" if spelling.log10 else spelling.ucum for (text, _), spelling in _spellings().items() if text == spelled}
    known = {spelled} & _units()
    return next(iter(meant | known)) if len(meant | known) == 1 else ""


@lru_cache(maxsize=4096)
def _factor(unit: str, to: str) -> tuple[float, float] | None:
    return _factors().get((_meant(unit, to).ucum, to))


@lru_cache(maxsize=4096)
def _meant(unit: str, to: str) -> _Spelling:
    """Return the UCUM unit that `unit` stands for where `to` is expected: `G/L` is 10*9/L of cells, and no mass."""
    spelled, known = _tidy(unit), _spellings()
    return known.get((spelled, to)) or known.get((spelled, "")) or _Spelling(spelled, log10=False)


def _tidy(unit: str) -> str:
    return " ".join(unit.translate(_MICRO).split())


def _power(value: Interval) -> Interval | None:
    """Return ten to the power of `value`; None where that is beyond any number."""
    try:
        high = inf if value.high == inf else 10.0**value.high
    except OverflowError:
        return None
    return Interval(10.0**value.low, high, value.low_open, value.high_open)


@cache
def _factors() -> dict[tuple[str, str], tuple[float, float]]:
    return {(row["unit"], row["to"]): (float(row["multiply"]), float(row["divide"])) for row in _table("units.csv")}


@cache
def _spellings() -> dict[tuple[str, str], _Spelling]:
    return {
        (_tidy(row["spelling"]), row["only_for"]): _Spelling(row["ucum"], row["scale"] == "log10")
        for row in _table("unit_aliases.csv")
    }


@cache
def _units() -> frozenset[str]:
    return frozenset(unit for pair in _factors() for unit in pair)


def _table(name: str) -> Iterator[dict[str, str]]:
    yield from csv.DictReader((files("precaution.readers") / name).read_text(encoding="utf-8").splitlines())
