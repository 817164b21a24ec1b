"""Writes out the macros that the steps call like functions: `WORST_OF`, `EPISODES`, `ROUNDED_OF`, `QUOTIENT`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from precaution.sql.literals import selected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

READ = "duckdb"
"""The dialect that the steps are written in; only what every engine has is used of it."""
_SPLIT = 134217729
"""2²⁷ + 1: a double times this, twice subtracted, is its upper half (Veltkamp)."""
_SCALE = 1_000_000_000
_WHOLE = 8388608
"""2²³: from here on a double has no ninth decimal to round."""


def sql(text: str, **parts: exp.Expr) -> exp.Expr:
    """Return constant SQL of ours as a tree, with each `:name` replaced by the tree of that name."""
    return exp.replace_placeholders(sqlglot.parse_one(text), **parts)


def rounded_of(rows: exp.Expr, *columns: exp.Expr) -> exp.Expr:
    """Return a query that adds `x_rounded` to each column `x`: nine decimals, exactly as Python's `round` gives them.

    The product with 10⁹ is worked out without error, as a sum of two doubles, so that no engine's own rounding decides.
    """
    steps = (
        ("x", f"CASE WHEN ABS(:it) < {_WHOLE} AND ABS(:it) > 1E-12 THEN :it ELSE 0 END"),
        ("upper", f":x * {_SPLIT} - (:x * {_SPLIT} - :x)"),
        ("product", f":upper * {_SCALE} + (:x - :upper) * {_SCALE}"),
        ("lost", f":upper * {_SCALE} - :product + (:x - :upper) * {_SCALE}"),
        ("floor", "FLOOR(:product)"),
        (
            "rounded",
            f"""CASE
          WHEN ABS(:it) <= 1E-12 THEN 0
          WHEN ABS(:it) < {_WHOLE} THEN (:floor + CASE
            WHEN :product - :floor > 0.5 THEN 1
            WHEN :product - :floor < 0.5 OR :lost < 0 THEN 0
            WHEN :lost > 0 OR :floor > 2 * FLOOR(:floor / 2) THEN 1
            ELSE 0
          END) / {_SCALE}
          ELSE :it
        END""",
        ),
    )
    whole: exp.Query = exp.select("*").from_(exp.to_table(rows.name))
    for name, text in steps:
        added = {
            f"{each.name}_{name}": sql(text, it=exp.column(each.name), **_made(each.name, steps)) for each in columns
        }
        whole = selected(added, star=True).from_(whole.subquery("r", copy=False), copy=False)
    return whole


def _made(column: str, steps: Sequence[tuple[str, str]]) -> dict[str, exp.Expr]:
    return {name: exp.column(f"{column}_{name}") for name, _ in steps}


def quotient(number: exp.Expr, divisor: exp.Expr) -> exp.Expr:
    """Return a number by a positive one; what is too large or too small for a double is infinite or 0, no error."""
    return sql(
        """CASE
          WHEN :d > 1 AND ABS(:n) < :d * 1E-12 THEN 0
          WHEN :d < 1 AND ABS(:n) > :d * 1E308 THEN
            CASE WHEN :n > 0 THEN CAST('Infinity' AS DOUBLE) ELSE CAST('-Infinity' AS DOUBLE) END
          ELSE :n / :d
        END""",
        n=number,
        d=divisor,
    )


def worst_of(rows: exp.Expr, *keys: exp.Expr) -> exp.Expr:
    """Return a query that makes one interval of each group of rows, by its column `worst`.

    `low` takes the smaller of its values, `high` the larger, `hull` all that they may be. An end that two values
    share is open or closed as `precaution.values.interval` says.
    """
    by = [key.name for key in keys]
    extremes = {
        name: exp.Window(this=function(this=exp.column(end)), partition_by=[exp.column(key) for key in by])
        for name, function, end in (
            ("least_low", exp.Min, "low"),
            ("most_low", exp.Max, "low"),
            ("least_high", exp.Min, "high"),
            ("most_high", exp.Max, "high"),
        )
    }
    ends = exp.select(*by, "worst", "low", "high", "low_open", "high_open", *selected(extremes).expressions)
    ends = ends.from_(rows.name)
    picked = (
        "MAX(worst) AS worst",
        "CASE WHEN MAX(worst) = 'high' THEN MAX(low) ELSE MIN(low) END AS low",
        "CASE WHEN MAX(worst) = 'low' THEN MIN(high) ELSE MAX(high) END AS high",
        "CASE WHEN MAX(worst) = 'high' THEN BOOL_OR(low_open AND low = most_low) "
        "ELSE BOOL_AND(low_open OR low > least_low) END AS low_open",
        "CASE WHEN MAX(worst) = 'low' THEN BOOL_OR(high_open AND high = least_high) "
        "ELSE BOOL_AND(high_open OR high < most_high) END AS high_open",
    )
    return exp.select(*by, *picked, dialect=READ).from_(ends.subquery("ends")).group_by(*by)


def episodes(most: int) -> Callable[..., exp.Expr]:
    """Return the macro for the first days of episodes, up to the number `most` of them.

    It takes a table with `day_low`, `day_high` and `apart`, and the columns of it that tell one row of episodes from
    another. The first is the one that ends first, the next is surely so far from it.
    """

    def written(rows: exp.Expr, *keys: exp.Expr) -> exp.Expr:
        by = [key.name for key in keys]
        steps = [exp.select(*by, "MIN(day_high) AS ended").from_(rows.name).group_by(*by)]
        for number in range(1, most):
            same = [f"e.{key} = b.{key}" for key in by]
            step = exp.select(*(f"e.{key}" for key in by), "MIN(e.day_high) AS ended").from_(f"{rows.name} AS e")
            step = step.join(f"episode_{number} AS b", on=exp.condition(" AND ".join(same)))
            steps.append(step.where("e.day_low - b.ended >= e.apart").group_by(*(f"e.{key}" for key in by)))
        names = [f"episode_{number}" for number in range(1, most + 1)]
        whole = unions(exp.select(*by).from_(name) for name in names)
        for name, step in zip(names, steps, strict=True):
            whole = whole.with_(name, as_=step)
        return whole

    return written


def unions(queries: Iterable[exp.Query]) -> exp.Query:
    """Return the query for the rows of all queries, of which there must be one."""
    first, *rest = queries
    return exp.union(first, *rest, distinct=False) if rest else first


def write_out(tree: exp.Expr, most_episodes: int) -> exp.Expr:
    """Return a statement with every macro written out; `most_episodes` is as in `episodes`."""
    macros: dict[str, Callable[..., exp.Expr]] = {
        "ROUNDED_OF": rounded_of,
        "QUOTIENT": quotient,
        "WORST_OF": worst_of,
        "EPISODES": episodes(most_episodes),
    }

    def written(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Anonymous) and node.name.upper() in macros:
            made = macros[node.name.upper()](*node.expressions)
            return exp.paren(made) if not isinstance(made, exp.Query) else made
        return node

    def tables(node: exp.Expr) -> exp.Expr:
        inner = node.this if isinstance(node, exp.Table) else None
        if isinstance(inner, exp.Query):
            return inner.subquery(node.alias or "picked")
        return node

    return tree.transform(written).transform(tables)
