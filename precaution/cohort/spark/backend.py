"""A run on Spark: what is left of both passes is given out as tasks, and what they wrote is added up."""

from __future__ import annotations

import json
import pickle
import shutil
from collections import Counter
from secrets import token_hex
from typing import TYPE_CHECKING

from precaution.cohort.deciding import check_strict, decided_before
from precaution.cohort.deciding_fhir import FhirPartition
from precaution.cohort.label_source import loaded
from precaution.cohort.progress import Progress
from precaution.cohort.results import finished
from precaution.cohort.run_fhir import both_passes, sorted_lines
from precaution.cohort.sort.files import FilePiece, pieces
from precaution.cohort.sort.sorted import pieces_from_json
from precaution.cohort.spark.jobs import SparkJobs
from precaution.cohort.spark.lines import AS_SPARK_SAYS, HALF, LINES, ORDER, BatchFiles, SortJob, batches, place
from precaution.cohort.spark.session import LOG, opened, uri
from precaution.cohort.spark.shipping import archive, shipped
from precaution.cohort.spark.tasks import REPLY, TOKEN, Same
from precaution.cohort.tables import put
from precaution.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from precaution.cohort.context import RunContext
    from precaution.cohort.deciding import Decided, Partition
    from precaution.cohort.progress import Tell
    from precaution.cohort.results import Summary
    from precaution.cohort.sort.sorted import Sorted
    from precaution.cohort.spark import Spark
    from precaution.cohort.spark.lines import Batch


def run(context: RunContext, tell: Tell, spark: Spark) -> Summary:
    """Do what is left of a run over FHIR on Spark, and mark it as complete.

    Raises InputError if `strict`; OutputError; UsageError where Spark can't be started.
    """
    with opened(spark, context.work) as session:
        found, parts = both_passes(context, SparkBackend(context, session, Progress(tell)))
    return finished(context, found, parts)


def run_tables(context: RunContext, tell: Tell, spark: Spark) -> Summary:
    """Do what is left of a run over tables on Spark, and mark it as complete; for what is raised see `run`."""
    from precaution.cohort.deciding_rows import RowsPartition  # noqa: PLC0415 - what needs DuckDB
    from precaution.cohort.run_tables import decided  # noqa: PLC0415
    from precaution.cohort.spark.rows import gathered  # noqa: PLC0415

    progress = Progress(tell)
    with opened(spark, context.work) as session:
        backend = SparkBackend(context, session, progress)
        files = [FilePiece(number, file.name, 0, file.size) for number, file in enumerate(context.files)]
        found = gathered(backend.sort_by("sort_rows", files, keep_all=False))
        parts = decided(context, progress, found, lambda rows: backend.decide_by("decide_rows", rows, RowsPartition))
    return finished(context, found, parts)


