"""A rule, a duty or a sentence explained."""

from __future__ import annotations

from dataclasses import replace

import pytest

from precaution.errors import UsageError
from precaution.writers.explanation import explained
from precaution.writers.rule_content import ShownCase, parameter_line, rule_content, rules_and_duties
from support.sample_label import AT_RISK, DECISION, LABEL, LOW_A, NO_RISK, PARAMETERS

CASES = {"low-a": [ShownCase("A of 0.99 keeps from starting", "holds"), ShownCase("A of 1 does not", "no")]}


def explain(name: str, **more: object) -> str:
    return explained(LABEL, name, **{"cases": CASES, "words": {}, **more})  # type: ignore[arg-type]


def test_a_rule_is_explained_from_the_sentence_to_the_cases() -> None:
    said = explain("low-a")
    parts = [
        "Low A (rule low-a, topic counts)",
        "S01   Do not start while A is below 1. (directive)",
        "S02   Low A was seen in studies. (background)",
        "Equal to 1 is not below.",
        "- Count of A: The latest result of lab_a",
        "- Count of A is below 1 ×10⁹/L.",
        "before-start: ■ do not start; where it can't be told: obtain",
        "- Released when: Count of A is at least 1 ×10⁹/L.",
        "- count-max-age = 28 days (D13, proposed): A count tells little after a month.",
        "A of 0.99 keeps from starting",
    ]
    places = [said.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)


def test_one_condition_for_all_stages_is_said_once() -> None:
    assert explain("low-a").count("- Count of A is below 1 ×10⁹/L.") == 1


def test_exact_words_are_shown_where_they_are_given() -> None:
    assert "“Exact words.”" in explain("low-a", words={"S01": "Exact words. "})
    assert "“" not in explain("low-a").split("How it is read")[0]


def test_a_sentence_is_explained_with_all_that_cite_it() -> None:
    said = explain("S01")
    assert said.startswith("S01   Do not start while A is below 1. (directive)")
    assert "(rule low-a," in said
    assert "(rule at-risk," in said


def test_a_background_sentence_leads_to_the_rules_it_explains() -> None:
    assert rules_and_duties(LABEL, "S02") == ["low-a"]


def test_a_duty_has_its_schedule() -> None:
    said = explain("lipids")
    for part in (
        "Stages: on-treatment.",
        "For whom: Count of A can be told.",
        "Done when: HBxAg is “negative”.",
        "Needs: lab_l; lab_m or lab_n.",
        "Due after the start: 84 days.",
        "Then every 84 days.",
        "Every 28 days where this holds: Any risk.",
        "Overdue 28 days after it is due.",
    ):
        assert part in said


def test_what_is_not_in_the_label_says_so() -> None:
    assert "Not in the label; why it is here: A site asked for it." in explain("at-risk")


def test_facts_behind_derived_facts_are_explained_too() -> None:
    assert [title for title, _ in rule_content(LABEL, "at-risk").facts] == [
        "Any risk",
        "Age 65 or older",
        "History of C",
    ]


def test_a_parameter_set_by_the_site_says_so() -> None:
    assert parameter_line(PARAMETERS["lipids-at"]) == "lipids-at = 84 days (verified, set by the site): Twelve weeks."


def test_for_a_patient_the_evidence_and_what_would_change_the_answer() -> None:
    said = explain("low-a", decision=DECISION)
    assert "For this patient on 2025-03-01, before-start" in said
    assert "Observation/a-7, 2025-02-20" in said
    assert "lab_a since 2025-02-01" in said
    assert "1 found" in said
    assert "would end it" in said
    assert said.split("\n\n")[1].endswith("Count of A is at least 1 ×10⁹/L")


def test_for_a_patient_what_would_settle_and_soften_it() -> None:
    said = explain("at-risk", decision=DECISION)
    assert "would settle it         History of C: no list of conditions" in said
    assert "would soften it         a yes to A1: Is there no suitable alternative?" in said
    assert "would end it" not in said


def test_a_duty_for_a_patient() -> None:
    assert "due: due" in explain("lipids", decision=DECISION)


def test_a_rule_that_does_not_hold_says_so() -> None:
    said = explain("at-risk", decision=replace(DECISION, findings=(LOW_A, NO_RISK), missing=()))
    assert "no                        does not hold" in said
    assert "would" not in said


def test_a_rule_of_another_stage_does_not_apply() -> None:
    assert "does not apply at this stage" in explain("at-risk", decision=replace(DECISION, findings=(LOW_A,)))


def test_an_attested_finding_needs_no_softening() -> None:
    attested = AT_RISK._replace(state="holds", attested=True)
    assert "would soften it" not in explain("at-risk", decision=replace(DECISION, findings=(attested,)))


@pytest.mark.parametrize(("name", "hint"), [("low-b", "'low-a'"), ("S1", "'S01'"), ("lipid", "'lipids'")])
def test_a_misspelt_name_has_a_hint(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"Did you mean {hint}") as error:
        explain(name)
    assert "`precaution label` lists them" in str(error.value)


def test_every_line_fits() -> None:
    for name in (*LABEL.rules, *LABEL.duties, *LABEL.says):
        assert max(map(len, explain(name, decision=DECISION).splitlines())) <= 100


def test_the_patient_stands_right_under_the_title() -> None:
    said = explain("low-a", decision=DECISION)
    assert said.split("\n\n")[1].startswith("For this patient on ")
    assert said.index("For this patient") < said.index("What the label says")
