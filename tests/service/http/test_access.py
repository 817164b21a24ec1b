"""Who may call a hook: the holder of a sound token for just this address, once; and what needs none."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from precaution.service.settings import Issuer
from support.client_tokens import ISS, claims, key, public, token
from support.hook_calls import ID, App, call, draft, example, post, prefetch, settings
from support.service_log import logged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BASE = "http://testserver"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    keys = tmp_path / "keys.json"
    keys.write_bytes(public(key(), key("two", "RSA")))
    made = App(settings(tmp_path, require_tokens=True, issuers=(Issuer(iss=ISS, keys=str(keys)),)))
    yield made
    made.close()


def signed(path: str, **more: Any) -> dict[str, str]:
    """Return the headers of a client that calls an address now."""
    now = int(time.time())
    said = claims(aud=f"{BASE}{path}", iat=now, exp=now + 300, **more)
    return {"Authorization": token(said, jku=...)}


PATH = f"/cds-services/{ID.format('order-sign')}"


def test_a_sound_token_gets_cards_once(app: App) -> None:
    body, headers = call("order-sign", prefetch(example("low-neutrophils")), draft()), signed(PATH)
    assert post(app, body, headers=headers).json()["cards"]
    assert post(app, body, headers=headers).status_code == 401, "it was used"
    assert post(app, body, headers=signed(PATH)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer x.y.z"},
        {"Authorization": "Basic eDp5"},
        "/cds-services",
        f"{PATH}/feedback",
        "/cds-services/other",
    ],
    ids=range(7),
)
def test_anything_else_gets_401_without_a_reason(app: App, headers: Any) -> None:
    given = signed(headers) if isinstance(headers, str) else headers
    for body in (call("order-sign", prefetch(example("low-neutrophils")), draft()), {"hook": 7}):
        response = post(app, body, service=ID.format("order-sign"), headers=given)
        assert response.status_code == 401
        assert response.json()["issue"] == [{"severity": "error", "code": "login", "diagnostics": "not authorised"}]
        assert response.headers["www-authenticate"] == "Bearer"


def test_why_is_counted_for_the_site_alone(app: App) -> None:
    post(app, call("order-sign", {}, patient="p"))
    assert 'precaution_tokens_refused_total{why="no-token"} 1.0' in app.get("/metrics").text


@pytest.mark.parametrize("path", [PATH, f"{PATH}/feedback", "/answers"])
def test_why_is_logged_for_the_site_alone(app: App, capfd: pytest.CaptureFixture[str], path: str) -> None:
    with logged("info"):
        response = app.post(path, json={}, headers=signed("/elsewhere"))
    assert response.status_code == 401
    assert "audience" not in response.text
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [line["refused"] for line in lines if line["event"] == "call"] == ["audience"]
    assert 'precaution_tokens_refused_total{why="audience"} 1.0' in app.get("/metrics").text


def test_what_is_no_secret_needs_no_token(app: App) -> None:
    for path in ("/cds-services", "/health/live", "/label", "/static/page.css", "/metrics", "/openapi.json"):
        assert app.get(path).status_code == 200, path


def test_a_clock_that_is_a_little_ahead_is_forgiven(app: App) -> None:
    now = int(time.time())
    said = claims(aud=f"{BASE}{PATH}", iat=now + 30, exp=now + 330)
    body = call("order-sign", prefetch(example("ready")), draft())
    assert post(app, body, headers={"Authorization": token(said, jku=...)}).status_code == 200
