"""The compiled package says what its sources say, of everyone, byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from conftest import PROJECT, needs

pytest.importorskip("duckdb")
pytest.importorskip("sqlglot")

COMPILED = PROJECT / ".venv" / "compiled" / "bin" / "python"
PROBE = Path(__file__).with_name("compiled_probe.py")


def said(python: Path | str) -> list[str]:
    """What the probe says by one Python; the folder it is run from is not looked into for modules."""
    done = subprocess.run([str(python), str(PROBE)], capture_output=True, text=True, check=True, cwd=PROJECT / "tests",
                          env={**os.environ, "PYTHONHASHSEED": "0"})  # fmt: skip
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def compiled() -> Path:
    needs(COMPILED.exists(), "the compiled package (make compiled)")
    return COMPILED


def test_of_everyone_the_compiled_package_says_the_same(compiled: Path) -> None:
    (of_sources, *ours), (of_compiled, *theirs) = said(sys.executable), said(compiled)
    assert of_sources.endswith(".py")
    assert not of_compiled.endswith(".py")
    assert len(ours) > 9000
    differ = [(mine, other) for mine, other in zip(ours, theirs, strict=True) if mine != other]
    print(f"compiled: {len(ours)} answers, {len(differ)} differ")  # noqa: T201
    assert not differ, f"{differ[:3]}; see tests/compiled_probe.py"


def test_everything_that_is_to_be_compiled_is(compiled: Path) -> None:
    """A module that the list names and the wheel holds as source only would be slow, and nobody would see."""
    hook = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    hook = hook["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["mypyc"]
    left_out = {PROJECT / name[1:] for name in hook["exclude"]}
    named = {path for name in hook["include"] for path in PROJECT.glob(name[1:])} - left_out
    assert len(named) > 30
    (package,) = compiled.parents[1].glob("lib/python3*/site-packages/precaution")
    missing = [path for path in named
               if not list((package.parent / path.relative_to(PROJECT)).parent.glob(f"{path.stem}.*.so"))]
    assert not missing


def test_the_compiled_package_is_that_of_these_sources(compiled: Path) -> None:
    """Nobody measures or checks the package of yesterday."""
    (package,) = compiled.parents[1].glob("lib/python3*/site-packages/precaution")
    other = [path for path in sorted((PROJECT / "precaution").rglob("*.py"))
             if (package / path.relative_to(PROJECT / "precaution")).read_bytes() != path.read_bytes()]
    assert not other, "make compiled"
