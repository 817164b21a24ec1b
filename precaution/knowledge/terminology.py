"""Which concepts of a label a code, or the words of an unrecognised entry, belong to."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Literal
from unicodedata import combining, normalize

from precaution.errors import KnowledgeError, did_you_mean
from precaution.knowledge.refers import ConceptName, Concepts
from precaution.knowledge.source_settings import NOTHING_SAID, SourceSettings
from precaution.knowledge.unlisted import Unlisted

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator
    from pathlib import Path

SYSTEMS = (
    "SNOMED",
    "LOINC",
    "RxNorm",
    "RxNormExt",
    "ICD10CM",
    "ICD10",
    "ICD10GM",
    "ATC",
    "CVX",
    "HL7v3-ObservationInterpretation",
)
"""The code systems of code lists, by the names that the `system` column uses."""
_SYSTEMS = frozenset(SYSTEMS)

EDITIONS: Mapping[str, str] = {"ICD10GM": "ICD10", "ICD10": "ICD10CM"}
"""Editions of ICD-10, and the one whose lists are asked for what an edition's own rows don't have.

The lists are kept for ICD-10-CM. The WHO's ICD-10 and the German ICD-10-GM agree with it for most codes, so their
rows hold only what they have besides, and what means something else there."""

ICD10 = ("ICD10CM", *EDITIONS)
"""The editions of ICD-10."""

HIERARCHICAL = (*ICD10, "ATC")
"""The systems whose codes begin with their parent's, so that `I21*` means all of them."""

LONGEST_NAME = 120
"""Characters: a longer display or text is prose, not the name of one thing."""

COLUMNS = ("system", "code")
"""The columns a code list must have; `display`, `source` and `verified` are for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """`[concept.lab_anc]`: what is known of a code list besides its codes."""

    name: str
    topic: str = ""
    unit: str = ""
    """The UCUM unit in which its values are kept and compared."""
    telling_unit: bool = False
    """Whether a result in its unit that names no other test may be of it, whatever its words."""
    plausible: tuple[float, ...] = ()
    """Lowest and highest believable value in that unit; outside it a value is not used."""
    factors: Mapping[str, float] = field(default_factory=dict[str, float])
    """Units that only this concept's substance lets us convert (mmol/L of cholesterol): unit = factor."""
    words: tuple[str, ...] = ()
    """Beginnings of words in a display or text that make an unrecognised entry a doubt about this concept;
    `tb$` is a whole word, `*carcinoma` any part of one."""
    not_words: tuple[str, ...] = ()
    """Words that take such a doubt away again."""
    spellings: tuple[str, ...] = ()
    """Whole texts of a result that mean this concept (`result_positive`: "reactive")."""
    answers: Concepts = ()
    """For a question (smoking status): the concepts that may be its coded answer."""
    says_nothing: bool = False
    """Whether its codes say nothing of the patient: the list only keeps them from others."""
    outranks: Concepts = ()
    """Concepts that a code does not belong to where it belongs to this one."""
    counts_as: ConceptName | Literal[""] = ""
    """Its codes name a drug whatever its route: the concept that they belong to where route or form is not local."""
    local: tuple[str, ...] = ()
    """Words, or codes, of a route or form by which such a drug acts where it is put, and does not count."""
    systemic: tuple[str, ...] = ()
    """Words, or codes, of a route or form by which it counts; where neither is told, or both, it is a doubt."""
    strengths: Mapping[str, str] = field(default_factory=dict[str, str])
    """For a drug: what one tablet, capsule or mL holds, by code: `{ "RxNorm 1" = "2.5 mg" }`, `"25 mg/mL"`."""
    dosed: bool = False
    """Whether a fact asks for its dose (filled in by the loader)."""
    why: str = ""
    """What was decided about the list, and why."""


