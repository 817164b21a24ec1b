"""What is known of one fact, and the patient's day on which it is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from itertools import groupby
from typing import TYPE_CHECKING

from precaution.interval import EVERYTHING, larger
from precaution.record import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from precaution.definitions import Label, Stage
    from precaution.expression import Value
    from precaution.interval import Interval
    from precaution.logic import Truth
    from precaution.record import Entry, Record
    from precaution.therapy import Therapy


@dataclass(slots=True)
class Known:
    """A fact for one patient on one day."""

    value: Value
    evidence: tuple[Entry, ...] = ()
    """The entries that make the value what it is."""
    why: str = ""
    """Where the value is None: why."""
    considered: int = 0
    """How many entries there were to look at."""
    since: Interval | None = None
    """Day from which it has been so; newer than an answer, it voids the answer."""


@dataclass(slots=True)
class Chart:
    """One patient's record on one day: what the evaluation of every fact needs."""

    record: Record
    label: Label
    today: int
    therapy: Therapy
    _kept: dict[str, list[Entry]] = field(default_factory=dict[str, "list[Entry]"])
    """Entries of a concept that count on the day, once they were asked for."""

    @property
    def stage(self) -> Stage:
        """The stage of treatment."""
        return self.therapy.stage

    def number(self, parameter: str) -> float:
        """Return the value of a numeric parameter (days, where it is a duration)."""
        return float(self.label.parameters[parameter].value)

    def entries(self, concepts: Iterable[str]) -> list[Entry]:
        """Return the entries of `concepts` that are no plans and not of the future."""
        table = self.record.entries
        found: list[Entry] = []
        for concept in concepts:
            if concept in table:
                found += self._past(concept)
        return found

    def _past(self, concept: str) -> list[Entry]:
        kept = self._kept.get(concept)
        if kept is None:
            kept = self._kept[concept] = [
                entry
                for entry in self.record.entries[concept]
                if entry.kind != "order" and ((day := day_of(entry)) is None or day.low <= self.today)
            ]
        return kept

    def unreadable(self, kind: str) -> list[Entry]:
        """Return the entries of a list that can't be understood: each may be anything of its kind."""
        return self.entries((UNREADABLE[kind],)) if kind in UNREADABLE else []

    def listed(self, kind: str) -> bool:
        """Whether the record's list of `kind` may be taken as complete, so that what it lacks is not so."""
        if kind in self.label.complete_lists or kind in self.record.attested:
            return True
        return kind in self.record.lists and self.label.parameters[self.label.records.absence].value != "attested"

    def absent(self, absent: str, kind: str) -> Known:
        """Return what it means that nothing is on record."""
        if absent == "no" or (absent == "no-if-list-complete" and self.listed(kind)):
            return Known(False)
        if absent == "no-if-list-complete":
            return Known(None, why=f"nothing on record, and no {kind} list to rely on")
        return Known(None, why="nothing on record")

    def suspected_is_yes(self) -> bool:
        """Whether the site takes a provisional diagnosis for a diagnosis."""
        return self.label.parameters[self.label.records.suspected].value == "yes"


def day_of(entry: Entry) -> Interval | None:
    """Return the day an entry began, or where that is not recorded the day it was written down."""
    return entry.start if entry.start is not None else entry.recorded


def not_before(entry: Entry, day: float) -> Truth:
    """Whether an entry began on or after `day`; None where that can't be told."""
    begun = day_of(entry)
    if begun is None:
        return None
    return True if begun.low >= day else False if begun.high < day else None


def since_start(entry: Entry, therapy: Therapy) -> Truth:
    """Whether an entry began on or after the start of treatment."""
    begun, start = day_of(entry), therapy.start
    if begun is None or start is None:
        return None
    return True if begun.low >= start.high else False if begun.high < start.low else None


def latest_day(entries: Iterable[Entry]) -> Interval | None:
    """Return the latest day on which any of `entries` began; one without a day may have begun on any."""
    return latest_of(day if (day := day_of(entry)) is not None else EVERYTHING for entry in entries)


def latest_of(days: Iterable[Interval]) -> Interval | None:
    """Return what the latest of some uncertain days may be; None where there are none."""
    found = list(days)
    return reduce(larger, found) if found else None


def may_be_newest(results: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Return the settled results of which each may be the latest, and the preliminary ones no older than they."""
    settled = [entry for entry in results if entry.status != "preliminary"]
    newest = max((entry.start.low for entry in settled if entry.start is not None), default=None)
    late = [entry for entry in results if newest is None or entry.start is None or entry.start.high >= newest]
    contenders = [entry for entry in late if entry.status != "preliminary"]
    return contenders, [entry for entry in late if entry.status == "preliminary"]


def by_days(results: Iterable[Entry]) -> list[list[Entry]]:
    """Return results in groups of one day each, in order; those without a day first."""
    return [list(group) for _, group in groupby(sorted(results, key=_by_day), key=_by_day)]


def _by_day(entry: Entry) -> tuple[float, float]:
    return (entry.start.low, entry.start.high) if entry.start is not None else (-1.0, -1.0)
