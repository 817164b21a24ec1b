"""A run over an OMOP CDM: mapped where the data are, sorted by person, then decided as any other rows."""

from __future__ import annotations

import json
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from precaution.cohort.context import SourceFile
from precaution.cohort.deciding_rows import RowsPartition, decide_one_by_one
from precaution.cohort.label_source import loaded
from precaution.cohort.run_tables import emptied, run_rows
from precaution.cohort.sort.rows import RowColumns, RowQueries, connected, note, partition_count, sort_rows
from precaution.cohort.sort.sorted import Sorted
from precaution.cohort.tables import put
from precaution.errors import UsageError
from precaution.readers.codes import codes_for
from precaution.readers.omop import mapping
from precaution.readers.omop.code_map import CodeMap, code_map
from precaution.readers.omop.columns import LISTS_OF
from precaution.readers.omop.files import CdmFiles, files_of, is_database, is_folder, quoted
from precaution.readers.omop.meanings import VocabularyConcept
from precaution.readers.omop.rows import MappedPerson, MappedRow, RowReader

import pyarrow as pa  # isort: skip - tables says what to do where it is missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import duckdb

    from precaution.cohort.context import RunContext
    from precaution.cohort.deciding import Decided, PartitionTask
    from precaution.cohort.progress import Tell
    from precaution.cohort.results import Summary
    from precaution.readers.omop.columns import Cdm
    from precaution.values.record import Record

_TYPES = {"varchar": pa.string(), "bigint": pa.int64(), "boolean": pa.bool_(), "double precision": pa.float64()}


def _schema(columns: Mapping[str, str]) -> pa.Schema:
    return pa.schema([(name, _TYPES[kind]) for name, kind in columns.items()])


_LABEL = {"label": "varchar"}
"""The name of the label by whose codes a row was mapped; of a person nothing, who is the same for each."""
MAPPED = RowColumns(_schema({**mapping.PERSON_COLUMNS, **_LABEL}), _schema({**mapping.COLUMNS, **_LABEL}), "event")
_MEANINGS = "omop.json"
"""What the last step of the mapping is told of values and units."""


class CdmTables(NamedTuple):
    """The files or tables of a CDM, and into how many partitions its persons are cut."""

    files: tuple[SourceFile, ...]
    partitions: int


def is_omop(source: Path | str) -> bool:
    """Whether a source is a CDM: the URL of a database, a DuckDB file, or a folder with a table of the CDM."""
    return _is_url(source) or is_database(Path(source)) or is_folder(Path(source))


