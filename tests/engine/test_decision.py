"""The decision: the gravest action, in what order things are listed, and what is missing, asked and ignored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from precaution.engine.answer import Decision, Missing, grave
from precaution.engine.decision import decide
from precaution.knowledge import fact_kinds as k
from precaution.knowledge import model as d
from precaution.knowledge.expression import parse
from precaution.knowledge.refers import STAGES, Stage
from precaution.values.interval import below
from precaution.values.record import Entry, Ignored, Unrecognised
from precaution.writers.text import sentence
from support.engine_builders import ACTIONS, TODAY, answer, ask, condition, drug, entry, label, record, result

PAST = k.Ever(name="past", topic="t", title="history of C", ever=("c",), absent="no-if-list-complete")
OTHER = k.Ever(name="other", topic="t", title="history of D", ever=("d",), absent="no-if-list-complete")
LAB = k.Latest(name="lab", topic="t", title="a count", latest=("lab",), worst="low")
AGREED, SECOND = ask("agreed", "A10"), ask("second", "A2")


def rule(name: str, when: str, then: str, unknown: str = "obtain", **more: object) -> d.Rule:
    at = {stage: parse(when) for stage in STAGES}
    given = {
        "name": name,
        "topic": "t",
        "title": name,
        "cites": ("S1",),
        "when": at,
        "then": dict.fromkeys(STAGES, then),
        "if_unknown": dict.fromkeys(STAGES, unknown),
        "tell": name,
    }
    return d.Rule(**{**given, **more})  # type: ignore[arg-type]


def made(
    *definitions: d.Rule | d.Duty | d.Ask,
    entries: tuple[Entry, ...] = (),
    stage: Stage | None = "before-start",
    everything: bool = False,
    **more: object,
) -> Decision:
    return decide(
        record(*entries, **more),
        label(PAST, OTHER, LAB, AGREED, SECOND, *definitions),
        TODAY,
        stage,
        everything=everything,
    ).decision  # type: ignore[arg-type]


C, D = condition("c"), condition("d")


def test_nothing_against_it_is_clear() -> None:
    found = made(rule("r", "past", "do-not-start"))
    assert (found.action, found.attested, found.findings, found.missing) == ("clear", False, (), ())
    assert (found.today, found.stage, found.stage_why, found.start) == ("2025-03-01", "before-start", "given", "")


@pytest.mark.parametrize("first", ACTIONS[:-1])
def test_the_gravest_action_is_the_decision(first: str) -> None:
    for second in ACTIONS[:-1]:
        pair = [each.removesuffix("+attested") for each in (first, second)]
        found = made(rule("one", "past", pair[0]), rule("two", "past", pair[1]), entries=(C,))
        assert found.action == min(pair, key=ACTIONS.index)


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_an_action_is_attested_only_where_every_rule_that_asks_for_it_is(names: str) -> None:
    attested = rule("a", "past", "caution", attest="agreed")
    rules = {"a": attested, "b": rule("b", "other", "caution")}
    yes = answer("agreed", "yes")
    found = made(*(rules[name] for name in names), entries=(C, D, yes))
    assert (found.action, found.attested) == ("caution", False)
    found = made(*(rules[name] for name in names), entries=(C, yes))
    assert (found.action, found.attested) == ("caution", True)


def test_an_attested_action_ranks_below_one_that_must_be_known_first() -> None:
    attested = rule("a", "past", "only-if-no-alternative", attest="agreed")
    yes = answer("agreed", "yes")
    found = made(attested, entries=(C, yes))
    assert (found.action, found.attested) == ("only-if-no-alternative", True)
    found = made(attested, rule("b", "lab < 1", "do-not-start"), entries=(C, yes))
    assert (found.action, found.attested) == ("obtain", False)
    found = made(attested, rule("c", "past", "only-if-no-alternative"), entries=(C, yes))
    assert (found.action, found.attested) == ("only-if-no-alternative", False)


def test_the_rank_of_actions() -> None:
    of = label()
    assert [grave(action, False, of) for action in ("discontinue", "clear")] == [0, len(ACTIONS) - 1]
    assert (
        grave("only-if-no-alternative", True, of)
        > grave("obtain", False, of)
        > grave("only-if-no-alternative", False, of)
    )
    assert grave("caution", True, of) == grave("caution", False, of)


def test_findings_stand_gravest_first_then_urgent_then_known() -> None:
    found = made(
        rule("caution", "past", "caution"),
        rule("unknown", "lab < 1", "do-not-start", "do-not-start"),
        rule("b", "past", "do-not-start"),
        rule("urgent", "past", "do-not-start", urgent=parse("past")),
        rule("a", "past", "do-not-start"),
        entries=(C,),
    )
    assert [each.rule for each in found.findings] == ["urgent", "a", "b", "unknown", "caution"]


def test_what_does_not_hold_is_listed_on_request_and_last() -> None:
    rules = rule("no", "other", "discontinue"), rule("yes", "past", "due")
    assert [each.rule for each in made(*rules, entries=(C,)).findings] == ["yes"]
    assert [(each.rule, each.state) for each in made(*rules, entries=(C,), everything=True).findings] == [
        ("yes", "holds"),
        ("no", "no"),
    ]


def test_a_duty_adds_its_action() -> None:
    screen = d.Duty(
        name="s",
        topic="t",
        title="S",
        cites=("S1",),
        stages=("before-start",),
        tell="s",
        done_when=parse("past"),
        action="screen",
    )
    assert made(screen).action == "screen"
    assert made(screen, entries=(C,)).action == "clear"


# What is missing, and what is asked.


def test_what_is_missing_says_why_and_for_what() -> None:
    found = made(rule("b", "lab < 1", "do-not-start"), rule("a", "past and lab < 2", "caution"), entries=(C,))
    assert found.missing == (Missing("lab", "a count", "no result on record", ("b", "a")),)


def test_only_what_would_settle_it_is_missing() -> None:
    assert made(rule("r", "past or lab < 1", "caution"), entries=(C,)).missing == ()
    assert [each.fact for each in made(rule("r", "other and lab < 1", "caution"), entries=(C,)).missing] == []


def test_a_value_too_vague_to_decide_is_missing_too() -> None:
    """`<2` does not tell whether it is below 1: the reader must learn that a better result would settle it."""
    found = made(rule("r", "lab < 1", "do-not-start"), entries=(result("lab", below(2)),))
    assert (found.action, found.findings[0].state) == ("obtain", "unknown")
    assert found.findings[0].evidence
    assert found.missing == (Missing("lab", "a count", "<2 is on both sides of the limit", ("r",)),)
    assert found.findings[0].why == "<2 is on both sides of the limit"


def test_asks_that_matter_in_the_order_of_their_numbers() -> None:
    rules = (
        rule("a", "past", "weigh", attest="agreed"),
        rule("b", "past", "weigh", attest="second"),
        rule("c", "other", "weigh", attest="second"),
    )
    assert [each.ask for each in made(*rules, entries=(C,)).asks] == ["second", "agreed"]
    assert made(*rules).asks == ()


def test_an_answer_is_shown_with_its_day_or_why_it_no_longer_counts() -> None:
    [open_] = made(rule("a", "past", "weigh", attest="agreed"), entries=(C,)).asks
    assert (open_.answered, open_.date, open_.void, open_.number, open_.cites) == (None, "", "", "A10", ("S1",))
    [yes] = made(entries=(answer("agreed", "yes"),)).asks
    assert (yes.answered, yes.date, yes.void) == ("yes", "2025-02-25", "")
    [two] = made(entries=(answer("agreed", "yes", source="Q/1"), answer("agreed", "no", source="Q/2"))).asks
    assert (two.answered, two.void) == (None, "answered differently on days that may be the same")


# The stage.


def test_a_doubt_about_the_stage_must_be_settled_first() -> None:
    found = made(entries=(drug("2024-01-01", certainty="mentioned"),), stage=None)
    assert (found.stage, found.action, found.missing[0].fact) == ("on-treatment", "obtain", "stage")
    assert found.stage_not_known()
    assert sentence(found).startswith("Stage not known, perhaps on examplinib: ")
    given = made(entries=(drug("2024-01-01", certainty="mentioned"),))  # the caller says it
    assert (given.action, given.stage_not_known()) == ("clear", False)
    besides = made(entries=(drug("2023-01-01"), drug("2024-01-01", certainty="mentioned")), stage=None)
    assert (besides.stage, besides.stage_not_known()) == ("on-treatment", False)


def test_a_part_of_a_record_is_never_clear() -> None:
    found = made(partial=True)
    assert (found.action, found.missing[0].fact) == ("obtain", "record")


def test_without_a_list_of_medications_the_stage_is_a_question() -> None:
    assert made(stage=None, lists=()).action == "obtain"
    assert made(stage=None, lists={"medication"}).action == "clear"


def test_the_start_is_shown() -> None:
    assert made(entries=(drug("2024-01-01"),), stage=None).start == "2024-01-01"


HOLD = rule("h", "lab < 1", "stay-interrupted", release=parse("lab >= 1"), held=parse("past"), resume="a count of 1")
ON_HOLD = drug("2024-01-01", None, "held")


@pytest.mark.parametrize(
    ("entries", "action"),
    [
        ((C, result("lab", 3)), "may-resume"),
        ((C, result("lab", 0.5)), "stay-interrupted"),
        ((C,), "stay-interrupted"),
        ((result("lab", 3),), "obtain"),  # nothing explains the interruption
    ],
)
def test_resuming_needs_a_reason_that_is_over(entries: tuple[Entry, ...], action: str) -> None:
    found = made(HOLD, entries=(ON_HOLD, *entries), stage=None)
    assert (found.stage, found.action) == ("interrupted", action)
    assert ("reason-for-interruption" in {each.fact for each in found.missing}) == (action == "obtain")


def test_every_hold_needs_its_own_release() -> None:
    second = rule("g", "other", "stay-interrupted", release=parse("not other"))
    found = made(HOLD, second, entries=(ON_HOLD, C, D, result("lab", 3)), stage=None)
    assert (found.action, [(each.rule, each.state) for each in found.holds]) == (
        "stay-interrupted",
        [("g", "open"), ("h", "released")],
    )


# What does not count.


def test_what_is_after_the_day_is_ignored_and_said() -> None:
    found = made(
        rule("r", "past", "caution"),
        entries=(condition(start="2025-03-02"), entry("lab", "order", "2025-04-01", status="planned")),
    )
    assert (found.action, found.ignored) == ("clear", (Ignored("condition/c", "after the day of the decision"),))


def test_what_the_reader_ignored_or_did_not_know_is_passed_on() -> None:
    ignored, unknown = Ignored("Condition/1", "entered-in-error"), Unrecognised("Condition/2", "urn:x", "y", "z")
    found = made(ignored=(ignored,), unrecognised=(unknown,))
    assert (found.ignored, found.unrecognised) == ((ignored,), (unknown,))


def test_the_policy_is_named() -> None:
    of = replace(label(), policy={"window": "7 days"}, digest="another")
    assert decide(record(), of, TODAY).decision.policy == {"window": "7 days"}


@pytest.mark.parametrize("today", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_no_crash(today: str) -> None:
    from support.engine_builders import day

    assert (
        decide(record(C, result("lab", 1)), label(PAST, LAB, rule("r", "past", "caution")), day(today)).decision.today
        == today
    )


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ([("second", "a", "weigh"), ("first", "b", "weigh")], "b"),
        ([("other", "a", "weigh"), ("second", "b", "weigh")], "b"),
        ([("other", "a", "weigh"), ("t", "b", "weigh")], "a"),
        ([("second", "a", "interrupt"), ("first", "b", "weigh")], "a"),
        ([("second", "a", "screen"), ("first", "b", "obtain")], "b"),
        ([("second", "a", "obtain"), ("first", "b", "caution")], "a"),
    ],
)
def test_the_first_of_several_reasons_is_that_of_the_label_s_order(
    rules: list[tuple[str, str, str]], reason: str
) -> None:
    every = [rule(name, "past", then, topic=topic) for topic, name, then in rules]
    ordered = replace(
        label(PAST, OTHER, LAB, *every), reasons=("first", "second"), topics=("first", "other", "second", "t")
    )
    found = decide(record(C), ordered, TODAY, "before-start").decision
    assert found.reason == reason


def test_an_urgent_reason_comes_first() -> None:
    every = [
        rule("a", "past", "obtain", topic="first"),
        rule("b", "past", "obtain", topic="second", urgent=parse("past")),
    ]
    ordered = replace(label(PAST, OTHER, LAB, *every), reasons=("first", "second"))
    assert decide(record(C), ordered, TODAY, "before-start").decision.reason == "b"


def test_a_duty_may_be_the_reason() -> None:
    duty = d.Duty(
        name="early", topic="first", cites=("S1",), tell="x", stages=STAGES, when=parse("past"), action="screen"
    )
    every = [rule("a", "past", "obtain", topic="second"), duty]
    ordered = replace(label(PAST, OTHER, LAB, *every), reasons=("first", "second"))
    assert decide(record(C), ordered, TODAY, "before-start").decision.reason == "early"


def test_nothing_is_the_reason_where_all_is_clear() -> None:
    assert made(rule("r", "past", "do-not-start")).reason == ""


@pytest.mark.parametrize(("entries", "asked"), [((D,), False), ((C, D), True), ((), False)])
def test_a_question_is_asked_of_those_whom_it_is_for(entries: tuple[Entry, ...], asked: bool) -> None:
    only_some = ask("some", "A3", when=parse("past"))
    found = made(only_some, rule("r", "other", "weigh", attest="some"), entries=entries, lists=("condition",))
    assert ("some" in [each.ask for each in found.asks]) == asked


def test_an_answer_is_shown_to_whomever_the_question_is_for() -> None:
    only_some = ask("some", "A3", when=parse("past"))
    found = made(only_some, rule("r", "other", "weigh", attest="some"), entries=(D, answer("some", "yes")))
    assert [(each.ask, each.answered) for each in found.asks] == [("some", "yes")]


def test_an_answer_that_can_not_be_relied_on_is_no_answer() -> None:
    doubted = answer("agreed", "")._replace(certainty="mentioned", note="a modifier extension may change its meaning")
    found = made(rule("r", "agreed", "weigh"), entries=(doubted,))
    ((_, state),) = [(each.rule, each.state) for each in found.findings]
    assert state == "unknown"
    assert [each.answered for each in found.asks] == [None]
