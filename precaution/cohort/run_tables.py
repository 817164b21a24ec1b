"""A run over tables: rows sorted by person, then decided a partition at a time, with the results of any other run."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from precaution.cohort.deciding import Deciding
from precaution.cohort.label_of import LabelOf
from precaution.cohort.problems import KINDS, Problem, first, grave, message_of
from precaution.cohort.processes import Processes, watch
from precaution.cohort.results import DONE, RUN, finished
from precaution.cohort.row_checks import SCHEMAS, check_columns, wrong_entry, wrong_person
from precaution.cohort.run_fhir import Told, decide_all, write_problems
from precaution.cohort.sort.files import File
from precaution.cohort.sort.lines import Sorted, hash_of
from precaution.cohort.sort.rows import (
    ROWS,
    Parted,
    Queries,
    Shape,
    connected,
    part,
    parted_before,
    partitions,
    rows_in,
    selected,
)
from precaution.cohort.sound_rows import sound, unsound
from precaution.errors import InputError, PrecautionError, UsageError
from precaution.tables.schema import as_rows, record_of
from precaution.values.record import ANSWER, UNREADABLE, Unrecognised, in_order

import pyarrow as pa  # isort: skip - entries says what to do where it is missing
import pyarrow.compute as pc  # isort: skip
import pyarrow.parquet as pq  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from precaution.cohort.deciding import Decided
    from precaution.cohort.results import Summary
    from precaution.cohort.run_fhir import Run
    from precaution.tables.schema import Row
    from precaution.values.record import Record

Passed = tuple[list[Sorted], list["Decided"], Counter[str], dict[str, object]]
Job = TypeVar("Job")
HOLDS = ("entries", "persons")
"""The folders that make a folder a source of tables."""


class Task(NamedTuple):
    """What every partition's work needs to know."""

    work: Path
    out: Path
    label: LabelOf
    today: date
    history: bool
    entries: bool
    partitions: int
    lost: frozenset[str]
    """The kinds of entries of which no list is complete."""
    limit: int = 0
    """Most persons to decide; 0 for all."""
    audit: bool = False


class Parting(NamedTuple):
    """The work of sorting the rows of a source by person."""

    source: Path
    files: tuple[File, ...]
    work: Path
    partitions: int
    workers: int


def is_tables(source: Path) -> bool:
    """Whether a source is a folder that holds the tables `entries` and `persons`."""
    return all((source / name).is_dir() for name in HOLDS)


def files(source: Path, out: Path | None = None) -> list[File]:
    """Return the Parquet files of a source of tables.

    Raises InputError where one is missing, damaged, or lacks a column; UsageError where the results are to be
    written there.
    """
    if out is not None and source.resolve() == out.resolve():
        raise UsageError(f"the results can't be written to '{out}': the source is there; give another folder")
    if (source / RUN).exists() and not (source / DONE).exists():
        raise InputError(f"'{source}' holds the results of a run that is not finished: there is no {DONE} in it")
    found = []
    for table in HOLDS:
        paths = sorted(path for path in (source / table).rglob("*.parquet") if path.is_file())
        if not paths:
            raise InputError(f"the folder '{source / table}' holds no .parquet file")
        for path in paths:
            name = path.relative_to(source).as_posix()
            check_columns(name, table, _about(path, name)[0])
            found.append(File(name, path.stat().st_size, path.stat().st_mtime_ns))
    return found


def count(source: Path, found: Sequence[File]) -> int:
    """Return into how many partitions the rows of a source are cut."""
    rows = Counter[str]()
    for each in found:
        rows[each.name.partition("/")[0]] += _about(source / each.name, each.name)[1]
    return partitions(rows["persons"], rows["entries"])


def _about(path: Path, name: str) -> tuple[pa.Schema, int]:
    """Return the columns of a Parquet file and how many rows it has."""
    try:
        with pq.ParquetFile(path) as file:
            return file.schema_arrow, file.metadata.num_rows
    except (OSError, pa.ArrowException):
        raise InputError(f"{name}: the file is damaged, or no Parquet; write it anew") from None


def decided(run: Run) -> Summary:
    """Do what is left of a run over tables, and mark it as complete. Raises InputError if `strict`, OutputError."""
    job = Parting(Path(run.source), run.files, run.work, run.partitions, run.workers)
    return decided_rows(run, "rows sorted", _sorted, job, decide_rows)


