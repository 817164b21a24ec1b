"""Literals, tables of literals and small expressions of SQL, made as trees and never as text."""

from __future__ import annotations

from math import isinf
from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Cell = float | str | bool | None

PREFIX = "precaution_"
"""The beginning of the name of every table that a script makes."""
TYPES: Mapping[str, str] = {"text": "TEXT", "number": "DOUBLE", "truth": "BOOLEAN"}
Columns = dict[str, str]
"""name = type: `text`, `number` or `truth`."""


def literal(value: float | str | bool | None) -> exp.Expr:
    """Return a value as a literal; a number always as a DOUBLE, which can be infinite."""
    if value is None:
        return exp.null()
    if isinstance(value, bool):
        return exp.true() if value else exp.false()
    if isinstance(value, str):
        return exp.Literal.string(value)
    if isinf(value):
        return cast(exp.Literal.string("Infinity" if value > 0 else "-Infinity"), "number")
    return cast(exp.Literal.number(repr(float(value)).removesuffix(".0")), "number")


def cast(value: exp.Expr, type_: str) -> exp.Expr:
    """Return a value cast to one of the three types."""
    return exp.cast(value, TYPES[type_])


def nothing(type_: str) -> exp.Expr:
    """Return NULL of one of the three types."""
    return cast(exp.null(), type_)


def column(name: str, table: str = "") -> exp.Column:
    """Return a column by name, quoted: the name of a fact may be a keyword of SQL."""
    return exp.column(exp.to_identifier(name, quoted=True), table=table or None)


def selected(columns: Mapping[str, exp.Expr], *, star: bool = False) -> exp.Select:
    """Return a query of named columns, with `star` beside all there are; it still needs its FROM."""
    named = [exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True)) for name, value in columns.items()]
    return exp.Select(expressions=[*([exp.Star()] if star else []), *named])


def create(name: str, query: exp.Query) -> exp.Create:
    """Return the statement that makes a step's table."""
    return exp.Create(this=exp.to_table(PREFIX + name), kind="TABLE", expression=query)


def table_of(name: str, columns: Columns, rows: Iterable[Sequence[Cell]]) -> exp.Create:
    """Return the statement that makes a table of literals; every column has a type, also without a value or row.

    It is a view: where there are no temporary tables it need not be kept.
    """
    made = create(name, _rows(columns, rows))
    made.set("kind", "VIEW")
    return made


def _rows(columns: Columns, rows: Iterable[Sequence[Cell]]) -> exp.Query:
    cells = [exp.Tuple(expressions=[_bare(cell) for cell in row]) for row in rows]
    if not cells:
        empty = selected({each: nothing(type_) for each, type_ in columns.items()})
        return empty.where(exp.false())
    alias = exp.TableAlias(this=exp.to_identifier("v"), columns=[exp.to_identifier(n, quoted=True) for n in columns])
    typed = {each: cast(column(each, "v"), type_) for each, type_ in columns.items()}
    return selected(typed).from_(exp.Values(expressions=cells, alias=alias), copy=False)


def _bare(cell: Cell) -> exp.Expr:
    """Return a cell without a cast, for the column of the table is cast."""
    if cell is None or isinstance(cell, (str, bool)) or isinf(cell):
        return literal(cell)
    return exp.Literal.number(repr(float(cell)).removesuffix(".0"))


def case(*branches: tuple[exp.Expr, exp.Expr], otherwise: exp.Expr | None = None) -> exp.Expr:
    """Return `CASE WHEN ... THEN ... END`."""
    made = [exp.If(this=condition, true=value) for condition, value in branches]
    return exp.Case(ifs=made, default=otherwise)


def either(operands: Iterable[exp.Expr]) -> exp.Expr:
    """Return whether any operand holds; false for none."""
    return _joined(exp.Or, list(operands)) or exp.false()


def both(operands: Iterable[exp.Expr]) -> exp.Expr:
    """Return whether all operands hold; true for none."""
    return _joined(exp.And, list(operands)) or exp.true()


def negation(operand: exp.Expr) -> exp.Expr:
    """Return whether an operand does not hold; NULL stays NULL."""
    return exp.Not(this=exp.Paren(this=operand))


def _joined(connector: type[exp.Connector], operands: list[exp.Expr]) -> exp.Expr | None:
    if not operands:
        return None
    whole = operands[0]
    for each in operands[1:]:
        whole = connector(this=whole, expression=each)
    return exp.Paren(this=whole) if len(operands) > 1 else whole
