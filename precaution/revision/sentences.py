"""Cuts text into sentences: a line ends one, and so does a full stop before a capital."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

_END = re.compile(r"[.!?][\"'”’)\]]*(?=\s+[\"'“‘(\[•–-]*[A-Z0-9À-Þ])")
_SHORT = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|approx|resp|incl|max|min|cf|ca|no|fig|dr|st|al)|(?:^|[\s(])[A-Z])\.$", re.IGNORECASE
)
"""What ends in a full stop and is no sentence: an abbreviation, an initial."""


class Stretch(NamedTuple):
    """A part of a text, in characters: from `start` to before `end`."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """Return the characters."""
        return text[self.start : self.end]


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Stretch]:
    """Return the sentences of a part of a text, without the spaces around them: every other character is in one."""
    end = len(text) if end is None else end
    cuts = [start]
    for line in re.finditer(r"[^\n]+", text[start:end]):
        base = start + line.start()
        cuts.append(base)
        cuts += [base + each.end() for each in _END.finditer(line[0]) if not _SHORT.search(line[0][: each.end()])]
    cuts.append(end)
    parts = (_stripped(text, *each) for each in pairwise(cuts))
    return [part for part in parts if part.start < part.end]


def _stripped(text: str, start: int, end: int) -> Stretch:
    part = text[start:end]
    return (
        Stretch(start + len(part) - len(part.lstrip()), start + len(part.rstrip()))
        if part.strip()
        else Stretch(end, end)
    )