def tables_of(source: Path | str, out: Path) -> CdmTables:
    """Return what a source holds. Raises InputError where it can't be read, UsageError where the results are there."""
    if _is_url(source):
        return _tables_there(str(source))
    path = Path(source)
    if path.resolve().is_relative_to(out.resolve()):
        raise UsageError(f"the results can't be written to '{out}': the source is there; give another folder")
    inside = path if path.is_dir() else path.parent
    listed = [
        SourceFile(each.relative_to(inside).as_posix(), each.stat().st_size, each.stat().st_mtime_ns)
        for each in files_of(path)
    ]
    return CdmTables(tuple(listed), partition_count(sum(each.size for each in listed) // _BYTES, 0))


_BYTES = 2048
"""Bytes of a person, at least, in files of any sort: it decides only how many partitions there are."""


def _tables_there(url: str) -> CdmTables:
    from precaution.readers.omop.postgres import CdmPostgres, database_address  # noqa: PLC0415 - its driver is an extra

    with closing(CdmPostgres(database_address(url))) as cdm:
        sizes = cdm.sizes()
        listed = tuple(SourceFile(f"{cdm.address.shown} {table}", size, 0) for table, size in sorted(sizes.items()))
        return CdmTables(listed, partition_count(sum(sizes.values()) // _BYTES, 0))


def _is_url(source: Path | str) -> bool:
    text = str(source) if isinstance(source, str) else ""
    if "://" not in text:
        return False
    if text.partition("://")[0] not in ("postgresql", "postgres"):
        raise UsageError("a database is given as postgresql://user@host/name?schema=cdm; no other kind is read")
    return True


def run(context: RunContext, tell: Tell) -> Summary:
    """Do what is left of a run over a CDM, and mark it as complete. Raises InputError if `strict`, OutputError."""
    return run_rows(context, tell, "rows mapped", _mapped, decide_mapped)


def _mapped(context: RunContext) -> Sorted:
    """Map a CDM, and sort what comes of it by person. Raises InputError, OutputError."""
    emptied(context.work)
    with connected(context.work, context.workers) as base:
        return _there(context, base) if _is_url(context.source) else _here(context, base)


def _here(context: RunContext, base: duckdb.DuckDBPyConnection) -> Sorted:
    found = Sorted()
    cdm = CdmFiles(base, context.path, context.work)
    for each in cdm.unreadable:
        lost = LISTS_OF.get(each.table)
        note(found, "unread-line" if lost is None else "unreadable-line", each.file, each.line)
        found.lost_kinds.update(lost or ())
    meanings = _kept(context, _code_maps(context, cdm))
    found.report = _reported(meanings.values())
    queries = RowQueries(
        lambda: _with_origin(mapping.persons(cdm, context.today.isoformat())),
        lambda: _rows(cdm, meanings),
    )
    return sort_rows(base, queries, context, MAPPED, found)


def _there(context: RunContext, base: duckdb.DuckDBPyConnection) -> Sorted:
    from precaution.readers.omop.postgres import CdmPostgres, database_address  # noqa: PLC0415 - its driver is an extra

    with closing(CdmPostgres(database_address(str(context.source)))) as cdm:
        meanings = _kept(context, _code_maps(context, cdm))
        persons, rows = "there_persons", "there_rows"
        queries = RowQueries(
            lambda: _with_origin(cdm.into(base, persons, mapping.persons(cdm, context.today.isoformat()))),
            lambda: _rows(cdm, meanings, lambda query, at: cdm.into(base, f"{rows}_{at}", query)),
        )
        return sort_rows(base, queries, context, MAPPED, Sorted(report=_reported(meanings.values())))


def _code_maps(context: RunContext, cdm: Cdm) -> dict[str, CodeMap]:
    """Return by the name of each label what the codes of a CDM mean for it."""
    every = enumerate(loaded(context.labels))
    return {label.name: code_map(cdm, codes_for(label.terminology), at) for at, label in every}


def _rows(cdm: Cdm, meanings: Mapping[str, CodeMap], sent: Callable[[str, int], str] = lambda query, _: query) -> str:
    """Return the query for the mapped rows of all labels; `sent` has each label's query run where the data are."""
    every = enumerate(meanings.items())
    mapped = [(name, sent(mapping.rows(cdm, each.meanings, cdm.tables), at)) for at, (name, each) in every]
    return " union all ".join(_with_origin(query, "source", quoted(name)) for name, query in mapped)


def _reported(meanings: Iterable[CodeMap]) -> dict[str, object]:
    """Return the report on codes and units without a meaning, what is the same for several labels once."""
    found: dict[str, list[object]] = {}
    for each in meanings:
        for part, rows in each.report.items():
            mine = found.setdefault(part, [])
            mine += [row for row in rows if row not in mine]
    return dict(found)


def _with_origin(query: str, origin: str = "''", label: str = "null::varchar") -> str:
    """Return a query with the label, and why, file and row of what is wrong: of a row without a person where it
    stands in the CDM."""
    return f"""
        select *, {label} as label, null::varchar as why, case when person is null then {origin} end as file,
            null::bigint as row
        from ({query})
        """  # noqa: S608 - the query is ours


def _kept(context: RunContext, meanings: dict[str, CodeMap]) -> dict[str, CodeMap]:
    """Keep for the last step what values and units are, which is the same for every label."""
    first = next(iter(meanings.values()))
    values = {name: each._asdict() for name, each in first.values.items()}
    text = json.dumps({"values": values, "units": first.units})
    put(context.work / _MEANINGS, lambda path: path.write_text(text, encoding="utf-8"))
    return meanings


# Deciding


@lru_cache(maxsize=1)
def _meanings(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def decide_mapped(task: PartitionTask) -> Decided:
    """Decide every person of a partition of mapped rows and write the tables; raises OutputError."""
    return decide_one_by_one(MappedPartition(*task))


class MappedPartition(RowsPartition):
    """One partition of mapped rows."""

    columns = MAPPED

    def __init__(self, context: RunContext, found: Sorted, number: int) -> None:
        """Begin partition `number`. `found`: what the first pass left."""
        super().__init__(context, found, number)
        kept = _meanings(context.work / _MEANINGS)
        values = {int(name): VocabularyConcept(**each) for name, each in kept["values"].items()}
        units = {int(name): each for name, each in kept["units"].items()}
        self._readers = [RowReader(codes_for(each.terminology), values, units) for each in self.labels]

    def record(self, person: tuple[Any, ...], entries: list[tuple[Any, ...]], at: int) -> Record:
        """Return the record that a person's mapped rows, without their last column, are for the label at that place."""
        record = self._readers[at].record(MappedPerson(*person), (MappedRow(*row) for row in entries))
        return self.without_lists(record, at) if self.found.lost_kinds else record
