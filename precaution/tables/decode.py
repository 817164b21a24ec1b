"""The tables of `precaution.tables.schema` as records, a column at a time: the way of many patients.

A row made into Python values cell by cell costs more than its patient's decision. So each column is turned into a list
at once: what has few different values (names, words, days) by a dictionary of them, so that equal cells share one
object; and a run of rows of one person and concept becomes its entries without a row being looked at. Where it is
not plain that the rows of a run are in order they are put in order, as everywhere, by `in_order`.
"""

from __future__ import annotations

from functools import partial
from math import isinf
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from precaution.values.interval import Interval
from precaution.values.record import Entry, Ignored, Record, Unrecognised, in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Made = TypeVar("Made")
Array = Any
"""A `pyarrow.Array`."""
Columns = dict[str, Array]
BLOCK = 16384
"""Rows that are made into entries at once: few enough that what is made of them stays in the processor's cache."""
_new_entry: Callable[[tuple[Any, ...]], Entry] = partial(tuple.__new__, Entry)
"""As Entry._make, which also counts the fields: here they are the columns, and right."""


def decoded(persons: pa.Table, entries: pa.Table) -> Iterator[tuple[str, Record]]:
    """Yield each person with the record, in the order of `persons`; the rows of `entries` may be in any order."""
    groups = _groups(entries, columns_of(persons)["person"])
    position, own = next(groups, _END)
    for number, (person, birth, died, *more) in enumerate(zip(*_person_columns(persons), strict=True)):
        if number == position:
            yield person, Record(birth, died, own, *more)
            position, own = next(groups, _END)
        else:
            yield person, Record(birth, died, {}, *more)


_Own = dict[str, "tuple[Entry, ...]"]
_END: tuple[int, _Own] = (-1, {})


def columns_of(table: pa.Table) -> Columns:
    """Return the columns of a table by name, each in one piece."""
    return {
        name: column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        for name, column in zip(table.column_names, table.columns, strict=True)
    }


# Which rows belong together


def _groups(table: pa.Table, persons: Array) -> Iterator[tuple[int, _Own]]:
    """Yield the position of each person who has entries, and the entries by concept; entries of nobody are left out."""
    columns = columns_of(table)
    order = ordered(columns, persons)
    for begin, end in _blocks(order.persons):
        if order.rows is None:
            part = {name: columns[name][begin:end] for name in _NAMES}
        else:
            part = {name: columns[name].take(order.rows[begin:end]) for name in _NAMES}
        yield from _block(part, order.persons[begin:end], order.concepts[begin:end])


class RowOrder(NamedTuple):
    """In which order rows are taken so that those of one person, and of one concept, follow each other."""

    rows: Array | None
    """Which row comes when; None where they come as they are."""
    persons: Array
    """Of each row in that order the position of the person ..."""
    concepts: Array
    """... and of the concept."""
    orders: Array
    """... and the row's own order."""


def ordered(columns: Columns, persons: Array) -> RowOrder:
    """Return the order of rows: by person, as `persons` has them, then by concept, then by their own order.

    That they are in it already is seen at a tenth of what sorting costs, and so they mostly are.
    """
    person = pc.index_in(columns["person"], value_set=persons)
    concept = _ranks(columns["concept"])
    own = columns["order"] if columns["order"].null_count == 0 else _ranks(columns["source"])
    rows = pc.indices_nonzero(pc.is_valid(person)) if person.null_count else None
    if rows is not None:
        person, concept, own = person.take(rows), concept.take(rows), own.take(rows)
    if _rising((person, concept, own)):
        return RowOrder(rows, person, concept, own)
    keys = pa.table({"person": person, "concept": concept, "order": own})
    sorting = pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names])
    rows = sorting if rows is None else rows.take(sorting)
    return RowOrder(rows, person.take(sorting), concept.take(sorting), own.take(sorting))


def _ranks(column: Array) -> Array:
    """Return of each cell its position among the different values of the column, in order."""
    coded = column.dictionary_encode()
    by_word = pc.sort_indices(coded.dictionary)
    return pc.sort_indices(by_word).take(coded.indices)


def _rising(columns: Sequence[Array]) -> bool:
    """Whether rows are in the order of these columns."""
    rising = None
    for column in reversed(columns):
        less, same = pc.less(column[:-1], column[1:]), pc.equal(column[:-1], column[1:])
        rising = pc.or_(less, same if rising is None else pc.and_(same, rising))
    return bool(pc.all(rising).as_py())


def _blocks(person: Array) -> Iterator[tuple[int, int]]:
    """Yield where each block of rows begins and ends; all of a person's rows are in one."""
    begin, last = 0, len(person)
    for end in (*_begins(person)[1:], last):
        if end - begin >= BLOCK or (end == last and end > begin):
            yield begin, end
            begin = end


def _begins(*columns: Array) -> list[int]:
    """Return the rows in which any of the columns differs from the row before, and the first."""
    new = None
    for column in columns:
        differs = pc.not_equal(column[:-1], column[1:])
        new = differs if new is None else pc.or_(new, differs)
    return [0, *(at + 1 for at in pc.indices_nonzero(new).to_pylist())]


def _block(columns: Columns, persons: Array, concepts: Array) -> Iterator[tuple[int, _Own]]:
    """Yield the people of some rows, whose entries are made all at once."""
    entries = tuple(_entries(columns))
    begins = _begins(persons, concepts)
    doubtful = _doubtful(begins, columns["start_low"])
    positions = persons.take(pa.array(begins, pa.int64())).to_pylist()
    owner, found = positions[0], _Own()
    for position, begin, end in zip(positions, begins, (*begins[1:], len(entries)), strict=True):
        if position != owner:
            yield owner, found
            owner, found = position, {}
        own = entries[begin:end]
        found[own[0].concept] = tuple(sorted(own, key=in_order)) if begin in doubtful else own
    yield owner, found


