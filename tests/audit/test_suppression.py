"""No small number is shown, and none can be worked out: every table in accord with what is shown is gone through."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precaution.audit.suppression import Range, hidden_columns, hidden_rows, small, too_few
from support.effort import tries

BESIDE = (2, 0, 1)
ROWS = st.lists(st.integers(0, 9), min_size=4, max_size=4)


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ([10, 20, 0, 5], {}),
        ([10, 20, 3, 5], {2: Range(1, 4), 0: Range(9, 12)}),
        ([3, 20, 0, 5], {0: Range(1, 4), 1: Range(19, 22)}),
        ([3, 20, 9, 5], {0: Range(1, 4), 2: Range(8, 11)}),
        ([3, 3, 0, 5], {0: Range(2, 4), 1: Range(2, 4)}),
        ([0, 20, 0, 3], {3: Range(1, 4), 1: Range(19, 22)}),
    ],
)
def test_a_small_count_is_a_range_and_another_beside_it(row: list[int], shown: dict[int, Range]) -> None:
    assert hidden_columns(row, 5, BESIDE) == shown


@pytest.mark.parametrize("row", [[4, 4, 0, 0], [1, 1, 0, 0], [3, 0, 0, 0], [3, 0, 0, 90]])
def test_where_nothing_helps_the_row_is_not_shown(row: list[int]) -> None:
    """4 and 4 that sum up to 8 can be nothing else; who is not counted is never hidden to hide another."""
    assert hidden_columns(row, 5, BESIDE) is None


def in_accord(row: list[int], shown: dict[int, Range], smallest: int) -> list[tuple[int, ...]]:
    """Return every row that shows the same: the same sum, the same counts, counts within the ranges, and as small."""
    parts = [
        range(shown[place].low, shown[place].high + 1) if place in shown else [count] for place, count in enumerate(row)
    ]
    primary = {place for place, count in enumerate(row) if small(count, smallest)}
    return [
        each
        for each in product(*parts)
        if sum(each) == sum(row) and {place for place, count in enumerate(each) if small(count, smallest)} == primary
    ]


@given(ROWS, st.integers(2, 6))
def test_no_column_that_is_hidden_can_be_told(row: list[int], smallest: int) -> None:
    shown = hidden_columns(row, smallest, BESIDE)
    if shown is None:
        return
    assert all(place in shown for place, count in enumerate(row) if small(count, smallest))
    others = in_accord(row, dict(shown), smallest)
    assert tuple(row) in others, "what is shown is true"
    for place in shown:
        assert len({each[place] for each in others}) > 1


def alike(rows: list[list[int]], hidden: frozenset[int], known: set[int]) -> list[tuple[tuple[int, ...], ...]]:
    """Return every hidden block that has the same sums: of each column, and of the rows in `known`."""
    places = sorted(hidden)
    columns = [sum(rows[place][column] for place in places) for column in range(len(rows[0]))]
    found: list[tuple[tuple[int, ...], ...]] = [()]
    for place in places[:-1]:
        choices = [
            each
            for each in product(*(range(most + 1) for most in columns))
            if sum(each) and (place not in known or sum(each) == sum(rows[place]))
        ]
        found = [
            (*block, each)
            for block in found
            for each in choices
            if all(sum(row[c] for row in (*block, each)) <= columns[c] for c in range(len(columns)))
        ]
    whole = []
    for block in found:
        last = tuple(columns[c] - sum(row[c] for row in block) for c in range(len(columns)))
        if sum(last) and (places[-1] not in known or sum(last) == sum(rows[places[-1]])):
            whole.append((*block, last))
    return whole


TABLES = st.lists(st.lists(st.integers(0, 7), min_size=2, max_size=2).filter(any), min_size=2, max_size=4)


@settings(max_examples=tries(50, 300))
@given(TABLES, st.integers(2, 5))
def test_no_stratum_that_is_hidden_can_be_told(rows: list[list[int]], smallest: int) -> None:
    """Even by somebody who knows how many patients each stratum has, where that may be known."""
    few = too_few([sum(row) for row in rows], smallest)
    hidden = hidden_rows(rows, smallest, (), few)
    shown = [row for place, row in enumerate(rows) if place not in hidden]
    assert not any(small(count, smallest) for row in shown for count in row)
    together = [sum(rows[place][column] for place in hidden) for column in range(2)]
    if not hidden or len(few) == len(rows) or (len(hidden) == len(rows) and any(small(n, smallest) for n in together)):
        return  # then the split is left out, or the row of all hides more
    assert not any(small(count, smallest) for count in together), "all others subtracted, no small number is left"
    blocks = alike(rows, hidden, set(range(len(rows))) - few)
    for number, place in enumerate(sorted(hidden)):
        for column in range(2):
            if small(rows[place][column], smallest):
                assert len({block[number][column] for block in blocks}) > 1


@given(TABLES, st.integers(2, 5))
def test_columns_hidden_in_all_count_as_one_in_a_stratum(rows: list[list[int]], smallest: int) -> None:
    hidden = hidden_rows(rows, smallest, {0, 1})
    assert not any(small(sum(row), smallest) for place, row in enumerate(rows) if place not in hidden)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.integers(2, 6))
def test_small_strata_hide_at_least_one_other(people: list[int], smallest: int) -> None:
    hidden = too_few(people, smallest)
    assert all(place in hidden for place, count in enumerate(people) if small(count, smallest))
    if hidden and len(hidden) < len(people):
        assert len(hidden) > 1
        assert sum(people[place] for place in hidden) >= smallest


def test_with_a_smallest_of_one_everything_is_shown() -> None:
    assert hidden_columns([1, 2, 3, 4], 1, BESIDE) == {}
    assert hidden_rows([[1, 2], [3, 1]], 1) == frozenset()


def test_the_check_would_see_a_stratum_hidden_alone() -> None:
    rows = [[3, 10], [20, 30]]
    assert len(alike(rows, frozenset({0}), set())) == 1
