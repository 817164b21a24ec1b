"""The language of `when`, `release` and `is`: parsed once by Python's own parser against a whitelist.

    anc < 1 and not known(hbsag)          comparisons (< <= > >= == !=), and, or, not
    smoking in ("former", "current")      `in` with words
    known(x)   whether x can be told      recorded(x)   whether the record holds anything about x
    possible(x)   can't be told where x is true or can't be told: a question, never an answer
    done(x), yes(x), sure(x)              short for what is often asked, see SHORT

A name is written with `-`; it is never minus, for there is no arithmetic. In the typed form it has `_`, as in SQL.
Nothing is ever evaluated as Python, and nothing is pasted into SQL. The typed form below is compiled to
closures here; English (`precaution.writers.english`) and SQL are made from the same form.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Literal, Protocol

from precaution.errors import KnowledgeError
from precaution.values import logic
from precaution.values.interval import Interval, at_least, at_most, equal, exactly, greater, less

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.values.logic import Truth

Operator = Literal["<", "<=", ">", ">=", "==", "!="]
Function = Literal["known", "recorded", "possible"]
FUNCTIONS: tuple[Function, ...] = ("known", "recorded", "possible")
RESULTS = ("positive", "negative")
"""What a test can come to."""
Value = Interval | str | bool | None
"""What a fact can be: a number or days since (Interval), a word, true or false, or None: can't be told."""


class Answers(Protocol):
    """What an expression asks while it is evaluated."""

    def __getitem__(self, name: str) -> Value:
        """Return the value of a fact, an ask or a parameter."""
        ...

    def recorded(self, name: str) -> bool:
        """Whether the record holds any entry that the fact looks at."""
        ...


@dataclass(frozen=True, slots=True)
class Name:
    """A fact, an ask or a parameter, by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Literally:
    """A number or a word."""

    value: float | str | bool


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison of two operands."""

    left: Name
    operator: Operator
    right: Name | Literally


@dataclass(frozen=True, slots=True)
class Among:
    """Whether a fact is one of some words."""

    left: Name
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the whitelist, applied to an expression (`possible`) or a name."""

    function: Function
    operand: Expression


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class And:
    """True where every operand is."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True where at least one operand is."""

    operands: tuple[Expression, ...]


Expression = Name | Literally | Compare | Among | Call | Not | And | Or

_OPERATORS: dict[type[ast.cmpop], Operator] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_COMPARISONS: dict[str, Callable[[Interval, Interval], Truth]] = {
    "<": less,
    "<=": at_most,
    ">": greater,
    ">=": at_least,
    "==": equal,
}


SHORT: dict[str, Callable[[Name], tuple[Expression, ...]]] = {
    "done": lambda name: (Call("recorded", name), Among(name, RESULTS)),
    "yes": lambda name: (Call("recorded", name), name),
    "sure": lambda name: (Call("known", name), name),
}
"""What a short function of a name stands for, joined by `and`: a test that has a result; what is on record, and so;
what is known, and so. None of the three is unknown where the record holds nothing, as the name alone would be."""
_NAME = re.compile(r"""'[^']*'|"[^"]*"|[A-Za-z_]\w*(?:-\w+)+""")


def spoken(name: str) -> str:
    """Return how the typed form writes the name of a fact, an ask or a parameter."""
    return name.replace("-", "_")


def written(name: str) -> str:
    """Return how a label's files write a name of the typed form."""
    return name.replace("_", "-")


