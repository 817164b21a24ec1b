"""A site's own code lists: what is wrong with them ends the run, with exit code 5, and says where and what."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from precaution.cli import run
from support.project import PROJECT

HEAD = "system,code,display,source,verified\n"
WRONG = {
    "no list": ({}, "there is no code list in this folder"),
    "other files alone": ({"readme.txt": "x"}, "there is no code list in this folder"),
    "a check digit of LOINC": (
        {"lab_anc.csv": HEAD + "LOINC,751-9,ANC,site,yes\n"},
        "lab_anc.csv.*LOINC '751-9'",
    ),
    "a check digit of SNOMED": ({"herpes_zoster.csv": HEAD + "SNOMED,4740001,Zoster,site,yes\n"}, "SNOMED '4740001'"),
    "a shape of ICD-10": ({"herpes_zoster.csv": HEAD + "ICD10,B-02,Zoster,site,yes\n"}, "ICD10 'B-02'"),
    "a list of nothing known": ({"zooster.csv": HEAD + "ICD10,B02,Zoster,site,yes\n"}, "the label has no code list"),
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("command", ["assess", "cohort"])
def test_a_wrong_list_ends_with_code_5(
    what: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, said = WRONG[what]
    folder = tmp_path / "ours"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    more = ["--out", str(tmp_path / "out")] if command == "cohort" else []
    patient = str(PROJECT / "examples" / "ready.json")
    assert run([command, patient, "--today", "2025-03-01", "--codes", str(folder), *more]) == 5
    found = capsys.readouterr()
    assert found.out == ""
    assert re.search(said, found.err), found.err


def test_a_right_list_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "herpes_zoster.csv").write_text(HEAD + "ICD10,B02*,Zoster,site,yes\nSNOMED,4740000,Zoster,site,yes\n")
    patient = str(PROJECT / "examples" / "ready.json")
    assert run(["assess", patient, "--today", "2025-03-01", "--codes", str(tmp_path)]) == 0
    assert "clear" in capsys.readouterr().out
