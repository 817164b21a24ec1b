"""The two passes of a run: lines to partitions, partitions to results; what is done is not done again."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from precaution.cohort import shared
from precaution.cohort.deciding import Decided, OtherVersion, Task, decide_partition, part_name
from precaution.cohort.partition import Job, Sorted, framed_slowly, sort_piece
from precaution.cohort.problems import KINDS, Problem, first, grave
from precaution.cohort.processes import Processes
from precaution.cohort.results import WORK, Summary, finished
from precaution.cohort.source import pieces
from precaution.cohort.tables import Tables, put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from precaution.cohort.partition import LabelOf
    from precaution.cohort.source import File, Piece

    Progress = Callable[[str, int, int], object]

_SORTED, _KEEP_ALL = "sorted.json", "keep-all"


class Run(NamedTuple):
    """Everything a run was asked for."""

    source: Path
    out: Path
    label: LabelOf
    today: date
    files: tuple[File, ...]
    partitions: int
    workers: int
    limit: int
    strict: bool
    history: bool
    progress: Progress
    audit: bool = False

    @property
    def work(self) -> Path:
        """Where what is between the passes is kept."""
        return self.out / WORK


class _Told:
    """Adds up what is done, and tells it with its name and its whole."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.begin("", 0)

    def begin(self, what: str, whole: int) -> None:
        self._what, self._done, self._whole = what, 0, whole

    def add(self, amount: int) -> None:
        self._done += amount
        self._progress(self._what, min(self._done, self._whole), self._whole)


def decided(run: Run) -> Summary:
    """Do what is left of a run, and mark it as complete. Raises InputError if `strict`, OutputError."""
    told = _Told(run.progress)
    with Processes(run.workers, told.add) as processes:
        try:
            return _both(run, processes, told, keep_all=(run.work / _KEEP_ALL).exists())
        except OtherVersion:
            put(run.work / _KEEP_ALL, lambda path: path.write_text(""))
            for path in (*run.work.glob("part-*.json"), run.work / _SORTED):
                path.unlink(missing_ok=True)
            return _both(run, processes, told, keep_all=True)


def _both(run: Run, processes: Processes, told: _Told, *, keep_all: bool) -> Summary:
    found = _found_before(run) or _sort(run, processes, told, keep_all=keep_all)
    cut = pieces(run.source, list(run.files))
    origins = _origins(run, found, cut)
    problems = [_placed(problem, origins[each.piece][1]) for each in found for problem in each.problems]
    if run.strict and grave(problems):
        raise first(next(problem for problem in problems if grave([problem])))
    task = Task(
        run.work, run.out, run.label, run.today, run.history,
        frozenset(kind for each in found for kind in each.lost_kinds), any(each.lost_anything for each in found),
        any(run.work.glob("identified.*")), origins, run.limit, run.audit,
    )  # fmt: skip
    told.begin("patients decided", sum(each.taken["Patient"] + each.taken["Bundle"] for each in found))
    parts = _decide(run, processes, task)
    problems += _unclaimed(run, parts, origins)
    _write_problems(run, problems)
    counts = Counter[str]()
    for problem in problems:
        counts[problem.kind] += problem.lines
    return finished(run.out, found, parts, counts)


# The first pass


def _sort(run: Run, processes: Processes, told: _Told, *, keep_all: bool) -> list[Sorted]:
    """Sort all lines by patient; what an interrupted run left half sorted is thrown away."""
    for path in run.work.iterdir():
        if path.name != _KEEP_ALL:
            path.unlink()
    cut = pieces(run.source, list(run.files))
    job = Job(run.source, run.files, run.work, run.partitions, run.label, keep_all)
    told.begin("bytes sorted", sum(each.size for each in run.files))
    tasks = [(job, number, piece) for number, piece in enumerate(cut)]
    found = sorted(processes.run(sort_piece, tasks), key=lambda each: each.piece)
    shared.index(run.work)
    written = [{name: getattr(each, name) for name in Sorted.__slots__} | {"lost_kinds": sorted(each.lost_kinds)}
               for each in found]  # fmt: skip
    put(run.work / _SORTED, lambda path: path.write_text(json.dumps(written), encoding="utf-8"))
    return found


def _found_before(run: Run) -> list[Sorted] | None:
    path = run.work / _SORTED
    if not path.exists():
        return None
    found = []
    for each in json.loads(path.read_text(encoding="utf-8")):
        problems = [Problem(*problem) for problem in each.pop("problems")]
        counts = {name: Counter(each.pop(name)) for name in ("taken", "passed_over")}
        found.append(Sorted(**{**each, **counts, "lost_kinds": set(each["lost_kinds"])}, problems=problems))
    return found


def _origins(run: Run, found: Sequence[Sorted], cut: Sequence[Piece]) -> tuple[tuple[str, int], ...]:
    """Return of each piece its file's name, and how many lines of that file stand before it."""
    before: dict[int, int] = {}
    origins = []
    for each, piece in zip(found, cut, strict=True):
        origins.append((run.files[piece.file].name, before.get(piece.file, 0)))
        before[piece.file] = before.get(piece.file, 0) + each.lines
    return tuple(origins)


def _placed(problem: Problem, before: int) -> Problem:
    return problem._replace(line=problem.line + before) if problem.line else problem


# The second pass


def _decide(run: Run, processes: Processes, task: Task) -> list[Decided]:
    done = {number: part for number in range(run.partitions) if (part := _done_before(run, number)) is not None}
    if run.limit:
        return _decide_some(run, processes, task, done)
    left = [(task, number) for number in range(run.partitions) if number not in done]
    for part in processes.run(decide_partition, left):
        _check(run, part)
        done[part.partition] = part
    return [done[number] for number in sorted(done)]


def _decide_some(run: Run, processes: Processes, task: Task, done: dict[int, Decided]) -> list[Decided]:
    """Decide the first patients by the hash of their id, one partition after the other."""
    parts: list[Decided] = []
    for number in range(run.partitions):
        left = run.limit - sum(part.people for part in parts)
        if left < 1:
            break
        part = done.get(number) or _only(processes.run(decide_partition, [(task._replace(limit=left), number)]))
        _check(run, part)
        parts.append(part)
    return parts


def _only(results: Iterator[Decided]) -> Decided:
    (result,) = results
    return result


def _check(run: Run, part: Decided) -> None:
    if run.strict and part.first is not None:
        raise first(part.first)


def _done_before(run: Run, number: int) -> Decided | None:
    path = run.work / f"{part_name(number)}.json"
    if not path.exists():
        return None
    known = json.loads(path.read_text(encoding="utf-8"))
    known["claimed"] = [(piece, line) for piece, line in known["claimed"]]
    known["first"] = Problem(*known["first"]) if known["first"] else None
    return Decided(**known)


def _unclaimed(run: Run, parts: Sequence[Decided], origins: Sequence[tuple[str, int]]) -> list[Problem]:
    """Return the lines whose patient is named by an identifier that no Patient has."""
    if run.limit or not any(run.work.glob("identified.*")):
        return []
    claimed = {each for part in parts for each in part.claimed}
    return [
        Problem("", "no-patient", origins[line.piece][0], origins[line.piece][1] + line.number if line.number else 0,
                KINDS["no-patient"])
        for line in framed_slowly(run.work, "identified") if (line.piece, line.number) not in claimed
    ]  # fmt: skip


def _write_problems(run: Run, problems: Sequence[Problem]) -> None:
    tables = Tables()
    in_order = sorted(problems, key=lambda problem: (problem.file, problem.line, problem.kind))
    tables.add("problems", in_order)
    tables.write(run.out, "source", ["problems"])
