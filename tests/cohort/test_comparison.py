"""Two runs held against each other: who gets another answer, from what to what, by which sentence."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from precaution.cli import run
from precaution.cohort.comparison import compared
from precaution.errors import InputError
from support.project import PROJECT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    for name in ("ready.json", "low-neutrophils.json", "restricted.json"):
        shutil.copy(PROJECT / "examples" / name, folder)
    return folder


@pytest.fixture(scope="module")
def before(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("before") / "out"
    assert (
        run(["cohort", str(source), "--out", str(out), "--today", "2025-03-10", "--workers", "1", "--who", "everybody"])
        == 0
    )
    return out


def test_a_changed_policy_shows_who_gets_another_answer(
    source: Path, before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[parameter]\ncount-max-age = "14 days"\n', encoding="utf-8")
    more = [
        "--today",
        "2025-03-10",
        "--workers",
        "1",
        "--who",
        "everybody",
        "--policy",
        str(policy),
        "--compare",
        str(before),
    ]
    capsys.readouterr()
    assert run(["cohort", str(source), "--out", str(tmp_path / "out"), *more, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["compared"]
    assert found["differ"] == ["label", "policy"]
    assert {"before": "before-start: clear", "now": "before-start: obtain", "patients": 1} in found["moves"]
    assert found["sentences"]["S19"] >= 1
    assert any(b["name"] == "low-neutrophils" for each in found["answers"] for b in each["because"])
    run(["cohort", str(source), "--out", str(tmp_path / "out"), *more])
    assert "before-start: clear -> before-start: obtain" in capsys.readouterr().out


def test_the_same_run_changes_nothing(before: Path) -> None:
    found = compared(before, before)
    assert (found.people, found.differ, found.answers) == (3, (), ())


def test_a_folder_without_results_is_refused(before: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no complete results"):
        compared(tmp_path, before)
