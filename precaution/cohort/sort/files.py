"""The files of a source, cut into pieces of work, and read line by line in bounded memory."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from precaution.cohort.context import SourceFile
from precaution.errors import InputError, UsageError
from precaution.readers.json_input import LIMIT, SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

PIECE = 16 * 1024 * 1024
"""Most bytes of one piece: a large file is cut, so that all processes work on it, and end at about the same time."""
BLOCK = 4 * 1024 * 1024


class FilePiece(NamedTuple):
    """A part of a file: its bytes from `start` up to `end`; a line belongs to the piece in which it begins."""

    number: int
    """Counted from 0 over all files."""
    file: str
    """The name of the file."""
    start: int
    end: int


class LineBlock(NamedTuple):
    """Lines of a piece that follow each other, or a whole document."""

    first: int
    """The number of the first of them, counted from 1 within the piece; 0 for a document."""
    data: list[bytes]
    """Without blanks around them; empty ones are among them."""
    wrong: str = ""
    """Why there is no data: too long, or the file ends early."""

    @property
    def last(self) -> int:
        """The number of the last of them."""
        return self.first + max(len(self.data), bool(self.wrong)) - 1


def files(source: Path, but_not: Path | None = None) -> list[SourceFile]:
    """Return the files of a source in the order of their names, without those in `but_not` (the results).

    Raises InputError where there is none, or one can't be read; UsageError where all are among the results.
    """
    if not source.exists():
        raise InputError(f"'{source}' does not exist; give a folder of NDJSON files or Bundles, or one such file")
    inside = source if source.is_dir() else source.parent
    found = (
        [source]
        if source.is_file()
        else sorted(path for path in source.rglob("*") if path.name.endswith(SUFFIXES) and path.is_file())
    )
    apart = but_not.resolve() if but_not else None
    if apart is not None and source.resolve().is_relative_to(apart):
        raise UsageError(f"the results can't be written to '{but_not}': the source is there; give another folder")
    found = [path for path in found if apart is None or not path.resolve().is_relative_to(apart)]
    if not found:
        raise InputError(f"the folder '{source}' holds no {', '.join(SUFFIXES)} file")
    return [_file(path, inside) for path in found]


def _file(path: Path, inside: Path) -> SourceFile:
    name = path.relative_to(inside).as_posix()
    try:
        with path.open("rb"):
            about = path.stat()
    except OSError as error:
        raise InputError(f"the file '{name}' can't be read: {error.strerror}") from None
    return SourceFile(name, about.st_size, about.st_mtime_ns)


def path_of(source: Path, name: str) -> Path:
    """Return where a file of a source is, by its name."""
    return source / name if source.is_dir() else source


def pieces(source: Path, found: Iterable[SourceFile], size: int = PIECE) -> list[FilePiece]:
    """Return the pieces of all files. A document and a gzipped file are one piece each."""
    made: list[FilePiece] = []
    for file in found:
        whole = is_document(file.name) or _is_gzip(path_of(source, file.name))
        step = max(file.size, 1) if whole else size
        for start in range(0, max(file.size, 1), step):
            made.append(FilePiece(len(made), file.name, start, min(start + step, file.size)))
    return made


def is_document(name: str) -> bool:
    """Whether a file is read as one JSON document; any other has a resource in each line."""
    return name.endswith((".json", ".json.gz"))


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as opened:
        return opened.read(2) == b"\x1f\x8b"


def lines(
    path: Path, piece: FilePiece, *, document: bool, limit: int = LIMIT, read: Callable[[int], object] = lambda _: None
) -> Iterator[LineBlock]:
    """Yield the lines of a piece, many at a time; `read` is told how many bytes of the file are done.

    For what can't be read there is a LineBlock that says why; after a damaged gzip stream nothing more comes.
    """
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        opened = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if packed else raw
        blocks = _blocks(opened, raw, piece, read, whole=packed or document)
        yield from (_document(blocks, limit) if document else _split(blocks, limit, first=piece.start == 0))


class _Damaged(Exception):
    """The gzip stream ends early or is wrong."""


def _blocks(
    opened: BinaryIO, raw: BinaryIO, piece: FilePiece, read: Callable[[int], object], *, whole: bool
) -> Iterator[bytes]:
    """Yield the bytes of a piece, up to the end of the line in which it ends."""
    at = 0 if whole else _line_start(raw, piece.start)
    done = piece.start
    while whole or at < piece.end:
        try:
            block = opened.read(BLOCK if whole else min(BLOCK, piece.end - at))
        except (EOFError, OSError, zlib.error) as error:
            raise _Damaged from error
        if not block:
            return
        at += len(block)
        yield block
        while not whole and at >= piece.end and not block.endswith(b"\n") and (block := opened.readline(BLOCK)):
            yield block
        position = min(raw.tell(), piece.end)
        read(max(position - done, 0))
        done = max(position, done)


def _line_start(raw: BinaryIO, start: int) -> int:
    """Go to the first line that begins at `start` or later, and return where that is."""
    if start == 0:
        return 0
    raw.seek(start - 1)
    raw.readline()
    return raw.tell()


_EARLY = "the file ends early or its checksum is wrong; what followed is not known"


def _split(blocks: Iterator[bytes], limit: int, *, first: bool) -> Iterator[LineBlock]:
    number, held, size = 1, [], 0
    try:
        for block in blocks:
            found = block.split(b"\n")
            size += len(found[0])
            if size <= limit:
                held.append(found[0])
            if len(found) == 1:
                continue
            last = found.pop()
            yield from _whole(number, [b"".join(held), *found[1:]], limit if size > limit else 0, first=first)
            number, held, size, first = number + len(found), [last], len(last), False
    except _Damaged:
        yield LineBlock(number, [], _EARLY)
        return
    if size:
        yield from _whole(number, [b"".join(held)], limit if size > limit else 0, first=first)


def _whole(number: int, found: list[bytes], beyond: int, *, first: bool) -> Iterator[LineBlock]:
    """Yield whole lines; of the first of them there is nothing where it is `beyond` so many bytes."""
    if first:
        found[0] = found[0].removeprefix(b"\xef\xbb\xbf")
    if beyond:
        yield LineBlock(number, [], f"the line is longer than the {beyond // 1024 // 1024} MB that one may have")
        number, found = number + 1, found[1:]
    yield LineBlock(number, [each.strip() for each in found])


def _document(blocks: Iterator[bytes], limit: int) -> Iterator[LineBlock]:
    held, size = [], 0
    try:
        for block in blocks:
            size += len(block)
            if size > limit:
                yield LineBlock(
                    0, [], f"the file is larger than the {limit // 1024 // 1024} MB that a document may have"
                )
                return
            held.append(block)
    except _Damaged:
        yield LineBlock(0, [], _EARLY)
        return
    if data := b"".join(held).removeprefix(b"\xef\xbb\xbf").strip():
        yield LineBlock(0, [data])
