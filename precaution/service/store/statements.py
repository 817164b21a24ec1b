"""Statements that every call of a hook runs: compiled once for each kind of database, then run by its driver alone.

SQLAlchemy takes ten times as long to run a statement as SQLite takes to answer it. What it is for, one text for both
databases, is needed once; connections and transactions stay its own.
"""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection, Table


class _Compiled(NamedTuple):
    """A statement for one kind of database."""

    text: str
    names: Sequence[str] | None
    """Parameters in their order; None where the driver takes them by name."""
    fixed: Mapping[str, Any]
    """Values that stand in the statement itself."""
    row: Callable[..., Any]

    def values(self, given: Mapping[str, Any]) -> Any:
        """Return the parameters as the driver takes them."""
        all_of_them = {**self.fixed, **given}
        return all_of_them if self.names is None else [all_of_them[name] for name in self.names]


class SqlStatement:
    """A statement, compiled when it is first used."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        """`make` is given the database's own `insert`, and returns the statement, with `bindparam` for what changes."""
        self._make = make
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, **given: Any) -> list[Any]:
        """Run it, and return what it finds; columns have their names. Errors are the driver's own."""
        compiled = self._for(connection)
        found = _driver(connection).execute(compiled.text, compiled.values(given))
        return list(map(compiled.row, found.fetchall()))

    def many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it once for each row. Errors are the driver's own."""
        if rows:
            compiled = self._for(connection)
            _driver(connection).cursor().executemany(compiled.text, list(map(compiled.values, rows)))

    def _for(self, connection: Connection) -> _Compiled:
        name = connection.dialect.name
        if name not in self._compiled:
            self._compiled[name] = self._compile(connection)
        return self._compiled[name]

    def _compile(self, connection: Connection) -> _Compiled:
        statement = self._make(sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)
        made = statement.compile(dialect=connection.dialect)
        columns = [each.key for each in statement.exported_columns]
        row: Any = namedtuple("Row", columns, rename=True)  # type: ignore[misc]
        return _Compiled(str(made), made.positiontup, dict(made.params), row._make)


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def insertion(table: Table) -> SqlStatement:
    """Return the statement that adds a row with all its columns, if there is none with its key."""
    return SqlStatement(lambda insert: insert(table).on_conflict_do_nothing())
