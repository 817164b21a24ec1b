"""What a code says that no code list has: nothing, where it is known; else it may mean what the lists are of.

Beside a label's code lists stand three things: for which code systems and editions the lists are whole
(`whole.toml`), which codes have nothing to do with the label (`irrelevant/<system>.txt`), and which may mean a concept
though no list has them (`may_mean/<system>.csv`).
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from precaution.errors import KnowledgeError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

WHOLE = "whole.toml"
IRRELEVANT = "irrelevant"
WORDS = "words.txt"
MAY_MEAN = "may_mean"
VOCABULARY = "vocabulary.txt"
"""Where these stand in a folder of code lists."""
_KEYS = {"edition": str, "how": str, "lists": list, "without": list, "unlisted": list, "codes": str, "to-number": int}
_NEEDED = ("edition", "how", "lists")


class Edition(NamedTuple):
    """`[ICD10CM]` of `whole.toml`: for which edition of a code system the lists are whole, and how that is known."""

    edition: str
    how: str
    lists: frozenset[str]
    """The lists that have every code of theirs in that edition."""
    without: frozenset[str] = frozenset()
    """Concepts of which the code system has no code at all."""
    unlisted: tuple[str, ...] = ()
    """What a code may mean that is on no list: it is newer than the edition."""
    codes: str = ""
    """A regular expression for the beginning of the codes that this holds for; empty for all."""
    to_number: int = 0
    """The highest number of the edition, where a code system counts its codes (LOINC); a higher one is newer."""

    def covers(self, code: str) -> bool:
        """Whether a well-formed code is of this edition, so that it would be on a list if it were of ours."""
        if self.unlisted or not self.lists:
            return False
        if self.to_number:
            number = code.partition("-")[0]
            return number.isdecimal() and int(number) <= self.to_number
        return not self.codes or re.match(self.codes, code) is not None


@dataclass(frozen=True)
class Unlisted:
    """What is known of codes that no list has."""

    editions: Mapping[str, Edition] = field(default_factory=dict[str, Edition])
    """Code system -> for which edition of it lists are whole."""
    irrelevant: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Code system -> the codes that have nothing to do with the label."""
    may_mean: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict[tuple[str, str], tuple[str, ...]])
    """(system, code, or its beginning with a star) -> the concepts that it may mean."""
    words: tuple[str, ...] = ()
    """Beginnings of words that name a test of no interest to the label, which shares a unit with one that is."""
    folder: Path | None = None
    """The folder of code lists, where `vocabulary.txt` stands."""

    def vocabulary(self) -> frozenset[str]:
        """Return the beginnings of words that code lists use, in the languages of the label's words; read when asked.

        They tell whether a record is in one of these languages, and decide nothing.
        """
        path = self.folder and self.folder / VOCABULARY
        return frozenset(_lines(path)) if path and path.is_file() else frozenset()

    def covers(self, system: str, code: str) -> bool:
        """Whether the lists are whole for the edition that has this code."""
        edition = self.editions.get(system)
        return edition is not None and edition.covers(code)

    def possible(self, system: str, code: str) -> tuple[str, ...]:
        """Return the concepts that a code may mean though no list has it."""
        table = self.may_mean
        found = table.get((system, code), ())
        if not found:
            starts = (table.get((system, code[:length] + "*"), ()) for length in range(len(code), 2, -1))
            found = next((each for each in starts if each), ())
        edition = self.editions.get(system)
        return found or (edition.unlisted if edition is not None else ())


def read_unlisted(
    folder: Path, systems: Collection[str], concepts: Collection[str], known: Collection[str] = ()
) -> Unlisted:
    """Return what a folder of code lists says of codes that are on none of them.

    `known` are code systems whose edition is told elsewhere, so that this folder only adds lists to it.
    Raises KnowledgeError for a code system that is none of `systems`, a concept that is none of `concepts`, a key that
    is not known or not there, and files that can't be read.
    """
    try:
        return Unlisted(
            _editions(folder, systems, concepts, known),
            read_irrelevant(folder, systems),
            dict(_may_mean(folder, systems, concepts)),
            _lines(folder / IRRELEVANT / WORDS) if (folder / IRRELEVANT / WORDS).is_file() else (),
            folder,
        )
    except KnowledgeError as error:
        raise KnowledgeError(f"{folder.name}/{error}") from None
    except (OSError, UnicodeDecodeError, csv.Error):
        raise KnowledgeError(f"{folder.name}: a file beside the code lists can't be read as UTF-8") from None


