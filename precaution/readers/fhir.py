"""FHIR R4 resources -> Record: whose it is, then every clinical resource by its type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.readers.answers import read_answers
from precaution.readers.codes import codes_for
from precaution.readers.conditions import read_condition
from precaution.readers.contents import unpacked
from precaution.readers.elsewhere import read_elsewhere, read_mentions, read_recommendation
from precaution.readers.json_access import Json, children, name_of, text
from precaution.readers.ledger import coded_elements, mentioning_types
from precaution.readers.lists import read_composition, read_list
from precaution.readers.medications import read_medication
from precaution.readers.observations import read_observation, read_report
from precaution.readers.patient import find, stranger
from precaution.readers.procedures import read_immunization, read_procedure, read_service_request
from precaution.readers.reading import Item, Reading
from precaution.readers.resource_types import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from precaution.knowledge.model import Ask
    from precaution.knowledge.terminology import Terminology
    from precaution.readers.contents import Contents
    from precaution.readers.patient import Patient, Stranger
    from precaution.values.record import Record


def _read_family(reading: Reading, item: Item) -> None:
    reading.ignore(item.source, "family history is no diagnosis of the patient")


_READERS: Mapping[str, Callable[[Reading, Item], None]] = {
    "Condition": read_condition,
    "Observation": read_observation,
    "DiagnosticReport": read_report,
    "Procedure": read_procedure,
    "Immunization": read_immunization,
    "MedicationRequest": read_medication,
    "MedicationStatement": read_medication,
    "MedicationDispense": read_medication,
    "MedicationAdministration": read_medication,
    "ServiceRequest": read_service_request,
    "QuestionnaireResponse": read_answers,
    "FamilyMemberHistory": _read_family,
    "List": read_list,
    "Composition": read_composition,
    "ImmunizationRecommendation": read_recommendation,
    **dict.fromkeys(sorted(mentioning_types()), read_elsewhere),
}
_WITH_MENTIONS = frozenset(kind for kind in _READERS if coded_elements(kind))
_LISTS = ("List", "Composition")
CONTAINED = "it is contained in a resource of another kind, which does not say what it means there"
_KINDS = {"Condition": "condition", "Observation": "result", "Procedure": "procedure", "Immunization": "immunization"}


def record_of(
    documents: Iterable[object], terminology: Terminology, asks: Mapping[str, Ask], today: int | None = None
) -> Record:
    """Return the record that parsed JSON documents hold.

    Raises NoPatient, MixedPatients, WrongRelease, or InputError where a number is not finite.
    """
    contents = unpacked(documents)
    return reading_of(contents, find(contents), terminology, asks, today).record()


def reading_of(
    contents: Contents,
    patient: Patient,
    terminology: Terminology,
    asks: Mapping[str, Ask],
    today: int | None = None,
) -> Reading:
    """Return what is read of the resources of a patient. Raises MixedPatients, or InputError as `record_of`."""
    reading = Reading(contents, patient, codes_for(terminology), asks, today)
    for kind, read in _READERS.items():
        _read_all(reading, contents, kind, read)
    return reading


def _read_all(reading: Reading, contents: Contents, kind: str, read: Callable[[Reading, Item], None]) -> None:
    """Read the resources of a type that are the patient's, and note the others."""
    key, names = SUBJECTS.get(kind, "subject"), reading.patient.names
    for resource, url in contents.of(kind):
        try:
            ours = resource[key]["reference"] in names  # type: ignore[index]
        except (KeyError, TypeError, IndexError):
            ours = False
        other = None if ours else stranger(reading.patient, resource, contents, key)
        if other is None:
            item = Item(resource, url)
            read(reading, item)
            if kind in _WITH_MENTIONS:
                read_mentions(reading, item)
            if "contained" in resource:
                _read_contained(reading, contents, item)
            continue
        reading.ignore(name_of(resource, url), other.why)
        if not other.told:
            reading.incomplete.add(_KINDS.get(kind, "medication" if kind.startswith("Medication") else kind))


def _read_contained(reading: Reading, contents: Contents, item: Item) -> None:
    """Read the clinical resources that another one contains: those of a list as its own, any other as a doubt."""
    holder = item.resource
    kind = text(holder, "resourceType")
    if text(holder, "status") == "entered-in-error":
        return
    for inner in children(holder, "contained"):
        read = _READERS.get(text(inner, "resourceType"))
        if read is None or _is_member(holder, inner):
            continue
        other = _stranger_within(reading, contents, holder, inner)
        if other is not None:
            reading.ignore(item.source, other.why)
        else:
            read(reading, item.within(inner, "" if kind in _LISTS else CONTAINED))


def _stranger_within(reading: Reading, contents: Contents, holder: Json, inner: Json) -> Stranger | None:
    """Return why a contained resource is not the patient's; one that names nobody is about whom its holder is."""
    key = SUBJECTS.get(text(inner, "resourceType"), "subject")
    if inner.get(key) is not None:
        return stranger(reading.patient, {**inner, "contained": holder["contained"]}, contents, key)
    return stranger(reading.patient, holder, contents, SUBJECTS.get(text(holder, "resourceType"), "subject"))


def _is_member(holder: Json, inner: Json) -> bool:
    """Whether it is a result that the reader of its report or panel reads itself."""
    listed = [*children(holder, "result"), *children(holder, "hasMember")]
    name = "#" + text(inner, "id")
    return text(inner, "resourceType") == "Observation" and any(text(each, "reference") == name for each in listed)
