"""The report: one file that asks nobody for anything, says everything in words too, and looks right in a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("altair")
pytest.importorskip("duckdb")

from precaution.audit import audit_cohort
from precaution.audit.pictures import control_limits
from precaution.audit.report import STRATA, report
from precaution.audit.wording import published
from precaution.cli import run
from precaution.cohort import cohort, most_urgent
from precaution.writers.layout import NOTE
from support.audit_cohort import fhir, people, written_people
from support.ndjson_sources import LABEL, written
from support.project import needs

if TYPE_CHECKING:
    from collections.abc import Iterator

TODAY = "2025-03-01"
HOSTILE = "<img src=x onerror=alert(1)>"
VOID = {"meta", "img", "br", "link", "hr", "input"}


class Parsed(HTMLParser):
    """Elements with their attributes, what they are in, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)

    def all(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.elements if name == tag)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    strange = fhir("p-strange", ["born 1980-01-01", "medication drug_baricitinib active since 2024-06-01"])
    code = {"system": "http://local", "code": "T1", "display": "Tuberculosis"}
    strange += [
        {
            "resourceType": "Condition",
            "id": f"t{number}",
            "subject": {"reference": "Patient/p-strange"},
            "code": {"coding": [code]},
        }
        for number in range(6)
    ]
    written(folder / "in", [*written_people(people(300, seed=2)), *strange])
    cohort(folder / "in", folder / "out", today=TODAY, workers=1, audit=True)
    return folder / "out"


@pytest.fixture(scope="module")
def page(results: Path) -> str:
    return report(audit_cohort(results, LABEL, STRATA), results)


def words(page: str) -> str:
    return " ".join(" ".join(Parsed(page).text).split())


def test_it_is_whole_and_asks_nobody_for_anything(page: str) -> None:
    parsed = Parsed(page)
    assert parsed.open == []
    assert not list(parsed.all("script"))
    assert not list(parsed.all("link"))
    assert all(str(each["src"]).startswith("data:image/svg+xml;base64,") for each in parsed.all("img"))
    assert all(str(each["href"]).startswith("#") for each in parsed.all("a"))
    assert not any(name.startswith("on") or name == "style" for _, attributes in parsed.elements for name in attributes)
    (policy,) = [each for each in parsed.all("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy["content"]).startswith("default-src 'none'; img-src data:; style-src 'sha256-")


def test_every_link_leads_to_a_part(page: str) -> None:
    parsed = Parsed(page)
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {str(each["href"])[1:] for each in parsed.all("a")} <= set(ids)


def test_it_says_what_was_counted_and_how(page: str, results: Path) -> None:
    text = words(page)
    for measure in LABEL.measures.values():
        assert measure.title in text
        assert " ".join(measure.reading.split()) in text
        for figure in measure.published:
            assert published(figure) in text
    assert LABEL.digest in text
    assert LABEL.version in text
    assert NOTE in text
    assert "T1" in text, "a code that no list knows, seen six times"
    for urgent in most_urgent(results, 3):
        assert urgent.person in text


def test_no_picture_is_without_words_and_numbers(page: str) -> None:
    pictures = list(Parsed(page).all("img"))
    assert len(pictures) >= 10
    assert all(len(str(each["alt"])) > 40 for each in pictures)
    for section in re.findall(r"<section.*?</section>", page, re.DOTALL):
        assert "<img" not in section or "<table" in section


def test_nothing_of_the_record_is_markup(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A patient's id is the only text of others that a report holds."""
    first = most_urgent(results, 1)[0]._replace(person=HOSTILE)
    monkeypatch.setattr("precaution.audit.report.most_urgent", lambda *_: [first])
    page = report(audit_cohort(results, LABEL, STRATA), results)
    assert HOSTILE not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_without_a_worklist_nobody_is_named(results: Path) -> None:
    text = words(report(audit_cohort(results, LABEL, STRATA), results, top=0))
    assert not re.search(r"\bp0\d{4}\b", text)
    assert "p-strange" not in text
    assert "Most urgent" not in text
    actions = text[text.index("Action, gravest first") : text.index("Who shows the drug")]
    assert not re.search(r"(?<![\d,])[1-4](?![\d,])", actions), "no small number of decisions either"
    assert "Patients in the source not shown Decided not shown" in text, "their sum would tell one that is hidden"


def test_the_same_results_give_the_same_page(page: str, results: Path) -> None:
    assert report(audit_cohort(results, LABEL, STRATA), results) == page


def test_a_cohort_without_anybody_has_a_report(tmp_path: Path) -> None:
    written(tmp_path / "in", [{"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01"}])
    cohort(tmp_path / "in", tmp_path / "out", today=TODAY, workers=1, audit=True)
    assert run(["report", str(tmp_path / "out"), "--out", str(tmp_path / "report.html")]) == 0
    assert "nobody is counted" in words((tmp_path / "report.html").read_text(encoding="utf-8"))


def test_the_limits_of_chance_are_wider_for_few() -> None:
    limits = control_limits(0.5, 200)
    assert limits == sorted(limits, key=lambda each: each["patients"])
    for each in limits:
        assert 0 <= each["low998"] <= each["low95"] <= 0.5 <= each["high95"] <= each["high998"] <= 1
    assert limits[-1]["high95"] - limits[-1]["low95"] < limits[5]["high95"] - limits[5]["low95"]


def chromium(*arguments: str, home: Path) -> None:
    browser = shutil.which("chromium")
    needs(browser, "chromium")
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    subprocess.run(
        [str(browser), *flags, f"--user-data-dir={home}", *arguments], check=True, capture_output=True, timeout=120
    )


def asked_for(log: Path) -> set[str]:
    """Return what a page asked others for, as the browser's own log says: what the browser itself asks for apart."""
    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    asked = [each["params"] for each in events if "initiator" in each.get("params", {})]
    return {each["url"] for each in asked if each["initiator"] != "not an origin" and each["url"].startswith("http")}


@pytest.mark.server
def test_a_browser_shows_it_with_its_style_and_without_a_request(page: str, tmp_path: Path) -> None:
    """What a browser asks for is written to a log: nothing but the page itself and its own pictures."""
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    log, shot, paper = tmp_path / "net.json", tmp_path / "shot.png", tmp_path / "page.pdf"
    address = (tmp_path / "report.html").as_uri()
    chromium(f"--log-net-log={log}", "--window-size=1000,3000", f"--screenshot={shot}", address, home=tmp_path / "a")
    chromium("--no-pdf-header-footer", f"--print-to-pdf={paper}", address, home=tmp_path / "b")
    assert asked_for(log) == set()
    assert shot.stat().st_size > 50_000
    sizes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", paper.read_bytes())
    assert {(round(float(width)), round(float(height))) for width, height in sizes} == {(595, 842)}, "A4"


@pytest.mark.server
def test_a_request_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text('<img src="http://127.0.0.1:9/x.png">')
    log = tmp_path / "net.json"
    chromium(
        f"--log-net-log={log}",
        f"--screenshot={tmp_path / 's.png'}",
        (tmp_path / "bad.html").as_uri(),
        home=tmp_path / "a",
    )
    assert asked_for(log) == {"http://127.0.0.1:9/x.png"}
