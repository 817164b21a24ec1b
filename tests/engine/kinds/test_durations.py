"""Days since, days on a drug, and ages."""

from __future__ import annotations

from datetime import date
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.engine.chart import Chart, Known
from precaution.knowledge import fact_kinds as k
from precaution.knowledge.computed_facts import OfSex
from precaution.knowledge.fact import Fact
from precaution.values.interval import Interval, exactly
from precaution.values.logic import Truth
from precaution.values.record import UNREADABLE, Entry, Sex
from support.engine_builders import FEBRUARY, MARCH, condition, day, drug, entry, known, record, span

TITLES = {"topic": "t", "title": "days"}
SINCE = k.DaysSince(name="x", days_since=("c",), list="immunization", absent="no-if-list-complete", **TITLES)
SINCE_DRUG = k.DaysSince(name="x", days_since=("c",), list="medication", absent="unknown", **TITLES)
ON = k.DaysOn(name="x", days_on=("c",), absent="no-if-list-complete", **TITLES)
ADULT = k.ReachedAge(name="x", reached_age=18, **TITLES)


def given_on(start: str | Interval | None, **more: object) -> Entry:
    return entry("c", "immunization", start, **more)


def taken(
    start: str | Interval | None, end: str | Interval | None = None, status: str = "active", **more: object
) -> Entry:
    return drug(start, end, status, "c", **more)


def since(*entries: Entry, of: Fact = SINCE, **more: object) -> Known:
    return known(of, *entries, **more)


def test_none_is_beyond_every_limit_where_the_list_is_there() -> None:
    assert since().value == exactly(inf)
    assert since(lists=()).value is None
    assert since(of=SINCE_DRUG).value is None


@pytest.mark.parametrize(
    ("start", "days"),
    [
        ("2025-03-01", exactly(0)),
        ("2025-02-01", exactly(28)),
        (FEBRUARY, Interval(1, 28)),
        (MARCH, exactly(0)),
        ("2025-03-02", exactly(inf)),
    ],
)
def test_days_since(start: str | Interval, days: Interval) -> None:
    assert since(given_on(start)).value == days


def test_the_latest_counts_with_its_evidence() -> None:
    found = since(given_on("2020-01-01", source="I/1"), given_on("2025-02-01", source="I/2"))
    assert (found.value, [each.source for each in found.evidence]) == (exactly(28), ["I/2"])


def test_an_undated_one_may_be_the_latest() -> None:
    assert since(given_on("2025-02-01", source="I/1"), given_on(None, source="I/2")).value == Interval(0, 28)
    found = since(given_on(None))
    assert (found.value, found.why) == (None, "the day is not certain")


@pytest.mark.parametrize(
    "doubt",
    [
        given_on("2025-02-20", status="unknown"),
        given_on("2025-02-20", certainty="mentioned"),
        entry(UNREADABLE["immunization"], "immunization", "2025-02-20", certainty="mentioned"),
    ],
)
def test_what_is_not_certain_may_or_may_not_be_the_latest(doubt: Entry) -> None:
    assert since(given_on("2025-02-01", source="I/1"), doubt).value == Interval(9, 28)
    assert since(doubt).value == Interval(9, inf, high_open=True)


@pytest.mark.parametrize(
    ("only", "days"),
    [
        (taken("2024-01-01", "2025-02-01"), exactly(28)),
        (taken("2024-01-01", "2025-06-01"), exactly(0)),
        (taken("2024-01-01", "2025-02-01", "ended"), exactly(28)),
        (taken("2024-01-01", FEBRUARY, "ended"), Interval(1, 28)),
        (taken("2024-03-01", None, "ended"), Interval(0, 365)),
        (taken("2024-03-01"), Interval(0, 365)),
        (taken(None, None, "ended"), None),
        (taken("2024-01-01", None, "planned"), None),
    ],
)
def test_a_drug_was_last_taken_when_it_ended(only: Entry, days: Interval | None) -> None:
    """Nobody says when an open order was last taken: that it began long ago does not make it long ago."""
    assert since(only, of=SINCE_DRUG).value == days


@pytest.mark.parametrize(
    "doubt",
    [
        taken("2025-02-20", certainty="mentioned"),
        taken("2025-02-20", None, "unknown"),
        entry(UNREADABLE["medication"], "medication", "2025-02-20", status="active", certainty="mentioned"),
    ],
)
def test_what_may_be_the_drug_never_surely_shows_it_taken(doubt: Entry) -> None:
    assert since(taken("2024-01-01", "2025-02-01", "ended"), doubt, of=SINCE_DRUG).value == Interval(0, 28)
    assert since(doubt, of=SINCE_DRUG).value is None


# Days on a drug.


