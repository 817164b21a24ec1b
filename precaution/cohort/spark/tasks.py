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
    from collections.abc import Callable, Iterable, Iterator

    from precaution.cohort.context import RunContext
    from precaution.cohort.sort.sorted import Sorted

    Batches = Iterator[pa.RecordBatch]
    Work = Callable[[Batches], Iterator[tuple[int, int]]]
    DecideOne = Callable[[Any, str, Iterable[tuple[Any, ...]]], int]
    """Decides one patient of a partition from rows of `LINES`, and returns how many there were."""

TOKEN = "token"  # noqa: S105 - it names a run, and opens nothing
REPLY = "number int, lines bigint, error string, message string"
"""What a task answers for each thing done: its number, how many lines it took, or what went wrong."""
LABEL, POLICY, CODES = "given/label", "given/policy.toml", "given/codes"
"""Where the label, the policy and the code lists are in the archive that is sent along."""
_PARTITION, _PERSON = LINES.names.index("partition"), LINES.names.index("person")


class Same(NamedTuple):
    """The mark by which a task knows that its run is still on: a lost one may end after its run was given up."""

    token: str
    digest: str
    """The label's."""

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

    def label(self, root: str, given: LabelSource) -> LabelSource:
        """Return where the label is on this machine. Raises OutputError where it is not the one that was sent."""
        return _received(root, given, self.digest)


@lru_cache(maxsize=8)
def _received(root: str, given: LabelSource, digest: str) -> LabelSource:
    there = received(root, given)
    if there.load().digest != digest:
        raise OutputError("the label that reached a machine of the cluster is not the one that was sent")
    return there


def received(root: str, given: LabelSource) -> LabelSource:
    """Return where a label is that was sent along, on the machine where the archive was unpacked at `root`."""
    there = Path(root)
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
        here = job._replace(context=_with_label(job.context, same.label(root, job.context.label)))
        for number, pieces in chain.from_iterable(map(as_rows, batches)):
            same.check(job.context.work)
            if not job.files.report(number).exists():
                sort_one(here, Batch(number, tuple(FilePiece(*piece) for piece in json.loads(pieces))))
            yield number, 0

    yield from _answers(batches, work)


def _with_label(context: RunContext, label: LabelSource) -> RunContext:
    return context._replace(label=label)


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
        here, (begin, decide_one) = _with_label(context, same.label(root, context.label)), load()
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
