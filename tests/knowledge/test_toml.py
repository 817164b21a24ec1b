"""The generic loader: a field's type says what may stand in a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.errors import KnowledgeError
from precaution.knowledge.expression import Compare, Expression, Literally, Name
from precaution.knowledge.model import Rule, Says
from precaution.knowledge.refers import STAGES, ConceptName, DaysName, Refers, Stage
from precaution.knowledge.toml import Place, columns, expressions, read, read_toml, references

if TYPE_CHECKING:
    from pathlib import Path

HERE = Place("topics/x.toml", "thing.a")


@dataclass(frozen=True, kw_only=True)
class Thing:
    """A table with a field of every sort."""

    name: str
    text: str
    number: float = 0
    whole: int = 0
    truth: bool = False
    word: Literal["low", "high"] = "low"
    names: tuple[ConceptName, ...] = ()
    groups: tuple[tuple[ConceptName, ...], ...] = ()
    by_stage: Mapping[Stage, DaysName] = field(default_factory=dict)
    table: Mapping[str, float] = field(default_factory=dict)
    expression: Expression | None = None
    scalar: float | bool | str = 0
    anything: object = None
    uses: tuple[str, ...] = ()


def thing(**table: object) -> Thing:
    return read(Thing, {"text": "t", **table}, HERE, name="a")


def test_a_dash_in_a_key_is_an_underscore_in_a_field() -> None:
    assert thing(**{"by-stage": {"interrupted": "d"}}).by_stage == {"interrupted": "d"}


@pytest.mark.parametrize(
    ("key", "value", "field_", "expected"),
    [
        ("number", 3, "number", 3.0),
        ("number", 0.5, "number", 0.5),
        ("whole", 12, "whole", 12),
        ("truth", True, "truth", True),
        ("word", "high", "word", "high"),
        ("names", "one", "names", ("one",)),
        ("names", ["one", "two"], "names", ("one", "two")),
        ("groups", [["one", "two"], "three"], "groups", (("one", "two"), ("three",))),
        ("by-stage", "d", "by_stage", dict.fromkeys(STAGES, "d")),
        ("table", {"mg": 1}, "table", {"mg": 1.0}),
        ("is", "a <\n   1", "expression", Compare(Name("a"), "<", Literally(1))),
        ("scalar", "word", "scalar", "word"),
        ("scalar", False, "scalar", False),
        ("anything", [1, {"a": 2}], "anything", [1, {"a": 2}]),
    ],
)
def test_a_value_becomes_what_the_field_is(key: str, value: object, field_: str, expected: object) -> None:
    found = getattr(thing(**{key: value}), field_)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("text", 3, "text: must be a text in quotes"),
        ("number", "3", "number: must be a number"),
        ("number", True, "number: must be a number"),
        ("number", float("nan"), "number: must be a number"),
        ("number", float("inf"), "number: must be a number"),
        ("number", 10**400, "number: must be a number"),
        ("whole", 1.0, "whole: must be a whole number, 0 or more"),
        ("whole", -1, "whole: must be a whole number, 0 or more"),
        ("truth", 1, "truth: must be true or false"),
        ("word", "hihg", "word: must be one of low, high. Did you mean 'high'?"),
        ("word", 1, "word: must be one of low, high."),
        ("names", [1], "names: must be a text in quotes"),
        ("by-stage", {"before": "d"}, f"by-stage: must be one of {', '.join(STAGES)}. Did you mean 'before-start'?"),
        ("by-stage", {"interrupted": 1}, "by-stage.interrupted: must be a text in quotes"),
        ("table", "mg", "table: must be a table"),
        ("is", 1, "is: must be a text in quotes"),
        ("nmaes", "one", "'nmaes' is not known here. Did you mean 'names'?"),
        ("uses", ["x"], "'uses' is not known here."),
        ("name", "b", "'name' is not known here. Did you mean 'names'?"),
    ],
)
def test_what_may_not_stand_there_is_refused_with_its_place(key: str, value: object, message: str) -> None:
    with pytest.raises(KnowledgeError) as raised:
        thing(**{key: value})
    joint = ": " if message.startswith("'") else " "
    assert str(raised.value) == f"topics/x.toml [thing.a]{joint}{message}"


def test_a_missing_key_is_refused() -> None:
    with pytest.raises(KnowledgeError, match=r"^topics/x.toml \[thing.a\]: 'text' is missing$"):
        read(Thing, {}, HERE, name="a")


@pytest.mark.parametrize("table", [None, 3, "x", [], [{}]])
def test_what_is_no_table_is_refused(table: object) -> None:
    with pytest.raises(KnowledgeError, match="must be a table"):
        read(Thing, table, HERE, name="a")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(columns(Thing))) | st.text(), ANYTHING, max_size=6))
def test_any_table_is_read_or_refused_in_words(table: dict[str, object]) -> None:
    try:
        found = read(Thing, table, HERE, name="a")
    except KnowledgeError as error:
        said = str(error)
    else:
        assert found.text == table["text"]
        return
    assert said.startswith("topics/x.toml [thing.a]")


def test_references_are_every_name_that_a_field_holds() -> None:
    found = thing(names=["one", "two"], groups=[["three"]], **{"by-stage": {"interrupted": "d"}})
    assert list(references(found)) == [
        ("names", Refers("concept"), "one"),
        ("names", Refers("concept"), "two"),
        ("groups", Refers("concept"), "three"),
        ("by-stage", Refers("parameter", "days"), "d"),
    ]


def test_an_empty_name_refers_to_nothing() -> None:
    rule = read(
        Rule,
        {"title": "t", "cites": [], "when": "a", "then": "x", "if-unknown": "x", "tell": "t"},
        HERE,
        name="a",
        topic="x",
    )
    assert {refers.to for _, refers, _ in references(rule)} == {"action"}


def test_expressions_are_those_of_every_field_and_stage() -> None:
    rule = read(
        Rule,
        {
            "title": "t",
            "cites": [],
            "when": {"interrupted": "a", "on-treatment": "b"},
            "then": "x",
            "if-unknown": "x",
            "tell": "t",
            "held": "c",
        },
        HERE,
        name="a",
        topic="x",
    )
    assert list(expressions(rule)) == [("when", Name("a")), ("when", Name("b")), ("held", Name("c"))]


def test_columns_leave_out_what_the_loader_fills_in() -> None:
    assert "uses" not in columns(Rule)
    assert columns(Says)["show-when"].required is False
    assert columns(Says)["start"].required is True


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a = 1\na = 2\n", "can't be read as TOML: Cannot overwrite a value"),
        (b"a = \n", "can't be read as TOML: Invalid value"),
        (b"a = '\xff'\n", "can't be read as TOML: 'utf-8' codec"),
        (b"a = " + b"[" * 5000 + b"]" * 5000, "can't be read as TOML: "),
    ],
)
def test_a_file_that_is_no_toml_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(KnowledgeError) as raised:
        read_toml(path, "topics/x.toml")
    assert str(raised.value).startswith(f"topics/x.toml: {message}")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="there is no such file"):
        read_toml(tmp_path / "x.toml", "label.toml")


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place("label.toml"), "label.toml"),
        (HERE, "topics/x.toml [thing.a]"),
        (HERE.at("when").at("interrupted"), "topics/x.toml [thing.a] when.interrupted"),
    ],
)
def test_a_place_reads_as_file_table_key(place: Place, text: str) -> None:
    assert str(place) == text
