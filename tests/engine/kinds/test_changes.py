"""A change: how far the latest result fell below a baseline, or rose above it."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precaution.engine.chart import Known
from precaution.engine.therapy import Therapy
from precaution.knowledge import fact_kinds as k
from precaution.knowledge.refers import STAGES
from precaution.values.interval import Interval, above, below, exactly
from precaution.values.record import Entry
from support.effort import tries
from support.engine_builders import TODAY, entry, known, on, result
from support.uncertain_results import inside, turned_out, uncertain

FALL = k.Change(name="fall", topic="t", title="a fall", change=("lab",), direction="fall")
RISE = k.Change(name="rise", topic="t", title="a rise", change=("lab",), direction="rise", percent=True)
LATELY = k.Change(name="lately", topic="t", title="a fall", change=("lab",), direction="fall", over="window")
KINDS = st.sampled_from([FALL, RISE, LATELY])
SINCE = Therapy("on-treatment", "given", on("2025-01-15"), given=True)


def of(fact: k.Change, *entries: Entry, at: Therapy | None = SINCE) -> Known:
    return known(fact, *entries, parameters={"window": 90, "apart": 7}, at=at)


@pytest.mark.parametrize(
    ("entries", "fall"),
    [
        ([result("lab", 8, "2025-01-10"), result("lab", 6, "2025-02-20")], 2),
        ([result("lab", 8, "2025-01-10"), result("lab", 9, "2025-02-20")], -1),
        ([result("lab", 7, "2024-12-01"), result("lab", 8, "2025-01-15"), result("lab", 6.5, "2025-02-20")], 1.5),
        ([result("lab", 8, "2025-01-10"), result("lab", 1, "2025-02-01"), result("lab", 6, "2025-02-20")], 2),
        ([result("lab", 0.3, "2025-01-10"), result("lab", 0.1, "2025-02-20")], 0.2),
    ],
    ids=["fell", "rose", "the last up to the day of the start", "only the latest counts", "without noise of fractions"],
)
def test_a_fall_is_from_the_last_result_up_to_the_start(entries: list[Entry], fall: float) -> None:
    assert of(FALL, *entries).value == exactly(fall)


def test_a_rise_in_percent_of_the_baseline() -> None:
    assert of(RISE, result("lab", 8, "2025-01-10"), result("lab", 10, "2025-02-20")).value == exactly(25)


def test_uncertain_values_make_an_uncertain_change() -> None:
    before, after = result("lab", Interval(8, 9), "2025-01-10"), result("lab", below(6), "2025-02-20")
    assert of(FALL, before, after).value == Interval(2, inf, low_open=True, high_open=True)
    assert of(RISE, before, after).value == Interval(-inf, -25, low_open=True, high_open=True)
    nothing = result("lab", 0, "2025-02-20")
    assert of(RISE, result("lab", above(8), "2025-01-10"), nothing).value == exactly(-100)


def test_a_day_that_may_be_of_either_side_is_weighed_on_both() -> None:
    month = entry("lab", "result", Interval(TODAY - 60, TODAY - 30), value=exactly(4))
    found = of(FALL, result("lab", 8, "2025-01-10"), month, result("lab", 6, "2025-02-20"))
    assert found.value == Interval(-2, 2)


@pytest.mark.parametrize(
    ("entries", "at", "why"),
    [
        ([], SINCE, "no result from before the start of treatment"),
        ([result("lab", 6, "2025-02-20")], SINCE, "no result from before the start of treatment"),
        ([result("lab", 6, "2025-01-10")], SINCE, "no recent result since the start"),
        ([result("lab", 6, "2025-01-10"), result("lab", 5, None)], SINCE, "no recent result since the start"),
        ([result("lab", 6, "2025-01-10")], Therapy("before-start", ""), "the day treatment started is not known"),
        (
            [result("lab", 6, "2025-01-10"), result("lab", None, "2025-02-20", note="no unit")],
            SINCE,
            "no unit",
        ),
    ],
)
def test_a_change_that_cannot_be_told(entries: list[Entry], at: Therapy, why: str) -> None:
    found = of(FALL, *entries, at=at)
    assert (found.value, found.why, found.considered) == (None, why, len(entries))


def test_a_baseline_that_may_be_nothing_has_no_percentage() -> None:
    found = of(RISE, result("lab", below(1), "2025-01-10"), result("lab", 6, "2025-02-20"))
    assert (found.value, found.why) == (None, "the baseline is not surely above 0")


def test_a_preliminary_result_can_only_make_it_worse() -> None:
    settled = [result("lab", 8, "2025-01-10"), result("lab", 6, "2025-02-20")]
    low, high = (result("lab", each, "2025-02-25", status="preliminary") for each in (5, 7))
    assert of(FALL, *settled, low).value == exactly(3)
    assert of(FALL, *settled, high).value == exactly(2)


def test_a_fall_below_the_highest_of_some_days() -> None:
    entries = [
        result("lab", 20, "2024-06-01"),
        result("lab", 7, "2025-01-10"),
        result("lab", 9, "2025-02-01"),
        result("lab", 6, "2025-02-20"),
    ]
    assert of(LATELY, *entries, at=None).value == exactly(3)
    one = of(LATELY, entries[0], entries[3], at=None)
    assert (one.value, one.why) == (None, "no two results of the last 90 days to compare")


def test_the_latest_must_be_recent() -> None:
    recent = k.Change(
        name="fall",
        topic="t",
        title="a fall",
        change=("lab",),
        direction="fall",
        within=dict.fromkeys(STAGES, "apart"),
    )
    old, new = result("lab", 6, "2025-02-20"), result("lab", 7, "2025-02-25")
    assert of(recent, result("lab", 8, "2025-01-10"), old).value is None
    assert of(recent, result("lab", 8, "2025-01-10"), old, new).value == exactly(1)


# What holds for any record


@settings(max_examples=tries(150, 1500), deadline=None)
@given(st.data(), st.lists(uncertain(), max_size=5), st.integers(0, 25), KINDS)
def test_what_is_told_holds_however_uncertain_results_and_start_turn_out(
    data: st.DataObject, entries: list[Entry], days: int, fact: k.Change
) -> None:
    first = TODAY - 45
    began = Interval(first, first + days)
    on_day = exactly(data.draw(st.integers(first, first + days)))
    told = of(fact, *entries, at=replace(SINCE, start=began)).value
    found = of(fact, *data.draw(turned_out(entries)), at=replace(SINCE, start=on_day)).value
    if isinstance(told, Interval) and isinstance(found, Interval):
        assert inside(found, told)
    assert told is None or found is not None


@settings(max_examples=tries(100, 1500), deadline=None)
@given(st.lists(uncertain(), min_size=1, max_size=5), uncertain(), KINDS)
def test_a_preliminary_result_is_never_more_reassuring_than_none(
    entries: list[Entry], more: Entry, fact: k.Change
) -> None:
    """What was told without it becomes unknown or worse by it; what was not told is told to no upper end."""
    without, with_it = of(fact, *entries).value, of(fact, *entries, more._replace(status="preliminary")).value
    if isinstance(with_it, Interval):
        low, high = without[:2] if isinstance(without, Interval) else (-inf, inf)
        assert with_it.low >= low
        assert with_it.high >= high


@settings(max_examples=tries(50, 500), deadline=None)
@given(st.lists(uncertain(), min_size=1, max_size=5), st.data(), KINDS)
def test_the_order_of_results_means_nothing(entries: list[Entry], data: st.DataObject, fact: k.Change) -> None:
    assert of(fact, *data.draw(st.permutations(entries))) == of(fact, *entries)
