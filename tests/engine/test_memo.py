"""What is kept from one patient to the next changes no answer, and holds nothing of anyone.

The reference is the same engine without it: each fact, rule and duty is worked out on the patient's own record. The
kinds of facts have short cuts of their own, for one result that is plainly the newest; those are taken out here too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precaution import load_label
from precaution.engine import memo
from precaution.engine.answer import Decision, Due, Finding
from precaution.engine.chart import Chart
from precaution.engine.compiled import CompiledLabel, compiled_label
from precaution.engine.decision import decide, decided, facts_of
from precaution.engine.kinds import figures, qualitative
from precaution.knowledge.model import Label
from precaution.knowledge.refers import STAGES, Stage
from precaution.values.record import Entry, Record
from precaution.writers.structured import to_json
from support import sql_people
from support.effort import tries
from support.engine_builders import TODAY
from support.project import SHARED
from support.random_records import AnyRecord
from support.sql_comparison import Asked

LABEL = load_label("baricitinib")
RECORDS = AnyRecord(LABEL, TODAY)
SEEDS = st.integers(0, 2**40)
ASKED = st.tuples(SEEDS, st.sampled_from((0, -90, -1000, 1)), st.sampled_from((None, None, *STAGES)), st.booleans())
"""Record, days from today, stage given, whether everything is asked for."""


def asked(drawn: tuple[int, int, Stage | None, bool], mark: str = "") -> tuple[Asked, bool]:
    seed, days, stage, everything = drawn
    return Asked(str(seed), RECORDS.made(seed, mark), TODAY + days, stage), everything


def with_memo(one: Asked, everything: bool = True, label: Label = LABEL) -> Decision:
    """Return the decision, for which the memo is there: it is made for the second record of a day."""
    for _ in range(2):
        decide(Record(lists=one.record.lists, attested=one.record.attested), label, one.today, one.stage)
    return decide(one.record, label, one.today, one.stage, everything=everything).decision


def without(one: Asked, everything: bool = True, label: Label = LABEL) -> Decision:
    facts = facts_of(one.record, label, one.today, one.stage, memo=False)
    return decided(facts, everything=everything).decision


def everyone() -> Iterator[tuple[Asked, Label]]:
    for group in sql_people.cases():
        yield from ((one, group.label) for one in group.asked)
    yield from ((one, LABEL) for one in sql_people.examples())
    if SHARED.is_dir():
        yield from ((one, LABEL) for one in sql_people.shared())
    for seed in range(tries(500, 2000)):  # of few sorts, for which there is a blank record already
        one, _ = asked((seed, -(seed % 3), (None, None, *STAGES)[seed % 5], True))
        lists = frozenset(("condition", "medication", "result")[: seed % 4])
        yield one._replace(record=replace(one.record, lists=lists, attested=frozenset())), LABEL


@pytest.mark.slow
def test_without_the_memo_every_answer_is_the_same_byte_for_byte() -> None:
    people = list(everyone())
    assert len(people) > 2000
    for number, (one, label) in enumerate(people):
        quick, slow = with_memo(one, label=label), without(one, label=label)
        assert quick == slow, one.person
        assert number % 10 or to_json(quick) == to_json(slow), one.person


@cache
def plain() -> Label:
    """Return a label whose facts were compiled without the short cuts of their kinds."""
    label = replace(LABEL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "_quickly", lambda *given: given[-1])
        patch.setattr(qualitative, "_quickly", lambda *given: given[-1])
        for stage in STAGES:
            compiled_label(label, stage)
    return label


def plainly(one: Asked, everything: bool = True) -> Decision:
    """Return the decision by the engine without any short cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Chart, "newest", lambda *_: None)
        return without(one, everything, plain())


@settings(max_examples=tries(100, 500))
@given(ASKED)
def test_no_short_cut_changes_an_answer(drawn: tuple[int, int, Stage | None, bool]) -> None:
    one, everything = asked(drawn)
    assert with_memo(one, everything) == plainly(one, everything)


