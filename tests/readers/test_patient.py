"""What is read of a patient for the strata of an audit alone: sex and site. No decision looks at either."""

from __future__ import annotations

import pytest

from precaution import assess, load_label
from precaution.readers import read_resources
from precaution.values.record import Record
from support.project import PROJECT

LABEL = load_label("baricitinib")


def patient(**more: object) -> dict[str, object]:
    return {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01", **more}


def read(*resources: dict[str, object]) -> Record:
    return read_resources(list(resources), LABEL.terminology, LABEL.asks)


@pytest.mark.parametrize(
    ("gender", "sex"),
    [
        ("female", "female"),
        ("male", "male"),
        ("other", "other"),
        ("unknown", ""),
        ("F", ""),
        (7, ""),
        (None, ""),
    ],
)
def test_sex_is_one_of_the_words_or_not_known(gender: object, sex: str) -> None:
    assert read(patient(gender=gender)).sex == sex


@pytest.mark.parametrize(
    ("reference", "site"),
    [
        ("Organization/site-1", "site-1"),
        ("https://ehr.example/fhir/Organization/7", "7"),
        ("Organization/7/_history/2", "7"),
        ("urn:uuid:9c1e-4", "9c1e-4"),
        ("", ""),
        ("Organization/a b", ""),
        ("Organization?identifier=x|y", ""),
        ("#inner", ""),
        ("Practitioner/7", ""),
        ("Organization/" + "x" * 65, ""),
    ],
)
def test_the_site_is_an_id_and_nothing_else(reference: str, site: str) -> None:
    assert read(patient(managingOrganization={"reference": reference, "display": "Clinic of Dr. Secret"})).site == site


@pytest.mark.parametrize("other", ["Organization/1", ["Organization/1"], None, {"display": "Clinic"}])
def test_what_is_no_reference_is_no_site(other: object) -> None:
    assert read(patient(managingOrganization=other)).site == ""


def test_versions_that_differ_leave_it_open() -> None:
    first = patient(gender="male", managingOrganization={"reference": "Organization/1"})
    second = {**first, "gender": "female", "meta": {"versionId": "2"}}
    found = read(first, second)
    assert (found.sex, found.site) == ("", "1")


def test_no_decision_looks_at_either() -> None:
    import json

    resources = json.loads((PROJECT / "examples" / "restricted.json").read_text(encoding="utf-8"))
    before = assess([resources], today="2025-03-01")
    for entry in resources["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["resource"].update(gender="male", managingOrganization={"reference": "Organization/9"})
    assert assess([resources], today="2025-03-01") == before
