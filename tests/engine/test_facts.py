"""Facts by name: asks with their validity, derived facts, and what stands behind them."""

from __future__ import annotations

import pytest

from precaution.engine.chart import Known
from precaution.engine.compiled import compiled_label
from precaution.engine.facts import Facts
from precaution.knowledge import fact_kinds as k
from precaution.knowledge import model as d
from precaution.knowledge.expression import Value, parse
from precaution.values.interval import exactly
from precaution.values.record import Entry
from support.engine_builders import FEBRUARY, TODAY, answer, ask, chart, condition, facts, label, on, result, span

PAST = k.Ever(name="past", topic="t", title="history of C", ever=("c",), absent="no-if-list-complete")
NOW = k.Active(name="now", topic="t", title="C now", active=("c",), absent="no-if-list-complete")
LAB = k.Latest(name="lab", topic="t", title="a count", latest=("lab",), worst="low")
VALID = ask("agreed", valid="valid", about=("past",))
CHOICE = ask("decided", "A2", answers=("continue", "interrupt"), reassures=("continue",), valid="valid")
RULED = ask("seen", "A3", reassures=("no",), about=("past",))


def asked(of: d.Ask, *entries: Entry) -> Known:
    return facts(label(of, PAST, valid=365), *entries).known(of.name)


def test_not_answered() -> None:
    found = asked(VALID)
    assert (found.value, found.why, found.considered) == (None, "not answered", 0)


@pytest.mark.parametrize(
    ("of", "word", "value"),
    [
        (VALID, "yes", True),
        (VALID, "no", False),
        (CHOICE, "continue", "continue"),
        (CHOICE, "interrupt", "interrupt"),
        (ask("agreed", answers=("no", "yes")), "yes", True),
        (RULED, "yes", True),
        (RULED, "no", False),
    ],
)
def test_an_answer_is_a_truth_or_its_word(of: d.Ask, word: str, value: Value) -> None:
    found = asked(of, answer(of.name, word))
    assert (found.value, found.considered, found.since) == (value, 1, on("2025-02-25"))


@pytest.mark.parametrize(
    ("start", "value"), [("2024-03-01", True), ("2024-02-29", None), ("2025-03-01", True), ("2025-03-02", None)]
)
def test_a_reassuring_answer_grows_old(start: str, value: Value) -> None:
    found = asked(VALID, answer("agreed", "yes", start))
    assert found.value is value
    if start == "2024-02-29":
        assert found.why == "the answer is older than 365 days"


@pytest.mark.parametrize(
    ("of", "word", "value"), [(VALID, "no", False), (CHOICE, "interrupt", "interrupt"), (RULED, "yes", True)]
)
def test_an_answer_that_does_not_reassure_stands(of: d.Ask, word: str, value: Value) -> None:
    assert asked(of, answer(of.name, word, "2001-01-01"), condition(start="2025-02-27")).value == value


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        (condition(start="2025-02-25"), True),
        (condition(start="2025-02-26"), None),
        (condition(start="2025-02-24"), True),
        (condition(start="2025-02-26", certainty="suspected"), None),
        (condition(start="2025-02-26", certainty="mentioned"), None),
        (condition(start=None, recorded=on("2025-02-26")), None),
        (condition(start="2025-03-02"), True),
    ],
)
def test_something_new_voids_a_reassuring_answer(entry: Entry, value: Value) -> None:
    found = asked(VALID, answer("agreed", "yes"), entry)
    assert found.value is value
    assert value or found.why == "answered before something new: history of C"


@pytest.mark.parametrize(
    ("end", "value"), [("2025-02-28", None), ("2025-03-01", True), ("2025-03-02", True), (None, True)]
)
def test_a_reassuring_answer_counts_until_its_end(end: str | None, value: Value) -> None:
    found = asked(VALID, answer("agreed", "yes", end=on(end)))
    assert found.value is value
    assert value or found.why == "the answer was given for a time that is over"


def test_an_end_ends_no_answer_that_does_not_reassure() -> None:
    assert asked(VALID, answer("agreed", "no", end=on("2025-02-26"))).value is False
    assert asked(CHOICE, answer("decided", "interrupt", end=on("2025-02-26"))).value == "interrupt"


def test_of_the_same_answer_given_twice_on_a_day_the_later_end_counts() -> None:
    ends = (on("2025-02-26"), on("2025-03-20"))
    assert asked(VALID, *(answer("agreed", "yes", end=each, source=f"Q/{each}") for each in ends)).value is True


def test_the_labels_own_time_ends_an_answer_before_its_end() -> None:
    assert asked(VALID, answer("agreed", "yes", "2024-02-01", end=on("2026-01-01"))).value is None


def test_the_newest_answer_counts() -> None:
    assert asked(VALID, answer("agreed", "yes", "2025-02-01"), answer("agreed", "no", "2025-02-02")).value is False
    assert asked(VALID, answer("agreed", "no", "2025-02-01"), answer("agreed", "yes", "2025-02-02")).value is True


