"""What the manifest of a bulk export says of the export's files, held against those that are here.

Files are found by the last part of their address, and where a program has renamed them by what is in them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from precaution.cohort.problems import Problem
from precaution.cohort.sort.files import is_document
from precaution.cohort.sort.owner import READ, UNREAD
from precaution.readers.manifests import PACKED, ListedFile, Manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ANYTHING = "*"
"""Stands for the types in a file whose lines were not all looked at."""


class SourceContent(NamedTuple):
    """What was found in the files of a source."""

    files: dict[str, frozenset[str]]
    """The resource types in each."""
    counts: Counter[str]
    """The number of lines of each type."""


def what_is_lacking(manifests: Iterable[Manifest], content: SourceContent) -> list[tuple[str, Problem]]:
    """Return what manifests say to be missing: the type of what was lost, empty for any, and the problem."""
    found: list[tuple[str, Problem]] = []
    for manifest in manifests:
        found += [("", _problem(manifest, why)) for why in manifest.lacks]
        found += [(each.kind, _problem(manifest, _missing(each))) for each in _not_here(manifest.files, content)]
    return found + list(_too_few(manifests, content))


def _problem(manifest: Manifest, why: str) -> Problem:
    return Problem("", "incomplete-export", manifest.file, 0, f"{why}; no list of what it may have held is complete")


def _missing(listed: ListedFile) -> str:
    kind = listed.kind if listed.kind in READ else "resources"
    return f"the manifest lists a file of {kind} (under '{listed.section}') that is not in the source: add it"


def _matters(listed: ListedFile) -> bool:
    return listed.kind not in UNREAD and listed.lines != 0


def _not_here(listed: Iterable[ListedFile], content: SourceContent) -> Iterator[ListedFile]:
    """Yield the files that are neither here by name nor, renamed, by what is in them."""
    names = {name.rpartition("/")[2].removesuffix(PACKED) for name in content.files}
    missing = [each for each in listed if _matters(each) and each.name not in names]
    known = {each.name for each in listed}
    renamed = Counter(
        kind
        for name, kinds in content.files.items()
        if not is_document(name) and name.rpartition("/")[2].removesuffix(PACKED) not in known
        for kind in kinds
    )
    for each in missing:
        kind = each.kind if renamed[each.kind] else ANYTHING
        if each.kind and renamed[kind]:
            renamed[kind] -= 1
        else:
            yield each


def _too_few(manifests: Iterable[Manifest], content: SourceContent) -> Iterator[tuple[str, Problem]]:
    """Yield each type of which fewer lines are here than manifests count, if all were counted."""
    if content.counts.get("Bundle") or any(ANYTHING in kinds for kinds in content.files.values()):
        return
    expected, said = Counter[str](), dict[str, Manifest]()
    for manifest in {each.files: each for each in manifests}.values():
        for listed in manifest.files:
            if listed.section == "output" and listed.lines > 0 and _matters(listed):
                expected[listed.kind] += listed.lines
                said[listed.kind] = manifest
    for kind, count in expected.items():
        if kind in READ and content.counts.get(kind, 0) < count:
            why = f"the manifest counts {count} {kind}, and the source has {content.counts.get(kind, 0)}"
            yield kind, _problem(said[kind], why)
