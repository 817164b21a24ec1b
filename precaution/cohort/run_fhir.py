"""The two passes of a run: lines to partitions, partitions to results; what is done is not done again."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self, TypeVar

from precaution.cohort import claims, shared
from precaution.cohort.deciding import Decided, OtherVersion, Task, decide_partition, part_name
from precaution.cohort.label_of import LabelOf
from precaution.cohort.problems import KINDS, LOSSES, Problem, first, grave
from precaution.cohort.processes import Processes
from precaution.cohort.results import WORK, LostLines, Summary, finished
from precaution.cohort.sort.files import File, path_of, pieces
from precaution.cohort.sort.lines import Job, Sorted, framed_slowly, sort_piece
from precaution.cohort.tables import Tables, put
from precaution.errors import InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from precaution.cohort.sort.files import Piece

    Progress = Callable[[str, int, int], object]


class Limited(Protocol):
    """The task of a partition: a NamedTuple with a `limit`."""

    def _replace(self, *, limit: int = ...) -> Self: ...


AnyTask = TypeVar("AnyTask", bound=Limited)
_SORTED, _KEEP_ALL = "sorted.json", "keep-all"


class Run(NamedTuple):
    """Everything a run was asked for."""

    source: Path | str
    """A path, or the URL of a database."""
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
    entries: bool = False
    lost_lines: LostLines = "everybody"
    """Whose a line may be of which that can't be told."""
    audit: bool = False

    @property
    def work(self) -> Path:
        """Where what is between the passes is kept."""
        return self.out / WORK


class Passed(NamedTuple):
    """What came of both passes."""

    found: list[Sorted]
    parts: list[Decided]
    problems: Counter[str]
    """Those of the files."""


class Told:
    """Adds up what is done, and tells it with its name and its whole."""

    def __init__(self, progress: Progress) -> None:
        """Tell `progress`."""
        self._progress = progress
        self.begin("", 0)

    def begin(self, what: str, whole: int) -> None:
        """Start to count something else, of which there is `whole`."""
        self._what, self._done, self._whole = what, 0, whole

    def add(self, amount: int) -> None:
        """Count `amount` as done, and tell it."""
        self._done += amount
        self._progress(self._what, min(self._done, self._whole), self._whole)


class Engine(Protocol):
    """What the two passes run on."""

    def sort(self, run: Run, *, keep_all: bool) -> list[Sorted]:
        """Sort all lines by patient, or find them sorted; return what was found in each piece, in order."""

    def decide(self, run: Run, task: Task, patients: int) -> list[Decided]:
        """Decide the partitions that are not decided; return all, in order. `patients`: about how many there are.

        Raises OtherVersion; InputError if `strict`.
        """


class _InProcesses:
    """Processes on this machine."""

    def __init__(self, processes: Processes, told: Told) -> None:
        self._processes, self._told = processes, told

    def sort(self, run: Run, *, keep_all: bool) -> list[Sorted]:
        return _found_before(run) or _sort(run, self._processes, self._told, keep_all=keep_all)

    def decide(self, run: Run, task: Task, patients: int) -> list[Decided]:
        self._told.begin("patients decided", patients)
        return decide_all(run, self._processes, task, decide_partition)


def decided(run: Run) -> Summary:
    """Do what is left of a run in processes, and mark it as complete. Raises InputError if `strict`, OutputError."""
    told = Told(run.progress)
    with Processes(run.workers, told.add, run.work) as processes:
        passed = both(run, _InProcesses(processes, told))
    return finished(run.out, *passed)


def both(run: Run, engine: Engine) -> Passed:
    """Do both passes, the first one anew where it dropped too much. Raises InputError if `strict`, OutputError."""
    try:
        return _both(run, engine, keep_all=(run.work / _KEEP_ALL).exists())
    except OtherVersion:
        put(run.work / _KEEP_ALL, lambda path: path.write_text(""))
        for path in (*run.work.glob("part-*.json"), run.work / _SORTED):
            path.unlink(missing_ok=True)
        return _both(run, engine, keep_all=True)


def _both(run: Run, engine: Engine, *, keep_all: bool) -> Passed:
    found = engine.sort(run, keep_all=keep_all)
    cut = pieces(Path(run.source), list(run.files))
    origins = _origins(run, found, cut)
    problems = [_placed(problem, origins[each.piece][1]) for each in found for problem in each.problems]
    believed = run.lost_lines == "everybody"
    if not believed:
        problems = [_taken_as_nobodys(problem) for problem in problems]
    if run.strict and grave(problems):
        raise first(next(problem for problem in problems if grave([problem])))
    task = Task(
        run.work,
        run.out,
        run.label,
        run.today,
        run.history,
        frozenset(kind for each in found if believed for kind in each.lost_kinds),
        believed and any(each.lost_anything for each in found),
        any(run.work.glob("identified.*")),
        origins,
        run.limit,
        run.entries,
        run.audit,
    )
    parts = engine.decide(run, task, sum(each.taken["Patient"] + each.taken["Bundle"] for each in found))
    problems += _unclaimed(run, parts, origins)
    write_problems(run, problems)
    counts = Counter[str]()
    for problem in problems:
        counts[problem.kind] += problem.lines
    return Passed(found, parts, counts)


