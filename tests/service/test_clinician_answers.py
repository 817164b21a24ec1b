"""What is kept bears on the next decision: as far as it should, for as long as it should, and never further."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution import load_label
from precaution.assessment import as_day, assess
from precaution.cases.lines import resources
from precaution.cases.load import load_cases
from precaution.engine.answer import grave
from precaution.engine.decision import facts_of
from precaution.knowledge.loading import find_label
from precaution.labels import DEFAULT
from precaution.readers import read, read_resources
from precaution.service.clinician_answers import (
    PROMISED,
    assess_kept,
    counting_answers,
    days_of,
    entries_of,
    evidence_about,
    facts_with_answers,
    finished,
    kept_card,
    offered_answer,
    silenced,
)
from precaution.service.store import UNREADABLE, Answer, Kept, Override, Promise, Terms
from precaution.values.record import ANSWER, Record
from support.project import PROJECT
from support.stores import TODAY, answer

if TYPE_CHECKING:
    from precaution.cases.load import Case
    from precaution.engine.answer import Decision, Evidence, Finding
    from precaution.service.store.model import Tier

LABEL = load_label(DEFAULT)
A1 = "no-suitable-alternative"
NOTHING = Kept()


@cache
def example(name: str) -> Record:
    return read(PROJECT / "examples" / f"{name}.json", LABEL.terminology, LABEL.asks)


def lines(*more: str) -> Record:
    """Return a record of the label's own lines; see `case_records`."""
    return read_resources(
        resources(["born 1950-01-01", *more], LABEL.terminology, LABEL.asks), LABEL.terminology, LABEL.asks
    )


def said(*answers: Answer, **more: Any) -> Kept:
    return Kept(answers=tuple(replace(each, id=number) for number, each in enumerate(answers, 1)), **more)


def decided(record: Record, kept: Kept, today: str = TODAY, **more: Any) -> Decision:
    return assess_kept(record, LABEL, today, kept, **more)


def finding(decision: Decision, rule: str) -> Finding:
    (found,) = [each for each in decision.findings if each.rule == rule]
    return found


def later(days: int, day: str = TODAY) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


# Answers


def test_with_nothing_kept_it_is_the_same_decision() -> None:
    for name in ("ready", "restricted", "low-neutrophils", "zoster-on-treatment", "may-resume"):
        assert decided(example(name), NOTHING) == assess(example(name), today=TODAY, label=LABEL)


def test_a_kept_answer_softens_as_a_given_one_does() -> None:
    kept = decided(example("restricted"), said(answer()))
    given_ = assess(example("restricted"), today=TODAY, label=LABEL, answers=[f"{A1}=yes"])
    assert (kept.action, kept.attested) == (given_.action, given_.attested)
    before, after = (finding(each, "aged-65-or-older") for each in (decided(example("restricted"), NOTHING), kept))
    assert (before.attested, after.attested) == (False, True)
    (ask,) = [each for each in kept.asks if each.ask == A1]
    assert (ask.answered, ask.date) == ("yes", TODAY)


def test_an_answer_counts_until_the_day_it_expires_and_no_longer() -> None:
    kept = said(answer(expires="2025-03-31"))
    assert finding(decided(example("restricted"), kept, "2025-03-31"), "aged-65-or-older").attested
    over = decided(example("restricted"), kept, "2025-04-01")
    assert not finding(over, "aged-65-or-older").attested
    (ask,) = [each for each in over.asks if each.ask == A1]
    assert ask.answered is None
    assert ask.void == "the answer was given for a time that is over"


def test_the_labels_own_time_is_never_exceeded() -> None:
    kept = said(answer(expires="2099-01-01"))
    assert finding(decided(example("restricted"), kept, "2026-03-01"), "aged-65-or-older").attested
    assert not finding(decided(example("restricted"), kept, "2026-03-02"), "aged-65-or-older").attested


