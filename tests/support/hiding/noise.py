"""Entries that carry no information: with any of them the answer is the same to the letter."""

from __future__ import annotations

from collections.abc import Callable

from support.hiding.kit import Json, Patient

Noise = Callable[[Patient], list[Json]]
NOISE: dict[str, Noise] = {}
"""Each by its name; it returns the resources that are added to a patient."""


def noise(make: Noise) -> Noise:
    NOISE[make.__name__] = make
    return make


def _subject(patient: Patient) -> Json:
    return {"reference": f"Patient/{patient.resources[0]['id']}"}


def _if_listed(patient: Patient, kind: str, *made: Json) -> list[Json]:
    """Return the resources where the patient has others of the type: the first one of all shows that a list is kept."""
    return list(made) if any(each["resourceType"] == kind for each in patient.resources) else []


def _plain(kind: str, **more: object) -> Json:
    return {"resourceType": kind, "id": f"noise-{kind.lower()}", **more}


@noise
def body_height(patient: Patient) -> list[Json]:
    code = {"coding": [{"system": "http://loinc.org", "code": "8302-2", "display": "Body height"}]}
    value = {"value": 170, "unit": "cm", "code": "cm", "system": "http://unitsofmeasure.org"}
    made = _plain("Observation", status="final", code=code, subject=_subject(patient), valueQuantity=value)
    return _if_listed(patient, "Observation", made | {"effectiveDateTime": "2025-01-01"})


@noise
def sprained_ankle(patient: Patient) -> list[Json]:
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "44465007", "display": "Sprain of ankle"}]}
    return _if_listed(patient, "Condition", _plain("Condition", code=code, subject=_subject(patient)))


@noise
def allergy_to_penicillin(patient: Patient) -> list[Json]:
    code = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "7980"}]}
    return [_plain("AllergyIntolerance", code=code, patient=_subject(patient))]


@noise
def people_and_places(patient: Patient) -> list[Json]:
    return [_plain(kind) for kind in ("Practitioner", "Organization", "Location", "PractitionerRole", "CareTeam")]


@noise
def disease_of_a_relative(patient: Patient) -> list[Json]:
    code = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "Z82.49"}]}
    made = _plain(
        "FamilyMemberHistory", status="completed", relationship={"text": "mother"}, condition=[{"code": code}]
    )
    return [made | {"patient": _subject(patient)}]


@noise
def result_of_a_group(patient: Patient) -> list[Json]:
    code = {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}
    made = _plain("Observation", status="final", code=code, subject={"reference": "Group/herd"})
    return [made, _plain("Group", type="person", actual=True)]


@noise
def visit_without_a_reason(patient: Patient) -> list[Json]:
    ambulatory = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
    return [_plain("Encounter", status="finished", subject=_subject(patient), **{"class": ambulatory})]


@noise
def papers(patient: Patient) -> list[Json]:
    return [
        _plain(kind) for kind in ("Provenance", "AuditEvent", "Coverage", "Consent", "DocumentReference", "Account")
    ]


@noise
def message_of_the_server(patient: Patient) -> list[Json]:
    return [_plain("OperationOutcome", issue=[{"severity": "information", "code": "informational"}])]


@noise
def result_entered_in_error(patient: Patient) -> list[Json]:
    code = {"coding": [{"system": "http://loinc.org", "code": "751-8"}]}
    return [_plain("Observation", status="entered-in-error", code=code, subject=_subject(patient))]


@noise
def copies_of_all(patient: Patient) -> list[Json]:
    return [dict(each) for each in patient.resources]


def with_narratives(patient: Patient) -> list[Json]:
    """Return all resources with a narrative and with labels of where they come from."""
    said = {"text": {"status": "generated", "div": "<div>tuberculosis, thrombosis</div>"}, "language": "en"}
    source = {"meta": {"source": "https://hospital.invalid", "profile": ["https://hospital.invalid/p"]}}
    return [{**each, **said, **source} for each in patient.resources]
