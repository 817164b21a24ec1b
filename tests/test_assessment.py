"""The Python API's `assess`: every form of patient, day, stage and answer, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from precaution import assess, load_label
from precaution.assessment import as_day, find_ask, with_answers
from precaution.cases.lines import resources
from precaution.errors import InputError, KnowledgeError, MixedPatients, NoPatient, PatientDied, UsageError
from precaution.knowledge.model import Label
from precaution.values.interval import EVERYTHING, Interval
from precaution.values.record import Record
from support.engine_builders import TODAY, answer, ask, label, on, record

LINES = ("born 1980-05-14", "result lab_anc 0.8 10*9/L on 2025-02-20")
DAY = "2025-03-01"


@pytest.fixture(scope="module")
def known() -> Label:
    return load_label("baricitinib")


@pytest.fixture(scope="module")
def patient(known: Label) -> list[dict[str, Any]]:
    return resources(LINES, known.terminology)


def test_a_patient_may_be_given_in_any_form(known: Label, patient: list[dict[str, Any]], tmp_path: Path) -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in patient]}
    text = json.dumps(bundle)
    file = tmp_path / "patient.json"
    file.write_text(text, encoding="utf-8")
    (tmp_path / "folder").mkdir()
    for number, each in enumerate(patient):
        (tmp_path / "folder" / f"{number}.json").write_text(json.dumps(each), encoding="utf-8")
    forms: list[Any] = [
        patient,
        tuple(patient),
        iter(patient),
        bundle,
        text.encode(),
        bytearray(text.encode()),
        memoryview(text.encode()),
        file,
        str(file),
        tmp_path / "folder",
    ]
    decisions = [assess(form, today=DAY, label=known) for form in forms]
    assert decisions[0].action == "do-not-start"
    assert all(each == decisions[0] for each in decisions)


def test_a_record_may_be_given_too(known: Label) -> None:
    assert assess(Record(), today=DAY, label=known).action != "clear"


@pytest.mark.parametrize("today", [DAY, date(2025, 3, 1), datetime(2025, 3, 1, 23, 59, tzinfo=UTC), "20250301"])
def test_a_day_in_any_form(today: date | str) -> None:
    assert as_day(today) == TODAY


@pytest.mark.parametrize("today", ["today", "2025-02-30", "2025-03", "", "01.03.2025", None, 20250301])
def test_what_is_no_day(today: Any) -> None:
    with pytest.raises(UsageError, match="is no day: write it as 2025-03-01"):
        as_day(today)


def test_the_label_by_name_or_as_loaded(known: Label, patient: list[dict[str, Any]]) -> None:
    assert (
        assess(patient, today=DAY, label="baricitinib")
        == assess(patient, today=DAY, label=known)
        == assess(patient, today=DAY)
    )
    with pytest.raises((UsageError, KnowledgeError), match="no-such-label"):
        assess(patient, today=DAY, label="no-such-label")


def test_the_stage_may_be_given(known: Label, patient: list[dict[str, Any]]) -> None:
    assert assess(patient, today=DAY, label=known, stage="on-treatment").stage == "on-treatment"
    with pytest.raises(UsageError, match="'on-treatmnt' is no stage.* Did you mean 'on-treatment'"):
        assess(patient, today=DAY, label=known, stage="on-treatmnt")


def test_what_does_not_hold_on_request(known: Label, patient: list[dict[str, Any]]) -> None:
    states = {each.state for each in assess(patient, today=DAY, label=known).findings}
    assert states == {"holds", "unknown"}
    everything = assess(patient, today=DAY, label=known, everything=True)
    assert {each.state for each in everything.findings} >= states
    assert len(everything.findings) > len(assess(patient, today=DAY, label=known).findings)


@pytest.mark.parametrize(
    ("patient", "error"),
    [
        ([], NoPatient),
        ([{"resourceType": "Patient", "id": "a"}, {"resourceType": "Patient", "id": "b"}], MixedPatients),
        (b"{", InputError),
        (b"", InputError),
        (b'{"resourceType": "Observation"}', NoPatient),
        ("no/such/file.json", InputError),
        (5, UsageError),
        (None, UsageError),
        ({}, InputError),
        ([1], InputError),
        ([None], InputError),
        (["x"], InputError),
        ([[]], InputError),
    ],
)
def test_what_is_no_patient(known: Label, patient: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        assess(patient, today=DAY, label=known)


@pytest.mark.parametrize(
    ("died", "dead"),
    [
        ("2025-03-01", True),
        ("2025-02-28", True),
        ("2025-03-02", False),
        (EVERYTHING, True),
        (None, False),
        (Interval(TODAY - 10, TODAY), True),
        (Interval(TODAY - 10, TODAY + 10), False),
    ],
)
def test_nothing_is_left_to_decide_for_the_dead(known: Label, died: Any, *, dead: bool) -> None:
    patient = Record(died=on(died) if isinstance(died, str) else died)
    if not dead:
        assert assess(patient, today=DAY, label=known).today == DAY
        return
    with pytest.raises(PatientDied, match="nothing left to decide. Give an earlier --today") as raised:
        assess(patient, today=DAY, label=known)
    assert "2025" not in str(raised.value)


# Answers.

OF = label(ask("agreed", "A1"), ask("decided", "A10", answers=("continue", "interrupt"), reassures=("continue",)))


@pytest.mark.parametrize(
    ("text", "name", "word", "start"),
    [
        ("agreed=yes@2025-02-01", "agreed", "yes", "2025-02-01"),
        ("A1=no", "agreed", "no", DAY),
        ("decided=interrupt", "decided", "interrupt", DAY),
        (" agreed = yes @ 2025-02-01 ", "agreed", "yes", "2025-02-01"),
    ],
)
def test_an_answer_is_filed_under_its_ask(text: str, name: str, word: str, start: str) -> None:
    ((entry,),) = with_answers(record(), [text], OF, TODAY).entries.values()
    assert (entry.concept, entry.result, entry.start, entry.source) == (f"ask:{name}", word, on(start), "answer given")


def test_answers_stand_beside_those_of_the_record() -> None:
    before = record(answer("agreed", "no", "2025-02-10"))
    after = with_answers(before, ["agreed=yes@2025-02-20", "agreed=yes@2025-02-01"], OF, TODAY)
    assert [entry.result for entry in after.entries["ask:agreed"]] == ["yes", "no", "yes"]
    assert len(before.entries["ask:agreed"]) == 1
    assert with_answers(before, [], OF, TODAY) is before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("agreed", "write it as NAME=yes@2025-02-01"),
        ("agred=yes", "'agred' is no ask of examplinib. Did you mean 'agreed'?"),
        ("agreed=maybe", "'maybe' is no answer to 'agreed': it is one of yes, no"),
        ("agreed=", "is no answer to 'agreed'"),
        ("agreed=yes@soon", "'soon' is no day"),
        ("agreed=yes@", "'' is no day"),
        ("", "is no answer"),
        ("A2=yes", "'A2' is no ask"),
        ("decided=yes", "it is one of continue, interrupt"),
    ],
)
def test_what_is_no_answer(text: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        with_answers(record(), [text], OF, TODAY)
    assert message in str(raised.value)


def test_an_ask_by_name_or_number() -> None:
    assert find_ask("agreed", OF) is find_ask("A1", OF)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("A1=yes@2025-03-02", "is of a day after that of the decision"),
        ("A6=negative@2025-03-02", "is of a day after that of the decision"),
        ("A6=negative", "needs a day"),
    ],
)
def test_an_answer_of_no_day_that_can_be_is_refused(known: Label, answer: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        assess(resources(("born 1950-01-01",), known.terminology), today=DAY, label=known, answers=[answer])