def test_an_answer_that_reassures_nobody_stands_after_any_time() -> None:
    suspected = answer("yes", ask="venous-thromboembolism-suspected", expires="2025-03-05")
    record = lines("medication drug_baricitinib active since 2024-09-01")
    assert decided(record, NOTHING).action != "discontinue"
    for day in (TODAY, "2025-06-01", "2028-01-01"):
        assert decided(record, said(suspected), day).action == "discontinue"


def test_an_answer_of_later_is_not_known_yet() -> None:
    assert not finding(decided(example("restricted"), said(answer(day="2025-03-02"))), "aged-65-or-older").attested


def test_answers_to_what_the_label_does_not_ask_are_left_out() -> None:
    kept = said(answer(ask="forgotten"), answer("perhaps"), answer())
    assert [each.result for each in entries_of(kept.answers, LABEL)] == ["yes"]
    assert decided(example("restricted"), kept).attested


def test_evidence_of_a_later_day_voids_an_answer() -> None:
    kept = said(answer(day="2025-02-01", seen=None))
    old, new = (lines(f"condition ascvd_mi active since {day}") for day in ("2020-01-01", "2025-02-15"))
    assert finding(decided(old, kept), "aged-65-or-older").attested
    assert not finding(decided(new, kept), "aged-65-or-older").attested


def test_evidence_that_was_written_down_later_voids_an_answer_whatever_its_day() -> None:
    before, after = lines(), lines("condition ascvd_mi active since 2020-01-01")
    seen = evidence_about(facts_of(before, LABEL, as_day(TODAY)))[A1]
    kept = said(answer(day="2025-02-01", seen=seen))
    assert finding(decided(before, kept), "aged-65-or-older").attested
    assert not finding(decided(after, kept), "aged-65-or-older").attested
    unaware = said(answer(day="2025-02-01", seen=None))
    assert finding(decided(after, unaware), "aged-65-or-older").attested, "only the day can tell then"


def test_evidence_that_says_something_else_under_the_same_id_voids_an_answer() -> None:
    before, after = (lines(f"condition {name} active since 2020-01-01") for name in ("ascvd_mi", "ascvd_stroke_tia"))
    seen = evidence_about(facts_of(before, LABEL, as_day(TODAY)))[A1]
    now = evidence_about(facts_of(after, LABEL, as_day(TODAY)))[A1]
    assert {each.split()[0] for each in seen} == {each.split()[0] for each in now}
    kept = said(answer(day="2025-02-01", seen=seen))
    assert finding(decided(before, kept), "aged-65-or-older").attested
    assert not finding(decided(after, kept), "aged-65-or-older").attested


def test_evidence_that_went_away_voids_nothing() -> None:
    before = lines("condition ascvd_mi active since 2020-01-01")
    kept = said(answer(seen=evidence_about(facts_of(before, LABEL, as_day(TODAY)))[A1]))
    assert finding(decided(lines(), kept), "aged-65-or-older").attested


def test_an_answer_that_falls_may_take_another_with_it() -> None:
    smoker = "result smoking_former on 2020-01-01"
    record = lines(smoker)
    day = as_day(TODAY)
    seen = evidence_about(facts_of(record, LABEL, day))
    past = answer("no", ask="past-smoking-long-term", seen=seen["past-smoking-long-term"])
    with_past = facts_with_answers(record, said(past), LABEL, day)
    both = said(past, answer(seen=evidence_about(with_past)[A1]))
    assert len(counting_answers(both.answers, record, LABEL, day)[0]) == 2
    more = lines(smoker, "result smoking_former on 2021-01-01")
    assert len(counting_answers(both.answers, more, LABEL, day)[0]) < 2


@pytest.mark.parametrize("stage", ["before-start", "on-treatment", "interrupted"])
def test_what_was_seen_at_a_stage_is_what_is_there(stage: Any) -> None:
    record = example("restricted")
    kept = said(answer(seen=evidence_about(facts_of(record, LABEL, as_day(TODAY), stage))[A1]))
    assert counting_answers(kept.answers, record, LABEL, as_day(TODAY), stage)[0] == list(kept.answers)


