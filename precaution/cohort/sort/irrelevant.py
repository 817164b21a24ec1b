"""Resources that only show that a list is kept: their codes are known to have nothing to do with any label of a run.

Of a blood pressure a record learns that results are recorded, and nothing else. Whether a code is such a one is not
decided here: the readers themselves are given a resource with nothing but its codes, once for each spelling of them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from precaution.errors import PrecautionError
from precaution.readers.codes import codes_for
from precaution.readers.fhir import record_of
from precaution.readers.json_access import Json, children, text
from precaution.readers.ledger import coded_elements
from precaution.readers.observations import OF_A_VALUE
from precaution.readers.resource_types import check_release
from precaution.readers.unlisted_results import value_tells

if TYPE_CHECKING:
    from precaution.knowledge.terminology import Terminology

_KEYS = {
    "Observation": "code",
    "Condition": "code",
    "Procedure": "code",
    "Immunization": "vaccineCode",
    "MedicationRequest": "medicationCodeableConcept",
}
_CODED = {kind: (key, *coded_elements(kind)) for kind, key in _KEYS.items()}
_CODED["Observation"] = _OF_A_RESULT = ("code", *OF_A_VALUE)
"""The elements of a resource whose codes are looked at; those of a result, and of each component of one."""
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
    kind: frozenset({*coded, "status", "intent", "clinicalStatus", "verificationStatus"})
    for kind, coded in _CODED.items()
}
"""The elements of a resource whose values are looked at here, beside those of OF_A_COMPONENT; of all others it only
matters which keys there are, and whether a value is null."""
OF_A_COMPONENT = frozenset(_OF_A_RESULT)
"""The elements of each `component` whose values are looked at."""
_CONFIRMED = frozenset({"confirmed"})
_ROOM = 100_000
Spelling = tuple[object, ...]


class Irrelevance:
    """Tells such resources; it remembers every spelling of a code."""

    def __init__(self, *terminologies: Terminology) -> None:
        """Look codes up in `terminologies`, those of every label: what one of them takes something from is kept."""
        self._terminologies = terminologies
        self._met: dict[Spelling, bool] = {}
        self.source = terminologies[0].source
        """What the site says of the source: the same to every label (`precaution.assessment.distinct`)."""

    def says_nothing(self, kind: str, resource: Json) -> bool:
        """Whether a resource of type `kind` shows no more than that a list of its kind is kept."""
        coded = _CODED.get(kind)
        if coded is None or not self._is_nothing(kind, coded, resource):
            return False
        if not _SAYS_MORE.isdisjoint(resource) or not _ordinary(kind, resource):
            return False
        for component in children(resource, "component") if "component" in resource else ():
            if not self._is_nothing(kind, _OF_A_RESULT, component):
                return False
        try:
            check_release(kind, resource)
        except PrecautionError:
            return False
        return True

    def _is_nothing(self, kind: str, coded: tuple[str, ...], holder: Json) -> bool:
        """Whether the readers take nothing from what is coded in a resource or in a component of it."""
        spelling = _spelling(kind, holder.get(coded[0]))
        for name in coded[1:]:
            if name in holder:
                spelling = (*spelling, name, json.dumps(holder[name], sort_keys=True))
        nothing = self._met.get(spelling)
        if nothing is None:
            if len(self._met) >= _ROOM:
                self._met.clear()
            told = {name: holder[name] for name in coded if name in holder}
            tried = {"resourceType": kind, **told}
            nothing = self._met[spelling] = all(_tried(each, kind, tried) for each in self._terminologies)
        return nothing


def _tried(terminology: Terminology, kind: str, resource: Json) -> bool:
    """Return whether the readers take nothing from a resource that has only these codes, whatever its value."""
    if kind == "Observation" and value_tells(codes_for(terminology), resource):
        return False
    try:
        record = record_of([{"resourceType": "Patient", "id": "p"}, resource], terminology, {})
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
