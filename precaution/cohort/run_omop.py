"""A run over an OMOP CDM: mapped where the data are, sorted by person, then decided as any other rows."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from precaution.cohort.label_of import LabelOf
from precaution.cohort.run_tables import RowsRun, Task, decide_of, decided_rows, emptied
from precaution.cohort.sort.files import File
from precaution.cohort.sort.rows import Parted, Queries, Shape, connected, part, partitions
from precaution.cohort.tables import put
from precaution.errors import UsageError
from precaution.knowledge.loading import load_label
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

    from precaution.cohort.deciding import Decided
    from precaution.cohort.results import Summary
    from precaution.cohort.run_fhir import Run
    from precaution.readers.codes import Codes
    from precaution.values.record import Record

_TYPES = {"varchar": pa.string(), "bigint": pa.int64(), "boolean": pa.bool_(), "double precision": pa.float64()}


def _schema(columns: Mapping[str, str]) -> pa.Schema:
    return pa.schema([(name, _TYPES[kind]) for name, kind in columns.items()])


MAPPED = Shape(_schema(mapping.PERSON_COLUMNS), _schema(mapping.COLUMNS), "event")
_KNOWN = "omop.json"
"""What the last step of the mapping is told of values and units."""


class Job(NamedTuple):
    """The work of mapping a CDM."""

    source: Path | str
    work: Path
    label: LabelOf
    today: date
    partitions: int
    workers: int


class Found(NamedTuple):
    """What a source holds."""

    files: tuple[File, ...]
    partitions: int


def is_omop(source: Path | str) -> bool:
    """Whether a source is a CDM: the URL of a database, a DuckDB file, or a folder with a table of the CDM."""
    return _is_url(source) or is_database(Path(source)) or is_folder(Path(source))


def found(source: Path | str, out: Path) -> Found:
    """Return what a source holds. Raises InputError where it can't be read, UsageError where the results are there."""
    if _is_url(source):
        return _found_there(str(source))
    path = Path(source)
    if path.resolve().is_relative_to(out.resolve()):
        raise UsageError(f"the results can't be written to '{out}': the source is there; give another folder")
    inside = path if path.is_dir() else path.parent
    listed = [
        File(each.relative_to(inside).as_posix(), each.stat().st_size, each.stat().st_mtime_ns)
        for each in files_of(path)
    ]
    return Found(tuple(listed), partitions(sum(each.size for each in listed) // _BYTES, 0))


_BYTES = 2048
"""Bytes of a person, at least, in files of any sort: it decides only how many partitions there are."""


def _found_there(url: str) -> Found:
    from precaution.readers.omop.postgres import CdmPostgres, database_address  # noqa: PLC0415 - its driver is an extra

    with closing(CdmPostgres(database_address(url))) as cdm:
        sizes = cdm.sizes()
        listed = tuple(File(f"{cdm.address.shown} {table}", size, 0) for table, size in sorted(sizes.items()))
        return Found(listed, partitions(sum(sizes.values()) // _BYTES, 0))


def _is_url(source: Path | str) -> bool:
    text = str(source) if isinstance(source, str) else ""
    if "://" not in text:
        return False
    if text.partition("://")[0] not in ("postgresql", "postgres"):
        raise UsageError("a database is given as postgresql://user@host/name?schema=cdm; no other kind is read")
    return True


def decided(run: Run) -> Summary:
    """Do what is left of a run over a CDM, and mark it as complete. Raises InputError if `strict`, OutputError."""
    job = Job(run.source, run.work, run.label, run.today, run.partitions, run.workers)
    return decided_rows(run, "rows mapped", _mapped, job, decide_mapped)


def _mapped(job: Job) -> Parted:
    """Map a CDM, and sort what comes of it by person. Raises InputError, OutputError."""
    emptied(job.work)
    with connected(job.work, job.workers) as base:
        return _there(job, base) if _is_url(job.source) else _here(job, base)


def _here(job: Job, base: duckdb.DuckDBPyConnection) -> Parted:
    found_ = Parted()
    cdm = CdmFiles(base, Path(job.source), job.work)
    for each in cdm.unreadable:
        lost = LISTS_OF.get(each.table)
        found_.note("unread-line" if lost is None else "unreadable-line", each.file, each.line)
        found_.lost = sorted({*found_.lost, *(lost or ())})
    known = _kept(job, code_map(cdm, _codes(job.label)))
    found_.report = dict(known.report)
    queries = Queries(
        lambda: _placed(mapping.persons(cdm, job.today.isoformat())),
        lambda: _placed(mapping.rows(cdm, known.meanings, cdm.tables), "source"),
    )
    return part(base, queries, job.work, job.partitions, MAPPED, found_)


def _there(job: Job, base: duckdb.DuckDBPyConnection) -> Parted:
    from precaution.readers.omop.postgres import CdmPostgres, database_address  # noqa: PLC0415 - its driver is an extra

    with closing(CdmPostgres(database_address(str(job.source)))) as cdm:
        known = _kept(job, code_map(cdm, _codes(job.label)))
        queries = Queries(
            lambda: _placed(cdm.into(base, "there_persons", mapping.persons(cdm, job.today.isoformat()))),
            lambda: _placed(cdm.into(base, "there_rows", mapping.rows(cdm, known.meanings, cdm.tables)), "source"),
        )
        return part(base, queries, job.work, job.partitions, MAPPED, Parted(report=dict(known.report)))


def _codes(label: LabelOf) -> Codes:
    return codes_for(load_label(label.folder, policy=label.policy, codes=label.codes).terminology)


def _placed(query: str, place: str = "''") -> str:
    """Return a query with why, file and row of what is wrong: of a row without a person its place in the CDM."""
    return f"""
        select *, null::varchar as why, case when person is null then {place} end as file, null::bigint as row
        from ({query})
        """  # noqa: S608 - the query is ours


def _kept(job: Job, known: CodeMap) -> CodeMap:
    """Keep for the last step what values and units are."""
    said = {"values": {name: each._asdict() for name, each in known.values.items()}, "units": known.units}
    put(job.work / _KNOWN, lambda path: path.write_text(json.dumps(said), encoding="utf-8"))
    return known


# Deciding


@lru_cache(maxsize=1)
def _said(path: Path) -> dict[str, Any]:
    found_: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found_


def decide_mapped(task: tuple[Task, int]) -> Decided:
    """Decide every person of a partition of mapped rows and write the tables; raises OutputError."""
    return decide_of(_Run(*task))


class _Run(RowsRun):
    """One partition of mapped rows."""

    shape = MAPPED

    def __init__(self, job: Task, number: int) -> None:
        super().__init__(job, number)
        said = _said(job.work / _KNOWN)
        values = {int(name): VocabularyConcept(**each) for name, each in said["values"].items()}
        units = {int(name): each for name, each in said["units"].items()}
        self._reader = RowReader(codes_for(self.label.terminology), values, units)

    def record(self, person: tuple[Any, ...], entries: list[tuple[Any, ...]]) -> Record:
        """Return the record that a person's mapped rows are."""
        record = self._reader.record(MappedPerson(*person), (MappedRow(*row) for row in entries))
        return self.understood(record) if self.job.lost else record
