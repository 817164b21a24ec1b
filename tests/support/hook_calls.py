"""Calls of hooks for tests: prefetches of records, orders being written, an application with a store of its own."""

from __future__ import annotations

import asyncio
import copy
import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import httpx
import structlog

from precaution.service.app import make_app
from precaution.service.fhir.queries import ALL, HOOKS, PATIENT
from precaution.service.settings import Limits, Settings
from precaution.service.store import Store
from support.fhir_server import SOCIAL
from support.project import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
"""A failing test is read more easily without the log."""

Json = dict[str, Any]
TODAY = "2025-03-01"
INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
DRUG = {"coding": [{"system": RXNORM, "code": "2047241"}]}
ID = "baricitinib-{}"


@cache
def _empty_store() -> bytes:
    """Return the file of an empty store; made once, for the tables take long."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "store.sqlite"
        Store(f"sqlite:///{file}").open().close()
        return file.read_bytes()


def settings(folder: Path, **more: Any) -> Settings:
    """Return settings with a store in `folder`, for TODAY."""
    file = folder / "store.sqlite"
    if not file.exists():
        file.write_bytes(_empty_store())
        file.chmod(0o600)
    given = {"today": TODAY, "store_url": f"sqlite:///{folder}/store.sqlite", "public_url": "http://testserver"}
    return Settings(**{**given, **more})


class App:
    """An application, called without a network. `with App(...) as app` also starts it, canaries and all."""

    def __init__(self, chosen: Settings, **parts: Any) -> None:
        self.app = make_app(chosen, **parts)
        self.service = self.app.state.service
        self._loop = asyncio.new_event_loop()
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://testserver")
        self._life = self.app.router.lifespan_context(self.app)

    def __enter__(self) -> App:
        self._loop.run_until_complete(self._life.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run_until_complete(self._life.__aexit__(None, None, None))
        self.close()

    def close(self) -> None:
        """Close what is open."""
        self._loop.run_until_complete(self._client.aclose())
        self.service.store.close()
        self._loop.close()

    def run(self, what: Any) -> Any:
        """Run something in the application's own loop."""
        return self._loop.run_until_complete(what)

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request."""
        response: httpx.Response = self.run(self._client.request(method, path, **more))
        return response

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Send a GET."""
        return self.send("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        """Send a POST."""
        return self.send("POST", path, **more)


def example(name: str) -> list[Json]:
    """Return the resources of a patient of examples/, with references as a server has them."""
    bundle = json.loads((PROJECT / "examples" / f"{name}.json").read_text(encoding="utf-8"))
    text = json.dumps([entry["resource"] for entry in bundle["entry"]])
    for entry in bundle["entry"]:
        if "fullUrl" in entry:
            resource = entry["resource"]
            text = text.replace(entry["fullUrl"], f"{resource['resourceType']}/{resource['id']}")
    resources: list[Json] = json.loads(text)
    return resources


def searchset(resources: Iterable[Json], **more: Any) -> Json:
    """Return a complete search result."""
    entries = [{"resource": each, "search": {"mode": "match"}} for each in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries, **more}


def prefetch(resources: Iterable[Json]) -> Json:
    """Return resources as a client sends them, query by query, each whole."""
    resources = list(resources)
    shared = [
        {"resource": each, "search": {"mode": "include"}}
        for each in resources
        if each["resourceType"] in ("Medication", "Substance")
    ]
    made: Json = {}
    for query in ALL:
        found = [each for each in resources if each["resourceType"] == query.type]
        if query.type == "Observation":
            social = query.key == "socialHistory"
            found = [each for each in found if any(code in json.dumps(each) for code in SOCIAL) == social]
        made[query.key] = found[0] if query.key == PATIENT else searchset(found)
        if query.kind == "medication":
            made[query.key]["entry"] += shared
    return made


def draft(**more: Any) -> Json:
    """Return an order of the drug that is being written."""
    return {
        "resourceType": "MedicationRequest",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": copy.deepcopy(DRUG),
        **more,
    }


def call(hook: str, sent: Json, *drafts: Json, patient: str = "", **more: Any) -> Json:
    """Return the body of a call."""
    found = sent.get(PATIENT)
    name = patient or (str(found["id"]) if isinstance(found, dict) and "id" in found else "nobody")
    context: Json = {"userId": "Practitioner/12", "patientId": name}
    if hook != "patient-view":
        context["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": each} for each in drafts]}
    return {"hook": hook, "hookInstance": INSTANCE, "context": context, "prefetch": sent, **more}


def post(app: App, body: Json, *, service: str = "", **more: Any) -> Any:
    """Send a call to its service."""
    return app.post(f"/cds-services/{service or ID.format(body.get('hook'))}", json=body, **more)


def cards(app: App, body: Json) -> list[Json]:
    """Return the cards of a call; fails where there are none to be had."""
    response = post(app, body)
    assert response.status_code == 200, response.text
    found: list[Json] = response.json()["cards"]
    return found


def by_tier(found: Iterable[Json]) -> dict[str, Json]:
    """Return cards by their tier."""
    return {each["indicator"]: each for each in found}


def strings(value: object) -> Iterator[str]:
    """Yield every string of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings(each)


__all__ = ["HOOKS", "Limits", "Settings"]