def read_irrelevant(folder: Path, systems: Collection[str]) -> dict[str, frozenset[str]]:
    """Return system -> codes that are known to have nothing to do with a label, of `irrelevant/<system>.txt`.

    A code on a list of the label is never among them. Raises KnowledgeError for a file of an unknown system.
    """
    found: dict[str, frozenset[str]] = {}
    for path in sorted((folder / IRRELEVANT).glob("*.txt")):
        if path.name != WORDS:
            _known(path.stem, systems, f"{IRRELEVANT}/{path.name}", "code system")
            found[path.stem] = frozenset(_lines(path))
    return found


def _lines(path: Path) -> tuple[str, ...]:
    lines = path.read_text(encoding="utf-8").split("\n")
    return tuple(line for line in lines if line and not line.startswith("#"))


def files(folder: Path) -> list[Path]:
    """Return the files of a folder of code lists that `read_unlisted` reads."""
    whole = folder / WHOLE
    return [
        *([whole] if whole.is_file() else []),
        *sorted((folder / IRRELEVANT).glob("*.txt")),
        *sorted((folder / MAY_MEAN).glob("*.csv")),
    ]


def _editions(
    folder: Path, systems: Collection[str], concepts: Collection[str], told: Collection[str]
) -> dict[str, Edition]:
    path = folder / WHOLE
    if not path.is_file():
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(f"{WHOLE}: it is no TOML: {error}") from None
    return {
        system: _edition(system, table, systems, concepts, () if system in told else _NEEDED)
        for system, table in tables.items()
    }


def _edition(
    system: str, table: object, systems: Collection[str], concepts: Collection[str], needed: Collection[str]
) -> Edition:
    where = f"{WHOLE} [{system}]"
    _known(system, systems, where, "code system")
    if not isinstance(table, dict):
        raise KnowledgeError(f"{where}: it must be a table")
    for key, value in table.items():
        _known(key, _KEYS, where, "key")
        if not isinstance(value, _KEYS[key]):
            raise KnowledgeError(f"{where} {key}: it must be of type {_KEYS[key].__name__}")
    for key in needed:
        if key not in table:
            raise KnowledgeError(f"{where}: it has no '{key}'")
    for key in ("lists", "without", "unlisted"):
        for name in table.get(key, ()):
            _known(name, concepts, f"{where} {key}", "concept")
    return Edition(
        table.get("edition", ""),
        table.get("how", ""),
        frozenset(table.get("lists", ())),
        frozenset(table.get("without", ())),
        tuple(table.get("unlisted", ())),
        table.get("codes", ""),
        table.get("to-number", 0),
    )


def _may_mean(
    folder: Path, systems: Collection[str], concepts: Collection[str]
) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    for path in sorted((folder / MAY_MEAN).glob("*.csv")):
        where = f"{MAY_MEAN}/{path.name}"
        _known(path.stem, systems, where, "code system")
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = csv.reader(line for line in lines if not line.startswith("#"))
        if next(rows, [])[:2] != ["code", "concepts"]:
            raise KnowledgeError(f"{where}: the first columns must be code, concepts")
        for row in rows:
            if len(row) < 2 or not row[0].strip() or not row[1].split():
                raise KnowledgeError(f"{where}: a row needs a code and what it may mean")
            names = tuple(row[1].split())
            for name in names:
                _known(name, concepts, where, "concept")
            yield (path.stem, row[0].strip()), names


def _known(name: str, among: Collection[str], where: str, what: str) -> None:
    if name not in among:
        raise KnowledgeError(f"{where}: '{name}' is no {what} that is known.{did_you_mean(name, among)}")
