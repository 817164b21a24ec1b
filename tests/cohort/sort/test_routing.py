"""Lines of bulk FHIR: whose they are, what is passed over, and that passing over changes no answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.cohort.sort.irrelevant import Irrelevance
from precaution.cohort.sort.owner import READ, UNREAD, identifiers_of_subject, owner, stand_ins
from precaution.cohort.sort.routing import Router, parts_of
from precaution.readers import fhir, read_resources
from precaution.readers.bundle_queries import (
    duplicates,
    flattened,
    has_undated_result,
    patient_identifiers,
    referenced_ids,
    resource_names,
)
from precaution.readers.resource_types import R4
from support.ndjson_sources import LABEL, Json, resources_of
from support.project import PROJECT

IRRELEVANCE = Irrelevance(LABEL.terminology)
PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01"}
BMI = {
    "coding": [{"system": "http://loinc.org", "code": "39156-5", "display": "Body mass index"}],
    "text": "BMI [kg/m2]",
}
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "code": BMI,
    "subject": {"reference": "Patient/p"},
    "effectiveDateTime": "2025-01-01",
}


def placed(resource: object, router: Router | None = None) -> list[tuple[str, str]]:
    line = resource if isinstance(resource, bytes) else json.dumps(resource).encode()
    return [(route.to, route.key) for route, _ in (router or Router(IRRELEVANCE)).routes_of(line)]


def of(reference: object, kind: str = "Condition", key: str = "subject") -> Json:
    return {"resourceType": kind, "id": "x", key: reference}


# Types


def test_every_type_that_a_reader_looks_at_is_read_and_no_other() -> None:
    helpers = {"Medication", "Substance", "Patient", "Bundle", "OperationOutcome", "Parameters"}
    assert set(fhir._READERS) | helpers == READ
    assert READ | UNREAD == R4


@pytest.mark.parametrize("kind", sorted(UNREAD))
def test_a_type_that_is_passed_over_changes_no_record(kind: str) -> None:
    other = {
        "resourceType": kind,
        "id": "x",
        "status": "active",
        "subject": {"reference": "Patient/p"},
        "patient": {"reference": "Patient/p"},
        "code": BMI,
        "result": [{"reference": "Observation/o"}],
    }
    terms = LABEL.terminology, LABEL.asks
    assert read_resources([PATIENT, OBSERVATION, other], *terms) == read_resources([PATIENT, OBSERVATION], *terms)
    assert placed(other) == [("unread", "")]


# Whose


@pytest.mark.parametrize(
    ("subject", "about", "key"),
    [
        ({"reference": "Patient/p"}, "patient", "p"),
        ({"reference": "Patient/p/_history/3"}, "patient", "p"),
        ({"reference": "https://server/fhir/Patient/p"}, "patient", "p"),
        ({"reference": " Patient/p "}, "patient", "p"),
        ({"reference": "urn:uuid:p-1"}, "patient", "p-1"),
        ({"reference": "Patient?identifier=urn:x|7"}, "identified", ""),
        ({"identifier": {"system": "urn:x", "value": "7"}}, "identified", ""),
        ({"reference": "Group/g"}, "other", ""),
        ({"reference": "Device/d"}, "other", ""),
        ({"reference": "somebody"}, "nobody", ""),
        ({"reference": 7}, "nobody", ""),
        ({}, "nobody", ""),
        (None, "nobody", ""),
        ("Patient/p", "nobody", ""),
        ([], "nobody", ""),
    ],
)
def test_whose_a_resource_is(subject: object, about: str, key: str) -> None:
    assert placed(of(subject)) == [(about, key)]


def test_an_immunization_names_its_patient_elsewhere() -> None:
    assert placed(of({"reference": "Patient/p"}, "Immunization", "patient")) == [("patient", "p")]
    assert placed(of({"reference": "Patient/p"}, "Immunization")) == [("nobody", "")]


def test_a_subject_that_is_hidden_in_the_resource_is_not_its_subject() -> None:
    assert placed({"resourceType": "Condition", "x": {"subject": {"reference": "Patient/other"}}}) == [("nobody", "")]
    hidden = {
        "resourceType": "Condition",
        "x": {"subject": {"reference": "Patient/q"}},
        **of({"reference": "Patient/p"}),
    }
    assert placed(hidden) == [("patient", "p")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"resourceType":"Condition","subject":{"reference":"Patient/p"},"co', [("patient", "p")]),
        (b'{"resourceType":"Condition","subject":{"refe', [("broken", "")]),
        (b"not json", [("broken", "")]),
        (b'{"resourceType":"Patient","id":"p","name"', [("patient", "p")]),
        (b'{"resourceType":"Claim","id":"e","sta', [("unread", "")]),
        (b'{"resourceType":"Encounter","id":"e","sta', [("broken", "")]),
        (
            b'{"resourceType":"Claim","id":"e"}{"resourceType":"Condition","subject":{"reference":"Patient/p"}}',
            [("patient", "p")],
        ),
        (
            b'{"resourceType":"Condition","subject":{"reference":"Patient/p"}}{"resourceType":"Condition",'
            b'"subject":{"reference":"Patient/q"}}',
            [("patient", "p"), ("patient", "q")],
        ),
        (b'{"resourceType":"Encounter","resource\\u0054ype":"Condition"}', [("broken", "")]),
    ],
)
def test_a_broken_line_goes_to_everybody_it_names(line: bytes, expected: list[tuple[str, str]]) -> None:
    """Two lines stuck together name two patients; no record of either can be whole."""
    assert placed(line) == expected


@pytest.mark.parametrize(
    ("resource", "about"),
    [
        ({"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}, "message"),
        ({"resourceType": "OperationOutcome", "issue": [{"severity": "information"}]}, "unread"),
        ({"transactionTime": "2025", "output": []}, "manifest"),
        ({"exportId": "1", "eventId": "kickoff"}, "unread"),
        ({"id": "x"}, "nobody"),
        (7, "nobody"),
        ({"resourceType": "Patient"}, "nobody"),
        ({"resourceType": "MedicationOrder", "patient": {"reference": "Patient/p"}}, "patient"),
        ({"resourceType": "Medication", "id": "m"}, "shared"),
    ],
)
def test_other_lines(resource: object, about: str) -> None:
    assert [each for each, _ in placed(resource)] == [about]


# Bundles


def bundle(*resources: Json, **more: object) -> Json:
    return {
        "resourceType": "Bundle",
        "type": "collection",
        **more,
        "entry": [{"fullUrl": f"urn:uuid:{each['id']}-url", "resource": each} for each in resources],
    }


def test_a_bundle_of_one_patient_stays_whole() -> None:
    assert placed(bundle(PATIENT, OBSERVATION)) == [("patient", "p")]


def test_a_bundle_of_several_is_taken_apart_and_keeps_its_names() -> None:
    other = {**PATIENT, "id": "q"}
    theirs = {**OBSERVATION, "subject": {"reference": "urn:uuid:q-url"}}
    line = json.dumps(bundle(PATIENT, other, theirs)).encode()
    parts = [(route.key, json.loads(data)) for route, data in Router(IRRELEVANCE).routes_of(line)]
    assert [key for key, _ in parts] == ["p", "q", "q"]
    record = read_resources([part for key, part in parts if key == "q"], LABEL.terminology, LABEL.asks)
    assert record.lists == {"result"}


def test_a_bundle_that_can_not_be_written_again_goes_to_everybody_it_names() -> None:
    other = {**PATIENT, "id": "q"}
    line = json.dumps(bundle(PATIENT, other, OBSERVATION)).replace('"final"', '"final", "x": 1e999').encode()
    assert placed(line) == [("patient", "p")]
    assert placed(b"[" + line + b"]") == [("patient", "p")]


def test_in_a_bundle_of_several_without_addresses_everybody_keeps_what_is_theirs() -> None:
    """Without `fullUrl` a resource is its subject's, and nobody's where it names none."""
    entries = [
        {"resource": {"resourceType": "Patient", "id": "a"}},
        {"resource": {"resourceType": "Condition", "subject": {"reference": "Patient/a"}}},
        {"resource": {"resourceType": "Patient", "id": "b"}},
        {"resource": {"resourceType": "Condition", "subject": {"display": "somebody"}}},
    ]
    line = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
    found = [(route.to, route.key, route.kind) for route, _ in parts_of(line)]
    assert found == [
        ("patient", "a", "Patient"),
        ("patient", "a", "Condition"),
        ("patient", "b", "Patient"),
        ("nobody", "", "Condition"),
    ]


def test_a_page_of_several_patients_says_of_each_that_more_is_to_come() -> None:
    page = bundle(PATIENT, {**PATIENT, "id": "q"}, type="searchset", total=9)
    for _, data in Router(IRRELEVANCE).routes_of(json.dumps(page).encode()):
        assert read_resources([json.loads(data)], LABEL.terminology, LABEL.asks).partial
    whole = bundle(PATIENT, {**PATIENT, "id": "q"}, type="searchset", total=2)
    for _, data in Router(IRRELEVANCE).routes_of(json.dumps(whole).encode()):
        assert not read_resources([json.loads(data)], LABEL.terminology, LABEL.asks).partial


# What says nothing


def test_of_what_says_nothing_one_is_kept_for_each_patient() -> None:
    router = Router(IRRELEVANCE)
    assert [placed({**OBSERVATION, "id": name}, router)[0][0] for name in "abc"] == ["irrelevant", "dropped", "dropped"]
    assert placed({**OBSERVATION, "subject": {"reference": "Patient/q"}}, router) == [("irrelevant", "q")]
    assert placed(OBSERVATION, Router(IRRELEVANCE)) == [("irrelevant", "p")], "another run knows nothing of this one"
    assert placed(OBSERVATION, Router(IRRELEVANCE, keep_all=True)) == [("patient", "p")]


@pytest.mark.parametrize(
    "change",
    [
        {"status": "entered-in-error"},
        {"status": "cancelled"},
        {"status": None},
        {"contained": []},
        {"context": {}},
        {"code": {"text": "BMI"}},
        {"code": None},
        {"code": {"coding": [{"code": "39156-5"}]}},
        {"id": ""},
        {"component": [{"code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}}]},
        {"code": {"coding": [{"system": "http://loinc.org", "code": "718-7", "display": "Hb"}], "text": "Hb"}},
        {"code": {"coding": [{"system": "http://loinc.org", "code": "39156-50", "display": "hepatitis"}], "text": "x"}},
    ],
)
def test_what_may_say_something_is_kept(change: Json) -> None:
    assert placed({**OBSERVATION, **change}) in ([("patient", "p")], [("irrelevant", "p")])
    if change.keys() & {"status", "contained", "context", "component", "id"}:
        assert placed({**OBSERVATION, **change}) == [("patient", "p")]


EXAMPLES = [each for file in sorted((PROJECT / "examples").glob("*.json")) for each in resources_of(file)]


@pytest.mark.parametrize("kind", ["Observation", "Condition", "Procedure", "Immunization", "MedicationRequest"])
def test_without_what_says_nothing_the_record_is_the_same(kind: str) -> None:
    """Of every resource of the examples, alone: told to say nothing, it leaves no more than its list."""
    for each in EXAMPLES:
        if each["resourceType"] == kind and IRRELEVANCE.says_nothing(kind, each):
            key = "patient" if kind == "Immunization" else "subject"
            record = read_resources([PATIENT, {**each, key: {"reference": "Patient/p"}}], LABEL.terminology, LABEL.asks)
            assert not record.entries
            assert not record.unrecognised
            assert not record.ignored
            assert len(record.lists) == 1


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=9)
    | st.sampled_from(
        ["final", "completed", "active", "entered-in-error", "refuted", "718-7", "39156-5", "http://loinc.org"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["coding", "code", "system", "text", "display", "reference"]), inner, max_size=4
        )
    ),
    max_leaves=9,
)
KEYS = [
    "status",
    "code",
    "vaccineCode",
    "medicationCodeableConcept",
    "intent",
    "verificationStatus",
    "clinicalStatus",
    "component",
    "contained",
    "valueQuantity",
    "doNotPerform",
    "modifierExtension",
    "effectiveDateTime",
]


@given(
    kind=st.sampled_from(["Observation", "Condition", "Procedure", "Immunization", "MedicationRequest"]),
    body=st.dictionaries(st.sampled_from(KEYS), JSON | st.just(BMI) | st.sampled_from(["final", "completed", "order"])),
)
def test_whatever_is_told_to_say_nothing_says_nothing(kind: str, body: Json) -> None:
    resource = {"resourceType": kind, "id": "x", **body}
    if IRRELEVANCE.says_nothing(kind, resource):
        record = read_resources([PATIENT, resource], LABEL.terminology, LABEL.asks)
        assert not record.entries
        assert not record.unrecognised
        assert not record.ignored
        assert len(record.lists) == 1


@given(value=JSON | st.dictionaries(st.sampled_from(["resourceType", "id", "subject", "entry", *KEYS]), JSON))
def test_any_json_has_a_place(value: object) -> None:
    for route, data in Router(IRRELEVANCE).routes_of(json.dumps(value).encode()):
        assert route.to
        assert data


@given(st.binary(max_size=60))
def test_any_bytes_have_a_place(line: bytes) -> None:
    assert Router(IRRELEVANCE).routes_of(line)


# What stands for what is lost


@pytest.mark.parametrize(
    ("kind", "listed"),
    [
        ("Condition", "condition"),
        ("Observation", "result"),
        ("MedicationStatement", "medication"),
        ("Immunization", "immunization"),
    ],
)
def test_a_lost_resource_makes_its_list_incomplete(kind: str, listed: str) -> None:
    terms = LABEL.terminology, LABEL.asks
    everything = [each for each in EXAMPLES if each["resourceType"] != "Patient"]
    for each in everything:
        each.pop("subject", None)
        each.pop("patient", None)
    whole = read_resources([PATIENT, *everything], *terms)
    less = read_resources([PATIENT, *everything, *stand_ins(frozenset({kind}), anything=False)], *terms)  # type: ignore[list-item]
    assert whole.lists - less.lists == {listed}
    assert read_resources([PATIENT, *everything, *stand_ins(frozenset(), anything=True)], *terms).partial  # type: ignore[list-item]
    assert stand_ins(frozenset(), anything=False) == []


# What is gathered


def test_what_is_asked_of_gathered_resources() -> None:
    ordered = {
        "resourceType": "MedicationRequest",
        "id": "r",
        "medicationReference": {"reference": "Medication/m/_history/1"},
    }
    both = [bundle(PATIENT, OBSERVATION), ordered]
    assert [each["id"] for each in flattened(both)] == ["p", "o", "r"]
    assert list(referenced_ids(both)) == ["m"]
    assert resource_names(both) == {"Patient/p", "Observation/o", "MedicationRequest/r"}
    assert not has_undated_result(both)
    assert has_undated_result([{"resourceType": "Observation"}])
    assert duplicates([*both, PATIENT, ordered, ordered]) == (1, 2)
    assert patient_identifiers([{**PATIENT, "identifier": [{"system": "s", "value": "7"}]}]) == {
        ("id", "p"),
        ("s", "7"),
    }


def test_identifiers_of_a_subject() -> None:
    assert identifiers_of_subject(of({"reference": "Patient?identifier=urn:x%7C7"})) == {("urn:x", "7")}
    assert identifiers_of_subject(of({"identifier": {"value": "7"}})) == {("", "7")}
    contained = {**of({"reference": "#me"}), "contained": [{"resourceType": "Patient", "id": "me"}]}
    assert owner(contained).to == "identified"
    assert identifiers_of_subject(contained) == {("id", "me")}
