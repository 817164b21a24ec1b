"""The first pass over rows: of `entries` and `persons` in any order to partitions on disk by person, by DuckDB.

A partition is as many persons as fit in memory, the same ones by the hash of their id as in a run over FHIR. Several
partitions share a file of Arrow batches, each batch in order of partition: so files and batches stay large, and one
partition is read without the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from precaution.cohort.problems import KINDS, Problem
from precaution.cohort.processes import watch
from precaution.cohort.sort.partition_files import partition_of
from precaution.cohort.sort.sorted import SHOWN, Sorted
from precaution.errors import InputError, OutputError, UsageError
from precaution.tables.schema import ENTRIES, PERSONS
from precaution.values.record import KINDS as KINDS_OF_ENTRIES
from precaution.values.record import LISTED

import pyarrow as pa  # isort: skip - tables says what to do where it is missing
import pyarrow.compute as pc  # isort: skip

try:
    import duckdb
except ImportError:  # pragma: no cover - tested where it is not installed
    raise UsageError("tables need duckdb: install it with `pip install '.[cohort]'` in its folder") from None

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from precaution.cohort.context import RunContext

PERSONS_EACH = 2000
"""Persons of a partition, as far as its entries allow."""
ENTRIES_EACH = 120_000
MOST = 4096
FILES = 128
"""Most files that partitions are written to."""
MEMORY = "300MB"
"""What DuckDB may hold before it writes to disk."""
BATCH = 250_000
"""Rows that are cut into partitions at a time."""
_WHERE = pa.schema([("why", pa.string()), ("file", pa.string()), ("row", pa.int64())])
_NOWHERE, _NOBODY = -1, -2
_PACKED = pa.ipc.IpcWriteOptions(compression="lz4" if pa.Codec.is_available("lz4") else None)


class RowColumns(NamedTuple):
    """The columns of the two tables, besides why, file and row of what is wrong."""

    persons: pa.Schema
    entries: pa.Schema
    counted: str
    """The column of the second by whose words its rows are counted."""


ROWS = RowColumns(PERSONS, ENTRIES, "kind")


class RowQueries(NamedTuple):
    """Two queries, each made when it is asked for: for the rows of persons, and for the other rows."""

    persons: Callable[[], str]
    entries: Callable[[], str]


def note(found: Sorted, kind: str, file: str, row: int, message: str = "") -> None:
    """Add a problem; beyond a number of them only the count of each kind."""
    if len(found.problems) < SHOWN:
        found.problems.append(Problem("", kind, file, row, message or KINDS[kind]))
    else:
        last = next((at for at, each in enumerate(found.problems) if each.kind == kind and not each.line), None)
        if last is None:
            found.problems.append(Problem("", kind, file, 0, KINDS[kind]))
        else:
            found.problems[last] = found.problems[last]._replace(lines=found.problems[last].lines + 1)


def partition_count(persons: int, entries: int) -> int:
    """Return how many partitions so many rows are cut into."""
    return max(1, min(MOST, max(-(-persons // PERSONS_EACH), -(-entries // ENTRIES_EACH))))


def connected(work: Path, workers: int) -> duckdb.DuckDBPyConnection:
    """Return a database in memory that writes to `work` what does not fit."""
    return duckdb.connect(
        config={
            "memory_limit": MEMORY,
            "temp_directory": str(work / "spill"),
            "threads": workers,
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
        }
    )


def sort_rows(
    base: duckdb.DuckDBPyConnection,
    queries: RowQueries,
    context: RunContext,
    columns: RowColumns = ROWS,
    found: Sorted | None = None,
) -> Sorted:
    """Write all rows to the partitions of a run; add to what was `found` before, and keep it.

    Raises InputError, OutputError.
    """
    found, work, count = found or Sorted(), context.work, context.partitions
    try:
        _sort_persons(base, queries.persons(), PartitionTables(work, "persons", columns.persons, count), count, found)
        entries = PartitionTables(work, "entries", columns.entries, count)
        _sort_entries(base, queries.entries(), entries, count, found, columns)
    except duckdb.Error as error:
        raise clear(error) from None
    found.taken += Counter({"persons": found.patients})
    found.save(work)
    return found


def clear(error: Exception) -> InputError | OutputError:
    """Return what DuckDB could not do, without its words: they may quote the record."""
    full = any(word in str(error).lower() for word in ("no space", "could not write", "disk quota", "max_temp"))
    if full or isinstance(error, duckdb.OutOfMemoryException):
        return OutputError("the rows can't be sorted: no room on disk or in memory; make room and run again")
    return InputError(
        f"the source can't be read to its end ({type(error).__name__}): a file is damaged, or changed "
        "while it was read; write it anew"
    )


def _sort_persons(base: duckdb.DuckDBPyConnection, query: str, to: PartitionTables, count: int, found: Sorted) -> None:
    """Write the rows of `persons`, and keep whose partition is which in the table `parts`."""
    base.execute("create or replace table parts (person varchar, part smallint)")
    with to as tables:
        for batch in base.sql(query).to_arrow_reader(BATCH // 10):
            parts = [partition_of(each, count) if each else _NOBODY for each in batch.column("person").to_pylist()]
            for row in _rows_with(parts, _NOBODY):
                note(found, "no-id", *_origin(batch, row))
            found.patients += batch.num_rows
            sent = pa.table({"person": batch.column("person"), "part": pa.array(parts, pa.int16())})
            with base.cursor() as beside:
                beside.register("sent", sent)
                beside.execute("insert into parts select person, part from sent where part >= 0")
            tables.write(batch, sent.column("part").combine_chunks())
            watch().step(0)
    base.execute("create or replace table parts as select distinct person, part from parts")


def _sort_entries(
    base: duckdb.DuckDBPyConnection,
    query: str,
    to: PartitionTables,
    count: int,
    found: Sorted,
    columns: RowColumns,
) -> None:
    joined = f"""
        select each.*, coalesce(parts.part, case when coalesce(each.person, '') = '' then {_NOBODY} else {_NOWHERE}
            end)::smallint as part
        from ({query}) each left join parts using (person)
        """  # noqa: S608 - the query is ours
    with to as tables:
        for batch in base.sql(joined).to_arrow_reader(BATCH):
            for each in batch.column(columns.counted).value_counts().to_pylist():
                found.taken[word(each["values"], columns)] += each["counts"]
            parts = batch.column("part")
            if pc.min(parts).as_py() < 0:
                parts = _of_nobody(batch, parts.to_pylist(), count, found)
            tables.write(batch, parts)
            watch().step(batch.num_rows)


def _of_nobody(batch: pa.RecordBatch, parts: list[int], count: int, found: Sorted) -> pa.Array:
    """Return the partitions of rows some of which are of no person of `persons`; note those without any person."""
    for row in _rows_with(parts, _NOBODY):
        found.lost_kinds |= lost_with(batch.column("kind")[row].as_py())
        note(found, "nobody's", *_origin(batch, row))
    for row in _rows_with(parts, _NOWHERE):
        parts[row] = partition_of(batch.column("person")[row].as_py(), count)
    return pa.array(parts, pa.int16())


def lost_with(kind: str | None) -> set[str]:
    """Return the kinds of entries of which no list is complete when a row of this kind is nobody's."""
    return {kind} if kind in LISTED else set(LISTED) if kind not in KINDS_OF_ENTRIES else set()


