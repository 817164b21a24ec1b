"""Checks of the sentences against the label's own text, which is not part of the project."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

from precaution.checks.problem import problem
from precaution.knowledge.linking import place_of
from precaution.knowledge.toml import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.checks.problem import Folder, Problem

_DIGEST = re.compile(r"[0-9a-f]{64}")


def exact_sentences(folder: Folder) -> Iterator[Problem]:
    """Ask, with the text given, that each sentence has the digest of the characters from `start` to `end`."""
    if folder.text is None:
        return
    for says in folder.label.says.values():
        if sha256(folder.text[says.start : says.end].encode()).hexdigest() != says.sha256:
            yield problem(
                place_of(says).at("exact"),
                f"the text from {says.start} to {says.end} is another sentence; "
                "read it anew, then correct means and exact",
            )


def whole_text(folder: Folder) -> Iterator[Problem]:
    """Ask, with the text given, that each of its characters, spaces apart, belongs to exactly one sentence."""
    if folder.text is None:
        return
    before = 0
    for says in sorted(folder.label.says.values(), key=lambda each: (each.start, each.end)):
        if says.start >= says.end or says.end > len(folder.text):
            yield problem(place_of(says).at("exact"), f"{says.start} to {says.end} is no part of the text")
        elif says.start < before:
            yield problem(place_of(says).at("exact"), f"another sentence reaches to {before}; give each its own part")
        elif folder.text[before : says.start].strip():
            yield problem(place_of(says).at("exact"), f"no sentence holds the text from {before} to {says.start}")
        before = max(before, says.end)
    if folder.text[before:].strip():
        yield problem(Place("label.toml"), f"no sentence holds the text from {before} on")


def digest_shape(folder: Folder) -> Iterator[Problem]:
    """Ask that a digest is 64 hexadecimal digits in lower case."""
    for says in folder.label.says.values():
        if not _DIGEST.fullmatch(says.sha256):
            yield problem(
                place_of(says).at("exact"), "must end in 64 hexadecimal digits: the SHA-256 of the exact sentence"
            )


def repeated_sentences(folder: Folder) -> Iterator[Problem]:
    """Ask that no sentence stands there twice, by its digest or by its place."""
    seen: dict[object, str] = {}
    for says in folder.label.says.values():
        for mark in (says.sha256, (says.start, says.end)):
            if seen.setdefault(mark, says.id) != says.id:
                yield problem(place_of(says), f"is the same sentence as [says.{seen[mark]}]; keep one of them")
                break
