"""Checks the types of expressions: numbers are compared with numbers, words with words, a truth stands alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.errors import did_you_mean
from precaution.knowledge.expression import (
    RESULTS,
    Among,
    And,
    Call,
    Compare,
    Literally,
    Name,
    Not,
    Or,
    children,
    written,
)
from precaution.knowledge.fact import NUMBER, TRUTH, Fact, Meaning
from precaution.knowledge.model import Ask, Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from precaution.knowledge.expression import Expression
    from precaution.knowledge.toml import Place


def meanings(named: Mapping[str, Fact | Ask | Parameter]) -> dict[str, Meaning]:
    """Return what each name of an expression can be."""
    return {name: meaning(thing) for name, thing in named.items()}


def meaning(thing: Fact | Ask | Parameter) -> Meaning:
    """Return what a fact, an ask or a parameter can be."""
    match thing:
        case Parameter(value=bool()):
            return TRUTH
        case Parameter(value=str(word), choices=choices):
            return choices or (word,)
        case Parameter():
            return NUMBER
        case Ask(answers=answers):
            return TRUTH if set(answers) <= {"yes", "no"} else answers
        case Fact():
            return thing.meaning()


def check_expression(expression: Expression, known: Mapping[str, Meaning], place: Place) -> None:
    """Raise KnowledgeError for an unknown name, or a comparison that means nothing."""
    match expression:
        case And() | Or() | Not() | Call(function="possible"):
            for operand in children(expression):
                check_expression(operand, known, place)
        case Compare():
            _check_comparison(expression, known, place)
        case Among(Name(name), words):
            _check_words(name, words, _meaning(name, known, place), place)
        case Name(name):
            if (found := _meaning(name, known, place)) != TRUTH:
                raise place.error(f"'{written(name)}' is {_in_words(found)}; compare it with something")
        case Literally(value):
            raise place.error(f"{value!r} stands alone; compare something with it")
        case Call(operand=Name(name)):
            _meaning(name, known, place)


def _meaning(name: str, known: Mapping[str, Meaning], place: Place) -> Meaning:
    if name in known:
        return known[name]
    raise place.error(
        f"no fact, ask or parameter is called '{written(name)}'.{did_you_mean(written(name), map(written, known))}"
    )


def _check_comparison(expression: Compare, known: Mapping[str, Meaning], place: Place) -> None:
    name, right = expression.left.name, expression.right
    left = _meaning(name, known, place)
    other = _meaning(right.name, known, place) if isinstance(right, Name) else _literal(right.value)
    if left == TRUTH:
        raise place.error(f"'{written(name)}' is true or false; write '{written(name)}' or 'not {written(name)}' alone")
    if (left == NUMBER) != (other == NUMBER) or other == TRUTH:
        raise place.error(f"'{written(name)}' is {_in_words(left)} and can't be compared with {_in_words(other)}")
    if not isinstance(left, str):
        if expression.operator not in ("==", "!="):
            raise place.error(f"'{written(name)}' is a word; only == and != compare words")
        _check_words(name, other, left, place)


def _literal(value: float | str | bool) -> Meaning:
    if isinstance(value, bool):
        return TRUTH
    return (value,) if isinstance(value, str) else NUMBER


def _check_words(name: str, words: Meaning, known: Meaning, place: Place) -> None:
    if isinstance(known, str) and words == RESULTS:
        raise place.error(f"'{written(name)}' is {known}; done() and in compare the result of a test")
    if isinstance(known, str):
        raise place.error(f"'{written(name)}' is {known}, so it is never one of some words")
    for word in words:
        if word not in known:
            raise place.error(
                f"'{written(name)}' is never '{word}'; it can be {', '.join(known)}.{did_you_mean(word, known)}"
            )


def _in_words(meaning: Meaning) -> str:
    return meaning if isinstance(meaning, str) else f"a word ({', '.join(meaning)})"
