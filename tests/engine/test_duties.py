"""Duties: what must be done, whether it was, and the day on which it is due."""

from __future__ import annotations

import pytest

from precaution.engine.answer import Due
from precaution.engine.duties import Scheduled, schedule
from precaution.knowledge import fact_kinds as k
from precaution.knowledge import model as d
from precaution.knowledge.expression import parse
from precaution.knowledge.refers import STAGES, Stage
from precaution.values.interval import Interval
from precaution.values.record import Entry
from support.engine_builders import (
    FEBRUARY,
    MARCH,
    TODAY,
    answer,
    ask,
    condition,
    drug,
    entry,
    facts,
    label,
    result,
    span,
)

PAST = k.Ever(name="past", topic="t", title="history of C", ever=("c",), absent="no-if-list-complete")
TEST = k.Tested(name="test", topic="t", title="a test", test=("lab",))
SEEN = ask("seen")
NUMBERS = {
    "week_4": 28,
    "week_12": 84,
    "year": 365,
    "half_year": 180,
    "early": 14,
    "grace_days": 28,
    "tolerance": 7,
    "zero": 0,
    "how_many": "all four",
}


def duty(**more: object) -> d.Duty:
    given = {"name": "x", "topic": "t", "title": "A duty", "cites": ("S1",), "stages": STAGES, "tell": "Do it"}
    return d.Duty(**{**given, **more})  # type: ignore[arg-type]


def task(
    given: d.Duty, *entries: Entry, stage: Stage | None = None, today: int = TODAY, **more: object
) -> Scheduled | None:
    return schedule(
        given, facts(label(PAST, TEST, SEEN, given, **{**NUMBERS, **more}), *entries, stage=stage, today=today)
    )  # type: ignore[arg-type]


def due(given: d.Duty, *entries: Entry, **more: object) -> Due:
    found = task(given, *entries, **more)  # type: ignore[arg-type]
    assert found is not None
    return found.due


def told(given: d.Duty, *entries: Entry, **more: object) -> tuple[str, str]:
    found = due(given, *entries, **more)
    return found.state, found.due


def lab(start: str | Interval | None, value: float | str | None = 1, **more: object) -> Entry:
    return result("lab", value, start, source=f"Observation/{start}", **more)


# For whom.


def test_a_duty_of_another_stage_is_none_of_the_patients() -> None:
    assert task(duty(stages=("on-treatment",)), stage="before-start") is None


def test_a_duty_for_some_patients() -> None:
    some = duty(when=parse("past"))
    assert task(some) is None
    assert told(some, condition()) == ("due", "2024-01-01")
    unknown = task(some, condition(certainty="suspected"))
    assert unknown is not None
    assert (unknown.due.state, unknown.due.action, unknown.behind) == ("unknown", "due", ("past",))
    assert unknown.due.why == "condition/c is not confirmed"


def test_a_duty_without_a_schedule_is_open_since_its_reason_began() -> None:
    found = due(duty(when=parse("past")), condition(start="2025-02-01"))
    assert (found.state, found.due, [each.source for each in found.evidence]) == ("due", "2025-02-01", ["condition/c"])
    assert told(duty(when=parse("past")), condition(start=None)) == ("due", "2025-03-01")


# Before the start.

SCREEN = duty(
    stages=("before-start",), done_when=parse("recorded(test) and test in ('positive', 'negative')"), action="screen"
)


@pytest.mark.parametrize(
    ("entries", "state", "action"),
    [
        ([], "due", "screen"),
        ([lab("2025-01-01", "negative")], "done", ""),
        ([lab("2025-01-01", "indeterminate")], "unknown", "screen"),
        ([lab("2025-01-01", None)], "unknown", "screen"),
    ],
)
def test_a_duty_before_the_start_is_done_or_due_today(entries: list[Entry], state: str, action: str) -> None:
    found = due(SCREEN, *entries)
    assert (found.state, found.action) == (state, action)
    assert found.due == ("" if state == "done" else "2025-03-01")
    assert found.lacking == (() if state == "done" else ("a test",))


