"""A run over an OMOP CDM: mapped where the data are, sorted by person, then decided as any other rows."""

from __future__ import annotations

import json
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from precaution.cohort.context import SourceFile
from precaution.cohort.deciding_rows import RowsPartition, decide_one_by_one
from precaution.cohort.run_tables import emptied, run_rows
from precaution.cohort.sort.rows import RowColumns, RowQueries, connected, note, partition_count, sort_rows
from precaution.cohort.sort.sorted import Sorted
from precaution.cohort.tables import put
from precaution.errors import UsageError
from precaution.readers.codes import codes_for
from precaution.readers.omop import mapping
from precaution.readers.omop.code_map import CodeMap, code_map
from precaution.readers.omop.columns import LISTS_OF
from precaution.readers.omop.files import CdmFiles, files_of, is_database, is_folder
from precaution.readers.omop.meanings import VocabularyConcept
from precaution.readers.omop.rows import MappedPerson, MappedRow, RowReader

import pyarrow as pa  # isort: skip - tables says what to do where it is missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from precaution.cohort.context import RunContext
    from precaution.cohort.deciding import Decided, PartitionTask
    from precaution.cohort.label_source import LabelSource
    from precaution.cohort.progress import Tell
    from precaution.cohort.results import Summary
    from precaution.readers.codes import Codes
    from precaution.values.record import Record

_TYPES = {"varchar": pa.string(), "bigint": pa.int64(), "boolean": pa.bool_(), "double precision": pa.float64()}


def _schema(columns: Mapping[str, str]) -> pa.Schema:
    return pa.schema([(name, _TYPES[kind]) for name, kind in columns.items()])


MAPPED = RowColumns(_schema(mapping.PERSON_COLUMNS), _schema(mapping.COLUMNS), "event")
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
    meanings = _kept(context, code_map(cdm, _codes(context.label)))
    found.report = dict(meanings.report)
    queries = RowQueries(
        lambda: _with_origin(mapping.persons(cdm, context.today.isoformat())),
        lambda: _with_origin(mapping.rows(cdm, meanings.meanings, cdm.tables), "source"),
    )
    return sort_rows(base, queries, context, MAPPED, found)


def _there(context: RunContext, base: duckdb.DuckDBPyConnection) -> Sorted:
    from precaution.readers.omop.postgres import CdmPostgres, database_address  # noqa: PLC0415 - its driver is an extra

    with closing(CdmPostgres(database_address(str(context.source)))) as cdm:
        meanings = _kept(context, code_map(cdm, _codes(context.label)))
        persons, rows = "there_persons", "there_rows"
        queries = RowQueries(
            lambda: _with_origin(cdm.into(base, persons, mapping.persons(cdm, context.today.isoformat()))),
            lambda: _with_origin(cdm.into(base, rows, mapping.rows(cdm, meanings.meanings, cdm.tables)), "source"),
        )
        return sort_rows(base, queries, context, MAPPED, Sorted(report=dict(meanings.report)))


def _codes(label: LabelSource) -> Codes:
    return codes_for(label.load().terminology)


def _with_origin(query: str, origin: str = "''") -> str:
    """Return a query with why, file and row of what is wrong: of a row without a person where it stands in the CDM."""
    return f"""
        select *, null::varchar as why, case when person is null then {origin} end as file, null::bigint as row
        from ({query})
        """  # noqa: S608 - the query is ours


def _kept(context: RunContext, meanings: CodeMap) -> CodeMap:
    """Keep for the last step what values and units are."""
    values = {name: each._asdict() for name, each in meanings.values.items()}
    text = json.dumps({"values": values, "units": meanings.units})
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
        self._reader = RowReader(codes_for(self.label.terminology), values, units)

    def record(self, person: tuple[Any, ...], entries: list[tuple[Any, ...]]) -> Record:
        """Return the record that a person's mapped rows are."""
        record = self._reader.record(MappedPerson(*person), (MappedRow(*row) for row in entries))
        return self.without_lists(record) if self.found.lost_kinds else record
