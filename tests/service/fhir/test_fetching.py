"""What was not sent is asked for: missing queries, pages, medications; in time, and with the client's token alone."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest

from precaution.service.fhir.queries import ALL
from precaution.service.http.calls import read_call
from precaution.service.settings import FhirServer
from support.fhir_server import Reply, Stub, of_patient
from support.hook_calls import App, Limits, by_tier, call, cards, draft, example, post, prefetch, searchset, settings

if TYPE_CHECKING:
    from pathlib import Path

    from precaution.service.fhir.fetching import Fetched
    from support.hook_calls import Json

TOKEN = {"access_token": "a-secret-token", "token_type": "Bearer", "expires_in": 300, "scope": "user/*.read"}


def app_for(folder: Path, server: Stub, **more: Any) -> App:
    """An application that may ask the server, and has time for it on a busy machine where a test says nothing else."""
    more.setdefault("limits", Limits(deadline_seconds=30))
    return App(settings(folder, fhir_servers=(FhirServer(url=server.base, private=True),), **more))


def asking(server: Stub, sent: Json, *drafts: Json, patient: str = "p") -> Json:
    return call("order-sign", sent, *drafts, patient=patient, fhirServer=server.base, fhirAuthorization=TOKEN)


def fetched(app: App, body: Json) -> Fetched:
    found: Fetched = app.run(app.service.fetcher.complete(read_call(body, "order-sign", Limits()), ALL))
    return found


def patient_of(resources: list[Json]) -> str:
    return str(next(each["id"] for each in resources if each["resourceType"] == "Patient"))


def test_everything_that_is_missing_is_asked_for(tmp_path: Path) -> None:
    resources = example("zoster-on-treatment")
    with Stub(of_patient(resources)) as server:
        app = app_for(tmp_path, server)
        found = by_tier(cards(app, asking(server, {}, draft(), patient=patient_of(resources))))
        sent = by_tier(cards(app, call("order-sign", prefetch(resources), draft())))
        app.close()
    assert {tier: card["detail"] for tier, card in found.items()} == {t: c["detail"] for t, c in sent.items()}
    assert "critical" in found
    assert {each.headers["Authorization"] for each in server.asked} == {"Bearer a-secret-token"}
    assert {each.headers["Accept"].partition(",")[0] for each in server.asked} == {"application/fhir+json"}
    assert len(server.asked) == len(ALL)


def test_what_was_sent_is_not_asked_for_again(tmp_path: Path) -> None:
    resources = example("ready")
    sent = prefetch(resources)
    del sent["immunizations"]
    sent["procedures"] = None
    with Stub(of_patient(resources)) as server:
        app = app_for(tmp_path, server)
        found = fetched(app, asking(server, sent, patient=patient_of(resources)))
        app.close()
    assert [each.path.partition("?")[0] for each in server.asked] == ["/fhir/Immunization"]
    assert found.answers["immunizations"].state == "whole"
    assert found.answers["procedures"].state == "none", "the client's own word is not asked about"


@pytest.mark.parametrize("size", [1, 3])
def test_pages_are_followed_to_the_last(tmp_path: Path, size: int) -> None:
    resources = example("ready")
    with Stub(of_patient(resources, size)) as server:
        app = app_for(tmp_path, server)
        found = fetched(app, asking(server, {}, patient=patient_of(resources)))
        app.close()
    states = {key: answer.state for key, answer in found.answers.items()}
    assert set(states.values()) == {"whole"}
    types = {query.type for query in ALL}
    there = sum(each["resourceType"] in types for each in resources)
    assert sum(len(each.entries) for each in found.answers.values()) == there


def test_a_page_that_was_sent_is_completed(tmp_path: Path) -> None:
    resources = example("ready")
    many = [each for each in resources if each["resourceType"] == "Immunization"]
    with Stub(of_patient(resources)) as server:
        url = f"{server.base}/Immunization?patient=p&page=1"
        sent = {**prefetch(resources), "immunizations": searchset(many[:1], link=[{"relation": "next", "url": url}])}
        app = app_for(tmp_path, server)
        found = fetched(app, asking(server, sent, patient=patient_of(resources)))
        app.close()
    assert found.answers["immunizations"].state == "whole"
    assert len(found.answers["immunizations"].entries) == len(many)


def test_pages_without_end_are_given_up(tmp_path: Path) -> None:
    def endless(path: str, _: Any) -> Reply:
        link = [{"relation": "next", "url": f"{{base}}{path.removeprefix('/fhir')}?again=1"}]
        return Reply({"resourceType": "Bundle", "type": "searchset", "entry": [], "link": link})

    with Stub(endless) as server:
        app = app_for(tmp_path, server, limits=Limits(deadline_seconds=30))
        sent = {query.key: searchset([]) for query in ALL if query.key != "conditions"}
        found = fetched(app, asking(server, sent))
        app.close()
    assert found.answers["conditions"].state == "incomplete"
    assert len(server.asked) < 30


def test_a_medication_that_orders_refer_to_is_asked_for(tmp_path: Path) -> None:
    medication = {"resourceType": "Medication", "id": "m1", "code": draft()["medicationCodeableConcept"]}
    order = draft(medicationCodeableConcept=None, medicationReference={"reference": "Medication/m1"})
    resources = [*example("ready"), medication]
    with Stub(of_patient(resources)) as server:
        app = app_for(tmp_path, server)
        low = example("low-neutrophils")
        body = asking(server, prefetch(low), order, patient=patient_of(low))
        assert "critical" in by_tier(cards(app, body))
        app.close()
    assert [each.path for each in server.asked] == ["/fhir/Medication/m1"]


def test_what_is_being_ordered_is_asked_for_before_what_is_on_record(tmp_path: Path) -> None:
    resources = example("low-neutrophils")
    sent = prefetch(resources)
    many = [draft(id=f"r{n}", medicationReference={"reference": f"Medication/a{n}"}) for n in range(60)]
    sent["medicationRequests"] = searchset(many)
    order = draft(medicationCodeableConcept=None, medicationReference={"reference": "Medication/z"})
    drug = {"resourceType": "Medication", "id": "z", "code": draft()["medicationCodeableConcept"]}
    with Stub(of_patient([*resources, drug])) as server:
        app = app_for(tmp_path, server)
        found = by_tier(cards(app, asking(server, sent, order, patient=patient_of(resources))))
        app.close()
    assert "critical" in found


def test_a_medication_of_another_server_is_not_taken_for_one_of_this(tmp_path: Path) -> None:
    resources = example("ready")
    order = draft(medicationReference={"reference": "https://other.example.org/fhir/Medication/m1"})
    del order["medicationCodeableConcept"]
    with Stub(of_patient(resources)) as server:
        app = app_for(tmp_path, server)
        (card,) = cards(app, asking(server, prefetch(resources), order, patient=patient_of(resources)))
        app.close()
    assert "can't be read" in card["summary"]
    assert server.asked == []


@pytest.mark.parametrize("reference", ["Medication/m1", "{base}/Medication/m1"])
def test_a_medication_that_a_prescription_on_record_refers_to_counts(tmp_path: Path, reference: str) -> None:
    low = example("low-neutrophils")
    subject = {"reference": f"Patient/{patient_of(low)}"}
    order = draft(
        id="o",
        status="active",
        authoredOn="2025-02-20",
        subject=subject,
        medicationCodeableConcept=None,
        medicationReference={"reference": reference},
    )
    medication = {"resourceType": "Medication", "id": "m1", "code": draft()["medicationCodeableConcept"]}
    with Stub(of_patient([*low, order, medication])) as server:
        app = app_for(tmp_path, server)
        body = call("patient-view", {}, patient=patient_of(low), fhirServer=server.base, fhirAuthorization=TOKEN)
        found = by_tier(cards(app, body))
        app.close()
    assert "critical" in found


def test_no_memory_of_an_earlier_search_is_wanted(tmp_path: Path) -> None:
    """Servers keep the results of searches for a while, and would leave out what came since."""
    with Stub(of_patient(example("ready"))) as server:
        app = app_for(tmp_path, server)
        fetched(app, asking(server, {}, patient=patient_of(example("ready"))))
        app.close()
    assert {each.headers.get("Cache-Control") for each in server.asked} == {"no-cache"}


OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}
LYING = [
    Reply(OUTCOME, 403),
    Reply(OUTCOME),
    Reply({}, 500),
    Reply(b"<html>busy</html>"),
    Reply(b""),
    Reply(b'{"a":1'),
    Reply(b"[" * 5000 + b"]" * 5000),
    Reply({"resourceType": "Bundle", "type": "searchset", "entry": 7}),
    Reply(b'{"resourceType":"Bundle","resourceType":"Bundle"}'),
    Reply(b'{"total": NaN}'),
    Reply(b"\xff\xfe\x00"),
    Reply(gzip.compress(b"{}"), headers=(("Content-Encoding", "gzip"),)),
    Reply(None),
    Reply({}, 204),
    Reply({}, 206),
    Reply(OUTCOME, 401),
    Reply({"resourceType": "Patient", "id": "somebody-else"}),
]


@pytest.mark.parametrize("reply", LYING[:-1], ids=range(len(LYING) - 1))
def test_a_server_that_lies_or_fails_leaves_unknowns(tmp_path: Path, reply: Reply) -> None:
    sent = {"patient": prefetch(example("ready"))["patient"]}
    with Stub(lambda *_: reply) as server:
        app = app_for(tmp_path, server)
        response = post(app, asking(server, sent, draft(), patient=sent["patient"]["id"]))
        app.close()
    assert response.status_code == 200
    assert "info" in by_tier(response.json()["cards"])


@pytest.mark.parametrize("reply", LYING, ids=range(len(LYING)))
def test_without_the_patient_it_is_412_or_another(tmp_path: Path, reply: Reply) -> None:
    with Stub(lambda *_: reply) as server:
        app = app_for(tmp_path, server)
        response = post(app, asking(server, {}, draft()))
        app.close()
    assert response.status_code in (412, 400)
    assert response.json()["resourceType"] == "OperationOutcome"


def test_a_server_that_is_down_leaves_unknowns(tmp_path: Path) -> None:
    with Stub(lambda *_: Reply({})) as gone:
        pass
    sent = {"patient": prefetch(example("ready"))["patient"]}
    app = app_for(tmp_path, gone)
    found = by_tier(cards(app, asking(gone, sent, draft(), patient=sent["patient"]["id"])))
    app.close()
    assert "could not be retrieved" in found["info"]["detail"]


def test_a_slow_server_costs_only_what_is_late(tmp_path: Path) -> None:
    resources = example("low-neutrophils")
    quick = of_patient(resources)

    def answer(path: str, query: dict[str, list[str]]) -> Reply:
        return quick(path, query)._replace(after=10.0 if path.endswith("/Condition") else 0.0)

    with Stub(answer) as server:
        app = app_for(tmp_path, server, limits=Limits(deadline_seconds=4))
        found = by_tier(cards(app, asking(server, {}, draft(), patient=patient_of(resources))))
        app.close()
    assert "critical" in found, "the count was there in time"
    assert "the time for asking the FHIR server was up" in found["info"]["detail"]
    assert "diagnoses" in found["info"]["detail"]


def test_a_server_that_drips_is_cut_off(tmp_path: Path) -> None:
    with Stub(lambda *_: Reply({"resourceType": "Bundle"}, drip=0.2)) as server:
        app = app_for(tmp_path, server, limits=Limits(deadline_seconds=0.5))
        sent = {"patient": prefetch(example("ready"))["patient"]}
        assert post(app, asking(server, sent, draft(), patient=sent["patient"]["id"])).status_code == 200
        app.close()


def test_a_server_that_sends_too_much_is_cut_off(tmp_path: Path) -> None:
    big = {"resourceType": "Bundle", "type": "searchset", "entry": [], "x": "y" * 200_000}
    with Stub(lambda *_: Reply(big)) as server:
        app = app_for(tmp_path, server, limits=Limits(max_body=100_000))
        sent = {query.key: searchset([]) for query in ALL if query.key != "conditions"}
        found = fetched(app, asking(server, sent))
        app.close()
    assert found.answers["conditions"].state == "failed"


def test_without_a_server_on_the_list_nothing_is_asked(tmp_path: Path) -> None:
    with Stub(lambda *_: Reply({})) as server:
        app = App(settings(tmp_path))
        assert post(app, asking(server, {}, draft())).status_code == 412
        app.close()
    assert server.connections == 0


def test_without_a_token_a_server_of_the_list_is_asked_openly(tmp_path: Path) -> None:
    with Stub(of_patient(example("ready"))) as server:
        app = app_for(tmp_path, server)
        body = asking(server, {}, draft(), patient=patient_of(example("ready")))
        del body["fhirAuthorization"]
        assert post(app, body).status_code == 200
        app.close()
    assert all("Authorization" not in each.headers for each in server.asked)


@pytest.mark.parametrize("token", ["x\r\nX-Evil: 1", "ä", "a" * 20_000, 7, None, ["x"]], ids=repr)
def test_a_token_that_is_none_is_not_sent(tmp_path: Path, token: Any) -> None:
    with Stub(of_patient(example("ready"))) as server:
        app = app_for(tmp_path, server)
        body = asking(server, {}, draft(), patient=patient_of(example("ready")))
        body["fhirAuthorization"] = {"access_token": token}
        assert post(app, body).status_code == 200
        app.close()
    assert all("Authorization" not in each.headers and "X-Evil" not in each.headers for each in server.asked)
