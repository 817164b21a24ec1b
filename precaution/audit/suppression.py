"""Hides small numbers of patients, and everything from which they could be worked out.

A table here is a row of counts for each stratum, beside the row of all of them. A count from 1 to below `smallest` is
small; 0 is not. Two rules, each with what it needs so that a subtraction finds nothing:

- In the row of all a small count is shown as a range, and others beside it, until those are at least two, each may
  still be more than one number, and together they are no small number. A column that is not exact in the row of all
  is hidden in every stratum.
- A stratum with a small count is hidden whole, and further ones with it until those hidden are at least two and each
  of their columns sums up to none or to no small number: together they could be a stratum that is shown.

`tests/audit/test_suppression.py` goes through all tables that are in accord with what is shown.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


class Range(NamedTuple):
    """The range in which a count that is not shown lies, both ends included."""

    low: int
    high: int


def small(count: int, smallest: int) -> bool:
    """Whether a count must not be shown: it is above 0 and below `smallest`."""
    return 0 < count < smallest


def hidden_columns(row: Sequence[int], smallest: int, beside: Sequence[int]) -> Mapping[int, Range] | None:
    """Return the columns of the row of all that are shown as a range; None where the row can't be shown at all.

    `beside`: the columns that may be hidden beside a small one, in the order in which they are taken. A column that
    other tables show too must not be among them.
    """
    hidden = [column for column, count in enumerate(row) if small(count, smallest)]
    others = [column for column in beside if row[column] >= smallest]
    while hidden:
        found = _ranges({column: row[column] for column in hidden}, smallest)
        if found is not None:
            return found
        if not others:
            return None
        hidden.append(others.pop(0))
    return {}


def _ranges(counts: Mapping[int, int], smallest: int) -> dict[int, Range] | None:
    """Return in which range each count lies for a reader who knows their sum; None where that tells too much."""
    whole = sum(counts.values())
    ends = {
        column: (1, smallest - 1) if small(count, smallest) else (smallest, inf) for column, count in counts.items()
    }
    found: dict[int, Range] = {}
    for column, (low, high) in ends.items():
        others = [each for other, each in ends.items() if other != column]
        least = max(low, whole - sum(each for _, each in others))
        most = min(high, whole - sum(each for each, _ in others))
        found[column] = Range(int(least), int(most))
    enough = len(found) > 1 and whole >= smallest and all(each.low < each.high for each in found.values())
    return found if enough else None


def hidden_rows(
    rows: Sequence[Sequence[int]],
    smallest: int,
    columns: Collection[int] = (),
    already: Collection[int] = (),
) -> frozenset[int]:
    """Return the strata that are hidden: those of `already`, those with a small count, and those they need beside them.

    `columns` are hidden in all of them; what is left when the others are subtracted counts as one number. `already`
    are the strata of which not even the number of patients may be shown.
    """
    merged = [_merged(row, columns) for row in rows]
    hidden = set(already) | {number for number, row in enumerate(merged) if any(small(each, smallest) for each in row)}
    others = sorted((sum(row), number) for number, row in enumerate(merged) if number not in hidden)
    while hidden and others and not _safe([merged[number] for number in hidden], smallest):
        hidden.add(others.pop(0)[1])
    return frozenset(hidden)


def _merged(row: Sequence[int], columns: Collection[int]) -> list[int]:
    shown = [count for column, count in enumerate(row) if column not in columns]
    return [*shown, sum(row[column] for column in columns)]


def _safe(rows: Sequence[Sequence[int]], smallest: int) -> bool:
    """Whether strata may be hidden together: several, with more patients than strata, and no small sum in a column."""
    columns = [sum(column) for column in zip(*rows, strict=True)]
    return 1 < len(rows) < sum(columns) and not any(small(count, smallest) for count in columns)


def too_few(people: Sequence[int], smallest: int) -> frozenset[int]:
    """Return the strata of which not even the number of patients may be shown.

    Where these are all strata, their names may not be shown either.
    """
    return hidden_rows([[count] for count in people], smallest)
