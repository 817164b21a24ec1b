"""Rates and delays of one patient: the first event on treatment, the days until it, and from it to the end.

A day counts as treatment only where that is sure. An event on a day on which there may have been treatment, and one
that can't be told to be one, leaves the patient `unknown`.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from precaution.engine.chart import day_of
from precaution.engine.compiled import compiled_label
from precaution.knowledge.expression import names
from precaution.measures.shares import Measured, excluded, why_unknown

if TYPE_CHECKING:
    from precaution.knowledge.expression import Expression
    from precaution.knowledge.model import Measure
    from precaution.knowledge.refers import Stage
    from precaution.measures.follow_up import FollowUp
    from precaution.values.logic import Truth


class _FirstEvent(NamedTuple):
    """The first day on which there is an event, or on which it can't be told whether there is one on treatment."""

    state: str
    """event, none, unknown; before, before-unknown: on the day of the start."""
    day: float
    """The day of the event, an ordinal; the last day looked at where there was none."""
    why: str = ""


def measure_event(measure: Measure, patient: FollowUp) -> Measured:
    """Return the result of a rate or a delay for a patient whose start is exact. Raises ValueError without an event."""
    if measure.event is None:
        raise ValueError(measure.name)
    outside = excluded(measure, patient, patient.start)
    if outside:
        return outside._replace(day=patient.start)
    first = _first(measure.event, patient)
    if first.state == "before":
        return Measured("left-out", "so on the day of the start", patient.start)
    if first.state == "before-unknown":
        return Measured("who-unknown", first.why, patient.start)
    return _rate(first, patient) if measure.kind == "rate" else _delay(first, patient)


def _rate(first: _FirstEvent, patient: FollowUp) -> Measured:
    days = patient.exposure.days(patient.start, first.day)
    state: dict[str, Measured] = {
        "event": Measured("yes", "", first.day, days),
        "none": Measured("no", "", None, days),
        "unknown": Measured("unknown", first.why, first.day, days),
    }
    return state[first.state]


def _delay(first: _FirstEvent, patient: FollowUp) -> Measured:
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


def _first(event: Expression, patient: FollowUp) -> _FirstEvent:
    """Return the first event after the start, and what stands in the way of telling it."""
    start, doubt = patient.start, None
    for day in _days(event, patient):
        truth = patient.truth_on(day, STAGE, lambda facts: facts.test(event))
        if day == start and truth is not False:
            why = "" if truth else why_unknown(event, patient.facts(day, STAGE))
            return _FirstEvent("before" if truth else "before-unknown", day, why)
        treated = patient.exposure.on(day)
        if truth:
            return _event(event, patient, day, treated, doubt)
        if truth is None and treated is not False and doubt is None:
            doubt = _FirstEvent("unknown", day, why_unknown(event, patient.facts(day, STAGE)))
    return doubt or _FirstEvent("none", patient.exposure.until)


STAGE: Stage = "on-treatment"
_PERHAPS = "it can't be told whether it was on treatment"


def _event(event: Expression, patient: FollowUp, day: int, treated: Truth, doubt: _FirstEvent | None) -> _FirstEvent:
    """Return a sure event: on treatment, if every day on which it may have been is; else what it leaves open."""
    facts = patient.facts(day, STAGE)
    found = (day_of(entry) for name in facts.behind(event) for entry in facts.known(name).evidence)
    earliest = min((each.low for each in found if each is not None and each.high == day), default=day)
    spans = [span for course in patient.exposure.courses for span in course.spans]
    if any(span.first <= earliest and day <= span.covered for span in spans):
        return _FirstEvent("event", day)
    if treated is False and patient.exposure.on(earliest) is False:
        return doubt or _FirstEvent("none", day)
    return doubt or _FirstEvent("unknown", day, _PERHAPS)


def _days(event: Expression, patient: FollowUp) -> list[int]:
    """Return the start, and every later day from which on the facts of an event may be others."""
    concepts = compiled_label(patient.label, STAGE).places_behind(names(event))
    entries = patient.record.entries
    found = {
        int(end)
        for name in concepts
        for entry in entries.get(name, ())
        if (day := day_of(entry)) is not None
        for end in day[:2]
        if isfinite(end)
    }
    return sorted({day for day in found if patient.start < day <= patient.exposure.until} | {patient.start})
