"""`precaution letters`: what a patient and the family doctor are told, in our words or a site's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from precaution import load_label
from precaution.cli import run
from precaution.clinic.paper import load_alerts
from precaution.errors import KnowledgeError
from support.project import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    Capture = pytest.CaptureFixture[str]


def letter(name: str, example: str, *more: str) -> int:
    patient = str(PROJECT / "examples" / f"{example}.json")
    return run(["letters", patient, "--letter", name, "--today", "2025-03-01", "--name", "p1", *more])


def test_a_recall_names_what_is_open(capsys: Capture) -> None:
    assert letter("recall", "zoster-on-treatment", "--name", "<b>Ada</b>") == 0
    page = capsys.readouterr().out
    assert "Dear &lt;b&gt;Ada&lt;/b&gt;" in page
    assert "Lipids about 12 weeks after the start, then once a year</strong>: due since 2025-02-12" in page
    assert "venous thromboembolism" not in page  # due in May


def test_who_must_be_seen_is_not_written_to(capsys: Capture) -> None:
    assert letter("recall", "suspected-thromboembolism") == 0
    said = capsys.readouterr()
    assert "please call us today" in said.out
    assert "don't stop" not in said.out
    assert "discontinue" in said.err


def test_the_family_doctor_gets_what_is_due_and_the_card_what_the_label_says(capsys: Capture) -> None:
    assert letter("family-doctor", "zoster-on-treatment") == 0
    assert "next on 2025-05-19" in capsys.readouterr().out
    assert letter("family-doctor", "may-resume") == 0
    assert "next on 2025-08-06" in capsys.readouterr().out, "what is done has a next day"
    assert letter("alert-card", "zoster-on-treatment") == 0
    assert "live vaccines are not recommended" in capsys.readouterr().out
    assert letter("alert-card", "ready") != 0
    assert "treatment has not begun" in capsys.readouterr().err


def test_a_site_replaces_templates(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "recall.html").write_text("Our clinic: {{ letter.patient }}", encoding="utf-8")
    (tmp_path / "ours.html").write_text("{% for each in letter.due %", encoding="utf-8")
    (tmp_path / "lost.html").write_text("{{ letter.nothing }}", encoding="utf-8")
    assert letter("recall", "ready", "--templates", str(tmp_path)) == 0
    assert capsys.readouterr().out.startswith("Our clinic: ")
    assert letter("ours", "ready", "--templates", str(tmp_path)) != 0
    assert "template ours.html, line 1" in capsys.readouterr().err
    assert letter("lost", "ready", "--templates", str(tmp_path)) != 0
    assert "has no attribute 'nothing'" in capsys.readouterr().err
    assert letter("recal", "ready") != 0
    assert "Did you mean 'recall'?" in capsys.readouterr().err


def test_a_line_without_a_sentence_of_the_label_is_refused(tmp_path: Path) -> None:
    label = load_label()
    assert load_alerts(tmp_path, label) == []
    (tmp_path / "letters.toml").write_text('[[alert]]\ntext = "x"\ncites = ["S99"]\n', encoding="utf-8")
    with pytest.raises(KnowledgeError, match="cites the sentence 'S99'"):
        load_alerts(tmp_path, label)


def test_nobody_writes_to_the_dead(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "patient.json"
    file.write_text('{"resourceType": "Patient", "id": "p", "deceasedBoolean": true}', encoding="utf-8")
    assert run(["letters", str(file), "--name", "p", "--today", "2025-03-01"]) != 0
    said = capsys.readouterr()
    assert "has died" in said.err
    assert not said.out


def test_a_letter_that_there_is_not_is_wrong_usage(capsys: Capture) -> None:
    assert run(["letters", "examples/ready.json", "--name", "A", "--letter", "recal", "--today", "2025-03-01"]) == 2
    said = capsys.readouterr()
    assert "Did you mean 'recall'?" in said.err
    assert said.out == ""
