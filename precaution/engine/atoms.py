"""What an expression depends on, as a key: the same key, the same answer.

An expression over facts is a function of a few atoms, each of few values: a fact that is true, false, a word or
unknown; a comparison of a number. So what an expression comes to, and which facts decide it, need be worked out only
for combinations of atoms not met before. The key holds nothing of a patient but these truths and words of the label.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from precaution.knowledge.expression import And, Call, Not, Or, compiled, names
from precaution.knowledge.fact_kinds import DaysOn, DaysSince, Derived, Extreme, Latest

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from precaution.engine.compiled import Prepared
    from precaution.engine.facts import Facts
    from precaution.knowledge.expression import Answers, Expression
    from precaution.values.logic import Truth

    Key = Callable[[Facts], Hashable]

_NUMBERS = (Latest, Extreme, DaysSince, DaysOn)
"""Kinds of facts of which there are too many values."""


def key_of(expressions: Iterable[Expression], ready: Prepared, *also: str) -> Key:
    """Return what gives the key of a patient's facts for some expressions together, and the asks or facts `also`."""
    found: dict[str, None] = dict.fromkeys(also)
    tests: list[Callable[[Answers], Truth]] = []
    for atom in (atom for each in expressions for atom in _atoms(each, ready)):
        if isinstance(atom, str):
            found[atom] = None
        else:
            tests.append(compiled(atom))
    values: Key = itemgetter(*found) if found else lambda _: None
    if not tests:
        return values
    return lambda facts: (values(facts), *[test(facts) for test in tests])


def _atoms(expression: Expression, ready: Prepared) -> Iterator[str | Expression]:
    """Yield what an expression is made of: names where the value itself is an atom, else parts that are one."""
    match expression:
        case And(operands) | Or(operands):
            for each in operands:
                yield from _atoms(each, ready)
        case Not(operand) | Call("possible", operand):
            yield from _atoms(operand, ready)
        case _:
            yield from _of_leaf(expression, ready)


def _of_leaf(expression: Expression, ready: Prepared) -> Iterator[str | Expression]:
    own = [name for name in names(expression) if name not in ready.parameters]
    counted = any(isinstance(ready.names.get(name), _NUMBERS) for name in own)
    if counted or (isinstance(expression, Call) and expression.function == "recorded"):
        yield expression
    for name in own:
        definition = ready.names.get(name)
        if isinstance(definition, Derived):
            yield from _atoms(definition.expression, ready)
        elif not isinstance(definition, _NUMBERS):
            yield name
