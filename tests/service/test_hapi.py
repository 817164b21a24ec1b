"""The service and HAPI FHIR: its search, its paging, its refusals, and what it remembers of earlier searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from precaution.service.fhir.queries import ALL
from precaution.service.http.calls import read_call
from precaution.service.settings import FhirServer
from support.hapi_server import JSON, TOKEN, client, hapi, kept, load
from support.hook_calls import App, Limits, by_tier, call, cards, draft, post, prefetch, settings
from support.project import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from precaution.service.fhir.fetching import Fetched
    from support.hook_calls import Json

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("hapi")]  # one server is enough: it takes long to start
PAGE = 3
EXAMPLES = sorted(file.stem for file in (PROJECT / "examples").glob("*.json"))


def referring(resources: list[Json]) -> list[Json]:
    """Return resources whose orders of the drug only refer to a Medication."""
    medication = {"resourceType": "Medication", "id": "the-drug", "code": draft()["medicationCodeableConcept"]}
    return [*(_referring(each) if each["id"].endswith("-baricitinib") else each for each in resources), medication]


def _referring(order: Json) -> Json:
    left = {key: value for key, value in order.items() if key != "medicationCodeableConcept"}
    return {**left, "medicationReference": {"reference": "Medication/the-drug"}}


PEOPLE = {name: kept(name) for name in EXAMPLES}
PEOPLE["zoster-on-treatment"] = referring(PEOPLE["zoster-on-treatment"])


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    with hapi(PAGE) as base, client(base) as found:
        load(found, [each for resources in PEOPLE.values() for each in resources])
        yield found


@pytest.fixture
def app(server: httpx.Client, tmp_path: Path) -> Iterator[App]:
    listed = (FhirServer(url=base_of(server), private=True),)
    made = App(settings(tmp_path, fhir_servers=listed, limits=Limits(deadline_seconds=60)))  # a cold JVM is slow
    yield made
    made.close()


def base_of(server: httpx.Client) -> str:
    return str(server.base_url).rstrip("/")


def asking(server: httpx.Client, patient: str, sent: Json | None = None, token: str = TOKEN) -> Json:
    """Return a call that leaves to the service what is not in `sent`."""
    given = {"access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.read"}
    more: Json = {"fhirServer": base_of(server), "fhirAuthorization": {**given, "subject": "nurse"}}
    return call("order-sign", sent or {}, draft(), patient=patient, **more)


def told(found: list[Json]) -> list[tuple[str, str, str]]:
    return [(card["indicator"], card["summary"], card["detail"]) for card in found]


def expected(app: App, patient: str) -> list[tuple[str, str, str]]:
    """Return what the cards are where the client sends everything along."""
    return told(cards(app, call("order-sign", prefetch(PEOPLE[patient]), draft())))


def fetched(app: App, body: Json) -> Fetched:
    found: Fetched = app.run(app.service.fetcher.complete(read_call(body, "order-sign", Limits()), ALL))
    return found


@pytest.mark.parametrize("patient", EXAMPLES)
def test_from_the_server_alone_come_the_same_cards_as_from_a_whole_prefetch(
    server: httpx.Client, app: App, patient: str
) -> None:
    assert told(cards(app, asking(server, patient))) == expected(app, patient)


def test_pages_are_followed_to_the_last(server: httpx.Client, app: App) -> None:
    found = fetched(app, asking(server, "low-neutrophils"))
    assert {answer.state for answer in found.answers.values()} == {"whole"}
    types = {query.type for query in ALL}
    there = sum(each["resourceType"] in types for each in PEOPLE["low-neutrophils"])
    assert sum(len(answer.entries) for answer in found.answers.values()) == there
    further = sum((len(answer.entries) - 1) // PAGE for answer in found.answers.values() if answer.entries)
    assert found.asked == len(ALL) + further
    assert further > 5


def first_page(server: httpx.Client, patient: str) -> Json:
    query = next(each for each in ALL if each.key == "laboratory")
    page: Json = server.get("/" + query.template.replace("{{context.patientId}}", patient)).json()
    assert len(page["entry"]) == PAGE
    assert "_getpages" in next(link["url"] for link in page["link"] if link["relation"] == "next")
    return page


def test_a_first_page_that_the_client_sends_is_completed(server: httpx.Client, app: App) -> None:
    sent = {"laboratory": first_page(server, "low-neutrophils")}
    assert told(cards(app, asking(server, "low-neutrophils", sent))) == expected(app, "low-neutrophils")


def test_a_page_that_the_server_has_forgotten_leaves_unknowns(server: httpx.Client, app: App) -> None:
    page = first_page(server, "ready")
    for link in page["link"]:
        link["url"] = link["url"].replace("_getpages=", "_getpages=0")
    body = asking(server, "ready", {"laboratory": page})
    assert fetched(app, body).answers["laboratory"].state == "incomplete"
    assert "laboratory results" in by_tier(cards(app, body))["info"]["detail"]


@pytest.mark.parametrize("token", ["wrong", f"{TOKEN}.Patient.ready", f"{TOKEN}.Patient"])
def test_without_the_right_to_read_the_patient_it_is_412(server: httpx.Client, app: App, token: str) -> None:
    answer = post(app, asking(server, "low-neutrophils", token=token))
    assert answer.status_code == 412
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_with_a_wrong_token_what_was_not_sent_is_unknown(server: httpx.Client, app: App) -> None:
    sent = {"patient": PEOPLE["ready"][0]}
    found = by_tier(cards(app, asking(server, "ready", sent, token="wrong")))  # noqa: S106
    assert "could not be retrieved" in found["info"]["detail"]


def test_a_token_for_this_patient_alone_is_enough(server: httpx.Client, app: App) -> None:
    found = cards(app, asking(server, "low-neutrophils", token=f"{TOKEN}.Patient.low-neutrophils"))
    assert told(found) == expected(app, "low-neutrophils")


def test_a_medication_is_nobodys_and_needs_a_right_of_its_own(server: httpx.Client, app: App) -> None:
    found = by_tier(cards(app, asking(server, "zoster-on-treatment", token=f"{TOKEN}.Patient.zoster-on-treatment")))
    assert "Medication that can't be read" in found["info"]["detail"]


def test_what_the_token_may_not_read_is_unknown(server: httpx.Client, app: App) -> None:
    body = asking(server, "low-neutrophils", token=f"{TOKEN}.Observation")
    states = {key: answer.state for key, answer in fetched(app, body).answers.items()}
    assert {key for key, state in states.items() if state != "whole"} == {"laboratory", "socialHistory"}
    assert "laboratory results" in by_tier(cards(app, body))["info"]["detail"]


@pytest.mark.parametrize("deleted", [False, True], ids=["never there", "deleted"])
def test_a_patient_that_is_not_there_is_412(server: httpx.Client, app: App, deleted: bool) -> None:
    if deleted:
        load(server, [{"resourceType": "Patient", "id": "gone"}])
        assert server.delete("/Patient/gone").status_code == 200
    assert post(app, asking(server, "gone" if deleted else "nobody")).status_code == 412


def test_a_result_that_came_a_moment_ago_is_seen(server: httpx.Client, app: App) -> None:
    """HAPI answers a search that it made within a minute from memory, unless it is told not to."""

    def seen() -> dict[str, Any]:
        return by_tier(cards(app, asking(server, "ready")))

    assert "critical" not in seen()
    count = next(each for each in PEOPLE["low-neutrophils"] if each["id"] == "low-neutrophils-anc-2025-02")
    new = {**count, "id": "new", "subject": {"reference": "Patient/ready"}}
    server.put("/Observation/new", json=new, headers=JSON).raise_for_status()
    try:
        assert "critical" in seen()
    finally:
        server.delete("/Observation/new").raise_for_status()
