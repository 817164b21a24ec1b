"""A run on Spark: what is left of both passes is given out as tasks, and what they wrote is added up."""

from __future__ import annotations

import json
import pickle
import shutil
from collections import Counter
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from precaution.cohort.deciding import Part
from precaution.cohort.results import finished
from precaution.cohort.run_fhir import Told, both, check, check_unchanged, done_before, from_text, index
from precaution.cohort.sort.files import Piece, pieces
from precaution.cohort.sort.lines import Job
from precaution.cohort.spark.jobs import Jobs
from precaution.cohort.spark.lines import AS_SPARK_SAYS, HALF, ORDER, FirstPass, batches
from precaution.cohort.spark.session import LOG, opened, uri
from precaution.cohort.spark.shipping import REPLY, archive, shipped
from precaution.cohort.spark.tasks import TOKEN, Same
from precaution.cohort.tables import put
from precaution.errors import OutputError
from precaution.knowledge.loading import load_label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from precaution.cohort.deciding import Decided, Deciding, Task
    from precaution.cohort.results import Summary
    from precaution.cohort.run_fhir import Run
    from precaution.cohort.sort.lines import Sorted
    from precaution.cohort.spark import Spark
    from precaution.cohort.spark.lines import Batch


def decided(run: Run, spark: Spark) -> Summary:
    """Do what is left of a run on Spark, and mark it as complete.

    Raises InputError if `strict`; OutputError; UsageError where Spark can't be started.
    """
    told = Told(run.progress)
    with opened(spark, run.work) as session:
        passed = both(run, OnSpark(run, session, told))
    return finished(run.out, *passed)


def decided_tables(run: Run, spark: Spark) -> Summary:
    """Do what is left of a run over tables on Spark, and mark it as complete; for what is raised see `decided`."""
    from precaution.cohort.run_tables import RowsRun, passed  # noqa: PLC0415 - what needs DuckDB
    from precaution.cohort.spark.rows import gathered  # noqa: PLC0415

    told = Told(run.progress)
    with opened(spark, run.work) as session:
        on = OnSpark(run, session, told)
        cut = [Piece(number, 0, file.size) for number, file in enumerate(run.files)]
        found = gathered(on.sorted(run, FirstPass(run.work, keep_all=False), cut, "sort_rows"))
        done = passed(run, told, found, lambda task: on.decided(run, task, "decide_rows", RowsRun))
    return finished(run.out, *done)


