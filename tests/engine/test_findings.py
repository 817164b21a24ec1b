"""Rules judged for one patient: holds, can't be told, does not hold; answers that soften; holds and their release."""

from __future__ import annotations

import pytest

from precaution.engine.answer import Background, Evidence, Searched
from precaution.engine.compiled import STAY
from precaution.engine.evidence import shown
from precaution.engine.findings import Judged, judge, judge_all
from precaution.engine.memo import remembered
from precaution.knowledge import fact_kinds as k
from precaution.knowledge import model as d
from precaution.knowledge.expression import parse
from precaution.knowledge.refers import STAGES, Stage
from precaution.values.interval import Interval
from precaution.values.record import Entry
from support.engine_builders import FEBRUARY, answer, ask, chart, condition, drug, facts, label, result

PAST = k.Ever(name="past", topic="t", title="history of C", ever=("c",), absent="no-if-list-complete", uses=("window",))
LAB = k.Latest(
    name="lab", topic="t", title="a count", latest=("lab",), worst="low", within=dict.fromkeys(STAGES, "window")
)
LOWEST = k.Extreme(name="lowest", topic="t", title="lowest count", extreme=("lab",), worst="low")
WHOLE = k.Derived(name="whole", topic="t", title="either", expression=parse("past or lab < 1"))
SINCE = k.DaysSince(name="since", topic="t", title="days since C", days_since=("c",), absent="no")
AGREED = ask("agreed", valid="window", about=("past",))
DECIDED = ask("decided", "A2", answers=("continue", "interrupt"), reassures=("continue",))
BEFORE: Stage = "before-start"


def rule(
    when: str = "past",
    then: str = "only-if-no-alternative",
    unknown: str = "obtain",
    stage: Stage = BEFORE,
    **more: object,
) -> d.Rule:
    given = {
        "name": "r",
        "topic": "t",
        "title": "A rule",
        "cites": ("S1",),
        "when": {stage: parse(when)},
        "then": {stage: then},
        "if_unknown": {stage: unknown},
        "tell": "Count {lab} of {past}",
    }
    return d.Rule(**{**given, **more})  # type: ignore[arg-type]


def judged(
    given: d.Rule, *entries: Entry, stage: Stage | None = BEFORE, more: tuple[d.Says, ...] = (), **record: object
) -> Judged | None:
    of = label(PAST, LAB, LOWEST, WHOLE, SINCE, AGREED, DECIDED, given, *more, window=28, counts=True)
    known = facts(of, *entries, stage=stage, **record)
    return next(iter(judge_all(known, everything=True)), None)


def finding(given: d.Rule, *entries: Entry, **more: object) -> tuple[str, str, bool]:
    found = judged(given, *entries, **more)  # type: ignore[arg-type]
    assert found is not None
    return found.finding.state, found.finding.action, found.finding.attested


@pytest.mark.parametrize(
    ("entries", "state", "action"),
    [
        ([condition()], "holds", "only-if-no-alternative"),
        ([], "no", ""),
        ([condition(certainty="suspected")], "unknown", "obtain"),
    ],
)
def test_a_rule_holds_does_not_or_cannot_be_told(entries: list[Entry], state: str, action: str) -> None:
    assert finding(rule(), *entries) == (state, action, False)


def test_a_rule_of_another_stage_is_none_of_the_patients() -> None:
    assert judged(rule(stage="on-treatment"), condition()) is None


def test_what_does_not_hold_is_told_only_on_request() -> None:
    of = label(PAST, rule())
    known = facts(of, stage=BEFORE)
    assert judge(of.rules["r"], known) is None


def test_a_finding_names_its_evidence_what_was_searched_and_its_parameters() -> None:
    found = judged(rule("past and counts and lab < 1"), condition(says="C"), result("lab", 0.8, says="0.8"))
    assert found is not None
    assert found.behind == ("past", "lab")
    assert found.finding.evidence == (
        Evidence("result/lab", "2025-02-20", "0.8"),
        Evidence("condition/c", "2024-01-01", "C"),
    )
    assert found.finding.searched == (Searched("c", "", 1), Searched("lab", "2025-02-01", 1))
    assert found.finding.parameters == ("counts", "window")
    assert found.finding.cites == ("S1",)


def test_what_it_tells() -> None:
    found = judged(rule(), condition(), result("lab", 0.8))
    assert found is not None
    assert found.finding.tell == "Count 0.8 of True"
    unknown = judged(rule(), condition(certainty="suspected"))
    assert unknown is not None
    assert (unknown.finding.tell, unknown.finding.why) == ("A rule: can't be told", "condition/c is not confirmed")


