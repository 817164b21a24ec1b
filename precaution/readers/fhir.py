"""FHIR R4 resources -> Record: the patient first, then every clinical resource by the reader of its type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from precaution.knowledge.model import Ask
from precaution.knowledge.terminology import Terminology
from precaution.readers.answers import read_answers
from precaution.readers.codes import codes_for
from precaution.readers.conditions import read_condition
from precaution.readers.contents import unpacked
from precaution.readers.elsewhere import read_elsewhere, read_listed, read_mentions, read_recommendation
from precaution.readers.json_access import Json, children, text
from precaution.readers.ledger import coded_elements, mentioning_types
from precaution.readers.lists import read_composition, read_list
from precaution.readers.medications import read_medication
from precaution.readers.observations import read_observation, read_report
from precaution.readers.patient import find_patient, other_subject
from precaution.readers.procedures import read_immunization, read_procedure, read_service_request
from precaution.readers.record_builder import PatientResource, RecordBuilder
from precaution.readers.resource_types import subject_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from precaution.readers.contents import Contents
    from precaution.readers.patient import OtherSubject, Patient
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
    "ImmunizationRecommendation": read_recommendation,
    **dict.fromkeys(sorted(mentioning_types()), read_elsewhere),
}
_WITH_MENTIONS = frozenset(kind for kind in _READERS if coded_elements(kind))
_LISTS = ("List", "Composition")
_OF_SUBJECT_ALONE = frozenset({*_LISTS, "FamilyMemberHistory"})
"""Types that say nothing of their own, not even a doubt, where it can't be told whose they are."""
CONTAINED = "it is contained in a resource of another kind, which does not say what it means there"
_KINDS = {"Condition": "condition", "Observation": "result", "Procedure": "procedure", "Immunization": "immunization"}


class Understanding(NamedTuple):
    """What a label reads a record with: its codes and its asks."""

    terminology: Terminology
    asks: Mapping[str, Ask]


def record_of(
    documents: Iterable[object], terminology: Terminology, asks: Mapping[str, Ask], today: int | None = None
) -> Record:
    """Return the record that parsed JSON documents hold.

    Raises NoPatient, MixedPatients, WrongRelease, or InputError where a number is not finite.
    """
    return records_of(documents, [Understanding(terminology, asks)], today)[0]


def records_of(
    documents: Iterable[object],
    understandings: Sequence[Understanding],
    today: int | None = None,
    passed_over: frozenset[str] = frozenset(),
) -> list[Record]:
    """Return the record that parsed JSON documents hold, once for each label by whose codes and asks they are read.

    What does not depend on a label is done once: versions are chosen, the patient is found. What is said of the source
    is the same for all. `passed_over`: names (`Type/id`) of what the source has of the patient and is not given, for
    nothing is taken from it. Raises as `record_of`.
    """
    contents = unpacked(documents, understandings[0].terminology.source)
    contents.passed_over = passed_over
    patient = find_patient(contents)
    return [read_contents(contents, patient, *each, today).record() for each in understandings]


def read_contents(
    contents: Contents,
    patient: Patient,
    terminology: Terminology,
    asks: Mapping[str, Ask],
    today: int | None = None,
) -> RecordBuilder:
    """Return what is read of the resources of a patient. Raises MixedPatients, or InputError as `record_of`."""
    builder = RecordBuilder(contents, patient, codes_for(terminology), asks, today)
    for kind, read in _READERS.items():
        _read_all(builder, contents, kind, read)
    return builder


def _read_all(
    builder: RecordBuilder, contents: Contents, kind: str, read: Callable[[RecordBuilder, PatientResource], None]
) -> None:
    """Read the resources of a type that are the patient's, and note the others."""
    key, names = subject_key(kind), builder.patient.names
    for resource, url in contents.of(kind):
        try:
            ours = resource[key]["reference"] in names  # type: ignore[index]
        except (KeyError, TypeError, IndexError):
            ours = False
        other = None if ours else other_subject(builder.patient, resource, contents, key)
        item = PatientResource(resource, url)
        if other is not None:
            builder.ignore(item.source, other.why)
            if other.certain:
                continue
            _note_strange(builder, item, other)
        if other is None or kind not in _OF_SUBJECT_ALONE:
            read(builder, item)
        if kind in _WITH_MENTIONS:
            read_mentions(builder, item)
        if kind in _LISTS and other is None:
            read_listed(builder, item)
        if "contained" in resource:
            _read_contained(builder, contents, item)


def _note_strange(builder: RecordBuilder, item: PatientResource, other: OtherSubject) -> None:
    """Note a resource that may be the patient's: a doubt of all that it says, and no list of its kind is whole."""
    kind = text(item.resource, "resourceType")
    builder.incomplete.add(_KINDS.get(kind, "medication" if kind.startswith("Medication") else kind))
    item.doubted(other.why)


def _read_contained(builder: RecordBuilder, contents: Contents, item: PatientResource) -> None:
    """Read the clinical resources that another one contains: those of a list as its own, any other as a doubt."""
    holder = item.resource
    kind = text(holder, "resourceType")
    if text(holder, "status") == "entered-in-error":
        return
    for inner in children(holder, "contained"):
        read = _READERS.get(text(inner, "resourceType"))
        if read is None or _is_member(holder, inner):
            continue
        other = _stranger_within(builder, contents, holder, inner)
        part = item.within(inner, "" if kind in _LISTS else CONTAINED)
        if other is not None:
            builder.ignore(item.source, other.why)
            if other.certain:
                continue
            _note_strange(builder, part, other)
        if other is None or text(inner, "resourceType") not in _OF_SUBJECT_ALONE:
            read(builder, part)


def _stranger_within(builder: RecordBuilder, contents: Contents, holder: Json, inner: Json) -> OtherSubject | None:
    """Return why a contained resource is not the patient's; one that names nobody is about whom its holder is."""
    key = subject_key(text(inner, "resourceType"))
    if inner.get(key) is not None:
        return other_subject(builder.patient, {**inner, "contained": holder["contained"]}, contents, key)
    return other_subject(builder.patient, holder, contents, subject_key(text(holder, "resourceType")))


def _is_member(holder: Json, inner: Json) -> bool:
    """Whether it is a result that the reader of its report or panel reads itself."""
    listed = [*children(holder, "result"), *children(holder, "hasMember")]
    name = "#" + text(inner, "id")
    return text(inner, "resourceType") == "Observation" and any(text(each, "reference") == name for each in listed)
