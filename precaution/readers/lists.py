"""What a record says about its own completeness: a list that is there, is empty, or was not taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.readers.codes import system_name
from precaution.readers.json_access import Json, child, children, coded, text

if TYPE_CHECKING:
    from precaution.readers.record_builder import PatientResource, RecordBuilder

_SECTIONS = {"11450-4": "condition", "10160-0": "medication", "11369-6": "immunization", "47519-4": "procedure"}
"""LOINC codes of the problem, medication, immunization and procedure lists (IPS, US Core)."""
_ABSENT = "absent-unknown-uv-ips"
"""The IPS code system whose codes say that nothing is known (no-known-...), or that there is no information."""
_NONE_KNOWN = {"no-known-problems", "no-known-medications", "no-known-immunizations", "no-known-procedures"}
NO_PROBLEMS = "160245001"
"""SNOMED CT: No current problems or disability."""


def note_list(builder: RecordBuilder, kind: str, concept: Json) -> bool:
    """Note that the record holds a list of `kind`, to which an entry with the code `concept` belongs.

    Return False where the entry only says that the list is empty, or that nobody asked.
    """
    for system, code in coded(concept):
        if system.rstrip("/").endswith(_ABSENT):
            if code in _NONE_KNOWN:
                builder.says_empty(kind)
            return False
        if code == NO_PROBLEMS and kind == "condition" and system_name(system) == "SNOMED":
            builder.says_empty(kind)
            return False
    builder.lists.add(kind)
    return True


def read_list(builder: RecordBuilder, item: PatientResource) -> None:
    """Note that a List is said to be empty because there is nothing (`nilknown`)."""
    if text(item.resource, "status") in ("", "current"):
        _empty(builder, item.resource)


def read_composition(builder: RecordBuilder, item: PatientResource) -> None:
    """Note which sections of a document are said to be empty because there is nothing (`nilknown`)."""
    if text(item.resource, "status") == "entered-in-error":
        return
    todo = children(item.resource, "section")
    while todo:
        section = todo.pop()
        _empty(builder, section)
        todo.extend(children(section, "section"))


def _empty(builder: RecordBuilder, part: Json) -> None:
    reasons = {code for _, code in coded(child(part, "emptyReason"))}
    if reasons != {"nilknown"} or part.get("entry"):
        return
    for system, code in coded(child(part, "code")):
        if system_name(system) == "LOINC" and code in _SECTIONS:
            builder.says_empty(_SECTIONS[code])