class OnSpark:
    """The two passes in a session of Spark."""

    def __init__(self, run: Run, session: SparkSession, told: Told) -> None:
        """Send to the machines what they need, and mark the folder as this run's."""
        self._session, self._told = session, told
        self._jobs = Jobs(session, run.work / LOG)
        self._same = Same(
            token_hex(16), load_label(run.label.folder, policy=run.label.policy, codes=run.label.codes).digest
        )
        sent = archive(run.label)
        self._archive = sent.name
        context = session.sparkContext
        if not any(each.endswith(sent.name) for each in context.listArchives):
            context.addArchive(str(sent))
        shutil.rmtree(run.work / HALF, ignore_errors=True)
        (run.work / HALF).mkdir()
        put(run.work / TOKEN, lambda path: path.write_text(self._same.token, encoding="utf-8"))
        self._first = FirstPass(run.work, keep_all=False)
        self._expected = Counter[int]()

    def sort(self, run: Run, *, keep_all: bool) -> list[Sorted]:
        """Do what is left of the first pass; see `precaution.cohort.run_fhir.Engine`."""
        cut = pieces(Path(run.source), list(run.files))
        reports = self.sorted(run, FirstPass(run.work, keep_all), cut, "sort")
        check_unchanged(run)
        index(run.work)
        return [each for report in reports for each in from_text(report)]

    def sorted(self, run: Run, first: FirstPass, cut: Sequence[Piece], call: str) -> list[str]:
        """Do what is left of a first pass by the task `call`, and return the reports of all batches, in order."""
        every = batches(cut, run.files)
        left = [batch for batch in every if not first.report(batch.number).exists()]
        self._told.begin("bytes sorted", sum(batch.size for batch in every))
        self._told.add(sum(batch.size for batch in every) - sum(batch.size for batch in left))
        if left:
            job = Job(Path(run.source).resolve(), (), run.work.resolve(), run.partitions, run.label, first.keep_all)
            frame = self._do(self._as_frame(left), len(left), "task", call, (job, self._same), drop="task")
            self._jobs.answers(frame, _Sums(self._told, {first.report(batch.number): batch.size for batch in left}))
        reports, self._expected = _reported(first, every)
        self._first = first
        return reports

    def _as_frame(self, left: Iterable[Batch]) -> DataFrame:
        rows = [(task, batch.number, json.dumps(batch.cuts)) for task, batch in enumerate(left)]
        return self._session.createDataFrame(rows, "task int, number int, cuts string")

    def decide(self, run: Run, task: Task, patients: int) -> list[Decided]:
        """Do what is left of the second pass; see `precaution.cohort.run_fhir.Engine`."""
        self._told.begin("patients decided", patients)
        return self.decided(run, task, "decide", Part)

    def decided(self, run: Run, task: Any, call: str, begin: Callable[[Any, int], Deciding]) -> list[Decided]:
        """Do what is left of a second pass by the task `call`; `begin`: a partition nobody's lines went to."""
        done = _Parts(run, self._told)
        done()
        lines = self._session.read.schema(AS_SPARK_SAYS).parquet(uri(self._first.lines))
        last = run.partitions - 1
        if run.limit:
            lines, last = self._limited(lines, run.limit)
        left = [number for number in range(last + 1) if number not in done.parts and self._expected[number]]
        if left:
            whole = lines.where(lines.partition.isin(left)) if len(left) < run.partitions else lines
            there = task._replace(work=run.work.resolve(), out=run.out.resolve())
            frame = self._do(whole, run.partitions, "partition", call, (there, self._same), order=ORDER)
            answers = self._jobs.answers(frame, done)
            done()
            if not run.limit:
                _check_lines({row.number: row.lines for row in answers}, {part: self._expected[part] for part in left})
        for number in range(last + 1):
            if number not in done.parts:
                done.parts[number] = begin(task, number).written()
        return [done.parts[number] for number in range(last + 1)]

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
        given: tuple[Any, ...],
        order: tuple[str, ...] = (),
        drop: str = "",
    ) -> DataFrame:
        """Return what the task `call` answers to the rows of a frame: those of one number in `by` are one task's."""
        apart = getattr(frame, "repartitionById", None)  # from Spark 4.1 on; by a hash two may meet in one task
        spread = apart(count, frame[by]) if apart else frame.repartition(count, by)
        spread = spread.sortWithinPartitions(*order) if order else spread
        return spread.drop(drop).mapInArrow(shipped(self._archive, call, pickle.dumps(given)), REPLY)


class _Sums:
    """Looks which files have come to be, and tells how much that is."""

    def __init__(self, told: Told, sizes: dict[Any, int]) -> None:
        self._told, self._left = told, sizes

    def __call__(self) -> None:
        for path in [path for path in self._left if path.exists()]:
            self._told.add(self._left.pop(path))


class _Parts:
    """Looks which partitions are decided, and tells how many patients that makes."""

    def __init__(self, run: Run, told: Told) -> None:
        self._run, self._told = run, told
        self.parts: dict[int, Decided] = {}

    def __call__(self) -> None:
        """Raise InputError for the first problem that is seen, if the run is strict."""
        for number in range(self._run.partitions):
            if number not in self.parts and (part := done_before(self._run.work, number)) is not None:
                self.parts[number] = part
                self._told.add(part.people)
        for number in sorted(self.parts):
            check(self._run, self.parts[number])


def _reported(first: FirstPass, every: Iterable[Batch]) -> tuple[list[str], Counter[int]]:
    """Return the report of each batch, in order, and how many lines each partition got."""
    found: list[str] = []
    lines = Counter[int]()
    for batch in every:
        try:
            more, count = first.reported(batch.number)
        except FileNotFoundError:
            raise OutputError(
                f"what a task wrote is not in '{first.work.parent}': the folder must be at the same path "
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
