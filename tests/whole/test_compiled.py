"""The compiled package says what its sources say, of everyone, byte for byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from support.project import PROJECT, needs

pytest.importorskip("duckdb")
pytest.importorskip("sqlglot")

COMPILED = PROJECT / ".venv" / "compiled" / "bin" / "python"
PROBE = "support.compiled_probe"


def said(python: Path | str, *parts: str, first: Path | None = None) -> list[str]:
    """What the probe says by one Python; modules are looked for in `first` first, and not where it is run."""
    environment = {**os.environ, "PYTHONHASHSEED": "0"} | ({"PYTHONPATH": str(first)} if first else {})
    done = subprocess.run(
        [str(python), "-m", PROBE, *parts],
        capture_output=True,
        text=True,
        check=True,
        cwd=PROJECT / "tests",
        env=environment,
    )
    return done.stdout.splitlines()


def differing(ours: list[str], theirs: list[str]) -> list[str]:
    """The names of what is not said alike by both."""
    return [mine.rpartition("\t")[0] for mine, other in zip(ours, theirs, strict=True) if mine != other]


@pytest.fixture(scope="module")
def compiled() -> Path:
    needs(COMPILED.exists(), "the compiled package (make compiled)")
    return COMPILED


def test_of_everyone_the_compiled_package_says_the_same(compiled: Path) -> None:
    (of_sources, *ours), (of_compiled, *theirs) = said(sys.executable), said(compiled)
    assert of_sources.endswith(".py")
    assert not of_compiled.endswith(".py")
    assert len(ours) > 3800
    differ = differing(ours, theirs)
    print(f"compiled: {len(ours)} answers, {len(differ)} differ")  # noqa: T201
    assert not differ, f"{differ[:3]}; see tests/support/compiled_probe.py"


@pytest.mark.compiled
def test_one_mistake_in_one_module_is_seen(tmp_path: Path) -> None:
    package = tmp_path / "precaution"
    shutil.copytree(PROJECT / "precaution", package, ignore=shutil.ignore_patterns("__pycache__"))
    text = (package / "values" / "interval.py").read_text(encoding="utf-8")
    assert text.count("if high < other_low or") == 1
    (package / "values" / "interval.py").write_text(text.replace("if high < other_low or", "if high <= other_low or"))
    (where, *wrong), (_, *right) = said(sys.executable, "cases", first=tmp_path), said(sys.executable, "cases")
    assert where.startswith(str(package))
    assert 20 < len(differing(right, wrong)) < len(right)


def test_everything_that_is_to_be_compiled_is(compiled: Path) -> None:
    """A module that the list names and the wheel holds as source only would be slow, and nobody would see."""
    hook = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    hook = hook["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["mypyc"]
    left_out = {path for name in hook["exclude"] for path in PROJECT.glob(name[1:])}
    named = {path for name in hook["include"] for path in PROJECT.glob(name[1:])} - left_out
    assert len(named) > 30
    (package,) = compiled.parents[1].glob("lib/python3*/site-packages/precaution")
    missing = [
        path
        for path in named
        if not list((package.parent / path.relative_to(PROJECT)).parent.glob(f"{path.stem}.*.so"))
    ]
    assert not missing


def test_the_compiled_package_is_that_of_these_sources(compiled: Path) -> None:
    """Nobody measures or checks the package of yesterday."""
    (package,) = compiled.parents[1].glob("lib/python3*/site-packages/precaution")
    other = [
        path
        for path in sorted((PROJECT / "precaution").rglob("*.py"))
        if (package / path.relative_to(PROJECT / "precaution")).read_bytes() != path.read_bytes()
    ]
    assert not other, "make compiled"
