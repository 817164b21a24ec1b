"""Disguises of results: unit and number together, as text, with another final status, in a report."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from precaution.demo.disguises.kit import Disguise, Kit, quantity

if TYPE_CHECKING:
    from precaution.demo.resources import DemoResource

_SHORT = re.compile(r"\d{1,8}(?:\.\d{1,8})?")
_FINAL = ("amended", "corrected", "appended")
_EARLY = "2001-01-01T00:00:00Z"
_LATE = "2001-01-02T00:00:00Z"


def _concept(item: DemoResource) -> str:
    return item.line.text.split()[1]


def _other_unit(item: DemoResource, kit: Kit) -> bool:
    """Write number and unit otherwise, and those of the normal range with them."""
    found = quantity(item.resource)
    spellings = kit.recipes.units.get(str(found["unit"]), {}) if found else {}
    if not found or not spellings or found.get("code") != found["unit"]:
        return False
    spelling = kit.rng.choice(list(spellings))
    for each in (found, *_limits(item)):
        each["value"] = scaled(each["value"], spellings[spelling])
        each.update(unit=spelling, code=spelling)
    return True


def _limits(item: DemoResource) -> list[dict[str, object]]:
    ranges = item.resource.get("referenceRange")
    return [each["high"] for each in ranges] if isinstance(ranges, list) else []


def scaled(value: object, factor: float) -> float | int:
    """Return a number times a factor, exactly as decimals have it: 0.99 × 1000 is 990."""
    product = Decimal(str(value)) * Decimal(str(factor))
    return int(product) if product == product.to_integral_value() else float(product)


def _other_code(item: DemoResource, kit: Kit) -> bool:
    """Give the code that another laboratory or pharmacy uses."""
    codes = () if item.line.spoil else kit.recipes.codes.get(_concept(item), ())
    for key in ("code", "medicationCodeableConcept"):
        concept = item.resource.get(key)
        if codes and isinstance(concept, dict) and "coding" in concept:
            concept["coding"] = [dict(kit.rng.choice(codes))]
            return True
    return False


def _unit_alone(item: DemoResource, kit: Kit) -> bool:
    """Say the unit only as text, or only as a code."""
    found = quantity(item.resource)
    if not found:
        return False
    for key in ("code", "system") if kit.rng.random() < 0.5 else ("unit",):
        found.pop(key, None)
    return True


def _as_text(item: DemoResource, kit: Kit) -> bool:
    """Write the number, its comparator and its unit as one text."""
    found = quantity(item.resource)
    if not found or not _SHORT.fullmatch(str(found["value"])):
        return False
    del item.resource["valueQuantity"]
    blank = kit.rng.choice((" ", "  "))
    item.resource["valueString"] = f"{found.get('comparator', '')}{found['value']}{blank}{found['unit']}"
    return True


def _long_decimals(item: DemoResource, kit: Kit) -> bool:
    """Give the number sixteen decimals that do not move it across a limit with two."""
    found = quantity(item.resource)
    if not found or "comparator" in found:
        return False
    value = float(str(found["value"]))
    if value <= 0 or round(value, 1) == value:
        return False
    found["value"] = value + kit.rng.choice((1e-9, 3e-10)) * value
    return True


def _corrected(item: DemoResource, kit: Kit) -> bool:
    if item.kind != "Observation" or item.resource.get("status") != "final":
        return False
    item.resource["status"] = kit.rng.choice(_FINAL)
    return True


def _older_version(item: DemoResource, kit: Kit) -> bool:
    """Leave an older version of the same resource beside it, which said something else."""
    if not kit.bundled or item.kind != "Observation" or "valueQuantity" not in item.resource:
        return False
    item.resource["meta"] = {"versionId": "2", "lastUpdated": _LATE}
    older = item.resource | {"meta": {"versionId": "1", "lastUpdated": _EARLY}, "valueQuantity": {"value": 0}}
    item.more.append(older)
    return True


def _in_report(item: DemoResource, kit: Kit) -> bool:
    """Let a report say the day, which the result itself does not say."""
    day = item.resource.get("effectiveDateTime")
    if item.kind != "Observation" or day is None or item.more:
        return False
    del item.resource["effectiveDateTime"]
    subject = item.resource["subject"]
    result = {"reference": f"Observation/{item.resource['id']}"}
    report = {
        "resourceType": "DiagnosticReport",
        "id": f"{item.resource['id']}-report",
        "status": "final",
        "code": {"text": "Report"},
        "subject": subject,
        "effectiveDateTime": day,
    }
    if kit.rng.random() < 0.5:
        item.more.append({**report, "result": [result]})
        return True
    inner = {name: value for name, value in item.resource.items() if name != "subject"} | {"id": "r1"}
    whole = {**report, "contained": [inner], "result": [{"reference": "#r1"}]}
    item.resource.clear()
    item.resource.update(whole)
    return True


def _issued(item: DemoResource, kit: Kit) -> bool:
    """Say when it was issued, on its own day."""
    day = item.resource.get("effectiveDateTime")
    if item.kind != "Observation" or not isinstance(day, str) or len(day) != len("2025-01-01"):
        return False
    item.resource["issued"] = f"{day}T{kit.rng.randint(10, 20)}:00:00.000Z"
    return True


RESULTS = (
    Disguise("other-code", 0.5, _other_code),
    Disguise("other-unit", 0.6, _other_unit),
    Disguise("long-decimals", 0.05, _long_decimals),
    Disguise("unit-alone", 0.15, _unit_alone),
    Disguise("number-as-text", 0.04, _as_text),
    Disguise("corrected", 0.15, _corrected),
    Disguise("issued", 0.2, _issued),
    Disguise("older-version", 0.05, _older_version),
    Disguise("dated-by-report", 0.08, _in_report),
)
