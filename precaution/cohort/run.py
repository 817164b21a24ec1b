"""A run over a cohort: sort by patient, decide, write; and go on where an earlier run of the same kind ended."""

from __future__ import annotations

import errno
import os
import shutil
from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from precaution.assessment import as_day, distinct
from precaution.cohort import run_fhir, run_omop, run_tables
from precaution.cohort.context import RunContext, SourceFile
from precaution.cohort.label_source import LabelSource, loaded
from precaution.cohort.processes import preload
from precaution.cohort.results import Summary, described, opened, stored
from precaution.cohort.run_lock import run_lock
from precaution.cohort.sort.files import files
from precaution.cohort.sort.foreign import refuse_foreign
from precaution.cohort.sort.lines import partition_count
from precaution.cohort.tables import wanted_tables
from precaution.cohort.who import who as chosen_people
from precaution.errors import OutputError, UsageError
from precaution.knowledge.loading import find_label
from precaution.labels import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from precaution.cohort.context import ClinicianAnswers, LostLines
    from precaution.cohort.progress import Tell
    from precaution.cohort.spark import Spark
    from precaution.knowledge.model import Label


class Plan(NamedTuple):
    """What a run would do."""

    files: tuple[SourceFile, ...]
    size: int
    partitions: int
    workers: int
    sort: str = "fhir"
    """What the source is: a key of `RUN`."""


RUN: Mapping[str, Callable[[RunContext, Tell], Summary]] = {
    "fhir": run_fhir.run,
    "tables": run_tables.run,
    "omop": run_omop.run,
}
"""How a run over each kind of source is done."""


def plan(source: Path | str, out: Path | str, workers: int | None = None, spark: Spark | None = None) -> Plan:
    """Return what a run over `source` would read. Raises InputError where it can't be read."""
    path, folder, used = Path(source), Path(out), workers or _cores()
    if run_omop.is_omop(source):
        if spark:
            raise UsageError(
                "--engine spark does not read an OMOP CDM: write its tables first with --entries, and "
                "give the results of that run as the source"
            )
        cdm = run_omop.tables_of(source, folder)
        return Plan(cdm.files, _size(cdm.files), cdm.partitions, used, "omop")
    tables = run_tables.is_tables(path)
    found = tuple((run_tables.files if tables else files)(path, folder))
    if not tables:
        refuse_foreign(path, found)
    size, kind = _size(found), "tables" if tables else "fhir"
    if spark:
        return Plan(found, size, spark.partitions(size), used, kind)
    count = run_tables.count_partitions(path, found) if tables else partition_count(size)
    return Plan(found, size, count, used, kind)


def _size(found: Iterable[SourceFile]) -> int:
    return sum(each.size for each in found)


def _run_on_spark(context: RunContext, kind: str, tell: Tell, spark: Spark) -> Summary:
    from precaution.cohort.spark import backend  # noqa: PLC0415 - an extra

    return {"fhir": backend.run, "tables": backend.run_tables}[kind](context, tell, spark)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _refuse_shared_asks(labels: Sequence[Label]) -> None:
    """Raise UsageError where labels have an ask of one name: a store does not say to whose ask an answer is."""
    counts = Counter(name for label in labels for name in label.asks)
    if shared := [name for name, count in counts.items() if count > 1]:
        raise UsageError(f"--store does not say to which label's ask '{shared[0]}' an answer is: take one label a run")


def cohort(
    source: Path | str,
    out: Path | str,
    *,
    today: date | str,
    label: Path | str = DEFAULT,
    policy: Path | None = None,
    codes: Iterable[Path] = (),
    labels: Iterable[LabelSource] = (),
    workers: int | None = None,
    limit: int = 0,
    strict: bool = False,
    history: bool = False,
    entries: bool = False,
    audit: bool = False,
    overwrite: bool = False,
    lost_lines: LostLines = "everybody",
    who: str = "everybody",
    answers: ClinicianAnswers | None = None,
    spark: Spark | None = None,
    progress: Tell = lambda *_: None,
) -> Summary:
    """Decide every patient of `source` on `today`; write the results to `out`.

    `source`: a folder or file of FHIR R4 (NDJSON, or Bundles), or a folder of the tables `entries` and `persons`.
    `labels`: in place of `label`, `policy` and `codes` any number of labels; a patient is decided by each of which
    `who` is true. `workers`: processes; all cores where not given. `limit`: most patients, 0 for all. `strict`: stop at
    the first problem. `history`: also the decisions of earlier days. `entries`: also the records, as tables. `audit`:
    also what an audit needs. `lost_lines`: whose a line may be of which that can't be told; with "nobody" an answer may
    lack what such a line held. `who`: who is decided, a key of `who.CHOICES` or a file of ids. `answers`: what
    clinicians have answered, where that is kept. `spark`: where given, Spark does the work in place of processes.
    `progress` is told what is done, how much, of how much. A folder
    that holds an unfinished run of the same kind is gone on with; `overwrite` begins anew.

    Raises InputError for a source that can't be read, or, if `strict`, for the first problem; UsageError for a
    wrong argument; KnowledgeError for a wrong label; OutputError where results can't be written.
    """
    if limit < 0 or (workers is not None and workers < 1):
        raise UsageError("--workers and --limit take a number above 0")
    if lost_lines not in ("everybody", "nobody"):
        raise UsageError("--lost-lines is everybody or nobody")
    if answers is not None and spark:
        raise UsageError("--store is for --engine processes: the machines of Spark do not reach the store")
    day = date.fromordinal(as_day(today))
    sources = tuple(labels) or (LabelSource(str(find_label(label)), policy, tuple(codes)),)
    if not spark:
        preload(workers or _cores(), sources)  # meanwhile this process loads its own
    known, folder = distinct(loaded(sources)), Path(out)
    _refuse_shared_asks(known if answers is not None else ())
    made = plan(source, out, workers, spark)
    if made.sort == "tables":
        run_tables.check_labels(Path(source), made.files, [each.name for each in known])
    context = RunContext(
        source,
        folder,
        sources,
        day,
        made.files,
        made.partitions,
        made.workers,
        wanted_tables(history=history, entries=entries, audit=audit),
        limit,
        strict,
        lost_lines,
        chosen_people(who, known),
        answers,
    )
    about = described(context, known)
    about |= {"engine": "spark" if spark else "processes", "partitions": made.partitions}
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
        with run_lock(folder, context.work):
            if opened(folder, about, overwrite=overwrite):
                shutil.rmtree(context.work, ignore_errors=True)
                return stored(folder)
            if spark:
                return _run_on_spark(context, made.sort, progress, spark)
            return RUN[made.sort](context, progress)
    except OSError as error:
        why = error.strerror or "input/output error"
        raise OutputError(f"'{folder}' can't be written: {why}; {_remedy(error)}") from None


_NO_PLACE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG)


def _remedy(error: OSError) -> str:
    """Return what to do about a folder that can't be written."""
    if error.errno in _NO_PLACE:
        return "name a folder that you may write in, and run again"
    return "make room and run again: what is done is kept"
