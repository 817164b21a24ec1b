"""Rewrites resources without a change of meaning, as real systems write the same thing differently.

Each disguise returns whether it could be done. None may change what must come of the record: that is what they are for.
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
    from precaution.demo.resources import DemoResource

DISGUISES: tuple[Disguise, ...] = (*DRUGS, *RESULTS, *WORDING, *TIMES)
"""All disguises of one resource, in the order in which they are tried: form, value, codes, days."""


def disguise(items: list[DemoResource], kit: Kit) -> list[str]:
    """Disguise the resources of a patient in place, and return the names of the disguises that were used, sorted."""
    done: set[str] = set()
    for item in items:
        if item.line.plain or item.kind == "Patient":
            continue
        done.update(each.name for each in DISGUISES if kit.rng.random() < each.chance and each.apply(item, kit))
    done.update(name for name, apply in WHOLE.items() if apply(items, kit))
    return sorted(done)