# The first pass


def _sort(run: Run, processes: Processes, told: Told, *, keep_all: bool) -> list[Sorted]:
    """Sort all lines by patient; what an interrupted run left half sorted is thrown away."""
    for path in run.work.iterdir():
        if path.name != _KEEP_ALL:
            path.unlink()
    cut = pieces(Path(run.source), list(run.files))
    job = Job(Path(run.source), run.files, run.work, run.partitions, run.label, keep_all)
    told.begin("bytes sorted", sum(each.size for each in run.files))
    tasks = [(job, number, piece) for number, piece in enumerate(cut)]
    tasks.sort(key=lambda task: task[2].start - task[2].end)  # the largest first, so that none is waited for at the end
    found = sorted(processes.run(sort_piece, tasks), key=lambda each: each.piece)
    check_unchanged(run)
    index(run.work)
    put(run.work / _SORTED, lambda path: path.write_text(as_text(found), encoding="utf-8"))
    return found


def index(work: Path) -> None:
    """Write the indexes of what belongs to no partition. Raises OutputError."""
    try:
        shared.index(work)
        claims.index(work)
    except sqlite3.Error as error:
        raise OutputError(f"'{WORK}' can't be written: {error}; make room and run again") from None


def as_text(found: Iterable[Sorted]) -> str:
    """Return what was found as JSON."""
    written = [
        {name: getattr(each, name) for name in Sorted.__slots__} | {"lost_kinds": sorted(each.lost_kinds)}
        for each in found
    ]
    return json.dumps(written)


def from_text(text: str) -> list[Sorted]:
    """Return what was found from such JSON."""
    found = []
    for each in json.loads(text):
        problems = [Problem(*problem) for problem in each.pop("problems")]
        counts = {name: Counter(each.pop(name)) for name in ("taken", "passed_over")}
        found.append(Sorted(**{**each, **counts, "lost_kinds": set(each["lost_kinds"])}, problems=problems))
    return found


def check_unchanged(run: Run) -> None:
    """Raise InputError where a file of the source is another one than when the run began."""
    for file in run.files:
        now = path_of(Path(run.source), file).stat()
        if (now.st_size, now.st_mtime_ns) != (file.size, file.changed):
            raise InputError(
                f"the file '{file.name}' changed while it was read; run again, with --overwrite, when the "
                "source is complete"
            )


def _found_before(run: Run) -> list[Sorted] | None:
    path = run.work / _SORTED
    return from_text(path.read_text(encoding="utf-8")) if path.exists() else None


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


def _taken_as_nobodys(problem: Problem) -> Problem:
    """Say beside a lost line that, against the default, it was taken to be nobody's."""
    said = f"{problem.message}; but it was taken as nobody's (--lost-lines nobody)"
    return problem._replace(message=said) if problem.kind in LOSSES else problem


# The second pass


def decide_all(
    run: Run, processes: Processes, task: AnyTask, decide: Callable[[tuple[AnyTask, int]], Decided]
) -> list[Decided]:
    """Return what came of all partitions by `decide`, or of the first as far as a limit goes; nothing is done twice."""
    done = {number: part for number in range(run.partitions) if (part := done_before(run.work, number)) is not None}
    if run.limit:
        return _decide_some(run, processes, task, decide, done)
    left = [(task, number) for number in range(run.partitions) if number not in done]
    for part in processes.run(decide, left):
        check(run, part)
        done[part.partition] = part
    return [done[number] for number in sorted(done)]


def _decide_some(
    run: Run,
    processes: Processes,
    task: AnyTask,
    decide: Callable[[tuple[AnyTask, int]], Decided],
    done: dict[int, Decided],
) -> list[Decided]:
    """Decide the first patients by the hash of their id, one partition after the other."""
    parts: list[Decided] = []
    for number in range(run.partitions):
        left = run.limit - sum(part.people for part in parts)
        if left < 1:
            break
        part = done.get(number) or _only(processes.run(decide, [(task._replace(limit=left), number)]))
        check(run, part)
        parts.append(part)
    return parts


def _only(results: Iterator[Decided]) -> Decided:
    (result,) = results
    return result


def check(run: Run, part: Decided) -> None:
    """Raise InputError for the first problem of a partition, if `strict`."""
    if run.strict and part.first is not None:
        raise first(part.first)


def done_before(work: Path, number: int) -> Decided | None:
    """Return what came of a partition; nothing where it is not decided."""
    path = work / f"{part_name(number)}.json"
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
        Problem(
            "",
            "no-patient",
            origins[line.piece][0],
            origins[line.piece][1] + line.number if line.number else 0,
            KINDS["no-patient"],
        )
        for line in framed_slowly(run.work, "identified")
        if (line.piece, line.number) not in claimed
    ]


def write_problems(run: Run, problems: Sequence[Problem]) -> None:
    """Write the problems that concern no patient in particular."""
    tables = Tables()
    in_order = sorted(problems, key=lambda problem: (problem.file, problem.line, problem.kind))
    tables.add("problems", in_order)
    tables.write(run.out, "source", ["problems"], run.work)
