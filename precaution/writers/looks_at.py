"""Writes in plain English what a fact looks at: code lists, time windows, and what absence means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.knowledge.fact import NUMBER
from precaution.writers.english import EnglishWriter, capital

if TYPE_CHECKING:
    from precaution.knowledge.fact import Fact
    from precaution.knowledge.model import Label


def fact_in_english(fact: Fact, label: Label) -> str:
    """Return what a fact of a label looks at, in sentences: what its kind says, and what absence means."""
    sentences = (*fact.english(EnglishWriter(label)), _absence(fact))
    return " ".join(capital(sentence) + "." for sentence in sentences if sentence)


def _absence(fact: Fact) -> str:
    none = "none" if fact.meaning() == NUMBER else "no"
    match getattr(fact, "absent", ""):
        case "unknown":
            return "nothing on record means that it can't be told"
        case "no-if-list-complete":
            complete = f"where the record holds a list of {getattr(fact, 'list', 'condition')} entries"
            return f"nothing on record means {none} {complete}; else it can't be told"
        case "no":
            return f"nothing on record means {none}"
        case _:
            return ""
