"""Write precaution/readers/units.csv: exact factors between UCUM units, computed by pint and ucumvert.

    python tools/make_units.py            writes the table
    python tools/make_units.py --check    exit code 1 where the table is not what the library computes

A factor is kept as two whole numbers, multiply and divide, so that powers of ten stay exact: 80 g/L is 80 / 10.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from pint import DimensionalityError
from ucumvert import PintUcumRegistry  # type: ignore[import-untyped]

TABLE = Path(__file__).parent.parent / "precaution" / "readers" / "units.csv"
HEAD = "unit,to,multiply,divide"
LITRES = ("L", "dL", "mL", "uL", "nL", "l", "dl", "ml", "ul", "nl")


class Factor(NamedTuple):
    """A value in `unit`, times `multiply`, over `divide`, is the value in `to`."""

    unit: str
    to: str
    multiply: int
    divide: int


def candidates() -> dict[str, list[str]]:
    """Return target unit -> UCUM units that laboratories use for the same kind of quantity."""
    powers = ["", "10*2", "10*3", "10*6", "10*9", "10*12", "10^3", "10^6", "10^9", "10^12"]
    grams = ["g", "mg", "ug", "ng", "kg"]
    units = ["U", "mU", "kU", "kat", "mkat", "ukat", "nkat", "umol/min", "nmol/min"]
    arbitrary = [f"{prefix}[{name}]" for name, prefix in product(["IU", "iU"], ["", "m", "u", "k"])]
    return {
        "10*9/L": per(powers, (*LITRES, "mm3", "cm3", "pL", "fL")),
        "g/dL": per(grams, LITRES),
        "mg/dL": per(grams, LITRES),
        "U/L": per(units, LITRES),
        "[IU]/mL": per(arbitrary, LITRES),
        "m[IU]/mL": per(arbitrary, LITRES),
        "%": ["%"],
        "mm": ["mm", "cm", "um"],
        "d": ["d", "wk"],
        "1": ["1"],
    }


def per(amounts: list[str], volumes: tuple[str, ...]) -> list[str]:
    """Return every amount over every volume."""
    return [f"{amount}/{volume}" for amount, volume in product(amounts, volumes)]


def factors() -> list[Factor]:
    """Return every factor that the library can compute, sorted."""
    registry = PintUcumRegistry()
    found = [whole(unit, to, ratio(registry, unit, to)) for to, listed in candidates().items() for unit in listed]
    return sorted(found, key=lambda factor: (factor.to, factor.unit))


def ratio(registry: Any, unit: str, to: str) -> float:
    """Return how many `to` one `unit` is; raises where the library can't tell."""
    try:
        quantity = 1 * registry.from_ucum(unit) / (1 * registry.from_ucum(to))
        return float(quantity.to("dimensionless").magnitude)
    except DimensionalityError as error:
        raise SystemExit(f"{unit} is no {to}: {error}") from None


def whole(unit: str, to: str, value: float) -> Factor:
    """Return `value` as two whole numbers; it is decimal but for the noise of binary fractions."""
    exact = Fraction(f"{value:.12g}")
    return Factor(unit, to, exact.numerator, exact.denominator)


def table() -> str:
    """Return the text of units.csv."""
    return "\n".join([HEAD, *(",".join(map(str, factor)) for factor in factors())]) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        current = TABLE.read_text(encoding="utf-8") == table()
        sys.exit(0 if current else "units.csv is stale: run python tools/make_units.py")
    TABLE.write_text(table(), encoding="utf-8")
