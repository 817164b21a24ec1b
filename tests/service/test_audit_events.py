"""The trail as FHIR AuditEvents: who, by what, on whom, in the shape of IHE's Basic Audit Log Patterns."""

from __future__ import annotations

from typing import Any

import pytest

from precaution.service.audit_events import audit_event, audit_events
from precaution.service.store import TrailEvent, TrailLink
from precaution.service.store.audit_trail import as_dict

SERVER = "https://fhir.example.org/r4"
BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
FULL: dict[str, Any] = {
    "client": "https://ehr.example.org ward",
    "user": "Practitioner/12",
    "server": SERVER,
    "patient": "p1",
    "request": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "address": "10.0.0.7",
    "about": {"hook": "order-sign", "tiers": ["critical", "info"], "empty": ""},
}


def written(kind: str, **event: Any) -> dict[str, Any]:
    made = as_dict(TrailEvent(kind=kind, **event))
    return audit_event(TrailLink(7, "2025-03-01T09:30:00.000Z", "ab" * 32, made), "https://cds.example.org")


def agents(event: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["type"]["coding"][0]["code"]: each for each in event["agent"] if "type" in each}


def entity(event: dict[str, Any], code: str) -> dict[str, Any]:
    (found,) = [each for each in event["entity"] if each["type"]["code"] == code]
    return dict(found)


def test_a_decision_is_a_patient_read() -> None:
    event = written("decision", **FULL)
    assert event["meta"]["profile"] == [BALP + "PatientRead"]
    assert (event["resourceType"], event["id"], event["recorded"]) == (
        "AuditEvent",
        "precaution-7",
        "2025-03-01T09:30:00.000Z",
    )
    assert (event["type"]["code"], event["subtype"][0]["code"], event["action"], event["outcome"]) == (
        "rest",
        "read",
        "R",
        "0",
    )
    who = agents(event)
    assert set(who) == {"110152", "110153", "IRCP"}
    assert who["110152"]["who"]["identifier"]["value"] == "https://ehr.example.org ward"
    assert who["110152"]["network"] == {"address": "10.0.0.7", "type": "2"}
    assert who["110153"]["network"] == {"address": "https://cds.example.org", "type": "5"}
    assert who["IRCP"]["who"] == {"reference": f"{SERVER}/Practitioner/12"}
    assert "network" not in who["IRCP"]
    assert [code for code, each in who.items() if each["requestor"]] == ["IRCP"]
    assert event["source"]["observer"]["display"] == "precaution"


def test_its_entities_are_the_patient_the_event_and_the_request() -> None:
    event = written("decision", **FULL)
    patient, data, request = entity(event, "1"), entity(event, "2"), entity(event, "XrequestId")
    assert (patient["what"], patient["role"]["code"]) == ({"reference": f"{SERVER}/Patient/p1"}, "1")
    assert data["role"]["code"] in ("3", "4", "20")
    details = {each["type"]: each["valueString"] for each in data["detail"]}
    assert details == {"hash": "ab" * 32, "kind": "decision", "hook": "order-sign", "tiers": "critical, info"}
    assert request["what"]["identifier"]["value"] == FULL["request"]


@pytest.mark.parametrize(
    ("kind", "profile", "action", "interaction"),
    [
        ("read", "PatientRead", "R", "read"),
        ("feedback", "PatientCreate", "C", "create"),
        ("answer", "PatientCreate", "C", "create"),
        ("withdrawal", "PatientUpdate", "U", "update"),
    ],
)
def test_what_is_kept_about_a_patient_is_a_create(kind: str, profile: str, action: str, interaction: str) -> None:
    event = written(kind, **FULL)
    assert event["meta"]["profile"] == [BALP + profile]
    assert (event["action"], event["subtype"][0]["code"]) == (action, interaction)
    assert ("AUT" in agents(event)) is (action != "R")


def test_without_a_patient_it_keeps_to_the_pattern_without_one() -> None:
    event = written("feedback", client="ehr")
    assert event["meta"]["profile"] == [BALP + "Create"]
    assert [each["type"]["code"] for each in event["entity"]] == ["2"]


def test_a_failure_follows_no_pattern_of_success() -> None:
    event = written("withdrawal", outcome="failure", **FULL)
    assert event["outcome"] == "8"
    assert "meta" not in event


@pytest.mark.parametrize("kind", ["purge", "start"])
def test_what_the_service_does_by_itself_is_application_activity(kind: str) -> None:
    event = written(kind, about={"up_to": 5})
    assert (event["type"]["code"], event["subtype"][0]["code"], event["action"]) == ("110100", kind, "E")
    assert event["agent"] == [{"who": event["agent"][0]["who"], "requestor": True}]
    assert "meta" not in event


def test_an_event_whose_details_are_gone_keeps_its_place() -> None:
    event = audit_event(TrailLink(7, "2025-03-01T09:30:00.000Z", "ab" * 32, None))
    assert (event["id"], event["subtype"][0]["code"]) == ("precaution-7", "purged")
    assert {"type": "hash", "valueString": "ab" * 32} in event["entity"][0]["detail"]


def test_a_client_without_a_token_and_a_user_that_is_no_reference_are_written_too() -> None:
    event = written("decision", user="someone", server="not an address", patient="p1")
    who = agents(event)
    assert who["110152"]["who"]["identifier"]["value"] == "a client without a token"
    assert who["110152"]["network"]["address"] == "localhost"
    assert who["IRCP"]["who"] == {"identifier": {"value": "someone"}}
    assert entity(event, "1")["what"] == {"reference": "Patient/p1"}
    nobody = written("decision", client="ehr", server=SERVER, patient="p1")
    assert agents(nobody)["110152"]["requestor"] is True


def empties(value: object) -> bool:
    if isinstance(value, dict):
        return any(empties(each) for each in value.values()) or not value
    if isinstance(value, list):
        return any(empties(each) for each in value) or not value
    return value is None or value == ""


@pytest.mark.parametrize("kind", ["decision", "feedback", "answer", "withdrawal", "read", "purge", "start"])
@pytest.mark.parametrize("event", [{}, FULL, {"about": {"x": "", "y": []}}])
def test_nothing_in_it_is_empty(kind: str, event: dict[str, Any]) -> None:
    assert not empties(written(kind, **event))


def test_many_are_written_in_order() -> None:
    links = [TrailLink(number, "2025-03-01T09:30:00.000Z", "ab", {"kind": "start"}) for number in (1, 2)]
    assert [each["id"] for each in audit_events(iter(links))] == ["precaution-1", "precaution-2"]
