"""The stage of treatment, read from the record's entries of the drug."""

from __future__ import annotations

from dataclasses import replace

import pytest

from precaution.engine.therapy import Therapy, therapy
from precaution.knowledge.refers import STAGES, Stage
from precaution.values.interval import Interval
from precaution.values.record import Entry
from support.engine_builders import FEBRUARY, MARCH, TODAY, answer, drug, entry, label, on, record, span

LABEL = label()
"""A supply counts for 30 days after its end; 90 days without the drug end a course."""


def stage(*entries: Entry, given: Stage | None = None) -> Therapy:
    return therapy(record(*entries), LABEL, TODAY, given)


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (drug("2024-01-01"), "on-treatment"),
        (drug("2024-01-01", "2025-03-01"), "on-treatment"),
        (drug("2024-01-01", "2025-06-01"), "on-treatment"),
        (drug("2024-01-01", "2025-01-30"), "on-treatment"),  # 30 days ago: the grace
        (drug("2024-01-01", "2025-01-29"), "before-start"),
        (drug("2024-01-01", "2025-03-02", "ended"), "on-treatment"),
        (drug("2024-01-01", "2025-03-01", "ended"), "before-start"),  # ended is ended: no grace
        (drug("2024-01-01", "2025-02-28", "ended"), "before-start"),
        (drug("2024-01-01", None, "ended"), "before-start"),
        (drug("2024-01-01", None, "held"), "interrupted"),
        (drug("2024-01-01", None, "planned"), "before-start"),
        (drug("2025-03-01"), "on-treatment"),
        (drug("2025-03-02"), "before-start"),  # of the future
        (drug(None), "on-treatment"),
        (entry("drug", "order", "2024-01-01", status="planned"), "before-start"),
        (drug("2024-01-01", concept="another"), "before-start"),
    ],
)
def test_the_stage_of_one_entry(only: Entry, expected: Stage) -> None:
    assert stage(only).stage == expected


def test_no_entry_is_before_the_start_and_says_so() -> None:
    assert stage() == Therapy("before-start", "no entry of treatment on record")


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([drug("2024-01-01", None, "unknown")], "on-treatment"),
        ([drug("2024-01-01", "2025-01-30", "unknown")], "on-treatment"),
        ([drug("2024-01-01", "2025-01-29", "unknown")], "before-start"),
        ([drug("2024-01-01", None, "held", certainty="mentioned")], "on-treatment"),
        ([drug("2024-01-01", "2025-01-30", "held", certainty="mentioned")], "on-treatment"),
        ([drug("2024-01-01", "2025-01-29", "held", certainty="mentioned")], "before-start"),
        ([drug("2024-01-01", None, "ended", certainty="mentioned")], "before-start"),
        ([drug("2024-01-01", "2024-06-01", "ended", certainty="mentioned")], "before-start"),
        ([drug("2024-01-01", certainty="mentioned")], "on-treatment"),
        ([drug(None, certainty="suspected")], "on-treatment"),
    ],
)
def test_what_may_be_the_drug_is_a_doubt_about_the_stage(entries: list[Entry], expected: str) -> None:
    """Where it may go on, the rules of treatment are asked: they are the graver ones."""
    found = stage(*entries)
    assert found.stage == expected
    assert found.start is None
    assert found.doubt == "medication/drug may be treatment with the drug, but can't be read as such"


def test_a_doubt_of_the_future_is_none() -> None:
    assert stage(drug("2025-03-02", certainty="mentioned")).doubt == ""


def test_why_names_the_entry_and_the_day() -> None:
    assert stage(drug("2024-01-01")).why == "medication/drug shows treatment since 2024-01-01"
    assert stage(drug(None)).why == "medication/drug shows treatment since a day that is not known"
    assert stage(drug("2024-01-01", None, "held")).why == "medication/drug is on hold"
    assert stage(drug("2024-01-01", "2024-05-01")).why == "medication/drug shows treatment that has ended"


@pytest.mark.parametrize(
    ("again", "expected"),
    [
        (drug("2025-02-02"), "on-treatment"),
        (drug("2025-02-01"), "interrupted"),  # of the same day: the hold counts
        (drug("2025-01-01"), "interrupted"),
        (drug(None), "interrupted"),
        (drug("2025-02-02", "2025-02-03", "ended"), "interrupted"),
        (drug(FEBRUARY), "interrupted"),  # it may have begun before the hold
    ],
)
def test_only_treatment_surely_after_the_hold_takes_it_up_again(again: Entry, expected: Stage) -> None:
    assert stage(drug("2025-02-01", None, "held"), again).stage == expected


@pytest.mark.parametrize("given", STAGES)
def test_a_given_stage_is_taken_as_given(given: Stage) -> None:
    found = stage(drug("2024-01-01"), given=given)
    assert (found.stage, found.why, found.doubt) == (given, "given", "")


@pytest.mark.parametrize(
    ("given", "start"),
    [
        (None, "2024-01-01"),
        ("on-treatment", "2024-01-01"),
        ("interrupted", "2024-01-01"),
    ],
)
def test_the_start_is_read_whether_or_not_the_stage_is_given(given: Stage | None, start: str) -> None:
    assert stage(drug("2024-01-01"), given=given).start == on(start)


