"""The lines of a case as FHIR resources, and that they come out of the reader as they were meant."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.cases.lines import code_of, resources
from precaution.errors import KnowledgeError
from precaution.readers import read_resources
from precaution.values.interval import below, exactly
from precaution.values.record import Entry, Record
from support.fhir_builders import ASKS, TERMS, day


def made(*lines: str) -> list[dict[str, Any]]:
    return resources(lines, TERMS, ASKS)


def record(*lines: str) -> Record:
    return read_resources(made(*lines), TERMS, ASKS)


def only(line: str) -> Entry:
    ((entry,),) = record(line).entries.values()
    return entry


def test_nothing_is_a_patient_alone() -> None:
    assert made() == [{"resourceType": "Patient", "id": "case"}]


def test_the_patient() -> None:
    found = record("born 1980-05-14", "died 2025-02-01")
    assert found.birth == exactly(day("1980-05-14"))
    assert found.died == exactly(day("2025-02-01"))


def test_a_diagnosis_of_a_visit() -> None:
    ended = "condition clot resolved since 2024-01-01 until 2024-02-01"
    found = record("condition clot of-visit active recorded 2024-01-01", ended).entries["clot"]
    assert {each.status for each in found} == {"ended"}


def test_each_line_is_a_resource_of_its_own_in_the_order_of_the_lines() -> None:
    found = made("condition clot active", "born 1980", "result blood 9 g/dL", "result blood 9 g/dL")
    assert [each["id"] for each in found] == ["case", "condition-1", "result-3", "result-4"]
    assert all(each["subject"] == {"reference": "Patient/case"} for each in found[1:])


@pytest.mark.parametrize(
    ("line", "concept", "kind", "status", "certainty"),
    [
        ("condition clot active since 2024-01-01", "clot", "condition", "active", "certain"),
        ("condition clot resolved since 2024-01-01", "clot", "condition", "ended", "certain"),
        ("condition clot since 2024-01-01", "clot", "condition", "unknown", "certain"),
        ("condition clot active suspected since 2024-01-01", "clot", "condition", "active", "suspected"),
        ("condition clot active unconfirmed since 2024-01-01", "clot", "condition", "active", "suspected"),
        ('text condition "Deep vein thrombosis" active since 2024-01-01', "clot", "condition", "active", "mentioned"),
        ("result antigen positive on 2024-01-01", "antigen", "result", "final", "certain"),
        ("result antigen negative preliminary on 2024-01-01", "antigen", "result", "preliminary", "certain"),
        ("result habit habit_now on 2024-01-01", "habit_now", "result", "final", "certain"),
        ("medication drug since 2024-01-01", "drug", "medication", "active", "certain"),
        ("medication drug on-hold since 2024-01-01", "drug", "medication", "held", "certain"),
        ("medication drug stopped since 2024-01-01", "drug", "medication", "ended", "certain"),
        ("immunization vaccine on 2024-01-01", "vaccine", "immunization", "final", "certain"),
        ("immunization CVX|121 on 2024-01-01", "vaccine", "immunization", "final", "certain"),
        ("procedure screened on 2024-01-01", "screened", "procedure", "final", "certain"),
        ("order screened on 2024-01-01", "screened", "order", "planned", "certain"),
    ],
)
def test_a_line_is_read_back_as_it_was_meant(line: str, concept: str, kind: str, status: str, certainty: str) -> None:
    entry = only(line)
    assert (entry.concept, entry.kind, entry.status, entry.certainty) == (concept, kind, status, certainty)
    assert entry.start == exactly(day("2024-01-01"))


@pytest.mark.parametrize(
    "line",
    [
        "condition clot active refuted",
        "condition clot active entered-in-error",
        "result blood 9 g/dL entered-in-error",
        "result blood 9 g/dL cancelled",
        "result blood 9 g/dL registered",
        "immunization vaccine not-done",
        "procedure screened not-done",
        "order screened revoked",
    ],
)
def test_a_status_may_take_it_back(line: str) -> None:
    found = record(line)
    assert found.entries == {}
    assert found.ignored


def test_a_number_with_its_unit_comparator_and_upper_limit() -> None:
    assert only("result count <0.5 10*9/L on 2024-01-01").value == below(0.5)
    assert only("result count 800 /uL on 2024-01-01").value == exactly(0.8)
    entry = only("result count 3 10*9/L upper 7.5 on 2024-01-01")
    assert (entry.value, entry.upper) == (exactly(3), 7.5)
    assert only("result blood 9 on 2024-01-01").value is None


def test_days_may_be_partial_or_left_out_and_ends_and_recording_given() -> None:
    assert only("result blood 9 g/dL").start is None
    month = only("result blood 9 g/dL on 2024-02").start
    assert month is not None
    assert (month.low, month.high) == (day("2024-02-01"), day("2024-02-29"))
    condition = only("condition clot active since 2024-01-01 until 2024-03-01 recorded 2024-01-05")
    assert (condition.end, condition.recorded) == (exactly(day("2024-03-01")), exactly(day("2024-01-05")))
    assert only("medication drug since 2024-01-01 until 2024-06-30").end == exactly(day("2024-06-30"))


def test_an_answer() -> None:
    entry = only("answer no-alternative yes on 2024-01-01")
    assert (entry.concept, entry.result, entry.start) == ("ask:no-alternative", "yes", exactly(day("2024-01-01")))


def test_an_answer_of_another_day_is_of_that_day() -> None:
    assert only("answer elsewhere yes on 2024-01-01").start == exactly(day("2024-01-01"))


def test_the_code_of_a_concept() -> None:
    assert code_of("clot", TERMS) == ("SNOMED", "128053003")
    assert code_of("old_clot", TERMS) == ("ICD10CM", "Z86.71")
    assert code_of("consumption", TERMS) == ("SNOMED", "56717001")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("diagnosis clot active", "a line begins with born, died, sex, text or condition"),
        ("conditon clot active", "Did you mean 'condition'?"),
        ("condition clott active", "no code list is called 'clott'. Did you mean 'clot'?"),
        ("condition clot activ", "'activ' is no status of a condition. Did you mean 'active'?"),
        ("result antigen g/dL", "'g/dL' stands where a number, a result or a status is expected"),
        ("", "words are missing"),
        ("   ", "words are missing"),
        ("condition", "words are missing"),
        ("born", "words are missing"),
        ("text", "words are missing"),
        ('text condition "Deep vein', "a quote is not closed"),
        ("answer no-alternative", "words are missing"),
        ("result blood 9 g/dL upper", "words are missing"),
        ("result blood 9 g/dL upper high", "words are missing"),
    ],
)
def test_a_line_that_says_nothing_known_is_refused(line: str, message: str) -> None:
    with pytest.raises(KnowledgeError) as raised:
        made(line)
    assert message in str(raised.value)


@given(st.text(alphabet="abcdefghilmnorstuv -<>.0123456789\"'|", max_size=40))
def test_any_line_is_made_or_refused(line: str) -> None:
    try:
        assert made(line)[0]["resourceType"] == "Patient"
    except KnowledgeError as error:
        assert line in str(error) or "'" in str(error)  # noqa: PT017
