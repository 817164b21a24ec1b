"""The first scan: the ids of everybody whose lines may speak of what is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from precaution.cohort.context import RunContext
from precaution.cohort.label_source import loaded
from precaution.cohort.processes import watch
from precaution.cohort.scan.needles import Needles, all_of, needles
from precaution.cohort.sort.files import FilePiece, is_document, lines, path_of, pieces
from precaution.cohort.sort.owner import identifiers_of_subject
from precaution.cohort.sort.routing import parts_of
from precaution.errors import InputError
from precaution.readers.json_access import Json, child, children
from precaution.readers.json_input import parsed
from precaution.readers.merges import BY_IDENTIFIER

import pyarrow as pa  # isort: skip - see cohort/tables.py
import pyarrow.compute as pc  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from precaution.cohort.processes import Processes
    from precaution.cohort.progress import Progress
    from precaution.cohort.who import Who

_LINKS = "replaced-by|replaces"
"""The types of a Patient's links by which two records are those of one person."""
_MOST_NAMES = 500
"""So many names of resources are looked for at most; who needs more of them keeps everybody."""


class Found(NamedTuple):
    """What a scan found."""

    people: frozenset[str] = frozenset()
    """The ids of patients of whom a line is."""
    names: frozenset[str] = frozenset()
    """What other lines may name in place of what is asked for: ids of drugs, identifiers of patients."""
    links: frozenset[tuple[str, str]] = frozenset()
    """Pairs of ids of Patients that are one person."""


class PieceToScan(NamedTuple):
    """One piece of work of a scan."""

    context: RunContext
    piece: FilePiece
    needles: Needles


def find_people(context: RunContext, who: Who, processes: Processes, progress: Progress) -> frozenset[str] | None:
    """Return the ids of all patients that `who` may mean, and of nearly nobody else; nothing where that can't be told.

    Raises InputError where a file can't be read.
    """
    of_label = [needles(each.terminology, who.concepts(each)) for each in loaded(context.labels)]
    if None in of_label:
        return None
    looked_for = all_of(each for each in of_label if each is not None)
    found, names = Found(who.people), frozenset[str]()
    while True:
        more = _in_all(found, _scan(context, looked_for, processes, progress))
        new = more.names - names
        found, names = more, names | new
        if not new:
            return None if _by_identifier(found) else _linked(found)
        if len(names) > _MOST_NAMES or not all(len(name) > 1 for name in new):
            return None
        looked_for = Needles(tuple(name.lower() for name in new))


def _scan(context: RunContext, looked_for: Needles, processes: Processes, progress: Progress) -> Iterator[Found]:
    progress.begin("bytes looked through", sum(each.size for each in context.files))
    one = context.for_task()
    tasks = [PieceToScan(one, piece, looked_for) for piece in pieces(context.path, context.files)]
    return processes.run(scan_piece, tasks)


def scan_piece(task: PieceToScan) -> Found:
    """Return what a piece of a file holds."""
    path, piece = path_of(task.context.path, task.piece.file), task.piece
    suspected = f"{task.needles.pattern}|{_LINKS}"
    return _in_all(
        Found(),
        (
            _in_line(line, task.needles)
            for block in lines(path, piece, document=is_document(piece.file), read=watch().step)
            for line in matching(block.data, suspected)
        ),
    )


def matching(data: list[bytes], pattern: str) -> list[bytes]:
    """Return the lines in which a pattern is, without regard to case."""
    found = pc.indices_nonzero(pc.match_substring_regex(pa.array(data, pa.large_binary()), pattern, ignore_case=True))
    return [data[each] for each in found.to_pylist()]


def _in_all(first: Found, each: Iterable[Found]) -> Found:
    people, names, links = set(first.people), set(first.names), set(first.links)
    for found in each:
        people |= found.people
        names |= found.names
        links |= found.links
    return Found(frozenset(people), frozenset(names), frozenset(links))


def _in_line(line: bytes, looked_for: Needles) -> Found:
    meets = looked_for.meets(line)
    return _in_all(Found(), [*([_named(line)] if meets else []), *([_links(line)] if _speaks_of_links(line) else [])])


def _speaks_of_links(line: bytes) -> bool:
    return b"replace" in line or b"\\u" in line


def _named(line: bytes) -> Found:
    """Return whom a line is about, and by what names others may point to it."""
    people, names = set[str](), set[str]()
    for route, data in parts_of(line):
        if route.to == "shared":
            names.add(route.key)
        elif route.to == "identified":
            names.update(value for resource in _resources(data) for _, value in identifiers_of_subject(resource))
        elif route.key:
            people.add(route.key)
    return Found(frozenset(people), frozenset(names))


def _links(line: bytes) -> Found:
    """Return which Patients of a line are one person with others."""
    return Found(links=frozenset((each.old, each.new) for route, _ in parts_of(line) for each in route.merges))


def _resources(data: bytes) -> Iterator[Json]:
    """Yield the resources of a line, those in Bundles too."""
    try:
        found = parsed(data, "line")
    except (InputError, ValueError):
        return
    while found:
        value = found.pop()
        if isinstance(value, dict):
            found += [child(entry, "resource") for entry in children(value, "entry")]
            yield value
        elif isinstance(value, list):
            found += value


def _by_identifier(found: Found) -> bool:
    """Whether a link names a Patient by an identifier: which one that is is only known when all lines were read."""
    return any(name.startswith(BY_IDENTIFIER) for pair in found.links for name in pair)


def _linked(found: Found) -> frozenset[str]:
    """Return the people found with all who are one person with one of them."""
    people, before = set(found.people), -1
    while len(people) > before:
        before = len(people)
        for pair in found.links:
            if not people.isdisjoint(pair):
                people.update(pair)
    return frozenset(people)
