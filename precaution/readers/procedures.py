"""Procedure, Immunization and ServiceRequest -> entries of kinds `procedure`, `immunization` and `order`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.readers.concept_matches import matched_concepts
from precaution.readers.dates import day_at, read_dates
from precaution.readers.json_access import child, text
from precaution.readers.lists import note_list
from precaution.values.record import Entry, Status

if TYPE_CHECKING:
    from precaution.readers.concept_matches import CodedKind
    from precaution.readers.record_builder import PatientResource, RecordBuilder

_DONE = {"procedure": ("completed", "in-progress"), "immunization": ("completed",)}
_ORDER_OVER = frozenset({"completed", "revoked", "entered-in-error"})


def read_procedure(builder: RecordBuilder, item: PatientResource) -> None:
    """Add the entries of a Procedure; one of unclear status may not have been done."""
    _read_act(builder, item, "procedure", "code", "performed")


def read_immunization(builder: RecordBuilder, item: PatientResource) -> None:
    """Add the entries of an Immunization."""
    _read_act(builder, item, "immunization", "vaccineCode", "occurrence")


def _read_act(builder: RecordBuilder, item: PatientResource, kind: CodedKind, code: str, stem: str) -> None:
    resource, source = item.resource, item.source
    status = text(resource, "status")
    if status == "entered-in-error":
        return builder.ignore(source, status)
    if not note_list(builder, kind, child(resource, code)):
        return None
    if status == "not-done":
        return builder.ignore(source, status)
    found = matched_concepts(builder, item, kind, [child(resource, code)])
    if not found:
        return None
    done: Status = "final" if status in _DONE[kind] else "unknown"
    at = read_dates(resource, stem, builder.birth)
    subpotent = "subpotent dose" if resource.get("isSubpotent") is True else ""
    for match in found:
        note = "; ".join(filter(None, (match.note, at.note, subpotent)))
        builder.add(
            Entry(
                match.concept,
                kind,
                source,
                at.start,
                at.end,
                done,
                match.certainty(),
                says="done" if done == "final" else "not known to be done",
                note=note,
                recorded=day_at(resource, "recorded"),
            ),
            item,
        )
    return None


def read_service_request(builder: RecordBuilder, item: PatientResource) -> None:
    """Add the entries of a ServiceRequest that still stands: something is ordered or planned."""
    resource, source = item.resource, item.source
    status = text(resource, "status")
    if resource.get("doNotPerform") is True:
        return builder.ignore(source, "it asks that something is not done")
    if status in _ORDER_OVER:
        return builder.ignore(source, f"an order that is {status}")
    lookup = builder.codes.look_up(resource.get("code"))
    if not lookup.concepts and (lookup.irrelevant or lookup.covered):
        return None  # what is ordered is known; its words may say what for
    at = read_dates(resource, "occurrence")
    for match in matched_concepts(builder, item, "order", [child(resource, "code")]):
        builder.add(
            Entry(
                match.concept,
                "order",
                source,
                at.start,
                at.end,
                "planned",
                match.certainty(),
                says="ordered",
                note=match.note or at.note,
                recorded=day_at(resource, "authoredOn"),
            ),
            item,
        )
    return None
