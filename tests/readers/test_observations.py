"""Observation -> entries: statuses, dates, outcomes, panels, questions, and rows that say nothing."""

from __future__ import annotations

import pytest

from precaution.values.interval import Interval
from support.fhir_builders import (
    INTERPRETATION,
    LOINC,
    SNOMED,
    code,
    coding,
    concept,
    day,
    entries,
    ignored,
    observation,
    only,
    quantity,
    record,
    report,
)

COUNT = quantity(2.5, "10*9/L")
ANTIGEN = code(LOINC, "5196-1")
HABIT = code(LOINC, "72166-2")


def on(written: str) -> Interval:
    return Interval(day(written), day(written))


@pytest.mark.parametrize("word", ["final", "amended", "corrected", "appended"])
def test_final(word: str) -> None:
    assert only(observation(status=word, valueQuantity=COUNT)).status == "final"


@pytest.mark.parametrize(("word", "left"), [("preliminary", 1), ("unknown", 2), (None, 2), ("validated", 2)])
def test_a_final_result_replaces_of_the_same_instant_what_is_called_preliminary_and_nothing_else(
    word: str | None, left: int
) -> None:
    instant = "2024-05-01T08:00:00Z"
    low = observation("low", status=word, valueQuantity=quantity(0.4, "10*9/L"), effectiveDateTime=instant)
    high = observation("high", valueQuantity=COUNT, effectiveDateTime=instant)
    assert len(entries(low, high)) == left


@pytest.mark.parametrize("word", ["preliminary", "unknown", None, "nonsense", 5, ["final"], {}])
def test_what_is_not_final_may_not_reassure(word: object) -> None:
    assert only(observation(status=word, valueQuantity=COUNT)).status == "preliminary"


@pytest.mark.parametrize(
    ("word", "why", "lists"),
    [
        ("entered-in-error", "entered-in-error", set()),
        ("cancelled", "cancelled", {"result"}),
        ("registered", "no result yet", {"result"}),
    ],
)
def test_what_does_not_count(word: str, why: str, lists: set[str]) -> None:
    other = code(LOINC, "8302-2")
    for resource in (observation(status=word, valueQuantity=COUNT), observation(status=word, code=other)):
        assert entries(resource) == []
        assert ignored(resource) == [("Observation/observation", why)]
        assert record(resource).lists == lists


# Days


@pytest.mark.parametrize(
    ("elements", "start", "note"),
    [
        ({}, on("2024-05-01"), ""),
        (
            {"effectiveDateTime": None, "effectivePeriod": {"start": "2024-05-01", "end": "2024-05-03"}},
            Interval(day("2024-05-01"), day("2024-05-03")),
            "",
        ),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": "2024-05-01"}}, on("2024-05-01"), ""),
        ({"effectiveDateTime": None, "effectiveInstant": "2024-05-01T23:00:00-04:00"}, on("2024-05-01"), ""),
        ({"effectiveDateTime": None, "effectiveTiming": {"event": ["2024-05-01"]}}, on("2024-05-01"), ""),
        ({"effectiveDateTime": None, "issued": "2024-05-04T10:00:00Z"}, on("2024-05-04"), "dated by its issue"),
        ({"effectiveDateTime": None}, None, "no date"),
        ({"effectiveDateTime": "2024-19-19", "issued": "2024-05-04T10:00:00Z"}, None, "effective date can't be read"),
    ],
)
def test_days(elements: dict[str, object], start: Interval | None, note: str) -> None:
    entry = only(observation(valueQuantity=COUNT, **elements))
    assert (entry.start, entry.note) == (start, note)


def test_issued_is_kept_where_it_differs() -> None:
    assert only(observation(valueQuantity=COUNT, issued="2024-05-04T10:00:00Z")).recorded == on("2024-05-04")
    assert only(observation(valueQuantity=COUNT, issued="2024-05-01T10:00:00Z")).recorded is None


@pytest.mark.parametrize(
    "reference", ["Observation/observation", "http://server/Observation/observation", "urn:uuid:observation"]
)
def test_a_report_dates_its_results(reference: str) -> None:
    undated = observation(effectiveDateTime=None, valueQuantity=COUNT, issued="2024-06-01T10:00:00Z")
    listed = report(effectiveDateTime="2024-05-01", result=[{"reference": reference}])
    entry = only(undated, listed)
    assert (entry.start, entry.note) == (on("2024-05-01"), "dated by its report")
    assert only(observation(valueQuantity=COUNT), listed).note == ""