def _doubtful(begins: Sequence[int], day: Array) -> set[int]:
    """Return the runs of which it is not plain that they are in order, by where they begin.

    It is plain where each row begins on a later day than the one before; else other columns count too.
    """
    later = pc.fill_null(pc.less(day[:-1], day[1:]), False)
    unclear = [at + 1 for at in pc.indices_nonzero(pc.invert(later)).to_pylist()]
    firsts, doubtful, run = set(begins), set[int](), 0
    for row in unclear:
        if row not in firsts:
            while run + 1 < len(begins) and begins[run + 1] < row:
                run += 1
            doubtful.add(begins[run])
    return doubtful


# What a row says

_NAMES = (
    "concept",
    "kind",
    "source",
    "start_low",
    "start_high",
    "end_low",
    "end_high",
    "recorded_low",
    "recorded_high",
    "status",
    "certainty",
    "low",
    "high",
    "low_open",
    "high_open",
    "upper",
    "result",
    "says",
    "note",
)


def _entries(columns: Columns) -> Iterable[Entry]:
    fields: list[Iterable[object]] = [
        _words(columns["concept"]),
        _words(columns["kind"]),
        columns["source"].to_pylist(),
        _days(columns, "start"),
        _days(columns, "end"),
        _words(columns["status"]),
        _words(columns["certainty"]),
        _intervals(*(columns[name] for name in ("low", "high", "low_open", "high_open"))),
        _words(columns["upper"]),
        _words(columns["result"]),
        _words(columns["says"]),
        _words(columns["note"]),
        _days(columns, "recorded"),
    ]
    return map(_new_entry, zip(*fields, strict=True))


def _words(column: Array) -> list[Any]:
    """Return a column of which many cells are alike: each different value is made once."""
    return _looked_up(column, lambda words: words)


def _looked_up(column: Array, make: Callable[[list[Any]], list[Any]]) -> list[Any]:
    """Return what `make` makes of the different values of a column, for each row; None for null."""
    if column.null_count == len(column):
        return [None] * len(column)
    coded = column.dictionary_encode()
    words = [*make(coded.dictionary.to_pylist()), None]
    positions = coded.indices.fill_null(len(words) - 1) if column.null_count else coded.indices
    return [words[position] for position in _numbers(positions)]


def _numbers(column: Array) -> list[int]:
    """Return a column of 32-bit integers without nulls: as they lie in memory, which is the fastest way."""
    data = memoryview(column.buffers()[1]).cast("i")
    return data[column.offset : column.offset + len(column)].tolist()


def _days(columns: Columns, name: str) -> list[Interval | None]:
    return _intervals(columns[f"{name}_low"], columns[f"{name}_high"])


def _intervals(low: Array, high: Array, low_open: Array = None, high_open: Array = None) -> list[Interval | None]:
    """Return a column of intervals: most are a single value, of which many are alike; others are made one by one."""
    made: list[Interval | None] = _looked_up(low, lambda values: [Interval(each, each) for each in values])
    plain = pc.and_(pc.equal(low, high), pc.is_finite(low))
    if low_open is not None:
        low_open, high_open = pc.fill_null(low_open, False), pc.fill_null(high_open, False)
        plain = pc.and_not(plain, pc.or_(low_open, high_open))
    others = pc.indices_nonzero(pc.and_(pc.is_valid(low), pc.invert(pc.fill_null(plain, False))))
    if len(others):
        lows, highs = low.take(others).to_pylist(), high.take(others).to_pylist()
        if low_open is None:  # an end of days is open exactly where it is infinite
            opens = [(isinf(first), last is not None and isinf(last)) for first, last in zip(lows, highs, strict=True)]
        else:
            opens = list(zip(low_open.take(others).to_pylist(), high_open.take(others).to_pylist(), strict=True))
        for at, first, last, open_ in zip(others.to_pylist(), lows, highs, opens, strict=True):
            made[at] = None if last is None else Interval(first, last, *open_)
    return made


def _person_columns(table: pa.Table) -> list[list[Any]]:
    columns = columns_of(table)
    return [
        columns["person"].to_pylist(),
        _days(columns, "birth"),
        _days(columns, "died"),
        _kinds(columns["lists"]),
        _kinds(columns["attested"]),
        [bool(each) for each in columns["partial"].to_pylist()],
        _structs(columns["ignored"], Ignored),
        _structs(columns["unrecognised"], Unrecognised),
        _words(pc.fill_null(columns["sex"], "")),
        _words(pc.fill_null(columns["site"], "")),
    ]


def _kinds(column: Array) -> list[frozenset[str]]:
    """Return a column of lists as sets; the same few sets for all."""
    sets: dict[tuple[str, ...], frozenset[str]] = {}
    return [sets.setdefault(key, frozenset(key)) for key in _nested(column, _words(column.flatten()))]


def _structs(column: Array, make: Callable[..., Made]) -> list[tuple[Made, ...]]:
    """Return a column of lists of structs."""
    fields = [_words(field) for field in column.flatten().flatten()]
    return _nested(column, list(map(make, *fields)))


def _nested(column: Array, flat: Sequence[Made]) -> list[tuple[Made, ...]]:
    """Return the cells of a column of lists; nothing for null."""
    cells, at = [], 0
    for length in pc.fill_null(pc.list_value_length(column), 0).to_pylist():
        cells.append(tuple(flat[at : at + length]))
        at += length
    return cells
