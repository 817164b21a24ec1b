"""Questions about one patient's gathered resources, some of them in Bundles, before they are read as a record."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from precaution.readers.json_access import Json, child, children, text
from precaution.readers.patient import identifiers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class DuplicateCounts(NamedTuple):
    """How many surplus copies of resources there are: Patients, and all others."""

    patients: int
    others: int


def flattened(documents: Iterable[Json]) -> Iterator[Json]:
    """Yield every resource: those of Bundles, and those that stand alone."""
    for document in documents:
        if document.get("resourceType") == "Bundle":
            yield from flattened(child(entry, "resource") for entry in children(document, "entry"))
        else:
            yield document


def referenced_ids(documents: Iterable[Json], base: str = "") -> Iterator[str]:
    """Yield the ids of the Medications and Substances that resources refer to.

    `base`: where given, whole addresses that do not begin with it are left out: they are of another server.
    """
    for resource in flattened(documents):
        references = [
            child(resource, "medicationReference").get("reference"),
            *(child(each, "itemReference").get("reference") for each in children(resource, "ingredient")),
        ]
        for reference in references:
            if not isinstance(reference, str) or (base and _is_elsewhere(reference, base)):
                continue
            if not reference.startswith("#"):
                yield re.split(r"[/:]", reference.strip().partition("/_history")[0])[-1]


def _is_elsewhere(reference: str, base: str) -> bool:
    return "://" in reference and not reference.strip().startswith(base + "/")


def has_undated_result(documents: Iterable[Json]) -> bool:
    """Whether an Observation has no date of its own, so that a DiagnosticReport may have to date it."""
    return any(
        each.get("resourceType") == "Observation" and not isinstance(each.get("effectiveDateTime"), str)
        for each in flattened(documents)
    )


def resource_names(documents: Iterable[Json]) -> set[str]:
    """Return the name of every resource as `Type/id`."""
    return {f"{text(each, 'resourceType')}/{text(each, 'id')}" for each in flattened(documents)}


def duplicates(documents: Iterable[Json]) -> DuplicateCounts:
    """Count the resources whose type and id another one before them has."""
    named = [(text(each, "resourceType"), name) for each in flattened(documents) if (name := text(each, "id"))]
    if len(set(named)) == len(named):
        return DuplicateCounts(0, 0)
    counts = Counter(named)
    more = {key: count - 1 for key, count in counts.items() if count > 1}
    patients = sum(count for (kind, _), count in more.items() if kind == "Patient")
    return DuplicateCounts(patients, sum(more.values()) - patients)


def patients(documents: Iterable[Json]) -> list[tuple[Json, str]]:
    """Return the Patients among resources, each with its `fullUrl`."""
    found: list[tuple[Json, str]] = []
    todo: list[tuple[Json, str]] = [(document, "") for document in documents]
    while todo:
        resource, url = todo.pop()
        if resource.get("resourceType") == "Bundle":
            todo += [(child(entry, "resource"), text(entry, "fullUrl")) for entry in children(resource, "entry")]
        elif resource.get("resourceType") == "Patient":
            found.append((resource, url))
    return found


def patient_identifiers(documents: Iterable[Json]) -> set[tuple[str, str]]:
    """Return the (system, value) pairs of all identifiers, ids among them, of the Patients among resources."""
    return {
        pair for each in flattened(documents) if each.get("resourceType") == "Patient" for pair in identifiers(each)
    }
