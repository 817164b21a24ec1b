"""A diagnosis of a visit stays active for ever; the problem list tells when the disease was over."""

from __future__ import annotations

from datetime import date
from math import inf
from typing import Any

import pytest

from precaution.values.interval import EVERYTHING, Interval, exactly
from precaution.values.record import Entry
from support.fhir_builders import ICD, SNOMED, coding, concept, condition, day, entries, status

CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"
VISIT = [concept(coding(CATEGORY, "encounter-diagnosis"))]
PROBLEM = [concept(coding(CATEGORY, "problem-list-item"))]
EMBOLISM = concept(coding(ICD, "I26.99"))
GERMAN = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"


def visit(**other: Any) -> dict[str, Any]:
    told = {"category": VISIT, "code": EMBOLISM, "clinicalStatus": status("active"), "onsetDateTime": None}
    return condition("visit", **{**told, "recordedDate": "2025-01-10", **other})


def problem(**other: Any) -> dict[str, Any]:
    told = {
        "category": PROBLEM,
        "code": EMBOLISM,
        "clinicalStatus": status("resolved"),
        "onsetDateTime": "2025-01-10",
        "abatementDateTime": "2025-01-31",
    }
    return condition("problem", **{**told, **other})


def of_visit(*resources: dict[str, Any]) -> Entry:
    """Return the entry of the visit, which does not depend on the order of the input."""
    found, other = (
        [each for each in entries(*order) if each.source == "Condition/visit"] for order in (resources, resources[::-1])
    )
    assert found == other
    return found[0]


def test_yields_to_the_problem_that_was_resolved_later() -> None:
    entry = of_visit(visit(), problem())
    assert (entry.status, entry.end, entry.note) == ("ended", exactly(day("2025-01-31")), "over by Condition/problem")


@pytest.mark.parametrize(
    "more",
    [
        {"recordedDate": "2025-02-01"},
        {"onsetDateTime": "2025-01-10", "recordedDate": "2025-02-01"},
        {"category": [*VISIT, *PROBLEM]},
        {"category": PROBLEM},
        {"category": None},
        {"code": concept(coding(SNOMED, "56717001"))},
    ],
)
def test_stays_active(more: dict[str, Any]) -> None:
    """A later visit, an entry of the problem list itself, and another disease are not closed."""
    entry = of_visit(visit(**more), problem())
    assert (entry.status, entry.end) == ("active", None)


@pytest.mark.parametrize(
    "more",
    [
        {"clinicalStatus": status("active"), "abatementDateTime": None},
        {"verificationStatus": status("provisional")},
        {"verificationStatus": status("refuted")},
        {"verificationStatus": status("entered-in-error")},
        {"category": VISIT},
        {"modifierExtension": [{"url": "https://example.org/not"}]},
        {"code": concept(coding(ICD, "A15.0"))},
    ],
)
def test_is_not_closed_by(more: dict[str, Any]) -> None:
    assert of_visit(visit(), problem(**more)).status == "active"


@pytest.mark.parametrize(
    ("of", "by"),
    [
        (concept(coding(GERMAN, "I26.99")), EMBOLISM),
        (concept(coding(ICD, "i2699")), EMBOLISM),
        (
            concept(coding(ICD, "I26.09"), text="Embolism of the lung"),
            concept(coding(ICD, "I26.99"), text="embolism of the  LUNG"),
        ),
        (concept(coding(ICD, "I26.99"), coding(SNOMED, "128053003")), concept(coding(SNOMED, "128053003"))),
    ],
)
def test_the_same_disease(of: dict[str, Any], by: dict[str, Any]) -> None:
    assert of_visit(visit(code=of), problem(code=by)).end == exactly(day("2025-01-31"))


@pytest.mark.parametrize(
    ("of", "by"),
    [
        ({}, {"abatementDateTime": None}),
        ({}, {"clinicalStatus": status("inactive"), "abatementDateTime": None}),
        ({}, {"abatementDateTime": "2025-01-10"}),
        ({}, {"abatementDateTime": "2025"}),
        ({"recordedDate": "2025-01"}, {}),
        ({"code": concept(coding(ICD, "I26.09"))}, {}),
        ({"code": concept(coding(SNOMED, "128053003"))}, {}),
    ],
)
def test_a_question_where_it_may_be_the_same_or_later(of: dict[str, Any], by: dict[str, Any]) -> None:
    """No day of the end, the same day, a day within a year, a code of the same family or of another system."""
    entry = of_visit(visit(**of), problem(**by))
    began = date(2025, 1, 1 if "recordedDate" in of else 10).toordinal()
    assert (entry.status, entry.end) == ("ended", Interval(began, inf, high_open=True))
    assert entry.note == "it may be over: see Condition/problem"


def test_a_visit_without_a_day_is_a_question() -> None:
    assert of_visit(visit(recordedDate=None), problem()).end == EVERYTHING


def test_the_first_end_after_the_visit_counts() -> None:
    again = problem(onsetDateTime="2025-03-01", abatementDateTime="2025-03-20") | {"id": "again"}
    before = problem(onsetDateTime="2024-01-01", abatementDateTime="2024-01-20") | {"id": "before"}
    unclear = problem(abatementDateTime=None) | {"id": "unclear"}
    assert of_visit(visit(), again, problem(), before, unclear).end == exactly(day("2025-01-31"))


def test_an_entry_of_the_problem_list_that_is_active_stays() -> None:
    relapse = problem(clinicalStatus=status("active"), onsetDateTime="2025-02-20", abatementDateTime=None)
    found = {each.source: each.status for each in entries(visit(), problem(), relapse | {"id": "relapse"})}
    assert found == {"Condition/visit": "ended", "Condition/problem": "ended", "Condition/relapse": "active"}


def test_a_visit_that_says_its_own_end_keeps_it() -> None:
    assert of_visit(visit(abatementDateTime="2025-01-15"), problem()).end == exactly(day("2025-01-15"))


def test_category_as_text() -> None:
    entry = of_visit(
        visit(category=[{"text": "Encounter Diagnosis"}]), problem(category=[{"text": "Problem List Item"}])
    )
    assert entry.status == "ended"
