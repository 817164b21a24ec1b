"""What the bytes of a line hold where it speaks of a concept: as a regular expression that lets none escape.

A reader finds a concept by a code, or by words that it folds first: capitals, accents, invisible characters. So a line
is suspected where it has a code, or the letters of a word with anything that is no ASCII in place of or between them,
or an escape, which may stand for any letter. Only suspected lines are looked at closely.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from precaution.knowledge.terminology import ICD10, fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precaution.knowledge.terminology import Terminology

_OTHER = r"[\x7f-\xff]"
"""A byte that is no ASCII, or the one of ASCII that is invisible and may stand in JSON as it is."""
_ESCAPE = r"\\u"
_SHORTEST = 3
"""A code or word of fewer letters would be found nearly everywhere."""


class Needles(NamedTuple):
    """What to look for."""

    codes: tuple[str, ...] = ()
    """In lower case, as far as all spellings of a code begin alike."""
    phrases: tuple[tuple[str, ...], ...] = ()
    """Folded, each the words that follow each other in a text."""

    @property
    def pattern(self) -> str:
        """Return a regular expression over bytes, for RE2 without regard to case; every line that `meets` has it."""
        phrases = (".*".join(map(_loosely, phrase)) for phrase in self.phrases)
        return "|".join([*map(re.escape, self.codes), *phrases, _ESCAPE])

    def meets(self, line: bytes) -> bool:
        """Whether a line may speak of what is looked for: exact but for what is no JSON, which may."""
        text = line.decode("utf-8", "replace")
        if "\\u" in text:
            try:
                text = json.dumps(json.loads(text), ensure_ascii=False)
            except ValueError:
                return True
        lower, folded = text.lower(), fold(text)
        return any(code in lower for code in self.codes) or any(
            all(word in folded for word in phrase) for phrase in self.phrases
        )


def needles(terminology: Terminology, concepts: Iterable[str]) -> Needles | None:
    """Return what lines hold that speak of one of `concepts`; nothing where that is too short to be looked for."""
    wanted = frozenset(concepts)
    listed = [*terminology.exact.items(), *terminology.prefixes.items()]
    codes = {_beginning(system, code) for (system, code), names in listed if wanted.intersection(names)}
    spoken = [word for name in wanted for word in terminology.concept(name).words]
    phrases = {tuple(re.findall("[a-z0-9]+", fold(each))) for each in spoken}
    if any(len(code) < _SHORTEST for code in codes) or any(len("".join(each)) < _SHORTEST for each in phrases):
        return None
    return Needles(_shortest(codes), tuple(sorted(phrases)))


def all_of(found: Iterable[Needles]) -> Needles:
    """Return what is looked for by several labels together."""
    every = list(found)
    codes = {code for each in every for code in each.codes}
    phrases = {phrase for each in every for phrase in each.phrases}
    return Needles(_shortest(codes), tuple(sorted(phrases)))


def _beginning(system: str, code: str) -> str:
    """Return how every spelling of a code begins: of ICD-10 what stands before the dot, which some leave out."""
    return (code.partition(".")[0] if system in ICD10 else code).lower()


def _shortest(codes: set[str]) -> tuple[str, ...]:
    """Return the codes without those that begin with another one."""
    return tuple(sorted(code for code in codes if not any(code.startswith(other) for other in codes - {code})))


def _loosely(word: str) -> str:
    """Return a pattern of a word with bytes that are no ASCII in place of, or between, its letters."""
    return f"{_OTHER}*".join(f"(?:{re.escape(letter)}|{_OTHER}+)" for letter in word)
