"""What a sending system says of its own answer: no list of such a record is complete."""

from __future__ import annotations

from typing import Any

import pytest

from precaution.readers import read_resources
from precaution.readers.sender import LEFT_OUT, reports_loss
from precaution.values.record import Record
from support.fhir_builders import ASKS, TERMS, bundle, condition, observation, only, patient, quantity, report

Json = dict[str, Any]
COUNT = quantity(2.5, "10*9/L")


def read(*resources: object) -> Record:
    return read_resources(list(resources), TERMS, ASKS)  # type: ignore[arg-type]


def outcome(severity: str, code: str) -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}


def entry(resource: Json, mode: str = "match") -> Json:
    return {"resource": resource, "search": {"mode": mode}}


@pytest.mark.parametrize("severity", ["information", "warning", "error", "fatal"])
@pytest.mark.parametrize("code", ["suppressed", "incomplete", "throttled", "too-costly", "timeout", "forbidden"])
def test_what_was_left_out_leaves_no_list_complete(severity: str, code: str) -> None:
    found = read(bundle(patient(), condition(), outcome(severity, code)))
    assert (found.lists, found.partial) == (frozenset(), True)


@pytest.mark.parametrize("code", ["informational", "not-found", "value", "duplicate"])
def test_another_remark_of_the_sender_says_nothing_of_the_lists(code: str) -> None:
    found = read(bundle(patient(), condition(), outcome("warning", code)))
    assert (found.lists, found.partial) == (frozenset({"condition"}), False)


def test_any_error_may_mean_that_something_is_missing() -> None:
    assert reports_loss(outcome("error", "value"))
    assert "informational" not in LEFT_OUT


@pytest.mark.parametrize("status", ["500 Internal Server Error", "404 Not Found", "429", "401"])
def test_a_part_of_a_batch_that_failed(status: str) -> None:
    found = read(
        {
            "resourceType": "Bundle",
            "type": "batch-response",
            "entry": [
                {"resource": patient(), "response": {"status": "200 OK"}},
                {"resource": condition(), "response": {"status": "200 OK"}},
                {"response": {"status": status}},
            ],
        }
    )
    assert found.lists == frozenset()


def test_a_batch_of_which_every_part_came() -> None:
    parts = [{"resource": each, "response": {"status": "200"}} for each in (patient(), condition())]
    assert read({"resourceType": "Bundle", "type": "batch-response", "entry": parts}).lists == {"condition"}


def test_the_total_counts_what_was_looked_for() -> None:
    found = [entry(patient(), "include"), entry(condition()), entry(outcome("information", "informational"), "outcome")]
    whole = {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": found}
    assert read(whole).lists == {"condition"}
    assert read({**whole, "total": 2}).lists == frozenset()


def test_parameters_hold_resources_at_any_depth() -> None:
    inner = {"name": "part", "part": [{"name": "x", "resource": condition()}]}
    held = {"resourceType": "Parameters", "parameter": [{"name": "p", "resource": patient()}, inner]}
    assert "clot" in read(held).entries


def deleted(name: str) -> Json:
    return {"request": {"method": "DELETE", "url": name}, "response": {"status": "204"}}


def test_what_is_deleted_as_well_reassures_nobody() -> None:
    count = observation("anc", code=COUNT_CODE, valueQuantity=COUNT)
    sent = bundle(patient(), count)
    sent["entry"].append(deleted("Observation/anc"))
    (found,) = read(sent).entries["count"]
    assert (found.certainty, found.value, found.note) == ("mentioned", None, "the sender deletes it as well")


def test_the_results_of_a_report_that_is_deleted_as_well_reassure_nobody() -> None:
    inner = observation("anc", code=COUNT_CODE, valueQuantity=COUNT)
    sent = bundle(patient(), report("r", contained=[inner], result=[{"reference": "#anc"}]))
    sent["entry"].append(deleted("DiagnosticReport/r"))
    (found,) = read(sent).entries["count"]
    assert (found.certainty, found.value) == ("mentioned", None)


def test_a_deletion_that_names_nothing_leaves_no_list_complete() -> None:
    sent = bundle(patient(), condition())
    sent["entry"].append(deleted("Condition?identifier=x"))
    assert read(sent).lists == frozenset()


COUNT_CODE = {"coding": [{"system": "http://loinc.org", "code": "751-8"}]}


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_results_of_a_report_that_was_taken_back_are_doubts(status: str) -> None:
    count = observation("anc", code=COUNT_CODE, valueQuantity=COUNT)
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": status,
        "subject": {"reference": "Patient/p"},
        "result": [{"reference": "Observation/anc"}],
    }
    assert only(count, report).certainty == "mentioned"
    assert only(count, report, {**report, "id": "s", "status": "final"}).certainty == "certain"


@pytest.mark.parametrize("how", ["replaces", "replaced-by", "refer", "seealso"])
def test_another_record_of_the_person_that_is_not_here_leaves_no_list_complete(how: str) -> None:
    linked = patient(link=[{"type": how, "other": {"reference": "Patient/old"}}])
    assert read(linked, condition()).lists == frozenset()


@pytest.mark.parametrize("how", ["replaces", "replaced-by"])
def test_two_records_of_one_person_are_one(how: str) -> None:
    first = patient(link=[{"type": how, "other": {"reference": "Patient/old"}}])
    second = patient("old")
    of_second = {**condition(), "subject": {"reference": "Patient/old"}}
    found = read(first, second, of_second)
    assert (found.lists, list(found.entries)) == (frozenset({"condition"}), ["clot"])


def test_rules_that_a_bundle_follows_and_nobody_knows_leave_no_list_complete() -> None:
    assert read(bundle(patient(), condition(), implicitRules="urn:x")).partial
