"""Condition -> entries: statuses, doubts by words, and lists that are said to be empty."""

from __future__ import annotations

import pytest

from precaution.readers.codes import normal_code, system_name
from precaution.values.interval import Interval
from precaution.values.record import UNREADABLE, Unrecognised
from support.fhir_builders import (
    ABSENT,
    CLOT,
    CVX,
    ICD,
    RXNORM,
    SNOMED,
    code,
    coding,
    concept,
    condition,
    day,
    entries,
    ignored,
    immunization,
    only,
    procedure,
    record,
    statement,
    status,
)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("active", "active"),
        ("recurrence", "active"),
        ("relapse", "active"),
        ("inactive", "ended"),
        ("remission", "ended"),
        ("resolved", "ended"),
        ("nonsense", "unknown"),
    ],
)
def test_clinical_status(word: str, expected: str) -> None:
    assert only(condition(clinicalStatus=status(word))).status == expected


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {},
        [],
        5,
        "odd",
        {"coding": "active"},
        {"coding": [None, {"code": 4}]},
        concept(coding("x", "active"), coding("x", "resolved")),
    ],
)
def test_clinical_status_that_can_not_be_read(broken: object) -> None:
    entry = only(condition(clinicalStatus=broken))
    assert (entry.status, entry.says) == ("unknown", "no clinical status")
    assert only(condition(clinicalStatus=broken, abatementDateTime="2024-06-01")).status in ("ended", "unknown")


def test_status_as_text() -> None:
    assert only(condition(clinicalStatus={"text": "Resolved"})).status == "ended"


@pytest.mark.parametrize(
    ("word", "certainty"),
    [
        ("confirmed", "certain"),
        ("provisional", "suspected"),
        ("differential", "suspected"),
        ("unconfirmed", "suspected"),
        ("nonsense", "suspected"),
    ],
)
def test_verification(word: str, certainty: str) -> None:
    assert only(condition(verificationStatus=status(word))).certainty == certainty


def test_verification_left_out_is_certain() -> None:
    assert only(condition(verificationStatus=None)).certainty == "certain"


def test_refuted_does_not_count_but_shows_a_list() -> None:
    refuted = condition(verificationStatus=status("refuted"))
    assert entries(refuted) == []
    assert ignored(refuted) == [("Condition/condition", "refuted")]
    assert record(refuted).lists == {"condition"}


def test_refuted_and_confirmed_at_once_is_a_doubt() -> None:
    both = concept(coding("x", "refuted"), coding("x", "confirmed"))
    assert only(condition(verificationStatus=both)).certainty == "suspected"


def test_entered_in_error_equals_absent() -> None:
    wrong = condition(verificationStatus=status("entered-in-error"))
    assert entries(wrong) == []
    assert ignored(wrong) == [("Condition/condition", "entered-in-error")]
    assert record(wrong).lists == frozenset()


def test_days() -> None:
    entry = only(
        condition(
            onsetDateTime="2024-05",
            abatementDateTime="2024-07-02",
            recordedDate="2024-06-01",
            clinicalStatus=status("resolved"),
        )
    )
    assert entry.start == Interval(day("2024-05-01"), day("2024-05-31"))
    assert entry.end == Interval(day("2024-07-02"), day("2024-07-02"))
    assert entry.recorded == Interval(day("2024-06-01"), day("2024-06-01"))
    assert entry.says == "resolved"


def test_recorded_does_not_stand_in_for_onset() -> None:
    entry = only(condition(onsetDateTime=None, recordedDate="2024-06-01"))
    assert entry.start is None
    assert entry.recorded is not None


@pytest.mark.parametrize(
    ("elements", "ended", "end"),
    [
        ({"abatementDateTime": "2024-07-02"}, True, "2024-07-02"),
        ({"abatementPeriod": {"start": "2024-07-01", "end": "2024-07-02"}}, True, "2024-07-02"),
        ({"abatementPeriod": {"start": "2024-07-02"}}, True, "2024-07-02"),
        ({"abatementBoolean": True}, True, None),
        ({"abatementBoolean": False}, False, None),
        ({"abatementString": "around Easter"}, True, None),
        ({"abatementDateTime": "soon"}, True, None),
        ({}, False, None),
    ],
)
def test_abatement(elements: dict[str, object], end: str | None, *, ended: bool) -> None:
    entry = only(condition(clinicalStatus=None, **elements))
    assert (entry.status == "ended") is ended
    assert entry.end == (Interval(day(end), day(end)) if end else None)


def test_onset_at_an_age() -> None:
    entry = only(condition(onsetDateTime=None, onsetAge={"value": 50, "code": "a"}))
    assert entry.start is not None
    assert entry.start.low <= day("2010-02-03") < day("2011-02-02") <= entry.start.high