def test_two_reports_of_one_result() -> None:
    undated = observation(effectiveDateTime=None, valueQuantity=COUNT)
    reports = [
        report(str(n), effectiveDateTime=f"2024-05-0{n}", result=[{"reference": "Observation/observation"}])
        for n in (1, 3)
    ]
    assert only(undated, *reports).start == Interval(day("2024-05-01"), day("2024-05-03"))


# Codes


def test_another_test_is_no_doubt() -> None:
    for other in (
        code(LOINC, "8302-2", "neutrophil adhesion"),
        code(SNOMED, "50373000", "neutrophil height"),
        code("http://local", "7", "height"),
    ):
        found = record(observation(code=other, valueQuantity=COUNT))
        assert not found.entries
        assert not found.unrecognised
        assert found.lists == {"result"}


@pytest.mark.parametrize(
    "other",
    [
        code("http://local", "7", "Neutrophils, absolute"),
        code(LOINC, "751-9", "Neutrophils"),
        concept(text="neutrophil count"),
        code("http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-d-labitems", "52075", "Absolute Neutrophil Count"),
    ],
)
def test_a_local_test_that_speaks_of_ours_is_a_doubt(other: object) -> None:
    found = record(observation(code=other, valueQuantity=COUNT))
    (entry,) = found.entries["count"]
    assert (entry.certainty, entry.value, entry.start) == ("mentioned", None, on("2024-05-01"))
    assert len(found.unrecognised) == 1


def test_a_code_without_a_system_is_a_doubt() -> None:
    assert only(observation(code=code(None, "751-8"), valueQuantity=COUNT)).certainty == "mentioned"


# Outcomes


@pytest.mark.parametrize(
    ("elements", "result"),
    [
        ({"valueCodeableConcept": code(SNOMED, "10828004")}, "positive"),
        ({"valueCodeableConcept": code(SNOMED, "260385009")}, "negative"),
        ({"valueCodeableConcept": code(SNOMED, "82334004")}, "indeterminate"),
        ({"valueCodeableConcept": concept(text="Not Detected")}, "negative"),
        ({"valueCodeableConcept": concept(coding("http://local", "N"), text="Negative")}, "negative"),
        ({"valueString": " Reactive "}, "positive"),
        ({"valueString": "neg\u200bative"}, "negative"),
        ({"valueString": "not reactive"}, ""),
        ({"valueString": "probably negative"}, ""),
        ({"valueString": "HBsAg negative"}, "negative"),
        ({"valueString": "HBsAg: Negative (<0.05 IU/mL)"}, "negative"),
        ({"valueString": "Not detected (<10 IU/mL)"}, "negative"),
        ({"valueString": "confirmed reactive"}, "positive"),
        ({"valueString": "<20 IU/mL, positive"}, "positive"),
        ({"valueString": "not positive"}, ""),
        ({"valueString": "the sample was lost and could not be found positive"}, ""),
        ({"valueCodeableConcept": code("http://local", "N", "Negative")}, ""),
        ({"interpretation": [code(INTERPRETATION, "POS")]}, "positive"),
        ({"interpretation": code(INTERPRETATION, "NEG")}, "negative"),
        ({"interpretation": [code("http://terminology.hl7.org/CodeSystem/v2-0078", "NEG")]}, "negative"),
        ({"interpretation": [code(INTERPRETATION, "POS"), code(INTERPRETATION, "H")]}, "positive"),
        ({"interpretation": [code(None, "NEG")]}, ""),
        ({"interpretation": [code(INTERPRETATION, "N")]}, ""),
        ({"valueString": "negative", "interpretation": [code(INTERPRETATION, "NEG")]}, "negative"),
        ({"valueString": "negative", "interpretation": [code(INTERPRETATION, "POS")]}, "indeterminate"),
        ({"valueCodeableConcept": concept(coding(SNOMED, "10828004"), coding(SNOMED, "260385009"))}, "indeterminate"),
        ({}, ""),
        ({"valueString": ""}, ""),
        ({"valueCodeableConcept": {}}, ""),
        ({"valueInteger": 1}, ""),
    ],
)
def test_outcomes(elements: dict[str, object], result: str) -> None:
    entry = only(observation(code=ANTIGEN, **elements))
    assert entry.result == result
    if result:
        assert entry.says == result


