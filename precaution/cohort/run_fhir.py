"""A run over FHIR: lines to partitions, partitions to results; what is done is not done again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

from precaution.cohort.deciding import decide_all
from precaution.cohort.deciding_fhir import OtherVersion, decide_lines
from precaution.cohort.problems import KINDS, LOSSES, Problem, first_grave, strict_error
from precaution.cohort.processes import Processes
from precaution.cohort.progress import Progress
from precaution.cohort.results import finished
from precaution.cohort.scan.find import find_people
from precaution.cohort.sort.deleted import write_deleted
from precaution.cohort.sort.files import path_of, pieces
from precaution.cohort.sort.indexes import unclaimed, write_indexes
from precaution.cohort.sort.kept_people import KeptPeople
from precaution.cohort.sort.lines import LinesToSort, sort_piece
from precaution.cohort.sort.manifests import SourceContent, what_is_lacking
from precaution.cohort.sort.merged import LinesToMove, merged_patients, move_lines, partitions_of
from precaution.cohort.sort.sorted import FILE, PieceReport, Sorted, sorted_before, types_of
from precaution.cohort.tables import put
from precaution.errors import InputError
from precaution.readers.resource_types import CLINICAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from precaution.cohort.context import RunContext
    from precaution.cohort.deciding import Decided
    from precaution.cohort.progress import Tell
    from precaution.cohort.results import Summary

_KEEP_ALL = "keep-all"


class Backend(Protocol):
    """What the two passes run on: processes of this machine, or Spark."""

    def sort(self, *, keep_all: bool) -> Sorted:
        """Sort all lines by patient, or find them sorted. Raises InputError, OutputError."""

    def decide(self, found: Sorted) -> list[Decided]:
        """Decide the partitions that are not decided; return all, in order. Raises OtherVersion; InputError if
        `strict`."""


class _InProcesses:
    """Processes of this machine."""

    def __init__(self, context: RunContext, processes: Processes, progress: Progress) -> None:
        self._context, self._processes, self._progress = context, processes, progress

    def sort(self, *, keep_all: bool) -> Sorted:
        found = sorted_before(self._context.work)
        return found or _sort(self._context, self._processes, self._progress, keep_all=keep_all)

    def decide(self, found: Sorted) -> list[Decided]:
        self._progress.begin("patients decided", found.patients)
        return decide_all(self._context, found, self._processes, decide_lines)


def run(context: RunContext, tell: Tell) -> Summary:
    """Do what is left of a run in processes, and mark it as complete. Raises InputError if `strict`, OutputError."""
    progress = Progress(tell)
    with Processes(context.workers, progress.add, context.work, context.labels) as processes:
        found, parts = both_passes(context, _InProcesses(context, processes, progress))
    return finished(context, found, parts)


def both_passes(context: RunContext, backend: Backend) -> tuple[Sorted, list[Decided]]:
    """Do both passes, the first one anew where it dropped too much. Raises InputError if `strict`, OutputError."""
    work = context.work
    try:
        return _both_passes(context, backend, keep_all=(work / _KEEP_ALL).exists())
    except OtherVersion:
        put(work / _KEEP_ALL, lambda path: path.write_text(""))
        for path in (*work.glob("part-*.json"), work / FILE):
            path.unlink(missing_ok=True)
        return _both_passes(context, backend, keep_all=True)


def _both_passes(context: RunContext, backend: Backend, *, keep_all: bool) -> tuple[Sorted, list[Decided]]:
    found = backend.sort(keep_all=keep_all)
    if context.lost_lines == "nobody":
        found = _taken_as_nobodys(found)
    if context.strict and (problem := first_grave(found.problems)):
        raise strict_error(problem)
    parts = backend.decide(found)
    found.problems += _unclaimed(context, found, parts)
    return found, parts


def _taken_as_nobodys(found: Sorted) -> Sorted:
    """Let lost lines make no answer uncertain, and say beside each that, against the default, it was nobody's."""
    without = found.without_losses()
    without.problems = [
        problem._replace(message=f"{problem.message}; but it was taken as nobody's (--lost-lines nobody)")
        if problem.kind in LOSSES
        else problem
        for problem in found.problems
    ]
    return without


