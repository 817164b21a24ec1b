"""How the stage and the decision of one patient changed over the days of the record."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from precaution.engine.decision import decide
from precaution.engine.kinds.durations import birthday
from precaution.knowledge.fact_kinds import ReachedAge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Label
    from precaution.values.record import Record


def timeline(record: Record, label: Label, until: int, since: int | None = None) -> list[Decision]:
    """Return the decision of each day, up to `until` (an ordinal), on which stage, action or a finding changed.

    Days looked at are those on which an entry begins or ends, a window of the label runs out for it, or an age is
    reached, so a result that grows too old shows as a change too. `since` leaves out the days before it.
    """
    changes: list[Decision] = []
    last: object = None
    for day in _days(record, label, until):
        decision = decide(record, label, day).decision
        now = _essence(decision)
        if now != last and (since is None or day >= since):
            changes.append(decision)
        last = now
    return changes


def _essence(decision: Decision) -> tuple[object, ...]:
    return (
        decision.stage,
        decision.action,
        decision.attested,
        tuple((finding.rule, finding.state, finding.action) for finding in decision.findings),
        tuple((due.duty, due.state) for due in decision.due),
    )


def _days(record: Record, label: Label, until: int) -> list[int]:
    """Days of entries, each with the days after it on which a duration of the label runs out."""
    spans = sorted({int(p.value) for p in label.parameters.values() if p.written.endswith("days") and p.value})
    events = set(_events(record))
    first = min(events, default=until)
    days = {day + shift for day in events for span in (0, *spans) for shift in (span, span + 1)}
    return sorted({day for day in (*days, *_birthdays(record, label)) if first <= day <= until} | {until})


def _events(record: Record) -> Iterator[int]:
    for entries in record.entries.values():
        for entry in entries:
            for day in (entry.start, entry.end, entry.recorded):
                yield from (int(end) for end in (day[:2] if day is not None else ()) if isfinite(end))


def _birthdays(record: Record, label: Label) -> Iterator[int]:
    """Days on which an age that the label asks for is reached."""
    for fact in label.facts.values():
        if isinstance(fact, ReachedAge):
            years = (
                fact.reached_age if fact.reached_age is not None else label.parameters[fact.reached_age_parameter].value
            )
            yield from (
                birthday(int(born), int(years)) for born in (record.birth[:2] if record.birth is not None else ())
            )
