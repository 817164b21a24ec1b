"""Disguises of drugs: an order or a supply instead of a statement, and a reference to a Medication."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from precaution.demo.disguises.kit import Disguise, Kit

if TYPE_CHECKING:
    from precaution.cases.lines import Resource
    from precaution.demo.resources import DemoResource

_KEPT = ("id", "subject", "medicationCodeableConcept")
_ORDERED = ("active", "on-hold", "stopped", "completed")


def _period(resource: Resource) -> tuple[str, str]:
    period = resource.get("effectivePeriod")
    found = period if isinstance(period, dict) else {}
    return str(found.get("start", "")), str(found.get("end", ""))


def _become(item: DemoResource, kind: str, **members: object) -> None:
    """Make a resource of the type `kind` of a statement; it keeps the id, the patient and the drug."""
    kept: Resource = {"resourceType": kind}
    kept |= {key: value for key, value in item.resource.items() if key in _KEPT}
    item.resource.clear()
    item.resource.update(kept | members)


def _as_order(item: DemoResource, kit: Kit) -> bool:
    start, end = _period(item.resource)
    status = item.resource.get("status")
    if item.kind != "MedicationStatement" or status not in _ORDERED or not start:
        return False
    members: dict[str, object] = {
        "status": status,
        "intent": kit.rng.choice(("order", "instance-order")),
        "authoredOn": start,
    }
    if end:
        bounds = {"repeat": {"boundsPeriod": {"start": start, "end": end}}}
        members["dosageInstruction"] = [{"text": "as prescribed", "timing": bounds}]
    _become(item, "MedicationRequest", **members)
    return True


def _as_supply(item: DemoResource, _: Kit) -> bool:
    """Write a period of treatment as a dispense, which lasts from the day it was handed over until it runs out."""
    start, end = _period(item.resource)
    if item.kind != "MedicationStatement" or item.resource.get("status") != "active" or not (start and end):
        return False
    if len(start) != len("2025-01-01") or len(end) != len(start):
        return False
    days = (date.fromisoformat(end) - date.fromisoformat(start)).days
    unit = {"unit": "days", "system": "http://unitsofmeasure.org", "code": "d"}
    if days < 1:
        return False
    _become(item, "MedicationDispense", status="completed", whenHandedOver=start, daysSupply={"value": days, **unit})
    return True


def _by_reference(item: DemoResource, kit: Kit) -> bool:
    """Name the drug in a Medication of its own, or in one that is contained."""
    drug = item.resource.get("medicationCodeableConcept")
    if not isinstance(drug, dict) or "coding" not in drug:
        return False
    del item.resource["medicationCodeableConcept"]
    if kit.rng.random() < 0.5:
        item.resource["contained"] = [{"resourceType": "Medication", "id": "m1", "code": drug}]
        item.resource["medicationReference"] = {"reference": "#m1"}
        return True
    ident = f"{item.resource['id']}-drug"
    item.more.append({"resourceType": "Medication", "id": ident, "code": drug})
    item.resource["medicationReference"] = {"reference": f"Medication/{ident}", "display": "see there"}
    return True


DRUGS = (
    Disguise("drug-as-supply", 0.3, _as_supply),
    Disguise("drug-as-order", 0.5, _as_order),
    Disguise("drug-by-reference", 0.25, _by_reference),
)
