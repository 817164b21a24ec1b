"""The follow-up of one patient: which course the measures are about, whether it is a new use, the facts on its days."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

from precaution.engine.chart import Chart, day_of
from precaution.engine.facts import Facts
from precaution.engine.kinds.durations import birthday
from precaution.engine.therapy import Therapy
from precaution.knowledge.model import Label
from precaution.knowledge.refers import Stage
from precaution.measures.exposure import Exposure
from precaution.values.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precaution.measures.exposure import Course
    from precaution.values.interval import Interval
    from precaution.values.logic import Truth
    from precaution.values.record import Entry


ALONE = 8
"""Up to so many entries of uncertain days are also left out one by one; more only all at once."""


class NewUse(NamedTuple):
    """Whether a course is a new use of the drug, and if that can't be told or is not so, why."""

    word: Literal["yes", "no", "unknown"]
    why: str = ""


@dataclass(slots=True)
class FollowUp:
    """A patient with at least one course, followed from its start to the end of the audit."""

    record: Record
    label: Label
    exposure: Exposure
    uses: tuple[NewUse, ...]
    """Whether each course is a new use."""
    chosen: int
    """The number, from 0, of the course that the measures are about."""
    _facts: dict[tuple[int, Stage], tuple[Facts, ...]] = field(
        default_factory=dict[tuple[int, "Stage"], tuple[Facts, ...]]
    )

    @property
    def course(self) -> Course:
        """The course that the measures are about."""
        return self.exposure.courses[self.chosen]

    @property
    def use(self) -> NewUse:
        """Whether that course is a new use."""
        return self.uses[self.chosen]

    @property
    def start(self) -> int:
        """The day on which it began; only of use where that is exact."""
        return int(self.course.start.low)

    def facts(self, day: int, stage: Stage) -> Facts:
        """Return the label's facts on a day, as at a stage."""
        return self._variants(day, stage)[0]

    def truth_on(self, day: int, stage: Stage, test: Callable[[Facts], Truth]) -> Truth:
        """Return the truth of a test of the facts on a day; None where entries decide it that may be of a later day."""
        first, *others = (test(facts) for facts in self._variants(day, stage))
        return first if all(each is first for each in others) else None

    def _variants(self, day: int, stage: Stage) -> tuple[Facts, ...]:
        """Return the facts of all entries that may be of that day, then those without the entries that may be later."""
        kept = self._facts.get((day, stage))
        if kept is None:
            later = [] if day >= self.exposure.until else _may_be_later(self.record, day)
            left_out = [[], *([later] if later else []), *([each] for each in later if 1 < len(later) <= ALONE)]
            start = None if stage == "before-start" else self.course.start
            at = Therapy(stage, "looked at by the audit", start, given=True)
            kept = self._facts[day, stage] = tuple(
                Facts(Chart(_without(self.record, each), self.label, day, at)) for each in left_out
            )
        return kept


def _may_be_later(record: Record, day: int) -> list[Entry]:
    """Return the entries that count on a day and may be of a later one: of a month, a year, or of no day at all."""
    return [
        entry
        for entries in record.entries.values()
        for entry in entries
        if entry.kind != "order" and ((begun := day_of(entry)) is None or begun.low <= day < begun.high)
    ]


def _without(record: Record, left_out: Sequence[Entry]) -> Record:
    if not left_out:
        return record
    kept = {name: tuple(each for each in entries if each not in left_out) for name, entries in record.entries.items()}
    return replace(record, entries={name: entries for name, entries in kept.items() if entries})


def follow_up(record: Record, label: Label, exposure: Exposure) -> FollowUp:
    """Return the follow-up of a patient by the first course that is a new use, else the first of all.

    Raises ValueError for a label without an audit.
    """
    if label.audit is None:
        raise ValueError(label.name)
    washout = float(label.parameters[label.audit.washout].value)
    uses = tuple(_use(course, record, label, exposure, washout) for course in exposure.courses)
    words = [use.word for use in uses]
    return FollowUp(record, label, exposure, uses, words.index("yes") if "yes" in words else 0)


def _use(course: Course, record: Record, label: Label, exposure: Exposure, washout: float) -> NewUse:
    """Return whether a course is a new use: the record covers the `washout` days before it, without the drug."""
    if not course.start.exact:
        return NewUse("unknown", "the day of the start is not exact")
    first, past = course.start.low - washout, course.start.low
    before = [span for other in exposure.courses if other is not course for span in other.spans]
    if any(span.covered >= first and span.first < past for span in before):
        return NewUse("no", f"the drug was taken in the {washout:.0f} days before")
    if any(begun < past and last >= first for begun, last in exposure.perhaps):
        return NewUse("unknown", exposure.doubt or f"the drug may have been taken in the {washout:.0f} days before")
    if record.partial or "medication" not in record.lists | record.attested | label.complete_lists:
        return NewUse("unknown", "the list of medications is not complete")
    seen = any(
        (day := day_of(entry)) is not None and day.high <= first
        for entries in record.entries.values()
        for entry in entries
    )
    return (
        NewUse("yes") if seen else NewUse("unknown", f"nothing is on record from {washout:.0f} days before the start")
    )


def band_of(record: Record, start: Interval, ages: tuple[int, ...]) -> str:
    """Return the band of ages of a patient at the start, in words; nothing where it can't be told."""
    birth = record.birth
    if birth is None or not start.exact or birth.low < 1 or birth.high > start.low:
        return ""
    found = {_reached(int(born), int(start.low), ages) for born in birth[:2]}
    return names_of_bands(ages)[found.pop()] if len(found) == 1 else ""


def _reached(born: int, day: int, ages: tuple[int, ...]) -> int:
    return sum(birthday(born, age) <= day for age in ages)


def names_of_bands(ages: tuple[int, ...]) -> tuple[str, ...]:
    """Return the bands of ages in words, youngest first."""
    between = [f"{low} to {high - 1}" for low, high in pairwise(ages)]
    return (f"under {ages[0]}", *between, f"{ages[-1]} or older") if ages else ("all ages",)
