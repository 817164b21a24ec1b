"""The rows of a partition of which nothing is wrong, as records: nearly all, and decoded a column at a time.

Whoever has a row that can't be right, or that comes twice, or entries without being among the persons, is left to be
looked at row by row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.tables.decode import columns_of, decoded, ordered

import pyarrow as pa  # isort: skip - entries says what to do where it is missing
import pyarrow.compute as pc  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.values.record import Record


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
    places = order.persons[:-1].filter(same).unique()
    return persons.take(places).to_pylist()  # type: ignore[no-any-return]


def sound(persons: pa.Table, entries: pa.Table, people: list[str]) -> Iterator[tuple[str, Record]]:
    """Yield the records of `people`, in that order: none of them is unsound."""
    own = persons.take(pc.index_in(pa.array(people, pa.string()), value_set=columns_of(persons)["person"]))
    return decoded(own, entries)
