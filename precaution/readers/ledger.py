"""The ledger of reading: nothing of a resource vanishes. What is not read is known not to matter, or is a doubt.

`elements.toml` beside this module says of each element of the types that are read what becomes of it. What FHIR calls
modifying, and what it does not know, makes a doubt of the whole resource: it may raise, and it never reassures.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from precaution.readers.json_access import Json, text
from precaution.readers.sender import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator

MODIFIES = ("modifierExtension", "implicitRules")
"""Keys that may turn the meaning of what holds them round, at any depth; nobody here understands them."""
MODIFIED = "a modifier extension may change its meaning"
UNKNOWN = "it has an element that FHIR R4 does not know"
REDACTED = "its labels say that something was taken out"


class Elements(NamedTuple):
    """What becomes of the elements of one resource type."""

    known: frozenset[str]
    """All that FHIR R4 has, without the names of types: `value` for `valueQuantity`."""
    choices: tuple[str, ...]
    """Those that come with the name of a type (`value[x]`)."""
    coded: tuple[str, ...]
    """Those that are looked through for coded values."""


def doubt_of(resource: Json) -> str:
    """Return why what a resource says is a doubt, or nothing."""
    if redacted(resource):
        return REDACTED
    if modified(resource):
        return MODIFIED
    return UNKNOWN if any(unknown_elements(resource)) else ""


def modified(part: object) -> bool:
    """Whether anything in a resource, at any depth, has a key that FHIR calls modifying."""
    todo = [part]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            if any(value.get(key) for key in MODIFIES):
                return True
            todo.extend(value.values())
        elif isinstance(value, list):
            todo.extend(value)
    return False


def unknown_elements(resource: Json) -> Iterator[str]:
    """Yield the elements of a resource that FHIR R4 does not have for its type; none for types without a table."""
    elements = elements_of(text(resource, "resourceType"))
    if elements is None:
        return
    for key in resource.keys() - elements.known:
        bare = key.removeprefix("_")  # what is said of a primitive value stands beside it under its name with `_`
        if bare not in elements.known and not bare.startswith(elements.choices):
            yield key


def elements_of(kind: str) -> Elements | None:
    """Return what becomes of the elements of a resource type; None for one that is not read element by element."""
    return _tables().get(kind)


def coded_elements(kind: str) -> tuple[str, ...]:
    """Return the elements of a resource type that are looked through for coded values."""
    elements = elements_of(kind)
    return elements.coded if elements is not None else ()


@cache
def mentioning_types() -> frozenset[str]:
    """Return the resource types without a reader of their own that are looked through for coded values."""
    return frozenset(_toml("types.toml")["coded"])


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((files("precaution.readers") / name).read_text(encoding="utf-8"))


@cache
def _tables() -> dict[str, Elements]:
    found = _toml("elements.toml")
    every = found.pop("every")
    del found["reasons"]
    return {kind: _elements(every, table) for kind, table in found.items()}


def _elements(every: list[str], table: dict[str, list[str]]) -> Elements:
    names = [name for group in table.values() for name in group]
    choices = tuple(name.removesuffix("[x]") for name in names if name.endswith("[x]"))
    known = frozenset([*every, *(name for name in names if not name.endswith("[x]"))])
    return Elements(known, choices, tuple(table.get("coded", ())))
