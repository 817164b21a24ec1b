"""What a call of a hook asks of the store: little, in time, and each token noted once, whatever becomes of the call."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future
from contextlib import closing, contextmanager
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from precaution.errors import StoreBusy, StoreOutdated
from precaution.service import store_client
from precaution.service.metrics import Metrics
from precaution.service.settings import FhirServer, Issuer
from precaution.service.store import UNREADABLE, Kept, Store, TrailEvent
from precaution.service.store.sqlite_file import DURABLE
from support.client_tokens import ISS, claims, key, public, token
from support.fhir_server import Stub, of_patient
from support.hook_calls import ID, App, call, draft, example, post, prefetch, settings
from support.stores import PATIENT, SERVER, TODAY, answer, card, execute, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATH = f"/cds-services/{ID.format('order-sign')}"


def app_for(folder: Path, url: str, **more: Any) -> App:
    keys = folder / "keys.json"
    keys.write_bytes(public(key()))
    store = Store(url)
    store.upgrade()
    given = {"require_tokens": True, "issuers": (Issuer(iss=ISS, keys=str(keys)),), "store_url": url, **more}
    return App(settings(folder, **given), store=store)


@pytest.fixture
def app(tmp_path: Path, store_url: str) -> Iterator[App]:
    made = app_for(tmp_path, store_url)
    yield made
    made.close()


@pytest.fixture
def beside(tmp_path: Path, store_url: str) -> Iterator[App]:
    """Another process of the same service: one that shares nothing but the store."""
    made = app_for(tmp_path, store_url)
    yield made
    made.close()


def signed() -> dict[str, str]:
    now = int(time.time())
    said = claims(aud=f"http://testserver{PATH}", iat=now, exp=now + 300)
    return {"Authorization": token(said, jku=...)}


def body(name: str = "low-neutrophils") -> Any:
    return call("order-sign", prefetch(example(name)), draft())


@contextmanager
def commits(app: App) -> Iterator[list[bool]]:
    """Note the commits of a store that writes, and whether each waits for the disk."""
    noted: list[bool] = []

    def note(connection: Any) -> None:
        options = connection.get_execution_options()
        if DURABLE in options:
            noted.append(options[DURABLE])

    event.listen(app.service.store._database.engine, "commit", note)
    yield noted
    event.remove(app.service.store._database.engine, "commit", note)


def test_a_call_with_cards_is_one_commit(app: App) -> None:
    with commits(app) as noted:
        assert post(app, body(), headers=signed()).json()["cards"]
    assert noted == [True]
    assert execute(app.service.settings.store_url, "SELECT count(*) FROM used_tokens")[0][0] == 1


def test_a_call_without_cards_notes_its_token_and_waits_for_no_disk(app: App) -> None:
    silent = call("patient-view", {**prefetch(example("ready")), "medicationRequests": None})
    silent["prefetch"] = {
        name: {**value, "entry": [], "total": 0} if isinstance(value, dict) and "entry" in value else value
        for name, value in silent["prefetch"].items()
    }
    path = f"/cds-services/{ID.format('patient-view')}"
    now = int(time.time())
    headers = {"Authorization": token(claims(aud=f"http://testserver{path}", iat=now, exp=now + 300), jku=...)}
    with commits(app) as noted:
        response = post(app, silent, headers=headers)
    assert response.status_code == 200
    assert noted == [bool(response.json()["cards"])]
    assert execute(app.service.settings.store_url, "SELECT count(*) FROM used_tokens")[0][0] == 1


@pytest.mark.parametrize("sent", ["good", "refused"])
def test_a_token_used_in_one_process_is_refused_in_another(app: App, beside: App, sent: str) -> None:
    headers = signed()
    first = post(app, body() if sent == "good" else {"hook": 7}, service=ID.format("order-sign"), headers=headers)
    assert first.status_code == (200 if sent == "good" else 400)
    before = app.service.store.head().seq
    again = post(beside, body(), headers=headers)
    assert again.status_code == 401
    assert again.headers["www-authenticate"] == "Bearer"
    assert app.service.store.head().seq == before, "nothing of it is kept"
    assert 'precaution_tokens_refused_total{why="replay"} 1.0' in beside.get("/metrics").text


def test_of_two_processes_that_get_a_token_at_once_one_answers(app: App, beside: App) -> None:
    async def both(headers: dict[str, str]) -> list[int]:
        calls = (each._client.post(PATH, json=body(), headers=headers) for each in (app, beside))
        return sorted(response.status_code for response in await asyncio.gather(*calls))

    for turn in range(1, 6):
        assert app.run(both(signed())) == [200, 401]
        assert app.service.store.head().seq == turn


def test_nobody_makes_us_ask_a_server_by_a_token_that_was_used(tmp_path: Path, store_url: str) -> None:
    with Stub(of_patient(example("ready"))) as server:
        allowed = (FhirServer(url=server.base, private=True),)
        one, other = (app_for(tmp_path, store_url, fhir_servers=allowed) for _ in range(2))
        headers = signed()
        asking = call("order-sign", {}, draft(), patient="ready", fhirServer=server.base)
        post(one, asking, headers=headers)
        asked = len(server.asked)
        assert asked
        assert post(other, asking, headers=headers).status_code == 401
        assert len(server.asked) == asked
        one.close()
        other.close()


# When it is asked in the event loop


class Watched(Store):
    """A store that notes in which thread it is asked."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.loop: list[bool] = []
        self.locked = False

    def kept(self, server: str, patient: str, today: str) -> Kept:
        self.loop.append(current_thread() is main_thread())
        return super().kept(server, patient, today)

    def kept_at_once(self, server: str, patient: str, today: str) -> Kept:
        self.loop.append(current_thread() is main_thread())
        if self.locked:
            raise StoreBusy("locked")
        return super().kept_at_once(server, patient, today)


