"""Procedure, Immunization and ServiceRequest -> entries of kinds `procedure`, `immunization` and `order`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.readers.dates import day_at, when
from precaution.readers.json_access import child, text
from precaution.readers.lists import begins
from precaution.readers.meaning import meanings
from precaution.values.record import Entry, Status

if TYPE_CHECKING:
    from precaution.readers.meaning import Coded
    from precaution.readers.reading import Item, Reading

_DONE = {"procedure": ("completed", "in-progress"), "immunization": ("completed",)}
_ORDER_OVER = frozenset({"completed", "revoked", "entered-in-error"})


def read_procedure(reading: Reading, item: Item) -> None:
    """Add the entries of a Procedure; one of unclear status may not have been done."""
    _read_act(reading, item, "procedure", "code", "performed")


def read_immunization(reading: Reading, item: Item) -> None:
    """Add the entries of an Immunization."""
    _read_act(reading, item, "immunization", "vaccineCode", "occurrence")


def _read_act(reading: Reading, item: Item, kind: Coded, code: str, stem: str) -> None:
    resource, source = item.resource, item.source
    status = text(resource, "status")
    if status == "entered-in-error":
        return reading.ignore(source, status)
    if not begins(reading, kind, child(resource, code)):
        return None
    if status == "not-done":
        return reading.ignore(source, status)
    found = meanings(reading, item, kind, [child(resource, code)])
    if not found:
        return None
    done: Status = "final" if status in _DONE[kind] else "unknown"
    at = when(resource, stem, reading.birth)
    subpotent = "subpotent dose" if resource.get("isSubpotent") is True else ""
    for meaning in found:
        note = "; ".join(filter(None, (meaning.note, at.note, subpotent)))
        reading.add(
            Entry(
                meaning.concept,
                kind,
                source,
                at.start,
                at.end,
                done,
                meaning.certainty(),
                says="done" if done == "final" else "not known to be done",
                note=note,
                recorded=day_at(resource, "recorded"),
            ),
            item,
        )
    return None


def read_service_request(reading: Reading, item: Item) -> None:
    """Add the entries of a ServiceRequest that still stands: something is ordered or planned.

    A code of another list says that it is something else, whatever its words; without a code that can be one,
    its words raise a doubt, as those of other entries do.
    """
    resource, source = item.resource, item.source
    status = text(resource, "status")
    if resource.get("doNotPerform") is True:
        return reading.ignore(source, "it asks that something is not done")
    if status in _ORDER_OVER:
        return reading.ignore(source, f"an order that is {status}")
    looked = reading.codes.look(resource.get("code"))
    if looked.formed and not looked.concepts:
        return None
    at = when(resource, "occurrence")
    for meaning in meanings(reading, item, "order", [child(resource, "code")]):
        reading.add(
            Entry(
                meaning.concept,
                "order",
                source,
                at.start,
                at.end,
                "planned",
                meaning.certainty(),
                says="ordered",
                note=meaning.note or at.note,
                recorded=day_at(resource, "authoredOn"),
            ),
            item,
        )
    return None
