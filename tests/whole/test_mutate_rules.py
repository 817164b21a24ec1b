"""The tool that changes rules one at a time: what it changes, and that it sees what the cases notice and what not."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from precaution import load_label
from support.project import PROJECT

sys.path.insert(0, str(PROJECT / "tools"))

import mutate_rules as tool

GOOD = PROJECT / "tests" / "wrong" / "_good"


def survivors(folder: Path) -> dict[str, bool]:
    """Return every mutant of a label's folder, and whether it survives."""
    label = tool.Changeable.of(folder)
    wanted = label.mutants()
    alive = {mutant.name for mutant in tool.survivors(label, wanted, tool.watched(folder, label.label))}
    return {mutant.name: mutant.name in alive for mutant in wanted}


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("anc < 1", {"anc <= 1", "anc >= 1", "anc < 0.9", "anc < 1.1"}),
        ("a and b", {"a or b", "a", "b", "not a and b", "a and (not b)"}),
        ("not a", {"a", "not not a"}),
        ("possible(a)", {"a", "possible(not a)"}),
        ("known(a)", {"not known(a)"}),
        ("w in ('x', 'y')", {"w in ('x',)", "w in ('y',)"}),
        ("w == 'x'", {"w != 'x'"}),
        ("a < b", {"a <= b", "a >= b"}),
        ("a\n   or b", {"a and b", "a", "b", "not a or b", "a or not b"}),
    ],
)
def test_one_thing_is_changed_at_a_time(text: str, changed: set[str]) -> None:
    assert set(tool.expressions(text)) == changed


@pytest.mark.parametrize(("number", "steps"), [(10, (9, 11)), (0, (1,)), (0.5, (0.45, 0.55))])
def test_a_limit_is_moved_by_a_step(number: float, steps: tuple[float, ...]) -> None:
    assert tool.stepped(number) == steps


def test_what_the_cases_watch_over_does_not_survive() -> None:
    found = survivors(GOOD)
    assert not found["rule.low-neutrophils when.before-start: anc <= 1"]
    assert not found["rule.low-neutrophils if-unknown.before-start: obtain -> caution"]
    assert not found["rule.low-neutrophils then.before-start: do-not-start -> interrupt"]


def test_what_no_case_watches_over_survives() -> None:
    found = survivors(GOOD)
    assert found["parameter.count-max-age value: 28 days -> 27 days"]
    assert found["parameter.counts-interval value: 30 days -> 31 days"]


def test_without_its_case_a_mutant_survives(tmp_path: Path) -> None:
    folder = shutil.copytree(GOOD, tmp_path / "label")
    (folder / "topics" / "counts.cases.toml").unlink()
    assert survivors(folder)["rule.low-neutrophils when.before-start: anc <= 1"]


def test_a_case_that_fails_unchanged_is_left_out_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shutil.copytree(GOOD, tmp_path / "label")
    cases = folder / "topics" / "counts.cases.toml"
    cases.write_text(cases.read_text(encoding="utf-8").replace('"holds"', '"no"'), encoding="utf-8")
    left = tool.watched(folder, tool.read_label(folder))
    assert "Neutrophils just below 1 forbid a start" not in [each.case.name for each in left]
    assert "fails without any change" in capsys.readouterr().out


def test_an_entry_of_the_list_matches_what_it_names_and_is_idle_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "equivalent.toml"
    path.write_text(
        '[[equivalent]]\nmutants = ["fact.a without *", "fact.b x"]\nwhy = "shown"\n'
        '[[equivalent]]\nmutants = ["fact.c x"]\nwhy = ""\n',
        encoding="utf-8",
    )
    listed = tool.Equivalents(path)
    known = [
        tool.Mutant("topics/t.toml", "fact", name, said, ())
        for name, said in (("a", "without within"), ("aa", "without within"), ("c", "x"))
    ]
    assert [listed.know(mutant) for mutant in known] == [True, False, False]
    assert listed.idle() == ["fact.b x"]


def test_what_only_an_audit_uses_is_left_out() -> None:
    label = load_label("baricitinib")
    measured = tool.only_measured(label)
    assert {"tb_screened", "audit_smallest"} <= measured
    assert not measured & {"anc", "count_max_age", "therapy_grace", "no_suitable_alternative"}
    decided = {name for looked_at in tool.looks_at(label).values() for name in looked_at}
    assert not measured & decided
