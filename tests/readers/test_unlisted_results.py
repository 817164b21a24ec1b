"""Results whose code no list has: told by words, by the code or by the unit, or known to be of another test."""

from __future__ import annotations

import pytest

from support.fhir_builders import (
    ICD,
    LOINC,
    RXNORM,
    SNOMED,
    code,
    condition,
    entries,
    observation,
    only,
    record,
    request,
)

COUNT = {"value": 0.4, "unit": "10*9/L", "system": "http://unitsofmeasure.org", "code": "10*9/L"}
LOCAL = "http://local"


def given(unit: str, value: float = 0.4) -> dict[str, object]:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


@pytest.mark.parametrize(
    ("of", "why"),
    [
        (code(SNOMED, "365632008", "Finding of neutrophil count"), "only its words speak of it"),
        (code(LOCAL, "N", "Neutrophils, absolute"), "only its words speak of it"),
        (code(LOINC, "99999-8", "Neutrophils by a new method"), "only its words speak of it"),
        (code(LOINC, "26507-4"), "no list has its code, which may mean it"),
        (code(SNOMED, "365632008"), "no list has its code, and its unit may be of it"),
        (code(LOCAL, "N"), "no list has its code, and its unit may be of it"),
        (code(LOCAL, "S", "Segmentierte"), "no list has its code, and its unit may be of it"),
        ({}, "no list has its code, and its unit may be of it"),
    ],
)
def test_a_result_that_may_be_of_a_test_is_a_doubt_of_it(of: object, why: str) -> None:
    found = record(observation(code=of, valueQuantity=COUNT))
    (entry,) = found.entries["count"]
    assert (entry.certainty, entry.value, entry.note) == ("mentioned", None, why)
    assert [each.why for each in found.unrecognised] == [why]


@pytest.mark.parametrize(
    ("of", "quantity"),
    [
        (code(LOINC, "2160-0", "neutrophil creatinine"), COUNT),  # of a whole edition, and of no list
        (code(SNOMED, "50373000", "neutrophil height"), COUNT),  # known to be irrelevant
        (code(LOCAL, "P", "Platelets"), COUNT),  # names another test
        (code(LOCAL, "N", "Neutrophils"), given("mg/dL")),  # a unit that can't be of it
        (code(LOINC, "26507-4"), given("mg/dL")),
        (code(LOCAL, "N"), given("mg/dL")),
        (code(LOCAL, "N"), given("10*9/L", 900)),  # more than anybody has
        (code(LOCAL, "N"), {"value": 0.4}),
        (code(LOCAL, "N"), None),
    ],
)
def test_another_test_or_an_impossible_unit_is_none(of: object, quantity: object) -> None:
    found = record(observation(code=of, valueQuantity=quantity))
    assert not found.entries
    assert not found.unrecognised


def test_a_unit_that_nobody_knows_takes_no_doubt_away() -> None:
    assert only(observation(code=code(LOCAL, "N", "Neutrophils"), valueQuantity=given("furlong"))).concept == "count"


@pytest.mark.parametrize("name", ["valueCodeableConcept", "valueString"])
def test_what_an_examination_found_is_a_mention(name: str) -> None:
    value: object = "Tuberculosis of lung" if name == "valueString" else code(ICD, "A15.0")
    entry = only(observation(code=code(LOINC, "29308-4", "Diagnosis"), **{name: value}))
    assert (entry.concept, entry.certainty) == ("consumption", "mentioned")


def test_an_outcome_of_another_test_is_no_finding() -> None:
    assert entries(observation(code=code(LOINC, "2160-0"), valueCodeableConcept=code(SNOMED, "10828004"))) == []


def test_a_component_is_told_alike() -> None:
    parts = [{"code": code(LOCAL, "N", "Neutrophils"), "valueQuantity": COUNT}, {"code": code(LOCAL, "P", "Platelets")}]
    assert only(observation(code=code(LOCAL, "panel", "Platelets etc."), component=parts)).concept == "count"


# Other kinds of entries


def test_a_drug_code_on_no_list_is_none_only_where_it_is_known() -> None:
    assert entries(request(medicationCodeableConcept=code(RXNORM, "1191"))) == []
    assert only(request(medicationCodeableConcept=code(RXNORM, "1192"))).concept == "unreadable-medication"
    assert entries(request(medicationCodeableConcept=code(RXNORM, "1192", "Aspirin"))) == []


@pytest.mark.parametrize(
    "system", ["ICD-10-CM", "http://hl7.org/fhir/sid/icd-10-nl", "urn:icd10", "https://smt.example/cim-10"]
)
def test_names_and_other_addresses_of_a_code_system_are_known(system: str) -> None:
    assert only(condition(code=code(system, "A15.0"))).certainty == "certain"


def test_codes_of_procedures_are_none_of_diseases() -> None:
    assert only(condition(code=code("http://hl7.org/fhir/sid/icd-10-pcs", "A15"))).concept == "unreadable-condition"
