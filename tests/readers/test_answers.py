"""QuestionnaireResponse -> answers to the label's asks."""

from __future__ import annotations

import pytest

from precaution.values.interval import Interval
from support.fhir_builders import day, entries, ignored, only, record, response


def item(link: object, *answers: object, **more: object) -> dict[str, object]:
    return {"linkId": link, "answer": list(answers), **more}


YES = {"valueBoolean": True}


@pytest.mark.parametrize("link", ["no-alternative", "A1", "a1", " A1 ", "no_alternative", "No-Alternative"])
def test_an_ask_by_name_or_number(link: str) -> None:
    entry = only(response(item=[item(link, YES)]))
    assert (entry.concept, entry.kind, entry.result, entry.says) == ("ask:no-alternative", "answer", "yes", "yes")
    assert entry.start == Interval(day("2024-05-01"), day("2024-05-01"))


@pytest.mark.parametrize(
    ("link", "answer", "expected"),
    [
        ("A1", {"valueBoolean": False}, "no"),
        ("A1", {"valueString": " YES "}, "yes"),
        ("A1", {"valueCoding": {"code": "no"}}, "no"),
        ("A3", {"valueString": "better"}, "better"),
        ("A3", {"valueCoding": {"code": "worse", "display": "better"}}, "worse"),
    ],
)
def test_every_type_of_answer(link: str, answer: object, expected: str) -> None:
    assert only(response(item=[item(link, answer)])).result == expected


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [YES, YES],
        [YES, {"valueBoolean": False}],
        [{"valueString": "maybe"}],
        [{"valueCoding": {"display": "yes"}}],
        [{"valueInteger": 1}],
        [{}],
        [{"valueBoolean": "true"}],
    ],
)
def test_answers_that_can_not_be_told(answers: list[object]) -> None:
    resource = response(item=[item("A1", *answers)])
    assert entries(resource) == []
    assert len(ignored(resource)) == 1


def test_true_is_no_answer_to_another_question() -> None:
    assert entries(response(item=[item("A3", YES)])) == []


def test_messages_do_not_hold_the_answer() -> None:
    ((_, why),) = ignored(response(item=[item("A1", {"valueString": "Jane"})]))
    assert "Jane" not in why


def test_nested_items() -> None:
    deep = item("A1", YES)
    for _ in range(3000):
        deep = {"linkId": "group", "item": [deep]}
    assert only(response(item=[deep])).result == "yes"
    assert only(response(item=[{"linkId": "x", "answer": [{"valueString": "y", "item": [item("A1", YES)]}]}]))


@pytest.mark.parametrize("status", ["in-progress", "stopped", "entered-in-error", None, "Jane", 5])
def test_a_response_that_is_not_done(status: object) -> None:
    resource = response(status=status, item=[item("A1", YES)])
    assert entries(resource) == []
    assert len(ignored(resource)) == 1
    assert "Jane" not in str(ignored(resource))


def test_an_amended_response_counts() -> None:
    assert only(response(status="amended", item=[item("A1", YES)])).result == "yes"


def test_a_response_without_a_date() -> None:
    entry = only(response(authored=None, item=[item("A1", YES)]))
    assert (entry.start, entry.note) == (None, "the answer has no date")


@pytest.mark.parametrize(
    "items",
    [None, [], "x", [None], [{"linkId": 5}], [{"linkId": ""}], [item("pain", YES)], [{"linkId": "x", "answer": "y"}]],
)
def test_other_questionnaires_leave_nothing(items: object) -> None:
    found = record(response(item=items))
    assert not found.entries
    assert not found.ignored
