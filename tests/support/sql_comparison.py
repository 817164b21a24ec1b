"""Runs the generated SQL and the interpreter over the same records, and compares what they say cell by cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import pyarrow as pa

from precaution.engine.chart import Chart
from precaution.engine.decision import decide
from precaution.engine.facts import Facts
from precaution.engine.therapy import therapy
from precaution.knowledge.expression import spoken
from precaution.knowledge.model import Label
from precaution.knowledge.refers import Stage
from precaution.sql import RESULTS, statements_of
from precaution.tables.schema import ENTRIES, PERSONS, as_table, person_row, rows_of
from precaution.values.interval import Interval, exactly, show_day
from precaution.values.record import Record

if TYPE_CHECKING:
    from psycopg import Connection

Cell = tuple[str, str, str]
"""Person, table, name."""
Cells = dict[Cell, object]
Rows = Sequence[Mapping[str, Any]]


class Asked(NamedTuple):
    """A person's record on a day, at a stage where one is given."""

    person: str
    record: Record
    today: int
    stage: Stage | None = None


Engine = Callable[[Sequence[str], Sequence[Asked]], "Tables"]
"""Runs statements over some people and returns what they leave."""


# What the interpreter says


def interpreted(asked: Iterable[Asked], label: Label) -> Cells:
    """Return what the interpreter says of each person, cell by cell."""
    found: Cells = {}
    for each in asked:
        found[each.person, "decision", "died"] = died(each)
        if not died(each):
            found |= {(each.person, *cell): value for cell, value in _person(each, label).items()}
    return found


def died(each: Asked) -> bool:
    """Whether nothing is left to decide: what `assess` raises PatientDied for."""
    day = each.record.died
    return day is not None and (day.high <= each.today or day.low < 1)


def _person(each: Asked, label: Label) -> dict[tuple[str, str], object]:
    chart = Chart(each.record, label, each.today, therapy(each.record, label, each.today, each.stage))
    facts = Facts(chart)
    decision = decide(each.record, label, each.today, each.stage, everything=True).decision
    start = chart.therapy.start
    found: dict[tuple[str, str], object] = {
        ("decision", "stage"): chart.stage,
        ("decision", "start"): None if start is None else start[:2],
        ("decision", "doubt"): bool(chart.therapy.doubt),
        ("decision", "action"): (decision.action, decision.attested),
    }
    for name in (*label.facts, *map(spoken, label.asks)):
        found["fact", name] = _plain(facts.known(name).value)
    for finding in decision.findings:
        found["rule", finding.rule] = (finding.state, finding.action, finding.attested, finding.urgent)
    for hold in decision.holds:
        found["hold", hold.rule] = hold.state
    for due in decision.due:
        found["duty", due.duty] = (due.state, due.due, due.overdue_after, due.action)
    return found


def _plain(value: object) -> object:
    return tuple(value) if isinstance(value, Interval) else value


# What the SQL says


class Tables(NamedTuple):
    """What a script leaves, in the order of `precaution.sql.RESULTS`."""

    facts: Rows
    rules: Rows
    duties: Rows
    decisions: Rows


def computed(tables: Tables, label: Label) -> Cells:
    """Return what the SQL says of each person, cell by cell."""
    found: Cells = {}
    for row in tables.decisions:
        found |= {(row["person"], "decision", name): value for name, value in _decided(row).items()}
    for row in tables.facts:
        for name in (*label.facts, *map(spoken, label.asks)):
            found[row["person"], "fact", name] = row[name] if name in row else _number(row, name)
    for row in tables.rules:
        found[row["person"], "rule", row["rule"]] = (row["state"], row["action"], row["attested"], row["urgent"])
        if row["hold"] is not None:
            found[row["person"], "hold", row["rule"]] = row["hold"]
    for row in tables.duties:
        due, overdue = (_day(row[name]) for name in ("due", "overdue_after"))
        found[row["person"], "duty", row["duty"]] = (row["state"], due, overdue, row["action"])
    return found


def _decided(row: Mapping[str, Any]) -> dict[str, object]:
    if row["died"]:
        return {"died": True}
    start = None if row["start_low"] is None else (row["start_low"], row["start_high"])
    action = (row["action"], row["attested"])
    return {"died": False, "stage": row["stage"], "start": start, "doubt": row["doubt"], "action": action}


def _number(row: Mapping[str, Any], name: str) -> object:
    ends = tuple(row[f"{name}__{end}"] for end in ("low", "high", "low_open", "high_open"))
    return None if ends[0] is None else ends


def _day(day: float | None) -> str:
    return "" if day is None else show_day(exactly(day))


# Comparing