@pytest.mark.parametrize(
    ("entries", "days"),
    [
        ([], exactly(0)),
        ([taken("2025-01-01", "2025-01-31", "ended")], exactly(30)),
        ([taken("2025-02-01")], exactly(28)),
        ([taken("2025-02-01", "2025-12-31")], exactly(28)),
        ([taken("2025-01-01", "2025-01-31", "ended"), taken("2025-01-11", "2025-02-10", "ended")], exactly(40)),
        ([taken("2025-01-01", "2025-01-31", "ended"), taken("2025-01-11", "2025-01-21", "ended")], exactly(30)),
        ([taken("2024-01-01", "2024-01-11", "ended"), taken("2025-01-01", "2025-01-11", "ended")], exactly(20)),
        ([taken("2025-01-31", "2025-01-01", "ended")], exactly(0)),
        ([taken("2025-01-01", None, "ended")], Interval(0, inf, high_open=True)),
        ([taken(None, "2025-01-31", "ended")], Interval(0, inf, high_open=True)),
        ([taken(FEBRUARY)], Interval(0, inf, high_open=True)),
        ([taken("2025-02-01"), taken("2024-01-01", None, "unknown")], Interval(28, inf, high_open=True)),
        ([taken("2025-02-01"), taken("2024-01-01", None, "held")], Interval(28, inf, high_open=True)),
        ([taken("2025-02-01", certainty="mentioned")], Interval(0, inf, high_open=True)),
        (
            [taken("2025-02-01"), entry(UNREADABLE["medication"], "medication", certainty="mentioned")],
            Interval(28, inf, high_open=True),
        ),
        ([taken("2025-03-02")], exactly(0)),
        ([taken("2025-01-01", None, "planned")], exactly(0)),
    ],
)
def test_days_on_a_drug(entries: list[Entry], days: Interval) -> None:
    assert since(*entries, of=ON).value == days


def test_without_the_list_there_may_be_more() -> None:
    assert since(taken("2025-02-01"), of=ON, lists=()).value == Interval(28, inf, high_open=True)
    assert since(of=ON, lists=()).value is None


SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5)


@given(SPANS)
def test_overlapping_days_are_counted_once(spans: list[tuple[int, int]]) -> None:
    first = day("2024-06-01")
    courses = [
        taken(exactly(first + min(each)), exactly(first + max(each)), "ended", source=f"M/{n}")
        for n, each in enumerate(spans)
    ]
    covered = {one for each in spans for one in range(min(each), max(each))}
    assert since(*courses, of=ON).value == exactly(len(covered))


# Ages.


def reached(birth: str | Interval | None, today: str, fact: Fact = ADULT, **parameters: float) -> Truth:
    value = known(fact, birth=birth, today=day(today), parameters=parameters).value
    assert value is None or isinstance(value, bool)
    return value


@pytest.mark.parametrize(
    ("birth", "today", "truth"),
    [
        ("2000-03-01", "2018-02-28", False),
        ("2000-03-01", "2018-03-01", True),
        ("2000-02-29", "2018-02-28", False),
        ("2000-02-29", "2018-03-01", True),
        ("1996-02-29", "2020-02-29", True),
        ("2000-02-29", "2019-02-28", True),
        (span("2007-01-01", "2007-12-31"), "2025-03-01", None),
        (span("2006-01-01", "2006-12-31"), "2025-03-01", True),
        (span("2008-01-01", "2008-12-31"), "2025-03-01", False),
        (span("2007-03-01", "2007-03-31"), "2025-03-01", None),
        (span("2007-02-01", "2007-02-28"), "2025-03-01", True),
        (None, "2025-03-01", None),
        ("2025-03-02", "2025-03-01", None),
    ],
)
def test_years_completed(birth: str | Interval | None, today: str, truth: Truth) -> None:
    assert reached(birth, today) is truth


def test_the_years_may_be_a_sites_choice() -> None:
    fact = k.ReachedAge(name="x", reached_age_parameter="years", **TITLES)
    assert (
        reached("1960-03-01", "2025-03-01", fact, years=65),
        reached("1960-03-01", "2025-03-01", fact, years=75),
    ) == (True, False)


def test_since_is_the_birthday_so_that_an_older_answer_is_void() -> None:
    assert known(ADULT, birth="2000-03-01").since == exactly(day("2018-03-01"))
    assert known(ADULT, birth="2020-03-01").since is None


@given(st.dates(date(1900, 1, 1), date(2024, 12, 31)), st.integers(0, 110))
def test_the_limit_is_the_birthday(born: date, years: int) -> None:
    """The day before it is False and the day itself True; checked against plain counting of birthdays."""
    try:
        birthday = born.replace(year=born.year + years)
    except ValueError:
        birthday = date(born.year + years, 3, 1)
    fact = k.ReachedAge(name="x", reached_age=years, **TITLES)
    if years:
        assert reached(exactly(born.toordinal()), date.fromordinal(birthday.toordinal() - 1).isoformat(), fact) is False
    assert reached(exactly(born.toordinal()), birthday.isoformat(), fact) is True


def test_what_the_chart_holds() -> None:
    """Plans and what is of the future are no entries of the chart."""
    from support.engine_builders import chart, label

    looked = chart(label(), condition(), entry("c", "order", "2025-01-01"), condition(start="2025-03-02"))
    assert isinstance(looked, Chart)
    assert looked.entries(("c", "unheard of")) == list(record(condition()).entries["c"])


@pytest.mark.parametrize(
    ("sex", "woman", "man"),
    [("female", True, False), ("male", False, True), ("", None, None), ("other", None, None)],
)
def test_the_sex_is_what_the_record_says(sex: Sex, woman: Truth, man: Truth) -> None:
    found = [known(OfSex(name="x", sex=of, **TITLES), sex=sex) for of in ("female", "male")]
    assert [each.value for each in found] == [woman, man]
    assert [each.considered for each in found] == [0 if woman is None else 1] * 2
