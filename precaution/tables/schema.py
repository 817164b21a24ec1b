"""Records as two tables, `entries` and `persons`, and back without loss: the form in which many patients are moved.

A row of `entries` is an entry of `precaution.values.record` with the person it is about; a row of `persons` is what
a record says beside its entries. Days are ordinals (`datetime.date.toordinal`), an end that is not known is infinite,
and a day that is not recorded is null at both ends. `order` is the entry's place among those of its concept: a total
order, so that ties never depend on the order of the rows. `label` is the name of the label by whose code lists the
record was read; where it is null, any label may take the row for its own.
"""

from __future__ import annotations

from math import isinf
from typing import TYPE_CHECKING, Any

from precaution.errors import UsageError
from precaution.values.interval import Interval
from precaution.values.record import Entry, Ignored, Record, Unrecognised, in_order

try:
    import pyarrow as pa
except ImportError:  # pragma: no cover - tested where it is not installed
    raise UsageError("cohorts need pyarrow: install it with `pip install '.[cohort]'` in its folder") from None

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = tuple[Any, ...]

_S, _F, _B = pa.string(), pa.float64(), pa.bool_()
_L = pa.list_(_S)
ENTRIES = pa.schema(
    [
        ("person", _S),
        ("concept", _S),
        ("kind", _S),
        ("source", _S),
        ("start_low", _F),
        ("start_high", _F),
        ("end_low", _F),
        ("end_high", _F),
        ("recorded_low", _F),
        ("recorded_high", _F),
        ("status", _S),
        ("certainty", _S),
        ("low", _F),
        ("high", _F),
        ("low_open", _B),
        ("high_open", _B),
        ("upper", _F),
        ("result", _S),
        ("says", _S),
        ("note", _S),
        ("order", pa.int32()),
        ("label", _S),
    ]
)
PERSONS = pa.schema(
    [
        ("person", _S),
        ("birth_low", _F),
        ("birth_high", _F),
        ("died_low", _F),
        ("died_high", _F),
        ("lists", _L),
        ("attested", _L),
        ("partial", _B),
        ("ignored", pa.list_(pa.struct([("source", _S), ("why", _S)]))),
        ("unrecognised", pa.list_(pa.struct([("source", _S), ("system", _S), ("code", _S), ("why", _S)]))),
        ("sex", _S),
        ("site", _S),
        ("label", _S),
    ]
)


def rows_of(person: str, record: Record, label: str | None = None) -> list[Row]:
    """Return the rows of `entries` of one person, in order. `label`: the name of the label that read the record."""
    return [
        (
            person,
            concept,
            e.kind,
            e.source,
            *_days(e.start),
            *_days(e.end),
            *_days(e.recorded),
            e.status,
            e.certainty,
            *(e.value if e.value is not None else (None,) * 4),
            e.upper,
            e.result,
            e.says,
            e.note,
            order,
            label,
        )
        for concept in sorted(record.entries)
        for order, e in enumerate(record.entries[concept])
    ]


def person_row(person: str, record: Record, label: str | None = None) -> Row:
    """Return the row of `persons` of one person; `label` as for `rows_of`."""
    return (
        person,
        *_days(record.birth),
        *_days(record.died),
        sorted(record.lists),
        sorted(record.attested),
        record.partial,
        [each._asdict() for each in record.ignored],
        [each._asdict() for each in record.unrecognised],
        record.sex,
        record.site,
        label,
    )


def record_of(person: Row, entries: Iterable[Row]) -> Record:
    """Return the record that a row of `persons` and the person's rows of `entries`, in any order, came from."""
    found: dict[str, list[Entry]] = {}
    for row in entries:
        found.setdefault(row[1], []).append(_entry(row))
    _, *days, lists, attested, partial, ignored, unrecognised, sex, site, _ = person
    return Record(
        _interval(*days[:2]),
        _interval(*days[2:]),
        {concept: tuple(sorted(each, key=in_order)) for concept, each in found.items()},
        frozenset(lists or ()),
        frozenset(attested or ()),
        bool(partial),
        tuple(Ignored(**each) for each in ignored or ()),
        tuple(Unrecognised(**each) for each in unrecognised or ()),
        sex or "",
        site or "",
    )


def as_rows(table: pa.Table | pa.RecordBatch) -> list[Row]:
    """Return the rows of a table of either kind as tuples, in the order of its columns."""
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def as_table(rows: list[Row], schema: pa.Schema) -> pa.Table:
    """Return rows as a table."""
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    made = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.table(made, schema=schema)


def _entry(row: Row) -> Entry:
    (
        _,
        concept,
        kind,
        source,
        start_low,
        start_high,
        end_low,
        end_high,
        recorded_low,
        recorded_high,
        status,
        certainty,
        low,
        high,
        low_open,
        high_open,
        upper,
        result,
        says,
        note,
        _,
        _,
    ) = row
    return Entry(
        concept,
        kind,
        source,
        _interval(start_low, start_high),
        _interval(end_low, end_high),
        status,
        certainty,
        None if low is None else Interval(low, high, low_open, high_open),
        upper,
        result,
        says,
        note,
        _interval(recorded_low, recorded_high),
    )


def _days(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else interval[:2]


def _interval(low: float | None, high: float | None) -> Interval | None:
    """Return days from `low` to `high`: an end of theirs is open exactly where it is infinite."""
    return None if low is None or high is None else Interval(low, high, isinf(low), isinf(high))