@pytest.mark.parametrize(
    "elements", [{"onsetString": "long ago"}, {"onsetRange": {"low": {"value": 3}}}, {"onsetDateTime": "longago"}]
)
def test_onset_that_is_no_date_is_noted(elements: dict[str, object]) -> None:
    entry = only(condition(**{"onsetDateTime": None, **elements}))
    assert entry.start is None
    assert "onset" in entry.note


# Codes


@pytest.mark.parametrize(
    "system",
    [
        "http://snomed.info/sct",
        "https://snomed.info/sct",
        "http://snomed.info/sct/",
        "urn:oid:2.16.840.1.113883.6.96",
        "2.16.840.1.113883.6.96",
        "HTTP://SNOMED.INFO/SCT",
        " http://snomed.info/sct ",
        "http://snomed.info/sct|http://snomed.info/sct/900000000000207008",
        "http://snomed.info/sct/900000000000207008",
    ],
)
def test_every_way_to_write_a_code_system(system: str) -> None:
    assert system_name(system) == "SNOMED"
    assert only(condition(code=code(system, " 128053003 "))).concept == "clot"


@pytest.mark.parametrize(
    ("system", "written"),
    [
        (ICD, "I26.99"),
        (ICD, "I2699"),
        (ICD, "i2699"),
        (ICD, "I26"),
        ("http://hl7.org/fhir/sid/icd-10", "I26.9"),
        ("http://hl7.org/fhir/sid/icd-10", "I26.9+"),
        ("urn:oid:2.16.840.1.113883.6.90", "I26"),
        ("http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-diagnosis-icd10", "I2699"),
    ],
)
def test_icd_10_with_and_without_its_dot(system: str, written: str) -> None:
    assert only(condition(code=code(system, written))).concept == "clot"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://hl7.org/fhir/sid/icd-10-cm", "ICD10CM"),
        ("urn:oid:2.16.840.1.113883.6.90", "ICD10CM"),
        ("http://hl7.org/fhir/sid/icd-10", "ICD10"),
        ("urn:oid:2.16.840.1.113883.6.3", "ICD10"),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm|2025", "ICD10GM"),
        ("http://fhir.de/CodeSystem/dimdi/icd-10-gm", "ICD10GM"),
        ("urn:oid:1.2.276.0.76.5.409", "ICD10GM"),
        ("http://hl7.org/fhir/sid/icd-9-cm", ""),
    ],
)
def test_editions_of_icd_10_are_told_apart(url: str, name: str) -> None:
    assert system_name(url) == name


@pytest.mark.parametrize("system", ["ICD10CM", "ICD10", "ICD10GM"])
def test_every_edition_is_read_with_and_without_its_dot(system: str) -> None:
    assert normal_code(system, "a162") == "A16.2"
    assert normal_code(system, "A16.2+") == "A16.2"


def test_prefixes_do_not_reach_too_far() -> None:
    assert only(condition(code=code(ICD, "Z8671"))).concept == "old_clot"
    assert normal_code("ICD10CM", "Z8671") == "Z86.71"
    assert entries(condition(code=code(ICD, "Z87.1"))) == []


def test_a_code_above_a_listed_one_may_mean_it() -> None:
    assert only(condition(code=code(ICD, "Z86.7"))).certainty == "mentioned"
    assert only(condition(code=code(ICD, "Z86"))).concept == "old_clot"


def test_all_codings_count() -> None:
    both = concept(coding("http://local", "17"), coding(ICD, "A15.0"), coding(SNOMED, "128053003"))
    assert {entry.concept for entry in entries(condition(code=both))} == {"consumption", "clot"}


def test_only_the_matched_code_counts_not_the_words_beside_it() -> None:
    assert only(condition(code=concept(coding(SNOMED, "128053003"), text="no tuberculosis"))).concept == "clot"


@pytest.mark.parametrize(
    "wrong",
    [
        code(SNOMED, "718-7"),
        code("http://loinc.org", "128053003"),
        code("http://example.org", "128053003"),
        code(SNOMED, "128053003x"),
    ],
)
def test_a_code_of_another_system_is_not_that_code(wrong: object) -> None:
    assert [entry.certainty for entry in entries(condition(code=wrong))] == ["mentioned"]
    assert only(condition(code=wrong)).concept == UNREADABLE["condition"]


def test_a_code_without_a_system_is_a_doubt() -> None:
    found = record(condition(code=code(None, "128053003", "a clot")))
    assert found.entries["clot"][0].certainty == "mentioned"
    assert found.unrecognised == (
        Unrecognised("Condition/condition", "", "128053003", "its code is given without a code system"),
    )
    assert entries(condition(code=code(None, "05", "fracture"))) == []


# Words


