"""A run over a cohort: sort by patient, decide, write; and go on where an earlier run of the same kind ended."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from precaution.assessment import as_day
from precaution.cohort.partition import LabelOf, partitions
from precaution.cohort.passes import Run, decided
from precaution.cohort.results import WORK, Summary, described, opened, stored
from precaution.cohort.source import File, files
from precaution.errors import OutputError, UsageError
from precaution.knowledge import find_label, load_label
from precaution.labels import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precaution.cohort.passes import Progress


class Plan(NamedTuple):
    """What a run would do."""

    files: tuple[File, ...]
    size: int
    partitions: int
    workers: int


def plan(source: Path | str, out: Path | str, workers: int | None = None) -> Plan:
    """Return what a run over `source` would read. Raises InputError where it can't be read."""
    found = tuple(files(Path(source), Path(out)))
    size = sum(each.size for each in found)
    return Plan(found, size, partitions(size), workers or _cores())


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
    audit: bool = False,
    overwrite: bool = False,
    progress: Progress = lambda *_: None,
) -> Summary:
    """Decide every patient of `source` (FHIR R4: NDJSON, or Bundles) on `today`; write the results to `out`.

    `workers`: processes; all cores where not given. `limit`: most patients, 0 for all. `strict`: stop at the
    first problem. `history`: also the decisions of earlier days. `audit`: also what an audit needs. `progress` is
    told what is done, how much, of how much. A folder that holds an unfinished run of the same kind is gone on with;
    `overwrite` begins anew.

    Raises InputError for a source that can't be read, or, if `strict`, for the first problem; UsageError for a
    wrong argument; KnowledgeError for a wrong label; OutputError where results can't be written.
    """
    if limit < 0 or (workers is not None and workers < 1):
        raise UsageError("--workers and --limit take a number above 0")
    day = date.fromordinal(as_day(today))
    of = LabelOf(str(find_label(label)), policy, tuple(codes))
    known = load_label(of.folder, policy=of.policy, codes=of.codes)
    made = plan(source, out, workers)
    folder = Path(out)
    about = described(made.files, known, day, history=history, audit=audit, limit=limit)
    try:
        if opened(folder, about, overwrite=overwrite):
            shutil.rmtree(folder / WORK, ignore_errors=True)
            return stored(folder)
        return decided(Run(Path(source), folder, of, day, made.files, made.partitions, made.workers,
                           limit, strict, history, progress, audit))  # fmt: skip
    except OSError as error:
        raise OutputError(f"'{folder}' can't be written: {error.strerror or 'input/output error'}; make room and run "
                          "again: what is done is kept") from None
