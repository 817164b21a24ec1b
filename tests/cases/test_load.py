"""The cases of a label, as they stand in the files, and what each of them comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from precaution.cases.load import DUTY_STATES, RULE_STATES, Case, load_cases, read_cases, unknown_names
from precaution.cases.run import came_to
from precaution.errors import KnowledgeError
from precaution.knowledge.loading import LABELS, labels, load_label, read_label
from support.project import PROJECT

GOOD = PROJECT / "tests" / "wrong" / "_good"


def load(tmp_path: Path, content: str) -> tuple[Case, ...]:
    (tmp_path / "topics").mkdir()
    (tmp_path / "topics" / "counts.cases.toml").write_text(content, encoding="utf-8")
    return load_cases(tmp_path)


def said(case: Case) -> list[str]:
    return [message for _, message in unknown_names(case, read_label(GOOD))]


def test_a_case_is_read_as_it_stands(tmp_path: Path) -> None:
    assert load(
        tmp_path,
        """
        [[case]]
        name = "A low count"
        today = 2025-03-01
        stage = "before-start"
        record = ["lab_anc 0.9 on 2025-02-20", "born 1960"]
        answers = "dizzy=yes@2025-02-01"
        expect = { low-neutrophils = "holds", action = "do-not-start" }
    """,
    ) == (
        Case(
            topic="counts",
            name="A low count",
            today="2025-03-01",
            stage="before-start",
            record=("lab_anc 0.9 on 2025-02-20", "born 1960"),
            answers=("dizzy=yes@2025-02-01",),
            expect={"low-neutrophils": "holds", "action": "do-not-start"},
        ),
    )


def test_a_folder_without_cases_has_none(tmp_path: Path) -> None:
    assert load_cases(tmp_path) == ()


def test_a_day_may_stand_in_quotes_and_a_stage_may_be_left_out(tmp_path: Path) -> None:
    (found,) = load(tmp_path, '[[case]]\nname = "x"\ntoday = "2025-03-01"\n')
    assert (found.today, found.stage, found.record) == ("2025-03-01", None, ())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[[case]]\nname = "x"\ntoday = 2025-03-01T10:00:00Z\n', "[case 1] today: must be a day, as 2025-03-01"),
        ('[[case]]\nname = "x"\n', "[case 1] today: must be a day, as 2025-03-01"),
        ('[[case]]\nname = "x"\ntoday = "2025-02-30"\n', "[case 1] today: must be a day, as 2025-03-01"),
        ("[[case]]\ntoday = 2025-03-01\n", "[case 1]: 'name' is missing"),
        (
            '[[case]]\nname = "x"\ntoday = 2025-03-01\nrecords = []\n',
            "[case 1]: 'records' is not known here. Did you mean 'record'?",
        ),
        (
            '[[case]]\nname = "x"\ntoday = 2025-03-01\nstage = "before"\n',
            "[case 1] stage: must be one of before-start, on-treatment, interrupted. Did you mean 'before-start'?",
        ),
        ('[[case]]\nname = "x"\ntoday = 2025-03-01\ntopic = "y"\n', "[case 1]: 'topic' is not known here."),
        (
            '[[case]]\nname = "x"\ntoday = 2025-03-01\n[[case]]\nname = "x"\ntoday = 2025-03-01\n',
            "[case 2]: another case is called 'x'",
        ),
        ('[case]\nname = "x"\n', "[case]: must be written [[case]], once for each case"),
        ('[[cases]]\nname = "x"\n', ": 'cases' is not known here. Did you mean 'case'?"),
        ('case = ["x"]\n', "[case 1]: must be a table"),
    ],
)
def test_a_case_that_cannot_be_read_is_refused(content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError) as raised:
        load(tmp_path, content)
    assert str(raised.value).removeprefix("topics/counts.cases.toml").lstrip(" ") == message


def test_one_bad_case_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "topics").mkdir()
    (tmp_path / "topics" / "a.cases.toml").write_text("[[case]\n", encoding="utf-8")
    days = {"x": "", "y": "today = 2025-03-01", "z": "today = 1"}
    lines = [f'[[case]]\nname = "{name}"\n{day}\n' for name, day in days.items()]
    (tmp_path / "topics" / "b.cases.toml").write_text("".join(lines), encoding="utf-8")
    found = read_cases(tmp_path)
    assert [case.name for case in found.cases] == ["y"]
    assert [str(error).split(":")[0] for error in found.errors] == [
        "topics/a.cases.toml",
        "topics/b.cases.toml [case 1] today",
        "topics/b.cases.toml [case 3] today",
    ]
    with pytest.raises(KnowledgeError) as raised:
        load_cases(tmp_path)
    assert str(raised.value).splitlines() == [str(error) for error in found.errors]


def test_a_base_that_is_not_there_is_said_unless_its_file_could_not_be_read(tmp_path: Path) -> None:
    case = '[[case]]\nname = "x"\ntoday = 2025-03-01\nlike = "redy"\n'
    (tmp_path / "topics").mkdir()
    (tmp_path / "topics" / "b.cases.toml").write_text(f"[base.ready]\nrecord = []\n{case}", encoding="utf-8")
    (error,) = read_cases(tmp_path).errors
    assert str(error).endswith("[case 1] like: no base record is called 'redy'. Did you mean 'ready'?")
    (tmp_path / "topics" / "a.cases.toml").write_text("[[base]\n", encoding="utf-8")
    (error,) = read_cases(tmp_path).errors
    assert str(error).startswith("topics/a.cases.toml: can't be read as TOML")


@pytest.mark.parametrize("state", RULE_STATES)
def test_a_rule_may_be_in_any_of_its_states(state: str) -> None:
    assert said(Case(topic="counts", name="x", today="2025-03-01", expect={"low-neutrophils": state})) == []


@pytest.mark.parametrize("state", DUTY_STATES)
def test_a_duty_may_be_in_any_of_its_states(state: str) -> None:
    assert said(Case(topic="counts", name="x", today="2025-03-01", expect={"counts": state})) == []


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ({"low-neutrophils": "done"}, "must be one of holds, unknown, no."),
        ({"counts": "holds"}, "must be one of done, upcoming, due, overdue, unknown, no."),
        ({"action": "stop"}, "must be one of do-not-start, interrupt, obtain, caution, due, clear."),
        (
            {"stage": "interupted"},
            "must be one of before-start, on-treatment, interrupted. Did you mean 'interrupted'?",
        ),
        ({}, "'expect' is empty; say what the case shows"),
    ],
)
def test_a_state_that_does_not_exist_is_said(expect: dict[str, str], message: str) -> None:
    (found,) = said(Case(topic="counts", name="x", today="2025-03-01", expect=expect))
    assert found.startswith(message)


@pytest.mark.parametrize(
    "expect",
    [
        {"cites": "E1 E3"},
        {"cites": "none"},
        {"shows": "E2"},
        {"urgent": "low-neutrophils"},
    ],
)
def test_a_case_may_expect_sentences_and_urgent_rules(expect: dict[str, str]) -> None:
    assert said(Case(topic="counts", name="x", today="2025-03-01", expect=expect)) == []


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ({"cites": "E1 F3"}, "the label has no 'F3'."),
        ({"shows": "E2 none"}, "the label has no 'none'."),
        ({"urgent": "low-neutrophil"}, "the label has no 'low-neutrophil'. Did you mean 'low-neutrophils'?"),
    ],
)
def test_a_name_that_the_label_does_not_have_is_said(expect: dict[str, str], message: str) -> None:
    (found,) = said(Case(topic="counts", name="x", today="2025-03-01", expect=expect))
    assert found.startswith(message)


def test_a_policy_of_an_unknown_parameter_is_said() -> None:
    case = Case(topic="counts", name="x", today="2025-03-01", policy={"count-max-ages": 1}, expect={"counts": "due"})
    assert said(case) == ["the label has no such parameter. Did you mean 'count-max-age'?"]


def test_the_answer_to_an_unknown_ask_is_said() -> None:
    case = Case(topic="counts", name="x", today="2025-03-01", answers=("dizzi=yes",), expect={"counts": "due"})
    assert said(case) == ["no ask is called 'dizzi'. Did you mean 'dizzy'?"]


def test_the_cases_of_the_correct_label_are_all_well() -> None:
    found = load_cases(GOOD)
    assert [case.topic for case in found] == ["counts"] * 3 + ["monitoring"] * 3
    assert [said(case) for case in found] == [[]] * 6


TOPICS = [(name, topic) for name in labels() for topic in sorted({case.topic for case in load_cases(LABELS / name)})]


@pytest.mark.parametrize(("name", "topic"), TOPICS, ids=lambda each: each)
def test_every_case_comes_to_what_it_expects(name: str, topic: str) -> None:
    label = load_label(name)
    cases = [case for case in load_cases(LABELS / name) if case.topic == topic]
    came = {case.name: (came_to(case, label), dict(case.expect)) for case in cases}
    assert {case: found for case, found in came.items() if found[0] != found[1]} == {}


@pytest.mark.parametrize("name", labels())
def test_every_topic_of_a_label_has_cases(name: str) -> None:
    assert {case.topic for case in load_cases(LABELS / name)} >= set(load_label(name).topics)
