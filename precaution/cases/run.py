"""Canary patients: the cases of the label, decided by this very process before anybody is told that it is ready.

They pass the same readers as the patients of calls. One that comes to anything else than its case says means that
something here is not as it was tested: another library, another machine, a changed file.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from precaution.assessment import with_answers
from precaution.cases.lines import resources
from precaution.cases.load import load_cases
from precaution.engine.answer import ATTESTED
from precaution.engine.decision import decide
from precaution.knowledge.loading import find_label, read_label
from precaution.knowledge.policy import Policy, applied
from precaution.readers import read_resources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.cases.load import Case
    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Label


_LISTED = ("cites", "urgent", "shows")
"""What a case may expect besides states; tests look at that."""


def wrong(name: str) -> Iterator[str]:
    """Yield the names of the cases of a label that come to something else than they say.

    They show the label as it comes, so a site's own policy is left out here.
    """
    folder = find_label(name)
    label = read_label(folder)
    for case in load_cases(folder):
        if not comes_true(case, label):
            yield case.name


def comes_true(case: Case, label: Label) -> bool:
    """Whether a case comes to what it says."""
    if case.policy:
        parameters = applied(Policy(file=f"topics/{case.topic}.cases.toml", parameter=case.policy), label.parameters)
        label = replace(label, parameters=parameters, digest=f"{label.digest} {sorted(case.policy.items())}")
    day = date.fromisoformat(case.today).toordinal()
    patient = read_resources(resources(case.record, label.terminology), label.terminology, label.asks)
    record = with_answers(patient, case.answers, label, day)
    decision = decide(record, label, day, case.stage, everything=True).decision
    states = _states(decision, label)
    return all(states.get(key, "no") == value for key, value in case.expect.items() if key not in _LISTED)


def _states(decision: Decision, label: Label) -> dict[str, str]:
    softened = decision.action + ATTESTED
    action = softened if decision.attested and softened in label.actions else decision.action
    states = {each.rule: str(each.state) for each in decision.findings}
    states |= {each.duty: each.state for each in decision.due}
    return {**states, "action": action, "stage": decision.stage}