# The first pass


def _sort(context: RunContext, processes: Processes, progress: Progress, *, keep_all: bool) -> Sorted:
    """Sort all lines by patient; what an interrupted run left half sorted is thrown away."""
    for path in context.work.iterdir():
        if path.name != _KEEP_ALL:
            path.unlink()
    kept = _kept_people(context, processes, progress)
    progress.begin("bytes sorted", sum(each.size for each in context.files))
    one = context.for_task()
    tasks = [LinesToSort(one, piece, keep_all, kept) for piece in pieces(context.path, context.files)]
    tasks.sort(key=lambda task: task.piece.start - task.piece.end)  # none large is waited for at the end
    found = sorted_lines(context, processes.run(sort_piece, tasks))
    moves = [LinesToMove(one, found.merged, number) for number in partitions_of(found.merged, context.partitions)]
    sum(processes.run(move_lines, moves))
    found.save(context.work)
    return found


def _kept_people(context: RunContext, processes: Processes, progress: Progress) -> KeptPeople | None:
    """Return whose lines are kept, or nothing where it pays or goes no other way than to keep everybody's."""
    if context.who.choice == "everybody":
        return None
    people = find_people(context, context.who, processes, progress)
    return None if people is None else KeptPeople(people)


def sorted_lines(context: RunContext, reports: Iterable[PieceReport]) -> Sorted:
    """Return what was found in all pieces, and write the indexes. Raises InputError if a file changed; OutputError."""
    every = sorted(reports, key=lambda report: report.piece)
    found = in_all(every)
    found.merged = merged_patients(context, (each for report in every for each in report.merges))
    _heed_manifests(found, every)
    _check_unchanged(context)
    write_deleted(context.work)
    write_indexes(context.work)
    return found


def in_all(reports: Sequence[PieceReport]) -> Sorted:
    """Return what was found in the pieces of all files, which are in order."""
    found, before = Sorted(), Counter[str]()
    for report in reports:
        start = before[report.file]
        found.origins.append((report.file, start))
        found.problems += [each._replace(line=each.line + start if each.line else 0) for each in report.problems]
        before[report.file] += report.lines
        found.taken += report.taken
        found.passed_over += report.passed_over
        found.lost_kinds |= report.lost_kinds
        found.lost_anything |= report.lost_anything
    found.patients = found.taken["Patient"] + found.taken["Bundle"]
    return found


def _heed_manifests(found: Sorted, reports: Sequence[PieceReport]) -> None:
    """Note what the manifests of an export list that is not in the source."""
    manifests = [each for report in reports for each in report.manifests]
    if not manifests:
        return
    kinds: dict[str, frozenset[str]] = {}
    for report in reports:
        kinds[report.file] = kinds.get(report.file, frozenset()) | types_of(report)
    for kind, problem in what_is_lacking(manifests, SourceContent(kinds, found.taken)):
        found.problems.append(problem)
        if kind in CLINICAL:
            found.lost_kinds.add(kind)
        else:
            found.lost_anything = True


def _check_unchanged(context: RunContext) -> None:
    """Raise InputError where a file of the source is another one than when the run began."""
    for file in context.files:
        now = path_of(context.path, file.name).stat()
        if (now.st_size, now.st_mtime_ns) != (file.size, file.changed):
            raise InputError(
                f"the file '{file.name}' changed while it was read; run again, with --overwrite, when the "
                "source is complete"
            )


# After the second pass


def _unclaimed(context: RunContext, found: Sorted, parts: Iterable[Decided]) -> Iterator[Problem]:
    """Yield a problem for each line whose patient is named by an identifier that no Patient has."""
    claimed = {each for part in parts for each in part.claimed}
    for line in () if context.limit else unclaimed(context.work, claimed):
        file, before = found.origins[line.piece]
        yield Problem("", "no-patient", file, before + line.number if line.number else 0, KINDS["no-patient"])
