"""Runs the cases of a label: from a case's lines to a decision, and to what its `expect` names.

This is the only runner. `precaution check`, the start of the service, `precaution explain`, the booklet, the tests and
the tools all ask it, so none of them can call a case true that another calls false. A case passes the same reader as
a patient.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from precaution.assessment import assess
from precaution.cases.lines import resources
from precaution.cases.load import NONE, Case, load_cases
from precaution.engine.answer import ATTESTED
from precaution.errors import PrecautionError
from precaution.knowledge.loading import read_label
from precaution.knowledge.policy import Policy, with_policy
from precaution.readers import read_resources

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Label
    from precaution.values.record import Record

NO = "no"
"""The state of a rule or duty that does not apply at the stage."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What one case came to, beside what it expects."""

    case: Case
    came: dict[str, str] = field(default_factory=dict[str, str])
    """What came of each name that the case expects something of."""
    error: str = ""
    """Why the case could not be decided: a line that can't be read, an answer to no question."""

    @property
    def is_true(self) -> bool:
        """Whether the case came to all that it expects."""
        return not self.error and self.came == dict(self.case.expect)

    def __str__(self) -> str:
        """Return `action: expected interrupt, came to clear`, of all that came otherwise; empty for a true case."""
        if self.error:
            return f"can't be decided: {self.error}"
        expect = self.case.expect
        return "; ".join(
            f"{name}: expected {expect[name]}, came to {state}"
            for name, state in self.came.items()
            if state != expect[name]
        )


def false_in(folder: Path) -> list[CaseResult]:
    """Return the cases of a label's folder that do not come to what they expect.

    They show the label as it comes, so a site's own policy has no part in it. Raises KnowledgeError where the label
    or a file of cases can't be read.
    """
    label = read_label(folder)
    return [result for case in load_cases(folder) if not (result := run(case, label)).is_true]


def run(case: Case, label: Label) -> CaseResult:
    """Return what a case comes to; a case that can't be decided is a result too, and no error."""
    try:
        return CaseResult(case, came_to(case, label))
    except PrecautionError as error:
        return CaseResult(case, error=str(error))


def record_of(case: Case, label: Label) -> Record:
    """Return the record of a case's lines, without its answers. Raises KnowledgeError for a line that can't be read."""
    made = resources(case.record, label.terminology, label.asks)
    return read_resources(made, label.terminology, label.asks)


def label_for(case: Case, label: Label) -> Label:
    """Return the label with what the case's site chose otherwise. Raises KnowledgeError for a wrong choice."""
    return with_policy(label, Policy(file="policy", parameter=case.policy)) if case.policy else label


def decided(case: Case, label: Label, record: Record | None = None) -> Decision:
    """Return the decision for a case; `record` is what to take in place of its own lines.

    Raises KnowledgeError or UsageError for a case that can't be read, PatientDied where its patient died.
    """
    patient = record_of(case, label) if record is None else record
    chosen = label_for(case, label)
    return assess(patient, today=case.today, label=chosen, stage=case.stage, answers=case.answers, everything=True)


def came_to(case: Case, label: Label, record: Record | None = None) -> dict[str, str]:
    """Return what came of each name that the case expects something of; for what is raised see `decided`."""
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
    """Return what a case may expect of several names at once."""
    cited = [finding.cites for finding in decision.findings if finding.state != NO]
    cited += [due.cites for due in decision.due if due.action]
    return {
        "cites": {sentence for sentences in cited for sentence in sentences},
        "urgent": {finding.rule for finding in decision.findings if finding.urgent},
        "asks": {ask.ask for ask in decision.asks if ask.answered is None},
        "shows": {background.says for background in decision.background},
    }


def _words(found: Iterable[str], expected: str) -> str:
    """Return what was found as a case writes it: in the order that the case expects, where that is all of it."""
    words = set(found)
    return expected if words and words == set(expected.split()) else " ".join(sorted(words)) or NONE
