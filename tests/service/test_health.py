"""Whether it lives, whether it is ready, and what it counts."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from jinja2 import FileSystemLoader

from precaution.cases import run as canaries
from precaution.cases.load import load_cases
from precaution.errors import StoreBusy, StoreDown, StoreFull
from precaution.knowledge.loading import find_label, load_label
from precaution.service import current_label
from precaution.service.cards import pages
from support.few_cases import label_with_few_cases
from support.hook_calls import App, call, draft, example, post, prefetch, settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FOLDER = find_label("baricitinib")


def test_it_lives_before_it_is_ready(tmp_path: Path) -> None:
    app = App(settings(tmp_path))
    assert app.get("/health/live").status_code == 200
    ready = app.get("/health/ready")
    assert ready.status_code == 503
    assert ready.json()["why"] == ["its canary patients have not been decided yet"]
    app.close()


@pytest.mark.slow
def test_it_is_ready_when_every_canary_came_true(tmp_path: Path) -> None:
    with App(settings(tmp_path)) as app:
        ready = app.get("/health/ready")
        assert ready.status_code == 200
        assert ready.json() == {"status": "ready", "label": load_label("baricitinib").digest}
        assert "precaution_ready 1.0" in app.get("/metrics").text


@pytest.mark.slow
def test_every_case_of_the_label_is_a_canary() -> None:
    label = load_label("baricitinib")
    cases = load_cases(FOLDER)
    assert len(cases) > 100
    assert all(canaries.run(case, label).is_true for case in cases)


def broken(folder: Path) -> None:
    """Make a rule of a label say something else than its cases."""
    topic = folder / "topics" / "blood-counts.toml"
    text = topic.read_text(encoding="utf-8")
    changed = text.replace('anc-limit = "1 ', 'anc-limit = "0.1 ', 1)
    assert changed != text
    topic.write_text(changed, encoding="utf-8")


def test_a_canary_that_comes_to_something_else_is_seen(tmp_path: Path) -> None:
    folder = label_with_few_cases(tmp_path, "blood-counts")
    broken(folder)
    assert canaries.false_in(folder)
    with App(settings(tmp_path, label=str(folder))) as app:
        ready = app.get("/health/ready")
        assert ready.status_code == 503
        assert re.fullmatch(r"\d+ canary patients come to something else than they should", ready.json()["why"][0])
        assert app.get("/health/live").status_code == 200


def test_a_label_that_changes_is_taken_up_if_its_canaries_come_true(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_label, "_RELOAD_SECONDS", 0.0)
    folder = label_with_few_cases(tmp_path)
    with App(settings(tmp_path, label=str(folder))) as app:
        before = app.get("/health/ready").json()
        assert before["status"] == "ready"
        label = folder / "label.toml"
        label.write_text(label.read_text(encoding="utf-8").replace('version = "2025.01"', 'version = "2025.02"'))
        after = app.get("/health/ready").json()
        assert after["status"] == "ready"
        assert after["label"] != before["label"]
        (card, *_) = post(app, call("order-sign", prefetch(example("low-neutrophils")), draft())).json()["cards"]
        assert "2025.02" in card["source"]["label"]


@pytest.mark.parametrize("text", ["not toml [", 'name = "x"'])
def test_a_label_that_breaks_leaves_the_old_one_at_work_and_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(current_label, "_RELOAD_SECONDS", 0.0)
    folder = label_with_few_cases(tmp_path)
    with App(settings(tmp_path, label=str(folder))) as app:
        (folder / "label.toml").write_text(text, encoding="utf-8")
        ready = app.get("/health/ready")
        assert ready.status_code == 503
        assert ready.json()["why"] == ["the label's files have changed and can't be read"]
        assert post(app, call("order-sign", prefetch(example("low-neutrophils")), draft())).json()["cards"]


def test_a_new_label_whose_canaries_fail_is_not_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_label, "_RELOAD_SECONDS", 0.0)
    folder = label_with_few_cases(tmp_path, "blood-counts")
    with App(settings(tmp_path, label=str(folder))) as app:
        broken(folder)
        ready = app.get("/health/ready")
        assert ready.status_code == 503
        assert "the label has changed" in ready.json()["why"][0]
        cards = post(app, call("order-sign", prefetch(example("low-neutrophils")), draft())).json()["cards"]
        assert cards[0]["indicator"] == "critical", "by the old one"


def failing(error: Exception) -> Callable[[], None]:
    def fail(*_: object) -> None:
        raise error

    return fail


def test_without_its_store_it_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with App(settings(tmp_path, label=str(label_with_few_cases(tmp_path)))) as app:
        monkeypatch.setattr(app.service.store, "tables_current", failing(StoreDown("down")))
        assert app.get("/health/ready").json()["why"] == ["the store can't be reached, or written to"]
        monkeypatch.setattr(app.service.store, "tables_current", lambda: False)
        assert app.get("/health/ready").json()["why"] == ["the store's tables are of another version"]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (StoreFull("full"), ["the store has no room"]),
        (StoreDown("read-only"), ["the store can't be reached, or written to"]),
        (StoreBusy("busy"), None),
    ],
)
def test_where_nothing_can_be_kept_it_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, why: list[str] | None
) -> None:
    with App(settings(tmp_path, label=str(label_with_few_cases(tmp_path)))) as app:
        monkeypatch.setattr(app.service.store, "try_writing", failing(error))
        ready = app.get("/health/ready")
        assert (ready.status_code, ready.json().get("why")) == (503 if why else 200, why)


def test_on_a_disk_that_is_nearly_full_it_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with App(settings(tmp_path, label=str(label_with_few_cases(tmp_path)))) as app:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: (10**12, 10**12 - 10**6, 10**6))
        assert app.get("/health/ready").json()["why"] == ["the store has no room"]


def test_without_the_file_of_its_store_it_is_not_ready(tmp_path: Path) -> None:
    with App(settings(tmp_path, label=str(label_with_few_cases(tmp_path)))) as app:
        assert app.get("/health/ready").status_code == 200
        for path in tmp_path.glob("store.sqlite*"):
            path.unlink()
        for _ in range(2):
            assert app.get("/health/ready").json()["why"] == ["the store can't be reached, or written to"]


@pytest.mark.parametrize("gone", ["decision.html", "label.html", "message.html", "base.html"])
def test_where_a_page_cant_be_rendered_it_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    with App(settings(tmp_path, label=str(label_with_few_cases(tmp_path)))) as app:
        templates = tmp_path / "templates"
        shutil.copytree(pages._HERE / "templates", templates)
        monkeypatch.setattr(pages._environment(), "loader", FileSystemLoader(templates))
        assert app.get("/health/ready").status_code == 200
        (templates / gone).unlink()
        assert app.get("/health/ready").json()["why"] == ["a page can't be rendered"]
    pages._environment.cache_clear()


# Metrics


def value(text: str, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_what_is_counted(tmp_path: Path) -> None:
    app = App(settings(tmp_path))
    for name in ("low-neutrophils", "low-neutrophils", "restricted"):
        post(app, call("order-sign", prefetch(example(name)), draft()))
    post(app, call("patient-view", {}, patient="p"))
    app.get("/nothing/canary")
    text = app.get("/metrics").text
    app.close()
    assert value(text, 'precaution_rule_total{rule="low-neutrophils",state="holds"}') == 2
    assert value(text, 'precaution_rule_total{rule="aged-65-or-older",state="holds"}') == 1
    assert value(text, 'precaution_cards_total{hook="order-sign",tier="critical"}') == 2
    assert value(text, 'precaution_decisions_total{action="do-not-start",hook="order-sign"}') == 2
    route = "/cds-services/{service_name}"
    assert value(text, f'precaution_requests_total{{route="{route}",status="200"}}') == 3
    assert value(text, f'precaution_requests_total{{route="{route}",status="412"}}') == 1
    assert value(text, 'precaution_requests_total{route="other",status="404"}') == 1
    assert value(text, f'precaution_request_seconds_count{{route="{route}"}}') == 4
    assert "canary" not in text


def test_a_rule_that_never_holds_is_shown_too(tmp_path: Path) -> None:
    app = App(settings(tmp_path))
    text = app.get("/metrics").text
    app.close()
    for rule in load_label("baricitinib").rules:
        assert f'precaution_rule_total{{rule="{rule}",state="holds"}} 0.0' in text


def test_processes_are_counted_together(tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    from support.project import PROJECT

    folder = tmp_path / "metrics"
    folder.mkdir()
    script = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from precaution.service.metrics import Metrics\n"
        "m = Metrics(); m.fetched.inc(3); m.ready.set(1)\n"
        "print(m.text().decode())\n"
    )
    environment: dict[str, Any] = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    for expected in (3.0, 6.0):
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, check=True)
        assert value(done.stdout.decode(), "precaution_fetched_total") == expected