@dataclass(frozen=True)
class Terminology:
    """The code lists of a label, read once; a reader asks it for every code it meets."""

    exact: Mapping[tuple[str, str], tuple[str, ...]]
    """(system, code) -> concepts."""
    prefixes: Mapping[tuple[str, str], tuple[str, ...]]
    """(system, prefix) -> concepts, for the editions of ICD-10 (with dot) and ATC."""
    known: Mapping[str, Concept]
    concept_ids: Mapping[int, tuple[str, str]] = field(default_factory=dict[int, tuple[str, str]])
    """OMOP concept id -> (system, code), for sources that come without their vocabulary."""
    unlisted: Unlisted = field(default_factory=Unlisted)
    """What is known of codes that no list has."""
    source: SourceSettings = NOTHING_SAID
    """What the site says of the records that are read with it."""

    def concepts(self, system: str, code: str) -> tuple[str, ...]:
        """Return the concepts that `code` of `system` (a name of SYSTEMS) belongs to.

        Where an edition's own rows have the code they alone decide; else the edition that it is built on is asked.
        """
        found = self._listed(system, code)
        while not found and system in EDITIONS:
            system = EDITIONS[system]
            found = self._listed(system, code)
        return self.without_outranked(found) if len(found) > 1 else found

    def possible(self, system: str, code: str) -> tuple[str, ...]:
        """Return the concepts that a code may mean though no list has it: those that are said to be possible, and those
        of narrower codes (`I80` of `I80.1`), of the edition itself or of the one that it is built on.
        """
        found = self.unlisted.possible(system, code)
        while not found:
            found = self._broader.get((system, code), ())
            if found or system not in EDITIONS:
                break
            system = EDITIONS[system]
            found = self.unlisted.possible(system, code)
        return found

    def irrelevant(self, system: str, code: str) -> bool:
        """Whether a code is known to have nothing to do with the label."""
        return code in self.unlisted.irrelevant.get(system, ())

    def _listed(self, system: str, code: str) -> tuple[str, ...]:
        found = self.exact.get((system, code), ())
        for length in range(1, min(len(code), self._longest.get(system, 0)) + 1):
            found += tuple(c for c in self.prefixes.get((system, code[:length]), ()) if c not in found)
        return found

    def concept(self, name: str) -> Concept:
        """Return what is known of a concept; a concept without a table of its own has only its codes."""
        return self.known.get(name) or Concept(name=name)

    def spoken_of(self, text: str) -> tuple[str, ...]:
        """Return the concepts that `words` of theirs are in `text` and `not_words` are not.

        A word stands for the beginning of a word of the text; with `$` at its end for a whole word (`tb$`), with `*`
        at its start for any part of one (`*oma$`), with `=` at its start for the whole text (`=zona`). A text too long
        for a name may speak of several things, so `not_words` take nothing away there.
        """
        folded = fold(text)
        heard = self._words.heard(folded)
        if heard and len(folded) <= LONGEST_NAME:
            heard = {name for name in heard if not self._words.refused(name, folded)}
        return tuple(sorted(heard))

    def refuses(self, name: str, text: str) -> bool:
        """Whether a text has one of the `not_words` of a concept."""
        return self._words.refused(name, fold(text))

    def names_another(self, text: str) -> bool:
        """Whether a text names what is known to have nothing to do with the label (`irrelevant/words.txt`)."""
        words = self.unlisted.words
        return bool(words and _any(words).search(fold(text)))

    def spelled(self, text: str) -> str:
        """Return the concept one of whose `spellings` is the whole of `text`, or an empty string."""
        return self._spellings.get(fold(text), "")

    @cached_property
    def by_route(self) -> dict[str, Concept]:
        """What is said of routes, by the concepts for which a drug's route decides and by those that they count as."""
        told = [concept for concept in self.known.values() if concept.counts_as]
        return {name: concept for concept in told for name in (concept.counts_as, concept.name)}

    @cached_property
    def _longest(self) -> dict[str, int]:
        longest: dict[str, int] = {}
        for system, prefix in self.prefixes:
            longest[system] = max(longest.get(system, 0), len(prefix))
        return longest

    @cached_property
    def _broader(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """The codes above listed ones, in systems whose codes begin with their parent's, with the lists' concepts."""
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for (system, code), names in (*self.exact.items(), *self.prefixes.items()):
            for length in range(_SHORTEST, len(code)) if system in HIERARCHICAL else ():
                key = system, code[:length].removesuffix(".")
                found[key] = tuple(dict.fromkeys((*found.get(key, ()), *names)))
        return found

    @cached_property
    def _words(self) -> _Words:
        return _Words(self.known.values())

    @cached_property
    def _spellings(self) -> dict[str, str]:
        return {fold(text): name for name, concept in self.known.items() for text in concept.spellings}

    def without_outranked(self, found: tuple[str, ...]) -> tuple[str, ...]:
        """Return concepts less those that others of them outrank."""
        refused = {lower for name in found for lower in self.concept(name).outranks}
        return tuple(name for name in found if name not in refused)


class _Words:
    """The words of all concepts by their first letters, so that a text is gone through once."""

    def __init__(self, concepts: Iterable[Concept]) -> None:
        self._starts: dict[str, list[tuple[str, bool, str]]] = {}
        self._inside: list[tuple[re.Pattern[str], str, str]] = []
        self._whole: dict[str, list[str]] = {}
        self._refused: dict[str, tuple[str, ...]] = {}
        for concept in concepts:
            self._refused[concept.name] = concept.not_words
            for word in concept.words:
                self._add(word, concept.name)

    def heard(self, folded: str) -> set[str]:
        """Return the concepts a folded text has a word of."""
        found = {name for pattern, word, name in self._inside if word in folded and pattern.search(folded)}
        found.update(self._whole.get(folded, ()))
        for start in _STARTS.finditer(folded):
            found.update(self._begun(folded, start.start()))
        return found

    def refused(self, name: str, folded: str) -> bool:
        """Whether a folded text has a word that takes the doubt about a concept away."""
        words = self._refused.get(name)
        return bool(words and _any(words).search(folded))

    def _add(self, word: str, name: str) -> None:
        bare, whole = fold(word.removeprefix("*").removesuffix("$")), word.endswith("$")
        if word.startswith("="):
            self._whole.setdefault(fold(word[1:]), []).append(name)
        elif word.startswith("*"):
            self._inside.append((re.compile(_pattern(word)), bare, name))
        else:
            self._starts.setdefault(bare[:_KEY], []).append((bare, whole, name))

    def _begun(self, folded: str, place: int) -> Iterator[str]:
        for length in range(1, _KEY + 1):
            for word, whole, name in self._starts.get(folded[place : place + length], ()):
                end = place + len(word)
                if folded.startswith(word, place) and not (whole and folded[end : end + 1].isalnum()):
                    yield name


_SHORTEST = 3
"""Characters: a shorter code is a chapter's or a group's, which no entry has."""
_KEY = 3
"""How many first letters words are kept by."""
_STARTS = re.compile(r"\b\w")


def has_word(words: tuple[str, ...], text: str) -> bool:
    """Whether a text has one of some words, written as those of a concept are."""
    return bool(words and _any(words).search(fold(text)))


@cache
def _any(words: tuple[str, ...]) -> re.Pattern[str]:
    """Compiled when first asked for: most labels' words are never heard in one record."""
    return re.compile("|".join(map(_pattern, words)))


def _pattern(word: str) -> str:
    start, end = "" if word.startswith("*") else r"\b", r"\b" if word.endswith("$") else ""
    return start + re.escape(fold(word.removeprefix("*").removesuffix("$"))) + end


def fold(text: str) -> str:
    """Return `text` in lower case, without accents and invisible characters, with single spaces."""
    if not text.isascii():
        text = "".join(c for c in normalize("NFKD", text) if not combining(c))
    return " ".join("".join(c for c in text.casefold().replace("_", " ") if c.isprintable() or c.isspace()).split())


def read_lists(folder: Path, only: Container[str] | None = None) -> dict[str, list[tuple[str, str]]]:
    """Return concept -> (system, code) rows of every `<concept>.csv` and `<concept>.more.csv` in `folder`.

    `only` are the concepts to read, all where left out.

    Raises KnowledgeError for a list without the needed columns or of an unknown system.
    """
    lists: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(folder.glob("*.csv")):
        name = path.name.split(".")[0]
        if only is None or name in only:
            lists.setdefault(name, []).extend(_rows(path))
    return lists


def _rows(path: Path) -> list[tuple[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(line for line in file if not line.startswith("#"))
        head = next(rows, [])
        if tuple(head[:2]) != COLUMNS:
            raise KnowledgeError(f"{path.name}: the first columns must be {', '.join(COLUMNS)}")
        found = [(row[0].strip(), row[1].strip() if len(row) > 1 else "") for row in rows if any(row)]
    for system, code in found:
        if system not in _SYSTEMS or not code or code[-1] == "*":
            _check(system, code, path.name)
    return found


def _check(system: str, code: str, name: str) -> None:
    if system not in SYSTEMS:
        raise KnowledgeError(
            f"{name}: '{system}' (code {code}) is no code system of {', '.join(SYSTEMS)}."
            f"{did_you_mean(system, SYSTEMS)}"
        )
    if not code.rstrip("*"):
        raise KnowledgeError(f"{name}: a row of {system} has no code")
    if code.endswith("*") and system not in HIERARCHICAL:
        raise KnowledgeError(f"{name}: {code}: only codes of {' and '.join(HIERARCHICAL)} have prefixes")


IDS = "omop/concept_ids.csv"
"""Where, in a folder of code lists, the concept ids of codes stand."""
_ID_COLUMNS = (*COLUMNS, "concept_id")


def read_concept_ids(folder: Path) -> dict[int, tuple[str, str]]:
    """Return OMOP concept id -> (system, code) of `omop/concept_ids.csv` in a folder of code lists, if it is there.

    Raises KnowledgeError for a table without the needed columns, and for an id that is none or stands there twice.
    """
    path = folder / IDS
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        if tuple(rows.fieldnames or ())[:3] != _ID_COLUMNS:
            raise KnowledgeError(f"{IDS}: the first columns must be {', '.join(_ID_COLUMNS)}")
        found: dict[int, tuple[str, str]] = {}
        for row in rows:
            system, code, name = (str(row[column] or "").strip() for column in _ID_COLUMNS)
            _check(system, code, IDS)
            if not name.isdecimal() or name.startswith("0"):
                raise KnowledgeError(f"{IDS}: '{name}' ({system} {code}) is no concept id")
            if int(name) in found:
                raise KnowledgeError(f"{IDS}: the concept id {name} stands there twice; keep one")
            found[int(name)] = (system, code)
    return found


def build(
    lists: Mapping[str, Iterable[tuple[str, str]]],
    known: Mapping[str, Concept],
    concept_ids: Mapping[int, tuple[str, str]] | None = None,
    unlisted: Unlisted | None = None,
    source: SourceSettings = NOTHING_SAID,
) -> Terminology:
    """Return the terminology of code lists, the concepts' own tables, and what is known of codes on no list.

    `source`: what the site says of its records.
    """
    exact: dict[tuple[str, str], tuple[str, ...]] = {}
    prefixes: dict[tuple[str, str], tuple[str, ...]] = {}
    for concept, rows in lists.items():
        for system, code in rows:
            table, key = (prefixes, (system, code[:-1])) if code.endswith("*") else (exact, (system, code))
            before = table.get(key, ())
            if concept not in before:
                table[key] = (*before, concept)
    return Terminology(exact, prefixes, known, concept_ids or {}, unlisted or Unlisted(), source)
