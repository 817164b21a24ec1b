"""`precaution sql`: prints a script or writes it whole, says what is not tested, refuses what it can't write."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from precaution import load_label
from precaution.cli import run
from support.project import PROJECT

pytest.importorskip("sqlglot")

from precaution.sql import script_of

TODAY = "2025-03-01"
LABEL = load_label("baricitinib")
Capture = pytest.CaptureFixture[str]


@pytest.mark.slow
def test_it_prints_the_script_and_nothing_else(capsys: Capture) -> None:
    assert run(["sql", "--dialect", "duckdb", "--today", TODAY]) == 0
    said = capsys.readouterr()
    assert said.out == script_of(LABEL, "duckdb", today=739311)
    assert said.err == ""


@pytest.mark.slow
def test_a_stage_and_no_day(capsys: Capture) -> None:
    assert run(["sql", "--dialect", "spark", "--today", TODAY, "--stage", "interrupted"]) == 0
    assert capsys.readouterr().out == script_of(LABEL, "spark", today=739311, stage="interrupted")
    assert run(["sql", "--dialect", "spark"]) == 0
    assert capsys.readouterr().out == script_of(LABEL, "spark")


@pytest.mark.slow
def test_it_writes_a_file_whole(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "rules.sql"
    assert run(["sql", "--dialect", "postgres", "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == script_of(LABEL, "postgres")
    assert (capsys.readouterr().out, [path.name for path in tmp_path.iterdir()]) == ("", ["rules.sql"])


def test_a_file_that_cannot_be_written(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "missing" / "rules.sql"
    assert run(["sql", "--dialect", "postgres", "--out", str(out)]) == 1
    assert capsys.readouterr().err == f"precaution: {out} can't be written: No such file or directory\n"


@pytest.mark.slow
def test_a_policy_is_written_in(capsys: Capture) -> None:
    arguments = ["sql", "--dialect", "duckdb", "--today", TODAY]
    assert run([*arguments, "--policy", str(PROJECT / "examples" / "policy.toml")]) == 0
    mine = capsys.readouterr().out
    assert "with a site's own policy" in mine
    assert mine.split("\n\n", 1)[1] != script_of(LABEL, "duckdb", today=739311).split("\n\n", 1)[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dialect", "duckdbs"], "'duckdbs' is no dialect of SQL. Did you mean 'duckdb'? Tested are duckdb,"),
        (["--dialect", "tsql"], "the rules can't be written in 'tsql'"),
        (["--dialect", "duckdb", "--stage", "interrupted"], "a stage needs a day"),
        ([], "Missing option '--dialect'"),
    ],
)
def test_what_is_wrong_is_said(arguments: list[str], message: str, capsys: Capture) -> None:
    assert run(["sql", *arguments]) == 2
    said = capsys.readouterr()
    assert (said.out, message in said.err) == ("", True)


@pytest.mark.slow
def test_a_dialect_that_is_not_tested_is_written_with_a_warning(capsys: Capture) -> None:
    assert run(["sql", "--dialect", "snowflake", "--today", TODAY]) == 0
    said = capsys.readouterr()
    assert "NOT TESTED in snowflake" in said.out
    assert said.err == "precaution: 'snowflake' is not tested: only duckdb, postgres, spark are\n"


def test_without_the_library_it_says_what_to_install() -> None:
    call = "from precaution.cli import main; main(['sql', '--dialect', 'duckdb'])"
    hidden = f"import sys; sys.modules['sqlglot'] = None; {call}"
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, check=False, cwd=PROJECT, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "precaution: SQL needs sqlglot: install it with `pip install '.[sql]'` in its folder\n"