def _rows_with(parts: Sequence[int], value: int) -> list[int]:
    return [row for row, part in enumerate(parts) if part == value]


def word(name: str | None, columns: RowColumns = ROWS) -> str:
    """Return the word by which a row is counted."""
    return name if name and (columns is not ROWS or name in KINDS_OF_ENTRIES) else "of no known kind"


def _origin(batch: pa.RecordBatch, row: int) -> tuple[str, int]:
    """Return file and row of a row that belongs to nobody; a file's name where that was not kept."""
    return batch.column("file")[row].as_py() or "", batch.column("row")[row].as_py() or 0


class PartitionTables:
    """The files of one table: each of `FILES` at most holds some partitions that follow each other."""

    def __init__(self, work: Path, table: str, schema: pa.Schema, count: int) -> None:
        """Write below `work`."""
        self._schema = pa.schema([*schema, *_WHERE, ("part", pa.int16())])
        self._paths, self._each = _paths(work, table, count)
        self._open: dict[int, pa.ipc.RecordBatchStreamWriter] = {}

    def __enter__(self) -> PartitionTables:
        """Open files when something is written to them."""
        for path in self._paths:
            path.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        for each in self._open.values():
            each.close()

    def write(self, batch: pa.RecordBatch, parts: pa.Array) -> None:
        """Add the rows of a batch, each to the partition in `parts`; none to one below 0."""
        columns = {name: batch.column(name) for name in self._schema.names if name != "part"} | {"part": parts}
        whole = pa.RecordBatch.from_arrays(
            [columns[item.name].cast(item.type) for item in self._schema], schema=self._schema
        )
        ordered = whole.take(pc.sort_indices(parts))
        for number, start, end in _runs(pc.divide(ordered.column("part"), self._each)):
            if ordered.column("part")[start].as_py() >= 0:
                self._file(number).write_batch(ordered.slice(start, end - start))

    def _file(self, number: int) -> pa.ipc.RecordBatchStreamWriter:
        if number not in self._open:
            self._open[number] = pa.ipc.new_stream(str(self._paths[number]), self._schema, options=_PACKED)
        return self._open[number]


