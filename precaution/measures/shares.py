"""A share: for one patient, on one day of the treatment, whether what a measure counts is so."""

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
    from precaution.measures.followed import Followed
    from precaution.values.logic import Truth

State = Literal["yes", "no", "unknown", "left-out", "not-counted", "who-unknown", "not-measurable"]
STATES: tuple[State, ...] = ("yes", "no", "unknown", "left-out", "not-counted", "who-unknown", "not-measurable")
"""yes, no, unknown: of those counted. left-out: the measure excludes them. not-counted: it is not about them.
who-unknown: it can't be told whether it is. not-measurable: not followed for long enough."""


NOT_EXACT = "an entry that matters is of no exact day"


class Measured(NamedTuple):
    """What a measure comes to for one patient."""

    state: State
    why: str = ""
    day: float | None = None
    """The day that was looked at, or of the event."""
    days: float | None = None
    """For a rate: days at risk."""
    delay: float | None = None
    """For a delay: days."""


def shared(measure: Measure, patient: Followed) -> Measured:
    """Return what a share comes to; the patient's start is exact."""
    day = _day(measure, patient)
    if day > patient.exposure.until:
        return Measured("not-measurable", "not followed for long enough", day)
    if measure.stage == "on-treatment" and measure.look == "after":
        treated = patient.exposure.on(day)
        if not treated:
            said = "it can't be told whether treatment went on" if treated is None else "treatment had ended"
            return Measured("who-unknown" if treated is None else "not-counted", said, day)
    outside = _not_within(measure, patient) or left_out(measure, patient, day) or _not_counted(measure, patient, day)
    if outside:
        return outside._replace(day=day)
    truth = patient.told(day, measure.stage, lambda facts: _truth(measure, facts))
    why = "" if truth is not None else _why(measure, patient.facts(day, measure.stage))
    return Measured("unknown" if truth is None else "yes" if truth else "no", why, day)


def _truth(measure: Measure, facts: Facts) -> Truth:
    return facts.test(measure.numerator) if measure.numerator is not None else _asked_for(measure, facts)


def _not_within(measure: Measure, patient: Followed) -> Measured | None:
    """Return the state of who does not belong to the measure that this one is a part of, or may not."""
    if not measure.of:
        return None
    whole = shared(patient.label.measures[measure.of], patient)
    if whole.state in ("unknown", "who-unknown"):
        return Measured("who-unknown", whole.why)
    return None if whole.state == "yes" else Measured("not-counted")


def _day(measure: Measure, patient: Followed) -> int:
    if measure.look == "end":
        return patient.exposure.until if patient.course.goes_on else int(patient.course.spans[-1].covered)
    return patient.start + sum(int(patient.label.parameters[name].value) for name in measure.after)


def left_out(measure: Measure, patient: Followed, day: int) -> Measured | None:
    """Return the state of who is left out, or may have to be; None for all others."""
    if measure.exclude is None:
        return None
    truth = _told(measure.exclude, measure, patient, day)
    if truth is None:
        return Measured("who-unknown", why_unknown(measure.exclude, patient.facts(day, measure.stage)))
    return Measured("left-out") if truth else None


def _not_counted(measure: Measure, patient: Followed, day: int) -> Measured | None:
    if measure.denominator is None:
        return None
    truth = _told(measure.denominator, measure, patient, day)
    if truth is None:
        return Measured("who-unknown", why_unknown(measure.denominator, patient.facts(day, measure.stage)))
    return None if truth else Measured("not-counted")


def _told(expression: Expression, measure: Measure, patient: Followed, day: int) -> Truth:
    return patient.told(day, measure.stage, lambda facts: facts.test(expression))


def why_unknown(expression: Expression | None, facts: Facts) -> str:
    """Return why an expression can't be told: the titles of the facts, or that something is of no exact day."""
    if expression is None:
        return ""
    if facts.test(expression) is not None:
        return NOT_EXACT
    return "; ".join(dict.fromkeys(_called(name, facts) for name in facts.behind(expression)))


def _called(name: str, facts: Facts) -> str:
    ask = facts.chart.label.asks.get(name.replace("_", "-"))
    return f"the answer to {ask.number}" if ask is not None else facts.title(name)


def _why(measure: Measure, facts: Facts) -> str:
    """Return what can't be told: facts, or the rules that may ask for the measure's action."""
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
