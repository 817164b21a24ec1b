"""The language of `when`: what is read, what is refused and how, and what an expression comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.errors import KnowledgeError
from precaution.knowledge.expression import (
    Among,
    And,
    Call,
    Compare,
    Expression,
    Literally,
    Name,
    Not,
    Or,
    Value,
    children,
    compiled,
    decider,
    names,
    parse,
)
from precaution.values.interval import EVERYTHING, above, below, exactly
from precaution.values.logic import Truth


@dataclass
class Answers:
    """Values by name; `asked` notes what was looked at."""

    values: Mapping[str, Value]
    on_record: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> Value:
        self.asked.append(name)
        return self.values[name]

    def recorded(self, name: str) -> bool:
        return name in self.on_record


def tell(text: str, **values: Value) -> Truth:
    return compiled(parse(text))(Answers(values))


A, B, C = Name("a"), Name("b"), Name("c")


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("a", A),
        ("  a\n", A),
        ("a < 1", Compare(A, "<", Literally(1))),
        ("a <= 0.5", Compare(A, "<=", Literally(0.5))),
        ("a > b", Compare(A, ">", B)),
        ("a >= 28", Compare(A, ">=", Literally(28))),
        ("a == 'former'", Compare(A, "==", Literally("former"))),
        ('a != "former"', Compare(A, "!=", Literally("former"))),
        ("a in ('x', 'y')", Among(A, ("x", "y"))),
        ("a in ('x',)", Among(A, ("x",))),
        ("known(a)", Call("known", A)),
        ("recorded(a)", Call("recorded", A)),
        ("possible(a or b)", Call("possible", Or((A, B)))),
        ("not a", Not(A)),
        ("a and b and c", And((A, B, C))),
        ("a or b and c", Or((A, And((B, C))))),
        ("not a or b", Or((Not(A), B))),
        ("not (a or b)", Not(Or((A, B)))),
        ("(a\n or b)", Or((A, B))),
        ("a-long-name < the-limit", Compare(Name("a_long_name"), "<", Name("the_limit"))),
        ("a == 'not-a-name' or b-1", Or((Compare(A, "==", Literally("not-a-name")), Name("b_1")))),
        ("done(a)", And((Call("recorded", A), Among(A, ("positive", "negative"))))),
        ("not yes(a-b)", Not(And((Call("recorded", Name("a_b")), Name("a_b"))))),
        ("sure(a) or b", Or((And((Call("known", A), A)), B))),
        ("yes(a) and sure(b) and c", And((Call("recorded", A), A, Call("known", B), B, C))),
    ],
)
def test_what_is_read(text: str, typed: Expression) -> None:
    assert parse(text) == typed


LANGUAGE = (
    "is not part of the language of `when`: it has comparisons, and, or, not, in, known(), recorded(), possible(), "
    "done(), yes(), sure()"
)
NAMED = "must be the name of a fact, an ask or a parameter"


@pytest.mark.parametrize(
    ("text", "part", "says"),
    [
        ("1 < a < 2", "1 < a < 2", LANGUAGE),
        ("a + 1 < 2", "a + 1", NAMED),
        ("a < b + 1", "b + 1", "must be a name, a number or a word in quotes"),
        ("a < b - 1", "b - 1", "must be a name, a number or a word in quotes"),
        ("a - b", "a - b", LANGUAGE),
        ("a < 2-1", "2-1", "must be a name, a number or a word in quotes"),
        ("done(a < 1)", "a < 1", NAMED),
        ("yes(a, b)", "yes(a, b)", LANGUAGE),
        ("a < -1", "-1", "must be a name, a number or a word in quotes"),
        ("a == None", "None", "must be a name, a number or a word in quotes"),
        ("a == 1j", "1j", "must be a name, a number or a word in quotes"),
        ("a == b'x'", "b'x'", "must be a name, a number or a word in quotes"),
        ("a < (b, c)", "(b, c)", "must be a name, a number or a word in quotes"),
        ("1 < a", "1", NAMED),
        ("known(a) == b", "known(a)", NAMED),
        ("a in ['x']", "a in ['x']", LANGUAGE),
        ("a in b", "a in b", LANGUAGE),
        ("a in 'xy'", "a in 'xy'", LANGUAGE),
        ("a not in ('x',)", "a not in ('x',)", LANGUAGE),
        ("a is b", "a is b", LANGUAGE),
        ("a in ('x', 1)", "1", "must be a word in quotes"),
        ("a in (b,)", "b", "must be a word in quotes"),
        ("a in (*b,)", "*b", "must be a word in quotes"),
        ("1 in ('x',)", "1", NAMED),
        ("known(a, b)", "known(a, b)", LANGUAGE),
        ("known()", "known()", LANGUAGE),
        ("known(a=b)", "known(a=b)", LANGUAGE),
        ("known(a < 1)", "a < 1", NAMED),
        ("recorded(not a)", "not a", NAMED),
        ("possible(a, b)", "possible(a, b)", LANGUAGE),
        ("known(*a)", "*a", NAMED),
        ("open('x')", "open('x')", LANGUAGE),
        ("__import__('os')", "__import__('os')", LANGUAGE),
        ("a.b", "a.b", LANGUAGE),
        ("a.b < 1", "a.b", NAMED),
        ("a[0]", "a[0]", LANGUAGE),
        ("a.known(b)", "a.known(b)", LANGUAGE),
        ("True", "True", LANGUAGE),
        ("a and 1", "1", LANGUAGE),
        ("'a'", "'a'", LANGUAGE),
        ("-a", "-a", LANGUAGE),
        ("~a", "~a", LANGUAGE),
        ("a & b", "a & b", LANGUAGE),
        ("a if b else c", "a if b else c", LANGUAGE),
        ("lambda: a", "lambda: a", LANGUAGE),
        ("[a for a in b]", "[a for a in b]", LANGUAGE),
        ("(a := b)", "a := b", LANGUAGE),
        ("f'{a}'", "f'{a}'", LANGUAGE),
        ("a, b", "a, b", LANGUAGE),
        ("await_ and (yield_, )", "(yield_, )", LANGUAGE),
    ],
)
def test_every_other_form_is_refused_by_its_part(text: str, part: str, says: str) -> None:
    with pytest.raises(KnowledgeError) as raised:
        parse(text)
    assert str(raised.value) == f"'{part}' in '{text}' {says}"


@pytest.mark.parametrize(
    "text",
    ["", "   ", "a <", "a = 1", "a; b", "import os", "a < 1 and", "(a", "a b", "a\nor b", "a\x00b", "not", "# nothing"],
)
def test_what_is_no_expression_at_all_is_refused(text: str) -> None:
    with pytest.raises(KnowledgeError, match="is no expression: "):
        parse(text)


def test_no_depth_of_brackets_is_a_crash() -> None:
    for text in ("(" * 10_000 + "a" + ")" * 10_000, "not " * 500_000 + "a"):
        with pytest.raises(KnowledgeError, match="is no expression"):
            parse(text)


@given(st.text(alphabet="ab01 <>=!()'\"andortinkw,.+-*\n", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        expression = parse(text)
    except KnowledgeError as error:
        assert str(error)  # noqa: PT017
    else:
        assert set(names(expression)) <= set("abdikntorw0123456789") | set(names(expression))


@pytest.mark.parametrize(
    ("text", "value", "truth"),
    [
        ("a < 1", exactly(0.99), True),
        ("a < 1", exactly(1), False),
        ("a < 1", below(2), None),
        ("a < 1", below(0.5), True),
        ("a <= 1", exactly(1), True),
        ("a <= 1", exactly(1.01), False),
        ("a <= 1", below(1), True),
        ("a > 1", exactly(1), False),
        ("a > 1", exactly(1.01), True),
        ("a > 1", above(1), True),
        ("a > 1", above(0.5), None),
        ("a >= 1", exactly(1), True),
        ("a >= 1", exactly(0.99), False),
        ("a == 1", exactly(1), True),
        ("a == 1", exactly(2), False),
        ("a == 1", below(2), None),
        ("a != 1", exactly(1), False),
        ("a != 1", exactly(2), True),
        ("a != 1", below(2), None),
        ("a < 1", EVERYTHING, None),
        ("a == 'x'", "x", True),
        ("a == 'x'", "y", False),
        ("a != 'x'", "y", True),
        ("a in ('x', 'y')", "y", True),
        ("a in ('x', 'y')", "z", False),
        ("a", True, True),
        ("a", False, False),
        ("not a", True, False),
        ("not a", False, True),
        ("possible(a)", True, None),
        ("possible(a)", False, False),
        ("known(a)", True, True),
        ("known(a)", False, True),
        ("known(a)", exactly(0), True),
        ("known(a)", "", True),
    ],
)
def test_what_it_comes_to(text: str, value: Value, truth: Truth) -> None:
    assert tell(text, a=value) is truth


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "not a",
        "a < 1",
        "a <= 1",
        "a > 1",
        "a >= 1",
        "a == 1",
        "a != 1",
        "a == 'x'",
        "a != 'x'",
        "a in ('x',)",
        "possible(a)",
        "a and a",
        "a or a",
        "b < a",
        "a < b",
    ],
)
def test_what_cannot_be_told_stays_so(text: str) -> None:
    assert tell(text, a=None, b=exactly(1)) is None


def test_only_known_and_recorded_answer_about_the_unknown() -> None:
    assert tell("known(a)", a=None) is False
    assert compiled(parse("recorded(a)"))(Answers({}, frozenset("a"))) is True
    assert compiled(parse("recorded(a)"))(Answers({})) is False


def test_two_facts_are_compared_with_each_other() -> None:
    assert tell("a >= b", a=exactly(28), b=exactly(28)) is True
    assert tell("a == b", a="x", b="y") is False
    assert tell("a < b", a=exactly(28), b=None) is None


def test_and_stops_at_the_first_no_and_or_at_the_first_yes() -> None:
    facts = Answers({"a": None, "b": False, "c": True})
    assert compiled(parse("a and b and c"))(facts) is False
    assert facts.asked == ["a", "b"]
    facts = Answers({"a": None, "b": True, "c": True})
    assert compiled(parse("a or b or c"))(facts) is True
    assert facts.asked == ["a", "b"]


@pytest.mark.parametrize(("value", "name"), [(exactly(1), "a"), ("x", "a")])
def test_a_number_or_a_word_alone_is_no_truth(value: Value, name: str) -> None:
    with pytest.raises(KnowledgeError, match="'a' is a number or a word; compare it with something"):
        tell("a", a=value)


def test_a_number_by_itself_cannot_be_compiled() -> None:
    with pytest.raises(KnowledgeError, match="is not true or false"):
        compiled(Literally(1))


def test_names_in_reading_order_each_once() -> None:
    assert names(parse("b < c and not (a or known(b)) and d in ('x',)")) == ("b", "c", "a", "d")


def test_children() -> None:
    assert children(parse("a and b")) == (A, B)
    assert children(parse("not a")) == children(parse("known(a)")) == children(parse("a in ('x',)")) == (A,)
    assert children(parse("a < 1")) == (A, Literally(1))
    assert children(A) == children(Literally(1)) == ()


@pytest.mark.parametrize(
    ("text", "decisive"),
    [
        ("t or u or f", "t"),
        ("f or u", "u"),
        ("t and u and f", "f"),
        ("t and u", "u"),
        ("t and (f or u)", "u"),
        ("not (t and u)", "u"),
        ("f or f2", "f f2"),
        ("t and t2", "t t2"),
        ("known(t)", "t"),
        ("t and t", "t"),
        ("possible(t) or f", "t"),
        ("(f or t) and (t2 or u)", "t t2"),
        ("u or possible(f or t)", "u t"),
        ("n < 1 or f", "n"),
    ],
)
def test_what_decides_is_what_shares_the_answer(text: str, decisive: str) -> None:
    facts = Answers({"t": True, "t2": True, "f": False, "f2": False, "u": None, "n": exactly(0)})
    assert decider(parse(text))(facts) == tuple(decisive.split())


# Generated expressions over a few truths.

_NAMES = ("a", "b", "c")
_LEAVES = st.sampled_from([*_NAMES, "known(a)", "possible(b)"])
TEXTS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda each: f"not ({each})"),
        inner.map(lambda each: f"possible({each})"),
        st.tuples(inner, inner).map(lambda each: f"({each[0]} and {each[1]})"),
        st.tuples(inner, inner).map(lambda each: f"({each[0]} or {each[1]})"),
    ),
    max_leaves=8,
)
TRUTH = st.sampled_from([True, False, None])
PLAIN = st.recursive(
    st.sampled_from(_NAMES),
    lambda inner: st.one_of(
        inner.map(lambda each: f"not ({each})"),
        st.tuples(inner, inner).map(lambda each: f"({each[0]} and {each[1]})"),
        st.tuples(inner, inner).map(lambda each: f"({each[0]} or {each[1]})"),
    ),
    max_leaves=8,
)


@given(PLAIN, TRUTH, TRUTH, TRUTH)
def test_with_everything_known_it_is_what_python_says(text: str, a: Truth, b: Truth, c: Truth) -> None:
    values = {"a": bool(a), "b": bool(b), "c": bool(c)}
    assert tell(text, **values) is eval(text, {}, values)  # noqa: S307


@given(PLAIN, TRUTH, TRUTH, TRUTH, TRUTH, TRUTH, TRUTH)
def test_settling_an_unknown_never_turns_an_answer_round(
    text: str, a: Truth, b: Truth, c: Truth, x: Truth, y: Truth, z: Truth
) -> None:
    """Holds of every expression without known() and recorded(), which ask about the record itself."""
    before = tell(text, a=a, b=b, c=c)
    after = tell(text, a=x if a is None else a, b=y if b is None else b, c=z if c is None else c)
    assert before is None or after is before


@given(TEXTS, TRUTH, TRUTH, TRUTH)
def test_what_decides_does_decide(text: str, a: Truth, b: Truth, c: Truth) -> None:
    """Only the names given as deciding are needed for the answer: whatever the others are, it stays."""
    values: dict[str, Value] = {"a": a, "b": b, "c": c}
    expression = parse(text)
    truth = compiled(expression)(Answers(values))
    decisive = decider(expression)(Answers(values))
    if truth is None:
        assert any(values[name] is None or "possible" in text for name in decisive)
        return
    for other in (True, False, None):
        changed = {name: value if name in decisive else other for name, value in values.items()}
        assert compiled(expression)(Answers(changed)) is truth
