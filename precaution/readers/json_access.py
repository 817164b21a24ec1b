"""Typed access to parsed JSON that may hold anything: each function returns the type it names, or an empty one."""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from precaution.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json = dict[str, object]

_ID = re.compile(r"[A-Za-z0-9\-._~]{1,128}")
"""What FHIR allows in an id, and the longer ones with `_` that real servers give."""


def child(parent: Mapping[str, object], key: str) -> Json:
    """Return the object under `key`; an empty one where there is none."""
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def children(parent: Mapping[str, object], key: str) -> list[Json]:
    """Return the objects of the list under `key`; a single object counts as a list of one."""
    value = parent.get(key)
    if isinstance(value, list):
        return [each for each in value if isinstance(each, dict)]
    return [value] if isinstance(value, dict) else []


def text(parent: Mapping[str, object], key: str) -> str:
    """Return the string under `key` without blanks around it; an empty one where there is none."""
    value = parent.get(key)
    return value.strip() if isinstance(value, str) else ""


def choice(parent: Mapping[str, object], stem: str) -> str:
    """Return the key under which a choice of types `stem[x]` stands (`valueQuantity` for `value`), or nothing."""
    return next(
        (
            key
            for key in parent
            if key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper() and parent[key] is not None
        ),
        "",
    )


def number(value: object, source: str, where: str) -> float | None:
    """Return a finite number, or None where `value` is no number.

    `source` and `where` name the resource and the element in a message. Raises InputError where the number is
    too large: nothing else in such a file can be trusted.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        finite = float(value)
    except OverflowError:
        finite = float("inf")
    if finite - finite != 0:
        raise InputError(f"{source}: {where} is not a finite number; correct it at the sending system")
    return finite


def coded(concept: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the (system, code) pairs of a CodeableConcept."""
    for coding in children(concept, "coding"):
        if code := text(coding, "code"):
            yield text(coding, "system"), code


def name_of(resource: Json, url: str = "") -> str:
    """Return `Type/id`; without an id the one in its `fullUrl`, else `Type#` and a digest of its content.

    So the name never depends on the order of the input.
    """
    kind, name = text(resource, "resourceType"), resource.get("id")
    if isinstance(name, str) and _ID.fullmatch(name):
        return f"{kind}/{name}"
    name = re.split(r"[/:]", url)[-1]
    return f"{kind}/{name}" if _ID.fullmatch(name) else f"{kind}#{digest(resource)[:8]}"


def digest(resource: Json) -> str:
    """Return a digest of the content of a resource, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(resource, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=4096)
def safe_code(word: str) -> str:
    """Return a code or a code system; nothing where it does not look like one, for it may be free text."""
    return word if re.fullmatch(r"[A-Za-z0-9.\-+*/:#_|%~]{1,120}", word) else ""