@pytest.fixture
def watched(store_url: str) -> Iterator[Watched]:
    with opened(store_url):
        store = Watched(store_url)
        yield store
        store.close()


def ask(store: Watched, *pauses: float, keeping: bool = False) -> list[Kept]:
    """Ask for what is kept before and after each pause."""

    async def asked() -> list[Kept]:
        client = store_client.StoreClient(store, Metrics(), 0.3)
        found = []
        if keeping:
            await client.keep([], TrailEvent(kind="decision"), None, None)
        found.append(await client.kept("s", "p", "2025-03-01"))
        for pause in pauses:
            await asyncio.sleep(pause)
            found.append(await client.kept("s", "p", "2025-03-01"))
        return found

    return asyncio.run(asked())


def test_only_a_file_that_has_just_answered_is_read_in_the_event_loop(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_client, "_JUST", 5.0)
    ask(watched, 0.0, 0.0)
    assert watched.loop == [False, watched.embedded, watched.embedded]
    watched.loop.clear()
    ask(watched, keeping=True)
    assert watched.loop == [watched.embedded], "what was written says as well that it answers"
    watched.loop.clear()
    monkeypatch.setattr(store_client, "_JUST", 0.01)
    ask(watched, 0.05, 0.05)
    assert watched.loop == [False, False, False]


def test_a_file_that_is_locked_is_waited_for_in_another_thread(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_client, "_JUST", 5.0)
    watched.locked = True
    assert all(each.readable for each in ask(watched, 0.0))
    assert watched.loop == ([False, True, False] if watched.embedded else [False, False])


def test_at_once_is_read_only_what_is_open_and_what_was_kept_is_found(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    with opened(f"sqlite:///{file}", busy_seconds=20) as store:
        with pytest.raises(StoreBusy, match="no connection"):
            store.kept_at_once(SERVER, PATIENT, TODAY)
        assert store.kept(SERVER, PATIENT, TODAY) == store.kept_at_once(SERVER, PATIENT, TODAY) == Kept()
        store.answer(SERVER, PATIENT, [answer()])
        assert store.kept_at_once(SERVER, PATIENT, TODAY) == store.kept(SERVER, PATIENT, TODAY) != Kept()
        with closing(Store(f"sqlite:///{file}")) as other:
            other.answer(SERVER, PATIENT, [answer("no")])
        assert store.kept_at_once(SERVER, PATIENT, TODAY).answers[0].answer == "no"
        store.close()
        with pytest.raises(StoreBusy, match="no connection"):
            store.kept_at_once(SERVER, PATIENT, TODAY)


def test_what_fails_at_once_is_opened_anew(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    with opened(f"sqlite:///{file}", busy_seconds=0.2) as store:
        store.kept(SERVER, PATIENT, TODAY)
        execute(f"sqlite:///{file}", "ALTER TABLE answers RENAME TO away")
        with pytest.raises(StoreOutdated):
            store.kept_at_once(SERVER, PATIENT, TODAY)
        with pytest.raises(StoreBusy, match="no connection"):
            store.kept_at_once(SERVER, PATIENT, TODAY)
        execute(f"sqlite:///{file}", "ALTER TABLE away RENAME TO answers")
        assert store.kept(SERVER, PATIENT, TODAY) == store.kept_at_once(SERVER, PATIENT, TODAY)


def test_what_is_given_before_a_late_store_kept_it_is_kept_in_the_end(watched: Watched) -> None:
    async def asked() -> bool:
        client = store_client.StoreClient(watched, Metrics(), 0.1)
        return await client.keep([card()], TrailEvent(kind="decision"), None, None)

    go_on = threading.Event()
    busy = watched._commits.later(lambda _: go_on.wait(60))
    assert asyncio.run(asked())
    go_on.set()
    assert busy.result(60)
    watched.note(TrailEvent(kind="start"))
    assert watched.card("card-1") is not None


def test_a_store_that_does_not_answer_is_left_after_its_time(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "keeping", lambda *_, **__: Future())
    monkeypatch.setattr(watched, "kept", lambda *_, **__: time.sleep(1))

    async def asked() -> tuple[bool, Kept]:
        client = store_client.StoreClient(watched, Metrics(), 0.1)
        return await client.keep([], TrailEvent(kind="decision"), None, None), await client.kept("s", "p", "2025-03-01")

    assert asyncio.run(asked()) == (True, UNREADABLE)
