"""Lines of Patients that are merged with another one go to the partition of the one who stands for the person.

Which Patients are merged is only known when all lines were seen, so their lines are moved between the two passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from precaution.cohort.context import RunContext
from precaution.cohort.sort.files import is_document, lines, path_of, pieces
from precaution.cohort.sort.partition_files import PartitionWriter, file_name, framed, partition_name, partition_of
from precaution.errors import InputError
from precaution.readers.bundle_queries import patients
from precaution.readers.json_input import parsed
from precaution.readers.merges import BY_IDENTIFIER, resolved, survivors
from precaution.readers.patient import identifiers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from precaution.cohort.sort.partition_files import FramedLine
    from precaution.readers.merges import Replacement

MOVED = "moved-"
"""What the names of files of moved lines begin with; the name of the partition follows."""


class LinesToMove(NamedTuple):
    """One piece of work between the passes."""

    context: RunContext
    merged: dict[str, str]
    partition: int


def merged_patients(context: RunContext, found: Iterable[Replacement]) -> dict[str, str]:
    """Return for each id of a merged Patient the id under which the person is decided, for those that differ.

    The source is read again only where a link names the other by an identifier.
    """
    links = sorted(set(found))
    wanted = {name[1:].rpartition("|")[2] for each in links for name in each if name.startswith(BY_IDENTIFIER)}
    people = {pair: name for pair, name in _people(context) if pair[1] in wanted} if wanted else {}
    standing = survivors(resolved(links, people))
    return {name: to for name, to in standing.items() if name != to and not name.startswith(BY_IDENTIFIER)}


def _people(context: RunContext) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield each identifier of each Patient of the source, with the Patient's id."""
    for piece in pieces(context.path, context.files):
        for block in lines(path_of(context.path, piece.file), piece, document=is_document(piece.file)):
            for line in block.data:
                if b'"Patient"' in line and b'"identifier"' in line:
                    yield from _identified(line)


def _identified(line: bytes) -> Iterator[tuple[tuple[str, str], str]]:
    try:
        documents = [each for each in parsed(line, "the line") if isinstance(each, dict)]
    except InputError:
        return
    for patient, url in patients(documents):
        name = str(patient.get("id") or url.replace(":", "/").rpartition("/")[2])
        yield from ((pair, name) for pair in identifiers(patient) if name)


def partitions_of(merged: Iterable[str], partitions: int) -> list[int]:
    """Return the partitions that hold lines of these patients."""
    return sorted({partition_of(name, partitions) for name in merged})


def move_lines(task: LinesToMove) -> int:
    """Write the lines of merged patients of a partition beside the partitions they belong to; return how many."""
    context, merged, partition = task
    out, count = PartitionWriter(context.work), 0
    for line in framed(context.work, file_name(partition)):
        if (to := merged.get(line.key)) is not None:
            out.write(MOVED + partition_name(to, context.partitions), line._replace(key=to))
            count += 1
    out.flush()
    return count


def lines_of(context: RunContext, partition: int, merged: dict[str, str]) -> Iterator[FramedLine]:
    """Yield the lines of a partition in any order: without those that were moved, with those moved to it."""
    name = file_name(partition)
    yield from (line for line in framed(context.work, name) if line.key not in merged)
    yield from framed(context.work, MOVED + name)