# What no answer lifts


FIRM = (
    "active-tuberculosis",
    "low-neutrophils",
    "low-lymphocytes",
    "low-hemoglobin",
    "venous-thromboembolism-suspected",
)
CASES = [case for case in load_cases(find_label(DEFAULT)) if not case.policy and not case.answers]


def unanswered(case: Case) -> Record:
    """Return a case's record without any answer."""
    record = read_resources(resources(case.record, LABEL.terminology, LABEL.asks), LABEL.terminology, LABEL.asks)
    entries = {name: each for name, each in record.entries.items() if not name.startswith(ANSWER)}
    return replace(record, entries=entries)


def everything_reassuring(today: str) -> Kept:
    """Return the answers of somebody who reassures wherever one can."""
    return said(
        *(
            answer(word, ask=ask.name, day=today, expires=later(300, today))
            for ask in LABEL.asks.values()
            for word in ask.reassures[:1]
        )
    )


def firm(decision: Decision) -> dict[str, tuple[str, str]]:
    """What of a decision no answer may touch: what holds without being answered."""
    return {
        each.rule: (each.state, each.action)
        for each in decision.findings
        if each.rule in FIRM and each.state == "holds"
    }


def there_now(record: Record, today: str) -> set[str]:
    """Which of them hold for what is there now. A hold for what the record says is over ends by a clinician's word."""
    return set(firm(assess(record, today=today, label=LABEL, stage="on-treatment"))) | set(
        firm(assess(record, today=today, label=LABEL, stage="before-start"))
    )


def test_rules_that_nothing_lifts_exist_and_have_no_ask() -> None:
    there = [name for name in FIRM if name in LABEL.rules]
    assert len(there) == len(FIRM)
    assert [name for name in there if LABEL.rules[name].attest] == []


def test_no_answer_lifts_active_tuberculosis_low_counts_or_suspected_thromboembolism() -> None:
    met: dict[str, int] = {}
    for case in CASES:
        record = unanswered(case)
        before = firm(assess(record, today=case.today, label=LABEL, stage=case.stage))
        after = decided(record, everything_reassuring(case.today), case.today, stage=case.stage)
        kept = firm(after)
        for rule in before.keys() & there_now(record, case.today):
            state, action = before[rule]
            assert kept.get(rule) == (state, action), (case.name, rule)
            assert grave(after.action, after.attested, LABEL) <= grave(action, False, LABEL), case.name
            met[rule] = met.get(rule, 0) + 1
    assert set(met) == {name for name in FIRM if name in LABEL.rules}
    assert sum(met.values()) > 90


@given(st.lists(st.tuples(st.sampled_from(sorted(LABEL.asks)), st.integers(0, 1), st.integers(0, 400)), max_size=8))
def test_no_set_of_answers_lifts_a_low_count(given_: list[tuple[str, int, int]]) -> None:
    kept = said(
        *(
            answer(LABEL.asks[ask].answers[word], ask=ask, day=later(-days), expires=later(365 - days))
            for ask, word, days in given_
        )
    )
    decision = decided(example("low-neutrophils"), kept)
    assert finding(decision, "low-neutrophils").action == "do-not-start"
    assert decision.action in LABEL.actions[: LABEL.actions.index("do-not-start") + 1]


# A store that can't be read


@pytest.mark.parametrize("name", ["ready", "restricted", "low-neutrophils", "zoster-on-treatment", "may-resume"])
def test_without_the_store_nothing_is_milder_and_nothing_is_clear(name: str) -> None:
    plain, blind = assess(example(name), today=TODAY, label=LABEL), decided(example(name), UNREADABLE)
    assert blind.findings == plain.findings
    assert blind.action != "clear"
    assert grave(blind.action, blind.attested, LABEL) <= grave(plain.action, plain.attested, LABEL)
    assert grave(blind.action, blind.attested, LABEL) <= grave("obtain", False, LABEL)
    assert blind.missing[0].fact == "kept-answers"
    assert "could not be read" in blind.missing[0].why