def test_different_answers_of_one_day_are_none() -> None:
    found = asked(VALID, answer("agreed", "yes", source="Q/1"), answer("agreed", "no", source="Q/2"))
    assert (found.value, found.why, found.considered) == (None, "answered differently on days that may be the same", 2)
    assert asked(VALID, answer("agreed", "yes", source="Q/1"), answer("agreed", "yes", source="Q/2")).value is True


def test_an_answer_without_a_day_never_reassures() -> None:
    assert asked(VALID, answer("agreed", "yes", None)).value is None


def test_an_answer_of_an_uncertain_day_never_hides_a_later_no() -> None:
    """The yes of 15 February may be older than the no of some day in February."""
    assert asked(VALID, answer("agreed", "no", FEBRUARY), answer("agreed", "yes", "2025-02-15")).value in (None, False)


def test_an_answer_of_an_uncertain_day_is_as_old_as_it_may_be() -> None:
    assert asked(VALID, answer("agreed", "yes", span("2024-02-01", "2024-02-29"))).value is None
    assert asked(VALID, answer("agreed", "yes", FEBRUARY), condition(start="2025-02-15")).value is None


# Derived facts.


def derived(text: str, name: str = "whole") -> k.Derived:
    return k.Derived(name=name, topic="t", title="a whole", expression=parse(text))


def whole(text: str, *entries: Entry, **parameters: float | bool | str) -> Facts:
    return facts(label(derived(text), PAST, NOW, LAB, VALID, valid=365, **parameters), *entries)


@pytest.mark.parametrize(
    ("entries", "value"),
    [
        ([condition()], True),
        ([], False),
        ([condition(certainty="suspected")], None),
        ([condition(), result("lab", 0.5)], True),
    ],
)
def test_a_derived_fact_is_its_expression(entries: list[Entry], value: Value) -> None:
    assert whole("past or (recorded(lab) and lab < 1)", *entries)["whole"] is value


def test_the_evidence_of_a_derived_fact_is_that_of_what_decides_it() -> None:
    looked = whole("past or lab < 1", condition(start="2025-01-01"), result("lab", 3))
    assert [each.concept for each in looked.known("whole").evidence] == ["c"]
    assert looked.known("whole").since == on("2025-01-01")
    assert looked.basic("whole") == ("past",)


def test_why_a_derived_fact_cannot_be_told() -> None:
    looked = whole("past or lab < 1")
    assert (looked["whole"], looked.known("whole").why, looked.basic("whole")) == (
        None,
        "no result on record",
        ("lab",),
    )


def test_a_parameter_is_its_value() -> None:
    looked = whole("lab < limit and counts", result("lab", 3), limit=5, counts=True)
    assert (looked["limit"], looked["counts"], looked["whole"]) == (exactly(5), True, True)
    assert looked.basic("limit") == ()
    assert facts(label(a_word="worst"))["a_word"] == "worst"


def test_a_derived_fact_of_derived_facts() -> None:
    looked = facts(
        label(derived("inner and past"), derived("now or past", "inner"), PAST, NOW), condition(status="ended")
    )
    assert looked["whole"] is True
    assert looked.basic("whole") == ("past",)


def test_recorded_is_whether_there_is_anything_to_look_at() -> None:
    looked = whole("recorded(lab)", result("lab", None))
    assert (looked.recorded("lab"), looked.recorded("past"), looked.recorded("agreed")) == (True, False, False)
    assert looked["whole"] is True


def test_each_fact_is_worked_out_once() -> None:
    looked = whole("past", condition())
    assert looked.known("past") is looked.known("past")
    assert looked["past"] is True


def test_titles() -> None:
    looked = whole("past")
    assert (looked.title("past"), looked.title("agreed"), looked.title("grace")) == ("history of C", "agreed?", "grace")


def test_names_are_those_of_expressions() -> None:
    names = compiled_label(label(PAST), "before-start").names
    assert set(names) == {"past", "grace", "gap", "absence", "suspected", "same_day"}


@pytest.mark.parametrize("complete", [True, False])
def test_what_nothing_on_record_means_is_asked_of_each_record(complete: bool) -> None:
    of = label(k.Planned(name="planned", topic="t", title="a plan", planned=("p",), absent="no-if-list-complete"))
    lists = {True: ("order",), False: ()}
    assert facts(of, lists=lists[complete])["planned"] is (False if complete else None)
    assert facts(of, lists=lists[not complete])["planned"] is (None if complete else False)


def test_another_day_is_another_answer() -> None:
    of = label(VALID, PAST, valid=365)
    entries = [answer("agreed", "yes", "2024-03-01")]
    assert facts(of, *entries, today=TODAY)["agreed"] is True
    assert facts(of, *entries, today=TODAY + 1)["agreed"] is None
    assert chart(of, *entries).today == TODAY