def parse(text: str) -> Expression:
    """Return the typed form of `text`.

    Raises KnowledgeError where it is no expression of this language, saying which part is not.
    """
    text = text.strip()
    try:
        tree = ast.parse(_NAME.sub(_identifier, text), mode="eval")
    except SyntaxError as error:
        raise KnowledgeError(f"'{text}' is no expression: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise KnowledgeError(f"'{text}' is no expression") from None
    return _typed(tree.body, text)


def _identifier(found: re.Match[str]) -> str:
    """Return a name as Python reads it, as long as before; what stands in quotes stays."""
    return found[0] if found[0][0] in "'\"" else spoken(found[0])


def _typed(node: ast.expr, text: str) -> Expression:
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return And(tuple(part for value in values for part in _conjuncts(value, text)))
        case ast.BoolOp(values=values):
            return Or(tuple(_typed(value, text) for value in values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return Not(_typed(operand, text))
        case ast.Compare(left=left, ops=[ast.In()], comparators=[ast.Tuple(elts=words)]):
            return Among(_name(left, text), tuple(_word(word, text) for word in words))
        case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _OPERATORS:
            return Compare(_name(left, text), _OPERATORS[type(operator)], _operand(right, text))
        case ast.Call(func=ast.Name(id="known" | "recorded" as function), args=[argument], keywords=[]):
            return Call(function, _name(argument, text))
        case ast.Call(func=ast.Name(id="possible"), args=[argument], keywords=[]):
            return Call("possible", _typed(argument, text))
        case ast.Call(func=ast.Name(id=short), args=[argument], keywords=[]) if short in SHORT:
            return And(SHORT[short](_name(argument, text)))
        case ast.Name(id=name):
            return Name(name)
        case _:
            raise KnowledgeError(
                f"'{_said(node, text)}' in '{text}' is not part of the language of `when`: "
                "it has comparisons, and, or, not, in, known(), recorded(), possible(), done(), yes(), sure()"
            )


def _conjuncts(node: ast.expr, text: str) -> tuple[Expression, ...]:
    """Return the operands of `and` that one of them stands for: a short function for two, anything else for itself."""
    typed = _typed(node, text)
    return typed.operands if isinstance(node, ast.Call) and isinstance(typed, And) else (typed,)


def _said(node: ast.expr, text: str) -> str:
    """Return a part of `text` as it stands there."""
    return ast.get_source_segment(text, node) or ast.unparse(node)


def _name(node: ast.expr, text: str) -> Name:
    if isinstance(node, ast.Name):
        return Name(node.id)
    raise KnowledgeError(f"'{_said(node, text)}' in '{text}' must be the name of a fact, an ask or a parameter")


def _word(node: ast.expr, text: str) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise KnowledgeError(f"'{_said(node, text)}' in '{text}' must be a word in quotes")


def _operand(node: ast.expr, text: str) -> Name | Literally:
    if isinstance(node, ast.Name):
        return Name(node.id)
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, int, float)):
        return Literally(node.value)
    raise KnowledgeError(f"'{_said(node, text)}' in '{text}' must be a name, a number or a word in quotes")


def children(expression: Expression) -> tuple[Expression, ...]:
    """Return the expressions that `expression` is made of."""
    match expression:
        case And(operands) | Or(operands):
            return operands
        case Not(operand) | Call(_, operand):
            return (operand,)
        case Compare(left, _, right):
            return (left, right)
        case Among(left, _):
            return (left,)
        case _:
            return ()


def names(expression: Expression) -> tuple[str, ...]:
    """Return every name in `expression`, in reading order, each once."""
    return tuple(dict.fromkeys(_walk(expression)))


def _walk(expression: Expression) -> Iterator[str]:
    if isinstance(expression, Name):
        yield expression.name
    for child in children(expression):
        yield from _walk(child)


Test = Callable[[Answers], "Truth"]
"""What an expression comes to for a patient."""


def compiled(expression: Expression) -> Test:
    """Return `expression` as a closure over a patient's facts."""
    match expression:
        case And(operands):
            return _folded(tuple(map(compiled, operands)), decisive=False)
        case Or(operands):
            return _folded(tuple(map(compiled, operands)), decisive=True)
        case Not(operand):
            inner = compiled(operand)
            return lambda facts: None if (truth := inner(facts)) is None else not truth
        case Call("possible", operand):
            inner = compiled(operand)
            return lambda facts: logic.possible(inner(facts))
        case Call(function, Name(name)):
            if function == "known":
                return lambda facts: facts[name] is not None
            return lambda facts: facts.recorded(name)
        case Compare():
            return _comparison(expression)
        case Among(Name(name), words):
            return lambda facts: None if (word := facts[name]) is None else word in words
        case Name(name):
            return lambda facts: v if (v := facts[name]) is True or v is False or v is None else _no_truth(name)
        case _:
            raise KnowledgeError(f"{expression} is not true or false")


def _folded(tests: tuple[Callable[[Answers], Truth], ...], *, decisive: bool) -> Callable[[Answers], Truth]:
    """Return a closure that stops at the first `decisive` operand (False for `and`, True for `or`)."""

    def test(facts: Answers) -> Truth:
        result: Truth = not decisive
        for each in tests:
            truth = each(facts)
            if truth is decisive:
                return decisive
            if truth is None:
                result = None
        return result

    return test


def _comparison(expression: Compare) -> Callable[[Answers], Truth]:
    """Return a comparison as a closure; those with a number or a word, nearly all, ask nothing twice."""
    name, right = expression.left.name, expression.right
    compare = _comparing(expression.operator)
    if isinstance(right, Name):
        other = right.name
        return lambda facts: compare(facts[name], facts[other])
    constant = _constant(right.value)
    if isinstance(constant, Interval) or expression.operator == "!=":
        return lambda facts: None if (value := facts[name]) is None else compare(value, constant)
    return lambda facts: None if (word := facts[name]) is None else word == constant


def _comparing(operator: Operator) -> Callable[[Value, Value], Truth]:
    if operator == "!=":
        equals = _comparing("==")
        return lambda left, right: logic.negation(equals(left, right))
    compare = _COMPARISONS[operator]

    def comparing(left: Value, right: Value) -> Truth:
        if left is None or right is None:
            return None
        if isinstance(left, Interval) and isinstance(right, Interval):
            return compare(left, right)
        return left == right

    return comparing


def _constant(value: float | str | bool) -> Value:
    return value if isinstance(value, (str, bool)) else exactly(value)


def _no_truth(name: str) -> Truth:
    raise KnowledgeError(f"'{name}' is a number or a word; compare it with something")


Decider = Callable[[Answers], tuple[str, ...]]


def decider(expression: Expression) -> Decider:
    """Return a closure that tells the names which make `expression` what it is for a patient.

    Of an `or` that holds they are those of the operands that hold, of one that can't be told of those that can't.
    """
    match expression:
        case And(operands):
            return _deciders(operands, decisive=False)
        case Or(operands):
            return _deciders(operands, decisive=True)
        case Not(operand) | Call(_, operand):
            return decider(operand)
        case _:
            found = names(expression)
            return lambda _: found


def _deciders(operands: tuple[Expression, ...], *, decisive: bool) -> Decider:
    """Return a closure that finds what decides those of the operands that come to what they come to together.

    One operand that is `decisive` settles it: False for `and`, True for `or`.
    """
    parts = tuple((compiled(operand), decider(operand)) for operand in operands)

    def decide(facts: Answers) -> tuple[str, ...]:
        truths = [test(facts) for test, _ in parts]
        whole = decisive if decisive in truths else None if None in truths else not decisive
        found = [inner(facts) for (_, inner), truth in zip(parts, truths, strict=True) if truth is whole]
        return found[0] if len(found) == 1 else tuple(dict.fromkeys(chain.from_iterable(found)))

    return decide
