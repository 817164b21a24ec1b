"""How like two sentences are, from 0 to 1, and which words differ."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from precaution.knowledge.model import Says

_NOISE = 0.25
"""How much more alike the letters of any two English sentences are than their words."""
_STEM = 5
"""Letters by which two forms of one word are known."""


class Difference(NamedTuple):
    """Words of the old sentence that are others in the new one; either may be none."""

    was: str
    now: str


def likeness(was: str, now: str) -> float:
    """Return how like two sentences are: by their words, or by their letters where words are few and long."""
    words = SequenceMatcher(None, was.split(), now.split(), autojunk=False).ratio()
    if max(len(was), len(now)) > 400:  # comparing letters takes long, and says little there
        return words
    return max(words, SequenceMatcher(None, was, now, autojunk=False).ratio() - _NOISE)


def likeness_of_ours(says: Says, now: str) -> float:
    """Return how well a sentence fits the length of the exact one, and our words for it, where that is all we have."""
    long = says.end - says.start
    length = min(long, len(now)) / max(long, len(now), 1)
    ours, theirs = _stems(says.means), _stems(now)
    return 0.5 * length + 0.5 * (len(ours & theirs) / len(ours) if ours else 0)


def _stems(words: str) -> frozenset[str]:
    return frozenset(word[:_STEM] for word in re.findall(r"[a-z]{4,}|\d+(?:\.\d+)?", words.lower()))


def differences(was: str, now: str) -> tuple[Difference, ...]:
    """Return the words that differ, in their order; nothing where only spaces do."""
    old, new = was.split(), now.split()
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return tuple(Difference(" ".join(old[a:b]), " ".join(new[c:d])) for kind, a, b, c, d in codes if kind != "equal")
