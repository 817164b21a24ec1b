"""Kleene's strong three-valued logic: every cell of its tables, and the laws that must hold."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.values.logic import Truth, conjunction, disjunction, negation, possible

TRUTHS: tuple[Truth, ...] = (True, False, None)
ANY = st.sampled_from(TRUTHS)
SEVERAL = st.lists(ANY, max_size=6)

AND: dict[tuple[Truth, Truth], Truth] = {
    (True, True): True,
    (True, False): False,
    (True, None): None,
    (False, True): False,
    (False, False): False,
    (False, None): False,
    (None, True): None,
    (None, False): False,
    (None, None): None,
}
OR: dict[tuple[Truth, Truth], Truth] = {
    (True, True): True,
    (True, False): True,
    (True, None): True,
    (False, True): True,
    (False, False): False,
    (False, None): None,
    (None, True): True,
    (None, False): None,
    (None, None): None,
}


def test_the_tables_have_every_cell() -> None:
    assert set(AND) == set(OR) == set(product(TRUTHS, repeat=2))


@pytest.mark.parametrize(("operands", "truth"), AND.items())
def test_and(operands: tuple[Truth, Truth], truth: Truth) -> None:
    assert conjunction(operands) is truth


@pytest.mark.parametrize(("operands", "truth"), OR.items())
def test_or(operands: tuple[Truth, Truth], truth: Truth) -> None:
    assert disjunction(operands) is truth


@pytest.mark.parametrize(("value", "opposite"), [(True, False), (False, True), (None, None)])
def test_not(value: Truth, opposite: Truth) -> None:
    assert negation(value) is opposite


@pytest.mark.parametrize(("value", "doubt"), [(True, None), (False, False), (None, None)])
def test_possible_raises_a_question_and_never_an_answer(value: Truth, doubt: Truth) -> None:
    assert possible(value) is doubt


def test_nothing_at_all_is_true_of_all_and_false_of_any() -> None:
    assert conjunction(()) is True
    assert disjunction(()) is False


def readings(values: list[Truth]) -> list[tuple[bool, ...]]:
    """Every way in which what can't be told may turn out."""
    return list(product(*((True, False) if value is None else (value,) for value in values)))


def settled(found: set[bool]) -> Truth:
    return found.pop() if len(found) == 1 else None


@given(SEVERAL)
def test_and_is_what_every_way_things_may_turn_out_agrees_on(values: list[Truth]) -> None:
    assert conjunction(values) is settled({all(each) for each in readings(values)})


@given(SEVERAL)
def test_or_is_what_every_way_things_may_turn_out_agrees_on(values: list[Truth]) -> None:
    assert disjunction(values) is settled({any(each) for each in readings(values)})


@given(SEVERAL)
def test_de_morgan(values: list[Truth]) -> None:
    opposites = [negation(value) for value in values]
    assert negation(conjunction(values)) is disjunction(opposites)
    assert negation(disjunction(values)) is conjunction(opposites)


@given(st.permutations(list(TRUTHS) * 2), SEVERAL)
def test_order_does_not_matter(shuffled: list[Truth], values: list[Truth]) -> None:
    for fold in (conjunction, disjunction):
        assert fold(values) is fold(list(reversed(values)))
        assert fold(shuffled) is fold(sorted(shuffled, key=str))


@given(SEVERAL, st.data())
def test_knowing_more_never_turns_an_answer_round(values: list[Truth], data: st.DataObject) -> None:
    """What was true or false stays so when an unknown is settled: the ground of 'missing is never no'."""
    settled_some = [data.draw(ANY) if value is None else value for value in values]
    for fold in (conjunction, disjunction):
        before = fold(values)
        assert before is None or fold(settled_some) is before


def test_a_generator_is_read_once_and_only_as_far_as_needed() -> None:
    def values() -> object:
        yield False
        raise AssertionError("read further than needed")

    assert conjunction(values()) is False  # type: ignore[arg-type]