# On a schedule. Treatment began on 2025-01-01: week 4 is 2025-01-29, week 12 is 2025-03-26.

TIMED = duty(
    needs=(("lab",),), at=("week-4", "week-12"), every="year", early="early", grace="grace-days", action="obtain"
)
START = drug("2025-01-01")


@pytest.mark.parametrize(
    ("done", "today", "state", "day"),
    [
        ([], "2025-01-28", "upcoming", "2025-01-29"),
        ([], "2025-01-29", "due", "2025-01-29"),
        ([], "2025-02-26", "due", "2025-01-29"),
        ([], "2025-02-27", "overdue", "2025-01-29"),
        (["2025-01-15"], "2025-03-01", "upcoming", "2025-03-26"),  # 14 days early counts
        (["2025-01-14"], "2025-03-01", "overdue", "2025-01-29"),
        (["2024-12-20"], "2025-03-01", "overdue", "2025-01-29"),
        (["2025-02-20"], "2025-03-01", "upcoming", "2025-03-26"),
        (["2025-03-12"], "2025-03-26", "done", "2026-03-12"),
        (["2025-01-20", "2025-03-26"], "2025-06-01", "done", "2026-03-26"),
        (["2025-03-26"], "2026-03-25", "done", "2026-03-26"),
        (["2025-03-26"], "2026-03-26", "due", "2026-03-26"),
        (["2025-03-26"], "2026-04-24", "overdue", "2026-03-26"),
    ],
)
def test_when_it_is_due(done: list[str], today: str, state: str, day: str) -> None:
    from support.engine_builders import day as ordinal

    assert told(TIMED, START, *map(lab, done), today=ordinal(today)) == (state, day)


@pytest.mark.parametrize(("state", "action"), [("upcoming", ""), ("due", "obtain"), ("overdue", "obtain")])
def test_only_what_is_due_adds_to_the_decision(state: str, action: str) -> None:
    start = {"upcoming": "2025-02-20", "due": "2025-01-20", "overdue": "2024-06-01"}[state]
    found = due(TIMED, drug(start))
    assert (found.state, found.action) == (state, action)


def test_overdue_after_is_said() -> None:
    found = due(TIMED, START)
    assert (found.due, found.overdue_after) == ("2025-01-29", "2025-02-26")


def test_a_start_that_is_not_known_or_not_exact_enough() -> None:
    found = due(TIMED, drug(None))
    assert (found.state, found.why, found.action) == ("unknown", "the day treatment started is not known", "obtain")
    vague = due(TIMED, drug(span("2024-12-01", "2025-02-28")))
    assert (vague.state, vague.why) == ("unknown", "the day treatment started is not exact enough")
    assert due(TIMED, drug(span("2023-01-01", "2023-01-31"))).state == "overdue"


def test_before_the_start_the_clock_starts_today() -> None:
    first = duty(needs=(("lab",),), at=("zero",), early="early", grace="grace-days")
    assert told(first) == ("due", "2025-03-01")
    assert told(first, lab("2025-02-15"))[0] == "done"
    assert told(first, lab("2025-02-14")) == ("due", "2025-03-01")


@pytest.mark.parametrize(
    "useless",
    [
        lab("2025-02-20", None),
        lab("2025-02-20", status="preliminary"),
        lab("2025-02-20", certainty="mentioned"),
        lab(None),
        lab(FEBRUARY),
        lab("2025-03-02"),
        lab(MARCH),
        entry("lab", "procedure", "2025-02-20", status="unknown"),
        entry("lab", "order", "2025-02-20", status="planned"),
    ],
)
def test_what_does_not_surely_show_it_done_does_not_count(useless: Entry) -> None:
    """A result without a usable value is none: 'cancelled by the laboratory' is not a check."""
    assert told(TIMED, START, useless) == ("overdue", "2025-01-29")