# Promises


def promise(of: Finding, **changed: Any) -> Promise:
    made = Promise(
        of.rule,
        of.state,
        of.cites,
        "will-monitor",
        "Practitioner/1",
        TODAY,
        later(28),
        tuple(each.source for each in of.evidence),
        "card-1",
    )
    return made._replace(**changed)


RAISED = ("medication drug_baricitinib active since 2024-09-01", "condition diabetes active since 2015-01-01")


def test_a_promise_is_upcoming_then_due_then_overdue() -> None:
    record = example("restricted")
    of = finding(decided(record, NOTHING), "atherosclerotic-disease")
    kept = Kept(promises=(promise(of),))
    for day, state in (
        (TODAY, "upcoming"),
        (later(27), "upcoming"),
        (later(28), "due"),
        (later(35), "due"),
        (later(36), "overdue"),
    ):
        (due,) = [each for each in decided(record, kept, day).due if each.duty.startswith(PROMISED)]
        assert (due.duty, due.state, due.due, due.cites) == (PROMISED + of.rule, state, later(28), of.cites)
        assert due.action == ("due" if state != "upcoming" else "")
        assert "as promised on 2025-03-01" in due.tell
        assert due.ours


def test_a_promise_that_is_due_makes_a_clear_decision_one_with_something_due() -> None:
    record = example("ready")
    decision = decided(record, NOTHING)
    assert decision.action == "clear"
    of = finding(decided(example("restricted"), NOTHING), "atherosclerotic-disease")._replace(action="clear")
    there = replace(decision, findings=(of,))
    assert finished(there, Kept(promises=(promise(of, due=TODAY),)), LABEL).action == "due"
    assert finished(there, Kept(promises=(promise(of, due=later(1)),)), LABEL).action == "clear"


def test_new_evidence_fulfils_a_promise_and_old_evidence_does_not() -> None:
    with_mi = ("condition ascvd_mi active since 2015-08-19",)
    of = finding(decided(lines(*with_mi), NOTHING), "atherosclerotic-disease")
    kept = Kept(promises=(promise(of, given="2025-02-01", due="2025-02-20"),))

    def open_(*more: str) -> list[str]:
        return [each.duty for each in decided(lines(*with_mi, *more), kept).due if each.duty.startswith(PROMISED)]

    assert open_() == [PROMISED + of.rule]
    assert open_("condition ascvd_mi active since 2014-01-01") == [PROMISED + of.rule]
    assert open_("condition ascvd_mi active since 2025-02-10") == []


def test_a_promise_ends_when_its_reason_does() -> None:
    of = finding(decided(example("restricted"), NOTHING), "atherosclerotic-disease")
    assert not [
        each for each in decided(example("ready"), Kept(promises=(promise(of),))).due if each.duty.startswith(PROMISED)
    ]


def test_of_several_promises_on_a_rule_the_earliest_is_due() -> None:
    record = example("restricted")
    of = finding(decided(record, NOTHING), "atherosclerotic-disease")
    kept = Kept(promises=(promise(of), promise(of, due=later(5))))
    assert [each.due for each in decided(record, kept).due if each.duty.startswith(PROMISED)] == [later(5)]


# Overrides


def override(of: Finding, **changed: Any) -> Override:
    made = Override(
        of.rule,
        of.state,
        of.action,
        "warning",
        "patient-refuses",
        "Practitioner/1",
        TODAY,
        later(90),
        tuple(each.source for each in of.evidence),
        LABEL.digest,
        "card-1",
        tuple(map(content_of, of.evidence)),
    )
    return made._replace(**changed)


def content_of(evidence: Evidence) -> str:
    return f"{evidence.source} says {evidence.says}"


