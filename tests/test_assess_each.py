"""Several labels in one run: each decision is what its label alone comes to."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from precaution import assess, assess_each, load_label
from precaution.cases.lines import resources
from precaution.cli import run
from precaution.cli.options import chosen_records
from precaution.errors import UsageError
from precaution.timeline import timeline
from precaution.values.record import Record
from support.second_label import second_label, write_second_label

if TYPE_CHECKING:
    from pathlib import Path

    from precaution.knowledge.model import Label

DAY = "2025-03-01"
LINES = (
    "born 1980-05-14",
    "medication drug_baricitinib active since 2023-01-10 until 2024-08-01",
    "medication drug_methotrexate active since 2024-09-01",
    "result lab_anc 1.5 10*9/L on 2025-02-20",
)
"""A switch from the package's drug to the second one."""


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Label, Label]:
    return load_label(), second_label(tmp_path_factory.mktemp("labels") / "second")


@pytest.fixture(scope="module")
def patient(labels: tuple[Label, Label]) -> list[dict[str, Any]]:
    return resources(LINES, labels[0].terminology)


@pytest.fixture
def file(patient: list[dict[str, Any]], tmp_path: Path) -> str:
    path = tmp_path / "patient.json"
    path.write_text(json.dumps(patient), encoding="utf-8")
    return str(path)


def test_each_decision_is_that_of_its_label_alone(labels: tuple[Label, Label], patient: list[dict[str, Any]]) -> None:
    found = assess_each(patient, today=DAY, labels=labels, everything=True)
    assert found == tuple(assess(patient, today=DAY, label=each, everything=True) for each in labels)
    assert [each.stage for each in found] == ["before-start", "on-treatment"]
    assert found[1].action == "interrupt"
    assert assess_each(patient, today=DAY, labels=labels[::-1], everything=True) == found[::-1]


def test_of_all_labels_those_count_whose_drug_is_taken(
    labels: tuple[Label, Label], patient: list[dict[str, Any]]
) -> None:
    (found,) = assess_each(patient, today=DAY, labels=labels, only_taken=True)
    assert found.label == "second"
    before = assess_each(patient, today="2024-09-02", labels=labels, only_taken=True)
    assert [each.label for each in before] == ["baricitinib", "second"]  # stopped for less than 90 days
    with pytest.raises(UsageError, match="has no entry of the drugs of: baricitinib, second"):
        assess_each(patient[:1], today=DAY, labels=labels, only_taken=True)


def test_an_answer_is_its_labels_own(labels: tuple[Label, Label], patient: list[dict[str, Any]]) -> None:
    for mine, others in (("second:A1=yes", 0), ("baricitinib:A1=yes", 1)):
        answered = assess_each(patient, today=DAY, labels=labels, answers=[mine], everything=True)
        alone = assess(patient, today=DAY, label=labels[others], everything=True)
        assert answered[others] == alone
        assert answered[1 - others] != assess(patient, today=DAY, label=labels[1 - others], everything=True)
    found = assess_each(patient, today=DAY, labels=labels, answers=["seen-by-second-clinic=yes"])
    assert not [each for each in found[1].findings if each.rule == "not-seen"]


@pytest.mark.parametrize("name", ["A1", "no-suitable-alternative"])
def test_an_answer_that_may_be_either_labels_is_refused(
    name: str, labels: tuple[Label, Label], patient: list[dict[str, Any]]
) -> None:
    with pytest.raises(UsageError, match=f"several labels have an ask '{name}'; .*second:{name}"):
        assess_each(patient, today=DAY, labels=labels, answers=[f"{name}=yes"])


def test_what_can_not_be_several_labels_is_refused(labels: tuple[Label, Label]) -> None:
    with pytest.raises(UsageError, match="named twice"):
        assess_each([], today=DAY, labels=[labels[0], "baricitinib"])
    with pytest.raises(UsageError, match="what one label reads"):
        assess_each(Record(), today=DAY, labels=labels)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no label is named"):
        assess_each([], today=DAY, labels=[])


def test_a_command_takes_several_labels(
    labels: tuple[Label, Label], file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = str(write_second_label(tmp_path / "second"))
    both = ["--today", DAY, "--label", "baricitinib", "--label", second]
    assert run(["assess", file, *both, "--json"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert [each["label"]["name"] for each in written["decisions"]] == ["baricitinib", "second"]
    assert run(["assess", file, *both, "--fail-on", "interrupt"]) == 4
    out = capsys.readouterr().out
    assert "baricitinib" in out.partition("\n")[0]
    assert "\n\nOn second: " in out
    assert run(["assess", file, "--today", DAY, "--label", second, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == written["decisions"][1]
    assert run(["timeline", file, *both, "--json"]) == 0
    days = json.loads(capsys.readouterr().out)
    assert [each["today"] for each in days] == sorted(each["today"] for each in days)
    alone = [timeline(assess_record, each, 739311) for assess_record, each in _read(labels, file)]
    assert len(days) == sum(map(len, alone))
    assert run(["timeline", file, *both]) == 0
    assert "Baricitinib\n" in capsys.readouterr().out
    assert run(["assess", file, "--today", DAY, "--label", "all", "--label", second]) == 2
    assert run(["assess", file, *both, "--stage", "on-treatment"]) == 2


def test_a_policy_is_one_labels_or_every_labels(file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    second = str(write_second_label(tmp_path / "second"))
    policy = tmp_path / "policy.toml"
    policy.write_text('name = "Ours"\n[parameter]\nevery-8-weeks = "28 days"\n', encoding="utf-8")
    both = ["assess", file, "--today", DAY, "--label", "baricitinib", "--label", second, "--json"]
    assert run([*both, "--policy", f"{second}={policy}"]) == 0
    written = json.loads(capsys.readouterr().out)["decisions"]
    assert [bool(each["policy"]) for each in written] == [False, True]
    assert run([*both, "--policy", str(policy)]) != 0  # the other label has no such parameter
    assert run([*both, "--policy", f"{second}={policy}.not"]) == 2


def _read(labels: tuple[Label, Label], file: str) -> list[tuple[Record, Label]]:
    return list(zip(chosen_records(file, labels, date.fromisoformat(DAY)), labels, strict=True))
