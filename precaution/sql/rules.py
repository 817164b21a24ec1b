"""Each rule as a query: whether it holds at the person's stage, its hold while treatment is interrupted, its action."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from precaution.expression import spoken
from precaution.findings import STAY
from precaution.sql.expressions import part
from precaution.sql.literals import both, case, cast, column, either, literal, nothing
from precaution.sql.macros import sql

if TYPE_CHECKING:
    from precaution.definitions import Label, Rule, Stage
    from precaution.sql.expressions import Expressions

_UNTIL_RELEASED = {
    "opened": """CASE
        WHEN truth OR NOT :has_held THEN truth
        WHEN held IS NULL AND NOT truth AND released AND unseen THEN CASE WHEN held_evidence THEN TRUE END
        WHEN NOT truth OR held THEN held
    END""",
    "standing": """CASE
        WHEN truth OR NOT opened THEN truth
        WHEN released AND NOT truth THEN FALSE
        WHEN opened THEN TRUE
    END""",
    "hold": """CASE
        WHEN NOT standing AND NOT COALESCE(opened, FALSE) THEN NULL
        WHEN standing THEN 'open'
        WHEN NOT standing AND released THEN 'released'
        ELSE 'unknown'
    END""",
}
"""What a rule with a release comes to while treatment is interrupted, step by step: whether it was ever a reason to
interrupt, whether it stands, and its hold."""


class Rules:
    """Writes the rules of a label over the table of facts `facts`."""

    def __init__(self, label: Label, written: Expressions, facts: str) -> None:
        self.label, self.written, self.facts = label, written, facts

    def query(self, rule: Rule, place: int) -> exp.Select:
        """Return the query for a rule: a row for each person to whose stage it applies."""
        stages = [stage for stage in rule.when if stage in rule.then]
        inner = self._truths(rule, stages)
        for name, text in _UNTIL_RELEASED.items():
            made = case((self._at_hold(rule, stages), sql(text, has_held=literal(rule.held is not None))),
                        otherwise=exp.column("truth") if name != "hold" else nothing("text"))  # fmt: skip
            inner = exp.select("*", exp.alias_(made, name)).from_(inner.subquery("r"))
        state = case(
            (exp.column("standing"), literal("holds")), (exp.not_(exp.column("standing")), literal("no")),
            otherwise=literal("unknown"),
        )  # fmt: skip
        inner = exp.select("*", exp.alias_(state, "state")).from_(inner.subquery("r"))
        action, attested = self._actions(rule, stages)
        return exp.select(
            "person", exp.alias_(literal(rule.name), "rule"), "state", exp.alias_(action, "action"),
            exp.alias_(attested, "attested"), "hold",
            exp.alias_(exp.func("COALESCE", both([exp.column("is_urgent"), sql("state <> 'no'")]), exp.false()), "urgent"),
            exp.alias_(cast(literal(float(place)), "number"), "place"),
        ).from_(inner.subquery("r"))  # fmt: skip

    def _truths(self, rule: Rule, stages: list[Stage]) -> exp.Select:
        written = self.written
        nowhere = nothing("truth")
        evidence = [
            both([each.where, column(part(each.name, "evidence"))])
            for each in (written.behind(rule.held) if rule.held is not None else ())
        ]
        answer = column(spoken(rule.attest)) if rule.attest else nothing("truth")
        return (
            exp.select(
                "person", "stage",
                exp.alias_(self._by_stage({stage: written.truth(rule.when[stage]) for stage in stages}), "truth"),
                exp.alias_(written.truth(rule.release) if rule.release is not None else nowhere, "released"),
                exp.alias_(written.truth(rule.held) if rule.held is not None else nowhere.copy(), "held"),
                exp.alias_(either(evidence), "held_evidence"),
                exp.alias_(sql("given IS NOT NULL AND NOT treated"), "unseen"),
                exp.alias_(written.truth(rule.urgent) if rule.urgent is not None else exp.false(), "is_urgent"),
                exp.alias_(exp.not_(exp.Is(this=answer, expression=exp.null())), "answered"),
                exp.alias_(exp.func("COALESCE", self._softened(rule), exp.false()), "softened"),
            )
            .from_(exp.to_table(self.facts))
            .where(exp.column("stage").isin(*map(literal, stages)))
        )  # fmt: skip

    def _by_stage(self, each: dict[Stage, exp.Expr]) -> exp.Expr:
        values = list(each.values())
        if all(value == values[0] for value in values):
            return values[0]
        return case(*((_stage(stage), value) for stage, value in each.items()))

    def _softened(self, rule: Rule) -> exp.Expr:
        if not rule.attest:
            return exp.false()
        name = spoken(rule.attest)
        if self.written.sort(name) == "truth":
            return column(name)
        return column(name).isin(*map(literal, self.label.asks[rule.attest].reassures))

    def _at_hold(self, rule: Rule, stages: list[Stage]) -> exp.Expr:
        staying = [stage for stage in stages if rule.then[stage] == STAY and rule.release is not None]
        return either(_stage(stage) for stage in staying)

    def _actions(self, rule: Rule, stages: list[Stage]) -> tuple[exp.Expr, exp.Expr]:
        """Return the action, and whether an answer has softened it."""
        action: list[tuple[exp.Expr, exp.Expr]] = []
        attested: list[tuple[exp.Expr, exp.Expr]] = []
        for stage in stages:
            for state in ("holds", "unknown"):
                for answer in ("softened", "answered", ""):
                    outcome, softened = _outcome(rule, stage, state, answer)
                    where = [_stage(stage), exp.EQ(this=exp.column("state"), expression=literal(state))]
                    where += [exp.column(answer)] if answer else []
                    action.append((both(where), literal(outcome)))
                    attested.append((both([each.copy() for each in where]), literal(softened)))
        return case(*action, otherwise=literal("")), case(*attested, otherwise=exp.false())


def _stage(stage: str) -> exp.Expr:
    return exp.EQ(this=exp.column("stage"), expression=literal(stage))


def _outcome(rule: Rule, stage: Stage, state: str, answer: str) -> tuple[str, bool]:
    """Return the action where a rule holds or can't be told, its ask answered so that it softens, otherwise, or not."""
    holds, plain = state == "holds", rule.then[stage]
    action = plain if holds else rule.if_unknown.get(stage, plain)
    if rule.attest and answer == "softened":
        if stage not in rule.if_attested:
            return plain, True
        return (rule.if_attested[stage], True) if holds else (action, False)
    if rule.attest and answer == "answered" and holds:
        return rule.if_denied.get(stage, action), False
    return action, False
