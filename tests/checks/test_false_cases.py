"""`precaution check` runs the cases: a false one is found wherever it is false, and a rule's cases can be run alone."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from precaution.cases.load import load_cases
from precaution.cases.run import false_in
from precaution.checks import checked
from precaution.cli import run as command
from precaution.errors import UsageError
from precaution.knowledge.loading import LABELS
from support.project import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from precaution.cases.load import Case

GOOD = PROJECT / "tests" / "wrong" / "_good"
REAL = LABELS / "baricitinib"
CASES = load_cases(REAL)
Capture = pytest.CaptureFixture[str]


def copied(folder: Path, tmp_path: Path) -> Path:
    """Return a copy of a label's folder that may be changed; its code lists are not copied."""
    copy = tmp_path / "label"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("codes"))
    (copy / "codes").symlink_to(folder / "codes")
    return copy


def replaced(file: Path, before: str, after: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")


def mutated(folder: Path, case: Case, name: str, state: str) -> None:
    """Let one case expect `state` of `name`, where its file says something else."""
    file = folder / "topics" / f"{case.topic}.cases.toml"
    begin, own, rest = file.read_text(encoding="utf-8").partition(f'name = "{case.name}"')
    was = f'{name} = "{case.expect[name]}"'
    assert own
    assert was in rest.split("[[case]]")[0]
    file.write_text(begin + own + rest.replace(was, f'{name} = "{state}"', 1), encoding="utf-8")


MUTATIONS = [
    ("low-neutrophils", "low-neutrophils", "holds", "no"),
    ("low-lymphocytes", "low-lymphocytes", "no", "holds"),
    ("herpes-zoster", "herpes-zoster", "unknown", "no"),
    ("lipids", "lipids", "due", "overdue"),
    ("lipids", "lipids", "done", "no"),
    ("low-neutrophils", "action", "do-not-start", "interrupt"),
    ("herpes-zoster", "stage", "on-treatment", "interrupted"),
    ("low-neutrophils", "cites", "", "none"),
    ("infection-not-responding", "urgent", "infection-not-responding", "none"),
    ("", "shows", "", "none"),
]
"""The rule or duty whose cases are run, or none for all; what is made to be expected otherwise, where it is what."""


def expecting(rule: str, name: str, state: str) -> Case:
    """Return the first case of a rule that expects `state` of `name`; any state but `none` where that is empty."""
    return next(
        case
        for case in CASES
        if name in case.expect
        and (not rule or rule in case.expect or rule in case.expect.get("urgent", ""))
        and (case.expect[name] == state if state else case.expect[name] != "none")
    )


@pytest.mark.parametrize(
    ("rule", "name", "state", "other"),
    [pytest.param(*each, marks=[] if each[0] == "low-neutrophils" else pytest.mark.slow) for each in MUTATIONS],
    ids=str,
)
def test_one_false_case_of_the_label_is_found(rule: str, name: str, state: str, other: str, tmp_path: Path) -> None:
    case, folder = expecting(rule, name, state), copied(REAL, tmp_path)
    mutated(folder, case, name, other)
    found = checked(folder, rule=rule)
    false = [str(each) for each in found.problems if "expected" in each.message]
    came = case.expect[name]
    assert false == [
        f"topics/{case.topic}.cases.toml [case '{case.name}'] expect: {name}: expected {other}, came to {came}"
    ]
    assert 0 < found.ran <= found.cases == len(CASES)
    assert not rule or found.ran < 200


def test_a_rule_that_was_changed_makes_its_cases_false(tmp_path: Path, capsys: Capture) -> None:
    folder = copied(REAL, tmp_path)
    replaced(folder / "topics" / "blood-counts.toml", 'anc-limit = "1 ', 'anc-limit = "0.5 ')
    assert command(["check", str(folder), "--rule", "low-neutrophils"]) == 5
    said = capsys.readouterr().out
    assert re.search(
        r"blood-counts\.cases\.toml \[case '.*'\] expect: low-neutrophils: expected holds, came to no", said
    )
    assert command(["check", str(folder), "--no-cases"]) == 0, "nothing else sees it"


def test_the_service_and_the_check_find_the_same_cases_false(tmp_path: Path) -> None:
    folder = copied(GOOD, tmp_path)
    shutil.copytree(PROJECT / "tests" / "wrong" / "false-cases", folder, dirs_exist_ok=True)
    false = [f"[case '{result.case.name}']" for result in false_in(folder)]
    assert len(false) == 10
    assert [each.where.partition(" expect")[0].split(" ", 1)[1] for each in checked(folder).problems] == false


def test_a_rules_cases_alone_are_run(tmp_path: Path) -> None:
    found = checked(GOOD, rule="counts")
    assert (found.ran, found.cases, found.problems) == (2, 6, [])
    folder = copied(GOOD, tmp_path)
    replaced(folder / "topics" / "counts.cases.toml", 'low-neutrophils = "holds"', 'low-neutrophils = "no"')
    assert not [each for each in checked(folder, rule="counts").problems if "expected" in each.message]
    assert [each for each in checked(folder, rule="low-neutrophils").problems if "expected" in each.message]


def test_a_case_of_what_can_not_wait_is_the_rules_too() -> None:
    rule = "infection-not-responding"
    urgent = [case for case in CASES if rule in case.expect.get("urgent", "").split()]
    assert urgent
    assert checked(REAL, rule=rule).ran >= len(urgent)


def test_how_many_were_run_is_told_while_they_are() -> None:
    told: list[tuple[int, int]] = []
    checked(GOOD, progress=lambda done, whole: told.append((done, whole)))
    assert told == [(number, 6) for number in range(1, 7)]
    assert checked(GOOD, run_cases=False).ran == 0


def test_an_unknown_rule_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match=r"'count' is no rule or duty of examplinib\. Did you mean 'counts'\?"):
        checked(GOOD, rule="count")


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        ([], 0, "label: no problems; all 6 cases were run\n"),
        (["--no-cases"], 0, "label: no problems; its cases were not run\n"),
        (["--rule", "counts"], 0, "label: no problems; 2 of 6 cases were run\n"),
        (["--rule", "dizzyness"], 2, ""),
        (["--rule", "counts", "--no-cases"], 2, ""),
    ],
)
def test_the_command_says_what_was_run(more: list[str], code: int, said: str, tmp_path: Path, capsys: Capture) -> None:
    assert command(["check", str(copied(GOOD, tmp_path)), *more]) == code
    assert capsys.readouterr().out == said