@pytest.mark.parametrize(
    ("start", "day"),
    [
        ("2025-02-20", "2025-03-20"),
        ("2025-03-01", "2025-03-29"),
        (FEBRUARY, "2025-03-28"),
        ("2024-01-01", "2025-03-01"),
    ],
)
def test_it_tells_the_day_on_which_so_many_days_are_over(start: str | Interval, day: str) -> None:
    """The last that it may be; today where they are over already."""
    found = judged(rule(tell="From {since reaches window}"), condition(start=start))
    assert found is not None
    assert found.finding.tell == f"From {day}"


def test_it_tells_no_day_where_nothing_says_since_when() -> None:
    found = judged(rule("lab < 1", tell="From {since reaches window}"), result("lab", 0.8), condition(start=None))
    assert found is not None
    assert found.finding.tell == "From a day not known"


def test_a_number_that_is_not_known_is_said_so() -> None:
    found = judged(rule(), condition())
    assert found is not None
    assert found.finding.tell == "Count not known of True"


def test_half_a_reason_is_shown_where_the_other_half_is_unknown() -> None:
    found = judged(rule("past and lab < 1"), condition())
    assert found is not None
    assert (found.finding.state, [each.source for each in found.finding.evidence]) == ("unknown", ["condition/c"])


@pytest.mark.parametrize(
    ("urgent", "entries", "expected"),
    [
        ("lab < 1", [condition(), result("lab", 0.8)], True),
        ("lab < 1", [condition(), result("lab", 3)], False),
        ("lab < 1", [condition()], False),
        ("past", [condition()], True),
    ],
)
def test_only_what_is_surely_urgent_is(urgent: str, entries: list[Entry], expected: bool) -> None:
    found = judged(rule(urgent=parse(urgent)), *entries)
    assert found is not None
    assert found.finding.urgent is expected


# Answers that soften.


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (None, ("holds", "only-if-no-alternative", False)),
        ("yes", ("holds", "only-if-no-alternative", True)),
        ("no", ("holds", "do-not-start", False)),
    ],
)
def test_an_answer_marks_the_action_as_attested_or_denies_it(word: str | None, expected: tuple[str, str, bool]) -> None:
    given = rule(attest="agreed", if_denied={BEFORE: "do-not-start"})
    assert finding(given, condition(), *([answer("agreed", word)] if word else [])) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (None, ("holds", "weigh", False)),
        ("yes", ("holds", "caution", True)),
        ("no", ("holds", "weigh", False)),
    ],
)
def test_an_answer_may_lead_to_another_action(word: str | None, expected: tuple[str, str, bool]) -> None:
    given = rule(then="weigh", attest="agreed", if_attested={BEFORE: "caution"})
    assert finding(given, condition(), *([answer("agreed", word)] if word else [])) == expected


@pytest.mark.parametrize(
    ("word", "expected"), [("continue", ("holds", "weigh", True)), ("interrupt", ("holds", "specialist-first", False))]
)
def test_a_word_softens_where_it_reassures(word: str, expected: tuple[str, str, bool]) -> None:
    given = rule(then="specialist-first", attest="decided", if_attested={BEFORE: "weigh"})
    assert finding(given, condition(), answer("decided", word)) == expected


def test_an_unknown_is_softened_only_where_the_answer_would_be_the_same_either_way() -> None:
    doubt = condition(certainty="suspected")
    assert finding(rule(attest="agreed"), doubt, answer("agreed", "yes")) == ("unknown", "only-if-no-alternative", True)
    assert finding(rule(attest="agreed", if_denied={BEFORE: "do-not-start"}), doubt, answer("agreed", "no")) == (
        "unknown",
        "obtain",
        False,
    )
    softer = rule(then="weigh", attest="agreed", if_attested={BEFORE: "caution"})
    assert finding(softer, doubt, answer("agreed", "yes")) == ("unknown", "obtain", False)


@pytest.mark.parametrize(
    "old", [answer("agreed", "yes", "2025-01-01"), answer("agreed", "yes", "2023-12-31"), answer("agreed", "yes", None)]
)
def test_an_answer_that_no_longer_counts_softens_nothing(old: Entry) -> None:
    assert finding(rule(attest="agreed"), condition(start="2025-02-27"), old) == (
        "holds",
        "only-if-no-alternative",
        False,
    )


def test_nothing_is_softened_where_the_rule_does_not_hold() -> None:
    assert finding(rule(attest="agreed"), answer("agreed", "yes")) == ("no", "", False)


# Holds: reasons to interrupt, and their release.

HOLD = rule(
    "lab < 1", STAY, stage="interrupted", held=parse("lowest < 1"), release=parse("lab >= 1"), resume="a count of 1"
)


def held(given: d.Rule, *entries: Entry) -> tuple[str, str | None]:
    found = judged(given, drug("2024-01-01", None, "held"), *entries, stage=None)
    assert found is not None
    return found.finding.state, found.hold.state if found.hold else None


