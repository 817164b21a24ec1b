"""Finds the sentences of a label's folder in a text by their digests, wherever they stand.

The folder holds no sentence, only its length and its SHA-256. So every stretch of that length that begins at a word is
asked for its digest. Where that fails, the same is done with the text's spaces made single: a text that was only
wrapped or spaced anew says the same.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from precaution.revision.sentences import Stretch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from precaution.knowledge.model import Says

SURE = 25
"""Characters from which a sentence is believed in the middle of another. A short one (a heading) must stand alone."""
_WORD = re.compile(r"(?<!\w)\S|\b\w")
_STOP = ".;:!?,)]}\"'”’»•–-"


class Wanted(NamedTuple):
    """A sentence to be found."""

    id: str
    length: int
    digest: str
    """SHA-256 (hex)."""


def digest(words: str) -> str:
    """Return the SHA-256 (hex) of exact words."""
    return sha256(words.encode()).hexdigest()


def single_spaced(words: str) -> str:
    """Return words with one space between them."""
    return " ".join(words.split())


def places(says: Iterable[Says], text: str, words: Mapping[str, str]) -> dict[str, Stretch]:
    """Return where each sentence stands in a text, by its id; those that do not stand in it are left out.

    `words`: the exact old sentences by id, as far as known; with them a sentence is found whose own spaces are odd.
    """
    known = list(says)
    exact = [Wanted(each.id, each.end - each.start, each.sha256) for each in known]
    found = _chosen(exact, text, {}, known)
    spaced, index = _spaced(text)
    loose = [each for each in exact if each.id not in found]
    loose = [_loose(each, words.get(each.id, "")) for each in loose]
    inside = {id_: _in(stretch, index) for id_, stretch in found.items()}
    for id_, stretch in _chosen(loose, spaced, inside, known).items():
        if id_ not in found:
            found[id_] = Stretch(index[stretch.start], index[stretch.end - 1] + 1)
    return found


def _loose(wanted: Wanted, words: str) -> Wanted:
    return Wanted(wanted.id, len(single := single_spaced(words)), digest(single)) if words else wanted


def _spaced(text: str) -> tuple[str, list[int]]:
    """Return the text with single spaces, and of each of its characters the place in the text."""
    letters: list[str] = []
    index: list[int] = []
    for at, letter in enumerate(text):
        if not letter.isspace() or (letters and letters[-1] != " "):
            letters.append(" " if letter.isspace() else letter)
            index.append(at)
    return "".join(letters), index


def _in(stretch: Stretch, index: Sequence[int]) -> Stretch:
    return Stretch(bisect_left(index, stretch.start), bisect_left(index, stretch.end))


def _chosen(
    wanted: Sequence[Wanted], text: str, taken: Mapping[str, Stretch], says: Sequence[Says]
) -> dict[str, Stretch]:
    """Return one place for each sentence, none in another: the longest first, then those that stand alone."""
    hits = _hits(wanted, text)
    was = {each.id: each.start for each in says}
    chosen = dict(taken)
    for each in sorted(wanted, key=lambda one: (-one.length, was[one.id])):
        free = [s for s in hits.get((each.length, each.digest), ()) if not _overlaps(s, chosen.values())]
        alone = [s for s in free if _alone(text, s, chosen.values())]
        free = alone or [s for s in free if s.end - s.start >= SURE]
        if free:
            drifts = {s: abs(_drift(each.id, s, chosen, was)) for s in free}
            chosen[each.id] = min(free, key=drifts.__getitem__)
    return chosen


def _drift(id_: str, stretch: Stretch, chosen: Mapping[str, Stretch], was: Mapping[str, int]) -> int:
    """Return by how much more a sentence would have moved than the nearest one before it that has its place."""
    before = [other for other in chosen if was[other] < was[id_]]
    anchor = max(before, key=lambda other: was[other], default=None)
    moved = chosen[anchor].start - was[anchor] if anchor else 0
    return stretch.start - was[id_] - moved


def _hits(wanted: Sequence[Wanted], text: str) -> dict[tuple[int, str], list[Stretch]]:
    by_length: dict[int, set[str]] = {}
    for each in wanted:
        by_length.setdefault(each.length, set()).add(each.digest)
    found: dict[tuple[int, str], list[Stretch]] = {}
    for stretch in _stretches(text, sorted(by_length)):
        found_digest = digest(text[stretch.start : stretch.end])
        if found_digest in by_length[stretch.end - stretch.start]:
            found.setdefault((stretch.end - stretch.start, found_digest), []).append(stretch)
    return found


def _stretches(text: str, lengths: Sequence[int]) -> Iterator[Stretch]:
    """Yield every stretch of these lengths that begins at a word and ends at one."""
    for match in _WORD.finditer(text):
        start = match.start()
        for length in lengths:
            end = start + length
            if end > len(text):
                break
            if length and not text[end - 1].isspace() and _ends(text, end):
                yield Stretch(start, end)


def _ends(text: str, end: int) -> bool:
    after = text[end : end + 1]
    return not after.isalnum() or (not text[end - 1].isalnum() and after.isupper())


def _alone(text: str, stretch: Stretch, others: Iterable[Stretch]) -> bool:
    """Whether what stands before and after a stretch ends and begins something of its own, or has its place already."""
    before, after = stretch.start, stretch.end
    while before and text[before - 1] in " \t\r":
        before -= 1
    while after < len(text) and text[after] in " \t\r":
        after += 1
    known = list(others)
    begins = not before or text[before - 1] == "\n" or text[before - 1] in _STOP or _at(before, known, "end")
    ends = after == len(text) or text[after] == "\n" or text[stretch.end - 1] in _STOP or _at(after, known, "start")
    return begins and ends


def _at(place: int, known: Iterable[Stretch], edge: str) -> bool:
    return any(getattr(each, edge) == place for each in known)


def _overlaps(stretch: Stretch, others: Iterable[Stretch]) -> bool:
    return any(stretch.start < other.end and other.start < stretch.end for other in others)