def differences(one: Cells, other: Cells) -> list[tuple[Cell, object, object]]:
    """Return every cell of which the two say different things."""
    missing = "no row"
    pairs = ((cell, one.get(cell, missing), other.get(cell, missing)) for cell in sorted({*one, *other}))
    return [(cell, a, b) for cell, a, b in pairs if a != b or type(a) is not type(b)]


def compared(asked: Sequence[Asked], label: Label, engine: Engine, dialect: str) -> int:
    """Compare both for some people and return how many cells were; fails where any differs."""
    there = interpreted(asked, label)
    found = differences(there, computed(engine(written(label, dialect), asked), label))
    assert not found, f"{Counter(cell[1:] for cell, _, _ in found).most_common(9)}: {found[:9]}"
    return len(there)


_WRITTEN: dict[tuple[str, str], list[str]] = {}


def written(label: Label, dialect: str) -> list[str]:
    """Return the statements of a label's script, written once."""
    key = (label.digest, dialect)
    if key not in _WRITTEN:
        _WRITTEN[key] = statements_of(label, dialect)
    return _WRITTEN[key]


def say(what: str, cells: int) -> None:
    """Print how many cells were compared: it is part of the answer."""
    print(f"{what}: {cells} cells compared, 0 differ")  # noqa: T201


# Engines


def arrow(asked: Sequence[Asked]) -> dict[str, pa.Table]:
    """Return the tables `entries`, `persons` and `asked` of some people."""
    return {
        "entries": as_table([row for each in asked for row in rows_of(each.person, each.record)], ENTRIES),
        "persons": as_table([person_row(each.person, each.record) for each in asked], PERSONS),
        "asked": pa.table(
            {
                "person": pa.array([each.person for each in asked], pa.string()),
                "today": pa.array([float(each.today) for each in asked], pa.float64()),
                "stage": pa.array([each.stage for each in asked], pa.string()),
            }
        ),
    }


def on_duckdb(statements: Sequence[str], asked: Sequence[Asked]) -> Tables:
    """Run a script on DuckDB."""
    with duckdb.connect() as database:
        for name, table in arrow(asked).items():
            database.register("given", table)
            database.execute(f"CREATE TABLE {name} AS SELECT * FROM given")  # noqa: S608
        for statement in statements:
            database.execute(statement)
        return Tables(*(rows_on_duckdb(database, name) for name in RESULTS))


def rows_on_duckdb(database: duckdb.DuckDBPyConnection, result: str) -> Rows:
    """Return the rows of a result."""
    rows = database.execute(f"SELECT * FROM precaution_{result}")  # noqa: S608
    columns = [each[0] for each in rows.description]
    return [dict(zip(columns, row, strict=True)) for row in rows.fetchall()]


_POSTGRES = {
    pa.string(): "text",
    pa.float64(): "double precision",
    pa.bool_(): "boolean",
    pa.int32(): "integer",
    pa.list_(pa.string()): "text[]",
}


def on_postgres(database: Connection[Any], statements: Sequence[str], asked: Sequence[Asked]) -> Tables:
    """Run a script on PostgreSQL; the columns that hold structs, which no rule reads, are left out."""
    for name, table in arrow(asked).items():
        fields = [field for field in table.schema if field.type in _POSTGRES]
        columns = ", ".join(f'"{field.name}" {_POSTGRES[field.type]}' for field in fields)
        database.execute(f"DROP TABLE IF EXISTS {name}")  # type: ignore[arg-type]
        database.execute(f"CREATE TABLE {name} ({columns})")  # type: ignore[arg-type]
        with database.cursor().copy(f"COPY {name} FROM STDIN") as copy:  # type: ignore[arg-type]
            for row in zip(*(table.column(field.name).to_pylist() for field in fields), strict=True):
                copy.write_row(row)
    for statement in statements:
        database.execute(statement)  # type: ignore[arg-type]
    found = []
    for name in RESULTS:
        rows = database.execute(f"SELECT * FROM precaution_{name}")  # type: ignore[arg-type]  # noqa: S608
        columns_of = [each.name for each in rows.description or ()]
        found.append([dict(zip(columns_of, row, strict=True)) for row in rows.fetchall()])
    return Tables(*found)


def on_spark(session: Any, statements: Sequence[str], asked: Sequence[Asked]) -> Tables:
    """Run a script on Spark."""
    for name, table in arrow(asked).items():
        session.createDataFrame(table).createOrReplaceTempView(name)
    for statement in statements:
        session.sql(statement)
    results = (session.sql(f"SELECT * FROM precaution_{name}").collect() for name in RESULTS)  # noqa: S608
    return Tables(*([row.asDict() for row in rows] for rows in results))
