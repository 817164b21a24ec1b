"""Other releases of FHIR are refused by name, with what shows it."""

from __future__ import annotations

import pytest

from precaution.errors import WrongRelease
from precaution.readers import read_resources
from precaution.readers.resource_types import CLINICAL, HELPERS, R4
from support.fhir_builders import (
    ASKS,
    CLOT,
    DRUG,
    TERMS,
    administration,
    bundle,
    condition,
    dispense,
    immunization,
    observation,
    patient,
    procedure,
    record,
    report,
    request,
    response,
    service,
    statement,
)

REF = {"reference": "Encounter/e"}


@pytest.mark.parametrize(
    ("resource", "release", "sign"),
    [
        (condition(context=REF), "STU3", "context"),
        (condition(assertedDate="2024-01-01"), "STU3", "assertedDate"),
        (condition(dateRecorded="2024-01-01"), "DSTU2", "dateRecorded"),
        (condition(clinicalStatus="active"), "STU3", "clinicalStatus"),
        (condition(verificationStatus="refuted"), "STU3", "verificationStatus"),
        (observation(context=REF), "STU3", "context"),
        (observation(comment="x"), "STU3", "comment"),
        (procedure(notDone=True), "STU3", "notDone"),
        (immunization(notGiven=True), "STU3", "notGiven"),
        (immunization(vaccinationProtocol=[]), "STU3", "vaccinationProtocol"),
        (request(context=REF), "STU3", "context"),
        (request(requester={"agent": REF}), "STU3", "requester.agent"),
        (statement(taken="n"), "STU3", "taken"),
        (statement(wasNotTaken=True), "DSTU2", "wasNotTaken"),
        (dispense(notDone=True), "STU3", "notDone"),
        (administration(notGiven=True), "STU3", "notGiven"),
        (response(parent=[REF]), "STU3", "parent"),
        (report(codedDiagnosis=[CLOT]), "STU3", "codedDiagnosis"),
        (patient("q", animal={}), "STU3", "animal"),
        (condition(participant=[]), "R5", "participant"),
        (observation(triggeredBy=[]), "R5", "triggeredBy"),
        (observation(bodyStructure=REF), "R5", "bodyStructure"),
        (procedure(occurrenceDateTime="2024-01-01"), "R5", "occurrenceDateTime"),
        (immunization(informationSource={}), "R5", "informationSource"),
        (request(medication={"concept": DRUG}), "R5", "medication"),
        (statement(adherence={}), "R5", "adherence"),
        (dispense(medication={"concept": DRUG}), "R5", "medication"),
        (administration(occurenceDateTime="2024-01-01"), "R5", "occurenceDateTime"),
        (service(code={"concept": CLOT}), "R5", "code.concept"),
    ],
)
def test_signs(resource: dict[str, object], release: str, sign: str) -> None:
    with pytest.raises(WrongRelease, match=rf"^{resource['resourceType']}/.*{release}.*not R4.*{sign}"):
        record(resource)
    with pytest.raises(WrongRelease):
        record(bundle(bundle(resource)))


@pytest.mark.parametrize(
    ("kind", "release"),
    [
        ("MedicationOrder", "DSTU2"),
        ("DiagnosticOrder", "DSTU2"),
        ("ProcedureRequest", "STU3"),
        ("ReferralRequest", "STU3"),
        ("MedicationUsage", "R5"),
    ],
)
def test_types(kind: str, release: str) -> None:
    with pytest.raises(WrongRelease, match=f"{kind} is FHIR {release}"):
        record({"resourceType": kind, "id": "x"})


@pytest.mark.parametrize(("version", "refused"), [("3.0", True), ("5.0", True), ("1.0", True), ("4.0", False)])
def test_profiles(version: str, *, refused: bool) -> None:
    meta = {"profile": [f"http://hl7.org/fhir/{version}/StructureDefinition/Patient", 5]}
    for source in (patient(meta=meta), bundle(patient(), meta=meta)):
        if refused:
            with pytest.raises(WrongRelease, match="meta.profile"):
                read_resources([source], TERMS, ASKS)
        else:
            assert read_resources([source], TERMS, ASKS)


@pytest.mark.parametrize(
    "resource",
    [
        condition(encounter=REF, context=None),
        statement(context=REF),
        dispense(context=REF),
        administration(context=REF),
        observation(encounter=REF, component=[]),
        request(encounter=REF, requester=REF),
        immunization(reasonCode=[CLOT]),
        condition(clinicalStatus="odd"),
        service(code=CLOT),
    ],
)
def test_r4_is_not_refused(resource: dict[str, object]) -> None:
    assert record(resource)


def test_the_types_of_r4() -> None:
    assert len(R4) == 146
    assert CLINICAL | HELPERS <= R4