@pytest.mark.parametrize(
    ("elements", "note"),
    [
        ({}, "no value"),
        ({"valueString": "see report"}, "its value can't be understood"),
        ({"dataAbsentReason": code("x", "unknown")}, "the value is said to be missing"),
        ({"dataAbsentReason": code("x", "unknown"), "valueString": "negative"}, "the value is said to be missing"),
        (
            {"valueString": "negative", "interpretation": [code(INTERPRETATION, "POS")]},
            "value and interpretation disagree",
        ),
        ({"valueCodeableConcept": code("http://local", "N", "Negative")}, "its value can't be understood"),
    ],
)
def test_a_row_without_a_value_is_no_negative_test(elements: dict[str, object], note: str) -> None:
    entry = only(observation(code=ANTIGEN, **elements))
    assert entry.note == note
    assert entry.result != "negative"
    assert entry.value is None


def test_yes_or_no_is_neither_positive_nor_negative() -> None:
    for value in (True, False):
        entry = only(observation(code=ANTIGEN, valueBoolean=value))
        assert (entry.certainty, entry.result) == ("mentioned", "")


def test_figures_leave_the_outcome_to_the_label() -> None:
    entry = only(observation(code=code(LOINC, "42595-9"), valueQuantity=quantity(300, "[IU]/mL")))
    assert (entry.value, entry.result, entry.says) == (Interval(300, 300), "", "300 [IU]/mL")


# Panels


def test_components() -> None:
    panel = observation(
        code=code(LOINC, "58410-2"),
        component=[
            {"code": code(LOINC, "751-8"), "valueQuantity": COUNT},
            {"code": code(LOINC, "718-7"), "valueQuantity": quantity(8, "g/dL")},
            {"code": code(LOINC, "5196-1"), "dataAbsentReason": code("x", "error")},
            {"code": code("http://local", "1", "neutrophil shape")},
            {},
            None,
            5,
        ],
    )
    found = record(panel)
    assert list(found.entries) == ["antigen", "blood", "count", "panel"]
    assert found.entries["blood"][0].value == Interval(8, 8)
    assert found.entries["panel"][0].note == "no value"
    assert [entry.certainty for entry in found.entries["count"]] == ["certain", "mentioned"]
    assert all(entry.start == on("2024-05-01") for each in found.entries.values() for entry in each)


def test_contained_members() -> None:
    inner = {
        "resourceType": "Observation",
        "id": "1",
        "status": "final",
        "code": code(LOINC, "751-8"),
        "valueQuantity": COUNT,
    }
    for holder in (
        observation(code=code(LOINC, "58410-2"), contained=[inner], hasMember=[{"reference": "#1"}]),
        report(contained=[inner], result=[{"reference": "#1"}], effectiveDateTime="2024-05-01"),
    ):
        (entry,) = record(holder).entries["count"]
        assert (entry.source, entry.start) == (f"{holder['resourceType']}/{holder['id']}", on("2024-05-01"))
    (unlisted,) = entries(report(contained=[inner]))
    assert (unlisted.certainty, unlisted.value) == ("mentioned", None)
    assert not entries(report(status="entered-in-error", contained=[inner], result=[{"reference": "#1"}]))


# Questions


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (code(SNOMED, "77176002"), [("habit_now", "certain", "habit now")]),
        (code(SNOMED, "8517006"), [("habit_past", "certain", "habit past")]),
        (
            concept(coding(SNOMED, "8517006"), coding(SNOMED, "77176002")),
            [("habit_past", "certain", "habit past"), ("habit_now", "certain", "habit now")],
        ),
        (code(SNOMED, "128053003"), [("habit", "mentioned", "")]),
        (concept(text="former"), [("habit", "mentioned", "")]),
        (None, [("habit", "mentioned", "")]),
    ],
)
def test_questions(answer: object, expected: list[tuple[str, str, str]]) -> None:
    found = entries(observation(code=HABIT, valueCodeableConcept=answer))
    assert sorted((e.concept, e.certainty, e.says) for e in found) == sorted(expected)
    assert all(entry.kind == "result" and entry.start == on("2024-05-01") for entry in found)


def test_questions_as_components() -> None:
    whole = observation(
        code=code(LOINC, "8302-2"), component=[{"code": HABIT, "valueCodeableConcept": code(SNOMED, "77176002")}]
    )
    assert only(whole).concept == "habit_now"


def test_equal_moments_with_different_values_are_both_kept() -> None:
    two = [observation(str(n), valueQuantity=quantity(n, "10*9/L")) for n in (1, 9)]
    assert [entry.value for entry in entries(*two)] == [Interval(1, 1), Interval(9, 9)]
    assert entries(*two) == entries(*reversed(two))
