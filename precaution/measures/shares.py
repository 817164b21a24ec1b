"""Shares of one patient: whether what a measure counts is so on one day of the treatment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from precaution.engine.findings import judge
from precaution.knowledge.expression import spoken
from precaution.values.logic import disjunction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.engine.facts import Facts
    from precaution.knowledge.expression import Expression
    from precaution.knowledge.model import Measure, Rule
    from precaution.measures.follow_up import FollowUp
    from precaution.values.logic import Truth

MeasureState = Literal["yes", "no", "unknown", "left-out", "not-counted", "who-unknown", "not-measurable"]
STATES: tuple[MeasureState, ...] = ("yes", "no", "unknown", "left-out", "not-counted", "who-unknown", "not-measurable")
"""yes, no, unknown: of those counted. left-out: the measure excludes them. not-counted: it is not about them.
who-unknown: it can't be told whether it is. not-measurable: not followed for long enough."""


NOT_EXACT = "an entry that matters is of no exact day"


class Measured(NamedTuple):
    """The result of a measure for one patient."""

    state: MeasureState
    why: str = ""
    day: float | None = None
    """The day that was looked at, or of the event."""
    days: float | None = None
    """For a rate: days at risk."""
    delay: float | None = None
    """For a delay: days."""


def measure_share(measure: Measure, patient: FollowUp) -> Measured:
    """Return the result of a share for a patient whose start is exact."""
    day = _day(measure, patient)
    if day > patient.exposure.until:
        return Measured("not-measurable", "not followed for long enough", day)
    if measure.stage == "on-treatment" and measure.look == "after":
        treated = patient.exposure.on(day)
        if not treated:
            said = "it can't be told whether treatment went on" if treated is None else "treatment had ended"
            return Measured("who-unknown" if treated is None else "not-counted", said, day)
    outside = _not_within(measure, patient) or excluded(measure, patient, day) or _not_counted(measure, patient, day)
    if outside:
        return outside._replace(day=day)
    truth = patient.truth_on(day, measure.stage, lambda facts: _truth(measure, facts))
    why = "" if truth is not None else _why(measure, patient.facts(day, measure.stage))
    return Measured("unknown" if truth is None else "yes" if truth else "no", why, day)


def _truth(measure: Measure, facts: Facts) -> Truth:
    return facts.test(measure.numerator) if measure.numerator is not None else _asked_for(measure, facts)


def _not_within(measure: Measure, patient: FollowUp) -> Measured | None:
    """Return the result for a patient outside the measure that this one is a part of, or who may be; None inside."""
    if not measure.of:
        return None
    whole = measure_share(patient.label.measures[measure.of], patient)
    if whole.state in ("unknown", "who-unknown"):
        return Measured("who-unknown", whole.why)
    return None if whole.state == "yes" else Measured("not-counted")


def _day(measure: Measure, patient: FollowUp) -> int:
    if measure.look == "end":
        return patient.exposure.until if patient.course.goes_on else int(patient.course.spans[-1].covered)
    return patient.start + sum(int(patient.label.parameters[name].value) for name in measure.after)


def excluded(measure: Measure, patient: FollowUp, day: int) -> Measured | None:
    """Return the result for a patient whom the measure leaves out, or may have to; None for all others."""
    truth = _truth_on(measure.exclude, measure, patient, day, otherwise=False)
    if truth is None:
        return Measured("who-unknown", why_unknown(measure.exclude, patient.facts(day, measure.stage)))
    return Measured("left-out") if truth else None


def _not_counted(measure: Measure, patient: FollowUp, day: int) -> Measured | None:
    truth = _truth_on(measure.denominator, measure, patient, day, otherwise=True)
    if truth is None:
        return Measured("who-unknown", why_unknown(measure.denominator, patient.facts(day, measure.stage)))
    return None if truth else Measured("not-counted")


def _truth_on(
    expression: Expression | None, measure: Measure, patient: FollowUp, day: int, *, otherwise: bool
) -> Truth:
    if expression is None:
        return otherwise
    return patient.truth_on(day, measure.stage, lambda facts: facts.test(expression))


def why_unknown(expression: Expression | None, facts: Facts) -> str:
    """Return why an expression can't be told: the titles of its facts, or that an entry is of no exact day."""
    if expression is None:
        return ""
    if facts.test(expression) is not None:
        return NOT_EXACT
    return "; ".join(dict.fromkeys(_called(name, facts) for name in facts.behind(expression)))


def _called(name: str, facts: Facts) -> str:
    ask = facts.chart.label.asks.get(name.replace("_", "-"))
    return f"the answer to {ask.number}" if ask is not None else facts.title(name)


def _why(measure: Measure, facts: Facts) -> str:
    """Return why a share can't be told: titles of facts, or of the rules that may ask for the measure's action."""
    if measure.numerator is not None:
        return why_unknown(measure.numerator, facts)
    found = [rule.title for rule in _candidates(measure, facts) if _asks(rule, measure.action, facts) is None]
    return "; ".join(found) or NOT_EXACT


def _asked_for(measure: Measure, facts: Facts) -> Truth:
    """Whether any rule of the label asks for the measure's action; None where one that may can't be told."""
    return disjunction(_asks(rule, measure.action, facts) for rule in _candidates(measure, facts))


def _candidates(measure: Measure, facts: Facts) -> Iterator[Rule]:
    stage = facts.chart.stage
    for rule in facts.chart.label.rules.values():
        if measure.action in (rule.then.get(stage), rule.if_denied.get(stage)):
            yield rule


def _asks(rule: Rule, action: str, facts: Facts) -> Truth:
    judged = judge(rule, facts)
    if judged is None or judged.finding.state == "no":
        return False
    if judged.finding.state == "holds":
        return judged.finding.action == action
    return None if action == rule.then.get(facts.chart.stage) or _denied(rule, facts) else False


def _denied(rule: Rule, facts: Facts) -> bool:
    """Whether the ask that softens a rule was answered so that it is graver."""
    answer = facts[spoken(rule.attest)] if rule.attest else None
    return answer is not None and answer is not True
