"""One screen for a clinician."""

from __future__ import annotations

from dataclasses import replace

import pytest

from precaution.engine.answer import Evidence, Missing
from precaution.writers.layout import NOTE
from precaution.writers.text import evidence, sentence, text
from support.sample_label import AT_RISK, CLEAR, DECISION, HOLD, LIPIDS, LOW_A, NO_RISK

SCREEN = """\
Before starting examplinib: ■ do not start                                     2025-03-01  label 1.0
Stage the record holds no order of the drug
Why   A 0.8, below 1 ×10⁹/L (S01)
Next  do not start until this has changed, then assess again

■ do not start            A 0.8, below 1 ×10⁹/L*                    Observation/a-7, 2025-02-20  S01

○ due                     Lipids after 12 weeks: due 2025-05-24, overdue after 2025-06-21; lacking
                          L*  S03

? not known               no list of conditions: History of C; Active C
? question A1             Is there no suitable alternative?

* rests on local policy, not on the label (2 parameters; --all lists them)
1 entry ignored, 1 unrecognised; hint: `precaution read` lists them
hint: `precaution explain low-a` shows the sentence, its reading and cases
hint: answer a question with --answer A1=yes@2025-02-01
Supports a clinician's decision and makes none; not a certified medical device.
"""


def test_the_whole_screen() -> None:
    assert text(DECISION) == SCREEN


def test_the_screen_is_one_screen() -> None:
    lines = text(DECISION).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Before starting examplinib: ■ do not start"),
        ({"stage": "on-treatment", "action": "interrupt"}, "On examplinib: ■ interrupt"),
        ({"stage": "interrupted", "action": "may-resume"}, "While examplinib is interrupted: ● may resume"),
        (
            {"action": "only-if-no-alternative", "attested": True},
            "Before starting examplinib: ▲ only if no alternative (attested)",
        ),
    ],
)
def test_the_verdict(changes: dict[str, object], said: str) -> None:
    assert sentence(replace(DECISION, **changes)) == said  # type: ignore[arg-type]


def test_a_clear_decision_still_says_what_it_is_not() -> None:
    said = text(CLEAR)
    assert "● clear" in said
    assert "in what was looked at" in said
    assert said.endswith(NOTE + "\n")


def test_an_unknown_finding_is_said_once_under_what_is_missing() -> None:
    assert "At risk" not in text(DECISION)
    assert text(DECISION).count("no list of conditions") == 1


def test_an_unknown_finding_that_no_missing_fact_explains_has_its_own_line() -> None:
    said = text(replace(DECISION, missing=()))
    assert "? obtain                  At risk: can't be told (no list of conditions)" in said


def test_what_can_not_be_told_is_never_the_reason_as_if_it_held() -> None:
    said = text(replace(DECISION, action="obtain", findings=(AT_RISK,), due=(), reason="at-risk"))
    assert "Why   At risk: can't be told (no list of conditions) (S01)" in said


def test_an_unknown_finding_with_evidence_has_its_own_line() -> None:
    doubt = AT_RISK._replace(evidence=(Evidence("Condition/c", "2024", "unconfirmed"),))
    assert "Condition/c, 2024" in text(replace(DECISION, findings=(LOW_A, doubt)))


def test_an_urgent_finding_changes_the_next_step() -> None:
    said = text(replace(DECISION, findings=(LOW_A._replace(urgent=True),)))
    assert "Next  urgent: evaluate the patient now, do not wait for this tool; do not start" in said
    assert "URGENT: A 0.8" in said


def test_what_the_label_does_not_say_is_marked() -> None:
    said = text(replace(DECISION, findings=(LOW_A._replace(ours="A site asked for it."),)))
    assert "A 0.8, below 1 ×10⁹/L [not in the label]*" in said


def test_a_policy_is_said_at_the_top() -> None:
    assert "Policy  a site's policy was used: count-max-age = 14 days" in text(
        replace(DECISION, policy={"count-max-age": "14 days"})
    )


def test_a_hold_says_what_releases_it() -> None:
    said = text(replace(DECISION, stage="interrupted", action="stay-interrupted", findings=(), holds=(HOLD,), due=()))
    assert "Why   A 0.8, below 1 ×10⁹/L (S01)" in said
    assert "■ hold open" in said
    assert "released when: Count of A is at least 1 ×10⁹/L" in said
    assert "released when" not in text(replace(DECISION, holds=(HOLD._replace(state="released"),)))


def test_a_screen_that_is_not_done_is_missing_and_not_merely_due() -> None:
    assert "? screen" in text(replace(DECISION, due=(LIPIDS._replace(action="screen"),)))
    assert "○ overdue" in text(replace(DECISION, due=(LIPIDS._replace(state="overdue"),)))


def test_what_does_not_hold_or_is_done_is_shown_on_request_only() -> None:
    decision = replace(DECISION, findings=(LOW_A, NO_RISK), due=(LIPIDS._replace(state="done"),))
    assert "● done" not in text(decision)
    assert "● done" in text(decision, everything=True)
    assert "- does not hold           at-risk" in text(decision, everything=True)


def test_a_missing_fact_that_is_due_anyway_is_said_once() -> None:
    missing = (Missing("x", "X", "not on record", ("low-a",)),)
    assert "not on record: X" in text(replace(DECISION, missing=missing))
    said = text(replace(DECISION, missing=missing, due=(LIPIDS._replace(lacking=("X",)),)))
    assert "not on record: X" not in said
    assert "lacking X" in " ".join(said.split())


