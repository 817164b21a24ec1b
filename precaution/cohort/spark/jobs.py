"""Jobs of Spark: watched while they run, given up when the run is, and their failures told without a record's text."""

from __future__ import annotations

from secrets import token_hex
from time import monotonic
from typing import TYPE_CHECKING, Any

from precaution import errors
from precaution.cohort.deciding_fhir import OtherVersion
from precaution.errors import OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pyspark import SparkContext
    from pyspark.sql import DataFrame, Row, SparkSession

OFTEN = 0.25
"""Seconds between two looks at a job."""
LACKING = "lacking"
"""What a task answers in place of an error where a machine has not what the package needs; `shipping` says it so."""
PATIENCE = 300.0
"""Seconds to wait for a cluster that takes no task."""


class SparkJobs:
    """Runs jobs in a session, one after the other."""

    def __init__(self, session: SparkSession, log: Path) -> None:
        """`log`: where Spark's own messages are."""
        self._context: SparkContext = session.sparkContext
        self._log = log

    def answers(self, frame: DataFrame, watch: Callable[[], None] = lambda: None) -> list[Row]:
        """Return the rows of a frame; `watch` is called now and then, and what it raises ends the job.

        Raises OutputError where Spark can't do it, and what a task answers as having gone wrong.
        """
        from pyspark import InheritableThread  # noqa: PLC0415

        group = f"precaution-{token_hex(4)}"
        done: list[list[Row]] = []
        failed: list[BaseException] = []

        def job() -> None:
            try:
                self._context.setJobGroup(group, "precaution cohort", interruptOnCancel=True)
                done.append(frame.collect())
            except BaseException as error:  # told by the thread that waits
                failed.append(error)

        thread = InheritableThread(target=job, daemon=True)
        thread.start()
        try:
            self._wait(thread, group, watch)
        except BaseException:
            self._context.cancelJobGroup(group)
            thread.join(10)
            raise
        if failed:
            raise _failure(failed[0], self._log) from None
        return checked(done[0])

    def _wait(self, thread: Any, group: str, watch: Callable[[], None]) -> None:
        began, taken = monotonic(), False
        while thread.is_alive():
            thread.join(OFTEN)
            watch()
            if not taken and monotonic() - began > PATIENCE:
                taken = self._is_taken(group)
                if not taken:
                    raise OutputError(
                        f"no worker of the cluster took a task for {PATIENCE:.0f} seconds; see that it "
                        "has workers with memory and cores to spare, and run again"
                    )

    def _is_taken(self, group: str) -> bool:
        """Whether any task of a group was begun."""
        tracker = self._context.statusTracker()
        jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(group)]
        stages = [tracker.getStageInfo(stage) for each in jobs if each for stage in each.stageIds]
        return any(stage.numActiveTasks or stage.numCompletedTasks for stage in stages if stage)


def checked(rows: Iterable[Any]) -> list[Any]:
    """Return the answers of tasks; raises what one of them says went wrong."""
    rows = list(rows)
    wrong = sorted({(row.error, row.message) for row in rows if getattr(row, "error", "")})
    for name, message in sorted(wrong, key=lambda each: each[0] == OtherVersion.__name__):
        if name == OtherVersion.__name__:
            raise OtherVersion
        if name == LACKING:
            raise UsageError(
                f"the Python of the cluster's machines has no '{message}': install there what "
                "`pip install '.[cohort]'` in its folder brings, or name a Python that has it by "
                "--spark-conf spark.pyspark.python=PATH"
            )
        raise getattr(errors, name, OutputError)(message)
    return rows


def _failure(error: BaseException, log: Path) -> OutputError:
    """Return what is said of an error of Spark: its kind, for its text is not ours."""
    said = str(error)
    if "No space left on device" in said:
        return OutputError(
            "a disk that Spark writes to is full (spark.local.dir says which); make room and run again: "
            "what is done is kept"
        )
    kind = getattr(error, "getCondition", lambda: None)() or type(error).__name__
    lost = ", for workers were lost" if "ExecutorLost" in said else ""
    return OutputError(
        f"Spark gave the run up{lost} ({kind}); what it said is in '{log}'. Run again: what is done is kept"
    )
