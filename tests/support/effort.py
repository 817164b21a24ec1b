"""How much a test tries: little while a developer waits, much in continuous integration and by `make test-all`."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

THOROUGH = bool(os.environ.get("CI") or os.environ.get("THOROUGH"))


def tries(quick: int, thorough: int) -> int:
    """Return how many random inputs, kills or calls a test makes: `quick` for a developer, `thorough` otherwise."""
    return thorough if THOROUGH else quick


def first(many: int, cases: Sequence[object]) -> list[object]:
    """Return the cases of a parametrized test, all but the first `many` of them marked slow: alike, and each dear."""
    rest = [each if isinstance(each, tuple) else (each,) for each in cases[many:]]
    return [*cases[:many], *(pytest.param(*each, marks=pytest.mark.slow) for each in rest)]