def test_a_set_is_as_old_as_its_oldest_part_and_says_what_is_lacking() -> None:
    both = duty(needs=(("lab",), ("other", "another")), at=("week-4",), early="early", grace="grace-days")
    assert due(both, START, lab("2025-02-20")).lacking == ("other",)
    assert told(both, START, lab("2025-02-20"))[0] == "overdue"
    assert told(both, START, lab("2025-02-20"), result("another", 1, "2025-02-20"))[0] == "done"
    old = due(both, START, lab("2025-02-20"), result("another", 1, "2024-06-01"))
    assert (old.state, old.lacking) == ("overdue", ("other",))


def test_a_site_may_be_content_with_any_part_of_a_set() -> None:
    both = duty(needs=(("lab",), ("other",)), needs_all="how-many", at=("week-4",), early="early", grace="grace-days")
    assert told(both, START, lab("2025-02-20"))[0] == "overdue"
    assert told(both, START, lab("2025-02-20"), how_many="any")[0] == "done"


def test_a_clinicians_word_does_it_too() -> None:
    asked = duty(needs=(("lab",),), ask="seen", at=("week-4",), early="early", grace="grace-days")
    found = due(asked, START, answer("seen", "yes", "2025-02-20"))
    assert (found.state, [each.source for each in found.evidence]) == ("done", ["answer/ask:seen"])
    assert told(asked, START, answer("seen", "no", "2025-02-20"))[0] == "overdue"
    assert told(asked, START, answer("seen", "yes", None))[0] == "overdue"
    open_one = task(asked, START)
    assert open_one is not None
    assert open_one.behind == ("seen",)


def test_a_shorter_interval_for_some_and_where_it_cannot_be_told() -> None:
    yearly = duty(
        needs=(("lab",),), at=("zero",), every="year", every_if={"past": "half-year"}, early="year", grace="grace-days"
    )
    assert told(yearly, START, lab("2025-01-01")) == ("done", "2026-01-01")
    assert told(yearly, START, lab("2025-01-01"), condition()) == ("done", "2025-06-30")
    assert told(yearly, START, lab("2025-01-01"), condition(certainty="mentioned")) == ("done", "2025-06-30")


def test_something_new_makes_it_due_again() -> None:
    again = duty(needs=(("lab",),), at=("week-4",), early="early", grace="grace-days", again_after=("past",))
    later = duty(
        needs=(("lab",),), at=("week-4",), early="early", grace="grace-days", again_after=("past",), again_in="week-4"
    )
    assert told(again, START, lab("2025-02-01"), condition(start="2025-02-10")) == ("due", "2025-02-10")
    assert told(later, START, lab("2025-02-01"), condition(start="2025-02-10")) == ("done", "2025-03-10")
    assert told(again, START, lab("2025-02-11"), condition(start="2025-02-10"))[0] == "done"
    assert told(again, START, lab("2025-02-01"), condition(start="2025-02-10", certainty="suspected"))[0] == "done"


def test_a_duty_that_few_records_show_is_unknown_where_it_is_due() -> None:
    seldom = duty(needs=(("lab",),), at=("zero",), every="year", grace="grace-days", never="unknown")
    found = due(seldom, START)
    assert (found.state, found.why) == ("unknown", "none on record")
    assert told(seldom, START, lab("2025-01-01"))[0] == "done"
    assert told(seldom, START, lab("2023-01-01"))[0] == "overdue"


@pytest.mark.parametrize(
    ("done", "why"),
    [
        ("2025-01-29", "done on day 28, on time"),
        ("2025-02-05", "done on day 35, on time"),
        ("2025-02-06", "done on day 36"),
        ("2025-01-15", "done on day 14"),
        ("2025-01-10", ""),
    ],
)
def test_whether_it_was_on_time(done: str, why: str) -> None:
    timely = duty(needs=(("lab",),), at=("week-4",), early="early", tolerance="tolerance", grace="grace-days")
    assert due(timely, START, lab(done)).why == why


def test_a_day_beyond_the_calendar_is_no_crash() -> None:
    from support.engine_builders import day as ordinal

    last = ordinal("9999-12-31")
    assert due(TIMED, drug("9999-12-20"), today=last).state == "upcoming"
