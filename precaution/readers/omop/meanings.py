"""What the codes of a CDM mean: each that occurs is looked up once, as the reader of FHIR looks up its codes.

A code is a row's three ways to say the same: the standard concept, the source's concept, and the source's own text.
Any that a list knows decides. Where none does, the concept's ancestors in the vocabulary may: the most specific of them
that a list knows. Else its words may raise a doubt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from precaution.readers.codes import CodeLookup, normal_code, readable, together
from precaution.readers.concept_matches import doubts
from precaution.readers.json_access import safe_code
from precaution.readers.lists import NO_PROBLEMS
from precaution.readers.routes import by_route
from precaution.readers.unlisted_results import (
    BY_UNIT,
    is_no_test,
    may_be_told_by_unit,
    of_telling_unit,
    possible_results,
)
from precaution.values.record import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from precaution.knowledge.terminology import Terminology
    from precaution.readers.codes import Codes
    from precaution.readers.concept_matches import CodedKind

SYSTEMS: Mapping[str, str] = {
    "SNOMED": "SNOMED",
    "LOINC": "LOINC",
    "RxNorm": "RxNorm",
    "RxNorm Extension": "RxNormExt",
    "ICD10CM": "ICD10CM",
    "ICD10": "ICD10",
    "ICD10GM": "ICD10GM",
    "ATC": "ATC",
    "CVX": "CVX",
}
"""The names of vocabularies in the CDM, and those that code lists use."""
_WITH_ANCESTORS = frozenset({"condition", "drug", "procedure", "observation"})
"""Not measurements: a test of the same family has another unit, or is another test."""
_KINDS: Mapping[str, Sequence[CodedKind]] = {
    "condition": ("condition",),
    "drug": ("medication", "immunization"),
    "procedure": ("procedure",),
}
_OF_DRUGS = frozenset({"RxNorm", "RxNormExt", "ATC", "CVX"})
BY_ANCESTOR = "by its ancestor in the vocabulary"


class VocabularyConcept(NamedTuple):
    """A concept of the CDM's vocabulary: the name of its code system, its code, its name."""

    vocabulary: str
    code: str
    name: str = ""


class EventCode(NamedTuple):
    """How rows of an event table are coded: by two concepts and a source value, as they occur together."""

    event: str
    concept_id: int
    source_concept_id: int
    source_value: str
    standard: VocabularyConcept | None
    source: VocabularyConcept | None
    rows: int = 1
    """How many rows have it."""


class Meaning(NamedTuple):
    """A concept of the label that a code means, or may mean: a row of the table `meanings` that the mapping joins."""

    event: str
    concept_id: int
    source_concept_id: int
    source_value: str
    concept: str
    kind: str
    """A kind of entry; or `finding` (of an observation), `attested` (a list is said to be empty), `immunizing` (only
    that it is one)."""
    certain: bool
    note: str
    system: str
    code: str


class CodeMapper:
    """Looks up what the codes of event tables mean for a label."""

    def __init__(self, codes: Codes, ancestors: Mapping[int, set[int]], listed: Mapping[int, tuple[str, str]]) -> None:
        """Look in `codes`. `ancestors`: concept id = the most specific listed ones; `listed`: their (system, code)."""
        self._codes = codes
        self._ancestors = ancestors
        self._listed = listed

    def meanings(self, code: EventCode) -> Iterator[Meaning]:
        """Yield each meaning that a code has or may have; none where nothing speaks of a concept of the label."""
        pairs = [self._known(code.concept_id, code.standard), self._known(code.source_concept_id, code.source)]
        if any(each == ("SNOMED", NO_PROBLEMS) for each in pairs):
            yield _meaning(code, "condition", "attested", True, "", pairs)
            return
        lookup = self._look_up(code, [each for each in pairs if each])
        immunizing = any(each is not None and each[0] == "CVX" for each in pairs)
        if code.event == "drug" and immunizing:
            yield _meaning(code, "", "immunizing", True, "", pairs)
        found, note = lookup.concepts, ""
        if not found and code.event in _WITH_ANCESTORS:
            found, note = self._by_ancestors(code.concept_id), BY_ANCESTOR
        drug = code.event == "observation" and bool(_OF_DRUGS & set(lookup.formed))
        for name in _by_names(self._codes.terminology, found, code):
            kind = self._kind("drug" if drug else code.event, name)
            yield _meaning(code, name, kind, not drug, note or ("a drug among observations" if drug else ""), pairs)
        if not found:
            yield from self._doubts(code, lookup, immunizing=immunizing, pairs=pairs)

    def _known(self, name: int, found: VocabularyConcept | None) -> tuple[str, str] | None:
        """Return (system, code) of a concept id: by the source's vocabulary, else by the label's own table of ids."""
        if found is not None and (system := SYSTEMS.get(found.vocabulary, "")):
            return system, normal_code(system, found.code)
        return self._codes.terminology.concept_ids.get(name) if name else None

    def _look_up(self, code: EventCode, pairs: Iterable[tuple[str, str]]) -> CodeLookup:
        found = [self._codes.of(system, each) for system, each in pairs]
        bare = code.source_value if code.source is None else ""
        if bare and len(bare) <= 20:
            found.append(CodeLookup(doubted=self._codes.without_system(bare)))
        return together(found)

    def _by_ancestors(self, name: int) -> tuple[str, ...]:
        found = [self._listed[each] for each in sorted(self._ancestors.get(name, ()))]
        names = dict.fromkeys(one for each in found for one in self._codes.terminology.concepts(*each))
        return self._codes.terminology.without_outranked(tuple(names))

    def _kind(self, event: str, name: str) -> str:
        if event == "measurement":
            return "result"
        if event == "observation":
            return "result" if is_test(self._codes, name) else "finding"
        if event == "drug":
            if name in UNREADABLE.values():
                return name.removeprefix("unreadable-")
            return "immunization" if self._codes.listed_in(name, frozenset({"CVX"})) else "medication"
        return event

    def _doubts(
        self, code: EventCode, lookup: CodeLookup, *, immunizing: bool, pairs: list[tuple[str, str] | None]
    ) -> Iterator[Meaning]:
        names = [each.name for each in (code.standard, code.source) if each is not None]
        named = [*names, code.source_value] if _is_words(code.source_value) else names
        words = [each for each in dict.fromkeys(named) if each and readable(each)]
        if code.event in _KINDS:
            # a row of drugs whose code says nothing may be a vaccine
            kinds: Sequence[CodedKind] = ("immunization",) if immunizing else _KINDS[code.event]
            found = {
                name: note
                for kind in kinds
                for names, note in [doubts(self._codes, kind, [lookup], words)]
                for name in names
            }
        elif is_no_test(self._codes, lookup):
            return
        else:
            named, why = possible_results(self._codes, lookup, words)
            found = dict.fromkeys(named, why)
            if not named and may_be_told_by_unit(self._codes, words):
                found = dict.fromkeys(of_telling_unit(self._codes), BY_UNIT)
        for name in _by_names(self._codes.terminology, found, code, certain=False):
            yield _meaning(code, name, self._kind(code.event, name), False, found[name], pairs)


