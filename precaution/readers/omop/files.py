"""A CDM in files: CSV (gzipped or not, with commas, tabs or bars), Parquet, or a DuckDB database.

Text is loaded once, strictly, into a database beside the work: a line that can't be read is a problem and never a row
of nulls. Parquet and DuckDB are read where they are.
"""

from __future__ import annotations

# ruff: noqa: S608 - names are those of our own list of tables and columns, paths are quoted
import csv
import gzip
import io
import zlib
from typing import TYPE_CHECKING, NamedTuple

import duckdb
import pyarrow as pa

from precaution.errors import InputError
from precaution.readers.omop.columns import FIRST, LAST, LISTS_OF, TABLES, checked, empty

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from precaution.readers.omop.columns import CdmColumn, SourceType

TEXT = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")
PARQUET = ".parquet"
DATABASES = (".duckdb", ".db", ".ddb")
_LONGEST = 1024 * 1024
"""Bytes of a header."""


class UnreadableLine(NamedTuple):
    """A line of a text file that can't be read: its table, and where it stands."""

    table: str
    file: str
    line: int


def found_in(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each table that a folder holds: `PERSON.csv.gz`, or a folder `person` of such files."""
    tables: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        name = _table_of(path)
        if name in TABLES:
            tables.setdefault(name, []).extend(_inside(path) if path.is_dir() else [path])
    return {name: files for name, files in tables.items() if files}


def _table_of(path: Path) -> str:
    name = path.name.lower()
    suffix = next((each for each in (*TEXT, PARQUET) if name.endswith(each)), "")
    return name.removesuffix(suffix) if suffix or path.is_dir() else ""


def _inside(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name.lower().endswith((*TEXT, PARQUET)))


def is_folder(path: Path) -> bool:
    """Whether a path is a folder with at least one table of the CDM that says something about persons."""
    return path.is_dir() and any(table in LISTS_OF for table in found_in(path))


def files_of(source: Path) -> list[Path]:
    """Return the files of a CDM that are read."""
    return [source] if source.is_file() else sorted(path for files in found_in(source).values() for path in files)


def is_database(path: Path) -> bool:
    """Whether a path is a DuckDB database."""
    return path.is_file() and path.name.lower().endswith(DATABASES)


class CdmFiles:
    """A CDM in files, attached to a DuckDB connection.

    `tables` holds the columns of each table and their types, `unreadable` the lines that could not be read.
    """

    def __init__(self, base: duckdb.DuckDBPyConnection, source: Path, work: Path) -> None:
        """Attach `source`; text is loaded below `work`. Raises InputError where something is damaged or missing."""
        self.base = base
        self.unreadable: list[UnreadableLine] = []
        self._source = source
        self._relations: dict[str, str] = {}
        self.tables: dict[str, dict[str, SourceType]] = {}
        if is_database(source):
            self._attach()
        else:
            self._read(work)
        checked(self.tables, f"'{source.name}'")
        for table in self.tables:
            base.execute(f"create or replace temp view cdm_{table} as {self._canonical(table)}")

    def named(self, table: str) -> str:
        """Return the SQL that stands for a table in a query; a table that the source does not have is empty."""
        if table in self.tables:
            return f"cdm_{table}"
        return f"(select {', '.join(_nothing(each) for each in TABLES[table])} where false)"

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Return the rows of a query whose result is small."""
        return self.base.execute(query).fetchall()

    def relation(
        self, name: str, columns: Sequence[str], types: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> str:
        """Return the name of a new temporary table that holds the given rows."""
        self.base.execute(
            f"create or replace temp table {name} "
            f"({', '.join(f'{one} {kind}' for one, kind in zip(columns, types, strict=True))})"
        )
        kinds = [{"varchar": pa.string(), "bigint": pa.int64(), "boolean": pa.bool_()}[kind] for kind in types]
        arrays = list(zip(*rows, strict=True)) or [()] * len(columns)
        given = pa.table([pa.array(each, kind) for each, kind in zip(arrays, kinds, strict=True)], list(columns))
        self.base.register("given", given)
        self.base.execute(f"insert into {name} select * from given")
        self.base.unregister("given")
        return name

    # A database

    def _attach(self) -> None:
        try:
            self.base.execute(f"attach {quoted(str(self._source))} as cdm (read_only)")
            found = self.base.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = 'cdm'"
                " union select schema_name, view_name from duckdb_views() "
                "where database_name = 'cdm' and not internal"
            ).fetchall()
        except duckdb.Error:
            raise InputError(f"'{self._source.name}' is no DuckDB database that can be read") from None
        schemas = sorted({schema for schema, table in found if table.lower() == "person"})
        if len(schemas) > 1:
            raise InputError(
                f"'{self._source.name}' has a table PERSON in several schemas ({', '.join(schemas)}); "
                "copy the one that is meant to a file of its own"
            )
        for schema, table in sorted(found):
            if table.lower() in TABLES and schema == (schemas[0] if schemas else "main"):
                self._relations[table.lower()] = f'cdm."{schema}"."{table}"'
        for table, relation in self._relations.items():
            self.tables[table] = self._described(f"select * from {relation}")

    # CdmFiles

    def _read(self, work: Path) -> None:
        files = found_in(self._source)
        texts = {}
        for table, paths in files.items():
            kinds = {path.name.lower().endswith(PARQUET) for path in paths}
            if len(kinds) > 1:
                raise InputError(f"'{self._source.name}' holds {table.upper()} as Parquet and as text; keep one")
            if kinds == {False}:
                texts[table] = paths
                continue
            listed = ", ".join(quoted(str(path)) for path in paths)
            self._relations[table] = f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
            try:
                self.tables[table] = self._described(f"select * from {self._relations[table]}")
            except duckdb.Error:
                raise InputError(f"{table.upper()}: a file is damaged, or no Parquet; write it anew") from None
        if texts:
            self._load(texts, work)

    def _load(self, texts: Mapping[str, list[Path]], work: Path) -> None:
        """Load the columns that are read from text files, all as text, into a database below `work`."""
        loaded = work / "loaded.duckdb"
        for path in (loaded, loaded.with_name(loaded.name + ".wal")):
            path.unlink(missing_ok=True)
        self.base.execute(f"attach {quoted(str(loaded))} as loaded")
        for table, paths in texts.items():
            wanted = {name for each in TABLES[table] for name in (each.name, each.instead) if name}
            heads = {path: _head(path) for path in paths}
            kept = sorted({name for names, _ in heads.values() for name in names} & wanted)
            columns = ", ".join(f'"{name}" varchar' for name in kept)
            self.base.execute(f"create table loaded.{table} ({columns})")
            for path, (names, mark) in heads.items():
                own = [name for name in names if name in kept]
                self._load_one(table, path, names, own, mark)
            self._relations[table] = f"loaded.{table}"
            self.tables[table] = dict.fromkeys(kept, "text")

    def _load_one(self, table: str, path: Path, names: list[str], own: list[str], mark: str) -> None:
        columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in names)
        quote = "" if mark == "\t" else '"'
        listed = ", ".join(f'"{name}"' for name in own)
        try:
            self.base.execute(
                f"insert into loaded.{table} ({listed}) select {listed} from read_csv({quoted(str(path))}, "
                f"header = true, auto_detect = false, delim = {quoted(mark)}, quote = {quoted(quote)}, "
                f"escape = {quoted(quote)}, columns = {{{columns}}}, store_rejects = true, rejects_limit = 0)"
            )
            wrong = self.base.execute("select distinct line from reject_errors order by line").fetchall()
            for reject in ("reject_errors", "reject_scans"):
                self.base.execute(f"drop table {reject}")
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error:
            raise InputError(f"{path.name}: the file is damaged, or ends early; write it anew") from None
        self.unreadable += [UnreadableLine(table, path.name, line) for (line,) in wrong]

    def _described(self, query: str) -> dict[str, SourceType]:
        return {
            name.lower(): _source_type(kind) for name, kind, *_ in self.base.execute(f"describe {query}").fetchall()
        }

    def _canonical(self, table: str) -> str:
        types = self.tables[table]
        made = []
        for each in TABLES[table]:
            parts = [name for name in (each.name, each.instead) if name in types]
            if not parts:
                made.append(_nothing(each))
                continue
            read = [_read(name, each.form, types[name]) for name in parts]
            whole = f"coalesce({', '.join(read)})" if len(read) > 1 else read[0]
            made.append(f"{whole} as {each.name}")
            if each.form in ("day", "number"):
                filled = " or ".join(f"nullif(trim(cast(\"{name}\" as varchar)), '') is not null" for name in parts)
                made.append(f"({whole} is null and ({filled})) as {each.name}_unread")
        return f"select {', '.join(made)} from {self._relations[table]}"


