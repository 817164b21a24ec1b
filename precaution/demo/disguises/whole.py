"""Disguises of a whole record: results of one day as parts of a panel, and any order."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from precaution.cases.lines import Resource
    from precaution.demo.disguises.kit import Kit
    from precaution.demo.resources import DemoResource

_PANELS = 0.9
"""How often the results of a day become a panel."""
_OF_A_PART = ("code", "valueQuantity", "valueCodeableConcept", "valueString", "referenceRange", "dataAbsentReason")
_OF_THE_WHOLE = ("resourceType", "status", "subject", "effectiveDateTime")


def _panels(items: list[DemoResource], kit: Kit) -> bool:
    """Make components of results of the same moment, status and form, which say nothing else of their own."""
    fitting = [item for item in items if _fits(item)]
    done = False
    for _, group in groupby(sorted(fitting, key=_moment), key=_moment):
        parts = list(group)
        if len(parts) < 2 or kit.rng.random() >= _PANELS:
            continue
        _merge(parts, items, kit)
        done = True
    return done


def _fits(item: DemoResource) -> bool:
    known = {*_OF_A_PART, *_OF_THE_WHOLE, "id"}
    return item.kind == "Observation" and not item.line.plain and not item.more and known >= item.resource.keys()


def _moment(item: DemoResource) -> tuple[str, str, str]:
    keys = ("effectiveDateTime", "status", "subject")
    return tuple(str(item.resource.get(key, "")) for key in keys)  # type: ignore[return-value]


def _merge(parts: list[DemoResource], items: list[DemoResource], kit: Kit) -> None:
    first, *rest = parts
    components = [{key: each.resource[key] for key in _OF_A_PART if key in each.resource} for each in parts]
    whole: Resource = {key: first.resource[key] for key in (*_OF_THE_WHOLE, "id") if key in first.resource}
    whole |= {"code": {"coding": [dict(kit.recipes.panel)]}, "component": components}
    first.resource.clear()
    first.resource.update(whole)
    for each in rest:
        items.remove(each)


def _any_order(items: list[DemoResource], kit: Kit) -> bool:
    kit.rng.shuffle(items)
    return True


WHOLE: Mapping[str, Callable[[list[DemoResource], Kit], bool]] = {
    "panel": _panels,
    "any-order": _any_order,
}
