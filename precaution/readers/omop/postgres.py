"""A CDM in PostgreSQL: the mapping runs there, in one transaction that only reads; results come as Arrow batches."""

from __future__ import annotations

# ruff: noqa: S608 - names are quoted, or those of our own list of tables and columns
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from precaution.errors import InputError, UsageError
from precaution.readers.omop.columns import FIRST, LAST, TABLES, VOCABULARY, checked, empty

try:
    import adbc_driver_postgresql.dbapi as adbc  # type: ignore[import-untyped]
except ImportError:  # pragma: no cover - tested where it is not installed
    raise UsageError(
        "a database as a source needs adbc-driver-postgresql: install it with `pip install '.[postgres]'` in its folder"
    ) from None

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import duckdb

    from precaution.readers.omop.columns import CdmColumn, SourceType

_SOURCE_TYPES: dict[str, SourceType] = {
    "smallint": "whole",
    "integer": "whole",
    "bigint": "whole",
    "numeric": "fraction",
    "real": "fraction",
    "double precision": "fraction",
    "date": "day",
    "timestamp without time zone": "time",
    "timestamp with time zone": "time",
    "character varying": "text",
    "character": "text",
    "text": "text",
}


class DatabaseAddress(NamedTuple):
    """Where a database is, and in which schemas its tables stand."""

    url: str
    """For the driver; it may hold a password."""
    shown: str
    """For messages, without user and password."""
    schema: str
    vocabulary: str


