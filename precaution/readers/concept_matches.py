"""The label's concepts that a coded entry matches: by its code, or in doubt by the words that stand for it.

Codes decide. Words never make a "yes": they make an entry "mentioned", which forbids a "no". An entry of
which neither code nor words can be read may be anything of its kind (`record.UNREADABLE`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from precaution.knowledge.terminology import ICD10
from precaution.readers.codes import words_of
from precaution.values.record import UNREADABLE, Certainty, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from precaution.readers.codes import CodeLookup, Codes
    from precaution.readers.json_access import Json
    from precaution.readers.record_builder import PatientResource, RecordBuilder

CodedKind = Literal["condition", "medication", "procedure", "immunization", "order"]
WITHOUT_SYSTEM = "its code is given without a code system"
ONLY_WORDS = "only its words speak of it"
NO_LIST = "no list has its code, which may mean it"

_SPOKEN_OF = {
    "condition": frozenset({"SNOMED", *ICD10}),
    "procedure": frozenset({"SNOMED", *ICD10, "CVX"}),
    "medication": frozenset({"RxNorm", "RxNormExt", "ATC"}),
    "immunization": frozenset({"CVX", "ATC"}),
    "order": frozenset({"SNOMED", "CVX", "ATC"}),
}
"""For each kind the code systems of the concepts that its words may mean: no vaccine hints at the disease."""
_NO_RESULT = frozenset({"procedure", "order"})
"""Kinds of which words never mean a measured value: that a count was done or is ordered says nothing of it."""


def kind_of(codes: Codes, name: str) -> Kind:
    """Return the kind of entries that a concept stands for, by the code systems of its list."""
    for kind, systems in _KIND_BY_SYSTEMS:
        if codes.listed_in(name, systems):
            return kind
    return "condition"


_KIND_BY_SYSTEMS: tuple[tuple[Kind, frozenset[str]], ...] = (
    ("immunization", frozenset({"CVX"})),
    ("medication", frozenset({"RxNorm", "RxNormExt", "ATC"})),
    ("result", frozenset({"LOINC"})),
)


class ConceptMatch(NamedTuple):
    """A concept of the label that an entry matches."""

    concept: str
    certain: bool = True
    """Whether a code decides; False where only words, or a code without a system, speak of the concept."""
    note: str = ""
    """Why it is not certain."""

    def certainty(self, otherwise: Certainty = "certain") -> Certainty:
        """Return `otherwise` where a code decides, else "mentioned"."""
        return otherwise if self.certain else "mentioned"


def matched_concepts(
    builder: RecordBuilder, item: PatientResource, kind: CodedKind, concepts: Sequence[Json], named: str = ""
) -> list[ConceptMatch]:
    """Return the concepts that an entry matches by its CodeableConcepts (a drug also has those of its ingredients).

    `named` is a further text, as a reference's display. Codes that leave a doubt are noted as unrecognised.
    """
    lookup = [builder.codes.look_up(concept) for concept in concepts]
    found = list(dict.fromkeys(name for each in lookup for name in each.concepts))
    matched = [ConceptMatch(name) for name in found]
    if found and any(each.concepts and not each.beside for each in lookup):
        return matched
    words = [*(each for concept in concepts for each in words_of(concept)), *words_of({"text": named})]
    doubted = _doubts(builder, item, kind, concepts, lookup, words)
    return [*matched, *(each for each in doubted if each.concept not in found)]


def _doubts(
    builder: RecordBuilder,
    item: PatientResource,
    kind: CodedKind,
    concepts: Sequence[Json],
    lookup: list[CodeLookup],
    words: list[str],
) -> list[ConceptMatch]:
    doubted, why = doubts(builder.codes, kind, lookup, words)
    if doubted:
        for concept in concepts or [{}]:
            builder.unrecognised(item.source, concept, why)
    return [ConceptMatch(name, certain=False, note=why) for name in doubted]


def doubts(codes: Codes, kind: CodedKind, lookup: Sequence[CodeLookup], words: Sequence[str]) -> tuple[list[str], str]:
    """Return the concepts that an entry whose codes no list has may stand for, and why that can't be told.

    None where its code is known to have nothing to do with the label, where the lists are whole for its code system, or
    where it has words, and they speak of nothing.
    """
    if any(each.irrelevant for each in lookup):
        return [], ""
    doubted, why = possible_concepts(codes, lookup, words)
    if why == ONLY_WORDS:
        doubted = [name for name in doubted if codes.listed_in(name, _SPOKEN_OF[kind])]
        if kind in _NO_RESULT:
            doubted = [name for name in doubted if not codes.terminology.concept(name).unit]
    if doubted:
        return doubted, why
    if doubted := [name for name in possible_codes(codes, lookup, words) if codes.listed_in(name, _SPOKEN_OF[kind])]:
        return doubted, NO_LIST
    if words:
        return [], ""
    systems = [system for each in lookup for system in each.covered]
    if not systems:
        return [UNREADABLE[kind]], "neither its code nor any words of it can be understood"
    return sorted(frozenset.intersection(*[not_whole(codes, kind, system) for system in systems])), NO_LIST


def not_whole(codes: Codes, kind: str, system: str) -> frozenset[str]:
    """Return the concepts that an entry of a kind may mean by a code of `system` that is on no list."""
    found = codes.met.get((kind, system))
    if found is None:
        found = codes.met[kind, system] = codes.not_whole(expected(codes, kind), system)
    return found


def expected(codes: Codes, kind: str) -> frozenset[str]:
    """Return the concepts that a code of an entry of a kind may mean."""
    found = codes.met.get((kind, ""))
    if found is None:
        found = codes.met[kind, ""] = _expected(codes, kind)
    return found


def _expected(codes: Codes, kind: str) -> frozenset[str]:
    immunizing = codes.of_systems(frozenset({"CVX"}))
    if kind == "immunization":
        return immunizing
    if kind == "medication":
        return codes.of_systems(_DRUGS) - immunizing
    known = codes.terminology.known
    tests = codes.of_systems(frozenset({"LOINC"})) | {
        name for name, concept in known.items() if concept.unit or concept.answers
    }
    if kind == "result":
        return tests
    named = codes.of_systems(frozenset({"SNOMED"})) - tests
    return named | codes.of_systems(frozenset(ICD10)) if kind == "condition" else named


_DRUGS = frozenset({"RxNorm", "RxNormExt", "ATC"})


def possible_concepts(codes: Codes, lookup: Iterable[CodeLookup], words: Iterable[str]) -> tuple[list[str], str]:
    """Return the concepts that codes without a system may mean, else those of which words speak; and which it is."""
    doubted = list(dict.fromkeys(name for each in lookup for name in each.doubted))
    return (doubted, WITHOUT_SYSTEM) if doubted else (spoken_of(codes, words), ONLY_WORDS)


def possible_codes(codes: Codes, lookup: Iterable[CodeLookup], words: Sequence[str]) -> list[str]:
    """Return the concepts that codes may mean though no list has them, less those that words beside them refuse."""
    found = dict.fromkeys(name for each in lookup for name in each.possible)
    return [name for name in found if not any(codes.terminology.refuses(name, each) for each in words)]


def spoken_of(codes: Codes, words: Iterable[str]) -> list[str]:
    """Return the concepts of whose words texts speak, each once."""
    return list(dict.fromkeys(name for text in words for name in codes.spoken_of(text)))
