"""Rewrites of a resource that change no meaning, as real systems write the same thing differently.

Each returns whether it could be done. None may change what must come of the record: that is what they are for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.demo.disguises.drugs import DRUGS
from precaution.demo.disguises.results import RESULTS
from precaution.demo.disguises.times import TIMES
from precaution.demo.disguises.whole import WHOLE
from precaution.demo.disguises.wording import WORDING

if TYPE_CHECKING:
    from precaution.demo.disguises.kit import Disguise, Kit
    from precaution.demo.pieces import Piece

DISGUISES: tuple[Disguise, ...] = (*DRUGS, *RESULTS, *WORDING, *TIMES)
"""In this order: the form of a drug, then its value, codes and days."""


def disguised(pieces: list[Piece], kit: Kit) -> list[str]:
    """Disguise the pieces of a patient in place; return the names of what was done."""
    done: set[str] = set()
    for piece in pieces:
        if piece.line.plain or piece.kind == "Patient":
            continue
        done.update(each.name for each in DISGUISES if kit.rng.random() < each.chance and each.apply(piece, kit))
    done.update(name for name, apply in WHOLE.items() if apply(pieces, kit))
    return sorted(done)
