"""What the first pass drops is what the readers take nothing from, whatever stands in the rest of the resource."""

from __future__ import annotations

import pytest

from precaution.cohort.sort.irrelevant import Irrelevance
from support.fhir_builders import (
    ICD,
    LOINC,
    RXNORM,
    SNOMED,
    TERMS,
    code,
    condition,
    immunization,
    observation,
    procedure,
    record,
    request,
)

COUNT = {"value": 0.4, "unit": "10*9/L", "system": "http://unitsofmeasure.org", "code": "10*9/L"}
LOCAL = "http://local"
ZOSTER = code(ICD, "A15.0")


def drops(resource: dict[str, object]) -> bool:
    return Irrelevance(TERMS).says_nothing(str(resource["resourceType"]), resource)


@pytest.mark.parametrize(
    "resource",
    [
        observation(code=code(LOINC, "26507-4"), valueQuantity=COUNT),
        observation(code=code(LOCAL, "N"), valueQuantity=COUNT),
        observation(code=code(LOCAL, "S", "Segmentierte"), valueQuantity=COUNT),
        observation(code=code(SNOMED, "365632008"), valueQuantity=COUNT),
        observation(code=code(LOINC, "2160-0"), valueQuantity=None, valueCodeableConcept=ZOSTER),
        observation(code=code(LOINC, "2160-0"), valueQuantity=None, valueString="tuberculosis"),
        observation(
            code=code(LOINC, "2160-0"),
            valueQuantity=None,
            component=[{"code": code(LOCAL, "N"), "valueQuantity": COUNT}],
        ),
        observation(
            code=code(LOINC, "2160-0"),
            valueQuantity=None,
            component=[{"code": code(LOINC, "2160-0"), "valueCodeableConcept": ZOSTER}],
        ),
        condition(code=code(ICD, "I80.3")),
        condition(code=code(ICD, "M54.5"), evidence=[{"code": [ZOSTER]}]),
        procedure(code=code(SNOMED, "80146002", "Appendectomy"), reasonCode=[ZOSTER]),
        procedure(code=code(SNOMED, "80146002", "Appendectomy"), complication=[ZOSTER]),
        request(medicationCodeableConcept=code(RXNORM, "1191"), reasonCode=[ZOSTER]),
        request(medicationCodeableConcept=code(RXNORM, "1192")),
        immunization(vaccineCode=code("http://hl7.org/fhir/sid/cvx", "399", "New one")),
    ],
)
def test_a_doubt_is_not_dropped(resource: dict[str, object]) -> None:
    assert record(resource).entries
    assert not drops(resource)


@pytest.mark.parametrize(
    "resource",
    [
        observation(code=code(LOINC, "2160-0"), valueQuantity=COUNT),
        observation(code=code(SNOMED, "50373000"), valueQuantity=COUNT),
        observation(code=code(LOCAL, "P", "Platelets"), valueQuantity=COUNT),
        observation(code=code(LOINC, "2160-0"), valueQuantity=None, valueString="normal"),
        condition(code=code(ICD, "M54.5")),
        procedure(code=code(SNOMED, "80146002", "Appendectomy"), reasonCode=[code(ICD, "M54.5")]),
        request(medicationCodeableConcept=code(RXNORM, "1191")),
    ],
)
def test_what_is_known_not_to_matter_is_dropped(resource: dict[str, object]) -> None:
    found = record(resource)
    assert not found.entries
    assert not found.unrecognised
    assert drops(resource)
