"""The tables of results: their columns, their rows, and Parquet files that are whole or not there."""

from __future__ import annotations

import os
from datetime import date
from functools import lru_cache, partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from precaution.engine.answer import Due, grave
from precaution.errors import OutputError, UsageError
from precaution.tables.schema import ENTRIES, PERSONS

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError:  # pragma: no cover - tested where it is not installed
    raise UsageError("cohorts need pyarrow: install it with `pip install '.[cohort]'` in its folder") from None

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Label

Row = tuple[object, ...]

_S, _L, _B, _I, _F = pa.string(), pa.list_(pa.string()), pa.bool_(), pa.int32(), pa.float64()
_EVIDENCE = pa.list_(pa.struct([("source", _S), ("date", _S), ("says", _S), ("note", _S)]))
SCHEMAS = {
    name: pa.schema(list(columns))
    for name, columns in {
        "decisions": (
            ("person", _S),
            ("stage", _S),
            ("stage_why", _S),
            ("start", _S),
            ("action", _S),
            ("attested", _B),
            ("rank", _I),
            ("urgent", _B),
            ("overdue_days", _I),
            ("reason", _S),
            ("reason_date", _S),
            ("next_due", _S),
            ("holds", _I),
            ("unknown", _I),
            ("open_holds", _I),
            ("due", _I),
            ("open_asks", _I),
            ("missing", _I),
            ("today", _S),
            ("label", _S),
            ("version", _S),
            ("digest", _S),
        ),
        "findings": (
            ("person", _S),
            ("rule", _S),
            ("state", _S),
            ("action", _S),
            ("attested", _B),
            ("urgent", _B),
            ("cites", _L),
            ("tell", _S),
            ("why", _S),
            ("parameters", _L),
            ("evidence", _EVIDENCE),
        ),
        "holds": (
            ("person", _S),
            ("rule", _S),
            ("state", _S),
            ("cites", _L),
            ("tell", _S),
            ("release", _S),
            ("evidence", _EVIDENCE),
        ),
        "due": (
            ("person", _S),
            ("duty", _S),
            ("state", _S),
            ("action", _S),
            ("due", _S),
            ("overdue_after", _S),
            ("cites", _L),
            ("tell", _S),
            ("why", _S),
            ("lacking", _L),
            ("evidence", _EVIDENCE),
        ),
        "asks": (
            ("person", _S),
            ("ask", _S),
            ("number", _S),
            ("question", _S),
            ("cites", _L),
            ("answered", _S),
            ("date", _S),
            ("void", _S),
        ),
        "missing": (("person", _S), ("fact", _S), ("title", _S), ("why", _S), ("needed_by", _L)),
        "history": (
            ("person", _S),
            ("day", _S),
            ("until", _S),
            ("stage", _S),
            ("action", _S),
            ("attested", _B),
            ("holds", _L),
            ("open_holds", _L),
        ),
        "exposures": (
            ("person", _S),
            ("course", _I),
            ("chosen", _B),
            ("new_use", _S),
            ("why", _S),
            ("start", _S),
            ("last", _S),
            ("goes_on", _B),
            ("held", _B),
            ("interruptions", _I),
            ("days", _F),
            ("until", _S),
            ("age", _S),
            ("sex", _S),
            ("site", _S),
            ("month", _S),
        ),
        "measured": (
            ("person", _S),
            ("measure", _S),
            ("state", _S),
            ("why", _S),
            ("day", _S),
            ("days", _F),
            ("delay", _F),
        ),
        "problems": (
            ("person", _S),
            ("kind", _S),
            ("file", _S),
            ("line", pa.int64()),
            ("message", _S),
            ("lines", pa.int64()),
        ),
    }.items()
} | {"entries": ENTRIES, "persons": PERSONS}
SCHEMAS |= {
    name: schema.append(pa.field("label", _S))
    for name, schema in SCHEMAS.items()
    if name != "problems" and "label" not in schema.names
}
"""Every table by name; in each but `problems` there is a column `label`: its name. `rank`: 0 for the gravest action of
the label. `until`: the last day for which a row of history counts. For `exposures` and `measured` see
`precaution.measures`."""
AUDIT = ("exposures", "measured")
"""The tables that only an audit needs."""
_ON_REQUEST = {"history": ("history",), "entries": ("entries", "persons"), "audit": AUDIT}


def wanted_tables(*, history: bool = False, entries: bool = False, audit: bool = False) -> frozenset[str]:
    """Return the names of the tables to write: those of every run, and those that are asked for."""
    asked = {"history": history, "entries": entries, "audit": audit}
    return frozenset(SCHEMAS) - {name for option, names in _ON_REQUEST.items() if not asked[option] for name in names}