def silent(of: Finding, decision: Decision, kept: Kept, user: str, tier: Tier = "warning", **more: Any) -> bool:
    return silenced(of, decision, kept, user, tier=tier, content_of=content_of, **more) is not None


def test_an_override_is_silent_for_its_user_and_its_evidence_alone() -> None:
    decision = decided(example("restricted"), NOTHING)
    of = finding(decision, "atherosclerotic-disease")
    kept = Kept(overrides=(override(of),))
    assert silent(of, decision, kept, "Practitioner/1")
    assert silent(of, decision, kept, "Practitioner/1", "info")
    assert not silent(of, decision, kept, "Practitioner/1", "critical"), "it is graver than when it was overridden"
    assert not silent(of, decision, kept, "Practitioner/1", discounted={"patient-refuses"})
    assert not silent(of, decision, kept, "Practitioner/2")
    assert not silent(of, decision, kept, "")
    assert not silent(finding(decision, "aged-65-or-older"), decision, kept, "Practitioner/1")
    for changed in (
        {"contents": ()},
        {"contents": tuple(f"{each} else" for each in map(content_of, of.evidence))},
        {"state": "unknown"},
        {"action": "weigh"},
        {"label": "another"},
        {"rule": "aged-65-or-older"},
    ):
        again = Kept(overrides=(override(of, **changed),))
        assert not silent(of, decision, again, "Practitioner/1"), changed


def test_an_override_fewer_of_whose_evidence_is_left_stays_silent() -> None:
    decision = decided(example("restricted"), NOTHING)
    of = finding(decision, "atherosclerotic-disease")
    kept = Kept(overrides=(override(of, contents=("another", *map(content_of, of.evidence))),))
    assert silent(of, decision, kept, "Practitioner/1")


# What is kept of a card


def test_a_card_is_kept_without_any_words_of_the_record() -> None:
    decision = decided(example("restricted"), NOTHING)
    seen = evidence_about(facts_of(example("restricted"), LABEL, as_day(TODAY)))
    made = kept_card(
        decision,
        decision.findings[:2],
        uuid="u",
        tier="warning",
        server="s",
        patient="p",
        hook="h",
        service="w",
        seen=seen,
        content_of=lambda evidence: f"digest-{evidence.source}",
        due=decision.due,
        offers=[offered_answer("s-1", LABEL.asks[A1], "yes", LABEL, Terms())],
    )
    assert [each.rule for each in made.findings] == [each.rule for each in decision.findings[:2]]
    assert made.findings[1].evidence == tuple(
        (each.source, each.date, f"digest-{each.source}") for each in decision.findings[1].evidence
    )
    assert (made.label, made.action, made.today) == (LABEL.digest, "only-if-no-alternative", TODAY)
    assert set(made.seen) == {each.ask for each in decision.asks}
    assert "Condition/mi" in [each.split()[0] for each in made.seen[A1]]
    told = str(made)
    assert not any(each.tell in told for each in decision.findings)
    assert not any(entry.says in told for each in decision.findings for entry in each.evidence if len(entry.says) > 4)


@pytest.mark.parametrize(
    ("ask", "word", "most", "days"),
    [
        (A1, "yes", 365, 365),
        (A1, "yes", 30, 30),
        (A1, "yes", 4000, 365),
        (A1, "no", 365, 0),
        ("infection-resolved", "yes", 200, 200),
        ("venous-thromboembolism-suspected", "yes", 365, 0),
        ("venous-thromboembolism-suspected", "no", 365, 365),
        ("liver-specialist-decision", "interrupt", 365, 0),
    ],
)
def test_what_reassures_expires_and_nothing_else_does(ask: str, word: str, most: int, days: int) -> None:
    assert days_of(LABEL.asks[ask], word, LABEL, Terms(answer_days=most)) == days
    made = offered_answer("by", LABEL.asks[ask], word, LABEL, Terms(answer_days=most))
    assert made == ("by", ask, word, LABEL.asks[ask].of, days)
