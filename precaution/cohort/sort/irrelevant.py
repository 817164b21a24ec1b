"""Resources that only show that a list is kept: no code list knows their codes.

Of a blood pressure a record learns that results are recorded, and nothing else. Whether a code is such a one is not
decided here: the readers themselves are given a resource with nothing but the code, once for each spelling of it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from precaution.errors import PrecautionError
from precaution.readers.fhir import record_of
from precaution.readers.json_access import Json, children, text
from precaution.readers.resource_types import check_release

if TYPE_CHECKING:
    from precaution.knowledge.terminology import Terminology

_KEYS = {
    "Observation": "code",
    "Condition": "code",
    "Procedure": "code",
    "Immunization": "vaccineCode",
    "MedicationRequest": "medicationCodeableConcept",
}
_SAYS_MORE = frozenset({"contained", "medicationReference", "doNotPerform"})
_STATUSES: dict[str, set[str | None]] = {
    "Observation": {"final"},
    "Procedure": {"completed"},
    "Immunization": {"completed"},
    "Condition": {None},
    "MedicationRequest": {"active", "stopped", "completed"},
}
"""With another status it might be listed among what was ignored."""
LOOKED_AT = {
    kind: frozenset({key, "status", "intent", "clinicalStatus", "verificationStatus"}) for kind, key in _KEYS.items()
}
"""The elements of a resource whose values are looked at here, beside each `component.code`; of all others it only
matters which keys there are, and whether a value is null."""
_CONFIRMED = frozenset({"confirmed"})
_ROOM = 100_000
Spelling = tuple[object, ...]


class Irrelevance:
    """Tells such resources; it remembers every spelling of a code."""

    def __init__(self, terminology: Terminology) -> None:
        """Look codes up in `terminology`."""
        self._terminology = terminology
        self._met: dict[Spelling, bool] = {}

    def says_nothing(self, kind: str, resource: Json) -> bool:
        """Whether a resource of type `kind` shows no more than that a list of its kind is kept."""
        key = _KEYS.get(kind)
        if key is None or not self._is_unknown(kind, key, resource.get(key)):
            return False
        if not _SAYS_MORE.isdisjoint(resource) or not _ordinary(kind, resource):
            return False
        for component in children(resource, "component") if "component" in resource else ():
            if not self._is_unknown(kind, key, component.get("code")):
                return False
        try:
            check_release(kind, resource)
        except PrecautionError:
            return False
        return True

    def _is_unknown(self, kind: str, key: str, concept: object) -> bool:
        spelling = _spelling(kind, concept)
        unknown = self._met.get(spelling)
        if unknown is None:
            if len(self._met) >= _ROOM:
                self._met.clear()
            unknown = self._met[spelling] = self._tried({"resourceType": kind, key: concept})
        return unknown

    def _tried(self, resource: Json) -> bool:
        """Return whether the readers take nothing from a resource that has only this code."""
        try:
            record = record_of([{"resourceType": "Patient", "id": "p"}, resource], self._terminology, {})
        except PrecautionError:
            return False
        return len(record.lists) == 1 and not (
            record.entries or record.unrecognised or record.ignored or record.attested or record.partial
        )


def _spelling(kind: str, concept: object) -> Spelling:
    """Return everything a CodeableConcept says; quickly where it has one coding of the usual form."""
    try:
        (coding,) = concept["coding"]  # type: ignore[index]
        if len(coding) == 3 and len(concept) == 2:  # type: ignore[arg-type]
            found = kind, coding["system"], coding["code"], coding["display"], concept["text"]  # type: ignore[index]
            hash(found)
            return found
    except (KeyError, TypeError, ValueError):
        pass
    return kind, json.dumps(concept, sort_keys=True)


def _ordinary(kind: str, resource: Json) -> bool:
    """Whether its status is one of those with which nothing is ignored."""
    status = resource.get("status")
    if (status is not None and not isinstance(status, str)) or status not in _STATUSES[kind]:
        return False
    if kind == "MedicationRequest":
        return resource.get("intent") == "order"
    verified = resource.get("verificationStatus")
    return verified is None or (
        isinstance(verified, dict)
        and "text" not in verified
        and {text(each, "code") for each in children(verified, "coding")} == _CONFIRMED
    )