def database_address(url: str) -> DatabaseAddress:
    """Return what `postgresql://user@host/name?schema=cdm&vocabulary=vocab` says.

    Raises UsageError for a URL that can't be read.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise UsageError(
            "the URL of the database can't be read: write it as postgresql://user@host/name?schema=cdm"
        ) from None
    options = dict(parse_qsl(parts.query))
    schema = options.pop("schema", "public")
    vocabulary = options.pop("vocabulary", schema)
    host = parts.netloc.rpartition("@")[2] or options.get("host", "")
    shown = f"postgresql://{host}{unquote(parts.path)} schema {schema}"
    driven = urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(options), ""))
    return DatabaseAddress(driven, shown, schema, vocabulary)


class CdmPostgres:
    """A CDM in a PostgreSQL database; `tables` holds the columns of each table and their types."""

    def __init__(self, address: DatabaseAddress) -> None:
        """Connect, and begin a read-only transaction that sees one moment. Raises InputError where that fails."""
        self.address = address
        self._relations: dict[str, str] = {}
        self._given: dict[str, str] = {}
        self._cursors: list[Any] = []
        self.tables: dict[str, dict[str, SourceType]] = {}
        try:
            self._connection = adbc.connect(address.url)
        except adbc.Error as error:
            raise _clear(error, address) from None
        try:
            self.rows("set transaction isolation level repeatable read read only")
            for schema in dict.fromkeys((address.schema, address.vocabulary)):
                self._find(schema)
            checked(self.tables, address.shown)
        except InputError:
            self.close()
            raise

    def close(self) -> None:
        """End the transaction and the connection."""
        for cursor in self._cursors:
            cursor.close()
        self._connection.close()

    def named(self, table: str) -> str:
        """Return the SQL that stands for a table in a query; a table that the database does not have is empty."""
        types = self.tables.get(table, {})
        made = [self._column(each, types) for each in TABLES[table]]
        from_ = f" from {self._relations[table]}" if table in self._relations else " where false"
        return f"(select {', '.join(made)}{from_})"

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Return the rows of a query whose result is small. Raises InputError."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(self._whole(query))
                return cursor.fetchall() if cursor.description else []
        except adbc.Error as error:
            raise _clear(error, self.address) from None

    def into(self, base: duckdb.DuckDBPyConnection, name: str, query: str) -> str:
        """Run a query here, and return a query for `base` that takes its rows batch by batch. Raises InputError."""
        cursor = self._connection.cursor()
        self._cursors.append(cursor)
        try:
            cursor.execute(self._whole(query))
            base.register(name, cursor.fetch_record_batch())
        except adbc.Error as error:
            raise _clear(error, self.address) from None
        return f"select * from {name}"

    def relation(
        self, name: str, columns: Sequence[str], types: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> str:
        """Return the name by which later queries read the given rows; nothing is created in the database."""
        self._given[name] = relation(columns, types, rows)
        return name

    def _whole(self, query: str) -> str:
        """Return a query with the rows given by `relation` in front of it, where it reads them."""
        given = [
            f"{name} as materialized {rows}" for name, rows in self._given.items() if re.search(rf"\b{name}\b", query)
        ]
        return f"with {', '.join(given)} {query}" if given else query

    def sizes(self) -> dict[str, int]:
        """Return the bytes that each table takes in the database."""
        return {
            table: int(str(self.rows(f"select pg_table_size({literal(name)}::regclass)")[0][0] or 0))
            for table, name in self._relations.items()
        }

    def _find(self, schema: str) -> None:
        wanted = [
            name
            for name in TABLES
            if (name in VOCABULARY) == (schema == self.address.vocabulary)
            or self.address.schema == self.address.vocabulary
        ]
        found = self.rows(f"""
            select c.relname::text, a.attname::text, format_type(a.atttypid, null) from pg_class c
            join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
            where n.nspname = {literal(schema)} and c.relkind in ('r', 'v', 'm', 'p', 'f') and a.attnum > 0
                and not a.attisdropped and c.relname in ({", ".join(map(literal, wanted))})
            """)
        for table, column, kind in found:
            self.tables.setdefault(str(table), {})[str(column)] = _SOURCE_TYPES.get(
                str(kind).partition("(")[0], "other"
            )
            self._relations[str(table)] = f"{_name(schema)}.{_name(str(table))}"

    def _column(self, column: CdmColumn, types: dict[str, SourceType]) -> str:
        parts = [name for name in (column.name, column.instead) if name in types]
        read = [self._read(name, column, types[name]) for name in parts] or [empty(column)]
        whole = f"coalesce({', '.join(read)})" if len(read) > 1 else read[0]
        if column.form not in ("day", "number"):
            return f"{whole} as {column.name}"
        filled = " or ".join(f"{name} is not null" for name in parts) or "false"
        return f"{whole} as {column.name}, ({whole} is null and ({filled})) as {column.name}_unread"

    def _read(self, name: str, column: CdmColumn, source_type: SourceType) -> str:
        fits = {
            "id": ("whole", "fraction"),
            "number": ("whole", "fraction"),
            "day": ("day", "time"),
            "text": ("whole", "fraction", "text"),
        }
        if source_type not in fits[column.form]:
            raise InputError(
                f"{self.address.shown}: the column {name} is no {column.form}: give it the type of the CDM"
            )
        if column.form == "id":
            return f"cast({name} as bigint)"
        if column.form == "number":
            return f"cast({name} as double precision)"
        if column.form == "text":
            return f"nullif(trim(cast({name} as varchar)), '')"
        return f"case when {name} between {FIRST} and {LAST} then cast({name} as date) end"


def relation(columns: Sequence[str], types: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows as a subquery of literals, which needs neither the right nor the room for a table of its own."""
    arrays = list(zip(*rows, strict=True)) or [()] * len(columns)
    listed = ", ".join(f"{literal(_array(each))}::{kind}[]" for each, kind in zip(arrays, types, strict=True))
    return f"(select * from unnest({listed}) as given({', '.join(columns)}))"


def _array(values: Iterable[object]) -> str:
    return "{" + ",".join(_element(value) for value in values) + "}"


def _element(value: object) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, int):
        return str(value)
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def literal(text: str) -> str:
    """Return text as a literal of SQL, whatever the database's settings."""
    if "\\" in text:
        return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    return "'" + text.replace("'", "''") + "'"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


_STATES = {
    "28": "the database refuses this user or password; give the password by PGPASSWORD, ~/.pgpass or a service",
    "3D": "there is no database of this name",
    "42": "a table or column can't be read: it is missing, or this user may not read it",
    "22": "a value in it can't be read as what its column should be",
    "53": "the database has no room or memory left",
    "57": "the database ended the query or is shutting down",
}


def _clear(error: Exception, address: DatabaseAddress) -> InputError:
    """Return an error in our words: those of the database may quote a row or a password."""
    text = str(error).lower()
    state = str(getattr(error, "sqlstate", None) or "").strip("\0")[:2]
    if not state and any(word in text for word in ("authentication", "password", "role")):  # it came to no connection
        state = "28"
    elif not state and "does not exist" in text:
        state = "3D"
    why = _STATES.get(state, "it can't be reached, or the connection was lost")
    return InputError(f"{address.shown}: {why}")
