"""The first pass in a task of Spark: lines go, as they are, to one Parquet file a task, for Spark to sort by person."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from precaution.cohort.context import RunContext
from precaution.cohort.sort.files import FilePiece, path_of
from precaution.cohort.sort.lines import LinesToSort, sort_lines
from precaution.cohort.sort.partition_files import FramedLine, PartitionWriter, hash_of, partition_of
from precaution.cohort.sort.sorted import as_json
from precaution.cohort.tables import put
from precaution.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BATCH = 8 * 1024 * 1024
"""Bytes of small files that one task takes; a piece of a large file is a task of its own."""
HELD = 16 * 1024 * 1024
"""Bytes of lines in one row group: what Spark reads at a time, unless a single line is longer."""
LINES = pa.schema(
    [
        ("hash", pa.int64()),
        ("person", pa.string()),
        ("piece", pa.int32()),
        ("position", pa.int64()),
        ("number", pa.int64()),
        ("role", pa.int8()),
        ("partition", pa.int32()),
        ("data", pa.binary()),
    ]
)
AS_SPARK_SAYS = (
    "hash bigint, person string, piece int, position bigint, number bigint, role tinyint, partition int, data binary"
)
ORDER = ("hash", "person", "piece", "position")
"""So partitions follow each other, in each of them patients as on one machine, of each patient lines as they came."""
HALF = "half"
"""The folder for files while they are written."""
_SIGN = 1 << 63


class Batch(NamedTuple):
    """What one task of the first pass takes."""

    number: int
    pieces: tuple[FilePiece, ...]

    @property
    def size(self) -> int:
        """Its bytes."""
        return sum(piece.end - piece.start for piece in self.pieces)


def batches(pieces: Iterable[FilePiece]) -> list[Batch]:
    """Return the pieces of a source in batches: always the same ones."""
    made: list[list[FilePiece]] = []
    size = BATCH
    for piece in pieces:
        more = piece.end - piece.start
        if size + more > BATCH:
            made.append([])
            size = 0
        made[-1].append(piece)
        size += more
    return [Batch(number, tuple(own)) for number, own in enumerate(made)]


class BatchFiles(NamedTuple):
    """Where the first pass writes; a second try, which drops nothing, has folders of its own."""

    work: Path
    keep_all: bool

    @property
    def lines(self) -> Path:
        """The folder of lines."""
        return self.work / ("all-lines" if self.keep_all else "lines")

    def report(self, batch: int) -> Path:
        """Return the file that says what was found in a batch; it is there when all else of the batch is."""
        return self.work / ("all-sorted" if self.keep_all else "sorted") / f"{batch:06d}.json"

    def reported(self, batch: int) -> tuple[str, Counter[int]]:
        """Return what was found in a batch, as it was written, and how many lines each partition got."""
        found, lines = json.loads(self.report(batch).read_text(encoding="utf-8"))
        return found, Counter({int(number): count for number, count in lines.items()})


class SortJob(NamedTuple):
    """What every task of the first pass is given."""

    context: RunContext
    keep_all: bool
    """Whether to keep also the lines that only show that a list is kept."""

    @property
    def files(self) -> BatchFiles:
        """Where it writes."""
        return BatchFiles(self.context.work, self.keep_all)


def sort_batch(job: SortJob, batch: Batch) -> None:
    """Sort the lines of a batch by partition. Raises InputError for a file that can't be read; OutputError."""

    def fill(sink: ParquetSink) -> str:
        return as_json([sort_lines(LinesToSort(job.context, piece, job.keep_all), sink) for piece in batch.pieces])

    written(job, batch, fill)


def written(job: SortJob, batch: Batch, fill: Callable[[ParquetSink], str]) -> None:
    """Write what `fill` gives to the file of a batch, then the report it returns. Raises InputError, OutputError."""
    for piece in batch.pieces:
        _check_readable(job.context, piece)
    work = job.context.work
    half = work / HALF
    own = half / f"{batch.number}-{token_hex(8)}"
    own.mkdir()
    try:
        apart = PartitionWriter(own)
        report: list[object] = []

        def write(path: Path) -> None:
            with pq.ParquetWriter(path, LINES) as writer:
                sink = ParquetSink(writer, apart)
                report[:] = [fill(sink), sink.count]
                sink.flush()

        put(job.files.lines / f"{batch.number:06d}.parquet", write, half)
        apart.flush()
        for path in own.iterdir():
            path.replace(work / f"{path.stem}.{batch.number:06d}")
        text = json.dumps(report)
        put(job.files.report(batch.number), lambda path: path.write_text(text, encoding="utf-8"), half)
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _check_readable(context: RunContext, piece: FilePiece) -> None:
    try:
        with path_of(context.path, piece.file).open("rb"):
            pass
    except OSError as error:
        raise InputError(
            f"the file '{piece.file}' can't be read where a task runs: {error.strerror}; the source must be "
            "at the same path on every machine"
        ) from None


def place(person: str, partitions: int) -> tuple[str, int, int]:
    """Return a patient's id as it is kept in a row, with the hash and the partition of it."""
    key = _kept(person)
    return key, hash_of(key) - _SIGN, partition_of(person, partitions)


class ParquetSink:
    """Takes lines: those of a partition for the Parquet file, others for files of their own."""

    def __init__(self, writer: pq.ParquetWriter, apart: PartitionWriter) -> None:
        """Give them to two writers."""
        self.count = Counter[int]()
        self._writer, self._apart = writer, apart
        self._rows: list[tuple[object, ...]] = []
        self._position = self._size = 0

    def write(self, name: str, line: FramedLine) -> None:
        """Take a line."""
        if not name.isdecimal():
            self._apart.write(name, line)
            return
        partition, key = int(name), _kept(line.key)
        self.count[partition] += 1
        self._position += 1
        self._rows.append(
            (hash_of(key) - _SIGN, key, line.piece, self._position, line.number, line.role, partition, line.data)
        )
        self._size += len(line.data)
        if self._size >= HELD:
            self.flush()

    def flush(self) -> None:
        """Write what is held back as a row group."""
        columns: list[Any] = list(zip(*self._rows, strict=True)) if self._rows else [()] * len(LINES)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, LINES, strict=True)]
        self._writer.write_table(pa.table(arrays, schema=LINES))
        self._rows, self._size = [], 0


def _kept(key: str) -> str:
    """Return a patient's id as the partitions of one machine keep it."""
    return key.encode("utf-8", "replace")[:65535].decode("utf-8", "replace")


def framed(rows: Iterable[tuple[Any, ...]]) -> list[FramedLine]:
    """Return rows of lines as what a partition on disk would hold."""
    return [FramedLine(role, piece, number, person, data) for _, person, piece, _, number, role, _, data in rows]
