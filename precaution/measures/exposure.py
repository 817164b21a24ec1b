"""Courses of the label's drug, for the audit: when treatment began, when it was sure, and when it may have been.

Orders and supplies are joined into courses as in `precaution.engine.therapy`: a gap longer than a parameter begins a
new one. What the record leaves open stays open: an order stopped or put on hold without a day shows treatment on its
first day only, and perhaps afterwards; an order without an end is believed for a time, and is a question after that.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from precaution.engine.chart import day_of
from precaution.engine.therapy import believed
from precaution.values.interval import Interval
from precaution.values.record import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from precaution.knowledge.model import AuditSettings, Label
    from precaution.values.logic import Truth
    from precaution.values.record import Entry, Record


class Span(NamedTuple):
    """Days in a row on which treatment is sure."""

    first: float
    last: float
    """The day it ended, or the supply ran out ..."""
    covered: float
    """... and the last day that counts as treatment: with the grace after a supply."""


class Course(NamedTuple):
    """Treatment without a gap longer than the label's parameter."""

    start: Interval
    last: Interval
    """The last day of treatment; not exact where the record leaves it open."""
    spans: tuple[Span, ...]
    goes_on: bool
    """Whether treatment is sure on the last day that is looked at."""
    held: bool
    """Whether an order of it is on hold."""
    why: str
    """Why the last day is not exact; empty where it is."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """All courses of one patient's treatment up to the day `until` (an ordinal), that of the audit or of death."""

    until: int
    courses: tuple[Course, ...]
    perhaps: tuple[tuple[float, float], ...]
    """Days on which there may have been treatment, those of the courses among them."""
    doubt: str = ""
    """Why there may be treatment that can't be told; empty where there is none."""

    def on(self, day: float) -> Truth:
        """Whether there was surely treatment on a day (an ordinal); None where there may have been."""
        if any(span.first <= day <= span.covered for course in self.courses for span in course.spans):
            return True
        return None if any(first <= day <= last for first, last in self.perhaps) else False

    def days(self, first: float, past: float) -> float:
        """Return how many days of sure treatment lie between two days (ordinals): none where both are the same day."""
        spans = [span for course in self.courses for span in course.spans]
        return sum(max(min(span.covered, past) - max(span.first, first), 0) for span in spans)


class _EntrySpan(NamedTuple):
    """The treatment that one entry shows: its start, how long it is sure, and how long it may have been."""

    start: Interval
    last: float
    covered: float
    reach: float
    """The day up to which it carries a course: one that starts soon after goes on with it."""
    latest: float
    """The last day on which there may have been treatment."""
    why: str
    """Why the end is not exact; empty where it is."""


def exposure(record: Record, label: Label, audit: AuditSettings, today: int) -> Exposure:
    """Return the courses of the label's drug up to `today` (an ordinal) or the day of death, which must be exact."""
    until = min(today, int(record.died.low)) if record.died is not None else today
    grace, gap, believed = (
        label.parameters[name].value for name in (label.therapy.grace, label.therapy.gap, audit.open_order)
    )
    taken, unclear = _taken_and_unclear(record, label, until)
    pieces = sorted(
        _entry_span(entry, until, float(grace), float(believed)) for entry in taken if entry.start is not None
    )
    undated = [entry for entry in (*taken, *unclear) if entry.start is None]
    perhaps = [(piece.start.low, piece.latest) for piece in pieces]
    perhaps += [(day.low if (day := day_of(each)) is not None else -inf, float(until)) for each in unclear]
    perhaps += [(-inf, float(until)) for _ in undated]
    held = {entry.start for entry in taken if entry.status == "held"}
    courses = tuple(_course(group, until, held) for group in _grouped(pieces, float(gap)))
    return Exposure(until, courses, tuple(sorted(set(perhaps))), _doubt(undated, unclear))


def _taken_and_unclear(record: Record, label: Label, until: int) -> tuple[list[Entry], list[Entry]]:
    """Return the entries that show the drug was taken, and those that may show it; plans are neither."""
    own = [entry for entry in believed(record.entries.get(label.therapy.drug, ()), label) if _begun(entry, until)]
    sure = [e for e in own if e.certainty == "certain" and e.status in ("active", "held", "ended")]
    unreadable = believed(record.entries.get(UNREADABLE["medication"], ()), label)
    other = [entry for entry in unreadable if _begun(entry, until)]
    return sure, [entry for entry in (*own, *other) if entry not in sure and entry.status != "planned"]


def _begun(entry: Entry, until: int) -> bool:
    day = day_of(entry)
    return entry.kind == "medication" and (day is None or day.low <= until)


def _doubt(undated: Sequence[Entry], unclear: Sequence[Entry]) -> str:
    if undated:
        return "an entry of the drug has no day"
    return "an entry may be the drug, but can't be read as such" if unclear else ""


def _entry_span(entry: Entry, until: int, grace: float, believed: float) -> _EntrySpan:
    """Return the treatment that an entry with a day shows; `grace` and `believed` are in days."""
    start = entry.start if entry.start is not None else Interval(-inf, inf)
    first = min(start.high, until)
    if entry.end is not None and entry.status != "held":
        more = grace if entry.status == "active" else 0.0
        last, latest = (max(min(each, until), first) for each in (entry.end.low, entry.end.high))
        covered, perhaps = (max(min(each + more, until), first) for each in (entry.end.low, entry.end.high))
        return _EntrySpan(start, last, covered, latest, perhaps, "" if entry.end.exact else "the end is not exact")
    if entry.end is None and entry.status == "active":
        limit = max(min(start.low + believed, until), first)
        open_on = limit < until
        why = f"an order without an end is believed for {believed:.0f} days" if open_on else ""
        return _EntrySpan(start, limit, limit, limit, float(until), why)
    if entry.status == "held":
        end = until if entry.end is None else max(min(entry.end.high, until), first)
        return _EntrySpan(start, first, first, end, end, "the day of the hold is not recorded")
    return _EntrySpan(start, first, first, first, float(until), "the day it was stopped is not recorded")


def _grouped(pieces: Iterable[_EntrySpan], gap: float) -> Iterable[list[_EntrySpan]]:
    """Yield the pieces of each course, in order."""
    group: list[_EntrySpan] = []
    reach = -inf
    for piece in pieces:
        if group and piece.start.low > reach + gap:
            yield group
            group, reach = [], -inf
        group.append(piece)
        reach = max(reach, piece.reach)
    if group:
        yield group


def _course(pieces: Sequence[_EntrySpan], until: int, held: set[Interval | None]) -> Course:
    spans: list[Span] = []
    for first, last, covered in sorted((min(each.start.high, until), each.last, each.covered) for each in pieces):
        if spans and first <= spans[-1].covered:
            before = spans.pop()
            spans.append(Span(before.first, max(before.last, last), max(before.covered, covered)))
        else:
            spans.append(Span(first, last, covered))
    end, goes_on = spans[-1], spans[-1].covered >= until
    open_ends = [] if goes_on else [each for each in pieces if each.latest > end.covered]
    latest = max((each.latest for each in open_ends), default=end.last)
    why = next((each.why for each in open_ends), "")
    return Course(
        pieces[0].start,
        Interval(end.last, max(latest, end.last)),
        tuple(spans),
        goes_on,
        any(each.start in held for each in pieces),
        why,
    )
