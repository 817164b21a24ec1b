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
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from precaution.cohort.deciding import OtherVersion, Part
from precaution.cohort.problems import message_of
from precaution.cohort.spark.lines import LINES, Batch, Cut, FirstPass, framed, sort_batch
from precaution.cohort.spark.shipping import received
from precaution.errors import OutputError, PrecautionError
from precaution.knowledge.loading import load_label
from precaution.tables.schema import as_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from precaution.cohort.label_of import LabelOf
    from precaution.cohort.sort.lines import Job

    Batches = Iterator[pa.RecordBatch]
    Work = Callable[[Batches], Iterator[tuple[int, int]]]
    OfOne = Callable[[Any, str, Iterable[tuple[Any, ...]]], int]

TOKEN = "token"  # noqa: S105 - it names a run, and opens nothing
_PARTITION, _PERSON = LINES.names.index("partition"), LINES.names.index("person")


class Same(NamedTuple):
    """By what a task knows that its run is still on: one that was taken for lost may end after its run was given up."""

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

    def label(self, root: str, given: LabelOf) -> LabelOf:
        """Return where the label is on this machine. Raises OutputError where it is not the one that was sent."""
        return _received(root, given, self.digest)


@lru_cache(maxsize=8)
def _received(root: str, given: LabelOf, digest: str) -> LabelOf:
    of = received(root, given)
    if load_label(of.folder, policy=of.policy, codes=of.codes).digest != digest:
        raise OutputError("the label that reached a machine of the cluster is not the one that was sent")
    return of


def sort(batches: Batches, root: str, given: bytes) -> Batches:
    """Do the first pass over batches of pieces; each row is a number and the pieces as JSON."""
    yield from _sorted(batches, root, given, lambda: sort_batch)


def sort_rows(batches: Batches, root: str, given: bytes) -> Batches:
    """Do the first pass over batches of tables."""

    def load() -> Callable[[Job, Batch], None]:
        from precaution.cohort.spark.rows import sort_rows  # noqa: PLC0415 - it needs DuckDB, and says so

        return sort_rows

    yield from _sorted(batches, root, given, load)


def _sorted(batches: Batches, root: str, given: bytes, load: Callable[[], Callable[[Job, Batch], None]]) -> Batches:
    job: Job
    same: Same
    job, same = pickle.loads(given)  # noqa: S301 - from the process that started this one

    def work(batches: Batches) -> Iterator[tuple[int, int]]:
        here, one = job._replace(label=same.label(root, job.label)), load()
        for number, cuts in chain.from_iterable(map(as_rows, batches)):
            same.check(job.work)
            if not FirstPass(job.work, job.keep_all).report(number).exists():
                one(here, Batch(number, tuple(Cut(*cut) for cut in json.loads(cuts))))
            yield number, 0

    yield from _answers(batches, work)


def decide(batches: Batches, root: str, given: bytes) -> Batches:
    """Do the second pass over whole partitions; their rows, those of `LINES`, come in order of patients."""
    yield from _decided(batches, root, given, lambda: (Part, patient))


def decide_rows(batches: Batches, root: str, given: bytes) -> Batches:
    """Do the second pass over whole partitions of tables."""

    def load() -> tuple[Any, OfOne]:
        from precaution.cohort.run_tables import RowsRun  # noqa: PLC0415 - it needs DuckDB, and says so
        from precaution.cohort.spark.rows import of_person  # noqa: PLC0415

        def person(part: Any, name: str, rows: Iterable[tuple[Any, ...]]) -> int:
            every = list(rows)
            part.person(name, *of_person(every))
            return len(every)

        return RowsRun, person

    yield from _decided(batches, root, given, load)


def patient(part: Part, name: str, rows: Iterable[tuple[Any, ...]]) -> int:
    """Decide one patient from rows of lines, and return how many there were."""
    lines = framed(rows)
    part.patient(name, lines)
    return len(lines)


def _decided(batches: Batches, root: str, given: bytes, load: Callable[[], tuple[Any, OfOne]]) -> Batches:
    task: Any
    same: Same
    task, same = pickle.loads(given)  # noqa: S301

    def work(batches: Batches) -> Iterator[tuple[int, int]]:
        here, (begin, one) = task._replace(label=same.label(root, task.label)), load()
        for number, rows in groupby(chain.from_iterable(map(as_rows, batches)), itemgetter(_PARTITION)):
            same.check(task.work)
            part = begin(here, number)
            lines = each_person(part, rows, one)
            same.check(task.work)
            part.written()
            yield number, lines

    yield from _answers(batches, work)


def each_person(part: Any, rows: Iterable[tuple[Any, ...]], one: OfOne) -> int:
    """Decide patient after patient, with one patient's rows in memory; return how many rows there were."""
    return sum(one(part, person, own) for person, own in groupby(rows, itemgetter(_PERSON)))


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
