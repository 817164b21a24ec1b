"""Writes what a text changes in a label, as text and as plain data for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.writers.layout import CAUTION, CLEAR, DUE, STOP, columns, counted, folded, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from precaution.revision.changes import Revision, SentenceChange
    from precaution.revision.resting import Resting
    from precaution.revision.sections import TextSection

_SYMBOLS = {"unchanged": CLEAR, "moved": DUE, "changed": CAUTION, "added": CAUTION, "removed": STOP}
FEW = 8
"""How many names are shown of one sort."""


def changes_in_text(revision: Revision, *, everything: bool = False) -> str:
    """Return what a text changes, a block for each sentence that is not as it was; with `everything` for all.

    Of many names the first are shown; with `everything` all.
    """
    counts = revision.counts()
    head = f"{revision.label} {revision.version} against {revision.text.where}: "
    blocks = [
        folded(head + ", ".join(f"{number} {state}" for state, number in counts.items()), indent=2, first=""),
        *(_change(each, everything=everything) for each in revision.changes if everything or each.state != "unchanged"),
        list(_left_out(revision.text.left_out)),
    ]
    if all(not counts[state] for state in ("changed", "added", "removed")):
        blocks.append(["no sentence says anything else"])
    else:
        blocks.append([f"hint: `precaution label adopt {revision.label} NEW --out FOLDER` takes the text over"])
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _change(change: SentenceChange, *, everything: bool) -> list[str]:
    moved = ", moved" if change.moved else ""
    head = columns(f"{_SYMBOLS[change.state]} {change.state}{moved}", f"{change.says}  {change.means}".strip(), "")
    return [*head, *_words(change), *_rests(change.rests, everything=everything)]


def _words(change: SentenceChange) -> Iterator[str]:
    if change.state == "unchanged":
        return
    if change.was and change.state in ("changed", "removed"):
        yield from columns("    was", f"“{change.was}”", "")
    if change.words and change.state in ("changed", "added"):
        yield from columns("    now", f"“{change.words}”", "")
    for each in change.differ:
        yield from columns("    differs", f"“{each.was or '-'}” is now “{each.now or '-'}”", "")


def _rests(rests: Resting, *, everything: bool) -> Iterator[str]:
    for sort, names in rests.by_sort().items():
        shown = len(names) if everything or len(names) <= FEW else FEW - 1
        more = f" and {len(names) - shown} more (--all lists them)" if names[shown:] else ""
        between = "; " if sort in ("cases", "differences") else ", "
        yield from columns(f"    {sort}", f"{between.join(names[:shown])}{more}", "")


def _left_out(sections: Sequence[TextSection]) -> Iterator[str]:
    if sections:
        names = "; ".join(each.shown() for each in sections)
        yield from folded(
            f"{counted(len(sections), 'section')} of the document left aside, where nothing of the label stands; "
            f"--section CODE takes one: {names}",
            indent=2,
            first="",
        )


def revision_as_dict(revision: Revision) -> dict[str, object]:
    """Return what a text changes as plain data for JSON."""
    return {
        "label": {"name": revision.label, "version": revision.version},
        "text": revision.text.where,
        "sections": [each.shown() for each in revision.text.sections],
        "left_out": [each.shown() for each in revision.text.left_out],
        "counts": dict(revision.counts()),
        "sentences": [_as_dict(each) for each in revision.changes],
    }


def _as_dict(change: SentenceChange) -> dict[str, object]:
    return {
        "state": change.state,
        "says": change.says or None,
        "means": change.means,
        "moved": change.moved or change.state == "moved",
        "was": change.was or None,
        "now": {"start": change.now.start, "end": change.now.end, "words": change.words} if change.now else None,
        "differ": [each._asdict() for each in change.differ],
        "rests": {sort: list(names) for sort, names in change.rests.by_sort().items()},
    }


def names_of(rests: Resting) -> str:
    """Return what rests on a sentence in a few words: `rules low-neutrophils; duties counts; 12 cases`."""
    found = [
        f"{counted(len(names), 'case')}" if sort == "cases" else f"{sort} {listed(names)}"
        for sort, names in rests.by_sort().items()
        if sort not in ("differences", "beside")
    ]
    return "; ".join(found)
