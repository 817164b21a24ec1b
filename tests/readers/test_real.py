"""Every file of real and example records: a Record or a clear error, and what counting by hand says."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from precaution.errors import InputError, MixedPatients, NoPatient, PrecautionError, WrongRelease
from precaution.knowledge.terminology import Concept, Terminology, build
from precaution.readers import read, read_resources
from precaution.values.record import Record
from support.fhir_builders import Json

SHARED = Path(__file__).resolve().parents[3] / "shared"
DATA, CODES = SHARED / "data", SHARED / "clinical/codes"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the shared records are not here")

FILES = sorted(path for path in DATA.rglob("*") if path.name.endswith((".json", ".ndjson"))) if DATA.exists() else []


def _terms() -> Terminology:
    units = {"lab_hemoglobin": "g/dL", "lab_alt": "U/L", "lab_ast": "U/L", "lab_wbc": "10*9/L", "lab_ldl": "mg/dL"}
    lists: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(CODES.glob("[a-z]*.csv")):
        with path.open(encoding="utf-8") as file:
            lists[path.stem] = [(row["system"], row["code"]) for row in csv.DictReader(file)]
    answers = tuple(name for name in lists if name.startswith("smoking_") and not name.endswith("question"))
    known = {
        name: Concept(
            name=name,
            unit=units.get(name, ""),
            words=("tubercul",) if name == "tb_active" else (),
            answers=answers if name == "smoking_status_question" else (),
        )
        for name in lists
    }
    return build(lists, known)


@pytest.fixture(scope="module")
def terms() -> Terminology:
    return _terms()


@pytest.fixture(scope="module")
def people() -> dict[str, list[Json]]:
    """The Synthea patients, from one file for each resource type."""
    found: dict[str, list[Json]] = {}
    for path in FILES:
        if path.parent.name.startswith("synthea"):
            for line in path.read_text().splitlines():
                resource: dict[str, Any] = json.loads(line)
                subject = resource.get("subject") or resource.get("patient") or {}
                name = resource["id"] if resource["resourceType"] == "Patient" else subject.get("reference", "/x")
                found.setdefault(name.rpartition("/")[2], []).append(resource)
    return {name: all_ for name, all_ in found.items() if any(each["resourceType"] == "Patient" for each in all_)}


def test_every_file_is_read_or_refused(terms: Terminology) -> None:
    counts: dict[str, int] = {}
    for path in FILES:
        try:
            read(path, terms, {})
            kind = "read"
        except PrecautionError as error:
            kind = type(error).__name__
        counts[kind] = counts.get(kind, 0) + 1
    assert counts["read"] > 100
    assert set(counts) <= {"read", "NoPatient", "MixedPatients", "InputError", "WrongRelease"}


def test_every_folder_of_a_quality_measure_is_one_patient(terms: Terminology) -> None:
    folders = sorted(folder for folder in (DATA / "ecqm-qicore").glob("*/*") if folder.is_dir())
    mixed = 0
    for folder in folders:
        try:
            assert read(folder, terms, {}).birth is not None
        except MixedPatients:
            mixed += 1
    assert len(folders) == 48
    assert mixed == 1  # one observation of CMS347 names the patient of another folder


def test_known_files(terms: Terminology) -> None:
    for name, error in (
        ("bundles/0-practitionerInformation1625911868739.json", NoPatient),
        ("synthea-v2.7-ndjson/Patient.000.ndjson", MixedPatients),
        ("validator-cases/xver-immunization-r5.json", WrongRelease),
        ("cds-hooks/cqf-ruler/opioidcds-04-request.json", NoPatient),
        ("validator-cases/json-comma-bad-1.json", InputError),
    ):
        with pytest.raises(error):
            read(DATA / name, terms, {})


def test_synthea_bundles(terms: Terminology) -> None:
    for path in (DATA / "bundles").glob("*-*-*-*-*.json"):
        whole = json.loads(path.read_text())
        found = read(path, terms, {})
        assert {"condition", "result", "immunization"} <= found.lists
        assert not found.ignored
        assert read_resources([whole], terms, {}) == found
        whole["entry"].reverse()
        assert read_resources([whole], terms, {}) == found
        assert read_resources([whole, whole], terms, {}) == found


def test_synthea_patients_agree_with_counting_by_hand(terms: Terminology, people: dict[str, list[Json]]) -> None:
    assert len(people) == 35
    for resources in people.values():
        found = read_resources(resources, terms, {})
        for name, loinc in (("lab_hemoglobin", "718-7"), ("lab_alt", "1742-6")):
            assert {each.source for each in found.entries.get(name, ())} == {
                f"Observation/{each['id']}"
                for each in resources
                if each["resourceType"] == "Observation"
                and each["code"]["coding"][0]["code"] == loinc
                and each["status"] == "final"
            }
        assert all(entry.upper is None for each in found.entries.values() for entry in each)


def test_order_and_other_resources_change_nothing(terms: Terminology, people: dict[str, list[Json]]) -> None:
    for resources in list(people.values())[:8]:
        expected: Record = read_resources(resources, terms, {})
        assert read_resources(resources[::-1], terms, {}) == expected
        extra = [{"resourceType": "Claim", "id": "c"}, {"resourceType": "Encounter", "id": "e"}]
        assert read_resources([*resources[10:], *extra, *resources[:10]], terms, {}) == expected
