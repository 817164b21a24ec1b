"""What is asked of rows of `entries` and `persons` that somebody else wrote: their columns, and each row.

Each row is looked at in SQL when it is read. In its partition the persons of whom nothing is wrong, nearly all, are
decoded a column at a time. Whoever has a row that can't be right, or that comes twice, or entries without being among
the persons, is left to be looked at row by row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.errors import InputError
from precaution.tables.decode import columns_of, decoded, ordered
from precaution.tables.schema import ENTRIES, PERSONS
from precaution.values.record import CERTAINTIES, KINDS, LISTED, STATUSES

import pyarrow as pa  # isort: skip - tables.schema says what to do where it is missing
import pyarrow.compute as pc  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from precaution.values.record import Record

SCHEMAS = {"entries": ENTRIES, "persons": PERSONS}
"""The tables of a source, by the names of their folders."""
_OPTIONAL = frozenset({"order", "sex", "site", "label"})
_HELP = "see docs/guides/cohort.md for the columns"


def check_columns(file: str, table: str, found: pa.Schema) -> None:
    """Raise InputError where a file lacks a column of its table, or has one of another type."""
    wanted = SCHEMAS[table]
    names = [field.name for field in wanted]
    if missing := [name for name in names if name not in found.names and name not in _OPTIONAL]:
        raise InputError(f"{file}: there is no column {', '.join(missing)}; {_HELP}")
    for name in names:
        if name in found.names and not _fits(found.field(name).type, wanted.field(name).type):
            raise InputError(
                f"{file}: the column '{name}' is {found.field(name).type}, not {wanted.field(name).type}; {_HELP}"
            )


def _fits(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether every value of a type can be taken as one of another."""
    if pa.types.is_null(found):  # nothing but nulls
        return True
    if pa.types.is_dictionary(found):
        return _fits(found.value_type, wanted)
    if pa.types.is_floating(wanted):
        return bool(pa.types.is_floating(found) or pa.types.is_integer(found) or pa.types.is_decimal(found))
    if pa.types.is_string(wanted):
        return bool(pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_string_view(found))
    if pa.types.is_list(wanted):
        listed = bool(pa.types.is_list(found) or pa.types.is_large_list(found))
        return listed and _fits(found.value_type, wanted.value_type)
    if pa.types.is_struct(wanted):
        return bool(pa.types.is_struct(found)) and all(
            found.get_field_index(field.name) >= 0 and _fits(found.field(field.name).type, field.type)
            for field in wanted
        )
    return bool(found == wanted)


def wrong_entry() -> str:
    """Return an SQL expression: why a row of `entries` can't be right, null where it can."""
    days = [(f"{name} is no span of days", _no_days(name)) for name in ("start", "end", "recorded")]
    return _cases(
        [
            ("it has no concept", "coalesce(concept, '') = ''"),
            ("it has no source", "coalesce(source, '') = ''"),
            (f"its kind is none of: {', '.join(KINDS)}", _none_of("kind", KINDS)),
            (f"its status is none of: {', '.join(STATUSES)}", _none_of("status", STATUSES)),
            (f"its certainty is none of: {', '.join(CERTAINTIES)}", _none_of("certainty", CERTAINTIES)),
            *days,
            ("low and high are no interval", _no_interval("low", "high")),
            (
                "low and high say not whether they are open",
                "low is not null and (low_open is null or high_open is null)",
            ),
            (
                "an end that is infinite must be open",
                "(low = '-inf' and not low_open) or (high = 'inf' and not high_open)",
            ),
            ("low and high leave nothing between them", "low = high and (low_open or high_open)"),
            ("upper is no finite number above 0", "upper is not null and (isnan(upper) or isinf(upper) or upper <= 0)"),
        ]
    )


def wrong_person() -> str:
    """Return an SQL expression: why a row of `persons` can't be right, null where it can."""
    lists = ", ".join(_quoted(each) for each in LISTED)
    return _cases(
        [
            *((f"{name} is no span of days", _no_days(name)) for name in ("birth", "died")),
            *(
                (
                    f"{name} holds something other than: {', '.join(LISTED)}",
                    f"len(list_filter(coalesce({name}, []), lambda each: each is null or each not in ({lists}))) > 0",
                )
                for name in ("lists", "attested")
            ),
            *(
                (f"{name} holds nulls", f"len(list_filter(coalesce({name}, []), lambda each: each is null)) > 0")
                for name in ("ignored", "unrecognised")
            ),
            ("partial is null", "partial is null"),
        ]
    )


def _no_days(name: str) -> str:
    low, high = f"{name}_low", f"{name}_high"
    part = " or ".join(f"(not isinf({each}) and {each} <> floor({each}))" for each in (low, high))
    return f"({_no_interval(low, high)}) or {part}"


def _no_interval(low: str, high: str) -> str:
    return (
        f"({low} is null) <> ({high} is null) or isnan({low}) or isnan({high}) or {low} > {high} "
        f"or {low} = 'inf' or {high} = '-inf'"
    )


def _none_of(column: str, words: Iterable[str]) -> str:
    return f"{column} is null or {column} not in ({', '.join(_quoted(word) for word in words)})"


def _cases(checks: Iterable[tuple[str, str]]) -> str:
    return "case " + " ".join(f"when {wrong} then {_quoted(why)}" for why, wrong in checks) + " end"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def unsound(persons: pa.Table, entries: pa.Table) -> set[str]:
    """Return the persons whose rows must be looked at one by one. `why` is set where a row can't be right."""
    of_persons, of_entries = columns_of(persons), columns_of(entries)
    found: set[str] = set()
    for columns in (of_persons, of_entries):
        found.update(columns["person"].filter(pc.is_valid(columns["why"])).to_pylist())
    counts = of_persons["person"].value_counts()
    found.update(counts.field("values").filter(pc.greater(counts.field("counts"), 1)).to_pylist())
    strangers = pc.is_null(pc.index_in(of_entries["person"], value_set=of_persons["person"]))
    found.update(of_entries["person"].filter(strangers).unique().to_pylist())
    found.update(_twice(of_entries, of_persons["person"]))
    return found


def _twice(columns: dict[str, pa.Array], persons: pa.Array) -> list[str]:
    """Return the persons who have rows of one concept with the same `order`: perhaps the same row twice."""
    order = ordered(columns, persons)
    same = None
    for column in (order.persons, order.concepts, order.orders):
        equal = pc.equal(column[:-1], column[1:])
        same = equal if same is None else pc.and_(same, equal)
    positions = order.persons[:-1].filter(same).unique()
    return persons.take(positions).to_pylist()  # type: ignore[no-any-return]


def sound(persons: pa.Table, entries: pa.Table, people: list[str]) -> Iterator[tuple[str, Record]]:
    """Yield the records of `people`, in that order: none of them is unsound."""
    own = persons.take(pc.index_in(pa.array(people, pa.string()), value_set=columns_of(persons)["person"]))
    return decoded(own, entries)
