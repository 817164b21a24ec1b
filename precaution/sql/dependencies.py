"""What is needed of each fact beside its value, and the order in which derived facts can be worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.knowledge.expression import Call, Name, children, names, spoken
from precaution.knowledge.fact_kinds import Derived

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.knowledge.expression import Expression
    from precaution.knowledge.model import Duty, Label
    from precaution.sql.expressions import ExpressionWriter

SINCE = ("since_low", "since_high")


def extra_columns(label: Label, writer: ExpressionWriter) -> dict[str, set[str]]:
    """Return for each name which of the columns `recorded`, `evidence`, `since_low`, `since_high` are needed."""
    found: dict[str, set[str]] = {}
    for name, what in (*_recorded_ones(label), *_held(label, writer), *_dated(label, writer)):
        found.setdefault(name, set()).add(what)
    return found


def _recorded_ones(label: Label) -> Iterator[tuple[str, str]]:
    for expression in _expressions(label):
        yield from ((name, "recorded") for name in _recorded(expression))


def _held(label: Label, writer: ExpressionWriter) -> Iterator[tuple[str, str]]:
    for rule in label.rules.values():
        if rule.held is not None:
            yield from ((each.name, "evidence") for each in writer.behind(rule.held))


def _dated(label: Label, writer: ExpressionWriter) -> Iterator[tuple[str, str]]:
    """Yield the names whose days are needed: an answer is void after newer facts, a duty due again, or open since."""
    for of, what in (("about", "since_high"), ("again_after", "since_low")):
        for each in (*label.asks.values(), *label.duties.values()):
            for name in getattr(each, of, ()):
                thing = writer.named[name]
                behind = writer.behind(thing.expression) if isinstance(thing, Derived) else ()
                yield from ((inner, what) for inner in (name, *(each.name for each in behind)))
    for duty in label.duties.values():
        if is_open(duty) and duty.when is not None:
            yield from ((each.name, what) for each in writer.behind(duty.when) for what in SINCE)


def is_open(duty: Duty) -> bool:
    """Whether a duty has no schedule: it is open for as long as its `when` holds."""
    return duty.done_when is None and not (duty.needs or duty.ask or duty.at or duty.every)


def levels(label: Label, writer: ExpressionWriter) -> list[list[str]]:
    """Return the derived facts and the asks in groups, each of which needs only facts of the groups before it."""
    waits = {name: set(names(fact.expression)) for name, fact in label.facts.items() if isinstance(fact, Derived)}
    waits |= {spoken(name): set(ask.about) for name, ask in label.asks.items()}
    for name, thing in writer.named.items():
        if isinstance(thing, Derived):  # since when it is so depends on what is behind it
            waits[name] |= {each.name for each in writer.behind(thing.expression)}
    found: list[list[str]] = []
    while waits:
        level = [name for name, needed in waits.items() if not needed & waits.keys()]
        found.append(level)
        for name in level:
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
    if isinstance(expression, Call) and expression.function == "recorded" and isinstance(expression.operand, Name):
        yield expression.operand.name
    for child in children(expression):
        yield from _recorded(child)