@pytest.mark.parametrize(
    "worded",
    [
        code("http://local", "17", "Pulmonary TUBERCULOSIS"),
        concept(text="open tubercu\u200blosis of the lung"),
        code(SNOMED, "154283005", "Tuberculosis"),
        concept(coding("http://local", "17"), text="tubercular meningitis"),
        code(None, "17", "Tuberculosis"),
    ],
)
def test_words_are_a_doubt_and_are_listed(worded: object) -> None:
    found = record(condition(code=worded))
    (entry,) = found.entries["consumption"]
    assert (entry.certainty, entry.says) == ("mentioned", "active")
    assert len(found.unrecognised) == 1
    assert found.lists == {"condition"}


def test_words_of_several_concepts() -> None:
    found = record(condition(code=concept(text="tuberculosis, thrombosis")))
    assert list(found.entries) == ["clot", "consumption"]


@pytest.mark.parametrize(
    "of_others",
    [
        concept(text="Family history of tuberculosis"),
        code("http://local", "1", "FH: tuberculosis"),
        concept(text="exposure to tuberculosis"),
        concept(text="Fracture of arm"),
        code(SNOMED, "65966004", "Fracture"),
        code(ICD, "S52.5"),
        code(ICD, "S525"),
    ],
)
def test_what_is_not_ours_leaves_nothing(of_others: object) -> None:
    found = record(condition(code=of_others))
    assert not found.entries
    assert not found.unrecognised
    assert found.lists == {"condition"}


@pytest.mark.parametrize(
    "unclear",
    [
        None,
        {},
        [],
        "clot",
        {"coding": []},
        {"coding": None},
        {"coding": [{}]},
        {"coding": [None]},
        {"text": " "},
        {"coding": "128053003"},
        {"coding": [{"system": SNOMED, "code": 128053003}]},
        code("http://local", "17"),
        code(SNOMED, "233604007"),
        code(ICD, "A1X"),
        concept(text="結核"),
        concept(text="unknown"),
        {"text": 5},
        code("http://local", "17", "\u200b"),
    ],
)
def test_what_can_not_be_understood_may_be_anything(unclear: object) -> None:
    entry = only(condition(code=unclear))
    assert (entry.concept, entry.certainty) == (UNREADABLE["condition"], "mentioned")
    assert len(record(condition(code=unclear)).unrecognised) == 1


def test_free_text_never_comes_out() -> None:
    odd = concept(coding("see Jane Doe", "Jane Doe"), text="Jane Doe has tuberculosis")
    found = record(condition(code=odd, clinicalStatus=concept(text="Jane")))
    assert "Jane" not in str(found)
    assert found.unrecognised[0].code == ""


# Lists


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        (condition(code=code(ABSENT, "no-known-problems")), "condition"),
        (condition(code=code(SNOMED, "160245001", "No current problems or disability")), "condition"),
        (statement(medicationCodeableConcept=code(ABSENT, "no-known-medications")), "medication"),
        (immunization(vaccineCode=code(ABSENT, "no-known-immunizations")), "immunization"),
        (procedure(code=code(ABSENT, "no-known-procedures")), "procedure"),
    ],
)
def test_lists_that_are_empty(resource: dict[str, object], kind: str) -> None:
    found = record(resource)
    assert found.lists == {kind}
    assert not found.entries
    assert not found.unrecognised


@pytest.mark.parametrize(
    "resource",
    [
        condition(code=code(ABSENT, "no-problem-info")),
        statement(medicationCodeableConcept=code(ABSENT, "no-medication-info")),
    ],
)
def test_no_information_is_no_list(resource: dict[str, object]) -> None:
    found = record(resource)
    assert not found.lists
    assert not found.entries


@pytest.mark.parametrize(
    ("section", "reason", "more", "lists"),
    [
        ("11450-4", "nilknown", {}, {"condition"}),
        ("10160-0", "nilknown", {}, {"medication"}),
        ("11369-6", "nilknown", {}, {"immunization"}),
        ("47519-4", "nilknown", {}, {"procedure"}),
        ("11450-4", "unavailable", {}, set()),
        ("11450-4", "nilknown", {"entry": [{"item": {"reference": "x"}}]}, set()),
        ("48765-2", "nilknown", {}, set()),
    ],
)
def test_lists_and_sections_that_say_why_they_are_empty(
    section: str, reason: str, more: dict[str, object], lists: set[str]
) -> None:
    why = code("http://x/list-empty-reason", reason)
    part = {"code": code("http://loinc.org", section), "emptyReason": why, **more}
    whole = {"resourceType": "List", "status": "current", "mode": "snapshot", **part}
    document = {"resourceType": "Composition", "status": "final", "section": [{"title": "x", "section": [part]}]}
    assert record(whole).lists == lists
    assert record(document).lists == lists
    assert not record({**whole, "status": "entered-in-error"}).lists
    assert not record({**document, "status": "entered-in-error"}).lists


def test_other_kinds_make_their_own_lists() -> None:
    assert record(
        condition(code=CLOT),
        immunization(vaccineCode=code(CVX, "207", "other vaccine")),
        statement(medicationCodeableConcept=code(RXNORM, "1191")),
    ).lists == {"condition", "immunization", "medication"}
