"""What the codes of a CDM mean: each that occurs is looked up once, as the reader of FHIR looks up its codes.

A code is a row's three ways to say the same: the standard concept, the source's concept, and the source's own text.
Any that a list knows decides. Where none does, the concept's ancestors in the vocabulary may: the most specific of them
that a list knows. Else its words may raise a doubt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from precaution.knowledge.check_digits import well_formed
from precaution.readers.codes import Looked, normal, readable
from precaution.readers.json_access import shown
from precaution.readers.lists import NO_PROBLEMS
from precaution.readers.meaning import doubts, spoken
from precaution.values.record import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from precaution.readers.codes import Codes
    from precaution.readers.meaning import Coded

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
_KINDS: Mapping[str, Sequence[Coded]] = {
    "condition": ("condition",),
    "drug": ("medication", "immunization"),
    "procedure": ("procedure",),
}
_OF_DRUGS = frozenset({"RxNorm", "RxNormExt", "ATC", "CVX"})
BY_ANCESTOR = "by its ancestor in the vocabulary"
NOT_MAPPED = "not mapped to a concept of the vocabulary"


class Known(NamedTuple):
    """A concept as the vocabulary has it."""

    vocabulary: str
    code: str
    name: str = ""


class Code(NamedTuple):
    """What the rows of an event say of what they are."""

    event: str
    concept_id: int
    source_concept_id: int
    source_value: str
    standard: Known | None
    source: Known | None
    rows: int = 1


class Meaning(NamedTuple):
    """A concept of the label that a code means, or may mean; a row of the table that the mapping joins."""

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


class Meanings:
    """Looks codes up."""

    def __init__(self, codes: Codes, ancestors: Mapping[int, set[int]], listed: Mapping[int, tuple[str, str]]) -> None:
        """`ancestors`: of each concept id the most specific listed ones; `listed`: their (system, code)."""
        self._codes = codes
        self._ancestors = ancestors
        self._listed = listed

    def of(self, code: Code) -> Iterator[Meaning]:
        """Yield what a code means."""
        known = [self._known(code.concept_id, code.standard), self._known(code.source_concept_id, code.source)]
        if any(each == ("SNOMED", NO_PROBLEMS) for each in known):
            yield _meaning(code, "condition", "attested", True, "", known)
            return
        looked = self._looked(code, [each for each in known if each])
        immunizing = any(each is not None and each[0] == "CVX" for each in known)
        if code.event == "drug" and immunizing:
            yield _meaning(code, "", "immunizing", True, "", known)
        found, note = looked.concepts, ""
        if not found and code.event in _WITH_ANCESTORS:
            found, note = self._by_ancestors(code.concept_id), BY_ANCESTOR
        drug = code.event == "observation" and bool(_OF_DRUGS & set(looked.formed))
        for name in found:
            kind = self._kind("drug" if drug else code.event, name)
            yield _meaning(code, name, kind, not drug, note or ("a drug among observations" if drug else ""), known)
        if not found:
            yield from self._doubts(code, looked, immunizing=immunizing, known=known)

    def _known(self, name: int, found: Known | None) -> tuple[str, str] | None:
        """Return (system, code) of a concept id: by the source's vocabulary, else by the label's own table of ids."""
        if found is not None and (system := SYSTEMS.get(found.vocabulary, "")):
            return system, normal(system, found.code)
        return self._codes.terminology.concept_ids.get(name) if name else None

    def _looked(self, code: Code, known: Iterable[tuple[str, str]]) -> Looked:
        concepts, formed = list[str](), list[str]()
        for system, each in known:
            concepts += self._codes.terminology.concepts(system, each)
            formed += [system] if well_formed(system, each) else []
        bare = code.source_value if code.source is None else ""
        doubted = self._codes.without_system(bare) if bare and len(bare) <= 20 else ()
        return Looked(tuple(dict.fromkeys(concepts)), doubted, tuple(formed))

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
        self, code: Code, looked: Looked, *, immunizing: bool, known: list[tuple[str, str] | None]
    ) -> Iterator[Meaning]:
        names = [each.name for each in (code.standard, code.source) if each is not None]
        named = [*names, code.source_value] if _is_words(code.source_value) else names
        words = [each for each in dict.fromkeys(named) if each and readable(each)]
        if code.event in _KINDS:
            # a row of drugs whose code says nothing may be a vaccine
            kinds: Sequence[Coded] = ("immunization",) if immunizing else _KINDS[code.event]
            found = {
                name: note
                for kind in kinds
                for names, note in [doubts(self._codes, kind, [looked], words)]
                for name in names
            }
        elif looked.formed:
            return
        else:
            note = "its code is given without a code system" if looked.doubted else "only its words speak of it"
            found = dict.fromkeys(looked.doubted or spoken(self._codes, words), note)
        for name, note in found.items():
            yield _meaning(code, name, self._kind(code.event, name), False, note, known)


def is_test(codes: Codes, name: str) -> bool:
    """Whether a concept is a test or a question, whose row says something by its value."""
    concept = codes.terminology.concept(name)
    return bool(concept.unit or concept.answers) or codes.listed_in(name, frozenset({"LOINC"}))


def _is_words(text: str) -> bool:
    """Whether a source's own text is words, and no code of its own making."""
    return " " in text or not any(letter.isdigit() for letter in text)


def _meaning(
    code: Code, concept: str, kind: str, certain: bool, note: str, known: Iterable[tuple[str, str] | None]
) -> Meaning:
    said = next((each for each in (code.standard, code.source) if each is not None), None)
    system, shown_code = (said.vocabulary, said.code) if said else next((each for each in known if each), ("", ""))
    return Meaning(*code[:4], concept, kind, certain, note, system, shown(shown_code or code.source_value))


def most_specific(pairs: Iterable[tuple[int, int]], above: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    """Return of each descendant the listed ancestors that are not above another of its listed ancestors.

    `pairs`: (ancestor, descendant) of what occurs; `above`: the same of listed concepts among each other.
    """
    higher: dict[int, set[int]] = {}
    for ancestor, descendant in above:
        if ancestor != descendant:
            higher.setdefault(descendant, set()).add(ancestor)
    found: dict[int, set[int]] = {}
    for ancestor, descendant in pairs:
        found.setdefault(descendant, set()).add(ancestor)
    return {name: each - set().union(*(higher.get(one, set()) for one in each)) for name, each in found.items()}


def not_mapped(code: Code) -> bool:
    """Whether the rows of a code are mapped to no concept that the vocabulary has."""
    return code.standard is None


def plain(values: tuple[object, ...]) -> Code:
    """Return a code from a row: event, three ids, then vocabulary, code and name of both concepts, then a count."""
    event, concept, source, text, *known, rows = values
    return Code(
        str(event),
        int(str(concept)),
        int(str(source)),
        str(text),
        _concept(known[:3]),
        _concept(known[3:]),
        int(str(rows)),
    )


def _concept(parts: list[object]) -> Known | None:
    vocabulary, code, name = parts
    return None if vocabulary is None or code is None else Known(str(vocabulary), str(code), str(name or ""))
