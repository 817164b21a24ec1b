"""The JSON contract."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace

import pytest

from precaution.engine.answer import Decision
from precaution.writers.structured import as_json, to_dict, to_json
from support.sample_label import AT_RISK, CLEAR, DECISION, HOLD, LOW_A

CONTRACT = {
    "findings": {"rule", "state", "action", "cites", "tell", "evidence", "searched", "parameters"},
    "due": {"duty", "cites", "state", "due", "overdue_after", "evidence"},
    "asks": {"ask", "question", "cites", "answered"},
    "missing": {"fact", "why", "needed_by"},
    "ignored": {"source", "why"},
    "unrecognised": {"source", "system", "code"},
}
"""The keys that ARCHITECTURE.md promises; more may be added, none renamed."""


@pytest.mark.parametrize(("name", "keys"), CONTRACT.items())
def test_every_promised_key_is_there(name: str, keys: set[str]) -> None:
    rows = json.loads(to_json(DECISION))[name]
    assert rows
    assert all(keys <= set(row) for row in rows)


def test_the_top_of_the_answer() -> None:
    answer = json.loads(to_json(DECISION))
    assert answer["label"] == {"name": "examplinib", "version": "1.0", "digest": "d" * 64}
    assert (answer["today"], answer["stage"], answer["action"]) == ("2025-03-01", "before-start", "do-not-start")
    assert "not a certified medical device" in answer["note"]


def test_evidence_and_what_was_searched() -> None:
    [finding, _] = json.loads(to_json(DECISION))["findings"]
    assert finding["evidence"] == [
        {"source": "Observation/a-7", "date": "2025-02-20", "says": "0.8 10*9/L", "note": ""}
    ]
    assert finding["searched"] == [{"concept": "lab_a", "from": "2025-02-01", "found": 1}]


def test_an_open_question_is_null() -> None:
    assert json.loads(to_json(DECISION))["asks"][0]["answered"] is None


def test_nothing_of_a_decision_is_left_out() -> None:
    renamed = {"label", "version", "digest"}
    assert {field.name for field in fields(Decision)} - renamed <= set(to_dict(DECISION))


def test_the_same_decision_gives_the_same_bytes() -> None:
    again = replace(DECISION, findings=(LOW_A._replace(), AT_RISK._replace()))
    assert to_json(again) == to_json(DECISION)


def test_a_hold_is_written() -> None:
    [hold] = json.loads(to_json(replace(DECISION, stage="interrupted", holds=(HOLD,))))["holds"]
    assert (hold["rule"], hold["state"], hold["cites"]) == ("low-a", "open", ["S01"])


def test_what_the_policy_changed_is_written() -> None:
    assert json.loads(to_json(replace(CLEAR, policy={"count-max-age": "14 days"})))["policy"] == {
        "count-max-age": "14 days"
    }


def test_text_stays_readable() -> None:
    assert "×10⁹/L" in to_json(DECISION)
    assert to_json(DECISION).endswith("}\n")


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_no_number_that_json_does_not_have(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json({"value": number})
