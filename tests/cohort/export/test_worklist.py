"""The worklist, and the two commands on many patients."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from precaution.cli import run
from precaution.cli.cohort import listed, printable
from precaution.cohort import cohort, most_urgent
from precaution.cohort.export.worklist import Urgent, as_csv, neutral
from precaution.errors import InputError
from support.project import PROJECT

TODAY = "2025-03-01"
EXAMPLES = str(PROJECT / "examples")
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cohort") / "out"
    cohort(EXAMPLES, out, today=TODAY, workers=1)
    return out


def line(**more: object) -> Urgent:
    whole = {
        "person": "p",
        "stage": "s",
        "action": "a",
        "attested": False,
        "urgent": False,
        "overdue_days": 0,
        "reason": "r",
        "reason_date": "",
        "next_due": "",
    }
    return Urgent(**{**whole, **more})  # type: ignore[arg-type]


def test_the_gravest_come_first(results: Path) -> None:
    found = most_urgent(results)
    assert [each.action for each in found] == [
        "discontinue",
        "do-not-start",
        "interrupt",
        "only-if-no-alternative",
        "screen",
        "may-resume",
        "clear",
    ]
    assert found[1].reason == "Neutrophils 0.8, below 1 ×10⁹/L"
    assert found[1].reason_date == "2025-02-24"
    assert most_urgent(results, 2) == found[:2]
    assert all(each.reason for each in found if each.action not in ("clear", "may-resume"))


def test_a_folder_without_complete_results(tmp_path: Path, results: Path) -> None:
    with pytest.raises(InputError, match="no complete results"):
        most_urgent(tmp_path)
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / "quality.json").write_text("{")
    with pytest.raises(InputError, match=r"quality.json.*--overwrite"):
        most_urgent(tmp_path)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_cell_of_the_csv_is_a_formula(cell: str) -> None:
    assert neutral(cell) == f"'{cell}"
    (row,) = csv.DictReader(io.StringIO(as_csv([line(person=cell)]), newline=""))
    assert row["person"] == f"'{cell}"


@pytest.mark.parametrize(("cell", "written"), [("a-1", "a-1"), ("", ""), (7, 7), (True, "yes"), (False, "no")])
def test_other_cells_are_as_they_are(cell: object, written: object) -> None:
    assert neutral(cell) == written


def test_an_id_can_not_steer_a_terminal() -> None:
    assert printable("a\x1b[2Jb\n") == "a?[2Jb?"


# The commands


def test_a_cohort_on_the_command_line(tmp_path: Path, capsys: Capture) -> None:
    assert run(["cohort", EXAMPLES, "--out", str(tmp_path / "out"), "--today", TODAY, "--workers", "1"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(
        "7 patients: 3 decided, 0 died before, 0 could not be decided\n"
        "4 others were not asked for (--who on-drug); --who everybody decides all\n"
    )
    assert said.err == "", "quiet where nobody looks on"
    assert run(["worklist", str(tmp_path / "out"), "--top", "1"]) == 0
    head, first = capsys.readouterr().out.splitlines()
    assert head.split() == ["patient", "stage", "what", "overdue", "next", "due", "why"]
    assert first.startswith("suspected-thromboembolism  on-treatment  ■ discontinue  ")
    assert first.index("Venous") == head.index("why")


def test_on_a_terminal_no_line_is_broken() -> None:
    lines = listed([line(person="a-1", reason="long " * 40), line(person="b")], 60).splitlines()
    assert all(len(each) <= 60 for each in lines)
    assert lines[1].endswith("…")
    assert not lines[2].endswith("…")


def test_json(tmp_path: Path, capsys: Capture, results: Path) -> None:
    arguments = ["cohort", EXAMPLES, "--out", str(tmp_path / "out"), "--today", TODAY, "--workers", "1", "--json"]
    assert run(arguments) == 0
    assert json.loads(capsys.readouterr().out)["clean"] is True
    assert run([*arguments, "--dry-run"]) == 0
    assert len(json.loads(capsys.readouterr().out)["files"]) == 7
    assert run(["worklist", str(results), "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)[0]) == list(Urgent._fields)


def test_a_run_that_left_somebody_out_says_so_by_its_exit_code(tmp_path: Path, capsys: Capture) -> None:
    source = tmp_path / "in.ndjson"
    source.write_text(
        '{"resourceType":"Patient","id":"p"}\n{"resourceType":"Condition","subject":{"reference":"Patient/q"}}\n'
    )
    everybody = ["--who", "everybody"]
    arguments = ["cohort", str(source), "--out", str(tmp_path / "out"), "--today", TODAY, *everybody]
    assert run([*arguments, "--workers", "1"]) == 6
    assert "no-patient" in capsys.readouterr().out
    assert run(arguments) == 6, "asked again, the same"
    assert run([*arguments[:3], str(tmp_path / "o2"), *arguments[4:], "--strict", "--workers", "1"]) == 3
    assert capsys.readouterr().err.startswith("precaution: in.ndjson, line 2: ")


def test_a_dry_run_only_says_what_would_be_read(tmp_path: Path, capsys: Capture) -> None:
    assert run(["cohort", EXAMPLES, "--out", str(tmp_path / "out"), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "ready.json" in said
    assert "nothing was read or written" in said
    assert not (tmp_path / "out").exists()


def test_the_csv_is_of_all(results: Path, tmp_path: Path, capsys: Capture) -> None:
    assert run(["worklist", str(results), "--top", "1", "--csv", str(tmp_path / "w.csv")]) == 0
    assert capsys.readouterr().out == ""
    found = list(csv.DictReader((tmp_path / "w.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["person"] for row in found] == [each.person for each in most_urgent(results)]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["cohort", "no-such-folder", "--out", "x", "--today", TODAY], 3),
        (["cohort", EXAMPLES, "--today", TODAY], 2),
        (["worklist", EXAMPLES], 3),
        (["cohort", EXAMPLES, "--out", EXAMPLES, "--today", TODAY], 2),
    ],
)
def test_wrong_arguments(arguments: list[str], code: int, capsys: Capture) -> None:
    assert run(arguments) == code
    assert capsys.readouterr().out == ""


def test_without_pyarrow_it_is_said_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ImportError\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{PROJECT}"}
    done = subprocess.run(
        [sys.executable, "-m", "precaution", "worklist", "x"],
        env=environment,
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 2
    assert b"pip install '.[cohort]'" in done.stderr