def test_a_given_stage_without_any_entry_has_no_start() -> None:
    assert stage(given="on-treatment").start is None


@pytest.mark.parametrize(
    ("entries", "start"),
    [
        ([drug("2023-01-01", "2023-03-01", "ended"), drug("2024-01-01")], "2024-01-01"),
        ([drug("2023-01-01", "2023-10-03", "ended"), drug("2024-01-01")], "2023-01-01"),  # 90 days: no gap
        ([drug("2023-01-01", "2023-10-02", "ended"), drug("2024-01-01")], "2024-01-01"),  # 91 days
        (
            [drug("2023-01-01", "2024-06-01"), drug("2023-02-01", "2023-03-01", "ended"), drug("2024-08-01")],
            "2023-01-01",
        ),
        ([drug("2024-12-01", None, "ended"), drug("2025-02-01")], "2024-12-01"),  # of a day: it reaches no further
        (
            [drug("2024-10-01", None, "ended"), drug("2025-02-01")],
            span("2024-10-01", "2025-02-01"),
        ),
        ([drug("2024-02-01", "2024-03-01", "ended"), drug("2025-02-01")], "2025-02-01"),
        (
            [drug("2022-01-01", None, "ended"), drug("2023-01-01", None, "ended"), drug("2025-02-01")],
            span("2022-01-01", "2025-02-01"),
        ),
        (
            [drug("2022-01-01", "2022-02-01", "ended"), drug("2024-10-01", None, "ended"), drug("2025-02-01")],
            span("2024-10-01", "2025-02-01"),
        ),
        ([drug("2024-01-01", None, "held")], "2024-01-01"),
        ([drug(FEBRUARY)], FEBRUARY),
        ([drug(MARCH)], MARCH),
        ([drug("2024-01-01"), drug(None, "2025-03-01")], None),  # an entry without a start leaves it open
        ([drug(None)], None),
    ],
)
def test_entries_are_joined_into_courses(entries: list[Entry], start: str | Interval | None) -> None:
    assert stage(*entries).start == on(start)


def test_the_start_of_a_course_may_be_uncertain() -> None:
    assert stage(drug(span("2024-01-01", "2024-12-31"))).start == span("2024-01-01", "2024-12-31")


@pytest.mark.parametrize("entries", [[], [drug("2024-01-01", "2024-05-01")]])
def test_before_the_start_there_is_no_start(entries: list[Entry]) -> None:
    assert stage(*entries).start is None


def test_other_entries_show_no_treatment() -> None:
    assert stage(answer("agreed", "yes")).stage == "before-start"


def test_the_order_of_entries_does_not_matter() -> None:
    entries = [
        drug("2024-01-01", "2024-06-01", source="M/1"),
        drug("2024-06-01", source="M/2"),
        drug("2024-03-01", None, "held", source="M/3"),
    ]
    assert stage(*entries) == stage(*reversed(entries))


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("2025-02-01", "interrupted"),
        ("2024-12-01", "interrupted"),
        ("2024-11-30", "before-start"),
        ("2023-02-01", "before-start"),
    ],
)
def test_a_hold_that_ended_long_ago_is_over(end: str, expected: Stage) -> None:
    """After the gap that ends a course (90 days) the next order is a new start, with its own screening."""
    assert stage(drug("2023-01-01", end, "held")).stage == expected


def test_a_supply_handed_over_after_the_order_does_not_lift_its_hold() -> None:
    held, supply = drug("2025-01-01", None, "held"), drug("2025-01-20", "2025-03-20", "active")
    assert stage(held, supply).stage == "interrupted"
    assert stage(held, supply, drug("2025-02-01", None, "active")).stage == "on-treatment"


# A start before anybody could have the drug.

SINCE_2020 = replace(LABEL, therapy=replace(LABEL.therapy, available_since="2020-03-01"))


@pytest.mark.parametrize(
    ("start", "believed"),
    [
        (on("2020-03-01"), on("2020-03-01")),
        (on("2020-02-29"), None),
        (span("2020-01-01", "2020-12-31"), span("2020-03-01", "2020-12-31")),
        (span("2019-01-01", "2019-12-31"), None),
        (None, None),
    ],
)
def test_a_start_before_the_drug_could_be_had_is_a_day_not_known(
    start: Interval | None, believed: Interval | None
) -> None:
    found = therapy(record(drug(start)), SINCE_2020, TODAY)
    assert (found.stage, found.start) == ("on-treatment", believed)
    note = found.evidence[0].note
    assert note.endswith("is not believed: the drug could not be had before 2020-03-01") == (
        start is not None and believed is None
    )


def test_an_unclear_entry_of_before_it_could_be_had_leaves_the_start_open() -> None:
    unclear = drug("2019-01-01", certainty="mentioned", source="M/2")
    assert therapy(record(drug("2024-01-01"), unclear), SINCE_2020, TODAY).start is None


def test_why_an_order_is_on_hold_is_told() -> None:
    held = drug("2024-01-01", None, "held", note="reason: surgery")
    assert stage(held).why == "medication/drug is on hold (reason: surgery)"
