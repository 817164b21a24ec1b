"""Digests of what the evidence behind a finding says, so that an override holds for just that content.

A reference alone is not enough: a result may be corrected and a diagnosis coded anew under the same id, and an order
that is being written has no id at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.readers.json_access import Json, child, name_of, text
from precaution.service.store.canonical import canonical, digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from precaution.engine.answer import Evidence
    from precaution.readers.prefetch import Retrieved
    from precaution.values.record import Entry, Record


_LONG = 32
"""Characters of a digest: enough to tell any two contents apart, and there is one for each piece of evidence."""


class ContentDigests:
    """The digests of one call's evidence."""

    def __init__(self, record: Record, answers: Mapping[str, Retrieved], drafts: Iterable[Json]) -> None:
        self._entries: dict[str, list[Entry]] = {}
        for entries in record.entries.values():
            for entry in entries:
                self._entries.setdefault(entry.source, []).append(entry)
        self._resources = dict(_named(answers, drafts))

    def of(self, evidence: Evidence) -> str:
        """Return the digest of a piece of evidence: concept, status, value, day, and codes of each entry behind it."""
        sources = evidence.source.split(" and ")
        entries = sorted(said_by(entry) for source in sources for entry in self._entries.get(source, ()))
        codes = sorted({code for source in sources for code in _codes(self._resources.get(source))})
        return digest(canonical([sources, entries or [evidence.date, evidence.says], codes]))[:_LONG]


def _named(answers: Mapping[str, Retrieved], drafts: Iterable[Json]) -> Iterator[tuple[str, Json]]:
    """Yield resources with the names by which entries refer to them."""
    for answer in answers.values():
        for entry in answer.entries:
            resource = child(entry, "resource")
            yield name_of(resource, text(entry, "fullUrl")), resource
    known = [draft for draft in drafts if isinstance(draft.get("resourceType"), str)]
    for place, draft in enumerate(known):
        yield f"{draft['resourceType']}/draft-{place}", draft


def said_by(entry: Entry) -> str:
    """Return all that an entry says and that a decision may rest on, as one text."""
    parts = (entry.concept, entry.kind, entry.status, entry.certainty, entry.result, entry.says)
    numbers = (entry.value, entry.upper, entry.start, entry.end)
    return canonical([*parts, *map(repr, numbers)])


def _codes(value: object) -> Iterator[str]:
    """Yield all codes in a resource, and the medication that it refers to."""
    todo = [value]
    while todo:
        each = todo.pop()
        if isinstance(each, list):
            todo += each
        elif isinstance(each, dict):
            todo += each.values()
            if isinstance(each.get("code"), str):
                yield f"{each.get('system')}|{each['code']}"
            if isinstance(each.get("medicationReference"), dict):
                yield text(each["medicationReference"], "reference")
