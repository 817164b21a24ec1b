"""Writes the typed form of `when`, `release` and `is` as SQL over the columns of facts; NULL is what can't be told.

A truth or a word is one column, called as in the label's expressions; a number is four, `x__low`, `x__high`,
`x__low_open` and `x__high_open`. This is made anew from the typed form, beside the closures of
`precaution.knowledge.expression`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlglot import exp

from precaution.errors import KnowledgeError
from precaution.knowledge.expression import Among, And, Call, Compare, Literally, Name, Not, Or, names
from precaution.knowledge.fact import NUMBER, TRUTH, Fact
from precaution.knowledge.fact_kinds import Derived
from precaution.knowledge.model import Parameter
from precaution.knowledge.type_checks import meaning
from precaution.sql.literals import both, case, column, either, literal, negation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from precaution.knowledge.expression import Expression
    from precaution.knowledge.model import Ask as Question

LONGEST = 63
"""Characters that a name may have in every engine."""


class NumberColumns(NamedTuple):
    """The four columns of an uncertain number: its ends, and whether these are left out."""

    low: exp.Expr
    high: exp.Expr
    low_open: exp.Expr
    high_open: exp.Expr


class Contributor(NamedTuple):
    """A fact or ask on which the truth of an expression rests, and the condition under which it does."""

    name: str
    where: exp.Expr


def part_column(name: str, of: str) -> str:
    """Return the name of the column `of` a fact. Raises KnowledgeError where it is too long for an engine."""
    found = f"{name}__{of}"
    if len(found) > LONGEST:
        raise KnowledgeError(f"'{name}' is too long a name for SQL: '{found}' has more than {LONGEST} characters")
    return found


class ExpressionWriter:
    """Writes the expressions of a label; `named` maps every name in them to what it stands for."""

    def __init__(self, named: Mapping[str, Fact | Question | Parameter]) -> None:
        self.named = named

    def type_of(self, name: str) -> str:
        """Return the type of a name: `text`, `number` or `truth`."""
        found = meaning(self.named[name])
        return "truth" if found == TRUTH else "number" if found == NUMBER else "text"

    def truth(self, expression: Expression) -> exp.Expr:
        """Return an expression as a BOOLEAN. Raises KnowledgeError for one that is not true or false."""
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
            case Name(name) if self.type_of(name) == "truth":
                return self.value(name)
            case _:
                raise KnowledgeError(f"{expression} is not true or false")

    def value(self, name: str) -> exp.Expr:
        """Return the column of a fact or ask that is a truth or a word, or a parameter's value."""
        thing = self.named[name]
        return literal(thing.value) if isinstance(thing, Parameter) else column(name)

    def number(self, operand: Name | Literally) -> NumberColumns:
        """Return the columns of a number, or those of a parameter or a literal as an exact one."""
        if isinstance(operand, Name):
            thing = self.named[operand.name]
            if not isinstance(thing, Parameter):
                return NumberColumns(*(column(part_column(operand.name, of)) for of in NumberColumns._fields))
            value = thing.value
        else:
            value = operand.value
        return NumberColumns(literal(float(value)), literal(float(value)), exp.false(), exp.false())

    def known(self, name: str) -> exp.Expr:
        """Return whether a fact, ask or parameter can be told."""
        if isinstance(self.named[name], Parameter):
            return exp.true()
        of = column(part_column(name, "low") if self.type_of(name) == "number" else name)
        return negation(exp.Is(this=of, expression=exp.null()))

    def recorded(self, name: str) -> exp.Expr:
        """Return whether the record holds anything that a fact or ask looks at."""
        thing = self.named[name]
        return literal(isinstance(thing, Derived)) if is_made(thing) else column(part_column(name, "recorded"))

    def not_false(self, name: str) -> exp.Expr:
        """Return whether a fact is anything but false."""
        return exp.func("COALESCE", self.value(name), exp.true()) if self.type_of(name) == "truth" else exp.true()

    def behind(self, expression: Expression, where: exp.Expr | None = None) -> Iterator[Contributor]:
        """Yield the facts and asks on which the truth of an expression rests, each with the condition for it.

        Only operands with the truth of the whole count: in an `or` that holds those that hold, in one that can't be
        told those that can't be told. `where`: a condition under which the expression itself counts.
        """
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

    def _basic(self, name: str, where: exp.Expr) -> Iterator[Contributor]:
        thing = self.named[name]
        if isinstance(thing, Derived):
            yield from self.behind(thing.expression, where)
        elif not isinstance(thing, Parameter):
            yield Contributor(name, where)

    def _compared(self, expression: Compare) -> exp.Expr:
        if self.type_of(expression.left.name) != "number":
            right = expression.right
            other = self.value(right.name) if isinstance(right, Name) else literal(right.value)
            operator = exp.NEQ if expression.operator == "!=" else exp.EQ
            return exp.Paren(this=operator(this=self.value(expression.left.name), expression=other))
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
    """Whether a name has no entries of its own: a derived fact, or a parameter."""
    return isinstance(thing, (Derived, Parameter))


def less(left: NumberColumns, right: NumberColumns) -> exp.Expr:
    """Return whether every value of the left is less than every value of the right; NULL where the ends don't tell."""
    touching = [each for each in (left.high_open, right.low_open) if not isinstance(each, exp.Boolean) or each.this]
    surely = [_compare(exp.LT, left.high, right.low)]
    if touching:
        surely.append(both([_compare(exp.EQ, left.high, right.low), either(each.copy() for each in touching)]))
    return case((either(surely), exp.true()), (_compare(exp.GTE, left.low, right.high), exp.false()))


def equal(left: NumberColumns, right: NumberColumns) -> exp.Expr:
    """Return whether both are the same value; only single values can be surely equal."""
    single = both(_compare(exp.EQ, each.low, each.high) for each in (left, right))
    return case(
        (single, _compare(exp.EQ, left.low, right.low)),
        (either([less(left, right), less(right, left)]), exp.false()),
    )


def _compare(operator: type[exp.Binary], left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return operator(this=left.copy(), expression=right.copy())
