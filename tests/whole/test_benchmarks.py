"""Benchmarks run with the package as it is, and say which package they measure."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.project import PROJECT, needs

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("duckdb")
pytest.importorskip("fastapi")

BENCHMARKS = PROJECT / "benchmarks"
COMPILED = PROJECT / ".venv" / "compiled" / "bin" / "python"
MEASURING = ("assess", "cohort", "entries", "hooks", "spark", "sql", "who")
"""The benchmarks that print figures."""


def run(python: str | Path, code: str) -> str:
    """Run a line by a Python as a benchmark is run, in the folder in which the checkout would be found first."""
    code = f"import sys; sys.path[0] = {str(BENCHMARKS)!r}; {code}"
    done = subprocess.run([str(python), "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_benchmark_finds_what_it_uses() -> None:
    names = sorted(path.stem for path in BENCHMARKS.glob("*.py"))
    assert set(MEASURING) < set(names)
    run(sys.executable, f"import {', '.join(names)}")


@pytest.mark.parametrize("name", MEASURING)
def test_a_benchmark_says_what_it_measures_and_starts_processes_that_load_the_same(name: str) -> None:
    tree = ast.parse((BENCHMARKS / f"{name}.py").read_text(encoding="utf-8"))
    assert "announce()" in {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert "sys.executable" not in ast.unparse(tree), "use `python` of benchmarks/package.py"


def test_the_sources_are_measured_by_the_python_that_has_them() -> None:
    said = run(sys.executable, "import package; package.announce()")
    assert f", as sources, of {PROJECT / 'precaution'};" in said


@pytest.mark.compiled
def test_the_compiled_package_is_measured_by_the_python_that_has_it() -> None:
    needs(COMPILED.exists(), "the compiled package (make compiled)")
    said = run(COMPILED, "import package; package.announce()")
    assert f", compiled, of {COMPILED.parents[1]}" in said


def test_processes_that_would_load_another_package_end_a_benchmark() -> None:
    code = "import package; package.findings.__file__ = '/elsewhere/findings.so'; package.announce()"
    with pytest.raises(AssertionError, match="nothing is measured"):
        run(sys.executable, code)
