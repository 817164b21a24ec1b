"""A limit that is crossed in several results in a row: confirmed, to be repeated, or not crossed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precaution.engine.chart import Known
from precaution.knowledge import fact_kinds as k
from precaution.knowledge.refers import STAGES
from precaution.values.interval import Interval, below, exactly
from precaution.values.record import Entry
from support.effort import tries
from support.engine_builders import TODAY, entry, facts, known, label, result
from support.uncertain_results import turned_out, uncertain

LOW = k.Confirmed(
    name="low", topic="t", title="low", confirmed=("lab",), crossing="<", limit=5, times="times", apart="apart"
)
LATELY = replace(LOW, within=dict.fromkeys(STAGES, "month"))
KINDS = st.sampled_from([LOW, LATELY])
NUMBERS = {"times": 2, "apart": 7, "month": 30}
MILDEST_FIRST = ("no", "repeat", "confirmed")


def of(fact: k.Confirmed, *entries: Entry, **parameters: float | str) -> Known:
    return known(fact, *entries, parameters={**NUMBERS, **parameters})


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


# What holds for any record


@settings(max_examples=tries(150, 1500), deadline=None)
@given(st.data(), st.lists(uncertain(), max_size=5), st.sampled_from([1, 1.5, 2, 3]), KINDS)
def test_a_word_that_is_told_holds_however_uncertain_results_turn_out(
    data: st.DataObject, entries: list[Entry], times: float, fact: k.Confirmed
) -> None:
    told = of(fact, *entries, times=times).value
    assert told is None or of(fact, *data.draw(turned_out(entries)), times=times).value == told


@settings(max_examples=tries(100, 1500), deadline=None)
@given(st.lists(uncertain(), min_size=1, max_size=5), uncertain(), KINDS)
def test_a_preliminary_result_is_never_more_reassuring_than_none(
    entries: list[Entry], more: Entry, fact: k.Confirmed
) -> None:
    without, with_it = of(fact, *entries).value, of(fact, *entries, more._replace(status="preliminary")).value
    if with_it is not None:
        assert MILDEST_FIRST.index(str(without)) <= MILDEST_FIRST.index(str(with_it))


@settings(max_examples=tries(50, 500), deadline=None)
@given(st.lists(uncertain(), min_size=1, max_size=5), st.data(), KINDS)
def test_the_order_of_results_means_nothing(entries: list[Entry], data: st.DataObject, fact: k.Confirmed) -> None:
    assert of(fact, *data.draw(st.permutations(entries))) == of(fact, *entries)