def rows_in(work: Path, table: str, number: int, count: int, columns: RowColumns = ROWS) -> pa.Table:
    """Return the rows of a partition, with why, file and row of what is wrong, in no particular order."""
    paths, each = _paths(work, table, count)
    schema = pa.schema([*(columns.entries if table == "entries" else columns.persons), *_WHERE])
    return pa.Table.from_batches(_slices(paths[number // each], number), schema)


def _slices(path: Path, number: int) -> Iterator[pa.RecordBatch]:
    if not path.exists():
        return
    with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as stream:
        for batch in stream:
            for found, start, end in _runs(batch.column("part")):
                if found == number:
                    yield batch.slice(start, end - start).drop_columns(["part"])


def _runs(ordered: pa.Array) -> Iterator[tuple[int, int, int]]:
    """Yield each value of an ordered array, with where it begins and ends."""
    encoded, start = pc.run_end_encode(ordered), 0
    for value, end in zip(encoded.values.to_pylist(), encoded.run_ends.to_pylist(), strict=True):
        yield value, start, end
        start = end


def _paths(work: Path, table: str, count: int) -> tuple[list[Path], int]:
    """Return the files of a table, and how many partitions each of them holds."""
    each = -(-count // FILES)
    return [work / f"{table}-{number:02d}.arrow" for number in range(-(-count // each))], each


def selected(columns: Iterable[str], schema: pa.Schema) -> str:
    """Return the columns of a table as SQL, each cast to its type; nulls where the source has no such column."""
    there = set(columns)
    return ", ".join(
        f'{_cast(field) if field.name in there else f"null::{_sql(field.type)}"} as "{field.name}"' for field in schema
    )


def _cast(field: pa.Field) -> str:
    return f'"{field.name}"::{_sql(field.type)}'


def _sql(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return _sql(kind.value_type) + "[]"
    if pa.types.is_struct(kind):
        return "struct(" + ", ".join(f'"{each.name}" {_sql(each.type)}' for each in kind) + ")"
    return {"string": "varchar", "double": "double", "bool": "boolean", "int32": "integer"}[str(kind)]
