"""What must be known of each fact beside its value, and in which order facts made of others can be worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.expression import Ask, Name, children, names, spoken
from precaution.fact_kinds import Derived

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.definitions import Duty, Label
    from precaution.expression import Expression
    from precaution.sql.expressions import Expressions

SINCE = ("since_low", "since_high")


def beside(label: Label, written: Expressions) -> dict[str, set[str]]:
    """Return for each name which of `recorded`, `evidence`, `since_low`, `since_high` are asked for."""
    found: dict[str, set[str]] = {}
    for expression in _expressions(label):
        for name in _recorded(expression):
            found.setdefault(name, set()).add("recorded")
    for rule in label.rules.values():
        for each in written.behind(rule.held) if rule.held is not None else ():
            found.setdefault(each.name, set()).add("evidence")
    for names_of, column in ((_asked_about(label), "since_high"), (_again(label), "since_low")):
        for name in names_of:
            found.setdefault(name, set()).add(column)
            thing = written.named[name]
            for each in written.behind(thing.expression) if isinstance(thing, Derived) else ():
                found.setdefault(each.name, set()).add(column)
    for duty in label.duties.values():
        if is_open(duty) and duty.when is not None:
            for each in written.behind(duty.when):
                found.setdefault(each.name, set()).update(SINCE)
    return found


def is_open(duty: Duty) -> bool:
    """Whether a duty has no schedule: it is open for as long as its `when` holds."""
    return duty.done_when is None and not (duty.needs or duty.ask or duty.at or duty.every)


def levels(label: Label, written: Expressions) -> list[list[str]]:
    """Return the facts made of others, and the asks, in groups of which each needs only what is in those before."""
    waits = {name: set(names(fact.expression)) for name, fact in label.facts.items() if isinstance(fact, Derived)}
    waits |= {spoken(name): set(ask.about) for name, ask in label.asks.items()}
    for name, thing in written.named.items():
        if isinstance(thing, Derived):  # since when it is so depends on what is behind it
            waits[name] |= {each.name for each in written.behind(thing.expression)}
    found: list[list[str]] = []
    while waits:
        ready = [name for name, needed in waits.items() if not needed & waits.keys()]
        found.append(ready)
        for name in ready:
            del waits[name]
    return found


def _expressions(label: Label) -> Iterator[Expression]:
    for fact in label.facts.values():
        if isinstance(fact, Derived):
            yield fact.expression
    for rule in label.rules.values():
        yield from rule.when.values()
        yield from (each for each in (rule.release, rule.held, rule.urgent) if each is not None)
    for duty in label.duties.values():
        yield from (each for each in (duty.when, duty.done_when) if each is not None)


def _recorded(expression: Expression) -> Iterator[str]:
    if isinstance(expression, Ask) and expression.function == "recorded" and isinstance(expression.operand, Name):
        yield expression.operand.name
    for child in children(expression):
        yield from _recorded(child)


def _asked_about(label: Label) -> Iterator[str]:
    for ask in label.asks.values():
        yield from ask.about


def _again(label: Label) -> Iterator[str]:
    for duty in label.duties.values():
        yield from duty.again_after
