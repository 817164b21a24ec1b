"""Nobody reads, answers or silences anything for the patients of another client, whatever is guessed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from precaution.errors import UsageError
from precaution.service.settings import FhirServer, Issuer, Settings
from precaution.service.settings_loading import check
from support.client_tokens import claims, key, public, token
from support.fhir_server import Stub, of_patient
from support.hook_calls import ID, App, Json, call, draft, example, post, prefetch, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

A, B = "https://a.example.org", "https://b.example.org"
SIGN, FEEDBACK = f"/cds-services/{ID.format('order-sign')}", f"/cds-services/{ID.format('order-sign')}/feedback"
SERVER, ELSEWHERE = f"{A}/fhir", "https://nobody.example.org/fhir"
PATIENT = "restricted"
YES = {"ask": "no-suitable-alternative", "answer": "yes", "reason": "tried the others"}


def clients(folder: Path) -> tuple[Issuer, Issuer]:
    file = folder / "keys.json"
    file.write_bytes(public(key()))
    a, b = (Issuer(iss=each, keys=str(file), role="admin") for each in (A, B))
    return a, b


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    listed = (FhirServer(url=SERVER, issuers=(A,)), FhirServer(url=f"{B}/fhir", issuers=(B,)))
    made = App(settings(tmp_path, require_tokens=True, issuers=clients(tmp_path), fhir_servers=listed))
    yield made
    made.close()


def signed(path: str, iss: str, **more: Any) -> Json:
    now = int(time.time())
    said = claims(iss=iss, aud=f"http://testserver{path}", iat=now, exp=now + 300, **more)
    return {"Authorization": token(said, jku=...)}


def asked(app: App, iss: str, server: str = "", **more: Any) -> Any:
    body = call("order-sign", prefetch(example(PATIENT)), draft(), **({"fhirServer": server} if server else {}))
    return post(app, body, headers=signed(SIGN, iss, **more))


def card(app: App, iss: str, server: str = "", **more: Any) -> str:
    """Return the id of a card that a client was given."""
    response = asked(app, iss, server, **more)
    assert response.status_code == 200, response.text
    return str(response.json()["cards"][0]["uuid"])


def answer(app: App, uuid: str, iss: str, **more: Any) -> Any:
    return app.post("/answers", json={"card": uuid, "answers": [YES]}, headers=signed("/answers", iss, **more))


def answers(app: App, uuid: str, iss: str, **more: Any) -> Any:
    path = f"/answers/{uuid}"
    return app.get(path, headers=signed(path, iss, **more))


@pytest.mark.parametrize("server", [SERVER, f"{SERVER}/", f"{SERVER}/below", "https://A.example.org:443/fhir"])
def test_a_server_of_another_client_is_refused_and_nothing_is_kept(app: App, server: str) -> None:
    before = app.service.store.head()
    response = asked(app, B, server)
    assert response.status_code == 403
    assert response.json()["issue"][0]["diagnostics"] == "fhirServer is not a server of this client"
    assert app.service.store.head() == before


@pytest.mark.parametrize("server", ["", SERVER, ELSEWHERE])
@pytest.mark.parametrize("guess", ["", ELSEWHERE, f"{A} {ELSEWHERE}", A, f"{A} ", "HTTPS://A.EXAMPLE.ORG"])
def test_what_was_answered_for_a_patient_bears_on_no_guess_of_another_client(app: App, server: str, guess: str) -> None:
    mine = card(app, A, server)
    assert answer(app, mine, A).status_code == 200
    theirs = card(app, B, guess)
    assert answers(app, theirs, B).json() == {"answers": []}
    assert answer(app, theirs, B).json()["answers"][0]["state"] == "kept", "of a patient of their own"
    (number,) = [each["id"] for each in answers(app, mine, A).json()["answers"]]
    path = "/answers/withdraw"
    back = {"card": theirs, "id": number, "reason": "guessed", "who": "Practitioner/1"}
    assert app.post(path, json=back, headers=signed(path, B)).status_code == 404
    assert len(answers(app, card(app, A, server), A).json()["answers"]) == 1, "a later card leads to the same patient"


def test_an_override_of_another_client_silences_nothing(app: App) -> None:
    shown = asked(app, A, SERVER).json()["cards"]
    for guess in ("", ELSEWHERE):
        for each in asked(app, B, guess).json()["cards"]:
            piece = {
                "card": each["uuid"],
                "outcome": "overridden",
                "outcomeTimestamp": "2025-03-01T09:30:00Z",
                "overrideReason": {"reason": {"code": "risk-benefit-ratio"}},
            }
            sent = app.post(FEEDBACK, json={"feedback": [piece]}, headers=signed(FEEDBACK, B))
            assert sent.status_code == 200
    again = asked(app, A, SERVER).json()["cards"]
    assert [each["summary"] for each in again] == [each["summary"] for each in shown]
    assert [each["detail"] for each in again] == [each["detail"] for each in shown]


def test_the_server_of_one_tenant_is_not_that_of_another(tmp_path: Path) -> None:
    file = clients(tmp_path)[0].keys
    several = tuple(Issuer(iss=A, keys=file, tenant=each, role="admin") for each in ("one", "two"))
    listed = (FhirServer(url=SERVER, issuers=(f"{A} one",)),)
    made = App(settings(tmp_path, require_tokens=True, issuers=several, fhir_servers=listed))
    assert asked(made, A, SERVER, tenant="two").status_code == 403
    mine = card(made, A, SERVER, tenant="one")
    assert answer(made, mine, A, tenant="one").status_code == 200
    assert answers(made, card(made, A, ELSEWHERE, tenant="two"), A, tenant="two").json() == {"answers": []}
    made.close()


def test_a_single_client_names_whichever_server_it_likes(tmp_path: Path) -> None:
    made = App(settings(tmp_path, require_tokens=True, issuers=clients(tmp_path)[:1]))
    assert answer(made, card(made, A, ELSEWHERE), A).status_code == 200
    assert made.service.store.servers(PATIENT) == [ELSEWHERE]
    made.close()


def test_a_server_is_asked_for_its_own_clients_alone(tmp_path: Path) -> None:
    with Stub(of_patient(example(PATIENT))) as server:
        listed = (FhirServer(url=server.base, private=True, issuers=(A,)),)
        made = App(settings(tmp_path, require_tokens=True, issuers=clients(tmp_path), fhir_servers=listed))
        body = call("order-sign", {}, draft(), patient=PATIENT, fhirServer=server.base)
        assert post(made, body, headers=signed(SIGN, B)).status_code == 403
        assert not server.asked
        assert post(made, body, headers=signed(SIGN, A)).status_code == 200
        assert server.asked
        made.close()


@pytest.mark.parametrize(
    ("issuers", "says"),
    [
        ((), r"fhir-server https://a\.example\.org/fhir: issuers is missing: .*several clients"),
        (("https://c.example.org",), r"issuers: no \[\[issuer\]\] is called https://c\.example\.org\. Did you mean"),
    ],
)
def test_with_several_clients_each_server_names_its_own(tmp_path: Path, issuers: tuple[str, ...], says: str) -> None:
    chosen = Settings(issuers=clients(tmp_path), fhir_servers=(FhirServer(url=SERVER, issuers=issuers),))
    with pytest.raises(UsageError, match=says):
        check(chosen)
    check(Settings(issuers=clients(tmp_path)[:1], fhir_servers=(FhirServer(url=SERVER),)))
    check(Settings(issuers=clients(tmp_path), fhir_servers=(FhirServer(url=SERVER, issuers=(A, f"{B} ward")),)))
