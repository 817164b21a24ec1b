"""Courses of the drug: what joins them, what is sure of them, and what is left open."""

from __future__ import annotations

from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.engine.therapy import therapy
from precaution.knowledge.model import AuditSettings
from precaution.measures.exposure import Exposure, exposure
from precaution.values.interval import Interval, exactly
from precaution.values.record import Entry
from support.engine_builders import FEBRUARY, TODAY, day, drug, label, record

AUDIT = AuditSettings(washout="washout", open_order="open", smallest="small", ages=(18, 65), groups=())
LABEL = label(washout=365, open=365, small=5)


def exposed(*entries: Entry, today: int = TODAY, **more: object) -> Exposure:
    return exposure(record(*entries, **more), LABEL, AUDIT, today)  # type: ignore[arg-type]


def supply(start: str, end: str, **more: object) -> Entry:
    return drug(start, end, source=f"dispense/{start}", **more)


def days(found: Exposure) -> list[tuple[float, float]]:
    return [(span.first, span.covered) for course in found.courses for span in course.spans]


def test_nothing_of_the_drug_is_no_course() -> None:
    assert exposed().courses == ()


def test_an_open_order_is_treatment_up_to_today() -> None:
    found = exposed(drug("2024-12-01"))
    assert days(found) == [(day("2024-12-01"), TODAY)]
    assert found.courses[0].goes_on
    assert found.courses[0].last == exactly(TODAY)


def test_an_open_order_is_believed_for_a_time_only() -> None:
    found = exposed(drug("2020-01-01"))
    (course,) = found.courses
    assert days(found) == [(day("2020-01-01"), day("2020-01-01") + 365)]
    assert course.last == Interval(day("2020-01-01") + 365, TODAY)
    assert course.why == "an order without an end is believed for 365 days"
    assert found.on(day("2022-01-01")) is None


def test_supplies_within_the_grace_are_one_span_and_within_the_gap_one_course() -> None:
    found = exposed(
        supply("2024-01-01", "2024-02-01"), supply("2024-03-01", "2024-04-01"), supply("2024-06-20", "2024-07-01")
    )
    (course,) = found.courses
    assert days(found) == [(day("2024-01-01"), day("2024-05-01")), (day("2024-06-20"), day("2024-07-31"))]
    assert [span.last for span in course.spans] == [day("2024-04-01"), day("2024-07-01")]
    assert not course.goes_on
    assert found.on(day("2024-05-01"))
    assert found.on(day("2024-05-02")) is False


def test_a_longer_gap_begins_a_new_course() -> None:
    ends = [("2024-06-30", 1), ("2024-07-01", 2)]
    for begin, courses in ends:
        assert len(exposed(supply("2024-01-01", "2024-04-01"), supply(begin, "2024-08-01")).courses) == courses


def test_an_order_that_ended_has_no_grace() -> None:
    found = exposed(drug("2024-01-01", "2024-04-01", "ended"))
    assert found.courses[0].last == exactly(day("2024-04-01"))
    assert found.on(day("2024-04-01"))
    assert found.on(day("2024-04-02")) is False


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("ended", "the day it was stopped is not recorded"),
        ("held", "the day of the hold is not recorded"),
    ],
)
def test_an_end_without_a_day_leaves_all_but_the_first_day_open(status: str, why: str) -> None:
    found = exposed(drug("2024-01-01", None, status))
    (course,) = found.courses
    assert (course.last, course.why) == (Interval(day("2024-01-01"), TODAY), why)
    assert found.on(day("2024-01-01"))
    assert found.on(day("2024-06-01")) is None
    assert course.held == (status == "held")
    assert not course.goes_on


def test_a_supply_says_when_a_held_order_was_still_taken() -> None:
    found = exposed(drug("2024-01-01", None, "held"), supply("2024-01-01", "2024-03-01"))
    assert days(found) == [(day("2024-01-01"), day("2024-03-31"))]
    assert found.courses[0].last == Interval(day("2024-03-01"), TODAY)


def test_an_uncertain_start_is_kept_uncertain() -> None:
    found = exposed(drug(FEBRUARY))
    assert found.courses[0].start == FEBRUARY
    assert days(found) == [(FEBRUARY.high, TODAY)]
    assert found.on(FEBRUARY.low) is None


def test_an_entry_without_a_day_is_a_doubt_about_every_day() -> None:
    found = exposed(drug("2024-12-01"), drug(None))
    assert found.doubt == "an entry of the drug has no day"
    assert len(found.courses) == 1
    assert found.on(day("2010-01-01")) is None


@pytest.mark.parametrize("more", [{"certainty": "mentioned"}, {"status": "unknown"}])
def test_what_may_be_the_drug_is_no_course_and_a_doubt(more: dict[str, object]) -> None:
    found = exposed(drug("2024-01-01", **more))  # type: ignore[arg-type]
    assert found.courses == ()
    assert found.doubt == "an entry may be the drug, but can't be read as such"
    assert found.on(day("2024-06-01")) is None
    assert found.on(day("2023-06-01")) is False


def test_plans_and_the_future_are_no_treatment() -> None:
    assert exposed(drug("2024-01-01", None, "planned"), drug("2025-06-01")).courses == ()


def test_death_ends_everything() -> None:
    found = exposed(drug("2024-01-01"), died=exactly(day("2024-06-01")))
    assert found.until == day("2024-06-01")
    assert days(found) == [(day("2024-01-01"), day("2024-06-01"))]


def test_days_of_treatment_are_the_time_that_goes_by() -> None:
    found = exposed(supply("2024-01-01", "2024-01-31"), supply("2024-04-01", "2024-04-11"))
    assert found.days(0, inf) == 60 + 40
    assert found.days(day("2024-01-11"), day("2024-04-11")) == 50 + 10


ENTRY = st.builds(
    lambda start, length, status: drug(
        Interval(start, start),
        None if length is None else Interval(start + length, start + length),
        status,
        source=f"order/{start}-{length}-{status}",
    ),
    st.integers(TODAY - 360, TODAY),
    st.none() | st.integers(0, 200),
    st.sampled_from(["active", "ended", "held"]),
)
"""No open order is older than it is believed."""


@given(st.lists(ENTRY, min_size=1, max_size=6))
def test_the_last_course_is_the_treatment_that_decisions_see(entries: list[Entry]) -> None:
    whole = record(*entries)
    now = therapy(whole, LABEL, TODAY)
    found = exposure(whole, LABEL, AUDIT, TODAY)
    if now.stage == "on-treatment":
        # Of an order that is over, nobody knows since when, an audit asks apart whether it lasted until the next.
        untold = any(entry.status == "ended" and entry.end is None for entry in entries)
        assert now.start is not None
        assert now.start.high == found.courses[-1].start.high
        assert now.start.low <= found.courses[-1].start.low
        assert untold or now.start == found.courses[-1].start
        assert found.on(TODAY) is not False


@given(st.lists(ENTRY, min_size=1, max_size=6), st.randoms())
def test_the_order_of_entries_changes_nothing_and_spans_never_meet(entries: list[Entry], dice: object) -> None:
    found = exposed(*entries)
    dice.shuffle(entries)  # type: ignore[attr-defined]
    assert exposed(*entries) == found
    ends = days(found)
    assert all(first <= last <= TODAY for first, last in ends)
    assert all(before[1] < after[0] for before, after in pairwise(ends))
    assert found.days(0, inf) == sum(last - first for first, last in ends)
    assert all(found.on(each) is not False for course in found.courses for each in (course.start.low, course.last.low))
