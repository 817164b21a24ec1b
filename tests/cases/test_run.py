"""That running a case can fail: a wrong expectation is seen, for rules, duties, the action and the stage."""

from __future__ import annotations

from dataclasses import replace

import pytest

from precaution.cases.load import Case, load_cases
from precaution.cases.run import came_to, label_for, run
from precaution.errors import KnowledgeError, UsageError
from precaution.knowledge.loading import read_label
from support.project import PROJECT

GOOD = PROJECT / "tests" / "wrong" / "_good"
LABEL = read_label(GOOD)


def case(*record: str, stage: str | None = None, answers: tuple[str, ...] = (), **expect: str) -> Case:
    return Case(
        topic="counts",
        name="x",
        today="2025-03-01",
        record=record,
        answers=answers,
        stage=stage,  # type: ignore[arg-type]
        expect={name.replace("_", "-"): state for name, state in expect.items()},
    )


def wrong_in(given: Case) -> dict[str, str]:
    """Return what came out otherwise than expected."""
    return {name: state for name, state in came_to(given, LABEL).items() if state != given.expect[name]}


LOW = "result lab_anc 0.9 10*9/L on 2025-02-20"
HIGH = "result lab_anc 1.1 10*9/L on 2025-02-20"


@pytest.mark.parametrize(("record", "state"), [((LOW,), "holds"), ((HIGH,), "no"), ((), "unknown")])
@pytest.mark.parametrize("expected", ["holds", "no", "unknown"])
def test_only_the_right_state_of_a_rule_passes(record: tuple[str, ...], state: str, expected: str) -> None:
    found = wrong_in(case(*record, low_neutrophils=expected))
    assert found == ({} if expected == state else {"low-neutrophils": state})


@pytest.mark.parametrize("expected", ["do-not-start", "obtain", "clear"])
def test_only_the_right_action_passes(expected: str) -> None:
    assert wrong_in(case(LOW, action=expected)) == ({} if expected == "do-not-start" else {"action": "do-not-start"})


@pytest.mark.parametrize("expected", ["before-start", "on-treatment", "interrupted"])
def test_the_stage_is_read_from_the_record_and_compared(expected: str) -> None:
    drug = "medication drug_examplinib active since 2025-01-01"
    assert wrong_in(replace(case(drug), expect={"stage": expected})) == (
        {} if expected == "on-treatment" else {"stage": "on-treatment"}
    )


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("cites", "E1", "E3"),
        ("cites", "E1", "none"),
        ("cites", "E1", "E1 E3"),
        ("urgent", "none", "low-neutrophils"),
        ("asks", "none", "agreed"),
        ("shows", "none", "E2"),
    ],
)
def test_only_the_right_names_pass(name: str, right: str, wrong: str) -> None:
    assert wrong_in(replace(case(LOW), expect={name: right})) == {}
    assert wrong_in(replace(case(LOW), expect={name: wrong})) == {name: right}


@pytest.mark.parametrize(("days", "state"), [(28, "no"), (9, "no"), (8, "unknown")])
def test_a_site_may_have_chosen_otherwise(days: int, state: str) -> None:
    given = replace(case(HIGH, low_neutrophils=state), policy={"count-max-age": f"{days} days"})
    assert wrong_in(given) == {}
    assert came_to(case(HIGH, low_neutrophils="no"), LABEL) == {"low-neutrophils": "no"}


def test_a_choice_of_another_sort_is_refused() -> None:
    with pytest.raises(KnowledgeError, match="must be a number of days"):
        came_to(replace(case(HIGH, low_neutrophils="no"), policy={"count-max-age": 28}), LABEL)


def test_a_given_stage_is_taken() -> None:
    given = replace(case(stage="interrupted"), expect={"stage": "on-treatment"})
    assert came_to(given, LABEL) == {"stage": "interrupted"}


@pytest.mark.parametrize(
    ("stage", "state"),
    [
        ("before-start", "no"),
        ("on-treatment", "overdue"),
        ("interrupted", "no"),
    ],
)
def test_a_duty_that_does_not_apply_is_no(stage: str, state: str) -> None:
    drug = "medication drug_examplinib active since 2024-01-01"
    assert came_to(case(drug, stage=stage, counts=state), LABEL) == {"counts": state}


@pytest.mark.parametrize("each", load_cases(GOOD), ids=lambda each: each.name)
def test_the_cases_of_the_correct_label_come_to_what_they_expect(each: Case) -> None:
    assert came_to(each, LABEL) == dict(each.expect)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("reslut lab_anc 1", "reslut lab_anc 1"),
        ("result lab_acn 1", "result lab_acn 1"),
        ("result lab_anc one", "one"),
    ],
)
def test_a_line_that_says_nothing_known_is_refused(line: str, wrong: str) -> None:
    with pytest.raises(KnowledgeError, match=wrong):
        came_to(case(line, low_neutrophils="no"), LABEL)


def test_an_answer_to_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="'dizzi' is no ask"):
        came_to(case(answers=("dizzi=yes",), low_neutrophils="no"), LABEL)


def test_the_result_of_a_case_says_what_came() -> None:
    true, false = (
        run(case(LOW, low_neutrophils="holds"), LABEL),
        run(case(LOW, low_neutrophils="no", action="clear"), LABEL),
    )
    assert (true.is_true, str(true)) == (True, "")
    assert not false.is_true
    assert str(false) == "low-neutrophils: expected no, came to holds; action: expected clear, came to do-not-start"


@pytest.mark.parametrize(
    "wrong", [case("reslut lab_anc 1", action="clear"), case("died 2025-01-01"), case(answers=("dizzi=yes",))]
)
def test_a_case_that_cannot_be_decided_is_a_false_one_and_no_error(wrong: Case) -> None:
    result = run(wrong, LABEL)
    assert not result.is_true
    assert str(result).startswith("can't be decided: ")


def test_what_a_site_chose_makes_a_new_label() -> None:
    given = replace(case(HIGH), policy={"count-max-age": "8 days"})
    chosen = label_for(given, LABEL)
    assert (chosen.parameters["count-max-age"].value, LABEL.parameters["count-max-age"].value) == (8, 28)
    assert chosen.digest != LABEL.digest
    assert label_for(case(HIGH), LABEL) is LABEL
