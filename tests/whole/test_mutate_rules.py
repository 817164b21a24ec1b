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


FAMILY = """
[rule.low]
for.low-counts = { fact = "anc" }
title = "Low"
cites = "E4"
when = "@ < anc-limit"
then = { before-start = "do-not-start" }
if-unknown = "obtain"
tell = "Low"
[says.E4]
exact = "0-1 00"
means = "Do not start below 1."
numbers = { anc-limit = "1 10*9/L" }
"""
CASE = """
[[case]]
name = "Just below"
today = 2025-03-01
stage = "before-start"
record = ["result lab_anc 0.99 10*9/L on 2025-02-20"]
expect = { low-counts = "holds" }
"""


def with_family(tmp_path: Path) -> Path:
    folder = shutil.copytree(GOOD, tmp_path / "label")
    (folder / "topics" / "more.toml").write_text(FAMILY, encoding="utf-8")
    (folder / "topics" / "more.cases.toml").write_text(CASE, encoding="utf-8")
    return folder


def test_what_is_said_once_is_changed_for_all_that_it_is_said_for(tmp_path: Path) -> None:
    label = tool.Changeable.of(with_family(tmp_path))
    once = {mutant.name: mutant for mutant in label.mutants() if mutant.once}
    assert {name for name in once if "limit" in name} >= {"says.E4 anc-limit: 1 -> 0.9", "says.E4 anc-limit: 1 -> 1.1"}
    moved = label.with_(once["says.E4 anc-limit: 1 -> 1.1"])
    assert str(moved.rules["low-counts"].when["before-start"]).count("1.1") == 1
    turned = label.with_(once["rule.low for all: when: the_fact_itself >= anc_limit"])
    assert "'>='" in str(turned.rules["low-counts"].when["before-start"])
    milder = label.with_(once["rule.low for all: then.before-start: do-not-start -> interrupt"])
    assert milder.rules["low-counts"].then == {"before-start": "interrupt"}
    assert label.label.rules["low-counts"].then == {"before-start": "do-not-start"}


def test_a_change_of_what_is_said_once_survives_where_no_case_notices(tmp_path: Path) -> None:
    found = survivors(with_family(tmp_path))
    assert not found["says.E4 anc-limit: 1 -> 0.9"]
    assert found["says.E4 anc-limit: 1 -> 1.1"], "no case has a count of just above the limit"
    assert found["rule.low-counts when.before-start: anc <= 1"], "and each member is changed by itself as well"


def test_a_short_function_is_changed_as_what_it_stands_for() -> None:
    short = set(tool.expressions("done(a-b) and c"))
    assert short == set(tool.expressions("recorded(a_b) and a_b in ('positive', 'negative') and c"))
    assert set(tool.expressions("not yes(a)")) == set(tool.expressions("not (recorded(a) and a)"))
    assert tool._LONG.keys() == tool.SHORT.keys()