def test_of_many_facts_with_one_reason_a_few_are_shown() -> None:
    facts = tuple(Missing(f"f{number}", f"F{number}", "no list", ("low-a",)) for number in range(6))
    assert "? not known               no list: F0; F1; F2 and 3 more (--all lists them)" in text(
        replace(DECISION, missing=facts)
    )
    assert "no list: F0; F1; F2; F3; F4; F5" in text(replace(DECISION, missing=facts), everything=True)


def test_what_is_overdue_or_needed_before_a_start_comes_first() -> None:
    states = ("upcoming", "unknown", "due", "overdue")
    due = tuple(LIPIDS._replace(state=state, tell=state) for state in states)  # type: ignore[arg-type]
    lines = text(replace(DECISION, due=(*due, LIPIDS._replace(action="screen", tell="screen")))).splitlines()
    words = [line[2:26].strip() for line in lines if line[26:].startswith((*states, "screen"))]
    assert words == ["overdue", "screen", "due", "unknown", "upcoming"]


def test_of_many_questions_a_few_are_shown_and_the_others_named() -> None:
    [ask] = DECISION.asks
    many = replace(DECISION, asks=tuple(ask._replace(number=f"A{number}") for number in range(1, 7)))
    assert "? questions               A4, A5 and A6: --all shows them" in text(many)
    assert text(many, everything=True).count("Is there no suitable alternative?") == 6


def test_an_answered_question_is_not_asked_again() -> None:
    [ask] = DECISION.asks
    assert "question A1" not in text(replace(DECISION, asks=(ask._replace(answered="yes"),)))


def test_evidence_of_many_entries_names_the_first() -> None:
    entry = Evidence("Observation/a", "2025-02-20", "1")
    assert evidence(()) == ""
    assert evidence((entry,)) == "Observation/a, 2025-02-20"
    assert evidence((entry, entry, entry)) == "Observation/a, 2025-02-20 and 2 more"
    assert evidence((entry._replace(date=""),)) == "Observation/a"


def test_evidence_is_named_by_its_words_and_day() -> None:
    entry = Evidence("Condition/z", "2025-02-20", "")
    named = {"Condition/z": "Herpes zoster"}
    assert evidence((entry,), named) == "'Herpes zoster' of 2025-02-20 (Condition/z)"
    assert evidence((entry, entry), named) == "'Herpes zoster' of 2025-02-20 (Condition/z) and 1 more"
    assert evidence((entry._replace(date=""),), named) == "'Herpes zoster' (Condition/z)"
    assert evidence((entry._replace(source="Condition/y"),), named) == "Condition/y, 2025-02-20"


def test_words_of_a_record_do_nothing_to_the_terminal_and_take_one_line() -> None:
    entry = Evidence("Condition/z", "", "")
    hostile = "\x1b[2J\x1b]0;title\x07 clear\n\u202eretsoz\r" + "x" * 200
    said = evidence((entry,), {"Condition/z": hostile})
    assert said.isprintable()
    assert len(said) < 80
    assert evidence((entry,), {"Condition/z": "\n\x07"}) == "Condition/z"


@pytest.mark.parametrize("action", ["discontinue", "screen", "weigh", "due", "something-new"])
def test_every_action_has_a_next_step(action: str) -> None:
    next_step = next(line for line in text(replace(DECISION, action=action)).splitlines() if line.startswith("Next"))
    assert len(next_step) > len("Next  ")


def test_where_all_is_clear_the_next_day_is_named() -> None:
    later = LIPIDS._replace(state="upcoming", action="", due="2025-05-24")
    done = LIPIDS._replace(state="done", action="", due="2025-04-02", tell="Another test")
    past = done._replace(due="2025-03-01")
    treated = replace(CLEAR, stage="on-treatment", start="2025-01-01")
    assert "in what was looked at; another test by 2025-04-02\n" in text(replace(treated, due=(later, done)))
    assert "in what was looked at; lipids after 12 weeks by 2025-05-24\n" in text(replace(treated, due=(past, later)))
    assert "in what was looked at\n" in text(replace(treated, due=(past,)))
    assert "in what was looked at\n" in text(replace(CLEAR, due=(later,)))


@pytest.mark.parametrize(
    ("action", "step"),
    [
        ("due", "find out the day treatment started, then assess again"),
        ("obtain", "find out the day treatment started, and what else is missing, then assess again"),
        ("interrupt", "interrupt treatment; it may resume only when every hold is released"),
    ],
)
def test_a_start_that_is_not_known_is_found_out_first(action: str, step: str) -> None:
    unknown = LIPIDS._replace(state="unknown", due="", why="the day treatment started is not known")
    assert f"Next  {step}\n" in text(replace(DECISION, action=action, findings=(), due=(unknown,), reason=""))


def test_restrictions_that_are_answered_are_one_quiet_line() -> None:
    one = AT_RISK._replace(state="holds", action="only-if-no-alternative", attested=True, tell="Old: only so", why="")
    two = one._replace(rule="low-a", tell="A smoker: only so", cites=("S02",))
    found = replace(DECISION, action="only-if-no-alternative", attested=True, findings=(one, two), reason="at-risk")
    assert "● restriction answered    Old; A smoker: no alternative is suitable" in text(found)
    assert text(found).count("only so") == 1  # as the reason
    assert text(found, everything=True).count("only so") == 3
    asked = replace(found, attested=False, findings=(one._replace(attested=False), two))
    assert "Old: only so" in text(asked)
