"""What a task of Spark does, on whichever machine: it is given Arrow batches, and answers with what it did.

What goes wrong is answered too, and raised where the run was started: an exception in a task would be tried again by
Spark, and its text, which may quote a record, would stand in Spark's logs.
"""

from __future__ import annotations

import json
import pickle
from functools import lru_cache
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from precaution.cohort.deciding_fhir import FhirPartition, OtherVersion
from precaution.cohort.label_source import LabelSource
from precaution.cohort.problems import message_of
from precaution.cohort.sort.files import FilePiece
from precaution.cohort.spark.lines import LINES, Batch, SortJob, framed, sort_batch
from precaution.errors import OutputError, PrecautionError
from precaution.tables.schema import as_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from precaution.cohort.context import RunContext
    from precaution.cohort.sort.sorted import Sorted

    Batches = Iterator[pa.RecordBatch]
    Work = Callable[[Batches], Iterator[tuple[int, int]]]
    DecideOne = Callable[[Any, str, Iterable[tuple[Any, ...]]], int]
    """Decides one patient of a partition from rows of `LINES`, and returns how many there were."""

TOKEN = "token"  # noqa: S105 - it names a run, and opens nothing
REPLY = "number int, lines bigint, error string, message string"
"""What a task answers for each thing done: its number, how many lines it took, or what went wrong."""
LABEL, POLICY, CODES = "label", "policy.toml", "codes"
"""Where a label, its policy and its code lists are in its folder of the archive that is sent along."""
_PARTITION, _PERSON = LINES.names.index("partition"), LINES.names.index("person")


class Same(NamedTuple):
    """The mark by which a task knows that its run is still on: a lost one may end after its run was given up."""

    token: str
    digests: tuple[str, ...]
    """The labels'."""

    def check(self, work: Path) -> None:
        """Raise OutputError where the run's folder is not seen from here, or belongs to another run."""
        try:
            there = (work / TOKEN).read_text(encoding="utf-8")
        except OSError:
            there = ""
        if there != self.token:
            raise OutputError(
                f"a task does not see this run's results at '{work.parent}': the folder must be at the "
                "same path on every machine, and no other run may use it"
            )

    def labels(self, root: str, given: Sequence[LabelSource]) -> tuple[LabelSource, ...]:
        """Return where the labels are on this machine. Raises OutputError where one is not the one that was sent."""
        return tuple(_received(root, each, at, self.digests[at]) for at, each in enumerate(given))


@lru_cache(maxsize=8)
def _received(root: str, given: LabelSource, at: int, digest: str) -> LabelSource:
    there = received(root, given, at)
    if there.load().digest != digest:
        raise OutputError("the label that reached a machine of the cluster is not the one that was sent")
    return there


def folder_of(at: int) -> str:
    """Return the folder, in the archive, of the label at that place among those of the run."""
    return f"given/{at}"


def received(root: str, given: LabelSource, at: int = 0) -> LabelSource:
    """Return where a label is that was sent along, on the machine where the archive was unpacked at `root`."""
    there = Path(root) / folder_of(at)
    codes = tuple(there / CODES / str(number) for number in range(len(given.codes)))
    return LabelSource(str(there / LABEL), there / POLICY if given.policy else None, codes)


def sort(batches: Batches, root: str, given: bytes) -> Batches:
    """Do the first pass over batches of pieces; each row is a number and the pieces as JSON."""
    yield from _sorted(batches, root, given, lambda: sort_batch)


def sort_rows(batches: Batches, root: str, given: bytes) -> Batches:
    """Do the first pass over batches of tables."""

    def load() -> Callable[[SortJob, Batch], None]:
        from precaution.cohort.spark.rows import sort_rows  # noqa: PLC0415 - it needs DuckDB, and says so

        return sort_rows

    yield from _sorted(batches, root, given, load)


def _sorted(batches: Batches, root: str, given: bytes, load: Callable[[], Callable[[SortJob, Batch], None]]) -> Batches:
    job: SortJob
    same: Same
    job, same = pickle.loads(given)  # noqa: S301 - from the process that started this one

    def work(batches: Batches) -> Iterator[tuple[int, int]]:
        sort_one = load()
        here = job._replace(context=_with_labels(job.context, same.labels(root, job.context.labels)))
        for number, pieces in chain.from_iterable(map(as_rows, batches)):
            same.check(job.context.work)
            if not job.files.report(number).exists():
                sort_one(here, Batch(number, tuple(FilePiece(*piece) for piece in json.loads(pieces))))
            yield number, 0

    yield from _answers(batches, work)


def _with_labels(context: RunContext, labels: tuple[LabelSource, ...]) -> RunContext:
    return context._replace(labels=labels)


def decide(batches: Batches, root: str, given: bytes) -> Batches:
    """Do the second pass over whole partitions; their rows, those of `LINES`, come in order of patients."""
    yield from _decided(batches, root, given, lambda: (FhirPartition, patient))


def decide_rows(batches: Batches, root: str, given: bytes) -> Batches:
    """Do the second pass over whole partitions of tables."""

    def load() -> tuple[Any, DecideOne]:
        from precaution.cohort.deciding_rows import RowsPartition  # noqa: PLC0415 - it needs DuckDB, and says so
        from precaution.cohort.spark.rows import of_person  # noqa: PLC0415

        def person(partition: Any, name: str, rows: Iterable[tuple[Any, ...]]) -> int:
            every = list(rows)
            partition.person(name, *of_person(every))
            return len(every)

        return RowsPartition, person

    yield from _decided(batches, root, given, load)


def patient(partition: FhirPartition, name: str, rows: Iterable[tuple[Any, ...]]) -> int:
    """Decide one patient from rows of lines, and return how many there were."""
    lines = framed(rows)
    partition.patient(name, lines)
    return len(lines)


def _decided(batches: Batches, root: str, given: bytes, load: Callable[[], tuple[Any, DecideOne]]) -> Batches:
    context: RunContext
    found: Sorted
    same: Same
    context, found, same = pickle.loads(given)  # noqa: S301

    def work(batches: Batches) -> Iterator[tuple[int, int]]:
        here, (begin, decide_one) = _with_labels(context, same.labels(root, context.labels)), load()
        for number, rows in groupby(chain.from_iterable(map(as_rows, batches)), itemgetter(_PARTITION)):
            same.check(context.work)
            partition = begin(here, found, number)
            lines = each_person(partition, rows, decide_one)
            same.check(context.work)
            partition.written()
            yield number, lines

    yield from _answers(batches, work)


def each_person(partition: Any, rows: Iterable[tuple[Any, ...]], decide_one: DecideOne) -> int:
    """Decide patient after patient, with one patient's rows in memory; return how many rows there were."""
    return sum(decide_one(partition, person, own) for person, own in groupby(rows, itemgetter(_PERSON)))


def _answers(batches: Batches, work: Work) -> Batches:
    """Yield what was done, or what went wrong; in any case everything is taken that Spark has to give."""
    try:
        for number, lines in work(batches):
            yield _answer(number, lines)
    except (OtherVersion, PrecautionError) as error:
        yield _answer(-1, 0, type(error).__name__, str(error))
    except OSError as error:
        yield _answer(
            -1,
            0,
            "OutputError",
            f"a file can't be read or written: {error.strerror or 'no room?'}; what is done is kept: run again",
        )
    except Exception as error:
        raise RuntimeError(message_of(error)) from None
    for _ in batches:
        pass


def _answer(number: int, lines: int, error: str = "", message: str = "") -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {
            "number": pa.array([number], pa.int32()),
            "lines": pa.array([lines], pa.int64()),
            "error": [error],
            "message": [message],
        }
    )