def decided_rows(
    run: Run, what: str, sort: Callable[[Job], Parted], job: Job, decide: Callable[[tuple[Task, int]], Decided]
) -> Summary:
    """Sort the rows of a source by `sort`, unless that was done before; decide them by `decide`, and mark the run as
    complete. `what` names the sorting. Raises InputError if `strict`, OutputError."""
    told = Told(run.progress)
    with Processes(run.workers, told.add, run.work) as processes:
        found = parted_before(run.work)
        if found is None:
            told.begin(what, 0)
            (found,) = processes.run(sort, [job])
        return finished(run.out, *passed(run, told, found, lambda task: decide_all(run, processes, task, decide)))


def passed(run: Run, told: Told, found: Parted, decide: Callable[[Task], list[Decided]]) -> Passed:
    """Decide rows that are sorted already, by `decide`; return what `finished` takes. Raises InputError if `strict`."""
    if run.strict and grave(found.problems):
        raise first(next(problem for problem in found.problems if grave([problem])))
    task = Task(
        run.work,
        run.out,
        run.label,
        run.today,
        run.history,
        run.entries,
        run.partitions,
        frozenset(found.lost if run.lost_lines == "everybody" else ()),
        run.limit,
        run.audit,
    )
    told.begin("patients decided", found.persons)
    parts = decide(task)
    write_problems(run, found.problems)
    counts = Counter[str]()
    for problem in found.problems:
        counts[problem.kind] += problem.lines
    taken = Counter(found.taken) + Counter({"persons": found.persons})
    return [Sorted(0, "", taken=taken)], parts, counts, found.report


def _sorted(job: Parting) -> Parted:
    """Sort the rows of a source by person. Raises InputError, OutputError."""
    emptied(job.work)
    with connected(job.work, job.workers) as base:
        queries = Queries(lambda: query(job, "persons"), lambda: query(job, "entries"))
        return part(base, queries, job.work, job.partitions)


def emptied(work: Path) -> None:
    """Throw away what an interrupted run left half sorted."""
    for path in work.iterdir():
        if path.is_file():
            path.unlink()


def query(job: Parting, table: str) -> str:
    """Return the rows of a table as SQL, with what is wrong with them and where they are."""
    schema = SCHEMAS[table]
    wrong = wrong_entry() if table == "entries" else wrong_person()
    named = [each.name for each in job.files if each.name.startswith(table + "/")]
    columns = {name for each in named for name in _about(job.source / each, each)[0].names}
    paths = ", ".join(_quoted(str(job.source / each)) for each in named)
    start = len(str(job.source)) + 2
    place = "why is not null or coalesce(person, '') = ''"
    return f"""
        select * exclude (filename, file_row_number),
            case when {place} then substr(filename, {start}) end as file,
            case when {place} then file_row_number + 1 end as row
        from (select *, {wrong} as why from (
            select {selected(columns, schema)}, filename, file_row_number from read_parquet(
                [{paths}], union_by_name = true, hive_partitioning = false, filename = true, file_row_number = true)))
        """  # noqa: S608 - columns, checks and paths are ours, and quoted


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# Deciding


def decide_rows(task: tuple[Task, int]) -> Decided:
    """Decide every person of a partition of rows and write the tables; raises OutputError."""
    run = RowsRun(*task)
    persons, entries = (_rows(run, table) for table in ("persons", "entries"))
    doubtful = unsound(persons, entries)
    people = _people({*persons.column("person").to_pylist(), *doubtful}, run)
    records = sound(persons, entries, [person for person in people if person not in doubtful])
    of_persons, of_entries = _by_person(_only(persons, doubtful)), _by_person(_only(entries, doubtful))
    for person in people:
        if person in doubtful:
            run.person(person, of_persons.get(person, []), of_entries.get(person, []))
        else:
            run.sound(*next(records))
    return run.written()


def decide_of(run: RowsRun) -> Decided:
    """Decide every person of a partition of rows of any shape."""
    persons, entries = (_by_person(_rows(run, table)) for table in ("persons", "entries"))
    for person in _people({*persons, *entries}, run):
        run.person(person, persons.pop(person, []), entries.pop(person, []))
    return run.written()


