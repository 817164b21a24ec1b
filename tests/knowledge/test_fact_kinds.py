"""A kind of fact is its definition, its look and its SQL: none of them is forgotten."""

from __future__ import annotations

import pytest

from precaution.engine.kinds import LOOKS
from precaution.knowledge.fact_kinds import FACT_KINDS, Derived
from precaution.knowledge.model import Ask
from precaution.sql.fact_columns import STEPS
from support.every_option_label import FACTS
from support.project import PROJECT

KINDS = set(FACT_KINDS.values())
FROM_ENTRIES = KINDS - {Derived}


def test_every_kind_has_a_look() -> None:
    assert set(LOOKS) == FROM_ENTRIES


def test_every_kind_has_a_step_of_sql() -> None:
    assert set(STEPS) - {Ask} == FROM_ENTRIES


def test_the_engine_and_sql_are_compared_on_facts_of_every_kind() -> None:
    assert {type(fact) for fact in FACTS} == KINDS


@pytest.mark.parametrize("kind", sorted(KINDS, key=lambda each: each.__name__))
def test_every_kind_says_what_it_is(kind: type) -> None:
    page = (PROJECT / "docs" / "reference" / "knowledge-format.md").read_text(encoding="utf-8")
    sentence = " ".join((kind.__doc__ or "").split())
    assert sentence.endswith(".")
    assert sentence in page