def _nothing(column: CdmColumn) -> str:
    unread = f", false as {column.name}_unread" if column.form in ("day", "number") else ""
    return f"{empty(column)} as {column.name}{unread}"


def _read(name: str, form: str, source_type: SourceType) -> str:
    """Return SQL that reads a column of a source type in one of our forms; null where a value can't be read."""
    text = f"nullif(trim(\"{name}\"), '')"
    if form == "text":
        whole = f'case when "{name}" = floor("{name}") and abs("{name}") < 1e15 then cast(cast("{name}" as bigint)'
        return (
            text
            if source_type == "text"
            else f'{whole} as varchar) else cast("{name}" as varchar) end'
            if source_type == "fraction"
            else f'cast("{name}" as varchar)'
        )
    if form == "day":
        return _day(name, source_type)
    if form == "number":
        return {
            "text": f"try_cast({text} as double)",
            "whole": f'cast("{name}" as double)',
            "fraction": f'cast("{name}" as double)',
        }.get(source_type, "cast(null as double)")
    if source_type == "whole":
        return f'try_cast("{name}" as bigint)'
    number = f'cast("{name}" as double)' if source_type == "fraction" else f"try_cast({text} as double)"
    from_double = f"case when {number} = floor({number}) then try_cast({number} as bigint) end"
    if source_type == "text":
        whole = f"case when regexp_full_match({text}, '[+-]?[0-9]+') then try_cast({text} as bigint) end"
        return f"coalesce({whole}, {from_double})"
    return from_double if source_type == "fraction" else "cast(null as bigint)"


