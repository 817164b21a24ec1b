"""Dates, periods and ages as intervals of days."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.readers.dates import DateRange, at_age, day, instant, period, read_dates
from precaution.values.interval import Interval
from support.fhir_builders import day as ordinal

BIRTH = Interval(ordinal("1960-02-03"), ordinal("1960-02-03"))


def days(first: str, last: str | None = None) -> Interval:
    return Interval(ordinal(first), ordinal(last or first))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2024-05-01", days("2024-05-01")),
        ("2024-05", days("2024-05-01", "2024-05-31")),
        ("2024-02", days("2024-02-01", "2024-02-29")),
        ("2024", days("2024-01-01", "2024-12-31")),
        ("9999", days("9999-01-01", "9999-12-31")),
        ("0001-01-01", None),
        ("1900-01-01", None),
        ("2024-05-01T23:59:59.999Z", days("2024-05-01")),
        ("2024-05-01T00:30:00+14:00", days("2024-05-01")),
        ("2024-05-01T23:30:00-12:00", days("2024-05-01")),
        ("2024-05-01T10:00", days("2024-05-01")),
        ("2024-05-01T10:00:60Z", days("2024-05-01")),
    ],
)
def test_the_day_as_written(written: str, expected: Interval) -> None:
    assert day(written) == expected


@pytest.mark.parametrize(
    "written",
    [
        "",
        "0000",
        "0000-01-01",
        "10000-01-01",
        "2024-13",
        "2024-00",
        "2024-02-30",
        "2023-02-29",
        "2024-5-1",
        "20240501",
        "01.05.2024",
        "05/01/2024",
        "2024-05-01T25:00:00Z",
        "2024-05-01T10:61:00Z",
        "2024-05-01x",
        "2024-05-01T",
        "-2024",
        "2024-05-01T10:00:00+99:00",
        "May 2024",
        "٢٠٢٤",
        "2024-05-01\n2024-05-02",
        "24",
        "2024-",
    ],
)
def test_what_is_no_date(written: str) -> None:
    assert day(written) is None


@given(st.dates(), st.sampled_from(["", "T10:00:00Z", "T00:00:00+13:00", "T23:59:59.5-11:30"]))
def test_every_date_is_its_own_day(of: date, time: str) -> None:
    assert day(of.isoformat() + time) == Interval(of.toordinal(), of.toordinal())


@given(st.dates())
def test_less_precise_holds_more_precise(of: date) -> None:
    month, year = day(of.isoformat()[:7]), day(of.isoformat()[:4])
    assert month is not None
    assert year is not None
    assert year.low <= month.low <= of.toordinal() <= month.high <= year.high


@given(st.text(max_size=30))
def test_no_text_is_an_error(written: str) -> None:
    day(written)
    instant(written)


@pytest.mark.parametrize(
    ("elements", "start", "end", "note"),
    [
        ({"onsetDateTime": "2024-05-01"}, days("2024-05-01"), None, ""),
        ({"onsetDateTime": " 2024-05-01 "}, days("2024-05-01"), None, ""),
        ({"onsetDateTime": "soon"}, None, None, "onset date can't be read"),
        (
            {"onsetPeriod": {"start": "2024-05-01", "end": "2024-06"}},
            days("2024-05-01"),
            days("2024-06-01", "2024-06-30"),
            "",
        ),
        ({"onsetPeriod": {"end": "2024-06-01"}}, None, days("2024-06-01"), ""),
        ({"onsetPeriod": {"start": "x"}}, None, None, "onset date can't be read"),
        ({"onsetString": "long ago"}, None, None, "onset is not given as a date"),
        ({"onsetRange": {"low": {"value": 30}}}, None, None, "onset is not given as a date"),
        ({"onsetInstant": "2024-05-01T10:00:00Z"}, days("2024-05-01"), None, ""),
        ({"_onsetDateTime": {"extension": []}}, None, None, "onset date is said to be missing"),
        ({"onsetTiming": {"event": ["2024-05-03", "2024-05-01", 7, "x"]}}, days("2024-05-01", "2024-05-03"), None, ""),
        ({"onsetTiming": {"repeat": {"boundsPeriod": {"start": "2024-05-01"}}}}, days("2024-05-01"), None, ""),
        ({"onsetDateTime": None}, None, None, ""),
        ({"onsetDateTime": 5}, None, None, "onset is not given as a date"),
        ({}, None, None, ""),
    ],
)
def test_every_type_of_time(
    elements: dict[str, object], start: Interval | None, end: Interval | None, note: str
) -> None:
    assert read_dates(elements, "onset") == DateRange(start, end, note)


def test_ages() -> None:
    fifty = at_age({"value": 50, "code": "a"}, BIRTH)
    assert fifty is not None
    assert fifty.low <= ordinal("2010-02-03") <= ordinal("2011-02-02") <= fifty.high
    assert fifty.high - fifty.low < 370
    months = at_age({"value": 6, "unit": "mo"}, BIRTH)
    assert months is not None
    assert months.low <= ordinal("1960-08-03") <= months.high


@pytest.mark.parametrize(
    "age",
    [
        {},
        {"value": "50", "code": "a"},
        {"value": 50},
        {"value": 50, "code": "furlong"},
        {"value": -1, "code": "a"},
        {"value": 151, "code": "a"},
        {"value": 5, "code": "a", "comparator": "<"},
        {"value": True, "code": "a"},
    ],
)
def test_ages_that_can_not_be_told(age: dict[str, object]) -> None:
    assert at_age(age, BIRTH) is None


def test_an_age_needs_a_birth_and_an_end_of_time() -> None:
    assert at_age({"value": 5, "code": "a"}, None) is None
    assert at_age({"value": 100, "code": "a"}, days("9990-01-01")) is None


def test_periods_the_wrong_way_round_are_kept_as_given() -> None:
    assert period({"start": "2024-06-01", "end": "2024-05-01"}) == DateRange(days("2024-06-01"), days("2024-05-01"))


def test_instants_order_over_time_zones() -> None:
    early, late = instant("2024-05-02T01:00:00+02:00"), instant("2024-05-02T00:00:00Z")
    assert early is not None
    assert late is not None
    assert early < late
    assert instant("2024-05-02T00:00:00") == late
