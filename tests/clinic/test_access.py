"""Nobody sees anything without the key, under another name, or by a page from elsewhere; and nothing hostile runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("starlette")

from precaution.clinic.access import POLICY, ClinicAccess
from support.clinic_pages import HOSTILE_ID, Visitor, clinic_of, hostile, people, reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.clinic.app import Clinic

PATHS = (
    "/",
    "/?who=everybody",
    "/worklist.csv",
    "/about",
    "/static/clinic.css",
    "/static/icon.svg",
    f"/patients/{reference('followed')}",
    f"/patients/{reference('followed')}?span=all",
    f"/patients/{reference('followed')}/checklist",
    "/patients/unknown",
    "/no-such-page",
)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    return clinic_of(tmp_path_factory.mktemp("clinic"), people())


@pytest.fixture
def stranger(clinic: Clinic) -> Iterator[Visitor]:
    made = Visitor(clinic, let_in=False)
    yield made
    made.close()


@pytest.fixture
def visitor(clinic: Clinic) -> Iterator[Visitor]:
    made = Visitor(clinic)
    yield made
    made.close()


@pytest.mark.parametrize("path", PATHS)
def test_without_the_key_nothing_is_shown(stranger: Visitor, path: str) -> None:
    wrong = [
        {},
        {"cookie": f"{stranger.access.cookie}=x"},
        {"cookie": f"{stranger.access.cookie}={stranger.access.key}"},
    ]
    for headers in [*wrong, {"cookie": '="; \x00'}]:
        response = stranger.get(path, headers=headers)
        assert response.status_code == 403
        assert "followed" not in response.text


@pytest.mark.parametrize("query", ["?key=", "?key=x", "?key", "?Key={}", "?key={}x", "?kez={}", "?key=%ff"])
def test_another_key_does_not_open(stranger: Visitor, query: str) -> None:
    assert stranger.get("/" + query.format(stranger.access.key)).status_code == 403


def test_the_key_opens_once_into_a_cookie_and_leaves_the_address(stranger: Visitor) -> None:
    response = stranger.get(f"/?key={stranger.access.key}")
    assert (response.status_code, response.headers["location"]) == (303, "/")
    cookie = response.headers["set-cookie"]
    assert stranger.access.key not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Max-Age" not in cookie, "it ends with the browser"
    assert stranger.get("/").status_code == 200


def test_each_run_has_a_key_of_its_own() -> None:
    keys = {ClinicAccess(8090).key for _ in range(3)}
    assert len(keys) == 3
    assert min(map(len, keys)) >= 43, "256 bits"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:80", "localhost.evil.example:8090", ""])
def test_another_name_of_this_machine_is_refused_even_with_the_key(visitor: Visitor, host: str) -> None:
    for path in ("/", f"/?key={visitor.access.key}"):
        response = visitor.get(path, headers={"host": host})
        assert response.status_code == 421
        assert "set-cookie" not in response.headers


def test_this_machine_has_two_names(visitor: Visitor) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items())
    assert visitor.get("/", headers={"host": "localhost:8090", "cookie": cookie}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", PATHS[:9])
def test_pages_are_only_read(visitor: Visitor, method: str, path: str) -> None:
    assert visitor.send(method, path, headers={"origin": "http://127.0.0.1:8090"}).status_code == 405
    assert visitor.send(method, path).status_code == 403, "a page from elsewhere does not even hear that"


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_safe_headers(visitor: Visitor, path: str) -> None:
    headers = visitor.get(path).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"


def test_the_policy_allows_no_script_and_nothing_from_elsewhere() -> None:
    assert "unsafe" not in POLICY
    assert "script-src" not in POLICY, "default-src 'none' forbids them"
    assert "default-src 'none'" in POLICY
    assert not re.search(r"https?:|\*|data:", POLICY)


@pytest.mark.parametrize("path", PATHS[:9])
def test_pages_hold_no_script_and_lead_nowhere_else(visitor: Visitor, path: str) -> None:
    response = visitor.get(path)
    if not response.headers["content-type"].startswith("text/html"):
        assert "http" not in response.text.replace("http://www.w3.org/2000/svg", "")
        return
    page = visitor.page(path)
    assert not [
        tag for tag, _ in page.elements if tag in ("script", "style", "iframe", "object", "embed", "base", "img")
    ]
    assert not [name for _, each in page.elements for name in each if name.startswith("on") or name == "style"]
    assert not [link for link in page.links() if not link.startswith(("/", "#")) or link.startswith("//")]


def test_no_id_stands_in_an_address(visitor: Visitor) -> None:
    page = visitor.page("/?who=everybody")
    assert not [link for link in page.links() if "followed" in link]


def test_a_mistake_shows_and_tells_nothing_of_anybody(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from precaution.clinic import app

    def fail(*_: object) -> None:
        raise ValueError("followed has 0.8")

    monkeypatch.setattr(app, "patient_view", fail)
    response = visitor.get(f"/patients/{reference('followed')}")
    assert response.status_code == 500
    said = capsys.readouterr().err
    assert "ValueError at test_access.py" in said
    assert "followed" not in response.text + said


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    made = Visitor(clinic_of(tmp_path_factory.mktemp("hostile"), hostile(), "everybody"))
    yield made
    made.close()


TAKEN_IN = r"<script>alert|<img src=x|<svg onload|onerror=alert\(1\)>(?!&)"


def test_hostile_texts_are_text(attacked: Visitor) -> None:
    paths = ["/", f"/?search={'%22%3E%3Cscript%3Ealert(9)'}"]
    paths += [f"/patients/{reference(HOSTILE_ID)}{more}" for more in ("", "?span=all", "/checklist")]
    for path in paths:
        page = attacked.page(path)
        assert not [tag for tag, _ in page.elements if tag in ("script", "img", "iframe")]
        assert not [name for _, each in page.elements for name in each if name.startswith("on")]
        assert not re.search(TAKEN_IN, page.html)
        assert ">49<" not in page.html.replace(" ", ""), "no template is run"
    assert HOSTILE_ID in attacked.page("/").text


def test_a_text_that_would_run_is_seen() -> None:
    assert re.search(TAKEN_IN, "<td><script>alert(1)")
    assert re.search(TAKEN_IN, "<td><img src=x onerror=alert(1)>")
