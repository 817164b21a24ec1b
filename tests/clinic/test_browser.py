"""The pages in Chromium: what people do with them, by mouse and by keyboard; on paper, on a phone, in the dark."""

from __future__ import annotations

import importlib.util
import re
import shutil
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("starlette")

import uvicorn

from precaution.clinic.access import ClinicAccess
from precaution.clinic.app import make_app
from support.clinic_pages import HOSTILE_ID, clinic_of, hostile, people, reference
from support.project import PROJECT, needs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.clinic.app import Clinic

pytestmark = pytest.mark.server
AXE = PROJECT / "tests" / "clients" / "node_modules" / "axe-core" / "axe.min.js"
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
PATIENT = f"/patients/{reference('followed')}"
UNKNOWN = f"/patients/{reference('paused')}"
PAGES = (
    "/",
    "/?who=everybody&search=nobody-at-all",
    PATIENT,
    UNKNOWN,
    f"{PATIENT}/checklist",
    "/due?who=everybody",
    "/about",
    "/none",
)


class Served:
    """Pages that are served, and a browser for them."""

    def __init__(self, clinic: Clinic, browser: Any) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.access = ClinicAccess(self._socket.getsockname()[1])
        self.base = self.access.address.partition("/?")[0]
        config = uvicorn.Config(make_app(clinic, self.access), lifespan="off", log_config=None, ws="none", http="h11")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))
        self._thread.start()
        self._browser = browser
        self.asked: list[str] = []
        self.ran: list[str] = []

    def open(self, path: str, size: dict[str, int] | None = None, **more: Any) -> Any:
        """Return a page, as who has opened the address with the key sees it; what it asks for is kept."""
        context = self._browser.new_context(viewport=size or DESKTOP, **more)
        page = context.new_page()
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("dialog", lambda dialog: (self.ran.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda message: self.ran.append(message.text) if message.type == "error" else None)
        page.goto(self.access.address)
        page.goto(self.base + path)
        return page

    def close(self) -> None:
        """End the server."""
        self._server.should_exit = True
        self._thread.join(20)
        self._socket.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    needs(program, "chromium")
    needs(importlib.util.find_spec("playwright"), "playwright")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def served(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(clinic_of(tmp_path_factory.mktemp("clinic"), people()), browser)
    yield made
    made.close()


@pytest.fixture(scope="module")
def attacked(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(clinic_of(tmp_path_factory.mktemp("hostile"), hostile(), "everybody"), browser)
    yield made
    made.close()


def violations(page: Any) -> list[str]:
    """Return what axe-core finds against WCAG 2.2 AA."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate("tags => axe.run({runOnly: tags})", tags)
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(served: Served, path: str, size: dict[str, int], scheme: Any) -> None:
    needs(AXE.is_file(), "axe-core")
    page = served.open(path, size, color_scheme=scheme)
    for each in page.locator("summary").all():
        each.click()
    assert violations(page) == []
    page.context.close()


def test_axe_would_find_something(served: Served) -> None:
    needs(AXE.is_file(), "axe-core")
    page = served.open("/")
    page.evaluate(
        "document.querySelector('input[type=search]').closest('label').replaceWith(document.createElement('input'))"
    )
    assert any(each.startswith("label") for each in violations(page))
    page.context.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_phone_shows_all_of_its_width_and_fingers_find_links(served: Served, path: str) -> None:
    page = served.open(path, PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.context.close()


def test_nothing_is_asked_for_elsewhere_and_no_error_is_shown(served: Served) -> None:
    served.asked.clear()
    served.ran.clear()
    for path in PAGES[:-1]:
        served.open(path).context.close()
    assert [each for each in served.asked if not each.startswith(served.base)] == []
    assert served.ran == []


def test_hostile_texts_run_nothing_and_reach_nobody(attacked: Served) -> None:
    paths = ["/", f"/patients/{reference(HOSTILE_ID)}?span=all", f"/patients/{reference(HOSTILE_ID)}/checklist"]
    for path in paths:
        page = attacked.open(path, PHONE)
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.context.close()
    assert attacked.ran == []
    assert [each for each in attacked.asked if not each.startswith(attacked.base)] == []


def test_what_runs_would_be_seen(attacked: Served) -> None:
    page = attacked.open("/")
    page.evaluate("fetch('http://127.0.0.1:9/').catch(() => 0)")
    page.wait_for_timeout(200)
    assert attacked.ran, "the policy forbids it, and says so"
    attacked.ran.clear()
    attacked.asked.clear()
    page.context.close()


# What people do


def test_find_who_is_to_be_interrupted_and_see_why_in_three_steps(served: Served) -> None:
    page = served.open("/")
    page.get_by_role("link", name=re.compile("^interrupt")).click()
    page.get_by_role("link", name="followed").click()
    assert "Observation/followed-3" in page.locator("#reasons").inner_text()
    page.context.close()


def test_search_and_sort_without_a_mouse(served: Served) -> None:
    page = served.open("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "search":
            break
    page.keyboard.type("stopped")
    page.keyboard.press("Enter")
    page.wait_for_url("**search=stopped**")
    assert page.locator("table.list tbody tr").count() == 1
    page.get_by_role("link", name="stopped-lately").focus()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", "the focus is seen"
    page.keyboard.press("Enter")
    page.wait_for_url("**/patients/**")
    page.context.close()


def test_a_view_is_in_the_address_and_going_back_returns_to_it(served: Served) -> None:
    page = served.open("/")
    page.select_option("select[name=sort]", "patient")
    page.select_option("select[name=action]", "interrupt")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**action=interrupt**")
    view = page.url
    page.get_by_role("link", name="followed").click()
    page.go_back()
    assert page.url == view
    assert page.input_value("select[name=sort]") == "patient"
    page.context.close()


def test_the_list_can_be_taken_along(served: Served, tmp_path: Any) -> None:
    page = served.open("/")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    file = tmp_path / "list.csv"
    download.value.save_as(file)
    assert file.read_text(encoding="utf-8-sig").startswith("patient,stage,action")
    page.context.close()


@pytest.mark.parametrize("span", ["6", "12", "all"])
def test_the_timeline_can_be_seen_over_other_times(served: Served, span: str) -> None:
    page = served.open(PATIENT)
    page.get_by_role("link", name="All" if span == "all" else f"{span} months", exact=True).click()
    page.wait_for_url(f"**span={span}**")
    assert page.locator("svg").count() == 7
    page.context.close()


# On paper


def sheets(pdf: bytes) -> list[tuple[int, int]]:
    """Return the sizes of a PDF's pages, in points."""
    found = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    return [(round(float(width)), round(float(height))) for width, height in found]


@pytest.mark.parametrize("name", ["followed", "paused", "ordered", "never", "unread"])
def test_the_checklist_is_one_sheet_of_a4(served: Served, name: str) -> None:
    page = served.open(f"/patients/{reference(name)}/checklist")
    assert sheets(page.pdf(prefer_css_page_size=True)) == [(595, 842)]
    page.context.close()


@pytest.mark.parametrize("name", ["recall", "family-doctor", "alert-card"])
def test_a_letter_is_on_a4_with_its_own_style(served: Served, name: str) -> None:
    page = served.open(f"{PATIENT}/letters/{name}")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.body.scrollWidth") <= page.viewport_size["width"]
    printed = sheets(page.pdf(prefer_css_page_size=True))
    assert set(printed) == {(595, 842)}
    assert len(printed) <= (2 if name == "family-doctor" else 1)
    page.context.close()


def test_the_due_list_is_on_a4(served: Served) -> None:
    page = served.open("/due?who=everybody")
    assert set(sheets(page.pdf(prefer_css_page_size=True))) == {(595, 842)}
    page.context.close()


def test_more_than_a_sheet_would_be_seen(served: Served) -> None:
    page = served.open(f"{PATIENT}/checklist")
    page.evaluate("document.querySelector('tbody').innerHTML += document.querySelector('tbody').innerHTML.repeat(4)")
    assert len(sheets(page.pdf(prefer_css_page_size=True))) > 1
    page.context.close()


@pytest.mark.parametrize("path", [PATIENT, f"{PATIENT}/checklist"])
def test_paper_is_grey_and_names_the_patient(served: Served, path: str) -> None:
    page = served.open(path)
    page.emulate_media(media="print")
    assert page.locator("main").get_by_text("followed").first.is_visible()
    colours = page.evaluate(
        "[...document.querySelectorAll('main *, footer *')].flatMap(e => {const s = getComputedStyle(e);"
        " return [s.color, s.backgroundColor, s.borderTopColor, s.fill, s.stroke]})"
    )
    for colour in set(colours):
        parts = [each for each in re.findall(r"[\d.]+", colour)[:3] if colour.startswith("rgb")]
        assert len(set(parts)) <= 1, f"{colour} is not grey"
    assert not page.locator("header.top").is_visible()
    page.context.close()
