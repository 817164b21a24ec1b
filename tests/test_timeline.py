"""How the decision changed over the record's days."""

from __future__ import annotations

import pytest

from precaution import load_label
from precaution.engine.answer import Decision
from precaution.engine.decision import decide
from precaution.knowledge import fact_kinds as k
from precaution.knowledge import model as d
from precaution.knowledge.expression import parse
from precaution.knowledge.refers import STAGES
from precaution.timeline import timeline
from precaution.values.record import Entry
from support.effort import tries
from support.engine_builders import FEBRUARY, TODAY, condition, day, drug, label, record, result
from support.random_records import AnyRecord

FIRST = load_label()
PEOPLE = AnyRecord(FIRST, TODAY)
PAST = k.Ever(name="past", topic="t", title="history of C", ever=("c",), absent="no-if-list-complete")
LAB = k.Latest(
    name="lab",
    topic="t",
    title="a count",
    latest=("lab",),
    worst="low",
    within=dict.fromkeys(STAGES, "max-age"),
    uses=("max-age",),
)
AGED = k.ReachedAge(name="aged", topic="t", title="aged 65", reached_age_parameter="years")


def rule(name: str, when: str, then: str) -> d.Rule:
    at = {stage: parse(when) for stage in STAGES}
    return d.Rule(
        name=name,
        topic="t",
        title=name,
        cites=("S1",),
        when=at,
        then=dict.fromkeys(STAGES, then),
        tell=name,  # type: ignore[arg-type]
        if_unknown=dict.fromkeys(STAGES, "obtain"),
    )  # type: ignore[arg-type]


LABEL = label(
    PAST,
    LAB,
    AGED,
    rule("c", "past", "caution"),
    rule("low", "lab < 1", "interrupt"),
    rule("old", "aged", "weigh"),
    max_age=28,
    years=65,
)


def changes(
    *entries: Entry, birth: str | None = "2000-01-01", since: str | None = None, until: int = TODAY
) -> list[tuple[str, str, str]]:
    found = timeline(record(*entries, birth=birth), LABEL, until, day(since) if since else None)
    return [(each.today, each.stage, each.action) for each in found]


def test_a_record_without_days_has_one() -> None:
    assert changes() == [("2025-03-01", "before-start", "obtain")]


def test_each_change_has_its_day() -> None:
    assert changes(result("lab", 3, "2025-01-10"), condition(start="2025-01-20"), drug("2025-01-15")) == [
        ("2025-01-10", "before-start", "clear"),
        ("2025-01-15", "on-treatment", "clear"),
        ("2025-01-20", "on-treatment", "caution"),
        ("2025-02-08", "on-treatment", "obtain"),
    ]  # 29 days: the result is too old


def test_an_end_is_a_change() -> None:
    found = changes(drug("2024-01-01", "2024-03-01", "ended"))
    assert found == [("2024-01-01", "on-treatment", "obtain"), ("2024-03-01", "before-start", "obtain")]


def test_an_age_reached_is_a_change() -> None:
    found = changes(result("lab", 3, "2025-02-10"), birth="1960-02-20")
    assert found == [("2025-02-10", "before-start", "clear"), ("2025-02-20", "before-start", "weigh")]


def test_a_partial_day_is_a_change_too() -> None:
    assert [each[0] for each in changes(result("lab", 3, FEBRUARY))][:1] == ["2025-02-01"]


def test_nothing_is_listed_before_since_or_after_until() -> None:
    entries = result("lab", 3, "2025-01-10"), condition(start="2025-01-20")
    assert [each[0] for each in changes(*entries, since="2025-01-20")] == ["2025-01-20", "2025-02-08"]
    assert [each[0] for each in changes(*entries, until=day("2025-01-15"))] == ["2025-01-10"]


def test_no_two_in_a_row_are_the_same_and_each_is_the_decision_of_its_day() -> None:
    entries = (
        result("lab", 3, "2025-01-10"),
        result("lab", 0.5, "2025-02-10"),
        condition(start="2025-01-20"),
        drug("2025-01-15"),
    )
    found = timeline(record(*entries, birth="1960-02-20"), LABEL, TODAY)
    assert [each.today for each in found] == sorted({each.today for each in found})
    assert len({(each.stage, each.action, tuple(f.rule for f in each.findings)) for each in found}) >= 4
    for each in found:
        assert each == decide(record(*entries, birth="1960-02-20"), LABEL, day(each.today)).decision


@pytest.mark.parametrize("between", range(0, 50, 7))
def test_between_two_changes_nothing_changes(between: int) -> None:
    """Any day gives the decision of the last change before it: no change was missed."""
    entries = (result("lab", 3, "2025-01-10"), condition(start="2025-01-20"), drug("2025-01-15", "2025-02-01"))
    patient = record(*entries, birth="1960-02-20")
    today = day("2025-01-10") + between
    last = [each for each in timeline(patient, LABEL, TODAY) if day(each.today) <= today][-1]
    now = decide(patient, LABEL, today).decision
    assert (now.stage, now.action, [(f.rule, f.state) for f in now.findings]) == (
        last.stage,
        last.action,
        [(f.rule, f.state) for f in last.findings],
    )


# With the first label, whose rules and duties look at records in every way


@pytest.mark.parametrize("seed", range(tries(3, 40)))
def test_no_day_on_which_something_changes_is_missed(seed: int) -> None:
    """Every day of a year, decided by itself, is as the last change before it says."""
    patient, until = PEOPLE.made(seed), TODAY
    found = {day(each.today): each for each in timeline(patient, FIRST, until, until - 365)}
    last = None
    for today in range(until - 365, until + 1):
        last = found.get(today, last)
        now = decide(patient, FIRST, today).decision
        if last is not None:
            assert said(now) == said(last), f"day {today - until}"


def said(decision: Decision) -> object:
    findings = {(each.rule, each.state, each.action) for each in decision.findings}
    return decision.stage, decision.action, findings, {(each.duty, each.state) for each in decision.due}
