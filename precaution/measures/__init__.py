"""One patient's part in an audit: the courses of the drug, and the result of each measure of the label.

Everything is told by the facts of the label, looked at on days of the treatment instead of today: the interpreter
that decides is the one that measures. What can't be told is `unknown` and never `no`.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from precaution.measures.events import measure_event
from precaution.measures.exposure import exposure
from precaution.measures.follow_up import FollowUp, band_of, follow_up
from precaution.measures.shares import measure_share
from precaution.values.interval import exactly, show_day

if TYPE_CHECKING:
    from precaution.knowledge.model import AuditSettings, Label, Measure
    from precaution.measures.exposure import Course
    from precaution.values.record import Record

Row = tuple[object, ...]
UNKNOWN_DEATH = "the day of death is not known"


def audit_rows(person: str, record: Record, label: Label, today: int) -> dict[str, list[Row]]:
    """Return one patient's rows of the tables `exposures` and `measured`, as known on `today` (an ordinal).

    Their columns are those of `precaution.cohort.tables`. `exposures` has a row for each course, and one without a
    start for a patient of whom no course can be told; `chosen` is the course that the measures are about, `new_use`
    yes, no or unknown, `days` those of sure treatment, `until` the last day looked at. `measured` has a row for each
    new user and each measure; `day` is the one looked at, or of the event, `days` are those at risk, `delay` is in
    days. There are no rows for a patient who shows nothing of the drug, or of a label that has no measures.
    """
    if label.audit is None:
        return {"exposures": [], "measured": []}
    died = record.died
    if died is not None and not died.exact and not died.low > today:
        own = label.therapy.drug in record.entries
        return {"exposures": [_nothing(person, record, UNKNOWN_DEATH)] if own else [], "measured": []}
    found = exposure(record, label, label.audit, today)
    if not found.courses:
        reason = found.doubt if label.therapy.drug in record.entries else ""
        return {"exposures": [_nothing(person, record, reason)] if reason else [], "measured": []}
    patient = follow_up(record, label, found)
    return {
        "exposures": [
            _course(person, number, each, patient, label.audit) for number, each in enumerate(found.courses, 1)
        ],
        "measured": [_measured(person, measure, patient) for measure in label.measures.values()]
        if patient.use.word == "yes"
        else [],
    }


def _nothing(person: str, record: Record, why: str) -> Row:
    return (person, 0, True, "unknown", why, "", "", False, False, 0, 0.0, "", "", record.sex, record.site, "")


def _course(person: str, number: int, course: Course, patient: FollowUp, audit: AuditSettings) -> Row:
    chosen = course is patient.course
    use = patient.uses[number - 1]
    exact = course.start.exact
    return (
        person,
        number,
        chosen,
        use.word,
        use.why,
        show_day(course.start),
        show_day(course.last),
        course.goes_on,
        course.held,
        len(course.spans) - 1,
        sum(span.covered - span.first for span in course.spans),
        show_day(exactly(patient.exposure.until)),
        band_of(patient.record, course.start, audit.ages),
        patient.record.sex,
        patient.record.site,
        show_day(course.start)[:7] if exact else "",
    )


def _measured(person: str, measure: Measure, patient: FollowUp) -> Row:
    found = measure_share(measure, patient) if measure.kind == "share" else measure_event(measure, patient)
    day = show_day(exactly(found.day)) if found.day is not None and isfinite(found.day) else ""
    return person, measure.name, found.state, found.why, day, found.days, found.delay
