"""Whether the words of a record are in a language that the label has words of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from precaution.cli import main
from precaution.knowledge.loading import load_label
from precaution.readers.language import Understood, understood
from support.fhir_builders import LOINC, code, concept, condition, observation

if TYPE_CHECKING:
    from pathlib import Path

PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1970"}
POLISH = ("Gruźlica płuc", "Nadciśnienie tętnicze", "Złamanie kości")


def of_texts(*texts: str) -> Understood:
    found = [condition(str(number), code=concept(text=each)) for number, each in enumerate(texts)]
    return understood([PATIENT, *found], load_label().terminology)


@pytest.mark.parametrize(
    "texts",
    [
        ("Low back pain", "Essential hypertension", "Fracture of wrist"),
        ("Kreuzschmerz", "Arterielle Hypertonie", "Gürtelrose"),
        ("Lombalgie chronique", "Hypertension artérielle", "Zona"),
        ("Lumbalgia crónica", "Hipertensión arterial", "Fractura de muñeca"),
        ("Lombalgia", "Ipertensione arteriosa", "Frattura del polso"),
        ("Lage rugpijn", "Hoge bloeddruk", "Gordelroos"),
    ],
)
def test_six_languages_are_understood(texts: tuple[str, ...]) -> None:
    assert of_texts(*texts) == Understood(3, 0)


@pytest.mark.parametrize("texts", [POLISH, ("Туберкулёз", "Гипертония", "Перелом"), ("高血圧", "糖尿病", "骨折")])
def test_others_are_not(texts: tuple[str, ...]) -> None:
    assert of_texts(*texts) == Understood(3, 3)


def test_only_words_count_whose_codes_tell_nothing() -> None:
    known = observation(code=code(LOINC, "2160-0", "Kreatynina"))
    assert understood([PATIENT, known], load_label().terminology) == Understood(0, 0)
    assert of_texts("I10", "???") == Understood(1, 0)


def read(capsys: pytest.CaptureFixture[str], tmp_path: Path, *texts: str, more: tuple[str, ...] = ()) -> str:
    path = tmp_path / "record.json"
    made = [
        condition(str(n), code=concept(text=each), subject={"reference": "Patient/p"}) for n, each in enumerate(texts)
    ]
    path.write_text(json.dumps([PATIENT, *made]), encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["read", str(path), *more])
    return capsys.readouterr().out


def test_read_says_when_most_words_are_not_understood(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "Most words of this record are not understood: 3 of 3 texts" in read(capsys, tmp_path, *POLISH)
    assert "not understood" in read(capsys, tmp_path, *POLISH, "Fracture")
    assert "not understood" not in read(capsys, tmp_path, *POLISH, "Fracture", "Back pain", "Wrist pain")
    assert "not understood" not in read(capsys, tmp_path, *POLISH[:2])
    assert json.loads(read(capsys, tmp_path, *POLISH, more=("--json",)))["words"] == {"texts": 3, "unknown": 3}