@settings(max_examples=tries(10, 30))
@given(st.lists(ASKED, min_size=2, max_size=12, unique=True), st.randoms())
def test_the_order_of_patients_changes_nothing(drawn: list[tuple[int, int, Stage | None, bool]], dice: Random) -> None:
    def all_of(some: list[tuple[int, int, Stage | None, bool]]) -> dict[object, Decision]:
        label, found = replace(LABEL), {}
        for each in some:
            one, everything = asked(each)
            found[each] = decide(one.record, label, one.today, one.stage, everything=everything).decision
        return found

    assert all_of(dice.sample(drawn, len(drawn))) == all_of(drawn)


# The checks above can fail


def test_what_a_record_says_something_about_and_is_not_worked_out_anew_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memo, "_touched", lambda *_: set())
    assert any(with_memo(one) != without(one) for one, _ in (asked((seed, 0, None, True)) for seed in range(50)))


def test_a_newest_result_that_is_not_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chart, "newest", lambda chart, name: (chart.past.get(name) or (None,))[0])
    people = [asked((seed, 0, None, True))[0] for seed in range(150)]
    label = replace(LABEL)
    quick = [with_memo(one, label=label) for one in people]
    assert any(plainly(one) != each for one, each in zip(people, quick, strict=True))


# Nothing of anyone is kept

MARK = "CANARY-"


def held(thing: object, seen: set[int]) -> Iterator[object]:
    """Yield all that an object holds, however deep."""
    if id(thing) in seen or isinstance(thing, Label):
        return
    seen.add(id(thing))
    yield thing
    inner: list[object] = []
    if isinstance(thing, dict):
        inner = [*thing.keys(), *thing.values()]
    elif isinstance(thing, (list, tuple, set, frozenset)):
        inner = list(thing)
    elif is_dataclass(thing) and not isinstance(thing, type):
        inner = [getattr(thing, each.name) for each in fields(thing)]
    names = [*getattr(thing, "__dict__", ()), *getattr(type(thing), "__slots__", ())]
    for each in (*inner, *(getattr(thing, name) for name in names if hasattr(thing, name))):
        yield from held(each, seen)


def compiled(label: Label) -> list[CompiledLabel]:
    return list(label.compiled.values())


def test_what_is_kept_holds_no_entry_and_no_word_of_a_record() -> None:
    label = replace(LABEL)
    for seed in range(400):
        one, _ = asked((seed, 0, None, seed % 5 == 0), MARK)
        with_memo(one, label=label)
    everything = list(held(compiled(label), set()))
    assert len(everything) > 5000
    assert any(isinstance(each, Finding) for each in everything)
    assert not [each for each in everything if isinstance(each, Entry)]
    assert not [each for each in everything if isinstance(each, str) and MARK in each]
    assert not [each for each in everything if isinstance(each, (Finding, Due)) and each.evidence]


def test_such_a_word_would_be_found() -> None:
    record = RECORDS.made(3, MARK)
    assert any(isinstance(each, str) and MARK in each for each in held({"kept": (record,)}, set()))


def test_every_blank_record_is_without_entries_and_they_do_not_pile_up() -> None:
    label = replace(LABEL)
    for day in range(2 * memo.MOST + 10):
        decide(Record(), label, TODAY + day)
        decide(Record(), label, TODAY + day)
    (one,) = compiled(label)
    assert 0 < len(one.blanks) <= memo.MOST
    assert not any(each.facts.chart.record.entries for each in one.blanks.values() if each is not None)


def test_a_day_that_is_looked_at_once_costs_nothing() -> None:
    """The many days of a timeline are such."""
    label = replace(LABEL)
    for day in range(5):
        decide(Record(), label, TODAY + day)
    (one,) = compiled(label)
    assert list(one.blanks.values()) == [None] * 5