def test_explain_and_the_booklet_mark_a_false_case(tmp_path: Path, capsys: Capture) -> None:
    folder = copied(GOOD, tmp_path)
    replaced(folder / "topics" / "counts.cases.toml", 'action = "do-not-start"', 'action = "interrupt"')
    assert command(["explain", "low-neutrophils", "--label", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [" ".join(line.split()) for line in lines[lines.index("Cases") + 1 :]] == [
        "holds Neutrophils just below 1 forbid a start",
        "■ does not come true: action: expected interrupt, came to do-not-start",
        "no Neutrophils of 1 do not",
        "unknown Without a count neither can be said",
    ]
    assert command(["booklet", "--label", str(folder), "--out", str(tmp_path / "pages")]) == 0
    assert "cases that do not come true: 1; `precaution check` lists them" in capsys.readouterr().err
    mark = "(does not come true: action: expected interrupt, came to do-not-start)"
    for page in (tmp_path / "pages").iterdir():
        assert page.read_text(encoding="utf-8").count(mark) == 1


def test_a_sites_policy_makes_no_case_false(tmp_path: Path, capsys: Capture) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[parameter]\ncount-max-age = "3 days"\n', encoding="utf-8")
    assert command(["explain", "low-neutrophils", "--label", str(GOOD), "--policy", str(policy)]) == 0
    assert "does not come true" not in capsys.readouterr().out
