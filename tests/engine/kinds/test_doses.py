"""A dose: how much of a drug is taken a day or a week, by orders, reports, supplies and what was given."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precaution.engine.chart import Known
from precaution.knowledge.computed_facts import Dose
from precaution.values.interval import Interval, exactly
from precaution.values.record import Entry
from support.effort import tries
from support.engine_builders import TODAY, drug, entry, known, on
from support.uncertain_results import inside

DAY = Dose(name="dose", topic="t", title="a dose", dose=("steroid",), per="day", recent="recent")
WEEK = replace(DAY, per="week")
OPEN = Interval(0, inf, False, True)


def of(fact: Dose, *entries: Entry, **more: Any) -> Known:
    return known(fact, *entries, parameters={"recent": 365}, **more)


def dose(value: float | Interval | None, sort: str = "ordered", start: Any = "2025-01-10", **more: Any) -> Entry:
    amount = exactly(value) if isinstance(value, (int, float)) else value
    made = entry("dose:steroid", "medication", start, **{"status": "active", "result": sort, **more})
    return made._replace(value=amount, source=more.get("source", f"{sort}/{value}"))


def test_a_dose_a_day_and_a_week() -> None:
    weekly = dose(15 / 7)
    assert of(DAY, dose(10)).value == exactly(10)
    assert of(WEEK, weekly).value == exactly(15)
    assert of(DAY, weekly).value == exactly(round(15 / 7, 9))


def test_one_dose_is_told_by_an_order_a_report_and_a_supply() -> None:
    assert of(DAY, dose(10), dose(10, "reported"), dose(10, "dispensed")).value == exactly(10)
    assert of(DAY, dose(10), dose(5, "reported")).value == Interval(5, 10)
    assert of(DAY, dose(10), dose(None, "reported")).value == exactly(10)


def test_several_orders_may_add_or_take_the_place_of_one() -> None:
    assert of(DAY, dose(20), dose(5)).value == Interval(5, 25)
    assert of(DAY, dose(20), dose(None)).value is None


@pytest.mark.parametrize(
    ("entries", "lists", "value"),
    [
        ([], None, exactly(0)),
        ([], frozenset[str](), None),
        ([dose(10, status="ended", end=on("2025-02-01"))], None, exactly(0)),
        ([dose(10, status="held")], None, exactly(0)),
        ([dose(10, end=on("2025-02-01"))], None, exactly(0)),
        ([dose(None)], None, None),
        ([drug(concept="steroid")], None, None),
        ([drug(concept="steroid", source="ordered/10"), dose(10)], None, exactly(10)),
        ([dose(10, start="2023-01-10")], None, Interval(0, 10)),
        ([dose(10, certainty="mentioned")], None, Interval(0, 10)),
        ([dose(10), entry("unreadable-medication", "medication", "2025-02-01")], None, Interval(10, inf, False, True)),
    ],
    ids=[
        "none",
        "no list",
        "ended",
        "held",
        "run out",
        "untold",
        "no dose",
        "with its dose",
        "stale",
        "a doubt",
        "another unread",
    ],
)
def test_what_is_taken_now(entries: list[Entry], lists: Any, value: Interval | None) -> None:
    more = {} if lists is None else {"lists": lists}
    assert of(DAY, *entries, **more).value == value


def test_what_was_given_is_added_up_over_a_week() -> None:
    shots = [dose(15, "given", exactly(TODAY - days), end=exactly(TODAY - days), source=f"g/{days}") for days in (1, 8)]
    assert of(WEEK, *shots).value == exactly(15)
    daily = [dose(10, "given", exactly(TODAY - days), source=f"g/{days}") for days in range(7)]
    assert of(DAY, *daily).value == exactly(10)
    assert of(DAY, *daily[:2]).value == Interval(round(20 / 7, 9), 10)
    assert of(WEEK, dose(15, "given", exactly(TODAY - 9))).value == exactly(0)


SORTS = st.sampled_from(["ordered", "reported", "dispensed", "given"])


@st.composite
def uncertain(draw: st.DrawFn) -> tuple[Entry, Entry]:
    """Return an entry that is not certain, and what it turns out to be."""
    amount, first, sort = draw(st.integers(1, 20)), TODAY - draw(st.integers(0, 20)), draw(SORTS)
    source = f"s/{draw(st.integers(0, 10**6))}"
    exact = dose(amount, sort, exactly(first), source=source)
    value = draw(st.sampled_from([exactly(amount), Interval(amount - 1, amount + 2), None]))
    start = draw(st.sampled_from([exactly(first), Interval(first - 3, min(first + 3, TODAY))]))
    if sort != "given" and draw(st.booleans()):
        exact = exact._replace(end=exactly(first + draw(st.integers(0, 30))))
    end = exact.end if exact.end is None or draw(st.booleans()) else Interval(exact.end.low - 2, exact.end.high + 2)
    return exact._replace(value=value, start=start, end=end), exact


@settings(max_examples=tries(150, 1500), deadline=None)
@given(st.lists(uncertain(), max_size=5), st.sampled_from([DAY, WEEK]))
def test_what_is_told_holds_however_uncertain_doses_turn_out(pairs: list[tuple[Entry, Entry]], fact: Dose) -> None:
    """What an entry says less of reaches at least as far. (Who tells nothing steps back, see above.)"""
    told_of = [loose if loose.value is not None else loose._replace(value=OPEN) for loose, _ in pairs]
    told = of(fact, *told_of).value
    found = of(fact, *(exact for _, exact in pairs)).value
    if isinstance(told, Interval) and isinstance(found, Interval):
        assert inside(found, told)


@settings(max_examples=tries(100, 1000), deadline=None)
@given(st.lists(uncertain(), max_size=4), st.sampled_from([DAY, WEEK]))
def test_one_more_order_never_lowers_the_most(pairs: list[tuple[Entry, Entry]], fact: Dose) -> None:
    entries = [exact for _, exact in pairs]
    before, after = of(fact, *entries).value, of(fact, *entries, dose(3, source="more")).value
    if isinstance(before, Interval):
        assert isinstance(after, Interval)
        assert after.high >= before.high
