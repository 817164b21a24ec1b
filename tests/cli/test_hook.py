"""`precaution hook`: the call that an EHR would make for a record, and its cards, without a server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from precaution.cli import run
from precaution.cli.hook import plain
from support.project import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    Capture = pytest.CaptureFixture[str]

TODAY = "2025-03-01"


def example(name: str) -> str:
    return str(PROJECT / "examples" / f"{name}.json")


def test_the_cards_are_shown(capsys: Capture) -> None:
    assert run(["hook", example("zoster-on-treatment"), "--today", TODAY]) == 0
    said = capsys.readouterr()
    assert "[critical] Baricitinib: interrupt." in said.out
    assert "[ ] Order: LDL cholesterol" in said.out
    assert "&#" not in said.out
    assert "no query asks for Encounter" in said.err


def test_the_cards_as_json_are_those_of_the_service(capsys: Capture) -> None:
    assert run(["hook", example("low-neutrophils"), "--today", TODAY, "--json"]) == 0
    cards = json.loads(capsys.readouterr().out)["cards"]
    assert cards[0]["indicator"] == "critical"
    assert {"summary", "source", "indicator", "detail"} <= cards[0].keys()


def test_the_request_is_a_call_that_holds_what_the_record_holds(capsys: Capture) -> None:
    assert run(["hook", example("low-neutrophils"), "--request"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["hook"] == "order-sign"
    (order,) = body["context"]["draftOrders"]["entry"]
    assert order["resource"]["medicationCodeableConcept"]["text"] == "Baricitinib"
    assert body["prefetch"]["patient"]["resourceType"] == "Patient"
    assert all(each["entry"] for name, each in body["prefetch"].items() if name != "patient")


def test_what_the_record_holds_nothing_of_is_not_known(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "patient.json"
    file.write_text('{"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01"}', encoding="utf-8")
    assert run(["hook", str(file), "--today", TODAY]) == 0
    said = capsys.readouterr().out
    assert "not retrieved, so not known: diagnoses" in said
    assert "clear" not in said


def test_where_there_is_no_card_it_says_why(capsys: Capture) -> None:
    assert run(["hook", example("ready"), "--today", TODAY, "--hook", "patient-view"]) == 0
    assert capsys.readouterr().out.startswith("No card: the drug is neither taken nor ordered")


@pytest.mark.parametrize(("content", "says"), [("[]", "holds none"), ('[{"resourceType": "Patient"}]', "holds none")])
def test_a_call_is_about_one_patient(content: str, says: str, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "patient.json"
    file.write_text(content, encoding="utf-8")
    assert run(["hook", str(file), "--today", TODAY]) == 3
    assert says in capsys.readouterr().err


def test_a_detail_is_read_without_its_marks() -> None:
    assert plain("- **■ interrupt** a &#40;S1&#41;\n*not a device*") == "- ■ interrupt a (S1)\nnot a device"
