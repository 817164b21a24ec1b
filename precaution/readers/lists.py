"""What a record says about its own completeness: a list that is there, is empty, or was not taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.readers.codes import system_name
from precaution.readers.json_access import Json, child, children, coded, text

if TYPE_CHECKING:
    from precaution.readers.reading import Item, Reading

_SECTIONS = {"11450-4": "condition", "10160-0": "medication", "11369-6": "immunization", "47519-4": "procedure"}
"""LOINC codes of the problem, medication, immunization and procedure lists (IPS, US Core)."""
_ABSENT = "absent-unknown-uv-ips"
"""The IPS code system whose codes say that nothing is known (no-known-...), or that there is no information."""
_NONE_KNOWN = {"no-known-problems", "no-known-medications", "no-known-immunizations", "no-known-procedures"}
NO_PROBLEMS = "160245001"
"""SNOMED CT: No current problems or disability."""


def begins(reading: Reading, kind: str, concept: Json) -> bool:
    """Note that the record holds a list of `kind`, of which `concept` codes an entry.

    Returns False where the entry only says that the list is empty, or that nothing was asked.
    """
    for system, code in coded(concept):
        if system.rstrip("/").endswith(_ABSENT):
            if code in _NONE_KNOWN:
                reading.says_empty(kind)
            return False
        if code == NO_PROBLEMS and kind == "condition" and system_name(system) == "SNOMED":
            reading.says_empty(kind)
            return False
    reading.lists.add(kind)
    return True


def read_list(reading: Reading, item: Item) -> None:
    """Note a List that is said to be empty because nothing is known to be there."""
    if text(item.resource, "status") in ("", "current"):
        _empty(reading, item.resource)


def read_composition(reading: Reading, item: Item) -> None:
    """Note the sections of a document that are said to be empty because nothing is known to be there."""
    if text(item.resource, "status") == "entered-in-error":
        return
    todo = children(item.resource, "section")
    while todo:
        section = todo.pop()
        _empty(reading, section)
        todo.extend(children(section, "section"))


def _empty(reading: Reading, part: Json) -> None:
    reasons = {code for _, code in coded(child(part, "emptyReason"))}
    if reasons != {"nilknown"} or part.get("entry"):
        return
    for system, code in coded(child(part, "code")):
        if system_name(system) == "LOINC" and code in _SECTIONS:
            reading.says_empty(_SECTIONS[code])
