"""Numbers measured on a day: the latest result, the worst of a day, derived counts, multiples of an upper limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.engine.chart import Known
from precaution.knowledge import fact_kinds as k
from precaution.knowledge import model as d
from precaution.knowledge.fact import Fact
from precaution.values.interval import EVERYTHING, Interval, above, below, exactly, less, show_number
from precaution.values.record import Entry
from support.engine_builders import FEBRUARY, MARCH, TODAY, drug, facts, known, label, result, span

TITLES = {"topic": "t", "title": "a count"}
COUNT = k.Latest(name="x", latest=("lab",), worst="low", within={"before-start": "max-age"}, **TITLES)
HIGH = k.Latest(name="x", latest=("lab",), worst="high", **TITLES)
DERIVED = k.Latest(name="x", latest=("lab",), worst="low", derived=("whole", "percent"), **TITLES)
RATIO = k.Latest(name="x", latest=("lab",), worst="high", times_upper_limit=True, upper_limit="site", **TITLES)
LAST2 = k.Latest(name="x", latest=("lab",), worst="low", last="times", **TITLES)
LOWEST = k.Extreme(name="x", extreme=("lab",), worst="low", **TITLES)
HIGHEST = k.Extreme(name="x", extreme=("lab",), worst="high", **TITLES)


def latest(*entries: Entry, of: Fact = COUNT, **parameters: float) -> Known:
    return known(of, *entries, parameters={"max_age": 28, "site": 0, "times": 2, **parameters})


def number(found: Known) -> Interval:
    assert isinstance(found.value, Interval)
    return found.value


def lab(
    value: float | Interval | None,
    start: str | Interval | None = "2025-02-20",
    source: str = "Observation/1",
    **more: object,
) -> Entry:
    return result("lab", value, start, source=source, **more)


def test_no_result_is_unknown_and_why() -> None:
    found = latest()
    assert (found.value, found.considered, found.evidence) == (None, 0, ())
    assert found.why == "no result in the last 28 days (none on record)"
    assert latest(of=HIGH).why == "no result on record"


def test_a_result_is_its_value_with_its_evidence_and_day() -> None:
    found = latest(lab(0.8))
    assert (found.value, found.evidence, found.considered, found.why) == (exactly(0.8), (lab(0.8),), 1, "")
    assert found.since == lab(0.8).start


@pytest.mark.parametrize(
    ("start", "value"),
    [
        ("2025-02-01", exactly(0.8)),  # 28 days ago
        ("2025-01-31", None),
        ("2025-03-01", exactly(0.8)),
        ("2025-03-02", None),
        (FEBRUARY, exactly(0.8)),
        (MARCH, exactly(0.8)),
        (span("2025-01-01", "2025-01-31"), None),
        (span("2025-01-01", "2025-12-31"), None),
        (None, None),
    ],
)
def test_only_results_surely_of_the_window_count(start: str | Interval | None, value: Interval | None) -> None:
    found = latest(lab(0.8, start))
    assert found.value == value
    assert value is not None or found.why


def test_the_window_is_that_of_the_stage() -> None:
    assert latest(lab(0.8, "2020-01-01"), drug()).value == exactly(0.8)


@pytest.mark.parametrize("value", [below(0.5), above(3), Interval(1, 2), exactly(0)])
def test_an_uncertain_value_is_kept(value: Interval) -> None:
    assert latest(lab(value)).value == value


def test_the_newest_counts_whatever_is_older() -> None:
    assert latest(lab(0.5, "2025-02-10"), lab(3, "2025-02-20", "Observation/2")).value == exactly(3)
    assert latest(lab(3, "2025-02-10"), lab(0.5, "2025-02-20", "Observation/2")).value == exactly(0.5)


@pytest.mark.parametrize(("fact", "value"), [(COUNT, 0.5), (HIGH, 3)])
def test_of_one_day_the_worst_counts_and_it_is_said(fact: Fact, value: float) -> None:
    found = latest(lab(0.5), lab(3, source="Observation/2"), of=fact)
    assert found.value == exactly(value)
    assert [entry.note for entry in found.evidence] == [
        "several results may be the latest; the worst of a day counts"
    ] * 2


def test_a_site_may_leave_results_of_one_day_that_differ_unknown() -> None:
    of = label(COUNT, max_age=28)
    parameters = {
        **of.parameters,
        "same-day": d.Parameter(
            **{
                **{
                    f: getattr(of.parameters["same-day"], f)
                    for f in ("name", "topic", "written", "of", "why", "status")
                },
                "value": "unknown",
            }
        ),
    }
    from dataclasses import replace

    unsure = replace(of, parameters=parameters, digest="of its own")
    assert facts(unsure, lab(0.5), lab(3, source="Observation/2"))["x"] == Interval(0.5, 3)


def test_equal_results_of_one_day_need_no_word() -> None:
    assert [entry.note for entry in latest(lab(3), lab(3, source="Observation/2")).evidence] == ["", ""]


def test_a_result_that_cannot_be_used_hides_nothing() -> None:
    """It may be anything: the newest unusable one can make the value worse, an older one does not matter."""
    unusable = lab(None, note="no unit")
    assert latest(unusable).value is None
    assert latest(unusable).why == "no unit"
    assert show_number(number(latest(lab(3, "2025-02-10"), unusable))) == "≤3"
    assert latest(lab(3, "2025-02-10"), unusable).why == "no unit; repeat the test"
    assert latest(lab(None, "2025-02-10", note="no unit"), lab(3, source="Observation/2")).value == exactly(3)


def test_an_unusable_result_takes_no_low_one_back() -> None:
    failed = lab(None, source="Observation/2", note="clotted")
    found = latest(lab(0.7, "2025-02-10"), failed)
    assert less(number(found), exactly(1)) is True
    assert [entry.note for entry in found.evidence] == ["", "clotted; repeat the test"]


def test_a_result_too_old_to_count_is_told_with_its_day() -> None:
    old, failed = lab(0.7, "2024-01-10"), lab(None, note="clotted")
    assert latest(old).value is None
    assert latest(old).why == "no result in the last 28 days; before that 0.7 on 2024-01-10"
    assert latest(old, failed).value is None
    assert latest(old, failed).why == "clotted; before that 0.7 on 2024-01-10"


def test_an_unusable_result_beside_a_low_one_of_the_day_leaves_it_low() -> None:
    value = latest(lab(0.5), lab(None, source="Observation/2")).value
    assert isinstance(value, Interval)
    assert less(value, exactly(1)) is True
    beside_a_good_one = latest(lab(3), lab(None, source="Observation/2")).value
    assert beside_a_good_one is None or (
        isinstance(beside_a_good_one, Interval) and less(beside_a_good_one, exactly(1)) is None
    )


@pytest.mark.parametrize("start", [None, FEBRUARY])
def test_a_result_of_an_uncertain_day_may_be_the_latest(start: Interval | None) -> None:
    assert latest(lab(3), lab(0.5, start, "Observation/2")).value == Interval(0.5, 3)


def test_a_result_surely_older_is_not() -> None:
    assert latest(lab(3), lab(0.5, span("2025-02-01", "2025-02-19"), "Observation/2")).value == exactly(3)


@pytest.mark.parametrize(("preliminary", "value"), [(0.5, exactly(0.5)), (5, exactly(3))])
def test_a_preliminary_result_can_only_make_it_worse(preliminary: float, value: Interval) -> None:
    assert latest(lab(3), lab(preliminary, "2025-02-25", "Observation/2", status="preliminary")).value == value


def test_a_preliminary_result_alone_never_reassures() -> None:
    low, high = (latest(lab(value, status="preliminary")).value for value in (0.5, 5))
    assert isinstance(low, Interval)
    assert isinstance(high, Interval)
    assert less(low, exactly(1)) is True
    assert less(high, exactly(1)) is None


def test_a_preliminary_result_does_not_make_an_undated_one_recent() -> None:
    value = latest(lab(3, None), lab(5, "2025-02-20", "Observation/2", status="preliminary")).value
    assert isinstance(value, Interval)
    assert less(value, exactly(1)) is None


def test_an_older_preliminary_result_is_superseded() -> None:
    assert latest(lab(3), lab(0.5, "2025-02-10", "Observation/2", status="preliminary")).value == exactly(3)


# Counts made of another count and a percentage.


def whole(value: float | Interval | None, start: str | Interval | None = "2025-02-20", **more: object) -> Entry:
    return result("whole", value, start, source="Observation/w", **more)


def percent(value: float | Interval | None, start: str | Interval | None = "2025-02-20", **more: object) -> Entry:
    return result("percent", value, start, source="Observation/p", **more)


@pytest.mark.parametrize(
    ("count", "share", "value"),
    [
        (2.5, 40, exactly(1)),
        (2.4, 40, exactly(0.96)),
        (0, 40, exactly(0)),
        (3, below(10), Interval(0, 0.3, True, True)),
        (below(2), 40, Interval(0, 0.8, True, True)),
        (Interval(2, 3), 50, Interval(1, 1.5)),
        (None, 40, None),
        (2.5, None, None),
    ],
)
def test_a_count_is_made_of_a_count_and_a_percentage(
    count: float | Interval | None, share: float | Interval | None, value: Interval | None
) -> None:
    assert latest(whole(count), percent(share), of=DERIVED).value == value


def test_a_derived_count_says_so() -> None:
    (made,) = latest(whole(2.5, says="2.5 10*9/L"), percent(40, says="40 %"), of=DERIVED).evidence
    assert made.source == "Observation/w and Observation/p"
    assert made.says == "2.5 10*9/L × 40 %"
    assert made.note == "derived from a count and a percentage"


@pytest.mark.parametrize(
    "parts",
    [
        [whole(2.5)],
        [percent(40)],
        [whole(2.5), percent(40, "2025-02-19")],
        [whole(2.5, FEBRUARY), percent(40, FEBRUARY)],
        [whole(2.5, None), percent(40, None)],
    ],
)
def test_both_are_needed_of_one_certain_day(parts: list[Entry]) -> None:
    assert latest(*parts, of=DERIVED).value is None


def test_a_direct_result_of_the_day_comes_first() -> None:
    assert latest(whole(2.5), percent(20), lab(3), of=DERIVED).value == exactly(3)
    # a direct one that can't be used neither takes the other back nor lets it reassure
    assert show_number(number(latest(whole(2.5), percent(20), lab(None), of=DERIVED))) == "≤0.5"
    assert latest(whole(2.5), percent(20), lab(3, "2025-02-19"), of=DERIVED).value == exactly(0.5)


def test_a_derived_count_of_a_preliminary_part_never_reassures() -> None:
    value = latest(whole(9), percent(50, status="preliminary"), of=DERIVED).value
    assert value is None or (isinstance(value, Interval) and less(value, exactly(1)) is None)


# Multiples of the upper limit.


@pytest.mark.parametrize(
    ("value", "upper", "site", "ratio"),
    [
        (80, 40.0, 0, exactly(2)),
        (40, 40.0, 0, exactly(1)),
        (80, None, 40, exactly(2)),
        (80, 20.0, 40, exactly(4)),
        (80, None, 0, None),
        (None, 40.0, 0, None),
        (above(80), 40.0, 0, above(2)),
        (0.3, 0.1, 0, exactly(3)),
    ],
)
def test_a_multiple_of_the_results_own_limit_or_the_sites(
    value: float | Interval | None, upper: float | None, site: float, ratio: Interval | None
) -> None:
    assert latest(lab(value, upper=upper), of=RATIO, site=site).value == ratio


def test_why_there_is_no_multiple() -> None:
    assert latest(lab(80), of=RATIO).why == "no upper reference limit"


# The last two.


def test_an_unusable_result_counts_as_none_of_the_last_two_and_does_not_reassure() -> None:
    failed = lab(None, "2025-02-25", source="Observation/3", note="clotted")
    found = latest(lab(3, "2025-02-10"), lab(2, "2025-02-20"), failed, of=LAST2)
    assert show_number(number(found)) == "≤2"
    assert latest(lab(3, "2025-02-10"), failed, of=LAST2).value is None


def test_the_worst_of_the_last_two_days_counts() -> None:
    entries = [lab(0.5, "2025-02-01", "O/1"), lab(3, "2025-02-10", "O/2"), lab(2, "2025-02-20", "O/3")]
    assert latest(*entries, of=LAST2).value == exactly(2)
    assert latest(*entries[:2], of=LAST2).value == exactly(0.5)
    found = latest(entries[0], of=LAST2)
    assert (found.value, found.why) == (None, "only 1 of the 2 results needed")


def test_two_results_of_one_day_are_one() -> None:
    assert latest(lab(2), lab(3, source="O/2"), of=LAST2).why == "only 1 of the 2 results needed"


@pytest.mark.parametrize("extra", [lab(0.5, "2025-02-25", "O/3", status="preliminary"), lab(0.5, None, "O/3")])
def test_a_worse_result_that_may_be_the_latest_is_not_left_out_of_the_last_two(extra: Entry) -> None:
    value = latest(lab(3, "2025-02-10", "O/1"), lab(2, "2025-02-20", "O/2"), extra, of=LAST2).value
    assert value is None or (isinstance(value, Interval) and less(value, exactly(1)) is not False)


# The worst since the start.


def test_the_extreme_since_the_start() -> None:
    entries = [lab(0.4, "2023-12-31", "O/1"), lab(0.8, "2024-06-01", "O/2"), lab(3, "2025-02-20", "O/3")]
    found = latest(*entries, drug("2024-01-01"), of=LOWEST)
    assert (found.value, [entry.source for entry in found.evidence]) == (exactly(0.8), ["O/2"])
    assert latest(*entries, drug("2024-01-01"), of=HIGHEST).value == exactly(3)


def test_without_a_start_all_count_and_without_results_it_is_unknown() -> None:
    assert latest(lab(0.4, "2023-12-31"), of=LOWEST).value == exactly(0.4)
    assert latest(of=LOWEST).why == "no result since the start"
    assert latest(lab(None, note="no unit"), of=LOWEST).why == "no unit"


def test_an_unusable_result_leaves_the_extreme_open_on_its_side_only() -> None:
    value = latest(lab(0.8), lab(None, "2025-02-10", "O/2"), of=LOWEST).value
    assert isinstance(value, Interval)
    assert less(value, exactly(1)) is True
    assert less(value, exactly(0.5)) is None


def test_a_result_that_may_be_of_before_the_start_only_bounds_the_extreme() -> None:
    early = lab(0.4, Interval(738886, 739251), "O/1")
    lowest = latest(early, lab(3, "2025-02-20", "O/2"), drug("2024-01-02"), of=LOWEST).value
    assert isinstance(lowest, Interval)
    assert (less(lowest, exactly(1)), less(lowest, exactly(0.4)), less(exactly(3), lowest)) == (None, False, False)
    highest = latest(early, lab(0.2, "2025-02-20", "O/2"), drug("2024-01-02"), of=HIGHEST).value
    assert isinstance(highest, Interval)
    assert (less(highest, exactly(0.2)), less(exactly(0.3), highest), less(exactly(0.4), highest)) == (
        False,
        None,
        False,
    )


# What must hold of any results.

VALUES = st.one_of(
    st.integers(0, 6).map(lambda n: exactly(n / 2)), st.sampled_from([None, below(1), above(1), Interval(0.5, 1.5)])
)
STARTS = st.one_of(st.none(), st.sampled_from([FEBRUARY, MARCH]), st.integers(TODAY - 40, TODAY + 2).map(exactly))
LABS = st.lists(
    st.builds(
        lambda value, start, status, n: lab(value, start, f"O/{n}", status=status),
        VALUES,
        STARTS,
        st.sampled_from(["final", "preliminary"]),
        st.integers(1, 99),
    ),
    min_size=1,
    max_size=4,
)


def is_low(entries: list[Entry], of: Fact) -> bool | None:
    value = latest(*entries, of=of).value
    return less(value, exactly(1)) if isinstance(value, Interval) else None


@pytest.mark.parametrize("fact", [COUNT, LOWEST])
@pytest.mark.parametrize("lost", ["value", "start"])
@given(LABS, st.data())
def test_losing_a_value_or_a_date_never_reassures(
    lost: str, fact: Fact, entries: list[Entry], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    start = entries[place].start
    if lost == "start" and start is not None and start.low > TODAY:
        return  # an event of the future that loses its day becomes one that may have been
    corrupted = [entry._replace(**{lost: None}) if n == place else entry for n, entry in enumerate(entries)]  # type: ignore[arg-type]
    assert is_low(corrupted, fact) is not False or is_low(entries, fact) is False


@given(LABS)
def test_a_result_reassures_only_where_some_settled_one_does(entries: list[Entry]) -> None:
    if is_low(entries, COUNT) is False:
        assert any(
            entry.status == "final" and entry.value is not None and less(entry.value, exactly(1)) is False
            for entry in entries
        )


@given(LABS)
def test_the_value_is_never_everything(entries: list[Entry]) -> None:
    for fact in (COUNT, HIGH, LOWEST, HIGHEST):
        found = latest(*entries, of=fact)
        assert found.value != EVERYTHING
        assert (found.value is not None) or found.why


def test_the_highest_as_a_multiple_of_its_own_upper_limit() -> None:
    times = k.Extreme(name="x", extreme=("lab",), worst="high", times_upper_limit=True, upper_limit="upper", **TITLES)
    own, none = lab(90, "2024-06-01", upper=30.0), lab(80, "2024-07-01", "O/2")
    treated = drug("2024-01-01")
    found = known(times, own, none, treated, parameters={"upper": 0})
    assert found.value is not None
    assert found.value.low == 3
    assert known(times, own, none, treated, parameters={"upper": 20}).value == exactly(4)
    assert known(times, own, treated, parameters={"upper": 20}).value == exactly(3)
