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

from precaution.cohort.run_fhir import as_text
from precaution.cohort.sort.files import File, Piece, path_of
from precaution.cohort.sort.lines import Framed, Job, Sorted, Writer, hash_of, sort_lines
from precaution.cohort.tables import put
from precaution.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

BATCH = 8 * 1024 * 1024
"""Bytes of small files that one task takes; a piece of a large file is a task of its own."""
HELD = 16 * 1024 * 1024
"""Bytes of lines in one row group: what Spark reads at a time, unless a single line is longer."""
LINES = pa.schema(
    [
        ("hash", pa.int64()),
        ("person", pa.string()),
        ("piece", pa.int32()),
        ("place", pa.int64()),
        ("number", pa.int64()),
        ("sort", pa.int8()),
        ("partition", pa.int32()),
        ("data", pa.binary()),
    ]
)
AS_SPARK_SAYS = (
    "hash bigint, person string, piece int, place bigint, number bigint, sort tinyint, partition int, data binary"
)
ORDER = ("hash", "person", "piece", "place")
"""So partitions follow each other, in each of them patients as on one machine, of each patient lines as they came."""
HALF = "half"
"""The folder for files while they are written."""
_SIGN = 1 << 63


class Cut(NamedTuple):
    """A piece with its number, and the name of its file."""

    piece: int
    file: str
    start: int
    end: int


class Batch(NamedTuple):
    """What one task of the first pass takes."""

    number: int
    cuts: tuple[Cut, ...]

    @property
    def size(self) -> int:
        """Its bytes."""
        return sum(cut.end - cut.start for cut in self.cuts)


def batches(cut: Sequence[Piece], found: Sequence[File]) -> list[Batch]:
    """Return the pieces of a source in batches: always the same ones."""
    made: list[list[Cut]] = []
    size = BATCH
    for number, piece in enumerate(cut):
        more = piece.end - piece.start
        if size + more > BATCH:
            made.append([])
            size = 0
        made[-1].append(Cut(number, found[piece.file].name, piece.start, piece.end))
        size += more
    return [Batch(number, tuple(cuts)) for number, cuts in enumerate(made)]


class FirstPass(NamedTuple):
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


def sort_batch(job: Job, batch: Batch) -> None:
    """Sort the lines of a batch by partition. Raises InputError for a file that can't be read; OutputError."""

    def fill(sink: Lines) -> str:
        return as_text([_sorted(job, cut, sink) for cut in batch.cuts])

    written(job, batch, fill)


def _sorted(job: Job, cut: Cut, sink: Lines) -> Sorted:
    alone = job._replace(files=(File(cut.file, cut.end, 0),))
    return sort_lines((alone, cut.piece, Piece(0, cut.start, cut.end)), sink)


def written(job: Job, batch: Batch, fill: Callable[[Lines], str]) -> None:
    """Write what `fill` gives to the file of a batch, then the report it returns. Raises InputError, OutputError."""
    for cut in batch.cuts:
        _check_readable(job, cut)
    half = job.work / HALF
    own = half / f"{batch.number}-{token_hex(8)}"
    own.mkdir()
    try:
        first = FirstPass(job.work, job.keep_all)
        apart = Writer(job._replace(work=own))
        report: list[object] = []

        def write(path: Path) -> None:
            with pq.ParquetWriter(path, LINES) as writer:
                sink = Lines(job, writer, apart)
                report[:] = [fill(sink), sink.count]
                sink.flush()

        put(first.lines / f"{batch.number:06d}.parquet", write, half)
        apart.flush()
        for path in own.iterdir():
            path.replace(job.work / f"{path.stem}.{batch.number:06d}")
        text = json.dumps(report)
        put(first.report(batch.number), lambda path: path.write_text(text, encoding="utf-8"), half)
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _check_readable(job: Job, cut: Cut) -> None:
    try:
        with path_of(job.source, File(cut.file, 0, 0)).open("rb"):
            pass
    except OSError as error:
        raise InputError(
            f"the file '{cut.file}' can't be read where a task runs: {error.strerror}; the source must be "
            "at the same path on every machine"
        ) from None


class Lines:
    """Takes lines: those of a partition for the Parquet file, others for files of their own."""

    def __init__(self, job: Job, writer: pq.ParquetWriter, apart: Writer) -> None:
        """Give them to two writers."""
        self.job = job
        self.count = Counter[int]()
        self._writer, self._apart = writer, apart
        self._rows: list[tuple[object, ...]] = []
        self._place = self._size = 0

    def write(self, name: str, line: Framed) -> None:
        """Take a line."""
        if not name.isdecimal():
            self._apart.write(name, line)
            return
        partition, key = int(name), _kept(line.key)
        self.count[partition] += 1
        self._place += 1
        self._rows.append(
            (hash_of(key) - _SIGN, key, line.piece, self._place, line.number, line.sort, partition, line.data)
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


def framed(rows: Iterable[tuple[Any, ...]]) -> list[Framed]:
    """Return rows of lines as what a partition on disk would hold."""
    return [Framed(sort, piece, number, person, data) for _, person, piece, _, number, sort, _, data in rows]
