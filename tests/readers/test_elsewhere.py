"""What is named as a reason or a conclusion forbids a "no", and never makes a "yes"."""

from __future__ import annotations

from typing import Any

import pytest

from precaution.knowledge.loading import load_label
from precaution.readers import read_resources
from precaution.readers.elsewhere import LASTS, WHY
from support.fhir_builders import CLOT, code, condition, day, observation, patient, quantity, record

Json = dict[str, Any]
SUBJECT = {"subject": {"reference": "Patient/p"}}
CT = code("http://snomed.info/sct", "241541005")


def resource(kind: str, **elements: object) -> Json:
    return {"resourceType": kind, "id": "x", **SUBJECT, **elements}


NAMING = {
    "the reason of an order": resource("ServiceRequest", status="active", code=CT, reasonCode=[CLOT]),
    "the reason of a visit": resource("Encounter", status="finished", reasonCode=[CLOT]),
    "the reason of a procedure": resource("Procedure", status="completed", code=CT, reasonCode=[CLOT]),
    "a complication": resource("Procedure", status="completed", code=CT, complication=[CLOT]),
    "the conclusion of a report": resource("DiagnosticReport", status="final", conclusionCode=[CLOT]),
    "a plan's activity": resource("CarePlan", status="active", activity=[{"detail": {"reasonCode": [CLOT]}}]),
    "a finding of an impression": resource(
        "ClinicalImpression", status="completed", finding=[{"itemCodeableConcept": CLOT}]
    ),
    "a flag": resource("Flag", status="active", code=CLOT),
    "an adverse event": resource("AdverseEvent", actuality="actual", event=CLOT),
    "evidence of another diagnosis": {**condition(code=CT), "evidence": [{"code": [CLOT]}]},
    "a plan for what is not there": resource("CarePlan", status="active", addresses=[{"display": "Deep thrombosis"}]),
    "a visit for what is not there": resource(
        "Encounter", status="finished", diagnosis=[{"condition": {"reference": "Condition/7", "display": "Thrombosis"}}]
    ),
    "a risk of what is not there": resource(
        "RiskAssessment", status="final", condition={"reference": "urn:uuid:7", "display": "Thrombosis"}
    ),
    "an item of a list": resource(
        "List", status="current", entry=[{"item": {"reference": "Condition/7", "display": "Thrombosis"}}]
    ),
    "an entry of a section": resource(
        "Composition", status="final", section=[{"section": [{"entry": [{"display": "Thrombosis of the leg"}]}]}]
    ),
    "the words of a conclusion": resource(
        "DiagnosticReport",
        status="final",
        conclusion="No pneumonia. Thrombosis of the left leg, no effusion.",
    ),
    "the summary of an impression": resource("ClinicalImpression", status="completed", summary="Fresh thrombosis"),
    "why a team looks after somebody": resource("CareTeam", status="active", reasonCode=[CLOT]),
    "only in words": resource("ServiceRequest", status="active", code=CT, reasonCode=[{"text": "?thrombosis"}]),
}


@pytest.mark.parametrize("name", NAMING)
def test_what_is_named_elsewhere_is_mentioned(name: str) -> None:
    (found,) = record(NAMING[name]).entries["clot"]
    assert (found.certainty, found.kind, found.note) == ("mentioned", "condition", WHY)


@pytest.mark.parametrize(
    "words",
    [
        "No deep vein thrombosis",
        "Lungs clear, without sign of thrombosis.",
        "Thrombosis ruled out",
        "A thrombosis was not seen",
        "Kein Hinweis auf Thrombose",
        "Pas de thrombose",
        "Unremarkable study",
        "",
    ],
)
def test_a_conclusion_that_denies_it_mentions_nothing(words: str) -> None:
    assert "clot" not in record(resource("DiagnosticReport", status="final", conclusion=words)).entries


def test_a_reference_to_what_is_there_or_to_people_shows_nothing_more() -> None:
    own = condition(code=CT, id="7")
    shown = {"reference": "Condition/7", "display": "Thrombosis"}
    assert "clot" not in record(own, resource("CarePlan", status="active", addresses=[shown])).entries
    doctor = {"reference": "Practitioner/7", "display": "Dr. Thrombosis"}
    team = resource("CareTeam", status="active", participant=[{"member": {"display": "Thrombosis clinic"}}])
    assert "clot" not in record(team, resource("CarePlan", status="active", addresses=[doctor], author=doctor)).entries


@pytest.mark.parametrize(
    "holder",
    [
        {"entry": [{"item": {"reference": "Condition/7"}}]},
        {"entry": [{"item": {"type": "Condition", "reference": "urn:uuid:7"}}]},
    ],
)
def test_a_list_that_names_what_was_not_sent_is_not_whole(holder: Json) -> None:
    own = condition(code=CT, id="8")
    assert "condition" in record(own).lists
    assert "condition" not in record(own, resource("List", status="current", **holder)).lists
    assert (
        "condition"
        not in record(
            own, resource("Composition", status="final", section=[{"entry": [{"reference": "Condition/7"}]}])
        ).lists
    )


@pytest.mark.parametrize(
    "holder",
    [
        {"entry": [{"item": {"reference": "Condition/8"}}]},
        {"entry": [{"item": {"reference": "Condition/7"}, "deleted": True}]},
        {"entry": [{"item": {"reference": "Device/7"}}]},
        {"status": "entered-in-error", "entry": [{"item": {"reference": "Condition/7"}}]},
    ],
)
def test_a_list_of_what_was_sent_or_taken_out_is_whole(holder: Json) -> None:
    listed = resource("List", **{"status": "current", **holder})
    assert "condition" in record(condition(code=CT, id="8"), listed).lists


