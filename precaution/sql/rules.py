"""Writes rules: what is true of each for each person; and, as literals, its stages and the actions it leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from precaution.engine.compiled import STAY
from precaution.knowledge.expression import spoken
from precaution.sql.expressions import part_column
from precaution.sql.literals import both, case, column, create, either, literal, nothing, selected, table_of
from precaution.sql.macros import sql, unions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.knowledge.model import Label, Rule
    from precaution.knowledge.refers import Stage
    from precaution.sql.expressions import ExpressionWriter

_TRUTHS = {
    "person": "text",
    "rule": "text",
    "truth": "truth",
    "released": "truth",
    "held": "truth",
    "held_evidence": "truth",
    "urgent": "truth",
    "answer": "text",
}
_ANSWERS = ("softened", "answered", "none")
"""What the ask of a rule came to: an answer that softens, another one, or none."""


def tables(label: Label, writer: ExpressionWriter, facts: str) -> Iterator[exp.Create]:
    """Yield the statements that make the tables of a label's rules; `facts` is the table with the facts of persons."""
    rules = label.rules.values()
    yield table_of(
        "rule_stages",
        {"rule": "text", "stage": "text", "place": "number", "is_hold": "truth", "has_held": "truth"},
        [
            (rule.name, stage, place, rule.then[stage] == STAY and rule.release is not None, rule.held is not None)
            for place, rule in enumerate(rules)
            for stage in _stages(rule)
        ],
    )
    yield table_of(
        "rule_outcomes",
        {"rule": "text", "stage": "text", "state": "text", "answer": "text", "action": "text", "attested": "truth"},
        [
            (rule.name, stage, state, answer, *_outcome(rule, stage, state, answer))
            for rule in rules
            for stage in _stages(rule)
            for state in ("holds", "unknown")
            for answer in (_ANSWERS if rule.attest else ("none",))
        ],
    )
    truths = [_truths(rule, label, writer, facts) for rule in rules]
    yield create("rule_truths", unions(truths)) if truths else table_of("rule_truths", _TRUTHS, [])


def _stages(rule: Rule) -> list[Stage]:
    return [stage for stage in rule.when if stage in rule.then]


def _truths(rule: Rule, label: Label, writer: ExpressionWriter, facts: str) -> exp.Select:
    evidence = [
        both([each.where, column(part_column(each.name, "evidence"))])
        for each in (writer.behind(rule.held) if rule.held is not None else ())
    ]
    truths = {
        "truth": _by_stage({stage: writer.truth(rule.when[stage]) for stage in _stages(rule)}),
        "released": writer.truth(rule.release) if rule.release is not None else nothing("truth"),
        "held": writer.truth(rule.held) if rule.held is not None else nothing("truth"),
        "held_evidence": either(evidence),
        "urgent": writer.truth(rule.urgent) if rule.urgent is not None else exp.false(),
        "answer": _answer(rule, label, writer),
    }
    return selected({"person": exp.column("person"), "rule": literal(rule.name), **truths}).from_(facts)


def _by_stage(each: dict[Stage, exp.Expr]) -> exp.Expr:
    values = list(each.values())
    if all(value == values[0] for value in values):
        return values[0]
    stage = exp.column("stage")
    return case(*((exp.EQ(this=stage.copy(), expression=literal(name)), value) for name, value in each.items()))


def _answer(rule: Rule, label: Label, writer: ExpressionWriter) -> exp.Expr:
    """Return which of `_ANSWERS` the ask of a rule came to."""
    if not rule.attest:
        return literal("none")
    answer = writer.value(spoken(rule.attest))
    reassuring = answer.isin(*map(literal, label.asks[rule.attest].reassures))
    softened = answer if writer.type_of(spoken(rule.attest)) == "truth" else reassuring
    return sql(
        "CASE WHEN :softened THEN 'softened' WHEN :answer IS NULL THEN 'none' ELSE 'answered' END",
        softened=softened,
        answer=answer,
    )


def _outcome(rule: Rule, stage: Stage, state: str, answer: str) -> tuple[str, bool]:
    """Return the action where a rule holds or can't be told, and whether an answer has softened it."""
    holds, plain = state == "holds", rule.then[stage]
    action = plain if holds else rule.if_unknown.get(stage, plain)
    if answer == "softened":
        if stage not in rule.if_attested:
            return plain, True
        return (rule.if_attested[stage], True) if holds else (action, False)
    if answer == "answered" and holds:
        return rule.if_denied.get(stage, action), False
    return action, False
