"""A text is taken over: what is unchanged gets its new places, what changed is suspect, what is new waits."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from precaution.cases.load import load_cases
from precaution.checks import check
from precaution.cli import run
from precaution.errors import InputError, UsageError
from precaution.knowledge.loading import read_label
from precaution.revision.adoption import adopted, confirmed, free_ids
from precaution.revision.changes import Revision, revision
from precaution.revision.resting import ids_in
from precaution.revision.texts import LabelText, read_text
from support.project import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

GOOD = PROJECT / "tests" / "wrong" / "_good"
TEXT = (GOOD / "text.txt").read_text(encoding="utf-8")
EDITED = TEXT.replace("below 1", "below 1.5").replace(
    "In trials, neutrophils fell in some patients.\n", "Gout was never seen, in any of the trials.\n"
)


def revised(text: str, folder: Path = GOOD, *, old: bool = True) -> Revision:
    label = read_label(folder)
    given = LabelText(TEXT, "old.txt") if old else None
    return revision(label, load_cases(folder), LabelText(text, "new.txt"), old=given)


def adopt(text: str, out: Path, folder: Path = GOOD, *, old: bool = True) -> Path:
    adopted(folder, revised(text, folder, old=old), out, "2")
    (out / "new.txt").write_text(text, encoding="utf-8")
    return out


def seen(folder: Path) -> list[str]:
    return [str(each) for each in check(folder, folder / "new.txt")]


def test_the_same_text_changes_nothing(tmp_path: Path) -> None:
    assert seen(adopt(TEXT, tmp_path / "out")) == []


def test_a_text_that_is_only_longer_before_changes_places_alone(tmp_path: Path) -> None:
    assert seen(adopt("\n\n" + TEXT.replace("neutrophils fell", "neutrophils\nfell"), tmp_path / "out")) == []


def test_what_rests_on_a_changed_sentence_is_told_with_the_words_that_differ() -> None:
    change = next(each for each in revised(EDITED).changes if each.says == "E1")
    assert (change.state, [(each.was, each.now) for each in change.differ]) == ("changed", [("1.", "1.5.")])
    assert change.rests.rules == ("low-neutrophils",)
    assert change.rests.parameters == ("count-max-age",)
    assert "Neutrophils just below 1 forbid a start" in change.rests.cases


def test_an_adopted_text_fails_until_all_of_it_is_read(tmp_path: Path) -> None:
    out = adopt(EDITED, tmp_path / "out")
    assert seen(out) == [
        "topics/counts.toml [says.E1]: is suspect: the text says it otherwise now; read it anew, then "
        "`precaution label confirm`",
        "topics/counts.toml [says.E2]: is suspect: the text no longer has it; remove it and what rests on it alone",
        "topics/new-text.toml: 1 sentence waits to be read, first E4",
    ]
    assert seen(out) == [str(each) for each in check(out)], "the same without the text"
    confirmed(out, ["E1"])
    assert len(seen(out)) == 2
    assert read_label(out).version == "2"


def test_only_a_changed_sentence_can_be_confirmed(tmp_path: Path) -> None:
    out = adopt(EDITED, tmp_path / "out")
    for name, why in {"E2": "is gone", "E3": "is not suspect", "E4": "was never read", "E9": "no sentence"}.items():
        with pytest.raises(UsageError, match=why):
            confirmed(out, ["E1", name])
    assert read_label(out).says["E1"].suspect, "nothing is written where one can't be confirmed"


def test_a_second_text_keeps_what_the_first_made_suspect(tmp_path: Path) -> None:
    first = adopt(TEXT.replace("below 1", "below 1.5"), tmp_path / "first")
    second = adopt(TEXT.replace("below 1", "below 1.5").replace("some", "few"), tmp_path / "second", first, old=False)
    says = read_label(second).says
    assert {each.id for each in says.values() if each.suspect} == {"E1", "E2"}
    assert says["E1"].was == f"0-63 {read_label(GOOD).says['E1'].sha256}"


def test_an_inline_table_is_written_anew_too(tmp_path: Path) -> None:
    folder = tmp_path / "inline"
    shutil.copytree(GOOD, folder)
    path = folder / "topics" / "monitoring.toml"
    written = path.read_text(encoding="utf-8")
    exact, means = written.split("\n")[1:3]
    path.write_text(written.replace(f"[says.E3]\n{exact}\n{means}\n", f"[says]\nE3 = {{ {exact}, {means} }}\n"))
    out = adopt(TEXT.replace("every month", "every week"), tmp_path / "out", folder)
    assert read_label(out).says["E3"].suspect == "changed"
    confirmed(out, ["E3"])
    assert seen(out) == []


def test_a_folder_with_something_in_it_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="holds something"):
        adopt(TEXT, tmp_path)


def test_another_text_and_another_language_are_refused() -> None:
    with pytest.raises(InputError, match="none of the 3 sentences"):
        revised("A text of something else.")
    with pytest.raises(InputError, match="in language 'es'"):
        revision(read_label(GOOD), (), LabelText(TEXT, "epi.json", "es"))
    with pytest.raises(InputError, match="E2 is not the sentence"):
        revision(read_label(GOOD), (), LabelText(TEXT, "new.txt"), old=LabelText(EDITED, "old.txt"))


def test_a_range_of_sentences_is_each_of_them() -> None:
    assert {"S09", "S10", "S11"} <= ids_in("S09-S11, S44")
    assert free_ids(["S01", "S53"], 2) == ["S54", "S55"]


def test_every_answer_that_is_touched_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = adopt(EDITED, tmp_path / "out")
    patient = str(PROJECT / "examples" / "ready.json")
    given = ["assess", patient, "--today", "2025-03-01", "--label"]
    assert run([*given, str(out)]) == 0
    assert "suspect: E1 and E2; not read yet: E4; on the old readings rest low-neutrophils" in " ".join(
        capsys.readouterr().out.split()
    )
    run([*given, str(out), "--json"])
    assert '"doubtful_readings": [\n    {\n      "says": "E1",\n      "state": "changed"' in capsys.readouterr().out
    run([*given, str(GOOD)])
    assert "Text " not in capsys.readouterr().out
    run(["explain", "low-neutrophils", "--label", str(out)])
    assert "▲ suspect: the text says it otherwise now" in capsys.readouterr().out


def test_the_commands_go_the_whole_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = tmp_path / "new.txt"
    new.write_text(EDITED, encoding="utf-8")
    out = str(tmp_path / "out")
    assert run(["label", "diff", str(GOOD), str(new), "--old", str(GOOD / "text.txt")]) == 0
    assert "“1.” is now “1.5.”" in capsys.readouterr().out
    assert run(["label", "diff", str(GOOD), str(new), "--json"]) == 0
    assert '"changed": 2' in capsys.readouterr().out
    assert run(["label", "adopt", str(GOOD), str(new), "--out", out]) == 0
    assert run(["check", out]) == 5
    assert run(["label", "confirm", out, "E1"]) == 0
    assert run(["label", "--label", out]) == 0


@pytest.mark.slow
def test_one_inserted_letter_is_one_problem_that_names_its_rules(shared: Path, tmp_path: Path) -> None:
    text = (shared / "clinical" / "label.txt").read_text(encoding="utf-8")
    edited = tmp_path / "edited.txt"
    edited.write_text(text[:2200] + "x" + text[2200:], encoding="utf-8")
    label = PROJECT / "precaution" / "labels" / "baricitinib"
    found = [str(each) for each in check(label, edited)]
    assert len(found) == 1
    assert "[says.S19]" in found[0]
    assert "low-neutrophils" in found[0]
    assert read_text(edited).text == text[:2200] + "x" + text[2200:]