def test_a_section_of_the_family_or_of_allergies_is_not_of_what_the_patient_has() -> None:
    for code_ in ("10157-6", "48765-2"):
        section = {"code": code("http://loinc.org", code_), "entry": [{"display": "Thrombosis"}]}
        assert "clot" not in record(resource("Composition", status="final", section=[section])).entries


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "revoked"])
def test_what_does_not_count_mentions_nothing(status: str) -> None:
    assert "clot" not in record(resource("Encounter", status=status, reasonCode=[CLOT])).entries


def test_what_the_record_says_in_an_entry_of_its_own_is_not_mentioned_again() -> None:
    visit = resource("Encounter", status="finished", period={"start": "2024-03-01"}, reasonCode=[CLOT])
    own = condition(onsetDateTime="2024-03-10")
    assert [each.certainty for each in record(visit, own).entries["clot"]] == ["certain"]


def test_an_entry_that_was_over_before_does_not_stand_for_it() -> None:
    visit = resource("Encounter", status="finished", period={"start": "2024-03-01"}, reasonCode=[CLOT])
    own = condition(onsetDateTime="2015-03-10", abatementDateTime="2015-09-01")
    assert [each.certainty for each in record(visit, own).entries["clot"]] == ["certain", "mentioned"]


def test_a_reason_stands_for_what_may_be_there_for_a_time() -> None:
    visit = resource("Encounter", status="finished", period={"start": "2024-03-01"}, reasonCode=[CLOT])
    (found,) = record(visit).entries["clot"]
    assert found.end is not None
    assert (found.end.low, found.end.high) == (day("2024-03-01"), day("2024-03-01") + LASTS)


def test_what_somebody_comes_for_may_be_an_order() -> None:
    visit = resource("Appointment", status="booked", start="2025-03-05T10:00:00Z", serviceType=[CLOT])
    found = {(each.kind, each.status, each.certainty) for each in record(visit).entries["clot"]}
    assert found == {("order", "planned", "mentioned"), ("condition", "unknown", "mentioned")}


def test_a_recommended_vaccine_is_an_order() -> None:
    vaccine = code("http://hl7.org/fhir/sid/cvx", "121")
    made = {
        "resourceType": "ImmunizationRecommendation",
        "id": "x",
        "patient": {"reference": "Patient/p"},
        "date": "2025-02-25",
        "recommendation": [{"vaccineCode": [vaccine]}],
    }
    (found,) = record(made).entries["vaccine"]
    assert (found.kind, found.status, found.certainty) == ("order", "planned", "certain")


CONTAINED = {**condition(), "id": "c"}


def test_what_a_list_contains_is_the_patients() -> None:
    held = resource(
        "List", status="current", mode="snapshot", contained=[CONTAINED], entry=[{"item": {"reference": "#c"}}]
    )
    (found,) = record(held).entries["clot"]
    assert (found.certainty, found.source) == ("certain", "List/x")


@pytest.mark.parametrize("kind", ["Encounter", "CarePlan", "DiagnosticReport", "ServiceRequest"])
def test_what_another_resource_contains_is_a_doubt(kind: str) -> None:
    (found,) = record(resource(kind, status="active", contained=[CONTAINED])).entries["clot"]
    assert found.certainty == "mentioned"


def test_what_a_list_entered_in_error_contains_does_not_count() -> None:
    held = resource("List", status="entered-in-error", contained=[CONTAINED], entry=[{"item": {"reference": "#c"}}])
    assert "clot" not in record(held).entries


@pytest.mark.parametrize("focus", ["RelatedPerson/donor", "Group/g", ""])
def test_a_result_about_somebody_else_is_a_doubt(focus: str) -> None:
    count = observation(valueQuantity=quantity(2.5, "10*9/L"))
    (found,) = record({**count, "focus": [{"reference": focus}]}).entries["count"]
    assert (found.certainty, found.value) == ("mentioned", None)


def test_a_result_whose_focus_is_the_patient_is_the_patients() -> None:
    count = observation(valueQuantity=quantity(2.5, "10*9/L"))
    (found,) = record({**count, "focus": [{"reference": "Patient/p"}]}).entries["count"]
    assert found.certainty == "certain"


@pytest.mark.parametrize("written", ["1900-01-01", "0001-01-01", "1900-01-01T00:00:00Z"])
def test_a_day_that_stands_for_none_is_none(written: str) -> None:
    (found,) = record(condition(onsetDateTime=written)).entries["clot"]
    assert found.start is None


def test_a_day_before_birth_is_none() -> None:
    later = [condition(str(year), onsetDateTime=f"{year}-01-01") for year in (2001, 2002)]
    found = record(condition("before", onsetDateTime="1959-01-01"), *later).entries["clot"]
    assert [each.note for each in found if each.start is None] == ["its day is before birth"]


def test_an_end_before_the_start_is_no_end() -> None:
    (found,) = record(condition(onsetDateTime="2020-01-01", abatementDateTime="2019-01-01")).entries["clot"]
    assert (found.start, found.end, found.note) == (None, None, "it ends before it begins")


def test_a_drug_whose_route_nobody_tells_is_a_doubt_of_what_it_counts_as() -> None:
    label = load_label("baricitinib")
    drug = code("http://www.whocc.no/atc", "G03CA03")
    plan = resource("CarePlan", status="active", activity=[{"detail": {"productCodeableConcept": drug}}])
    found = read_resources([patient(), plan], label.terminology, label.asks).entries
    assert [each.certainty for each in found["drug_hormone_replacement"]] == ["mentioned"]
