"""The page of a decision: who may see it, what it shows, what a browser may do with it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from precaution import load_label
from precaution.assessment import assess
from precaution.errors import UsageError
from precaution.service.auth.links import PageLinks, signing_key
from precaution.service.cards.pages import content, rendered
from precaution.service.cards.vocabulary import Vocabulary
from precaution.service.cards.wording import Words
from precaution.service.settings import Settings
from precaution.values.record import Record
from support.hook_calls import App, Limits, call, cards, draft, example, prefetch, settings
from support.project import needs

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

LABEL = load_label("baricitinib")
RECORD, ALL_KNOWN = Record(), "All that the label's rules ask for is known."
PAGE = json.loads(
    content(
        assess(RECORD, today="2025-03-01", label=LABEL),
        LABEL,
        Vocabulary(),
        Words(LABEL, Vocabulary(), RECORD, frozenset()),
        (),
    )
)
NAMES = ("low-neutrophils", "restricted", "zoster-on-treatment", "suspected-thromboembolism", "screening-missing")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    made = App(settings(tmp_path_factory.mktemp("pages")))
    yield made
    made.close()


def link(app: App, name: str) -> str:
    """Return the link of a card."""
    url: str = cards(app, call("order-sign", prefetch(example(name)), draft()))[0]["links"][0]["url"]
    return url


def cookie_of(response: httpx.Response) -> str:
    return response.headers["set-cookie"].partition(";")[0]


def page(app: App, name: str) -> httpx.Response:
    """Return the page that a card links to."""
    opened = app.get(link(app, name))
    assert opened.status_code == 303
    return app.get(opened.headers["location"], headers={"Cookie": cookie_of(opened)})


# Who may see it


def test_the_link_leads_to_the_page_by_a_cookie(app: App) -> None:
    url = link(app, "restricted")
    opened = app.get(url)
    uuid = url.split("/")[4]
    assert opened.headers["location"] == f"/decisions/{uuid}"
    settled = opened.headers["set-cookie"]
    assert "HttpOnly" in settled
    assert "SameSite=lax" in settled
    assert f"Path=/decisions/{uuid}" in settled
    assert "Secure" not in settled, "on http of this machine it could not be read back"
    shown = app.get(opened.headers["location"], headers={"Cookie": cookie_of(opened)})
    assert shown.status_code == 200


def test_behind_tls_the_cookie_is_secure_and_paths_are_the_proxys(tmp_path: Path) -> None:
    app = App(settings(tmp_path, public_url="https://cds.example.org/precaution"))
    url = link(app, "restricted")
    assert url.startswith("https://cds.example.org/precaution/decisions/")
    opened = app.get("/decisions/" + url.split("/decisions/")[1])
    assert "Secure" in opened.headers["set-cookie"]
    assert opened.headers["location"].startswith("/precaution/decisions/")
    assert opened.headers["strict-transport-security"]
    path = opened.headers["location"].removeprefix("/precaution")
    shown = app.get(path, headers={"Cookie": cookie_of(opened)})
    assert 'href="/precaution/static/page.css"' in shown.text
    app.close()


@pytest.mark.parametrize(
    "change",
    [
        lambda uuid, token: f"/decisions/{uuid}",
        lambda uuid, token: f"/decisions/{uuid}/x",
        lambda uuid, token: f"/decisions/{uuid}/{token[:-1]}",
        lambda uuid, token: f"/decisions/{uuid}/9{token}",
        lambda uuid, token: f"/decisions/0{uuid[1:-1]}x/{token}",
        lambda uuid, token: f"/decisions/{uuid.upper()}/{token}",
        lambda uuid, token: f"/decisions/x/{token}",
        lambda uuid, token: f"/decisions/{uuid}/{token.replace('.', ',')}",
    ],
    ids=range(8),
)
def test_without_the_link_the_page_is_closed(app: App, change: Any) -> None:
    uuid, token = link(app, "restricted").split("/")[4:6]
    response = app.get(change(uuid, token))
    assert response.status_code == 403
    assert "closed" in response.text


def test_a_link_ends() -> None:
    links = PageLinks("http://x", b"k" * 32, 12)
    uuid = "0b5b5a0e-3a53-4c43-8a0e-8d4f2f6c1c11"
    token = links.link(uuid, 1000.0).rpartition("/")[2]
    assert links.opens(uuid, token, 1000.0 + 12 * 3600 - 1)
    assert not links.opens(uuid, token, 1000.0 + 12 * 3600)
    assert not PageLinks("http://x", b"l" * 32, 12).opens(uuid, token, 1000.0)


def test_a_cookie_of_one_page_opens_no_other(app: App) -> None:
    first, second = link(app, "restricted"), link(app, "low-neutrophils")
    cookie = cookie_of(app.get(first))
    assert app.get(f"/decisions/{second.split('/')[4]}", headers={"Cookie": cookie}).status_code == 403


def test_a_page_that_is_kept_no_longer_is_gone(tmp_path: Path) -> None:
    app = App(settings(tmp_path))
    opened = app.get(link(app, "restricted"))
    store = app.service.store
    with store._database.write_transaction() as connection:
        connection.exec_driver_sql("DELETE FROM decisions")
    shown = app.get(opened.headers["location"], headers={"Cookie": cookie_of(opened)})
    assert shown.status_code == 404
    app.close()


def test_a_key_may_be_shared_by_file_or_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    file.write_text("k" * 40 + "\n")
    assert signing_key(Settings(link_key_file=str(file))) == b"k" * 40
    monkeypatch.setenv("PRECAUTION_LINK_KEY", "e" * 40)
    assert signing_key(Settings()) == b"e" * 40
    monkeypatch.setenv("PRECAUTION_LINK_KEY", "short")
    assert signing_key(Settings()) != signing_key(Settings())
    file.write_text("short")
    with pytest.raises(UsageError, match="at least 32"):
        signing_key(Settings(link_key_file=str(file)))
    with pytest.raises(UsageError, match="can't be read"):
        signing_key(Settings(link_key_file=str(tmp_path / "none")))


# What it shows


def test_the_verdict_stands_first_with_why_and_next(app: App) -> None:
    text = page(app, "zoster-on-treatment").text
    main = text[text.index("<main") :]
    assert main.index("On Baricitinib") < main.index("Herpes zoster: interrupt") < main.index("Reasons")
    assert "■ interrupt" in main
    assert "it may resume only when every hold is released" in main


@pytest.mark.parametrize("name", NAMES)
def test_it_shows_reasons_evidence_due_unknown_questions_and_searches(app: App, name: str) -> None:
    text = page(app, name).text
    for heading in ("Reasons", "Due", "Not known", "Questions for a clinician", "What was looked for"):
        assert f">{heading}</h2>" in text
    assert "not a certified medical device" in text
    assert "S" in re.findall(r"<abbr[^>]*>(S\d\d)</abbr>", text)[0]


@pytest.mark.parametrize(
    "change",
    [
        {"findings": [{**PAGE["findings"][0], "would": "obtain"}]},
        {"due": [{**PAGE["due"][0], "state": "unknown"}]},
        {"holds": [{"state": "unknown", "tell": "t", "release": "r", "evidence": []}]},
        {"asks": [{"number": "A1", "question": "q", "answered": "", "date": "", "void": "", "cites": []}]},
        {"unrecognised": 1},
        {"missing": [{"title": "t", "why": "w", "needed": []}]},
        {"notes": ["n"]},
    ],
    ids=str,
)
def test_beside_an_unknown_it_never_says_that_all_is_known(change: dict[str, Any]) -> None:
    known = {**PAGE, "missing": [], "notes": [], "asks": [], "findings": [], "due": [], "holds": []}
    known["unrecognised"] = 0
    assert ALL_KNOWN in rendered(json.dumps(known), LABEL, "")
    assert ALL_KNOWN not in rendered(json.dumps(known | change), LABEL, "")


def test_evidence_has_its_day_and_its_reference(app: App) -> None:
    text = page(app, "low-neutrophils").text
    assert "Result: Neutrophils 0.8 ×10⁹/L, 2025-02-24" in text
    assert "<code>Observation/anc-2025-02</code>" in text


def test_it_shows_all_thirteen_attributes_and_the_intended_use(app: App) -> None:
    text = page(app, "restricted").text
    transparency = LABEL.about["transparency"]
    assert isinstance(transparency, dict)
    assert len(transparency) == 13
    for name in transparency:
        assert f"<dt>{name.replace('-', ' ')}</dt>" in text
    assert "never wait for this tool" in text


def test_signs_that_can_not_wait_stand_in_the_verdict(app: App) -> None:
    text = page(app, "suspected-thromboembolism").text
    assert text.index("Signs of thromboembolism need care now") < text.index("Reasons")


def test_a_label_that_changed_since_is_said(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    opened = app.get(link(app, "restricted"))
    known = app.service.current.loaded
    other = replace(known, label=replace(known.label, digest="0" * 64))
    monkeypatch.setattr(app.service.current, "loaded", other)
    shown = app.get(opened.headers["location"], headers={"Cookie": cookie_of(opened)})
    assert "has changed since" in shown.text


# What a browser may do


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_no_script_no_style_and_nothing_from_elsewhere(app: App, name: str) -> None:
    response = page(app, name)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for header, value in {
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "x-frame-options": "DENY",
        "cache-control": "no-store",
    }.items():
        assert response.headers[header] == value
    tags = _Tags()
    tags.feed(response.text)
    assert not [tag for tag, _ in tags.found if tag in ("script", "style", "iframe", "img", "object", "form")]
    assert not [name for _, attributes in tags.found for name in attributes if name.startswith("on") or name == "style"]
    targets = [attributes.get("href") or attributes.get("src") for _, attributes in tags.found]
    assert {target for target in targets if target and not target.startswith("#")} == {"/static/page.css"}


def test_a_page_can_be_read_by_headings_landmarks_and_keyboard(app: App) -> None:
    text = page(app, "restricted").text
    tags = _Tags()
    tags.feed(text)
    names = [tag for tag, _ in tags.found]
    assert names.count("h1") == 1
    assert names.count("main") == 1
    assert ("html", {"lang": "en"}) in tags.found
    assert all("scope" in attributes for tag, attributes in tags.found if tag == "th")
    ids = [attributes["id"] for _, attributes in tags.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    inside = {attributes["href"][1:] for tag, attributes in tags.found if tag == "a" and attributes["href"]}
    assert inside <= set(ids)


def test_the_style_sheet_is_served(app: App) -> None:
    response = app.get("/static/page.css")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/css")


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.server
def test_a_browser_shows_the_verdict_in_one_screen(app: App, tmp_path: Path) -> None:
    """The page as Chromium renders it, with its own style, and no request to anywhere."""
    needs(CHROMIUM, "chromium")
    from precaution.service.cards import pages

    html = page(app, "restricted").text
    html = html.replace('<link rel="stylesheet" href="/static/page.css">', f"<style>{pages.STYLE}</style>")
    file = tmp_path / "page.html"
    file.write_text(html, encoding="utf-8")
    out = tmp_path / "page.png"
    done = subprocess.run(
        [
            str(CHROMIUM),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--window-size=1200,900",
            f"--screenshot={out}",
            file.as_uri(),
        ],
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert out.is_file(), done.stderr[-500:]
    assert out.stat().st_size > 20_000
    assert Limits