class SparkBackend:
    """The two passes in a session of Spark."""

    def __init__(self, context: RunContext, session: SparkSession, progress: Progress) -> None:
        """Send to the machines what they need, and mark the folder as this run's."""
        work, labels = context.work, context.labels
        self._context, self._session, self._progress = context, session, progress
        self._jobs = SparkJobs(session, work / LOG)
        self._same = Same(token_hex(16), tuple(each.digest for each in loaded(labels)))
        sent = archive(*labels)
        self._archive = sent.name
        spark_context = session.sparkContext
        if not any(each.endswith(sent.name) for each in spark_context.listArchives):
            spark_context.addArchive(str(sent))
        shutil.rmtree(work / HALF, ignore_errors=True)
        (work / HALF).mkdir()
        put(work / TOKEN, lambda path: path.write_text(self._same.token, encoding="utf-8"))
        self._given = context.for_task()._replace(source=context.path.resolve(), out=context.out.resolve())
        """What tasks are told of the run, wherever they are."""
        self._files = BatchFiles(work, keep_all=False)
        self._expected = Counter[int]()

    def sort(self, *, keep_all: bool) -> Sorted:
        """Do what is left of the first pass; see `precaution.cohort.run_fhir.Backend`."""
        context = self._context
        reports = self.sort_by("sort", pieces(context.path, context.files), keep_all=keep_all)
        return sorted_lines(context, (piece for report in reports for piece in pieces_from_json(report)))

    def sort_by(self, call: str, cut: Iterable[FilePiece], *, keep_all: bool) -> list[str]:
        """Do what is left of a first pass by the task `call`, and return the reports of all batches, in order."""
        every, files = batches(cut), BatchFiles(self._context.work, keep_all)
        left = [batch for batch in every if not files.report(batch.number).exists()]
        self._progress.begin("bytes sorted", sum(batch.size for batch in every))
        self._progress.add(sum(batch.size for batch in every) - sum(batch.size for batch in left))
        if left:
            given = SortJob(self._given, keep_all), self._same
            frame = self._do(self._as_frame(left), len(left), "task", call, given, drop="task")
            sizes = {files.report(batch.number): batch.size for batch in left}
            self._jobs.answers(frame, _FinishedFiles(self._progress, sizes))
        reports, self._expected = _reported(files, every)
        self._files = files
        return reports

    def _as_frame(self, left: Iterable[Batch]) -> DataFrame:
        rows = [(task, batch.number, json.dumps(batch.pieces)) for task, batch in enumerate(left)]
        return self._session.createDataFrame(rows, "task int, number int, pieces string")

    def decide(self, found: Sorted) -> list[Decided]:
        """Do what is left of the second pass; see `precaution.cohort.run_fhir.Backend`."""
        self._progress.begin("patients decided", found.patients)
        return self.decide_by("decide", found, FhirPartition)

    def decide_by(
        self, call: str, found: Sorted, begin: Callable[[RunContext, Sorted, int], Partition]
    ) -> list[Decided]:
        """Do what is left of a second pass by the task `call`; `begin`: a partition nobody's lines went to."""
        context = self._context
        done = _DecidedPartitions(context, self._progress)
        done()
        lines = self._joined(self._session.read.schema(AS_SPARK_SAYS).parquet(uri(self._files.lines)), found.merged)
        last = context.partitions - 1
        if context.limit:
            lines, last = self._limited(lines, context.limit)
        left = [number for number in range(last + 1) if number not in done.parts and self._expected[number]]
        if left:
            whole = lines.where(lines.partition.isin(left)) if len(left) < context.partitions else lines
            given = self._given, found.for_task(), self._same
            frame = self._do(whole, context.partitions, "partition", call, given, order=ORDER)
            answers = self._jobs.answers(frame, done)
            done()
            if not context.limit:
                _check_lines({row.number: row.lines for row in answers}, {part: self._expected[part] for part in left})
        for number in range(last + 1):
            if number not in done.parts:
                done.parts[number] = begin(context, found, number).written()
        return [done.parts[number] for number in range(last + 1)]

    def _joined(self, lines: DataFrame, merged: dict[str, str]) -> DataFrame:
        """Return the lines of merged patients as those of the one who stands for the person."""
        if not merged:
            return lines
        from pyspark.sql import functions as f  # noqa: PLC0415

        rows = [(old, *place(new, self._context.partitions)) for old, new in merged.items()]
        to = self._session.createDataFrame(rows, "person string, new string, at bigint, place int")
        both = lines.join(f.broadcast(to), "person", "left")
        moved = both.where(both.new.isNotNull()).groupBy("partition", "place").count()
        for row in self._jobs.answers(moved):
            self._expected[row["partition"]] -= row["count"]
            self._expected[row["place"]] += row["count"]
        new = {"hash": both["at"], "person": both["new"], "partition": both["place"]}
        return both.select(
            *(f.coalesce(new[name], both[name]).alias(name) if name in new else both[name] for name in LINES.names)
        )

    def _limited(self, lines: DataFrame, limit: int) -> tuple[DataFrame, int]:
        """Return the lines of the first patients by the hash of their id, and the last of their partitions."""
        from pyspark.sql import functions as f  # noqa: PLC0415

        who = f.struct("hash", "person", "partition")
        some = lines.select("hash", "person", "partition").distinct().orderBy("hash", "person").limit(limit)
        last = self._jobs.answers(some.agg(f.max(who).alias("last")))[0]["last"]
        if last is None:
            return lines, 0
        up_to = f.struct(f.lit(last["hash"]), f.lit(last["person"]))
        return lines.where(f.struct("hash", "person") <= up_to), last["partition"]

    def _do(
        self,
        frame: DataFrame,
        count: int,
        by: str,
        call: str,
        given: tuple[object, ...],
        order: tuple[str, ...] = (),
        drop: str = "",
    ) -> DataFrame:
        """Return what the task `call` answers to the rows of a frame: those of one number in `by` are one task's."""
        apart = getattr(frame, "repartitionById", None)  # from Spark 4.1 on; by a hash two may meet in one task
        spread = apart(count, frame[by]) if apart else frame.repartition(count, by)
        spread = spread.sortWithinPartitions(*order) if order else spread
        return spread.drop(drop).mapInArrow(shipped(self._archive, call, pickle.dumps(given)), REPLY)


class _FinishedFiles:
    """Looks which files have come to be, and tells how much that is."""

    def __init__(self, progress: Progress, sizes: dict[Path, int]) -> None:
        self._progress, self._left = progress, sizes

    def __call__(self) -> None:
        for path in [path for path in self._left if path.exists()]:
            self._progress.add(self._left.pop(path))


class _DecidedPartitions:
    """Looks which partitions are decided, and tells how many patients that makes."""

    def __init__(self, context: RunContext, progress: Progress) -> None:
        self._context, self._progress = context, progress
        self.parts: dict[int, Decided] = {}

    def __call__(self) -> None:
        """Raise InputError for the first problem that is seen, if the run is strict."""
        for number in range(self._context.partitions):
            if number not in self.parts and (part := decided_before(self._context.work, number)) is not None:
                self.parts[number] = part
                self._progress.add(part.people)
        for number in sorted(self.parts):
            check_strict(self._context, self.parts[number])


def _reported(files: BatchFiles, every: Iterable[Batch]) -> tuple[list[str], Counter[int]]:
    """Return the report of each batch, in order, and how many lines each partition got."""
    found: list[str] = []
    lines = Counter[int]()
    for batch in every:
        try:
            more, count = files.reported(batch.number)
        except FileNotFoundError:
            raise OutputError(
                f"what a task wrote is not in '{files.work.parent}': the folder must be at the same path "
                "on every machine, and no other run may use it"
            ) from None
        found.append(more)
        lines.update(count)
    return found, lines


def _check_lines(answered: dict[int, int], expected: dict[int, int]) -> None:
    """Raise OutputError where a line that the first pass wrote did not reach a task of the second."""
    if answered != expected:
        raise OutputError(
            "lines were lost between the two passes; the results are not complete. Run again with "
            "--overwrite, and report this"
        )
