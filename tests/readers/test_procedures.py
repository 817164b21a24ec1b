"""Procedure, Immunization and ServiceRequest -> entries."""

from __future__ import annotations

import pytest

from precaution.values.interval import Interval
from precaution.values.record import UNREADABLE
from support.fhir_builders import (
    ATC,
    CVX,
    SNOMED,
    code,
    coding,
    concept,
    day,
    entries,
    ignored,
    immunization,
    only,
    procedure,
    record,
    service,
)


def on(written: str) -> Interval:
    return Interval(day(written), day(written))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("completed", "final"),
        ("in-progress", "final"),
        ("preparation", "unknown"),
        ("on-hold", "unknown"),
        ("stopped", "unknown"),
        ("unknown", "unknown"),
        (None, "unknown"),
        (5, "unknown"),
    ],
)
def test_procedures(status: object, expected: str) -> None:
    entry = only(procedure(status=status))
    assert (entry.concept, entry.kind, entry.status, entry.start) == (
        "screened",
        "procedure",
        expected,
        on("2024-05-01"),
    )


@pytest.mark.parametrize(("status", "expected"), [("completed", "final"), (None, "unknown"), ("odd", "unknown")])
def test_immunizations(status: object, expected: str) -> None:
    entry = only(immunization(status=status))
    assert (entry.concept, entry.kind, entry.status, entry.start) == (
        "vaccine",
        "immunization",
        expected,
        on("2024-05-01"),
    )


@pytest.mark.parametrize(("status", "lists"), [("not-done", True), ("entered-in-error", False)])
def test_what_was_not_done(status: str, *, lists: bool) -> None:
    for resource in (procedure(status=status), immunization(status=status)):
        assert entries(resource) == []
        assert [why for _, why in ignored(resource)] == [status]
        assert bool(record(resource).lists) is lists


@pytest.mark.parametrize(
    ("elements", "start", "end", "note"),
    [
        ({"performedPeriod": {"start": "2024-05-01", "end": "2024-05-04"}}, on("2024-05-01"), on("2024-05-04"), ""),
        ({"performedString": "last spring"}, None, None, "performed is not given as a date"),
        ({"performedDateTime": "20240501"}, None, None, "performed date can't be read"),
        (
            {"_performedDateTime": {"extension": [{"url": "data-absent-reason"}]}},
            None,
            None,
            "performed date is said to be missing",
        ),
        ({}, None, None, ""),
    ],
)
def test_days_of_procedures(elements: dict[str, object], start: object, end: object, note: str) -> None:
    entry = only(procedure(**{"performedDateTime": None, **elements}))
    assert (entry.start, entry.end, entry.note) == (start, end, note)


def test_immunizations_at_any_time_and_strength() -> None:
    assert only(immunization(occurrenceDateTime=None, occurrenceString="as a child")).start is None
    assert only(immunization(isSubpotent=True)).note == "subpotent dose"
    assert only(immunization(isSubpotent=False, recorded="2024-06-01")).recorded == on("2024-06-01")


@pytest.mark.parametrize(
    ("make", "key", "kind"), [(procedure, "code", "procedure"), (immunization, "vaccineCode", "immunization")]
)
def test_unclear_codes(make: object, key: str, kind: str) -> None:
    local = "http://local"
    for unclear in ({}, None, "x", code(local, "1"), code(SNOMED, "233604007"), code(local, "1", "?")):
        entry = only(make(**{key: unclear}))  # type: ignore[operator]
        assert (entry.concept, entry.certainty) == (UNREADABLE[kind], "mentioned")


def test_words() -> None:
    entry = only(immunization(vaccineCode=concept(text="Zoster vaccine, kind unknown")))
    assert (entry.concept, entry.certainty) == ("vaccine", "mentioned")
    assert only(procedure(code=code(SNOMED, "233604007", "Thrombolysis"))).certainty == "mentioned"
    assert (
        entries(
            immunization(vaccineCode=code(CVX, "207", "COVID-19, mRNA")),
            immunization(vaccineCode=code(ATC, "J07BN01")),
            procedure(code=code(SNOMED, "80146002", "Appendectomy")),
        )
        == []
    )


def test_a_vaccine_code_on_no_list_and_without_a_name_may_be_any_vaccine() -> None:
    entry = only(immunization(vaccineCode=code(CVX, "399")))
    assert (entry.concept, entry.certainty) == ("vaccine", "mentioned")


def test_a_vaccine_against_a_disease_is_no_hint_of_it() -> None:
    found = record(
        immunization(vaccineCode=code(CVX, "19", "vaccine against tuberculosis (BCG)")),
        immunization("b", vaccineCode=concept(text="tuberculosis vaccine")),
    )
    assert not found.entries
    assert not found.unrecognised


@pytest.mark.parametrize("status", ["active", "draft", "on-hold", "unknown", None])
@pytest.mark.parametrize("intent", ["order", "plan", None])
def test_orders(status: object, intent: object) -> None:
    entry = only(service(status=status, intent=intent, authoredOn="2024-04-01"))
    assert (entry.kind, entry.status, entry.start, entry.recorded) == (
        "order",
        "planned",
        on("2024-05-01"),
        on("2024-04-01"),
    )


def test_orders_without_a_day() -> None:
    assert only(service(occurrenceDateTime=None, authoredOn="2024-04-01")).start is None
    assert only(service(occurrenceDateTime=None, occurrencePeriod={"start": "2024-06-01"})).start == on("2024-06-01")


@pytest.mark.parametrize(
    "elements", [{"status": "completed"}, {"status": "revoked"}, {"status": "entered-in-error"}, {"doNotPerform": True}]
)
def test_orders_that_do_not_stand(elements: dict[str, object]) -> None:
    resource = service(**elements)
    assert entries(resource) == []
    assert len(ignored(resource)) == 1


def test_an_order_in_words_says_nothing_of_the_patient() -> None:
    assert only(service(code=concept(text="rule out tuberculosis"))).kind == "order"
    assert only(service(code=concept(text="rule out tuberculosis"))).certainty == "mentioned"
    assert only(service(doNotPerform=False)).kind == "order"


def test_an_order_that_can_not_be_understood_may_be_any_order() -> None:
    nothing = only(service(code={}))
    assert (nothing.concept, nothing.kind, nothing.certainty) == (UNREADABLE["order"], "order", "mentioned")
    assert only(service(code=code("http://local", "x1"))).concept == UNREADABLE["order"]


def test_an_order_with_a_code_of_another_list_is_something_else() -> None:
    assert entries(service(code=concept(coding("http://loinc.org", "2160-0"), text="rule out tuberculosis"))) == []
