"""The label's questions as a FHIR Questionnaire, and its way back through the reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from precaution import load_label
from precaution.errors import UsageError
from precaution.labels import DEFAULT
from precaution.readers import read_resources
from precaution.values.record import ANSWER
from precaution.writers.questionnaire import questionnaire
from support.engine_builders import label as other_label

LABEL = load_label(DEFAULT)
FORM: dict[str, Any] = dict(questionnaire(LABEL))
ELEMENTS = {
    "linkId", "prefix", "text", "type", "required", "answerOption", "enableWhen", "item",
}  # fmt: skip
"""Those of Questionnaire.item in FHIR R4 that are written."""


def items(parent: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in parent.get("item", ()):
        yield item
        yield from items(item)


def test_it_says_what_it_is() -> None:
    own = LABEL.questionnaire
    assert own is not None
    assert (FORM["resourceType"], FORM["url"], FORM["version"]) == ("Questionnaire", own.canonical, own.version)
    assert (FORM["status"], FORM["subjectType"]) == ("active", ["Patient"])
    assert re.fullmatch(r"[A-Z]([A-Za-z0-9_]){0,254}", FORM["name"])  # FHIR's rule que-0
    assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", FORM["id"])


def test_each_question_stands_in_it_once_by_its_number() -> None:
    links = [item["linkId"] for item in FORM["item"]]
    assert links == [f"A{number}" for number in range(1, len(LABEL.asks) + 1)]
    every = [item["linkId"] for item in items(FORM)]
    assert len(every) == len(set(every))  # FHIR's rule que-2


def test_each_item_has_the_shape_that_fhir_asks_for() -> None:
    for item in items(FORM):
        assert set(item) <= ELEMENTS
        assert item["text"]
        assert item["type"] in ("boolean", "choice", "date")
        assert ("answerOption" in item) == (item["type"] == "choice")  # FHIR's rule que-5
        assert all(option["valueCoding"]["code"] for option in item.get("answerOption", ()))


def test_a_filled_in_form_is_read() -> None:
    given: list[dict[str, Any]] = []
    for ask, item in zip(sorted(LABEL.asks.values(), key=lambda ask: int(ask.number[1:])), FORM["item"], strict=True):
        assert item["text"] == ask.question
        options = item.get("answerOption")
        answer = {"valueCoding": options[0]["valueCoding"]} if options else {"valueBoolean": True}
        inner = [{"linkId": each["linkId"], "answer": [{"valueDate": "2025-01-02"}]} for each in item.get("item", ())]
        given.append({"linkId": item["linkId"], "answer": [answer | ({"item": inner} if inner else {})]})
    response = {
        "resourceType": "QuestionnaireResponse",
        "id": "filled",
        "questionnaire": f"{FORM['url']}|{FORM['version']}",
        "status": "completed",
        "authored": "2025-02-01",
        "author": {"reference": "PractitionerRole/1"},
        "item": given,
    }
    found = read_resources([{"resourceType": "Patient", "id": "p"}, response], LABEL.terminology, LABEL.asks)
    assert set(found.entries) == {ANSWER + name for name in LABEL.asks}
    assert found.ignored == ()


def test_a_label_without_one_says_so() -> None:
    with pytest.raises(UsageError, match="has no questionnaire"):
        questionnaire(other_label())
