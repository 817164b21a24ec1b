"""Free text that says what somebody found, sentence by sentence; what is denied is no sign of anything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from precaution.knowledge.terminology import LONGEST_NAME, fold

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST = 20_000
"""Characters of a text that are looked at: a report is shorter."""
_ENDS = re.compile(r"[.;!?\n\r•]+(?:\s|$)|\s[-–]\s")
_DENIES = re.compile(
    r"\b(?:not|never|negative|neg|absent|excluded|unremarkable|ruled out|unlikely|nicht|negativ\w*|unauffallig\w*"
    r"|ausgeschlossen|exclue?s?|descartad\w*|esclus\w*|niet|uitgesloten)\b"
)
"""Words that deny what stands before them too, folded, in the six languages that the labels' words are in ..."""
_DENIES_AFTER = re.compile(
    r"\b(?:no|non|none|nor|without|denies|denied|absence of|free of|kein\w*|ohne|pas|sans|aucun\w*|absence de"
    r"|sin|ningun\w*|senza|nessun\w*|assenza|geen|zonder)\b"
)
"""... and words that deny what follows."""


def sentences_of(words: str) -> Iterator[str]:
    """Yield of each sentence of a free text what is not denied, no longer than a name may be."""
    for sentence in _ENDS.split(words[:_MOST]):
        folded = fold(sentence)
        said = "" if _DENIES.search(folded) else _DENIES_AFTER.split(folded, maxsplit=1)[0].strip(" ,:")
        if said:
            yield said[:LONGEST_NAME]
