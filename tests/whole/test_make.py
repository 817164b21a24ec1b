"""`make help` lists what there is, and what `make test` leaves out is what has a marker that says so."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib

import pytest

from support.project import PROJECT

MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")


def found(pattern: str, text: str) -> str:
    """Return the first part of the only place where a pattern occurs."""
    (only,) = re.findall(pattern, text, re.MULTILINE)
    return str(only)


def test_help_lists_every_target() -> None:
    if not shutil.which("make"):
        pytest.skip("make is not here")
    done = subprocess.run(["make", "help"], cwd=PROJECT, capture_output=True, text=True, check=True)  # noqa: S607
    listed = {line.split()[0] for line in done.stdout.splitlines() if not line.startswith("make")}
    assert listed == set(found(r"^\.PHONY: (.*)$", MAKEFILE).split())


def test_every_marker_has_a_reason_and_is_left_out_by_make_test() -> None:
    options = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    markers = [marker.partition(": ") for marker in options["markers"]]
    assert all(reason for _, _, reason in markers)
    names = {name for name, _, _ in markers}
    assert names == set(found(r"^QUICK := not \((.*)\)$", MAKEFILE).split(" or "))
    conftest = (PROJECT / "tests" / "conftest.py").read_text(encoding="utf-8")
    assert names == set(re.findall(r'"(\w+)"', found(r"^HEAVY = \((.*)\)$", conftest)))


@pytest.mark.parametrize("script", ["image", "packages", "run"])
def test_a_script_of_continuous_integration_can_be_run(script: str) -> None:
    path = PROJECT / ".ci" / script
    assert os.access(path, os.X_OK)
    assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0  # noqa: S607
