"""The first pass: every line goes, as it is, to the partition of its patient.

A partition is a set of files on disk that hold the lines of the patients whose hash it owns; it fits in memory,
whatever the size of the source. A line is framed by its origin, so that a problem found later can name file and
line.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from precaution.cohort.label_of import LabelOf
from precaution.cohort.problems import KINDS, Problem
from precaution.cohort.processes import watch
from precaution.cohort.sort.files import File, Piece, is_document, lines, path_of
from precaution.cohort.sort.irrelevant import Plain
from precaution.cohort.sort.place import Sorter
from precaution.cohort.sort.templates import Shapes
from precaution.knowledge.loading import load_label
from precaution.readers.resource_types import CLINICAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.cohort.sort.owner import Place

SIZE = 32 * 1024 * 1024
"""Bytes of the source for each partition."""
MOST = 512
"""Most partitions: what is held back for each of them must fit in memory."""
HELD = 32 * 1024 * 1024
"""Most bytes that a process holds back before it writes them."""
SHOWN = 100
"""Most problems of one piece that are listed one by one."""
_FRAME = struct.Struct("<BIIHI")
_CODES = {"patient": 0, "report": 1, "plain": 2}
PATIENT, REPORT, PLAIN, DROPPED, BROKEN = range(5)
"""What lines of a partition are, as `owner.About` says. Dropped: names, one in a line. Broken: no strict JSON.
Several reports of a patient may stand together, one in a line."""


class Job(NamedTuple):
    """What every piece of work of the first pass needs to know."""

    source: Path
    files: tuple[File, ...]
    work: Path
    partitions: int
    label: LabelOf
    keep_all: bool
    """Whether to keep also the lines that only show that a list is kept."""


class Framed(NamedTuple):
    """A line in a partition."""

    sort: int
    piece: int
    number: int
    key: str
    data: bytes


@dataclass(slots=True)
class Sorted:
    """What the first pass found in one piece."""

    piece: int
    file: str
    lines: int = 0
    taken: Counter[str] = field(default_factory=Counter[str])
    """Lines by resource type."""
    passed_over: Counter[str] = field(default_factory=Counter[str])
    """Lines that can't change an answer, by reason."""
    problems: list[Problem] = field(default_factory=list[Problem])
    """Their lines are counted within the piece."""
    lost_kinds: set[str] = field(default_factory=set[str])
    """Types of resources of which it can't be told whose they are."""
    lost_anything: bool = False

    def note(self, kind: str, line: int, message: str = "") -> None:
        """Add a problem; beyond a number of them only their count."""
        if len(self.problems) < SHOWN:
            self.problems.append(Problem("", kind, self.file, line, message or KINDS[kind]))
        elif len(self.problems) == SHOWN:
            self.problems.append(Problem("", kind, self.file, 0, "more of this or another kind; not listed one by one"))
        else:
            self.problems[-1] = self.problems[-1]._replace(lines=self.problems[-1].lines + 1)


