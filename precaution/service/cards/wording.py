"""A decision in the words of a card: our own words, checked numbers and days, and nothing else of the record.

No text, no id, no code and no display of the record can come through here: evidence is told by the kind of its entry,
what we call its code list, its value in our unit and its day. What is written is escaped for Markdown, so that even our
own words mean nothing to a renderer.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from precaution.engine.chart import day_of
from precaution.readers.resource_types import R4
from precaution.values.interval import show_day, show_number
from precaution.values.record import ANSWER, DOSE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from precaution.engine.answer import Evidence, Finding
    from precaution.knowledge.model import Label
    from precaution.service.cards.vocabulary import Vocabulary
    from precaution.values.record import Entry, Record

_KINDS = {
    "condition": "Diagnosis",
    "result": "Result",
    "procedure": "Procedure",
    "immunization": "Immunization",
    "medication": "Medication",
    "order": "Order",
    "answer": "Answer",
}
_SOURCE = re.compile(rf"\b(?:{'|'.join(sorted(R4))})[/#][A-Za-z0-9\-._~]+")
_SPECIAL = re.compile(r"[\\`*_{}\[\]()#+!|~<>&@]")
_ADDRESS = re.compile(r"(?i)\b(www)\.|(https?|ftp|mailto):")


class EntryInWords(NamedTuple):
    """An entry of the record in our words."""

    kind: str
    what: str
    """What it is about, by the title of its code list."""
    says: str
    """Its value or its state; may be empty."""
    day: str
    note: str
    source: str
    """Its reference: for pages that only the asker sees, never for a card."""
    drafted: bool

    def __str__(self) -> str:
        """Return it as one line."""
        about = f"{self.kind}: {self.what}" + (f" {self.says}" if self.says else "")
        when = ", now being written" if self.drafted else f", {self.day}" if self.day else ", without a day"
        return about + when + (f" ({self.note})" if self.note else "")


class Words:
    """Tells a record's entries in our words."""

    def __init__(self, label: Label, vocabulary: Vocabulary, record: Record, drafted: frozenset[Entry]) -> None:
        self._label, self._vocabulary, self._drafted = label, vocabulary, drafted
        self._by_source: dict[str, list[Entry]] = {}
        self._entries: dict[int, EntryInWords] = {}  # cards and pages tell the same ones
        for entries in record.entries.values():
            for entry in entries:
                self._by_source.setdefault(entry.source, []).append(entry)

    def of_evidence(self, evidence: Iterable[Evidence], concepts: frozenset[str] = frozenset()) -> list[EntryInWords]:
        """Return evidence in our words. `concepts`: what it is evidence of, for entries of several."""
        parts = [(source, each) for each in evidence for source in each.source.split(" and ")]
        return [self._in_words(source, each, concepts) for source, each in parts]

    def of_finding(self, finding: Finding) -> list[EntryInWords]:
        """Return the evidence of a finding."""
        return self.of_evidence(finding.evidence, frozenset(each.concept for each in finding.searched))

    def is_drafted(self, finding: Finding) -> bool:
        """Whether a finding is about something that is being ordered now."""
        drafted = {entry.source for entry in self._drafted}
        return any(each.source in drafted for each in finding.evidence)

    def _in_words(self, source: str, evidence: Evidence, concepts: frozenset[str]) -> EntryInWords:
        """Tell one entry; what is worked out of two results has the references of both."""
        entries = self._by_source.get(source, [])
        same = [each for each in entries if show_day(day_of(each)) == evidence.date and _says(each) == evidence.says]
        chosen = next((each for each in same if each.concept in concepts), next(iter(same or entries), None))
        if chosen is None:
            return EntryInWords("Answer", "given beside the record", "", evidence.date, "", "", drafted=False)
        if id(chosen) not in self._entries:
            self._entries[id(chosen)] = self._entry(chosen)
        return self._entries[id(chosen)]

    def _entry(self, entry: Entry) -> EntryInWords:
        kind, drafted = _KINDS[entry.kind], entry in self._drafted
        day, note = show_day(day_of(entry)), without_sources(entry.note)
        if entry.concept.startswith(ANSWER):
            number = self._label.asks[entry.concept.removeprefix(ANSWER)].number
            return EntryInWords(kind, number, entry.result, day, note, entry.source, drafted)
        title = self._vocabulary.title(entry.concept.removeprefix(DOSE))
        return EntryInWords(kind, title, self._value(entry), day, note, entry.source, drafted)

    def _value(self, entry: Entry) -> str:
        if entry.concept.startswith(DOSE):
            return f"{entry.result}, {entry.says}"
        concept = self._label.concepts.get(entry.concept)
        parts = [] if entry.value is None else [f"{show_number(entry.value)} {unit(concept.unit if concept else '')}"]
        parts += [entry.result] if entry.result else []
        if entry.kind in ("condition", "medication", "procedure", "immunization") and entry.says != "planned":
            parts += [entry.says]
        if entry.status == "preliminary":
            parts += ["preliminary"]
        return ", ".join(part.strip() for part in parts if part.strip())


def _says(entry: Entry) -> str:
    return entry.says or entry.result or entry.status


_UNITS: Mapping[str, str] = {"10*9/L": "×10⁹/L", "{ratio}": "", "1": ""}


def unit(ucum: str) -> str:
    """Return a unit of the label as people write it."""
    return _UNITS.get(ucum, ucum)


def without_sources(text: str) -> str:
    """Return one of our texts without references to entries of the record."""
    if "/" not in text and "#" not in text:  # the pattern begins with a hundred names
        return text
    return _SOURCE.sub("an entry", text)


@lru_cache(maxsize=4096)
def escaped(text: str) -> str:
    """Return `text` as Markdown that shows just that: no markup, no HTML, no links made by a renderer."""
    plain = _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", text)
    return _ADDRESS.sub(lambda found: f"{found[1]}&#46;" if found[1] else f"{found[2]}&#58;", plain)


def clipped(text: str, most: int) -> str:
    """Return `text`, ended with `…` at a word where it is longer than `most` characters."""
    if len(text) <= most:
        return text
    cut = text[: most - 1].rsplit(" ", 1)[0] if " " in text[: most - 1] else text[: most - 1]
    return cut.rstrip(" ,;:") + "…"
