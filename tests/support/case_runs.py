"""Runs a case of a label: its lines to resources, to a decision, to what `expect` names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from precaution.assessment import assess
from precaution.cases.lines import resources
from precaution.cases.load import NONE
from precaution.engine.answer import ATTESTED
from precaution.knowledge.policy import Policy, applied

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precaution.cases.load import Case
    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Label
    from precaution.values.record import Record

NO = "no"
"""The state of a rule or duty that does not apply at the stage."""


def label_for(case: Case, label: Label) -> Label:
    """Return the label with what the case's site chose otherwise. Raises KnowledgeError for a wrong choice."""
    if not case.policy:
        return label
    parameters = applied(Policy(file=f"topics/{case.topic}.cases.toml", parameter=case.policy), label.parameters)
    return replace(label, parameters=parameters, digest=f"{label.digest} {sorted(case.policy.items())}")


def decided(case: Case, label: Label, record: Record | None = None) -> Decision:
    """Return the decision for a case; `record` is its record where it was read already."""
    patient = record if record is not None else resources(case.record, label.terminology)
    return assess(
        patient, today=case.today, label=label_for(case, label), stage=case.stage, answers=case.answers, everything=True
    )


def came_to(case: Case, label: Label, record: Record | None = None) -> dict[str, str]:
    """Return what came of each name that the case expects something of."""
    decision = decided(case, label, record)
    states = {finding.rule: str(finding.state) for finding in decision.findings}
    states |= {due.duty: due.state for due in decision.due}
    states |= {"stage": decision.stage, "action": _action(decision, label)}
    states |= {name: _words(words, case.expect.get(name, "")) for name, words in _several(decision).items()}
    return {name: states.get(name, NO) for name in case.expect}


def _action(decision: Decision, label: Label) -> str:
    """Return the action as a case writes it: softened by an answer where the label ranks that on its own."""
    softened = decision.action + ATTESTED
    return softened if decision.attested and softened in label.actions else decision.action


def _several(decision: Decision) -> dict[str, set[str]]:
    cited = [finding.cites for finding in decision.findings if finding.state != NO]
    cited += [due.cites for due in decision.due if due.action]
    return {
        "cites": {sentence for sentences in cited for sentence in sentences},
        "urgent": {finding.rule for finding in decision.findings if finding.urgent},
        "shows": {background.says for background in decision.background},
    }


def _words(found: Iterable[str], expected: str) -> str:
    """Return what was found as a case writes it: in the order that the case expects, where that is all of it."""
    words = set(found)
    return expected if words and words == set(expected.split()) else " ".join(sorted(words)) or NONE
