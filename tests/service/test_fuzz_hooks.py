"""Spoiled calls, spoiled records, and whatever the description of the service allows: nothing of it is a 500."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits

from support import fuzz_hooks
from support.effort import tries
from support.hook_calls import App, settings
from support.project import PROJECT, needs

if TYPE_CHECKING:
    from pathlib import Path

MANY = tries(300, 3000)


def test_spoiled_calls_are_answered_and_nothing_is_wrongly_clear() -> None:
    found = fuzz_hooks.calls(MANY)
    print(f"{MANY} calls: {dict(found.counts)}")  # noqa: T201 - how much was tried is part of the answer
    assert found.wrong == []
    assert found.counts["200"] > MANY / 4


def test_a_wrong_answer_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz_hooks, "ALLOWED", {200})
    monkeypatch.setattr(fuzz_hooks.card_rules, "wrong", lambda response: ["empty"] if response["cards"] else [])
    assert {each.partition(": ")[2][:6] for each in fuzz_hooks.calls(60).wrong} == {"status", "empty"}


def test_silence_where_assess_is_not_clear_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    class Milder:
        action = "caution"

    monkeypatch.setattr(fuzz_hooks, "assess", lambda *_, **__: Milder)
    monkeypatch.setattr(fuzz_hooks, "NAMES", ("ready",))
    monkeypatch.setattr(fuzz_hooks, "spoiled", lambda body, *_, **__: fuzz_hooks.json.dumps(body).encode())
    assert any("silent" in each for each in fuzz_hooks.calls(40).wrong)


def test_the_reader_reads_or_refuses_what_atheris_finds(tmp_path: Path) -> None:
    needs(importlib.util.find_spec("atheris"), "atheris")
    done = subprocess.run(
        [sys.executable, "-m", "support.fuzz_reader", str(MANY), str(tmp_path / "seeds")],
        cwd=PROJECT / "tests",
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"Done {MANY}" in done.stderr


@pytest.mark.slow
def test_whatever_the_description_allows_is_answered(tmp_path: Path) -> None:
    schemathesis = pytest.importorskip("schemathesis")
    with App(settings(tmp_path)) as app:
        _try_all(app, schemathesis)


def _try_all(app: App, schemathesis: Any) -> None:
    schema = schemathesis.openapi.from_dict(app.app.openapi())
    sent = 0
    for operation in schema.get_all_operations():
        made = operation.ok()

        @limits(max_examples=max(MANY // 100, 5), suppress_health_check=list(HealthCheck), deadline=None)
        @given(case=made.as_strategy())
        def try_it(case: Any) -> None:
            nonlocal sent
            sent += 1
            given_kwargs = case.as_transport_kwargs(base_url="http://testserver")
            response = app.send(given_kwargs.pop("method"), given_kwargs.pop("url"), **_plain(given_kwargs))
            assert response.status_code < 500 or response.status_code == 503, (case.method, case.path)

        try_it()
    print(f"{sent} calls of {len(list(schema.get_all_operations()))} operations")  # noqa: T201
    assert sent > 30


def _plain(given_kwargs: dict[str, object]) -> dict[str, object]:
    """Return what a client of httpx takes of it."""
    return {key: value for key, value in given_kwargs.items() if key in ("params", "headers", "json")}
