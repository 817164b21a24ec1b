"""A site's own choices, and what they may not be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.errors import KnowledgeError, UsageError
from precaution.knowledge.model import Parameter
from precaution.knowledge.policy import Policy, applied, as_written, measured, read_policy, sort
from precaution.knowledge.toml import Place

if TYPE_CHECKING:
    from pathlib import Path

HERE = Place("site.toml", "parameter", "x")


def parameter(raw: object, choices: tuple[str, ...] = ()) -> Parameter:
    return Parameter(
        name="x",
        topic="",
        value=measured(raw, HERE),
        written=as_written(raw),
        of=("S1",),
        why="w",
        status="proposed",
        choices=choices,
    )


def chosen(default: Parameter, raw: object) -> Parameter:
    return applied(Policy(file="site.toml", parameter={"x": raw}), {"x": default})["x"]


@given(st.integers(min_value=0, max_value=99_999))
def test_days_are_numbers_of_days(days: int) -> None:
    assert measured(f"{days} days", HERE) == float(days)
    assert sort(f"{days} days", float(days)) == "days"


@pytest.mark.parametrize(
    ("raw", "value", "kind"),
    [
        ("1 day", 1.0, "days"),
        (65, 65.0, "number"),
        (0.5, 0.5, "number"),
        (True, True, "true or false"),
        ("worst", "worst", "word"),
    ],
)
def test_a_value_is_what_it_is_written_as(raw: object, value: object, kind: str) -> None:
    found = measured(raw, HERE)
    assert found == value
    assert sort(as_written(raw), found) == kind


@pytest.mark.parametrize(
    "raw",
    ["2 weeks", "28days", "-3 days", "1.5 days", "", " ", -1, float("nan"), float("inf"), [], None, "٣ days", "<b>"],
)
def test_a_value_that_can_be_misread_is_refused(raw: object) -> None:
    with pytest.raises(KnowledgeError, match=r"^site.toml \[parameter\] x: must be a number"):
        measured(raw, HERE)


def test_a_choice_takes_the_place_of_the_default_and_says_so() -> None:
    found = chosen(parameter("28 days"), "14 days")
    assert (found.value, found.written, found.overridden) == (14.0, "14 days", True)


@pytest.mark.parametrize(
    ("default", "raw", "message"),
    [
        ("28 days", 14, "must be a number of days, as the default 28 days is"),
        (65, "65 days", "must be a number, as the default 65 is"),
        (65, True, "must be a number, as the default 65 is"),
        (True, 1, "must be true or false, as the default true is"),
        ("worst", 1, "must be a word, as the default worst is"),
    ],
)
def test_a_choice_of_another_sort_is_refused(default: object, raw: object, message: str) -> None:
    with pytest.raises(KnowledgeError) as raised:
        chosen(parameter(default), raw)
    assert str(raised.value) == f"site.toml [parameter] x: {message}"


def test_a_choice_must_be_one_of_the_choices() -> None:
    default = parameter("question", ("question", "yes"))
    assert chosen(default, "yes").value == "yes"
    with pytest.raises(KnowledgeError, match=r"must be one of question, yes\. Did you mean 'question'"):
        chosen(default, "qestion")


def test_a_choice_of_numbers_may_be_closed_too() -> None:
    default = parameter(1, ("1", "2"))
    assert chosen(default, 2).value == 2.0
    with pytest.raises(KnowledgeError, match="must be one of 1, 2"):
        chosen(default, 3)


def test_an_unknown_parameter_is_refused_with_the_nearest() -> None:
    with pytest.raises(KnowledgeError, match=r"the label has no such parameter\. Did you mean 'count-max-age'"):
        applied(Policy(file="site.toml", parameter={"count-max-aeg": 1}), {"count-max-age": parameter(1)})


def test_the_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text('name = "Clinic"\n[parameter]\nx = 1\n[lists]\ncomplete = ["condition"]\n', encoding="utf-8")
    found = read_policy(path)
    assert (found.name, found.parameter, found.complete) == ("Clinic", {"x": 1}, frozenset({"condition"}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[parameters]\n", "'parameters' is not known here. Did you mean 'parameter'?"),
        ("file = 'x'\n", "'file' is not known here."),
        ("parameter = 3\n", "parameter: must be a table"),
        ("[lists]\ncomplete = ['conditions']\n", "medication, order. Did you mean 'condition'?"),
        ("[lists]\ncomplet = []\n", "'complet' is not known here. Did you mean 'complete'?"),
        ("name", "can't be read as TOML"),
    ],
)
def test_a_wrong_file_is_refused(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(KnowledgeError) as raised:
        _ = read_policy(path).complete
    assert str(raised.value).startswith("site.toml")
    assert message in str(raised.value)


def test_a_file_that_is_not_there_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no policy file"):
        read_policy(tmp_path / "site.toml")
