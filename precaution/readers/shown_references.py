"""What references show of resources that are not in the input: "Condition/7, Tuberculosis of lung".

What a reference points to is read by itself where it is there. Where it is not, all that is left of it are the words
that the reference shows; and a list that names an entry which was not sent is not whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.readers.json_access import Json, children, coded, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.readers.references import Resolver

POINTING = frozenset(
    {
        *(
            "addresses",
            "basis",
            "complicationDetail",
            "condition",
            "detail",
            "diagnosis",
            "entry",
            "evidence",
            "finding",
        ),
        *(
            "focus",
            "investigation",
            "item",
            "itemReference",
            "outcomeReference",
            "problem",
            "reason",
            "reasonReference",
        ),
        *("reference", "supportingInfo", "supportingInformation"),
    }
)
"""Elements under which references point to what the patient has or gets; under others they name people and places."""
_KINDS = {
    "Condition": "condition",
    "Observation": "result",
    "Procedure": "procedure",
    "Immunization": "immunization",
    "MedicationRequest": "medication",
    "MedicationStatement": "medication",
    "MedicationDispense": "medication",
    "MedicationAdministration": "medication",
}
_OF_OTHERS = frozenset({"10157-6", "48765-2"})
"""LOINC codes of the sections of family history and of allergies, which say nothing of what the patient has."""


def is_reference(value: Json) -> bool:
    """Whether a part of a resource is a Reference, and no Coding or Identifier."""
    named = "reference" in value or "display" in value
    return named and not ("code" in value or "system" in value or "value" in value)


def words_shown(value: Json, key: str, resolver: Resolver) -> str:
    """Return the words of a reference under `key` to something clinical that is not in the input, or nothing."""
    words = text(value, "display")
    if not words or key not in POINTING:
        return ""
    kind = _kind_of(value)
    if kind and kind not in _KINDS:
        return ""
    return "" if _is_there(value, kind, resolver) else words


def not_sent(reference: Json, resolver: Resolver) -> str:
    """Return the kind of list that a reference points into, at an entry that is not in the input; else nothing."""
    kind = _kind_of(reference)
    named = kind in _KINDS and text(reference, "reference") and not text(reference, "reference").startswith("#")
    return _KINDS[kind] if named and not _is_there(reference, kind, resolver) else ""


def listed_in(resource: Json) -> Iterator[Json]:
    """Yield the references of a List, less those it marks as deleted, or of the sections of a Composition."""
    if text(resource, "resourceType") == "List":
        yield from (item for each in children(resource, "entry") if (item := _item(each)))
    todo = [] if text(resource, "resourceType") == "List" else children(resource, "section")
    while todo:
        section = todo.pop()
        todo.extend(children(section, "section"))
        code = section.get("code")
        if not isinstance(code, dict) or _OF_OTHERS.isdisjoint(found for _, found in coded(code)):
            yield from children(section, "entry")


def _item(entry: Json) -> Json | None:
    item = entry.get("item")
    return item if isinstance(item, dict) and entry.get("deleted") is not True else None


def _kind_of(reference: Json) -> str:
    """Return the type of resource that a reference names; nothing where it does not say."""
    if named := text(reference, "type"):
        return named
    parts = text(reference, "reference").partition("/_history")[0].split("/")
    return parts[-2] if len(parts) > 1 else ""


def _is_there(reference: Json, kind: str, resolver: Resolver) -> bool:
    name = text(reference, "reference")
    if not name:
        return False
    # What is contained is read with what contains it.
    return name.startswith("#") or resolver.is_there(name, [kind] if kind else _KINDS)