def partitions(size: int) -> int:
    """Return how many partitions a source of `size` bytes is cut into."""
    return max(1, min(MOST, -(-size // SIZE)))


@lru_cache(maxsize=65536)
def hash_of(key: str) -> int:
    """Return 64 bits of a patient's id: the same in every process and run."""
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest(), "big")


@lru_cache(maxsize=65536)
def partition_of(key: str, partitions: int) -> str:
    """Return the name of the partition of a patient's id."""
    return f"{hash_of(key) * partitions >> 64:04d}"


def sort_piece(task: tuple[Job, int, Piece]) -> Sorted:
    """Send the lines of a piece to their partitions on disk, and return what was found on the way."""
    out = Writer(task[0])
    found = sort_lines(task, out)
    out.flush()
    return found


def sort_lines(task: tuple[Job, int, Piece], out: Sink) -> Sorted:
    """Give the lines of a piece to `out`, each by the name of its partition, and return what was found on the way."""
    job, number, piece = task
    file, found = job.files[piece.file], Sorted(number, job.files[piece.file].name)
    plain, shapes = _learned(job.label)
    sorter = Sorter(plain, keep_all=job.keep_all, shapes=shapes)
    for several in lines(path_of(job.source, file), piece, document=is_document(file), read=watch().step):
        found.lines = several.last
        if several.wrong:
            found.note("cut-short", several.first, several.wrong)
            found.lost_anything = True
        reports: dict[str, list[bytes]] = {}
        for at, place, data in sorter.placed(several.data, several.first):
            if place.about == "report" and at:
                reports.setdefault(place.key, []).append(data)
            else:
                _take(place, at, data, found, out)
        _write_together(sorter, reports, found, out, several.last)
    return found


@lru_cache(maxsize=1)
def _learned(label: LabelOf) -> tuple[Plain, Shapes]:
    """Return what tells lines that say nothing, and lines by their shape; kept, for they remember what they met."""
    return Plain(load_label(label.folder, policy=label.policy, codes=label.codes).terminology), Shapes()


def _write_together(sorter: Sorter, reports: dict[str, list[bytes]], found: Sorted, out: Sink, number: int) -> None:
    """Write what several lines of a patient say as one: reports; and the names of dropped lines, for another version
    of them may be there."""
    together: list[tuple[int, str, str, bytes, int]] = []
    for kind, key, ids in sorter.dropped():
        of = f"{kind}/".encode()
        together.append((DROPPED, kind, key, of + (b"\n" + of).join(ids), len(ids)))
    together += ((REPORT, "DiagnosticReport", key, b"\n".join(data), len(data)) for key, data in reports.items())
    for sort, kind, key, data, count in together:
        found.taken[kind] += count
        out.write(partition_of(key, out.job.partitions), Framed(sort, found.piece, number, key, data))


def _take(place: Place, number: int, data: bytes, found: Sorted, out: Sink) -> None:
    """Send a line where it belongs, or note why it belongs nowhere."""
    about = place.about
    if (sort := _CODES.get(about)) is not None:
        found.taken[place.kind] += 1
        sort = BROKEN if place.kind == "broken" else sort
        out.write(partition_of(place.key, out.job.partitions), Framed(sort, found.piece, number, place.key, data))
    elif about in ("shared", "identified"):
        found.taken[place.kind] += 1
        out.write(about, Framed(0, found.piece, number, place.key, data))
    elif about == "unread" and place.kind == "broken":
        found.note("unread-line", number)
    elif about == "unread":
        found.passed_over[f"{place.kind}: not looked at"] += 1
    elif about == "other":
        found.passed_over[f"{place.kind}: not about a patient"] += 1
    else:
        _lose(place, number, found)


def _lose(place: Place, number: int, found: Sorted) -> None:
    """Note a line of which it can't be told whose it is."""
    if place.kind == "Patient":
        found.note("no-id", number)
        return
    kinds = {"broken": "unreadable-line", "message": "sender-error"}
    found.note(kinds.get(place.about, "nobody's"), number)
    if place.kind in CLINICAL and place.about == "nobody":
        found.lost_kinds.add(place.kind)
    else:
        found.lost_anything = True


class Sink(Protocol):
    """Takes the lines of a piece."""

    job: Job

    def write(self, name: str, line: Framed) -> None:
        """Take a line for the partition called `name`, or for the lines kept apart under that name."""


class Writer:
    """Holds lines back by partition and appends them to this process's own files."""

    def __init__(self, job: Job) -> None:
        """Write below the job's folder of work."""
        self.job = job
        self._held: dict[str, list[bytes]] = {}
        self._size = 0

    def write(self, name: str, line: Framed) -> None:
        """Write a line to the files called `name`: a partition's, or those of lines kept apart."""
        sort, piece, number, key, data = line
        encoded = key.encode("utf-8", "replace")[:65535]
        head = _FRAME.pack(sort, piece, number, len(encoded), len(data))
        self._held.setdefault(name, []).extend((head, encoded, data))
        self._size += len(data) + len(encoded) + _FRAME.size
        if self._size > HELD:
            self.flush()

    def flush(self) -> None:
        """Write everything that is held back."""
        for name, parts in self._held.items():
            with (self.job.work / f"{name}.{os.getpid()}").open("ab") as file:
                file.write(b"".join(parts))
        self._held, self._size = {}, 0


def framed(work: Path, name: str) -> Iterator[Framed]:
    """Yield the lines of the files called `name`, in any order, one file after the other in memory."""
    for path in sorted(work.glob(f"{name}.*")):
        yield from _unframed(path.read_bytes())


def _unframed(data: bytes) -> Iterator[Framed]:
    at, end, size = 0, len(data), _FRAME.size
    unpack, keys = _FRAME.unpack_from, dict[bytes, str]()
    while at < end:
        sort, piece, number, of_key, of_data = unpack(data, at)
        start = at + size + of_key
        at = start + of_data
        encoded = data[start - of_key : start]
        key = keys.get(encoded)
        if key is None:
            key = keys[encoded] = encoded.decode("utf-8", "replace")
        yield Framed(sort, piece, number, key, data[start:at])


def framed_slowly(work: Path, name: str) -> Iterator[Framed]:
    """Yield the lines of the files called `name`, without holding more than one of them in memory."""
    for path in sorted(work.glob(f"{name}.*")):
        with path.open("rb") as file:
            while head := file.read(_FRAME.size):
                sort, piece, number, of_key, of_data = _FRAME.unpack(head)
                yield Framed(sort, piece, number, file.read(of_key).decode("utf-8", "replace"), file.read(of_data))
