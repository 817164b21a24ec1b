"""The public names: complete, sorted, lazy, and each with a docstring."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import precaution

if TYPE_CHECKING:
    from pathlib import Path


def test_public_names_are_sorted_and_complete() -> None:
    assert precaution.__all__ == sorted(precaution.__all__)
    assert set(precaution.__all__) == {*precaution._HOMES, "__version__"}
    assert dir(precaution) == precaution.__all__


@pytest.mark.parametrize("name", sorted(precaution._HOMES))
def test_each_public_name_loads_and_has_a_docstring(name: str) -> None:
    assert getattr(precaution, name).__doc__


def test_type_checkers_see_the_same_names(project: Path) -> None:
    tree = ast.parse((project / "precaution" / "__init__.py").read_text(encoding="utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module.removeprefix("precaution.")
        for node in guarded.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    assert seen == precaution._HOMES


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'asess'"):
        precaution.asess  # noqa: B018


def test_importing_the_package_loads_none_of_its_modules() -> None:
    code = "import sys, precaution; print([name for name in sys.modules if name.startswith('precaution.')])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_the_version_is_a_number() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", precaution.__version__)


def test_the_package_is_typed(project: Path) -> None:
    assert (project / "precaution" / "py.typed").exists()
