"""A run over a cohort: sort by patient, decide, write; and go on where an earlier run of the same kind ended."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from precaution.assessment import as_day
from precaution.cohort import run_fhir as passes
from precaution.cohort import run_omop as from_omop
from precaution.cohort import run_tables as from_tables
from precaution.cohort.label_of import LabelOf
from precaution.cohort.results import WORK, Summary, described, opened, stored
from precaution.cohort.run_fhir import Run
from precaution.cohort.run_lock import alone
from precaution.cohort.sort.files import File, files
from precaution.cohort.sort.lines import partitions
from precaution.errors import OutputError, UsageError
from precaution.knowledge.loading import find_label, load_label
from precaution.labels import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from precaution.cohort.results import LostLines
    from precaution.cohort.run_fhir import Progress
    from precaution.cohort.spark import Spark


class Plan(NamedTuple):
    """What a run would do."""

    files: tuple[File, ...]
    size: int
    partitions: int
    workers: int
    sort: str = "fhir"
    """What the source is: a key of DECIDE."""


DECIDE: Mapping[str, Callable[[Run], Summary]] = {
    "fhir": passes.decided,
    "tables": from_tables.decided,
    "omop": from_omop.decided,
}
"""How a source of each sort is decided."""


def plan(source: Path | str, out: Path | str, workers: int | None = None, spark: Spark | None = None) -> Plan:
    """Return what a run over `source` would read. Raises InputError where it can't be read."""
    path, of, used = Path(source), Path(out), workers or _cores()
    if from_omop.is_omop(source):
        if spark:
            raise UsageError(
                "--engine spark does not read an OMOP CDM: write its tables first with --entries, and "
                "give the results of that run as the source"
            )
        cdm = from_omop.found(source, of)
        return Plan(cdm.files, _size(cdm.files), cdm.partitions, used, "omop")
    tables = from_tables.is_tables(path)
    found = tuple((from_tables.files if tables else files)(path, of))
    size, sort = _size(found), "tables" if tables else "fhir"
    if spark:
        return Plan(found, size, spark.partitions(size), used, sort)
    return Plan(found, size, from_tables.count(path, found) if tables else partitions(size), used, sort)


def _size(found: Iterable[File]) -> int:
    return sum(each.size for each in found)


def _on_spark(run: Run, sort: str, spark: Spark) -> Summary:
    from precaution.cohort.spark import engine  # noqa: PLC0415 - an extra

    return {"fhir": engine.decided, "tables": engine.decided_tables}[sort](run, spark)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cohort(
    source: Path | str,
    out: Path | str,
    *,
    today: date | str,
    label: Path | str = DEFAULT,
    policy: Path | None = None,
    codes: Iterable[Path] = (),
    workers: int | None = None,
    limit: int = 0,
    strict: bool = False,
    history: bool = False,
    entries: bool = False,
    audit: bool = False,
    overwrite: bool = False,
    lost_lines: LostLines = "everybody",
    spark: Spark | None = None,
    progress: Progress = lambda *_: None,
) -> Summary:
    """Decide every patient of `source` on `today`; write the results to `out`.

    `source`: a folder or file of FHIR R4 (NDJSON, or Bundles), or a folder of the tables `entries` and `persons`.
    `workers`: processes; all cores where not given. `limit`: most patients, 0 for all. `strict`: stop at the
    first problem. `history`: also the decisions of earlier days. `entries`: also the records, as tables. `audit`: also
    what an audit needs. `lost_lines`: whose a line may be of which that can't be told; with "nobody" an answer may
    lack what such a line held. `spark`: where given, Spark does the work in place of processes. `progress` is told what
    is done, how much, of how much. A folder that holds an unfinished run of the same kind is gone on with;
    `overwrite` begins anew.

    Raises InputError for a source that can't be read, or, if `strict`, for the first problem; UsageError for a
    wrong argument; KnowledgeError for a wrong label; OutputError where results can't be written.
    """
    if limit < 0 or (workers is not None and workers < 1):
        raise UsageError("--workers and --limit take a number above 0")
    if lost_lines not in ("everybody", "nobody"):
        raise UsageError("--lost-lines is everybody or nobody")
    day = date.fromordinal(as_day(today))
    of = LabelOf(str(find_label(label)), policy, tuple(codes))
    known = load_label(of.folder, policy=of.policy, codes=of.codes)
    made = plan(source, out, workers, spark)
    folder = Path(out)
    about = described(
        made.files, known, day, history=history, limit=limit, entries=entries, audit=audit, lost_lines=lost_lines
    )
    about |= {"engine": "spark" if spark else "processes", "partitions": made.partitions}
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
        with alone(folder, folder / WORK):
            if opened(folder, about, overwrite=overwrite):
                shutil.rmtree(folder / WORK, ignore_errors=True)
                return stored(folder)
            run = Run(
                source,
                folder,
                of,
                day,
                made.files,
                made.partitions,
                made.workers,
                limit,
                strict,
                history,
                progress,
                entries,
                lost_lines,
                audit,
            )
            return _on_spark(run, made.sort, spark) if spark else DECIDE[made.sort](run)
    except OSError as error:
        raise OutputError(
            f"'{folder}' can't be written: {error.strerror or 'input/output error'}; make room and run "
            "again: what is done is kept"
        ) from None
