"""How fast the generated SQL is on DuckDB, beside the interpreter on the same entries: `benchmarks/sql.py [PEOPLE]`.

The patients of a demo cohort, read once and copied under other names, are put into `entries` and `persons`. In turns:
the whole script on DuckDB with every core; the interpreter in one process, from the same rows to decisions.
"""

from __future__ import annotations

import os
import sys
from datetime import date
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import duckdb
from package import announce

from precaution import load_label
from precaution.demo.generate import Generator
from precaution.demo.recipes import load_recipes
from precaution.engine.decision import decide
from precaution.knowledge.loading import find_label
from precaution.readers import read_resources
from precaution.sql import statements_of
from precaution.tables.decode import decoded
from precaution.tables.schema import ENTRIES, PERSONS, as_table, person_row, rows_of

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "baricitinib"
TODAY = date(2025, 3, 1)
ORIGINALS = 250
ROUNDS = 3


def originals() -> tuple[pa.Table, pa.Table]:
    """Return `entries` and `persons` of a demo cohort."""
    label = load_label(NAME)
    made = Generator(label, load_recipes(find_label(NAME), label), seed=7, today=TODAY).patients(ORIGINALS)
    records = {each.ident: read_resources(each.resources, label.terminology, label.asks) for each in made}
    entries = [row for name, record in records.items() for row in rows_of(name, record)]
    return as_table(entries, ENTRIES), as_table([person_row(name, r) for name, r in records.items()], PERSONS)


def by_sql(statements: list[str], tables: dict[str, pa.Table], copies: int) -> float:
    """Return the seconds that a script takes over so many copies of everybody; loading them is not counted."""
    with duckdb.connect() as database:
        for name, table in tables.items():
            database.register("given", table)
            database.execute(
                f"CREATE TABLE {name} AS SELECT given.* REPLACE (given.person || '-' || copy AS person) "  # noqa: S608
                f"FROM given, range({copies}) AS copies(copy)"
            )
        begun = perf_counter()
        for statement in statements:
            database.execute(statement)
        return perf_counter() - begun


def by_interpreter(tables: dict[str, pa.Table]) -> float:
    """Return the seconds that the interpreter takes for everybody once, from rows to decisions."""
    label, today = load_label(NAME), TODAY.toordinal()
    begun = perf_counter()
    for _, record in decoded(tables["persons"].sort_by("person"), tables["entries"]):
        decide(record, label, today)
    return perf_counter() - begun


def main(people: int) -> None:
    """Print both rates, their ratio, and how long the script takes to write."""
    announce()
    entries, persons = originals()
    tables, copies = {"entries": entries, "persons": persons}, max(1, people // ORIGINALS)
    label = load_label(NAME)
    begun = perf_counter()
    statements = statements_of(label, "duckdb", today=TODAY.toordinal())
    written = perf_counter() - begun
    rounds = [(by_sql(statements, tables, copies), by_interpreter(tables)) for _ in range(ROUNDS)]
    sql, interpreter = (median(each) for each in zip(*rounds, strict=True))
    fast, plain = copies * ORIGINALS / sql, ORIGINALS / interpreter
    print(f"{copies * ORIGINALS:,} people, {len(entries) * copies:,} entries, {os.cpu_count()} cores")
    print(f"SQL on DuckDB, every core       {fast:>10,.0f} people/s")
    print(f"interpreter, one process        {plain:>10,.0f} people/s, with findings, evidence and reasons")
    print(f"ratio                           {fast / plain:>10.1f}")
    print(f"writing the script              {written:>10.1f} s, {sum(map(len, statements)) / 1000:,.0f} kB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
