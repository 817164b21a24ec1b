"""What a coded entry means: its concepts where a list has its code, else a doubt where its words speak of one.

Codes decide. Words never make a "yes": they make an entry "mentioned", which forbids a "no". An entry of
which neither code nor words can be read may be anything of its kind (`record.UNREADABLE`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from precaution.readers.codes import words_of
from precaution.values.record import UNREADABLE, Certainty, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precaution.readers.codes import Codes, Looked
    from precaution.readers.json_access import Json
    from precaution.readers.reading import Item, Reading

Coded = Literal["condition", "medication", "procedure", "immunization", "order"]

_TELLING = {
    "condition": {"ICD10CM"},
    "medication": {"RxNorm", "ATC"},
    "immunization": {"CVX", "ATC"},
    "procedure": set[str](),
    "order": set[str](),
}
"""Code systems whose lists are whole enough that a well-formed code in none of them is not ours."""


_SPOKEN_OF = {
    "condition": frozenset({"SNOMED", "ICD10CM"}),
    "procedure": frozenset({"SNOMED", "ICD10CM", "CVX"}),
    "medication": frozenset({"RxNorm", "RxNormExt", "ATC"}),
    "immunization": frozenset({"CVX", "ATC"}),
    "order": frozenset({"SNOMED", "CVX", "ATC"}),
}
"""Whose concepts its words may speak of: a vaccine against hepatitis is no hint of hepatitis."""


def kind_of(codes: Codes, name: str) -> Kind:
    """Return the kind of entries that a concept stands for, by the code systems of its list."""
    for kind, systems in _KINDS:
        if codes.listed_in(name, systems):
            return kind
    return "condition"


_KINDS: tuple[tuple[Kind, frozenset[str]], ...] = (
    ("immunization", frozenset({"CVX"})),
    ("medication", frozenset({"RxNorm", "RxNormExt", "ATC"})),
    ("result", frozenset({"LOINC"})),
)


class Meaning(NamedTuple):
    """A concept that an entry stands for."""

    concept: str
    certain: bool = True
    note: str = ""

    def certainty(self, otherwise: Certainty = "certain") -> Certainty:
        """Return `otherwise` where a code decides, else "mentioned"."""
        return otherwise if self.certain else "mentioned"


def meanings(reading: Reading, item: Item, kind: Coded, concepts: Sequence[Json], named: str = "") -> list[Meaning]:
    """Return what an entry means by its CodeableConcepts (a drug has several: its own and its ingredients').

    `named` is a further text, as a reference's display. What can't be told is noted as unrecognised.
    """
    looked = [reading.codes.look(concept) for concept in concepts]
    found = list(dict.fromkeys(name for each in looked for name in each.concepts))
    if found:
        return [Meaning(name) for name in found]
    words = [*(each for concept in concepts for each in words_of(concept)), *words_of({"text": named})]
    return _doubts(reading, item, kind, concepts, looked, words)


def _doubts(
    reading: Reading, item: Item, kind: Coded, concepts: Sequence[Json], looked: list[Looked], words: list[str]
) -> list[Meaning]:
    doubted, why = doubts(reading.codes, kind, looked, words)
    if doubted:
        for concept in concepts or [{}]:
            reading.unrecognised(item.source, concept, why)
    return [Meaning(name, certain=False, note=why) for name in doubted]


def doubts(codes: Codes, kind: Coded, looked: Sequence[Looked], words: Sequence[str]) -> tuple[list[str], str]:
    """Return the concepts that an entry whose codes no list knows may mean, and why that can't be told."""
    doubted = list(dict.fromkeys(name for each in looked for name in each.doubted))
    why = "its code is given without a code system" if doubted else "only its words speak of it"
    doubted = doubted or [name for name in spoken(codes, words) if codes.listed_in(name, _SPOKEN_OF[kind])]
    if not doubted and not words and not any(_TELLING[kind] & set(each.formed) for each in looked):
        return [UNREADABLE[kind]], "neither its code nor any words of it can be understood"
    return doubted, why


def spoken(codes: Codes, words: Sequence[str]) -> list[str]:
    """Return the concepts that texts speak of."""
    return list(dict.fromkeys(name for text in words for name in codes.spoken(text)))
