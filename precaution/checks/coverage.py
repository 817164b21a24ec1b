"""Checks that the cases show what each rule and duty does: where it holds, where it does not, where it can't tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.cases.load import unknown_names
from precaution.checks.problem import problem
from precaution.knowledge.expression import Call, Name, children
from precaution.knowledge.fact import Fact
from precaution.knowledge.linking import place_of
from precaution.knowledge.model import Ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.checks.problem import Folder, LabelProblem
    from precaution.knowledge.expression import Expression
    from precaution.knowledge.linking import Named
    from precaution.knowledge.model import Duty, Rule


def readable_cases(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that a case names rules, duties, states and asks that the label has."""
    for case in folder.cases:
        for place, message in unknown_names(case, folder.label):
            yield problem(place, message)


def rules(folder: Folder) -> Iterator[LabelProblem]:
    """Ask for each rule that cases show it where it holds, does not, and, if it can be so, can't be told."""
    known = folder.named()
    for rule in folder.label.rules.values():
        wanted = ["holds", "no"]
        if any(can_be_unknown(expression, known) for expression in rule.when.values()):
            wanted.append("unknown")
        shown = _shown(folder, rule.name)
        for state in wanted:
            if state not in shown:
                yield _lacking(rule, state)


def duties(folder: Folder) -> Iterator[LabelProblem]:
    """Ask for each duty that cases show it done, due (or overdue), and, if it can be, unknown.

    A duty that is only open for as long as its `when` holds is over when that ends: `no` instead of done.
    """
    for duty in folder.label.duties.values():
        shown = _shown(folder, duty.name)
        timed = duty.needs or duty.ask or duty.at or duty.every or duty.done_when
        over = ("done", {"done", "upcoming"}) if timed else ("no", {"no"})
        for state, enough in (over, ("due", {"due", "overdue"}), ("unknown", {"unknown"})):
            if not shown & enough and (state != "unknown" or _may_be_unknown(duty)):
                yield _lacking(duty, state)


def can_be_unknown(expression: Expression, known: dict[str, Named]) -> bool:
    """Whether `expression` can be neither true nor false: it asks for the value of a fact or an ask."""
    if isinstance(expression, Call) and expression.function != "possible":
        return False
    if isinstance(expression, Name):
        return isinstance(known.get(expression.name), (Fact, Ask))
    return any(can_be_unknown(child, known) for child in children(expression))


def _lacking(thing: Rule | Duty, state: str) -> LabelProblem:
    return problem(place_of(thing), f"no case shows it as '{state}'; add one to topics/{thing.topic}.cases.toml")


def _may_be_unknown(duty: Duty) -> bool:
    return duty.never == "unknown" or duty.when is not None or duty.done_when is not None


def _shown(folder: Folder, name: str) -> set[str]:
    return {case.expect[name] for case in folder.cases if name in case.expect}
