"""Orders that are being written, in whatever resource a client puts them -> MedicationRequests and ServiceRequests.

The readers know two kinds of orders. What else a client may send as a draft (a dispense, a plan, an immunization, a
resource that contains orders) comes out as these, so that no drug or vaccine is passed over for the shape it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.readers.json_access import Json, child, children, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ORDERS = frozenset({"MedicationRequest", "ServiceRequest"})
MEANT = frozenset({"Medication", "Substance"})
"""What orders refer to."""
OVER = frozenset(
    {"entered-in-error", "cancelled", "stopped", "completed", "revoked", "not-done", "not-taken", "declined"}
)
"""States in which something is no order any more."""
_FORMS = ("medicationCodeableConcept", "medicationReference")


def orders_in(resource: Json) -> Iterator[Json]:
    """Yield the orders that a draft is or holds, and the medications that they refer to."""
    kind = text(resource, "resourceType")
    if kind in MEANT or kind == "ServiceRequest":
        yield resource
    elif kind == "MedicationRequest":
        yield from _each_form(resource)
    else:
        yield from _SAID.get(kind, _nothing)(resource)
        yield from _contained(resource)


def with_medications(drafts: Sequence[Json], by_url: Mapping[str, Json]) -> list[Json]:
    """Return drafts, each with the medication in it that it refers to by its `fullUrl`."""
    return [_containing(draft, by_url) for draft in drafts]


def in_words(order: Json) -> Json | None:
    """Return an order of a medication with its words alone, for its code may be that of another; None without words."""
    concept = child(order, _FORMS[0])
    codings = [each for each in children(concept, "coding") if text(each, "code")]
    words = [text(concept, "text"), *(text(each, "display") for each in codings)]
    said = "; ".join(dict.fromkeys(filter(None, words)))
    return {**order, _FORMS[0]: {"text": said}} if codings and said else None


def _containing(draft: Json, by_url: Mapping[str, Json]) -> Json:
    meant = by_url.get(text(child(draft, "medicationReference"), "reference"))
    if meant is None or text(meant, "resourceType") not in MEANT:
        return draft
    name = "sent-along"
    contained = [*children(draft, "contained"), {**meant, "id": name}]
    return {**draft, "contained": contained, "medicationReference": {"reference": f"#{name}"}}


def _each_form(order: Json) -> Iterator[Json]:
    """Yield an order once for each form in which it names its medication: they may name two."""
    forms = [key for key in _FORMS if order.get(key) is not None]
    if len(forms) < 2:
        yield order
        return
    for key in forms:
        yield {name: value for name, value in order.items() if name not in forms or name == key}


def _contained(holder: Json) -> Iterator[Json]:
    """Yield the orders that a resource contains, each with the medications that stand beside it there."""
    inside = children(holder, "contained")
    beside = [each for each in inside if text(each, "resourceType") in MEANT]
    for inner in inside:
        if text(inner, "resourceType") not in MEANT:
            yield from orders_in({**inner, "contained": beside})


def _nothing(_: Json) -> Iterator[Json]:
    return iter(())


def _taken(resource: Json) -> Iterator[Json]:
    """A statement, a dispense or an administration that is being written orders its medication."""
    kept = {key: resource[key] for key in (*_FORMS, "contained") if resource.get(key) is not None}
    yield from _each_form({"resourceType": "MedicationRequest", **_status(resource), "intent": "order", **kept})


def _administered(resource: Json) -> Iterator[Json]:
    yield {**_medication(resource.get("vaccineCode")), **_status(resource)}


def _recommended(resource: Json) -> Iterator[Json]:
    for each in children(resource, "recommendation"):
        for code in children(each, "vaccineCode"):
            yield _medication(code)


def _supplied(resource: Json) -> Iterator[Json]:
    if isinstance(resource.get("itemReference"), dict):
        yield _referring(resource["itemReference"], resource)
    elif resource.get("itemCodeableConcept") is not None:
        yield {**_service(resource["itemCodeableConcept"]), **_status(resource)}


def _planned(resource: Json) -> Iterator[Json]:
    for activity in children(resource, "activity"):
        detail = child(activity, "detail")
        if isinstance(detail.get("productReference"), dict):
            yield _referring(detail["productReference"], resource)
        product = detail.get("productCodeableConcept")
        if product is not None:
            drug = text(detail, "kind") == "MedicationRequest"
            yield _medication(product) if drug else _service(product)
        if detail.get("code") is not None:
            yield _service(detail["code"])


def _medication(code: object) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": code,
    }


def _service(code: object) -> Json:
    return {"resourceType": "ServiceRequest", "status": "draft", "intent": "order", "code": code}


def _referring(reference: object, holder: Json) -> Json:
    order = {key: value for key, value in _medication(None).items() if value is not None}
    contained = {"contained": holder["contained"]} if "contained" in holder else {}
    return {**order, **_status(holder), **contained, "medicationReference": reference}


def _status(resource: Json) -> Json:
    status = text(resource, "status")
    return {"status": status if status in OVER - {"completed"} else "draft"}


_SAID: Mapping[str, Callable[[Json], Iterator[Json]]] = {
    "MedicationStatement": _taken,
    "MedicationDispense": _taken,
    "MedicationAdministration": _taken,
    "Immunization": _administered,
    "ImmunizationRecommendation": _recommended,
    "SupplyRequest": _supplied,
    "CarePlan": _planned,
}
"""What resources of other types order."""
