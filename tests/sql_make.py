"""Runs the generated SQL and the interpreter over the same records, and compares what they say cell by cell."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from precaution.decision import decide
from precaution.definitions import Label, Stage
from precaution.entries import ENTRIES, PERSONS, as_table, person_row, rows_of
from precaution.expression import spoken
from precaution.facts import Chart, Facts
from precaution.interval import Interval, exactly, show_day
from precaution.record import Record
from precaution.therapy import therapy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Cell = tuple[str, str, str]
"""Person, table, name."""
Cells = dict[Cell, object]


class Asked(NamedTuple):
    """A person's record on a day, at a stage where one is given."""

    person: str
    record: Record
    today: int
    stage: Stage | None = None


def died(each: Asked) -> bool:
    """Whether nothing is left to decide: what `assess` raises PatientDied for."""
    day = each.record.died
    return day is not None and (day.high <= each.today or day.low < 1)


def interpreted(asked: Iterable[Asked], label: Label) -> Cells:
    """Return what the interpreter says of each person, cell by cell."""
    found: Cells = {}
    for each in asked:
        found[each.person, "decision", "died"] = died(each)
        if not died(each):
            found |= {(each.person, *cell): value for cell, value in _person(each, label).items()}
    return found


def _person(each: Asked, label: Label) -> dict[tuple[str, str], object]:
    chart = Chart(each.record, label, each.today, therapy(each.record, label, each.today, each.stage))
    facts = Facts(chart)
    decision = decide(each.record, label, each.today, each.stage, everything=True)
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


class Tables(NamedTuple):
    """What a script leaves: rows by name of the column."""

    facts: Sequence[Mapping[str, Any]]
    rules: Sequence[Mapping[str, Any]]
    duties: Sequence[Mapping[str, Any]]
    decisions: Sequence[Mapping[str, Any]]


def computed(tables: Tables, label: Label) -> Cells:
    """Return what the SQL says of each person, cell by cell."""
    found: Cells = {}
    for row in tables.decisions:
        person = row["person"]
        found[person, "decision", "died"] = row["died"]
        if not row["died"]:
            start = None if row["start_low"] is None else (row["start_low"], row["start_high"])
            found |= {
                (person, "decision", "stage"): row["stage"],
                (person, "decision", "start"): start,
                (person, "decision", "doubt"): row["doubt"],
                (person, "decision", "action"): (row["action"], row["attested"]),
            }
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


def _number(row: Mapping[str, Any], name: str) -> object:
    ends = tuple(row[f"{name}__{end}"] for end in ("low", "high", "low_open", "high_open"))
    return None if ends[0] is None else ends


def _day(day: float | None) -> str:
    return "" if day is None else show_day(exactly(day))


def differences(one: Cells, other: Cells) -> list[tuple[Cell, object, object]]:
    """Return every cell of which the two say different things."""
    missing = "no row"
    return [
        (cell, one.get(cell, missing), other.get(cell, missing))
        for cell in sorted({*one, *other})
        if one.get(cell, missing) != other.get(cell, missing)
        or type(one.get(cell, missing)) is not type(other.get(cell, missing))
    ]


def arrow(asked: Sequence[Asked]) -> tuple[Any, Any, Any]:
    """Return the tables `entries`, `persons` and `asked` of some people."""
    import pyarrow as pa

    return (
        as_table([row for each in asked for row in rows_of(each.person, each.record)], ENTRIES),
        as_table([person_row(each.person, each.record) for each in asked], PERSONS),
        pa.table({
            "person": pa.array([each.person for each in asked], pa.string()),
            "today": pa.array([float(each.today) for each in asked], pa.float64()),
            "stage": pa.array([each.stage for each in asked], pa.string()),
        }),
    )  # fmt: skip


def on_duckdb(statements: Iterable[str], asked: Sequence[Asked]) -> Tables:
    """Run a script on DuckDB over some people and return what it leaves."""
    with duckdb.connect() as database:
        for name, table in zip(("entries", "persons", "asked"), arrow(asked), strict=True):
            database.register(f"{name}_given", table)
            database.execute(f"CREATE TABLE {name} AS SELECT * FROM {name}_given")  # noqa: S608
        for statement in statements:
            database.execute(statement)
        found = []
        for name in Tables._fields:
            rows = database.execute(f"SELECT * FROM precaution_{name}")  # noqa: S608
            columns = [each[0] for each in rows.description]
            found.append([dict(zip(columns, row, strict=True)) for row in rows.fetchall()])
    return Tables(*found)


def counted(differing: Sequence[tuple[Cell, object, object]]) -> Counter[tuple[str, str]]:
    """Return how often each table and name differs."""
    return Counter((cell[1], cell[2]) for cell, _, _ in differing)
