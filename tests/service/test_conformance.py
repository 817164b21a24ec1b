"""The table of requirements: whole, true to the tests that there are, and written from its source."""

from __future__ import annotations

import ast
import csv
import sys
from functools import cache
from typing import TYPE_CHECKING

import pytest

from support.project import PROJECT

sys.path.insert(0, str(PROJECT / "tools"))
import make_conformance as made

if TYPE_CHECKING:
    from pathlib import Path

OURS, PUBLIC = made.requirements()
ROWS = [*((f"ours {name}", row) for name, row in OURS.items()), *((f"public {n}", row) for n, row in PUBLIC.items())]


@cache
def functions_of(file: str) -> frozenset[str]:
    path = PROJECT / "tests" / file
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def missing(test: str) -> bool:
    file, _, function = test.partition("::")
    return function not in functions_of(file)


def test_the_page_is_written_from_its_source() -> None:
    assert made.PAGE.read_text(encoding="utf-8") == made.page(), "run `python tools/make_conformance.py`"


@pytest.mark.parametrize(("name", "row"), ROWS, ids=[name for name, _ in ROWS])
def test_a_requirement_has_tests_that_exist_or_an_excuse(name: str, row: made.Row) -> None:
    assert ("tests" in row) != ("excuse" in row), name
    tests = row.get("tests", [])
    assert isinstance(tests, list)
    assert [test for test in tests if missing(test)] == []
    assert tests or len(str(row["excuse"])) > 10


def test_a_test_that_does_not_exist_is_seen() -> None:
    assert missing("service/test_conformance.py::test_nothing")
    assert missing("test_none.py::test_x")
    assert not missing("service/test_conformance.py::test_a_test_that_does_not_exist_is_seen")


def test_all_of_ours_are_there() -> None:
    assert list(OURS) == [f"A{number}" for number in range(1, 17)]


def test_every_row_of_the_public_list_is_here(shared: Path) -> None:
    path = shared / "data" / "cds-hooks" / "requirements" / "cds-hooks-2.0-requirements.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if "Service" in row["Actors"]]
    assert len(rows) == 120
    assert [row["ID"] for row in rows] == list(PUBLIC)


def test_the_words_are_ours(shared: Path) -> None:
    """No sentence of the list is copied."""
    path = shared / "data" / "cds-hooks" / "requirements" / "cds-hooks-2.0-requirements.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        theirs = {row["ID"]: row["Requirement"] for row in csv.DictReader(file) if "Service" in row["Actors"]}
    copied = [number for number, row in PUBLIC.items() if str(row["about"]) in theirs[number]]
    assert [number for number in copied if len(str(PUBLIC[number]["about"])) > 40] == []
