"""How much of a drug one tablet, capsule or mL holds, as a label's folder writes it."""

from __future__ import annotations

import re
from typing import NamedTuple

MASSES = {
    **dict.fromkeys(("mg", "milligram", "milligrams"), 1.0),
    **dict.fromkeys(("g", "gram", "grams"), 1000.0),
    **dict.fromkeys(("ug", "mcg", "µg", "μg", "microgram", "micrograms"), 0.001),
}
"""Units of mass in mg."""
_WRITTEN = re.compile(r"([0-9.]+) ?(mg|g|ug)(?: ?/ ?([0-9.]*) ?(mL|ml))?")
"""A strength of a label's folder: `2.5 mg` in one piece, `25 mg/mL`, `15 mg/5 mL`."""


class Strength(NamedTuple):
    """How many mg one piece (a tablet, a capsule) or one mL holds; None where that is not known."""

    piece: float | None = None
    ml: float | None = None


def strength_of(written: str) -> Strength | None:
    """Return the strength that a label's folder writes; None where it can't be read."""
    match = _WRITTEN.fullmatch(written.strip())
    if match is None or match[1].count(".") > 1 or match[1] == ".":
        return None
    mass = float(match[1]) * MASSES[match[2]]
    volume = float(match[3] or 1) if match[4] else 0.0
    return Strength(ml=mass / volume) if volume else None if match[4] else Strength(piece=mass)