def _people(found: Iterable[str], run: RowsRun) -> list[str]:
    """Return the persons to decide, in the order in which any run of the same partitions takes them."""
    ordered = sorted(found, key=lambda key: (hash_of(key), key))
    return ordered[: run.job.limit] if run.job.limit else ordered


def _rows(run: RowsRun, table: str) -> pa.Table:
    return rows_in(run.job.work, table, run.found.partition, run.job.partitions, run.shape)


def _only(table: pa.Table, people: set[str]) -> pa.Table:
    return table.filter(pc.is_in(table.column("person"), value_set=pa.array(sorted(people), pa.string())))


def _by_person(table: pa.Table) -> dict[str, list[Row]]:
    rows = as_rows(table)
    return {person: list(own) for person, own in groupby(sorted(rows, key=itemgetter(0)), itemgetter(0))}


class RowsRun(Deciding):
    """One partition of rows."""

    shape: Shape = ROWS

    def __init__(self, job: Task, number: int) -> None:
        """Begin the results of partition `number`."""
        super().__init__(job, number)
        self.job = job
        self._concepts = {*self.label.concepts, *UNREADABLE.values(), *(ANSWER + name for name in self.label.asks)}

    def person(self, person: str, rows: list[Row], entries: list[Row]) -> None:
        """Decide one person; whatever goes wrong with that one is noted."""
        with self._noted(person):
            problem = _wrong(person, rows, entries)
            if problem is not None:
                self.found.failed += 1
                self.note(problem)
                return
            once = list(dict.fromkeys(entries))
            if more := len(rows) + len(entries) - len(once) - 1:
                self.note(Problem(person, "row-twice", "", 0, KINDS["row-twice"], more))
            self.decide(
                person,
                self.record(rows[0][: len(self.shape.persons)], [row[: len(self.shape.entries)] for row in once]),
            )

    def sound(self, person: str, record: Record) -> None:
        """Decide one person of whose rows nothing is wrong; whatever goes wrong all the same is noted."""
        with self._noted(person):
            self.decide(person, self.known(record))

    @contextmanager
    def _noted(self, person: str) -> Iterator[None]:
        watch().step(1)
        self.found.people += 1
        try:
            yield
        except Exception as error:
            if isinstance(error, PrecautionError) and not isinstance(error, InputError):
                raise
            self.note(Problem(person, self.failed(error), "", 0, message_of(error)))

    def record(self, person: Row, entries: list[Row]) -> Record:
        """Return the record that a person's rows are."""
        return self.known(record_of(person, entries))

    def known(self, record: Record) -> Record:
        """Return a record of nothing but what the label knows."""
        return self.understood(record) if self.job.lost or not self._concepts.issuperset(record.entries) else record

    def understood(self, record: Record) -> Record:
        """Return a record in which what is lost, or of no concept of the label, leaves no list complete."""
        found = {name: own for name, own in record.entries.items() if name in self._concepts}
        unknown = [each for name, own in record.entries.items() if name not in self._concepts for each in own]
        for each in unknown:
            name = UNREADABLE.get(each.kind)
            if name is not None:
                moved = each._replace(
                    concept=name, certainty="mentioned", value=None, result="", says="", note=_NO_CONCEPT
                )
                found[name] = (*found.get(name, ()), moved)
        more = (Unrecognised(each.source, "concept", each.concept, _NO_CONCEPT) for each in unknown)
        return replace(
            record,
            entries={name: tuple(sorted(own, key=in_order)) for name, own in found.items()},
            lists=record.lists - self.job.lost,
            attested=record.attested - self.job.lost,
            unrecognised=tuple(sorted({*record.unrecognised, *more})),
        )


_NO_CONCEPT = "the label has no such concept"


def _wrong(person: str, rows: list[Row], entries: list[Row]) -> Problem | None:
    """Return why a person's rows can't be decided on, or None."""
    if not rows:
        return Problem(person, "no-person", "", 0, KINDS["no-person"], len(entries))
    bad = [row for row in (*rows, *entries) if row[-3] is not None]
    if bad:
        why, file, row = bad[0][-3:]
        return Problem(person, "bad-row", str(file), int(str(row)), f"the row can't be right: {why}", len(bad))
    if any(row != rows[0] for row in rows):
        return Problem(person, "bad-row", "", 0, "persons holds rows of one person that differ", len(rows))
    return None
