"""Rates and delays: the first event on treatment, the days at risk until then, and the days from it to the end.

A day counts as treatment only where that is sure. An event on a day on which there may have been treatment, and one
that can't be told to be one, leaves the patient `unknown`.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from precaution.engine.compiled import prepared
from precaution.engine.facts import day_of
from precaution.knowledge.expression import compiled, names
from precaution.knowledge.refers import STAGES
from precaution.measures.shares import Measured, left_out, why_unknown

if TYPE_CHECKING:
    from precaution.knowledge.expression import Expression
    from precaution.knowledge.model import Measure
    from precaution.knowledge.refers import Stage
    from precaution.measures.followed import Followed
    from precaution.values.logic import Truth


class _First(NamedTuple):
    """What was found first: an event on a day, or that treatment or the event can't be told there."""

    state: str
    """event, none, unknown; before, before-unknown: on the day of the start."""
    day: float
    """Of the event; the last day looked at where there was none."""
    why: str = ""


def happened(measure: Measure, patient: Followed) -> Measured:
    """Return what a rate or a delay comes to; the patient's start is exact."""
    if measure.event is None:
        raise ValueError(measure.name)
    outside = left_out(measure, patient, patient.start)
    if outside:
        return outside._replace(day=patient.start)
    first = _first(measure.event, patient)
    if first.state == "before":
        return Measured("left-out", "so on the day of the start", patient.start)
    if first.state == "before-unknown":
        return Measured("who-unknown", first.why, patient.start)
    return _rate(first, patient) if measure.kind == "rate" else _delay(first, patient)


def _rate(first: _First, patient: Followed) -> Measured:
    days = patient.exposure.days(patient.start, first.day)
    state: dict[str, Measured] = {
        "event": Measured("yes", "", first.day, days),
        "none": Measured("no", "", None, days),
        "unknown": Measured("unknown", first.why, first.day, days),
    }
    return state[first.state]


def _delay(first: _First, patient: Followed) -> Measured:
    """Return how long treatment went on after the event."""
    if first.state == "none":
        return Measured("not-counted", "no event on treatment")
    if first.state == "unknown":
        return Measured("who-unknown", first.why, first.day)
    course = next(
        each for each in patient.exposure.courses if any(span.first <= first.day <= span.covered for span in each.spans)
    )
    span = next(each for each in course.spans if each.first <= first.day <= each.covered)
    delay = max(span.last - first.day, 0.0)
    if span.covered >= patient.exposure.until:
        return Measured("no", "treatment goes on", first.day, delay=delay)
    if span is course.spans[-1] and course.why:
        return Measured("unknown", course.why, first.day)
    return Measured("yes", "", first.day, delay=delay)


def _first(event: Expression, patient: Followed) -> _First:
    """Return the first event after the start, and what stands in the way of telling it."""
    start, doubt = patient.start, None
    for day in _days(event, patient):
        truth = patient.told(day, STAGE, compiled(event))
        if day == start and truth is not False:
            why = "" if truth else why_unknown(event, patient.facts(day, STAGE))
            return _First("before" if truth else "before-unknown", day, why)
        treated = patient.exposure.on(day)
        if truth:
            return _event(event, patient, day, treated, doubt)
        if truth is None and treated is not False and doubt is None:
            doubt = _First("unknown", day, why_unknown(event, patient.facts(day, STAGE)))
    return doubt or _First("none", patient.exposure.until)


STAGE: Stage = "on-treatment"
_PERHAPS = "it can't be told whether it was on treatment"


def _event(event: Expression, patient: Followed, day: int, treated: Truth, doubt: _First | None) -> _First:
    """Return what a sure event is: on treatment, where all the days on which it may have been are; or after it."""
    facts = patient.facts(day, STAGE)
    found = (day_of(entry) for name in facts.behind(event) for entry in facts.known(name).evidence)
    earliest = min((each.low for each in found if each is not None and each.high == day), default=day)
    spans = [span for course in patient.exposure.courses for span in course.spans]
    if any(span.first <= earliest and day <= span.covered for span in spans):
        return _First("event", day)
    if treated is False and patient.exposure.on(earliest) is False:
        return doubt or _First("none", day)
    return doubt or _First("unknown", day, _PERHAPS)


def _days(event: Expression, patient: Followed) -> list[int]:
    """Return the start and every later day on which the record says something new of what an event is made of."""
    places = prepared(patient.label, STAGES[0]).reach(names(event)) or frozenset()
    entries = patient.record.entries
    found = {
        int(end)
        for name in places
        for entry in entries.get(name, ())
        if (day := day_of(entry)) is not None
        for end in day[:2]
        if isfinite(end)
    }
    return sorted({day for day in found if patient.start < day <= patient.exposure.until} | {patient.start})
