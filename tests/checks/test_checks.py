"""Every way to be wrong: a folder of tests/wrong/ laid over the correct label `_good`, and its exact message."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from precaution.cases.load import load_cases
from precaution.checks import CHECKS, LabelProblem, check, checked, coverage
from precaution.checks.problem import Folder
from precaution.errors import InputError, KnowledgeError, UsageError
from precaution.knowledge.expression import parse
from precaution.knowledge.folder import read_codes
from precaution.knowledge.linking import named
from precaution.knowledge.loading import LABELS, read_label
from support.project import PROJECT

WRONG = PROJECT / "tests" / "wrong"
GOOD = WRONG / "_good"
FOLDERS = sorted(path.name for path in WRONG.iterdir() if not path.name.startswith("_"))
LOADED = {
    "case-files",
    "case-twice",
    "case-without-a-day",
    "false-cases",
    "sentences-overlap",
    "undecidable-cases",
}
"""Wrong labels that load: their cases, or a check named otherwise, are wrong."""
NAMES = [each.__name__.replace("_", "-") for each in CHECKS]


def laid_over(name: str, tmp_path: Path) -> Path:
    """Return a copy of the correct label with the files of `tests/wrong/<name>` in place of its own."""
    folder = tmp_path / "label"
    shutil.copytree(GOOD, folder)
    shutil.copytree(WRONG / name, folder, dirs_exist_ok=True)
    return folder


def seen_in(folder: Path) -> list[str]:
    return [str(problem) for problem in check(folder, folder / "text.txt")]


@pytest.mark.parametrize("name", FOLDERS)
def test_what_is_wrong_is_said_exactly(name: str, tmp_path: Path) -> None:
    expected = (WRONG / name / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert expected
    assert seen_in(laid_over(name, tmp_path)) == expected


def test_the_correct_label_has_no_problem() -> None:
    assert seen_in(GOOD) == []
    assert check(GOOD) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_check_has_a_folder_that_it_alone_or_first_sees(name: str, tmp_path: Path) -> None:
    """The folder is seen by the check it is named after: taking that check away would let it pass."""
    folder = laid_over(name, tmp_path)
    seeing = CHECKS[NAMES.index(name)]
    whole = Folder(
        read_label(folder),
        load_cases(folder),
        read_codes(folder),
        (folder / "text.txt").read_text(encoding="utf-8"),
    )
    assert list(seeing(whole))
    assert set(map(str, seeing(whole))) <= set(seen_in(folder))


@pytest.mark.parametrize("name", sorted(set(FOLDERS) - set(NAMES) - LOADED))
def test_what_has_no_check_of_its_own_is_refused_by_the_loader(name: str, tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError):
        read_label(laid_over(name, tmp_path))


@pytest.mark.parametrize("name", FOLDERS)
def test_an_overlay_changes_something(name: str) -> None:
    files = [path for path in (WRONG / name).rglob("*") if path.is_file() and path.name != "expected.txt"]
    assert files
    for path in files:
        beside = GOOD / path.relative_to(WRONG / name)
        assert not beside.exists() or beside.read_bytes() != path.read_bytes()


@pytest.mark.parametrize(("name", "least"), [("_trends", 30), ("_kidney", 20), ("_doses", 12)])
def test_a_label_of_what_no_label_of_the_package_uses_yet_has_no_problem(name: str, least: int, tmp_path: Path) -> None:
    """Kinds of facts that labels of the package may not use; the cases are run with all others."""
    folder = laid_over(name, tmp_path)
    found = checked(folder, folder / "text.txt")
    assert found.problems == []
    assert found.ran == found.cases == len(load_cases(folder)) > least


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("trends", "anc-fall >= half", "anc-fall > half"),
        ("trends", 'value = "7 days"', 'value = "6 days"'),
        ("trends", 'low-limit = "1.5 10*9/L"', 'low-limit = "1.4 10*9/L"'),
        ("trends", 'crossing = ">"', 'crossing = ">="'),
        ("trends", 'direction = "rise"', 'direction = "fall"'),
        ("trends", "percent = true", "percent = false"),
        ("kidney", 'formula = "cockcroft-gault"', 'formula = "ckd-epi-2021"'),
        ("doses", 'per = "week"', 'per = "day"'),
        ("doses", '"2.5 mg"', '"5 mg"'),
        ("kidney", 'estimate = "lab_egfr"', 'estimate = "lab_clearance"'),
    ],
)
def test_a_mistake_in_such_a_label_is_seen_by_its_cases(name: str, right: str, wrong: str, tmp_path: Path) -> None:
    folder = laid_over(f"_{name}", tmp_path)
    file = folder / "topics" / f"{name}.toml"
    text = file.read_text(encoding="utf-8")
    assert right in text
    file.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    assert [each for each in checked(folder).problems if "came to" in each.message]


def test_without_the_text_the_sentences_are_taken_as_they_are(tmp_path: Path) -> None:
    assert check(laid_over("exact-sentences", tmp_path)) == []


def test_a_text_with_windows_line_ends_is_the_same_text(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_bytes((GOOD / "text.txt").read_bytes().replace(b"\n", b"\r\n"))
    assert check(GOOD, text) == []


def test_a_missing_folder_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no label\.toml"):
        check(tmp_path)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_text_that_cannot_be_read_is_a_wrong_input(content: bytes | None, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    if content is not None:
        text.write_bytes(content)
    with pytest.raises(InputError, match="can't be read"):
        check(GOOD, text)


def test_a_problem_reads_as_one_line() -> None:
    assert str(LabelProblem("label.toml [therapy] gap", "is missing")) == "label.toml [therapy] gap: is missing"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anc < 1", True),
        ("dizzy", True),
        ("known(anc)", False),
        ("recorded(anc) and not known(anc)", False),
        ("recorded(anc) and anc < 1", True),
        ("possible(dizzy)", True),
        ("counts_interval >= 14", False),
    ],
)
def test_only_what_asks_for_a_value_can_be_unknown(text: str, expected: bool) -> None:
    assert coverage.can_be_unknown(parse(text), named(read_label(GOOD))) is expected


def test_a_rule_that_cannot_be_unknown_needs_no_such_case(tmp_path: Path) -> None:
    folder = laid_over("unused-facts", tmp_path)
    (folder / "topics" / "more.toml").write_text(
        '[rule.more]\ntitle = "More"\ncites = "E1"\nwhen = "not known(anc)"\nthen = "caution"\n'
        'if-unknown = "obtain"\ntell = "More"\n',
        encoding="utf-8",
    )
    assert [problem.message.split(";")[0] for problem in check(folder)] == [
        "no case shows it as 'holds'",
        "no case shows it as 'no'",
    ]


def test_the_upper_limit_itself_is_no_number_of_ours(tmp_path: Path) -> None:
    folder = laid_over("unstated-numbers", tmp_path)
    topic = folder / "topics" / "counts.toml"
    text = topic.read_text(encoding="utf-8").replace("anc < 1.5 and adult", "anc > 1 and adult")
    for before, after in (
        ('latest = "lab_anc"', 'latest = "lab_anc"\ntimes-upper-limit = true'),
        ("limit = 2", "limit = 1\ntimes-upper-limit = true"),
        ("numbers = 1", "numbers = 18"),
    ):
        text = text.replace(before, after)
    topic.write_text(text, encoding="utf-8")
    assert checked(folder, folder / "text.txt", run_cases=False).problems == []


def test_a_measure_uses_its_facts_and_parameters(tmp_path: Path) -> None:
    """A fact that nothing else needs is no problem once a measure asks for it."""
    folder = laid_over("measures-without-sentence", tmp_path)
    topic = folder / "topics" / "more.toml"
    fact = '[fact.anc-ever]\ntitle = "a count"\never = "lab_anc"\nlist = "result"\nabsent = "unknown"\n'
    text = topic.read_text(encoding="utf-8").replace("cites = []", 'cites = ["E1"]')
    topic.write_text(text + fact, encoding="utf-8")
    assert [problem.message.split(";")[0] for problem in check(folder)] == ["is used by no rule, duty or other fact"]
    topic.write_text(text.replace("known(anc)", "anc-ever") + fact, encoding="utf-8")
    assert check(folder) == []


def test_a_number_of_a_measure_has_its_reason_too(tmp_path: Path) -> None:
    folder = laid_over("measures-without-sentence", tmp_path)
    topic = folder / "topics" / "more.toml"
    text = topic.read_text(encoding="utf-8").replace("cites = []", 'cites = ["E1"]')
    topic.write_text(text.replace("known(anc)", "anc < 1.5"), encoding="utf-8")
    assert [problem.message.split(",")[0] for problem in check(folder)] == ["uses 1.5"]


@pytest.mark.parametrize("label", sorted(path.parent.name for path in LABELS.glob("*/label.toml")))
@pytest.mark.slow
def test_the_labels_of_the_package_are_well(label: str) -> None:
    assert list(map(str, check(LABELS / label))) == []


@pytest.mark.slow
def test_the_first_label_holds_every_character_of_its_text(shared: Path) -> None:
    assert list(map(str, check(LABELS / "baricitinib", shared / "clinical" / "label.txt"))) == []


def test_the_page_of_the_format_is_fresh(project: Path) -> None:
    tool = project / "tools" / "make_format_page.py"
    done = subprocess.run([sys.executable, str(tool), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