def _by_names(terminology: Terminology, found: Iterable[str], code: EventCode, *, certain: bool = True) -> list[str]:
    """Return the concepts that a code means, for a drug as far as its names tell the route that decides."""
    names = [each.name for each in (code.standard, code.source) if each is not None]
    told = {name: by_route(terminology, name, [*names, code.source_value], certain=certain) for name in found}
    if code.event != "drug":
        return list(told)
    return [each.concept if each.certain else name for name, each in told.items() if each.concept]


def is_test(codes: Codes, name: str) -> bool:
    """Whether a concept is a test or a question: a row of it says something by its value."""
    concept = codes.terminology.concept(name)
    return bool(concept.unit or concept.answers) or codes.listed_in(name, frozenset({"LOINC"}))


def _is_words(text: str) -> bool:
    """Whether a source's own text is words, and no code of its own making."""
    return " " in text or not any(letter.isdigit() for letter in text)


def _meaning(
    code: EventCode, concept: str, kind: str, certain: bool, note: str, pairs: Iterable[tuple[str, str] | None]
) -> Meaning:
    said = next((each for each in (code.standard, code.source) if each is not None), None)
    system, code_shown = (said.vocabulary, said.code) if said else next((each for each in pairs if each), ("", ""))
    return Meaning(*code[:4], concept, kind, certain, note, system, safe_code(code_shown or code.source_value))


def most_specific(pairs: Iterable[tuple[int, int]], above: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    """Return for each descendant its listed ancestors, less those that are above another of its listed ancestors.

    `pairs`: (ancestor, descendant) of the concepts that occur; `above`: the same among the listed concepts.
    """
    higher: dict[int, set[int]] = {}
    for ancestor, descendant in above:
        if ancestor != descendant:
            higher.setdefault(descendant, set()).add(ancestor)
    found: dict[int, set[int]] = {}
    for ancestor, descendant in pairs:
        found.setdefault(descendant, set()).add(ancestor)
    return {name: each - set().union(*(higher.get(one, set()) for one in each)) for name, each in found.items()}


def not_mapped(code: EventCode) -> bool:
    """Whether a code has no standard concept that the vocabulary knows."""
    return code.standard is None


def event_code(values: tuple[object, ...]) -> EventCode:
    """Return the code that a row of `mapping.codes` gives: event, concept id, source concept id, source value, then
    vocabulary, code and name of both concepts, then how many rows have it.
    """
    event, concept, source, text, *named, rows = values
    return EventCode(
        str(event),
        int(str(concept)),
        int(str(source)),
        str(text),
        _concept(named[:3]),
        _concept(named[3:]),
        int(str(rows)),
    )


def _concept(parts: list[object]) -> VocabularyConcept | None:
    vocabulary, code, name = parts
    return (
        None if vocabulary is None or code is None else VocabularyConcept(str(vocabulary), str(code), str(name or ""))
    )
