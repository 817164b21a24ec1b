"""Facts that are true or false: ever, active, repeated and planned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.engine.chart import Known
from precaution.knowledge import fact_kinds as k
from precaution.knowledge.fact import Fact
from precaution.values.interval import Interval, exactly
from precaution.values.logic import Truth
from precaution.values.record import UNREADABLE, Entry
from support.engine_builders import (
    EVERY_LIST,
    FEBRUARY,
    MARCH,
    TODAY,
    condition,
    drug,
    entry,
    facts,
    known,
    label,
    on,
    span,
)

TITLES = {"topic": "t", "title": "a history"}
NUMBERS = {"window": 365, "short": 30, "long": 90, "three": 3, "apart": 14}


def ever(**more: object) -> k.Ever:
    return k.Ever(**{"name": "x", "ever": ("c",), "absent": "no-if-list-complete", **TITLES, **more})  # type: ignore[arg-type]


def active(**more: object) -> k.Active:
    return k.Active(**{"name": "x", "active": ("c",), "absent": "no-if-list-complete", **TITLES, **more})  # type: ignore[arg-type]


REPEATED = k.Repeated(
    name="x", repeated=("c",), absent="no-if-list-complete", at_least="three", within="window", apart="apart", **TITLES
)


def planned(**more: object) -> k.Planned:
    return k.Planned(**{"name": "x", "planned": ("c",), **TITLES, **more})  # type: ignore[arg-type]


def found(fact: Fact, *entries: Entry, **more: object) -> Known:
    return known(fact, *entries, parameters=NUMBERS, **more)


def unreadable(kind: str = "condition", start: str | None = "2024-01-01") -> Entry:
    return entry(UNREADABLE[kind], kind, start, certainty="mentioned")  # type: ignore[arg-type]


# What it means that there is nothing.


@pytest.mark.parametrize("fact", [ever(), active(), REPEATED])
@pytest.mark.parametrize(
    ("lists", "truth"), [(EVERY_LIST, False), ({"condition"}, False), ({"medication"}, None), ((), None)]
)
def test_nothing_is_no_only_where_the_list_is_there(fact: Fact, lists: set[str], truth: Truth) -> None:
    none = found(fact, lists=lists)
    assert none.value is truth
    assert none.why == ("" if truth is False else "nothing on record, and no condition list to rely on")


@pytest.mark.parametrize(("absent", "truth"), [("unknown", None), ("no", False)])
def test_a_fact_says_what_absence_means(absent: str, truth: Truth) -> None:
    assert found(ever(absent=absent), lists=EVERY_LIST).value is truth
    assert found(ever(absent=absent), lists=()).value is truth


def test_a_site_may_believe_only_a_list_that_is_attested_or_call_its_own_complete() -> None:
    strict, own = (
        label(ever(), absence="attested", **NUMBERS),
        label(ever(), absence="attested", complete=["condition"], **NUMBERS),
    )
    assert facts(strict)["x"] is None
    assert facts(strict, attested=frozenset({"condition"}))["x"] is False
    assert facts(own)["x"] is False
    assert facts(own, lists=())["x"] is False


def test_the_list_is_the_facts_own() -> None:
    assert found(ever(list="medication"), lists={"condition"}).value is None
    assert found(ever(list="medication"), lists={"medication"}).value is False


# What an entry says.


@pytest.mark.parametrize("status", ["active", "ended", "unknown"])
def test_ever_is_at_any_time(status: str) -> None:
    yes = found(ever(), condition(start="1990-01-01", status=status))
    assert (yes.value, yes.considered, yes.since) == (True, 1, on("1990-01-01"))


@pytest.mark.parametrize("fact", [ever(), active()])
@pytest.mark.parametrize("certainty", ["suspected", "mentioned"])
def test_what_is_not_certain_is_a_question_never_a_no(fact: Fact, certainty: str) -> None:
    doubt = found(fact, condition(certainty=certainty))
    assert doubt.value is None
    assert doubt.why.startswith("condition/c ")


@pytest.mark.parametrize("fact", [ever(suspected_counts=True), active(suspected_counts=True)])
def test_a_suspicion_may_count(fact: Fact) -> None:
    assert found(fact, condition(certainty="suspected")).value is True
    assert found(fact, condition(certainty="mentioned")).value is None


@pytest.mark.parametrize("fact", [ever(), active()])
def test_a_site_may_take_a_suspicion_for_a_diagnosis(fact: Fact) -> None:
    assert facts(label(fact, suspected="yes", **NUMBERS), condition(certainty="suspected"))["x"] is True


@pytest.mark.parametrize("fact", [ever(), active(), REPEATED])
def test_an_unreadable_entry_of_the_list_forbids_a_no(fact: Fact) -> None:
    parameters = {**NUMBERS, "three": 1}
    assert known(fact, unreadable(start="2025-01-01"), parameters=parameters).value is None
    assert known(fact, unreadable("medication", "2025-01-01"), parameters=parameters).value is False


@pytest.mark.parametrize("fact", [ever(doubt=("d",)), active(doubt=("d",))])
def test_a_doubtful_concept_only_raises_a_question(fact: Fact) -> None:
    assert found(fact, condition("d")).value is None
    assert found(fact, condition("d"), condition("c")).value is True


def test_one_certain_yes_settles_it() -> None:
    yes = found(ever(), condition(certainty="mentioned", source="C/1"), condition(source="C/2"), unreadable())
    assert (yes.value, [each.source for each in yes.evidence]) == (True, ["C/2"])


@pytest.mark.parametrize(
    "future",
    [
        condition(start="2025-03-02"),
        condition(start=None, recorded=on("2025-03-02")),
        entry("c", "order", "2025-01-01", status="planned"),
        condition(status="planned"),
    ],
)
def test_what_is_planned_or_of_the_future_has_not_happened(future: Entry) -> None:
    assert found(ever(), future).value is False


@pytest.mark.parametrize(
    ("start", "truth"),
    [
        ("2024-03-01", True),
        ("2024-02-29", False),
        (None, None),
        (span("2024-01-01", "2024-12-31"), None),
        ("2025-03-01", True),
        (MARCH, True),
    ],
)
def test_ever_in_a_window(start: str | Interval | None, truth: Truth) -> None:
    assert found(ever(within="window"), condition(start=start)).value is truth


def test_an_undated_entry_may_count_as_within() -> None:
    assert found(ever(within="window", undated="yes"), condition(start=None)).value is True
    assert found(ever(within="window", undated="yes"), condition(start="1990-01-01")).value is False


def test_the_day_of_recording_stands_in_for_the_onset() -> None:
    assert found(ever(within="window"), condition(start=None, recorded=on("2025-01-01"))).value is True


@pytest.mark.parametrize(
    ("start", "truth"),
    [
        ("2024-06-01", True),
        ("2024-05-31", False),
        (span("2024-05-01", "2024-06-30"), None),
        (None, None),
        ("2025-01-01", True),
    ],
)
@pytest.mark.parametrize("fact", [ever(since_start=True), active(since_start=True)])
def test_since_the_start_of_treatment(fact: Fact, start: str | Interval | None, truth: Truth) -> None:
    assert found(fact, condition(start=start), drug("2024-06-01")).value is truth


def test_since_a_start_that_is_not_known() -> None:
    assert found(ever(since_start=True), condition(), drug(None)).value is None


# Active.


@pytest.mark.parametrize(
    ("status", "end", "truth"),
    [
        ("active", None, True),
        ("active", "2025-03-02", True),
        ("active", "2025-03-01", None),
        ("active", MARCH, None),
        ("active", "2025-01-01", None),  # its words and its end contradict each other
        ("ended", None, False),
        ("ended", "2025-01-01", False),
        ("ended", MARCH, None),
        ("ended", "2025-03-02", True),
        ("unknown", None, None),
        ("unknown", "2025-01-01", False),
        ("unknown", "2025-03-02", None),
        ("unknown", MARCH, None),
    ],
)
def test_whether_a_condition_is_present(status: str, end: str | Interval | None, truth: Truth) -> None:
    assert found(active(), condition(status=status, end=on(end))).value is truth


@pytest.mark.parametrize(("start", "truth"), [("2025-01-30", True), ("2025-01-29", None), (None, None)])
def test_a_condition_without_a_status_is_believed_for_a_time(start: str | None, truth: Truth) -> None:
    assert found(active(recent="short"), condition(start=start, status="unknown")).value is truth
    assert found(active(without_status="active"), condition(start=start, status="unknown")).value is True


@pytest.mark.parametrize(
    ("start", "truth"),
    [
        ("2024-11-30", True),
        ("2024-12-01", False),
        (None, None),
        (span("2024-11-01", "2024-12-31"), None),
    ],
)
def test_active_for_longer_than(start: str | Interval | None, truth: Truth) -> None:
    assert found(active(longer_than="long"), condition(start=start)).value is truth


@pytest.mark.parametrize(
    ("start", "truth"), [("2025-01-30", True), ("2025-01-29", False), (None, None), (FEBRUARY, True)]
)
def test_an_active_entry_may_grow_stale(start: str | Interval | None, truth: Truth) -> None:
    assert found(active(stale="short"), condition(start=start)).value is truth


def taken(
    start: str | None = "2024-01-01", end: str | Interval | None = None, status: str = "active", **more: object
) -> Entry:
    return drug(start, end, status, "c", **more)


@pytest.mark.parametrize(
    ("only", "truth"),
    [
        (taken("2024-03-01"), True),
        (taken("2024-02-29"), None),
        (taken(None), None),  # an open order grows old
        (taken(end="2025-03-01"), True),
        (taken(end="2025-02-28"), False),
        (taken(end=MARCH), True),
        (taken("1990-01-01", "2025-04-01"), True),
        (taken(status="ended"), False),
        (taken(end="2025-01-01", status="ended"), False),
        (taken(status="held"), False),
        (taken(status="unknown"), None),
        (taken(end="2025-01-01", status="unknown"), False),
        (taken(end="2025-06-01", status="unknown"), None),
        (taken(status="planned"), False),
        (taken(certainty="mentioned"), None),
        (taken("2025-03-02"), False),
    ],
)
def test_whether_a_drug_is_taken(only: Entry, truth: Truth) -> None:
    assert found(active(list="medication", recent="window"), only).value is truth


# Repeated.


def episodes(*days: str | Interval | None, **more: object) -> Truth:
    value = found(REPEATED, *(condition(start=day, source=f"C/{n}", **more) for n, day in enumerate(days))).value
    assert value is None or isinstance(value, bool)
    return value


@pytest.mark.parametrize(
    ("days", "truth"),
    [
        (("2024-05-01", "2024-07-01", "2024-09-01"), True),
        (("2024-05-01", "2024-07-01"), False),
        (("2024-05-01", "2024-05-15", "2024-05-29"), True),
        (("2024-05-01", "2024-05-14", "2024-05-29"), False),
        (("2024-05-01", "2024-05-01", "2024-05-01"), False),
        (("2024-02-29", "2024-07-01", "2024-09-01"), False),
        (("2024-03-01", "2024-07-01", "2024-09-01"), True),
        (("2024-05-01", "2024-07-01", None), None),
        (("2024-05-01", "2024-07-01", FEBRUARY), None),
        ((None, None), False),
        ((None, None, None), None),
    ],
)
def test_episodes_in_a_window_and_apart(days: tuple[str | Interval | None, ...], truth: Truth) -> None:
    assert episodes(*days) is truth


def test_episodes_that_are_not_certain() -> None:
    assert episodes("2024-05-01", "2024-07-01", "2024-09-01", certainty="suspected") is None


# Planned.


def order(start: str | Interval | None = "2025-03-20", **more: object) -> Entry:
    return entry("c", "order", start, **{"status": "planned", **more})


@pytest.mark.parametrize(
    ("start", "truth"),
    [
        ("2025-03-01", True),
        ("2025-03-31", True),
        ("2025-04-01", False),
        (span("2025-03-20", "2025-04-20"), None),
        (None, None),
        ("2025-02-28", None),
        ("2025-01-29", False),
        (span("2025-02-20", "2025-03-10"), True),
    ],
)
def test_planned_for_the_coming_days(start: str | Interval | None, truth: Truth) -> None:
    """A day that has passed leaves it open for as long whether it was done."""
    assert found(planned(ahead="short"), order(start)).value is truth


def test_planned_at_any_time() -> None:
    assert found(planned(), order()).value is True
    assert found(planned(), order(None)).value is True
    assert found(planned(), order("2030-01-01")).value is True
    assert found(planned()).value is False
    assert found(planned(), condition()).value is False
    assert found(planned(), order(certainty="mentioned")).value is None
    assert found(planned(), order(recorded=on("2025-03-02"))).value is False  # written down after the day


# What must hold of any entries.

STARTS = st.one_of(
    st.none(),
    st.sampled_from([FEBRUARY, span("2024-01-01", "2024-12-31")]),
    st.integers(TODAY - 400, TODAY).map(exactly),
)
ENTRIES = st.lists(
    st.builds(
        lambda start, end, status, certainty, n: condition(
            "c", start, status, end=end, certainty=certainty, source=f"C/{n}"
        ),
        STARTS,
        STARTS,
        st.sampled_from(["active", "ended", "unknown"]),
        st.sampled_from(["certain", "suspected", "mentioned"]),
        st.integers(1, 99),
    ),
    min_size=1,
    max_size=4,
)
FACTS = [
    ever(),
    ever(within="window"),
    ever(since_start=True),
    active(),
    active(recent="short"),
    active(stale="short"),
    active(longer_than="long"),
    active(without_status="active"),
    REPEATED,
]


@pytest.mark.parametrize("fact", FACTS)
@given(ENTRIES, st.data(), st.sampled_from(["mentioned", "undated", "unreadable", "no status"]))
def test_corrupting_an_entry_never_turns_a_yes_into_a_no(
    fact: Fact, entries: list[Entry], data: st.DataObject, how: str
) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    changes: dict[str, dict[str, object]] = {
        "mentioned": {"certainty": "mentioned"},
        "undated": {"start": None, "end": None},
        "no status": {"status": "unknown"},
        "unreadable": {"certainty": "mentioned", "concept": UNREADABLE["condition"]},
    }
    if how == "undated" and entries[place].status == "ended":
        return  # without its end, an ended condition is still an ended one
    corrupted = [each._replace(**changes[how]) if n == place else each for n, each in enumerate(entries)]  # type: ignore[arg-type]
    treated = drug("2024-06-01")
    before, after = found(fact, *entries, treated).value, found(fact, *corrupted, treated).value
    assert not (before is True and after is False)
    if how in ("mentioned", "unreadable"):
        assert not (before is None and after is False)


@pytest.mark.parametrize("fact", FACTS)
@given(ENTRIES)
def test_a_missing_list_only_takes_certainty_away(fact: Fact, entries: list[Entry]) -> None:
    treated = drug("2024-06-01")
    listed, unlisted = found(fact, *entries, treated).value, found(fact, *entries, treated, lists=()).value
    assert unlisted is listed or (listed is False and unlisted is None)
