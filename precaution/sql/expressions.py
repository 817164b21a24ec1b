"""The typed form of `when`, `release` and `is` as SQL over the columns of facts: NULL is what can't be told.

A truth or a word is one column, called as in the label's expressions; a number is four, `x__low`, `x__high`,
`x__low_open` and `x__high_open`. This is made anew from the typed form, beside the closures of
`precaution.knowledge.expression`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlglot import exp

from precaution.errors import KnowledgeError
from precaution.knowledge.expression import Among, And, Call, Compare, Literally, Name, Not, Or, names
from precaution.knowledge.fact_kinds import Derived, Fact
from precaution.knowledge.model import Parameter
from precaution.knowledge.type_checks import NUMBER, TRUTH, meaning
from precaution.sql.literals import both, case, column, either, literal, negation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from precaution.knowledge.expression import Expression
    from precaution.knowledge.model import Ask as Question

LONGEST = 63
"""Characters that a name may have in every engine."""


class Number(NamedTuple):
    """The two ends of an uncertain number, and whether they are left out."""

    low: exp.Expr
    high: exp.Expr
    low_open: exp.Expr
    high_open: exp.Expr


class Behind(NamedTuple):
    """A fact or ask that may make an expression what it is, and when it does."""

    name: str
    where: exp.Expr


def part(name: str, of: str) -> str:
    """Return the name of a further column of a fact. Raises KnowledgeError for one too long for an engine."""
    found = f"{name}__{of}"
    if len(found) > LONGEST:
        raise KnowledgeError(f"'{name}' is too long a name for SQL: '{found}' has more than {LONGEST} characters")
    return found


class Expressions:
    """Writes the expressions of a label whose names are `named`."""

    def __init__(self, named: Mapping[str, Fact | Question | Parameter]) -> None:
        self.named = named

    def sort(self, name: str) -> str:
        """Return `text`, `number` or `truth`: what a name is."""
        found = meaning(self.named[name])
        return "truth" if found == TRUTH else "number" if found == NUMBER else "text"

    def truth(self, expression: Expression) -> exp.Expr:
        """Return an expression as a boolean."""
        match expression:
            case And(operands):
                return both(self.truth(each) for each in operands)
            case Or(operands):
                return either(self.truth(each) for each in operands)
            case Not(operand):
                return negation(self.truth(operand))
            case Call("possible", operand):
                return case((negation(self.truth(operand)), exp.false()))
            case Call("known", Name(name)):
                return self.known(name)
            case Call(_, Name(name)):
                return self.recorded(name)
            case Among(Name(name), words):
                return self.value(name).isin(*map(literal, words))
            case Compare():
                return self._compared(expression)
            case Name(name) if self.sort(name) == "truth":
                return self.value(name)
            case _:
                raise KnowledgeError(f"{expression} is not true or false")

    def value(self, name: str) -> exp.Expr:
        """Return a truth or a word."""
        thing = self.named[name]
        return literal(thing.value) if isinstance(thing, Parameter) else column(name)

    def number(self, operand: Name | Literally) -> Number:
        """Return a number, with its ends."""
        if isinstance(operand, Name):
            thing = self.named[operand.name]
            if not isinstance(thing, Parameter):
                return Number(*(column(part(operand.name, of)) for of in Number._fields))
            value = thing.value
        else:
            value = operand.value
        return Number(literal(float(value)), literal(float(value)), exp.false(), exp.false())

    def known(self, name: str) -> exp.Expr:
        """Whether a fact, ask or parameter can be told."""
        if isinstance(self.named[name], Parameter):
            return exp.true()
        of = column(part(name, "low") if self.sort(name) == "number" else name)
        return negation(exp.Is(this=of, expression=exp.null()))

    def recorded(self, name: str) -> exp.Expr:
        """Whether the record holds anything that a fact or ask looks at."""
        thing = self.named[name]
        return literal(isinstance(thing, Derived)) if is_made(thing) else column(part(name, "recorded"))

    def not_false(self, name: str) -> exp.Expr:
        """Whether a fact is anything but false."""
        return exp.func("COALESCE", self.value(name), exp.true()) if self.sort(name) == "truth" else exp.true()

    def behind(self, expression: Expression, where: exp.Expr | None = None) -> Iterator[Behind]:
        """Yield the facts and asks that may make an expression what it is, each with when it does: of an `or` that
        holds those of the operands that hold, of one that can't be told those of the ones that can't be told."""
        here = where if where is not None else exp.true()
        match expression:
            case And(operands) | Or(operands):
                whole = self.truth(expression)
                for each in operands:
                    truth = exp.Paren(this=self.truth(each))
                    same = exp.NullSafeEQ(this=truth, expression=exp.Paren(this=whole.copy()))
                    yield from self.behind(each, both([here.copy(), same]) if where is not None else same)
            case Not(operand) | Call(_, operand):
                yield from self.behind(operand, here)
            case _:
                for name in names(expression):
                    yield from self._basic(name, here)

    def _basic(self, name: str, where: exp.Expr) -> Iterator[Behind]:
        thing = self.named[name]
        if isinstance(thing, Derived):
            yield from self.behind(thing.expression, where)
        elif not isinstance(thing, Parameter):
            yield Behind(name, where)

    def _compared(self, expression: Compare) -> exp.Expr:
        if self.sort(expression.left.name) != "number":
            right = expression.right
            other = self.value(right.name) if isinstance(right, Name) else literal(right.value)
            sort = exp.NEQ if expression.operator == "!=" else exp.EQ
            return exp.Paren(this=sort(this=self.value(expression.left.name), expression=other))
        left, right_number = self.number(expression.left), self.number(expression.right)
        match expression.operator:
            case "<":
                return less(left, right_number)
            case ">":
                return less(right_number, left)
            case ">=":
                return negation(less(left, right_number))
            case "<=":
                return negation(less(right_number, left))
            case "==":
                return equal(left, right_number)
            case _:
                return negation(equal(left, right_number))


def is_made(thing: Fact | Question | Parameter) -> bool:
    """Whether a name is no entry's: a fact made of others, or a parameter."""
    return isinstance(thing, (Derived, Parameter))


def less(left: Number, right: Number) -> exp.Expr:
    """Whether every value of the left is less than every value of the right; NULL where the ends don't tell."""
    touching = [each for each in (left.high_open, right.low_open) if not isinstance(each, exp.Boolean) or each.this]
    surely = [_compare(exp.LT, left.high, right.low)]
    if touching:
        surely.append(both([_compare(exp.EQ, left.high, right.low), either(each.copy() for each in touching)]))
    return case((either(surely), exp.true()), (_compare(exp.GTE, left.low, right.high), exp.false()))


def equal(left: Number, right: Number) -> exp.Expr:
    """Whether both are the same value; only single values can be surely equal."""
    single = both(_compare(exp.EQ, each.low, each.high) for each in (left, right))
    return case(
        (single, _compare(exp.EQ, left.low, right.low)),
        (either([less(left, right), less(right, left)]), exp.false()),
    )


def _compare(sort: type[exp.Binary], left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return sort(this=left.copy(), expression=right.copy())
