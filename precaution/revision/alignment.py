"""What became of each sentence of a label in another text: unchanged, moved, changed, removed; and what is added.

Sentences that are found keep their order but for the few that moved. Between two that stand still, what was not found
(an old slot) is held against the sentences that stand there now: by its words where the old text is given, and by its
length and our words for it where not. A pair is a question to a reader, never an answer.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Literal, NamedTuple

from precaution.knowledge.model import Says
from precaution.revision.finding import places
from precaution.revision.likeness import likeness, likeness_of_ours
from precaution.revision.sentences import Stretch, sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


State = Literal["unchanged", "moved", "changed", "added", "removed"]
FEWEST, ELSEWHERE = 0.4, 0.7
"""How like two sentences must be to be two versions of one: in its old place, and in another."""
LONGEST_RUN = 3
"""How many sentences of the new text one slot of the old one may have become."""


class Aligned(NamedTuple):
    """A sentence of the label, of the new text, or of both."""

    state: State
    says: str
    """Its id; empty for one that is added."""
    now: Stretch | None
    """Where it stands in the new text; None for one that is removed."""
    moved: bool = False
    """Whether a changed one also stands elsewhere."""


class _Gap(NamedTuple):
    old: list[Says]
    new: list[Stretch]
    text: str

    def run(self, first: int, upto: int) -> Stretch | None:
        """Return new sentences as one stretch; None where something that was found stands among them."""
        between = zip(self.new[first:upto], self.new[first + 1 : upto], strict=False)
        if any(self.text[one.end : other.start].strip() for one, other in between):
            return None
        return Stretch(self.new[first].start, self.new[upto - 1].end)


def aligned(says: Sequence[Says], text: str, words: Mapping[str, str]) -> list[Aligned]:
    """Return what became of each sentence, in the order of the new text; what is removed stands where it was.

    `words`: the exact old sentences by id; empty where the old text is not given.
    """
    old = sorted(says, key=lambda each: (each.start, each.end))
    found = places(old, text, words)
    still = _in_order([each.id for each in old if each.id in found], found)
    rows = [Aligned("unchanged" if each in still else "moved", each, found[each]) for each in found]

    def like(one: Says, stretch: Stretch) -> float:
        now = stretch.of(text)
        return likeness(words[one.id], now) if one.id in words else likeness_of_ours(one, now)

    for gap in _gaps(old, text, found, still):
        rows += _paired(gap, like, words)
    return _ordered(_reunited(rows, {each.id: each for each in old}, like) if words else rows, old)


def _in_order(ids: Sequence[str], found: Mapping[str, Stretch]) -> frozenset[str]:
    """Return the most ids that stand in the new text in the order of the old one."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for number, id_ in enumerate(ids):
        at = bisect_left(tails, found[id_].start)
        before.append(ends[at - 1] if at else -1)
        tails[at : at + 1], ends[at : at + 1] = [found[id_].start], [number]
    kept, number = set(), ends[-1] if ends else -1
    while number >= 0:
        kept.add(ids[number])
        number = before[number]
    return frozenset(kept)


def _gaps(old: Sequence[Says], text: str, found: Mapping[str, Stretch], still: frozenset[str]) -> list[_Gap]:
    """Return what stands between sentences that are found and have not moved: old slots, and new sentences."""
    gaps: list[_Gap] = []
    slots: list[Says] = []
    start = 0
    for each in old:
        if each.id in still:
            gaps.append(_Gap(slots, _free(text, start, found[each.id].start, found), text))
            slots, start = [], found[each.id].end
        elif each.id not in found:
            slots.append(each)
    return [*gaps, _Gap(slots, _free(text, start, len(text), found), text)]


def _free(text: str, start: int, end: int, found: Mapping[str, Stretch]) -> list[Stretch]:
    """Return the sentences of a part of the text in which none that is found stands."""
    free: list[Stretch] = []
    for taken in sorted(each for each in found.values() if each.start >= start and each.end <= end):
        free += sentences(text, start, taken.start)
        start = taken.end
    return free + sentences(text, start, end)


def _paired(gap: _Gap, like: Callable[[Says, Stretch], float], words: Mapping[str, str]) -> list[Aligned]:
    """Return the best way to hold old slots against new sentences, both in their order."""
    if len(gap.old) == len(gap.new) == 1 and not words:
        return [Aligned("changed", gap.old[0].id, gap.new[0])]
    pairs = _best(gap, like)
    rows = [Aligned("changed", gap.old[one].id, stretch) for one, stretch in pairs.items()]
    rows += [Aligned("removed", each.id, None) for one, each in enumerate(gap.old) if one not in pairs]
    covered = list(pairs.values())
    return rows + [
        Aligned("added", "", each)
        for each in gap.new
        if not any(pair.start <= each.start and each.end <= pair.end for pair in covered)
    ]


def _best(gap: _Gap, like: Callable[[Says, Stretch], float]) -> dict[int, Stretch]:
    """Return old slot -> the stretch that it became, so that the likeness of all is greatest."""
    tops: list[list[tuple[float, dict[int, Stretch]]]] = [[(0.0, {})] * (len(gap.new) + 1)]
    for one, slot in enumerate(gap.old):
        above = tops[-1]
        row = [above[0]]
        for upto in range(1, len(gap.new) + 1):
            choices = [row[upto - 1], above[upto]]
            for first in range(max(0, upto - LONGEST_RUN), upto):
                run = gap.run(first, upto)
                gain = like(slot, run) - FEWEST if run else 0
                if run and gain > 0:
                    choices.append((above[first][0] + gain, {**above[first][1], one: run}))
            row.append(max(choices, key=lambda choice: choice[0]))
        tops.append(row)
    return tops[-1][-1][1]


def _reunited(
    rows: Sequence[Aligned], says: Mapping[str, Says], like: Callable[[Says, Stretch], float]
) -> list[Aligned]:
    """Return the rows with what was removed here and added there, much alike, as one that is changed and moved."""
    gone = [row for row in rows if row.state == "removed"]
    come = [row for row in rows if row.state == "added"]
    pairs = [(like(says[old.says], new.now), old, new) for old in gone for new in come if new.now is not None]
    used: set[Aligned] = set()
    found: list[Aligned] = []
    for score, old, new in sorted(pairs, key=lambda pair: -pair[0]):
        if score >= ELSEWHERE and old not in used and new not in used:
            used |= {old, new}
            found.append(Aligned("changed", old.says, new.now, moved=True))
    return [row for row in rows if row not in used] + found


def _ordered(rows: Sequence[Aligned], old: Sequence[Says]) -> list[Aligned]:
    """Return rows by where they stand now; one that is removed follows the sentence that stood before it."""
    now = {row.says: row.now.start for row in rows if row.says and row.now is not None}
    key: dict[str, int] = {}
    last = -1
    for each in old:
        last = now.get(each.id, last)
        key[each.id] = last
    numbers = {each.id: number for number, each in enumerate(old)}
    return sorted(
        rows,
        key=lambda row: (row.now.start if row.now else key[row.says], row.now is None, numbers.get(row.says, 0)),
    )
