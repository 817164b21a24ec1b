"""Patients that a sender has merged: which of them are one person, and which of these is the one to go by.

Links of type `replaces` and `replaced-by` say so; `refer` and `seealso` only say that more is known elsewhere
(http://hl7.org/fhir/R4/valueset-link-type.html). A Patient is known here by its id, or by `?system|value` where a
link names it by an identifier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from precaution.readers.json_access import Json, child, children, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_URN = ("urn:uuid:", "urn:oid:")
BY_IDENTIFIER = "?"
"""What the name of a Patient begins with that is only named by an identifier."""


class Replacement(NamedTuple):
    """One Patient that is replaced by another one, by their names."""

    old: str
    new: str


def replacements(patient: Json, name: str, named: Mapping[str, str] | None = None) -> list[Replacement]:
    """Return what the links of a Patient, called `name`, say of merges.

    `named`: ids by the `fullUrl` of the Bundle it stands in.
    """
    found: list[Replacement] = []
    for link in children(patient, "link") if "link" in patient else ():
        how, other = text(link, "type"), linked(child(link, "other"), named or {})
        if other and other != name and how in ("replaces", "replaced-by"):
            found.append(Replacement(other, name) if how == "replaces" else Replacement(name, other))
    return found


def linked(other: Json, named: Mapping[str, str]) -> str:
    """Return the name of the Patient that a link points to; nothing where it can't be told."""
    reference = text(other, "reference")
    if reference and reference in named:
        return named[reference]
    kind, query, asked = reference.partition("?")
    if query:
        key, _, value = unquote(asked).partition("=")
        return BY_IDENTIFIER + value if kind.endswith("Patient") and key == "identifier" and value else ""
    if reference.startswith(_URN):
        return reference.rpartition(":")[2]
    tail = reference.partition("/_history")[0].rstrip("/").split("/")[-2:]
    if reference:
        return tail[1] if len(tail) == 2 and tail[0] == "Patient" else ""
    identifier = child(other, "identifier")
    value = text(identifier, "value")
    return f"{BY_IDENTIFIER}{text(identifier, 'system')}|{value}" if value else ""


def resolved(found: Iterable[Replacement], people: Mapping[tuple[str, str], str]) -> list[Replacement]:
    """Return replacements by ids wherever an identifier is one of `people`: (system, value) -> id.

    An identifier without a system may be of any.
    """
    values = {value: name for (_, value), name in people.items()}

    def by_id(name: str) -> str:
        if not name.startswith(BY_IDENTIFIER):
            return name
        system, bar, value = name[1:].rpartition("|")
        return people.get((system, value), name) if system and bar else values.get(value, name)

    return [Replacement(by_id(old), by_id(new)) for old, new in found]


def survivors(found: Iterable[Replacement]) -> dict[str, str]:
    """Return for each merged name the one that stands for the person: who replaces others and is not replaced.

    Of several of these, and in a circle, it is the first by name: whatever the order of the links.
    """
    links = set(found)
    person: dict[str, set[str]] = {}
    for old, new in links:
        together = person.get(old, {old}) | person.get(new, {new})
        person.update(dict.fromkeys(together, together))
    replaced = {old for old, _ in links}
    return {name: min(_known(together, replaced)) for name, together in person.items()}


def _known(together: set[str], replaced: set[str]) -> set[str]:
    by_id = {name for name in together if not name.startswith(BY_IDENTIFIER)} or together
    return by_id - replaced or by_id
