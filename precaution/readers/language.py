"""Whether the words of a record are understood: a record in a language that the label has no words of says too little.

Only the words of entries count whose codes tell nothing. A text is understood where it has a word that begins as one of
the label's vocabulary, which is made from public code lists in the languages that the label's words are in.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from precaution.knowledge.terminology import fold
from precaution.readers.codes import codes_for
from precaution.readers.contents import unpacked
from precaution.readers.json_access import child, children, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from precaution.knowledge.terminology import Terminology
    from precaution.readers.codes import Codes
    from precaution.readers.json_access import Json

_CODED = {
    "Condition": "code",
    "Observation": "code",
    "Procedure": "code",
    "ServiceRequest": "code",
    "Medication": "code",
    "Immunization": "vaccineCode",
    "MedicationRequest": "medicationCodeableConcept",
    "MedicationStatement": "medicationCodeableConcept",
    "MedicationDispense": "medicationCodeableConcept",
    "MedicationAdministration": "medicationCodeableConcept",
}
LETTERS = 5
"""So many first letters of a word are compared: enough to tell words, and few enough for their endings."""
_WORD = re.compile(r"[^\W\d_]{4,}")


class Understood(NamedTuple):
    """How many texts of a record, whose codes tell nothing, there are, and how many of them are not understood."""

    texts: int = 0
    unknown: int = 0


def understood(documents: Iterable[object], terminology: Terminology) -> Understood:
    """Return how much of the words of parsed JSON documents is understood. Raises WrongRelease."""
    contents, codes = unpacked(documents, terminology.source), codes_for(terminology)
    found = {
        text
        for kind, key in _CODED.items()
        for resource, _ in contents.of(kind)
        for text in _untold(codes, child(resource, key))
    }
    known = terminology.unlisted.vocabulary()
    return Understood(len(found), sum(not _is_known(each, terminology, known) for each in found))


def _untold(codes: Codes, concept: Json) -> Iterator[str]:
    """Yield the texts of a CodeableConcept whose codes tell nothing."""
    lookup = codes.look_up(concept)
    if lookup.concepts or lookup.irrelevant or lookup.covered or lookup.possible:
        return
    for each in (text(concept, "text"), *(text(coding, "display") for coding in children(concept, "coding"))):
        if any(letter.isalpha() for letter in each):
            yield fold(each)


def _is_known(folded: str, terminology: Terminology, known: frozenset[str]) -> bool:
    words = _WORD.findall(folded)
    if not words:
        return folded.isascii()  # an abbreviation; other scripts have shorter words
    return bool(terminology.spoken_of(folded)) or any(word[:LETTERS] in known for word in words)
