"""A run over tables: rows sorted by person, then decided a partition at a time, with the results of any other run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from precaution.cohort.context import SourceFile
from precaution.cohort.deciding import decide_all
from precaution.cohort.deciding_rows import decide_rows
from precaution.cohort.label_source import loaded
from precaution.cohort.problems import first_grave, strict_error
from precaution.cohort.processes import Processes
from precaution.cohort.progress import Progress
from precaution.cohort.results import DONE, RUN, finished
from precaution.cohort.row_checks import SCHEMAS, check_columns, wrong_entry, wrong_person
from precaution.cohort.sort.rows import RowQueries, connected, partition_count, selected, sort_rows
from precaution.cohort.sort.sorted import Sorted, sorted_before
from precaution.errors import InputError, UsageError

import pyarrow as pa  # isort: skip - tables says what to do where it is missing
import pyarrow.parquet as pq  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from precaution.cohort.context import RunContext
    from precaution.cohort.deciding import Decided, DecidePartition
    from precaution.cohort.progress import Tell
    from precaution.cohort.results import Summary

HOLDS = ("entries", "persons")
"""The folders that make a folder a source of tables."""


def is_tables(source: Path) -> bool:
    """Whether a source is a folder that holds the tables `entries` and `persons`."""
    return all((source / name).is_dir() for name in HOLDS)


def files(source: Path, out: Path | None = None) -> list[SourceFile]:
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
            found.append(SourceFile(name, path.stat().st_size, path.stat().st_mtime_ns))
    return found


def check_labels(source: Path, found: Iterable[SourceFile], names: Sequence[str]) -> None:
    """Raise UsageError where the records of a source were read by other labels, and by one of `names` never.

    What its code lists would have found is then not in the tables, and would be taken for none.
    """
    read_by = set[str | None]()
    for each in found:
        if each.name.startswith("persons/") and "label" in _about(source / each.name, each.name)[0].names:
            column = pq.read_table(source / each.name, columns=["label"]).column(0)
            read_by.update(column.unique().to_pylist())
    if lacking := [name for name in names if read_by - {None} and None not in read_by and name not in read_by]:
        there = ", ".join(sorted(name for name in read_by if name))
        raise UsageError(
            f"the records in '{source}' were read by the code lists of {there}, not by those of {lacking[0]}: what "
            "only that label looks for is not in them; write the tables anew with --entries and that label"
        )


def count_partitions(source: Path, found: Sequence[SourceFile]) -> int:
    """Return into how many partitions the rows of a source are cut."""
    rows = Counter[str]()
    for each in found:
        rows[each.name.partition("/")[0]] += _about(source / each.name, each.name)[1]
    return partition_count(rows["persons"], rows["entries"])


def _about(path: Path, name: str) -> tuple[pa.Schema, int]:
    """Return the columns of a Parquet file and how many rows it has."""
    try:
        with pq.ParquetFile(path) as file:
            return file.schema_arrow, file.metadata.num_rows
    except (OSError, pa.ArrowException):
        raise InputError(f"{name}: the file is damaged, or no Parquet; write it anew") from None


def run(context: RunContext, tell: Tell) -> Summary:
    """Do what is left of a run over tables, and mark it as complete. Raises InputError if `strict`, OutputError."""
    return run_rows(context, tell, "rows sorted", _sorted, decide_rows)


def run_rows(
    context: RunContext, tell: Tell, what: str, sort: Callable[[RunContext], Sorted], decide: DecidePartition
) -> Summary:
    """Sort the rows of a source by `sort`, unless that was done before; decide them by `decide`, and mark the run as
    complete. `what` names the sorting. Raises InputError if `strict`, OutputError."""
    progress = Progress(tell)
    with Processes(context.workers, progress.add, context.work, context.labels) as processes:
        found = sorted_before(context.work)
        if found is None:
            progress.begin(what, 0)
            (found,) = processes.run(sort, [context])
        parts = decided(context, progress, found, lambda rows: decide_all(context, rows, processes, decide))
    return finished(context, found, parts)


def decided(
    context: RunContext, progress: Progress, found: Sorted, decide: Callable[[Sorted], list[Decided]]
) -> list[Decided]:
    """Decide rows that are sorted already, by `decide`. Raises InputError if `strict`."""
    if context.strict and (problem := first_grave(found.problems)):
        raise strict_error(problem)
    progress.begin("patients decided", found.patients)
    return decide(found.without_losses() if context.lost_lines == "nobody" else found)


def _sorted(context: RunContext) -> Sorted:
    """Sort the rows of a source by person. Raises InputError, OutputError."""
    emptied(context.work)
    with connected(context.work, context.workers) as base:
        queries = RowQueries(lambda: query(context, "persons"), lambda: query(context, "entries"))
        return sort_rows(base, queries, context)


def emptied(work: Path) -> None:
    """Throw away what an interrupted run left half sorted."""
    for path in work.iterdir():
        if path.is_file():
            path.unlink()


def query(context: RunContext, table: str) -> str:
    """Return the rows of a table as SQL, with what is wrong with them and where they are."""
    schema = SCHEMAS[table]
    wrong = wrong_entry() if table == "entries" else wrong_person()
    named = [each.name for each in context.files if each.name.startswith(table + "/")]
    columns = {name for each in named for name in _about(context.path / each, each)[0].names}
    paths = ", ".join(_quoted(str(context.path / each)) for each in named)
    start = len(str(context.path)) + 2
    names = ", ".join(_quoted(each.name) for each in loaded(context.labels))
    nobodys = "why is not null or coalesce(person, '') = ''"
    return f"""
        select * exclude (filename, file_row_number),
            case when {nobodys} then substr(filename, {start}) end as file,
            case when {nobodys} then file_row_number + 1 end as row
        from (select *, {wrong} as why from (
            select {selected(columns, schema)}, filename, file_row_number from read_parquet(
                [{paths}], union_by_name = true, hive_partitioning = false, filename = true, file_row_number = true))
            where label is null or label in ({names}))
        """  # noqa: S608 - columns, checks and paths are ours, and quoted


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
