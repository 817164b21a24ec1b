"""A signature holds for exactly what was read, and ends when any part of it changes; unsigned is never milder."""

from __future__ import annotations

import shutil
from datetime import date
from typing import TYPE_CHECKING

import pytest

from precaution.cases.load import load_cases
from precaution.cases.run import record_of
from precaution.cli import run
from precaution.engine.decision import decide
from precaution.errors import KnowledgeError
from precaution.knowledge.loading import read_label
from support.project import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

GOOD = PROJECT / "tests" / "wrong" / "_good"
WHO = ["--who", "A. Smith", "--role", "pharmacist", "--day", "2025-03-01"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(GOOD, tmp_path / "label")
    return tmp_path / "label"


def sign(folder: Path, name: str, *more: str) -> int:
    return run(["review", str(folder), "sign", name, *WHO, *(more or ["--agree"])])


def state(folder: Path, name: str = "low-neutrophils") -> tuple[str, tuple[str, ...]]:
    found = read_label(folder).signed[name]
    return found.state, found.changed


def test_who_signed_is_shown_wherever_the_reading_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert read_label(folder).signed == {}
    assert sign(folder, "low-neutrophils") == 0
    assert state(folder) == ("signed", ())
    assert state(folder, "counts") == ("not signed", ())
    run(["explain", "low-neutrophils", "--label", str(folder)])
    run(["assess", str(PROJECT / "examples" / "ready.json"), "--today", "2025-03-01", "--json", "--label", str(folder)])
    run(["booklet", "--label", str(folder), "--out", str(folder / "pages")])
    said = capsys.readouterr().out
    assert "Reading signed by A. Smith (pharmacist), 2025-03-01" in said
    assert '"signatures": [' in said
    assert "Reading signed by A. Smith" in (folder / "pages" / "examplinib.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "edit", "part"),
    [
        ("topics/counts.toml", ("28 days", "27 days"), "parameters"),
        ("topics/counts.toml", ("below 1.", "below one."), "sentences"),
        ("topics/counts.toml", ("when = ", 'reading = "So."\nwhen = '), "reading"),
        ("topics/counts.toml", ('worst = "low"', 'worst = "high"'), "facts"),
        ("topics/counts.cases.toml", ("0.99", "0.98"), "cases"),
        ("codes/lab_anc.csv", ("\n", "\nLOINC,751-8,x\n"), "codes"),
    ],
)
def test_a_signature_ends_when_what_was_read_changes(folder: Path, file: str, edit: tuple[str, str], part: str) -> None:
    sign(folder, "low-neutrophils")
    path = folder / file
    written = path.read_text(encoding="utf-8")
    path.write_text(written.replace(*edit, 1), encoding="utf-8")
    found = state(folder)
    assert found[0] == "ended"
    assert part in found[1]
    path.write_text(written, encoding="utf-8")
    assert state(folder) == ("signed", ()), "it is of what was read, and holds for that again"


def test_what_has_nothing_to_do_with_it_ends_no_signature(folder: Path) -> None:
    sign(folder, "low-neutrophils")
    path = folder / "topics" / "monitoring.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("A month.", "Each month."), encoding="utf-8")
    assert state(folder) == ("signed", ())


def test_the_latest_word_counts_and_a_dissent_needs_words(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sign(folder, "low-neutrophils")
    assert sign(folder, "low-neutrophils", "--disagree") == 2
    assert sign(folder, "low-neutrophils", "--change", "--words", "Below 2.") == 0
    assert state(folder)[0] == "change wanted"
    assert sign(folder, "no-such-rule") == 2
    assert sign(folder, "low-neutrophils", "--agree", "--read", "000000000000") == 2
    assert "has changed since the sheet" in capsys.readouterr().err


def test_a_sheet_shows_all_that_is_signed(folder: Path) -> None:
    out = folder / "review.html"
    assert run(["review", str(folder), "--out", str(out), "--text", str(folder / "text.txt")]) == 0
    page = out.read_text(encoding="utf-8")
    for shown in (
        "Examplinib should not be started",
        "count-max-age = 28 days",
        "lab_anc",
        "just below 1 forbid",
        "not signed",
    ):
        assert shown in page


def test_a_line_that_is_no_signature_is_refused(folder: Path) -> None:
    (folder / "signatures.jsonl").write_text('{"name": "low-neutrophils"}\n', encoding="utf-8")
    with pytest.raises(KnowledgeError, match="line 1 is no signature"):
        read_label(folder)


@pytest.mark.slow
def test_no_answer_is_milder_where_signed_readings_are_demanded(tmp_path: Path) -> None:
    """Each case of the label, decided with and without the demand; a few rules are signed."""
    own = PROJECT / "precaution" / "labels" / "baricitinib"
    policy = tmp_path / "policy.toml"
    policy.write_text('signed-only = true\nsignatures = "signed.jsonl"\n', encoding="utf-8")
    for name in ("low-neutrophils", "aged-65-or-older", "herpes-zoster"):
        run(["review", "--signatures", str(tmp_path / "signed.jsonl"), str(own), "sign", name, *WHO, "--agree"])
    free, strict = read_label(own), read_label(own, policy)
    assert strict.signed["low-neutrophils"].state == "signed"
    ranks = {name: rank for rank, name in enumerate(free.actions)}
    for case in load_cases(own)[::4]:
        today = date.fromisoformat(case.today).toordinal()
        before = decide(record_of(case, free), free, today, case.stage).decision
        now = decide(record_of(case, strict), strict, today, case.stage).decision
        assert ranks[now.action] <= ranks[before.action], case.name
        assert now.action != "clear"
        assert {each.rule for each in before.findings} == {each.rule for each in now.findings}, "none is absent"


def test_the_file_of_a_policy_stands_beside_it(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('signatures = "../signed.jsonl"\n', encoding="utf-8")
    with pytest.raises(KnowledgeError, match="a file beside the policy"):
        read_label(GOOD, policy)


def test_another_signature_is_another_label_under_a_policy(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('signed-only = true\nsignatures = "signed.jsonl"\n', encoding="utf-8")
    before = read_label(GOOD, policy).digest
    run(["review", str(GOOD), "--policy", str(policy)])
    assert (
        run(
            [
                "review",
                "--policy",
                str(policy),
                "--signatures",
                str(tmp_path / "signed.jsonl"),
                str(GOOD),
                "sign",
                "low-neutrophils",
                *WHO,
                "--agree",
            ]
        )
        == 0
    )
    assert read_label(GOOD, policy).digest != before
