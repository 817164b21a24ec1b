"""Whether a source holds what a measure looks at: a test that it never holds of anybody may still have been done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from precaution.cohort.results import QUALITY
from precaution.engine.compiled import compiled_label
from precaution.knowledge.expression import And, Name, Or, names
from precaution.knowledge.fact_kinds import Derived, Latest, Tested

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from precaution.knowledge.expression import Expression
    from precaution.knowledge.model import Label, Measure


def people_with(out: Path, label: Label) -> dict[str, int]:
    """Return code list = how many patients of the whole source have an entry of it; as `precaution cohort` counted."""
    quality = json.loads((out / QUALITY).read_text(encoding="utf-8"))
    found = quality.get("people_with_by_label", {}).get(label.name, quality.get("people_with", {}))
    return {str(name): int(count) for name, count in found.items()}


def coverage(measure: Measure, label: Label, people: Mapping[str, int]) -> int | None:
    """Return of how many patients at least the source holds the tests that a measure needs; None where it needs none.

    Of tests that are all needed the one that the fewest have counts, of alternatives the one that the most have.
    """
    if measure.kind != "share" or measure.numerator is None:
        return None
    return _covered(measure.numerator, label, people)


def _covered(expression: Expression, label: Label, people: Mapping[str, int]) -> int | None:
    if isinstance(expression, Name):
        return _of_fact(expression.name, label, people)
    if isinstance(expression, (And, Or)):
        found = [each for part in expression.operands if (each := _covered(part, label, people)) is not None]
        return (min if isinstance(expression, And) else max)(found, default=None)
    found = [each for name in names(expression) if (each := _of_fact(name, label, people)) is not None]
    return max(found, default=None)


def _of_fact(name: str, label: Label, people: Mapping[str, int]) -> int | None:
    fact = compiled_label(label, "before-start").names.get(name)
    if isinstance(fact, Derived):
        return _covered(fact.expression, label, people)
    if isinstance(fact, (Tested, Latest)):
        return max((people.get(concept, 0) for concept in fact.concepts()), default=0)
    return None