def lab(value: float | None, start: str = "2025-02-20", source: str = "Observation/1") -> Entry:
    return result("lab", value, start, source=source)


@pytest.mark.parametrize(
    ("entries", "state", "hold"),
    [
        ([lab(0.8)], "holds", "open"),
        ([lab(0.8, "2025-02-10"), lab(1.2, source="O/2")], "no", "released"),
        ([lab(0.8, "2025-02-10"), lab(1, source="O/2")], "no", "released"),
        ([lab(1.2)], "no", None),  # never a reason
        ([lab(0.8, "2023-12-01"), lab(1.2, source="O/2")], "no", None),  # of before the start
        ([lab(0.8, "2024-06-01")], "holds", "open"),  # the release is not known: nothing recent
        ([lab(0.8, "2024-06-01"), lab(None, source="O/2")], "holds", "open"),
        ([], "unknown", "unknown"),
        ([lab(None)], "unknown", "unknown"),
    ],
)
def test_a_hold_is_opened_by_the_past_and_ended_only_by_its_own_release(
    entries: list[Entry], state: str, hold: str | None
) -> None:
    assert held(HOLD, *entries) == (state, hold)


def test_a_hold_says_what_releases_it() -> None:
    found = judged(HOLD, drug("2024-01-01", None, "held"), lab(0.8), stage=None)
    assert found is not None
    assert found.hold is not None
    assert (found.hold.release, found.hold.tell, found.hold.evidence) == (
        "a count of 1",
        "Count 0.8 of False",
        (Evidence("Observation/1", "2025-02-20", "final"),),
    )


def test_a_reason_that_is_back_is_open_whatever_was_released() -> None:
    given = rule("lab < 1", STAY, stage="interrupted", release=parse("past"))
    assert held(given, lab(0.8), condition()) == ("holds", "open")
    assert held(given, lab(3)) == ("no", None)


def test_a_rule_for_the_stage_without_a_release_is_no_hold() -> None:
    found = judged(
        rule("past", "caution", stage="interrupted"), drug("2024-01-01", None, "held"), condition(), stage=None
    )
    assert found is not None
    assert (found.finding.state, found.finding.action, found.hold) == ("holds", "caution", None)


# Evidence, searches, background.


def test_evidence_newest_first_and_each_source_once() -> None:
    entries = [
        condition(start="2020-01-01", source="C/1"),
        condition(start=None, source="C/2"),
        condition(start="2024-01-01", source="C/3"),
        condition("another", start="2020-01-01", source="C/1"),
    ]
    assert [each.source for each in shown(entries)] == ["C/3", "C/1", "C/2"]
    assert shown(entries) == shown(list(reversed(entries)))
    assert shown([]) == ()


def test_a_derived_fact_and_an_ask_search_nothing_themselves() -> None:
    known = facts(label(PAST, LAB, WHOLE, AGREED, window=28))
    assert known.searched("whole") == known.searched("agreed") == ()
    assert known.searched("past") == (Searched("c", "", 0),)


def says(name: str, show_when: str = "", explains: tuple[str, ...] = ("r",)) -> d.Says:
    return d.Says(
        id=name,
        topic="t",
        sha256="0" * 64,
        role="background",
        means=f"{name}.",
        start=0,
        end=1,
        explains=explains,
        show_when=parse(show_when) if show_when else None,
    )


def test_background_is_shown_beside_what_it_explains_and_for_whom_it_matters() -> None:
    of = label(PAST, rule(), says("S2"), says("S3", "past"), says("S4", "past", ()), says("S5", "", ()))
    yes, no = facts(of, condition()), facts(of)
    beside = yes.compiled.backgrounds.beside
    assert beside("r", yes) == (Background("S2", "S2."), Background("S3", "S3."))
    assert beside("", yes) == (Background("S3", "S3."), Background("S4", "S4."))
    assert (beside("r", no), beside("", no), beside("another", no)) == ((Background("S2", "S2."),), (), ())


def test_one_patient_leaves_no_trace_in_the_next() -> None:
    """Findings about which a record says nothing are kept for the next patient, and say nothing of the one before."""
    given = rule("lab < 1", urgent=parse("past"))
    of = label(
        PAST, k.Latest(name="lab", topic="t", title="x", latest=("lab",), worst="low", derived=("w", "p")), given
    )
    half, whole = [result("w", 3)], [result("w", 3), condition()]

    def found(*entries: Entry) -> object:
        known = remembered(chart(of, *entries))
        one = judge(given, known)
        assert one is not None
        return one.finding.urgent, [each.found for each in one.finding.searched]

    assert found() == found() == (False, [0, 0, 0])
    assert found(*half) == (False, [0, 1, 0])
    assert found(*whole) == (True, [0, 1, 0])
    assert found() == (False, [0, 0, 0])
