"""Facts about several results together: how far the latest fell or rose, and a limit that is crossed in a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precaution.engine.chart import Known
from precaution.engine.therapy import Therapy
from precaution.knowledge import fact_kinds as k
from precaution.knowledge.fact import Fact
from precaution.knowledge.model import STAGES
from precaution.values.interval import EVERYTHING, Interval, above, below, exactly
from precaution.values.record import Entry
from support.effort import tries
from support.engine_builders import TODAY, entry, facts, known, label, on, result

FALL = k.Change(name="fall", topic="t", title="a fall", change=("lab",), direction="fall")
RISE = k.Change(name="rise", topic="t", title="a rise", change=("lab",), direction="rise", percent=True)
LATELY = k.Change(name="lately", topic="t", title="a fall", change=("lab",), direction="fall", over="window")
LOW = k.Confirmed(
    name="low", topic="t", title="low", confirmed=("lab",), crossing="<", limit=5, times="times", apart="apart"
)
LOW_LATELY = replace(LOW, name="low_lately", within=dict.fromkeys(STAGES, "month"))
SINCE = Therapy("on-treatment", "given", on("2025-01-15"), given=True)
NUMBERS = {"window": 90, "times": 2, "apart": 7, "month": 30}


def of(fact: Fact, *entries: Entry, at: Therapy | None = SINCE, **parameters: float | str) -> Known:
    return known(fact, *entries, parameters={**NUMBERS, **parameters}, at=at)


# How far it fell or rose


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


# A limit crossed in a row


def days(*values: float | Interval | None, apart: int = 10) -> list[Entry]:
    """Return results, the last of them today, each so many days after the one before."""
    last = len(values) - 1
    return [
        entry("lab", "result", exactly(TODAY - (last - place) * apart), source=f"r/{place}", value=_interval(value))
        for place, value in enumerate(values)
    ]


def around(value: float | None, first: int, last: int) -> Entry:
    """Return a result of one of the days from so many days ago to so many days ago."""
    return entry("lab", "result", Interval(TODAY - first, TODAY - last), value=_interval(value))


def _interval(value: float | Interval | None) -> Interval | None:
    return exactly(value) if isinstance(value, (int, float)) else value


@pytest.mark.parametrize(
    ("entries", "word"),
    [
        (days(6), "no"),
        (days(4), "repeat"),
        (days(6, 4), "repeat"),
        (days(4, 4), "confirmed"),
        (days(4, 4, 6), "no"),
        (days(4, 6, 4), "repeat"),
        (days(5, 5), "no"),
        (days(4, 4, apart=3), "repeat"),
        (days(4, 4, 4, apart=4), "confirmed"),
        (days(4, below(5)), "confirmed"),
        (days(4, below(6)), None),
        (days(below(6), 4), None),
        (days(below(6), 6), "no"),
        (days(4, None), None),
        ([], None),
        ([result("lab", 4, None)], None),
        ([*days(4), result("lab", 4, None)], None),
        ([*days(6), result("lab", 6, None)], "no"),
        ([*days(4, 4), result("lab", 4, None)], "confirmed"),
        ([*days(4, 4), result("lab", 6, None)], None),
        ([*days(4), entry("lab", "result", exactly(TODAY - 20), value=exactly(3), status="preliminary")], None),
        ([*days(6, 4), entry("lab", "result", exactly(TODAY), value=exactly(7), status="preliminary")], "repeat"),
        ([*days(4), result("lab", 9, exactly(TODAY))], "repeat"),
        ([around(4, 40, 20)], "repeat"),
        ([around(6, 40, 20)], "no"),
        ([around(4, 40, 20), *days(4)], "confirmed"),
        ([around(4, 40, 20), around(4, 15, 0)], None),
        ([around(4, 40, 30), around(4, 10, 0)], "confirmed"),
        ([around(4, 5, 1), *days(4)], None),
        ([around(4, 20, 1), *days(4)], None),
        ([*days(4, 4), around(6, 5, 1)], "repeat"),
        ([*days(4, 4), around(6, 5, 0)], None),
        ([entry("lab", "result", exactly(TODAY - 40), value=exactly(4)), around(6, 20, 1)], "no"),
        ([around(None, 40, 20), *days(4)], None),
        ([around(None, 40, 20), *days(6)], "no"),
    ],
)
def test_a_limit_crossed_in_a_row(entries: list[Entry], word: str | None) -> None:
    found = of(LOW, *entries)
    assert found.value == word
    assert bool(found.why) == (word is None)


def test_a_result_of_the_same_day_may_mend_a_day_that_breaks_the_row() -> None:
    """A preliminary result below the limit on the very day of a normal one would be the worst of that day."""
    entries = [*days(4, 6), entry("lab", "result", exactly(TODAY), value=exactly(4), status="preliminary")]
    assert (of(LOW, *entries).value, of(LOW, *entries).why) == (None, "it may be “no” or “confirmed”")


def test_a_site_that_lets_any_result_of_a_day_count_is_not_sure() -> None:
    both = [*days(4), result("lab", 9, exactly(TODAY))]
    unsure = label(LOW, **{**NUMBERS, "same_day": "unknown"})
    assert facts(unsure, *both)["low"] is None


@pytest.mark.parametrize(
    ("crossing", "value", "word"),
    [("<", 5, "no"), ("<=", 5, "repeat"), (">", 5, "no"), (">=", 5, "repeat"), (">", 6, "repeat"), ("<=", 6, "no")],
)
def test_each_way_to_cross(crossing: str, value: float, word: str) -> None:
    fact = k.Confirmed(
        name="x",
        topic="t",
        title="x",
        confirmed=("lab",),
        crossing=crossing,  # type: ignore[arg-type]
        limit_parameter="bound",
        times="times",
    )
    assert of(fact, *days(value), bound=5).value == word


def test_a_limit_may_be_a_multiple_of_the_upper_limit() -> None:
    fact = k.Confirmed(
        name="x",
        topic="t",
        title="x",
        confirmed=("lab",),
        crossing=">",
        limit=3,
        times="times",
        times_upper_limit=True,
        upper_limit="upper",
    )
    high = [entry("lab", "result", exactly(TODAY - each), value=exactly(130), upper=40.0) for each in (20, 0)]
    assert of(fact, *high, upper=50).value == "confirmed"
    assert of(fact, *[each._replace(upper=None) for each in high], upper=50).value == "no"


# What holds for any record: whatever uncertain results turn out to be, what was told stays true

DAYS = st.integers(TODAY - 60, TODAY)
VALUES = st.sampled_from(
    [exactly(3), exactly(4), exactly(5), exactly(6), below(5), above(4), Interval(4, 6), EVERYTHING]
)


@st.composite
def uncertain(draw: st.DrawFn) -> Entry:
    first = draw(DAYS)
    day = draw(st.sampled_from([exactly(first), exactly(first), Interval(first, min(first + 20, TODAY)), None]))
    source = f"r/{draw(st.integers(0, 10**6))}"
    return entry("lab", "result", day, source=source, value=draw(VALUES))


@st.composite
def settled(draw: st.DrawFn, entries: Iterable[Entry]) -> list[Entry]:
    """Return entries as they may turn out to be: each of one day that it may be of, with one value that it may have."""
    found = []
    for each in entries:
        low, high = each.start[:2] if each.start is not None else (TODAY - 60, TODAY)
        value = each.value if each.value is not None else EVERYTHING
        numbers = [n for n in (1.0, 3.0, 4.0, 4.5, 5.0, 5.5, 6.0, 9.0) if inside(exactly(n), value)]
        found.append(
            each._replace(
                start=exactly(draw(st.integers(int(low), int(high)))), value=exactly(draw(st.sampled_from(numbers)))
            )
        )
    return found


def inside(one: Interval, whole: Interval) -> bool:
    low, high = (one.low, not one.low_open), (one.high, not one.high_open)
    return (
        whole.low <= low[0] <= high[0] <= whole.high
        and (low[0] > whole.low or not whole.low_open or not low[1])
        and (high[0] < whole.high or not whole.high_open or not high[1])
    )


@settings(max_examples=tries(150, 1500), deadline=None)
@given(st.data(), st.lists(uncertain(), max_size=5), st.sampled_from([FALL, RISE, LATELY]))
def test_a_change_that_is_told_holds_however_uncertain_results_turn_out(
    data: st.DataObject, entries: list[Entry], fact: k.Change
) -> None:
    told, exact = of(fact, *entries).value, of(fact, *data.draw(settled(entries))).value
    if isinstance(told, Interval) and isinstance(exact, Interval):
        assert inside(exact, told)
    assert told is None or exact is not None


@settings(max_examples=tries(150, 1500), deadline=None)
@given(
    st.data(), st.lists(uncertain(), max_size=5), st.sampled_from([1, 1.5, 2, 3]), st.sampled_from([LOW, LOW_LATELY])
)
def test_a_word_that_is_told_holds_however_uncertain_results_turn_out(
    data: st.DataObject, entries: list[Entry], times: float, fact: k.Confirmed
) -> None:
    told = of(fact, *entries, times=times).value
    assert told is None or of(fact, *data.draw(settled(entries)), times=times).value == told


@settings(max_examples=tries(150, 1500), deadline=None)
@given(st.lists(uncertain(), min_size=1, max_size=5), st.data(), st.sampled_from([FALL, RISE, LATELY, LOW, LOW_LATELY]))
def test_a_preliminary_result_is_never_more_reassuring_than_none(
    entries: list[Entry], data: st.DataObject, fact: k.Change | k.Confirmed
) -> None:
    """What was told without it becomes unknown or worse by it; what was not told is told to no upper end."""
    without = of(fact, *entries).value
    with_it = of(fact, *entries, data.draw(uncertain())._replace(status="preliminary")).value
    if isinstance(with_it, Interval):
        low, high = without[:2] if isinstance(without, Interval) else (-inf, inf)
        assert with_it.low >= low
        assert with_it.high >= high
    elif with_it is not None:
        order = ("no", "repeat", "confirmed")
        assert order.index(str(without)) <= order.index(str(with_it))


@settings(max_examples=tries(100, 800), deadline=None)
@given(st.lists(uncertain(), min_size=1, max_size=5), st.randoms())
def test_the_order_of_results_means_nothing(entries: list[Entry], dice: object) -> None:
    shuffled = list(entries)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    for fact in (FALL, RISE, LATELY, LOW, LOW_LATELY):
        assert of(fact, *shuffled) == of(fact, *entries)
