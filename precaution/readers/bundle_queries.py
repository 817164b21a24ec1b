"""What is asked of one patient's gathered resources, some of them in Bundles, before they are read as a record."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from precaution.readers.json_access import Json, child, children, text
from precaution.readers.patient import identifiers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Repeated(NamedTuple):
    """How many resources came more than once, beyond the first."""

    patients: int
    others: int


def flat(documents: Iterable[Json]) -> Iterator[Json]:
    """Yield every resource: those of Bundles, and those that stand alone."""
    for document in documents:
        if document.get("resourceType") == "Bundle":
            yield from flat(child(entry, "resource") for entry in children(document, "entry"))
        else:
            yield document


def pointed_to(documents: Iterable[Json]) -> Iterator[str]:
    """Yield the ids of shared resources (medications, substances) that resources point to."""
    for resource in flat(documents):
        references = [
            child(resource, "medicationReference").get("reference"),
            *(child(each, "itemReference").get("reference") for each in children(resource, "ingredient")),
        ]
        for reference in references:
            if isinstance(reference, str) and not reference.startswith("#"):
                yield re.split(r"[/:]", reference.strip().partition("/_history")[0])[-1]


def undated(documents: Iterable[Json]) -> bool:
    """Whether a report may have to date a result: one has no date of its own."""
    return any(
        each.get("resourceType") == "Observation" and not isinstance(each.get("effectiveDateTime"), str)
        for each in flat(documents)
    )


def names(documents: Iterable[Json]) -> set[str]:
    """Return `Type/id` of all resources."""
    return {f"{text(each, 'resourceType')}/{text(each, 'id')}" for each in flat(documents)}


def repeated(documents: Iterable[Json]) -> Repeated:
    """Count the resources whose type and id came before."""
    named = [(text(each, "resourceType"), name) for each in flat(documents) if (name := text(each, "id"))]
    if len(set(named)) == len(named):
        return Repeated(0, 0)
    names = Counter(named)
    more = {key: count - 1 for key, count in names.items() if count > 1}
    patients = sum(count for (kind, _), count in more.items() if kind == "Patient")
    return Repeated(patients, sum(more.values()) - patients)


def people(documents: Iterable[Json]) -> set[tuple[str, str]]:
    """Return the (system, value) pairs that identify the Patients among resources."""
    return {pair for each in flat(documents) if each.get("resourceType") == "Patient" for pair in identifiers(each)}
