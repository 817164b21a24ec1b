"""Writes statements in one dialect of SQL: how each table is kept, and which are dropped after the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import Dialect, ErrorLevel, exp, parse_one
from sqlglot.errors import UnsupportedError

from precaution.errors import UsageError, did_you_mean
from precaution.sql.literals import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TESTED = ("duckdb", "postgres", "spark")
"""The dialects whose scripts are run, and compared with the interpreter, in this project's tests."""
_DROPS = {"TABLE": "DROP TABLE IF EXISTS step", "VIEW": "DROP VIEW IF EXISTS step"}
_WITHOUT_TEMPORARY = ("spark", "spark2", "databricks")
"""Engines without temporary tables: the steps are tables too, those of literals views, and dropped at the end."""


def check(dialect: str) -> None:
    """Raise UsageError for a dialect that the SQL library does not know."""
    if dialect not in supported():
        near = did_you_mean(dialect, supported())
        raise UsageError(f"'{dialect}' is no dialect of SQL.{near} Tested are {', '.join(TESTED)}")


def supported() -> list[str]:
    """Return the names of all dialects that can be written."""
    return sorted(name for name in Dialect.classes if name)


def has_temporary(dialect: str) -> bool:
    """Whether the steps of a script are temporary tables."""
    return dialect not in _WITHOUT_TEMPORARY


def texts(tables: Iterable[exp.Create], results: Iterable[str], dialect: str) -> Iterator[str]:
    """Yield the statements of a script in a dialect, in order, without `;`.

    Raises UsageError where the dialect has no words for one of them.
    """
    kept = {PREFIX + name for name in results}
    steps: list[tuple[str, str]] = []
    for table in tables:
        name = table.this.name
        made = _kept(table, dialect, result=name in kept)
        yield _about(_DROPS[made.args["kind"]], name, dialect)
        yield _text(made, dialect)
        if dialect == "postgres":  # it knows nothing of a new table's size, and would choose slow plans
            yield _about("ANALYZE step", name, dialect)
        if name not in kept:
            steps.append((name, _DROPS[made.args["kind"]]))
    for name, drop in steps:
        yield _about(drop, name, dialect)


def _about(statement: str, name: str, dialect: str) -> str:
    """Return `statement`, which is about a table `step`, for the table `name`."""
    tree = parse_one(statement, read=dialect)
    for table in tree.find_all(exp.Table):
        table.set("this", exp.to_identifier(name))
    return _text(tree, dialect)


def _kept(table: exp.Create, dialect: str, *, result: bool) -> exp.Create:
    """Make the table of a step temporary where the dialect can; results stay."""
    if has_temporary(dialect):
        table.set("kind", "TABLE")
        properties: list[exp.Expr] = [] if result else [exp.TemporaryProperty()]
    else:
        is_view = table.args["kind"] == "VIEW"
        properties = [exp.TemporaryProperty() if is_view else exp.FileFormatProperty(this=exp.Var(this="PARQUET"))]
    if properties:
        table.set("properties", exp.Properties(expressions=properties))
    return table


def _text(statement: exp.Expr, dialect: str) -> str:
    try:
        return statement.sql(dialect=dialect, pretty=True, unsupported_level=ErrorLevel.RAISE, copy=False)
    except UnsupportedError as error:  # it says each thing as often as it stands there
        why = str(error).splitlines()[0]
        tested = ", ".join(TESTED)
        raise UsageError(f"the rules can't be written in '{dialect}': {why}. Tested are {tested}") from None