def _day(name: str, source_type: SourceType) -> str:
    if source_type == "text":
        text = f"nullif(trim(\"{name}\"), '')"
        day, packed = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T]|$)", "[0-9]{8}"
        value = (
            f"case when regexp_matches({text}, '{day}') then try_cast({text}[1:10] as date) when "
            f"regexp_full_match({text}, '{packed}') then try_cast(try_strptime({text}, '%Y%m%d') as date) end"
        )
    elif source_type in ("day", "time"):
        value = f'try_cast("{name}" as date)'
    else:
        return "cast(null as date)"
    return f"case when {value} between {FIRST} and {LAST} then {value} end"


def _source_type(kind: str) -> SourceType:
    kind = kind.upper()
    if kind.endswith("INT") or kind in ("INTEGER", "UINTEGER", "HUGEINT", "UHUGEINT"):
        return "whole"
    if kind in ("DOUBLE", "FLOAT", "REAL") or kind.startswith("DECIMAL"):
        return "fraction"
    if kind == "DATE":
        return "day"
    if kind.startswith("TIMESTAMP"):
        return "time"
    return "text" if kind.startswith(("VARCHAR", "ENUM")) else "other"


def _head(path: Path) -> tuple[list[str], str]:
    """Return the names of the columns of a text file, and the mark between them."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            opened = gzip.GzipFile(fileobj=raw) if packed else raw
            line = opened.readline(_LONGEST).decode("utf-8-sig").rstrip("\r\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        raise InputError(f"{path.name}: the file is damaged, or no text in UTF-8; write it anew") from None
    mark = max("\t|,", key=line.count)
    names = [name.strip().strip('"').lower() for name in next(csv.reader(io.StringIO(line), delimiter=mark), [])]
    if not names or len(set(names)) < len(names):
        raise InputError(f"{path.name}: its first line must name its columns, each once")
    return names, mark


def quoted(text: str) -> str:
    """Return text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"
