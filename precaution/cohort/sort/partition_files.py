"""Partitions on disk: the lines of the patients whose hash a partition owns, as files of one process each.

A partition fits in memory, whatever the size of the source. A line is framed by its origin, so that a problem found
later can name file and line.
"""

from __future__ import annotations

import hashlib
import os
import struct
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HELD = 32 * 1024 * 1024
"""Most bytes that a process holds back before it writes them."""
SHARED, IDENTIFIED, DELETED = "shared", "identified", "deleted"
"""The files of lines that are kept apart, by the destination of their routes, see `owner.Destination`."""
PATIENT, REPORT, IRRELEVANT, DROPPED, BROKEN = range(5)
"""The roles of lines in a partition, as `owner.Destination` says. Dropped: names, one in a line. Broken: no strict
JSON. Several reports of a patient may stand together, one in a line."""
_FRAME = struct.Struct("<BIIHI")


class FramedLine(NamedTuple):
    """A line in a partition."""

    role: int
    piece: int
    number: int
    key: str
    data: bytes


@lru_cache(maxsize=65536)
def hash_of(key: str) -> int:
    """Return 64 bits of a patient's id: the same in every process and run."""
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def partition_of(key: str, partitions: int) -> int:
    """Return the number of the partition of a patient's id."""
    return hash_of(key) * partitions >> 64


@lru_cache(maxsize=65536)
def partition_name(key: str, partitions: int) -> str:
    """Return the name of the files of the partition of a patient's id."""
    return file_name(partition_of(key, partitions))


def file_name(partition: int) -> str:
    """Return the name of the files of a partition."""
    return f"{partition:04d}"


class PartitionWriter:
    """Holds lines back by partition and appends them to this process's own files."""

    def __init__(self, work: Path) -> None:
        """Write below `work`."""
        self._work = work
        self._held: dict[str, list[bytes]] = {}
        self._size = 0

    def write(self, name: str, line: FramedLine) -> None:
        """Write a line to the files called `name`: a partition's, or those of lines kept apart."""
        role, piece, number, key, data = line
        encoded = key.encode("utf-8", "replace")[:65535]
        head = _FRAME.pack(role, piece, number, len(encoded), len(data))
        self._held.setdefault(name, []).extend((head, encoded, data))
        self._size += len(data) + len(encoded) + _FRAME.size
        if self._size > HELD:
            self.flush()

    def flush(self) -> None:
        """Write everything that is held back."""
        for name, parts in self._held.items():
            with (self._work / f"{name}.{os.getpid()}").open("ab") as file:
                file.write(b"".join(parts))
        self._held, self._size = {}, 0


def framed(work: Path, name: str) -> Iterator[FramedLine]:
    """Yield the lines of the files called `name`, in any order, one file after the other in memory."""
    for path in sorted(work.glob(f"{name}.*")):
        yield from _unframed(path.read_bytes())


def _unframed(data: bytes) -> Iterator[FramedLine]:
    at, end, size = 0, len(data), _FRAME.size
    unpack, keys = _FRAME.unpack_from, dict[bytes, str]()
    while at < end:
        role, piece, number, of_key, of_data = unpack(data, at)
        start = at + size + of_key
        at = start + of_data
        encoded = data[start - of_key : start]
        key = keys.get(encoded)
        if key is None:
            key = keys[encoded] = encoded.decode("utf-8", "replace")
        yield FramedLine(role, piece, number, key, data[start:at])


def framed_slowly(work: Path, name: str) -> Iterator[FramedLine]:
    """Yield the lines of the files called `name`, without holding more than one of them in memory."""
    for path in sorted(work.glob(f"{name}.*")):
        with path.open("rb") as file:
            while head := file.read(_FRAME.size):
                role, piece, number, of_key, of_data = _FRAME.unpack(head)
                yield FramedLine(role, piece, number, file.read(of_key).decode("utf-8", "replace"), file.read(of_data))
