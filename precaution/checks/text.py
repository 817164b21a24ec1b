"""Checks of the sentences against the label's own text, which is not part of the project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from precaution.checks.problem import problem
from precaution.knowledge.linking import place_of
from precaution.knowledge.toml import Place
from precaution.revision.alignment import aligned
from precaution.revision.finding import digest
from precaution.writers.layout import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.checks.problem import Folder, LabelProblem
    from precaution.knowledge.model import Says
    from precaution.revision.alignment import Aligned

_DIGEST = re.compile(r"[0-9a-f]{64}")


def exact_sentences(folder: Folder) -> Iterator[LabelProblem]:
    """Ask, with the text given, that each sentence has the digest of the characters from `start` to `end`.

    Where one does not, each is looked for in the whole text, so that an edit is one problem and not one of every
    sentence behind it.
    """
    if folder.text is None or not (says := _in_text(folder)):
        return
    if all(digest(folder.text[each.start : each.end]) == each.sha256 for each in says):
        return
    rows = aligned(says, folder.text, {})
    if not any(row.state in ("unchanged", "moved") for row in rows):
        yield problem(Place("label.toml"), f"the text holds none of the {len(says)} sentences; it is another text")
        return
    changed = [row for row in rows if row.state in ("changed", "removed", "added")]
    yield from (_changed(row, folder) for row in changed)
    if not changed:
        elsewhere = sum(digest(folder.text[each.start : each.end]) != each.sha256 for each in says)
        yield problem(
            Place("label.toml"),
            f"the text says the same, but {counted(elsewhere, 'sentence')} of it stand elsewhere or are spaced "
            "otherwise; `precaution label adopt` writes their places anew",
        )


def _changed(row: Aligned, folder: Folder) -> LabelProblem:
    if row.state == "added" and row.now:
        return problem(Place("label.toml"), f"no sentence holds the text from {row.now.start} to {row.now.end}")
    names = [each.name for each in folder.outcomes() if row.says in each.cites]
    rests = f"; on it rest {listed(names)}" if names else ""
    place = place_of(folder.label.says[row.says]).at("exact")
    if row.now is None:
        return problem(place, f"the text no longer has this sentence{rests}")
    return problem(
        place,
        f"the text from {row.now.start} to {row.now.end} is another sentence; read it anew, then correct means and "
        f"exact{rests}",
    )


def _in_text(folder: Folder) -> list[Says]:
    """Return the sentences that should stand in the text: those that are known to be gone from it should not."""
    return [each for each in folder.label.says.values() if each.suspect != "removed"]


def whole_text(folder: Folder) -> Iterator[LabelProblem]:
    """Ask, with the text given, that each of its characters, spaces apart, belongs to exactly one sentence."""
    if folder.text is None or any(exact_sentences(folder)):
        return  # where sentences are others their places say nothing
    before = 0
    for says in sorted(_in_text(folder), key=lambda each: (each.start, each.end)):
        if says.start >= says.end or says.end > len(folder.text):
            yield problem(place_of(says).at("exact"), f"{says.start} to {says.end} is no part of the text")
        elif says.start < before:
            yield problem(place_of(says).at("exact"), f"another sentence reaches to {before}; give each its own part")
        elif folder.text[before : says.start].strip():
            yield problem(place_of(says).at("exact"), f"no sentence holds the text from {before} to {says.start}")
        before = max(before, says.end)
    if folder.text[before:].strip():
        yield problem(Place("label.toml"), f"no sentence holds the text from {before} on")


def digest_shape(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that a digest is 64 hexadecimal digits in lower case."""
    for says in folder.label.says.values():
        if not _DIGEST.fullmatch(says.sha256):
            yield problem(
                place_of(says).at("exact"), "must end in 64 hexadecimal digits: the SHA-256 of the exact sentence"
            )


def repeated_sentences(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that no sentence stands there twice by its place. A text may say the same twice, in two places."""
    seen: dict[tuple[int, int], str] = {}
    for says in _in_text(folder):
        if seen.setdefault((says.start, says.end), says.id) != says.id:
            yield problem(
                place_of(says), f"is the same sentence as [says.{seen[says.start, says.end]}]; keep one of them"
            )


def suspect_sentences(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that no sentence is suspect: that each that the text says otherwise now, or no longer, was read again."""
    for says in folder.label.says.values():
        if says.suspect == "changed":
            yield problem(
                place_of(says),
                "is suspect: the text says it otherwise now; read it anew, then `precaution label confirm`",
            )
        elif says.suspect:
            yield problem(place_of(says), "is suspect: the text no longer has it; remove it and what rests on it alone")


def unread_sentences(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that every sentence was read: one problem for each file, with how many wait."""
    waiting: dict[str, list[str]] = {}
    for says in sorted(folder.label.says.values(), key=lambda each: each.start):
        if says.role == "unread":
            waiting.setdefault(place_of(says).file, []).append(says.id)
    for file, ids in waiting.items():
        verb = "waits" if len(ids) == 1 else "wait"
        yield problem(Place(file), f"{counted(len(ids), 'sentence')} {verb} to be read, first {ids[0]}")