class TableRows:
    """Collects rows, and writes each table of a partition as one file."""

    def __init__(self) -> None:
        """Start empty."""
        self._rows: dict[str, list[Row]] = {name: [] for name in SCHEMAS}

    def add(self, table: str, rows: Iterable[Row]) -> None:
        """Add rows to a table."""
        self._rows[table].extend(rows)

    def add_all(self, rows: Mapping[str, Iterable[Row]], label: str) -> None:
        """Add rows to several tables, by their names; in the last column of each stands the label's name."""
        for table, own in rows.items():
            self.add(table, own if table == "decisions" else [(*row, label) for row in own])

    def write(self, out: Path, part: str, names: Iterable[str], aside: Path | None = None) -> None:
        """Write the tables `names` as `out/<name>/<part>.parquet`; for `aside` see `put`. Raises OutputError."""
        for name in names:
            schema, rows = SCHEMAS[name], self._rows[name]
            columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
            table = pa.table(
                [pa.array(cells, field.type) for cells, field in zip(columns, schema, strict=True)], schema=schema
            )
            put(out / name / f"{part}.parquet", partial(pq.write_table, table), aside)


def decision_rows(person: str, decision: Decision, changes: Sequence[Decision], label: Label) -> dict[str, list[Row]]:
    """Return what a decision, and the changes that led to it, add to each table."""
    return {
        "decisions": [_decision(person, decision, label)],
        "findings": [
            (person, f.rule, f.state, f.action, f.attested, f.urgent, f.cites, f.tell, f.why, f.parameters, f.evidence)
            for f in decision.findings
        ],
        "holds": [(person, h.rule, h.state, h.cites, h.tell, h.release, h.evidence) for h in decision.holds],
        "due": [
            (person, d.duty, d.state, d.action, d.due, d.overdue_after, d.cites, d.tell, d.why, d.lacking, d.evidence)
            for d in decision.due
        ],
        "asks": [(person, a.ask, a.number, a.question, a.cites, a.answered, a.date, a.void) for a in decision.asks],
        "missing": [(person, *each) for each in decision.missing],
        "history": _history(person, changes, decision.today),
    }


def _history(person: str, changes: Sequence[Decision], today: str) -> list[Row]:
    """Return the days on which a decision changed, each with the last day for which it counted."""
    ends = [*(_day_before(each.today) for each in changes[1:]), today]
    return [
        (
            person,
            each.today,
            end,
            each.stage,
            each.action,
            each.attested,
            [finding.rule for finding in each.findings if finding.state == "holds"],
            [hold.rule for hold in each.holds if hold.state != "released"],
        )
        for each, end in zip(changes, ends, strict=False)
    ]


def _decision(person: str, decision: Decision, label: Label) -> Row:
    reason, at = _reason(decision)
    open_due = [each for each in decision.due if each.state in ("due", "overdue", "upcoming")]
    states = [each.state for each in decision.findings]
    return (
        person,
        decision.stage,
        decision.stage_why,
        decision.start,
        decision.action,
        decision.attested,
        grave(decision.action, decision.attested, label),
        any(each.urgent for each in decision.findings),
        max([_overdue(each, decision.today) for each in open_due], default=0),
        reason,
        at,
        min([each.due for each in open_due if each.due], default=""),
        states.count("holds"),
        states.count("unknown"),
        sum([each.state != "released" for each in decision.holds]),
        sum([each.state in ("due", "overdue") for each in decision.due]),
        sum([each.answered is None for each in decision.asks]),
        len(decision.missing),
        decision.today,
        decision.label,
        decision.version,
        decision.digest,
    )


def _reason(decision: Decision) -> tuple[str, str]:
    """Return why the decision is as it is, and the day of the newest entry behind that."""
    reason = decision.named_first()
    if isinstance(reason, Due):
        return reason.tell, reason.due
    if reason is not None:
        return reason.tell, reason.evidence[0].date if reason.evidence else ""
    for hold in decision.holds:  # open ones first
        return hold.tell, hold.evidence[0].date if hold.evidence else ""
    return (decision.missing[0].why, "") if decision.missing and decision.action == "obtain" else ("", "")


def _overdue(due: Due, today: str) -> int:
    if due.state != "overdue" or not due.overdue_after:
        return 0
    return _ordinal(today) - _ordinal(due.overdue_after)


@lru_cache(maxsize=65536)
def _ordinal(day: str) -> int:
    return date.fromisoformat(day).toordinal()


def _day_before(day: str) -> str:
    return date.fromordinal(_ordinal(day) - 1).isoformat()


def put(path: Path, write: Callable[[Path], object], aside: Path | None = None) -> None:
    """Write a file so that it is whole or not there, whatever happens. Raises OutputError where there is no room.

    `aside`: a folder of the same disk for the file while it is written; beside `path` where not given. Its name is
    no other process's, on this machine or on another.
    """
    half = (aside or path.parent) / f"{path.name}.{os.getpid()}-{token_hex(4)}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(half)
        with half.open("rb") as written:
            os.fsync(written.fileno())
        half.replace(path)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else "no room?"
        raise OutputError(
            f"'{path.parent.name}/{path.name}' can't be written: {why}; make room and run again: what is done is kept"
        ) from None
    finally:
        half.unlink(missing_ok=True)
