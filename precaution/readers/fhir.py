"""FHIR R4 resources -> Record: the patient first, then every clinical resource by the reader of its type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.readers.answers import read_answers
from precaution.readers.codes import codes_for
from precaution.readers.conditions import read_condition
from precaution.readers.contents import unpacked
from precaution.readers.json_access import name_of
from precaution.readers.lists import read_composition, read_list
from precaution.readers.medications import read_medication
from precaution.readers.observations import read_observation, read_report
from precaution.readers.patient import find_patient, other_subject
from precaution.readers.procedures import read_immunization, read_procedure, read_service_request
from precaution.readers.record_builder import PatientResource, RecordBuilder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from precaution.knowledge.model import Ask
    from precaution.knowledge.terminology import Terminology
    from precaution.readers.contents import Contents
    from precaution.readers.patient import Patient
    from precaution.values.record import Record


def _read_family(builder: RecordBuilder, item: PatientResource) -> None:
    builder.ignore(item.source, "family history is no diagnosis of the patient")


_READERS: Mapping[str, Callable[[RecordBuilder, PatientResource], None]] = {
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
}
_KINDS = {"Condition": "condition", "Observation": "result", "Procedure": "procedure", "Immunization": "immunization"}
_SUBJECTS = {"Immunization": "patient", "FamilyMemberHistory": "patient"}


def record_of(documents: Iterable[object], terminology: Terminology, asks: Mapping[str, Ask]) -> Record:
    """Return the record of the one patient whose resources parsed JSON documents hold.

    Raises NoPatient, MixedPatients, WrongRelease, or InputError where a number is not finite.
    """
    contents = unpacked(documents)
    return read_contents(contents, find_patient(contents), terminology, asks).record()


def read_contents(
    contents: Contents, patient: Patient, terminology: Terminology, asks: Mapping[str, Ask]
) -> RecordBuilder:
    """Return a builder that has read all resources of a patient; its `record` is the result. Raises as `record_of`."""
    builder = RecordBuilder(contents, patient, codes_for(terminology), asks)
    for kind, read in _READERS.items():
        _read_all(builder, contents, kind, read)
    return builder


def _read_all(
    builder: RecordBuilder, contents: Contents, kind: str, read: Callable[[RecordBuilder, PatientResource], None]
) -> None:
    """Read the resources of a type that are the patient's, and note the others."""
    key, names = _SUBJECTS.get(kind, "subject"), builder.patient.names
    for resource, url in contents.of(kind):
        try:
            ours = resource[key]["reference"] in names  # type: ignore[index]
        except (KeyError, TypeError, IndexError):
            ours = False
        other = None if ours else other_subject(builder.patient, resource, contents, key)
        if other is None:
            read(builder, PatientResource(resource, url))
            continue
        builder.ignore(name_of(resource, url), other.why)
        if not other.certain:
            builder.incomplete.add(_KINDS.get(kind, "medication" if kind.startswith("Medication") else kind))
