"""What is known of one fact, and the patient's day on which it is looked at.

Facts are worked out for many patients by one label. What does not depend on the patient (the numbers that a site may
choose, what absence means) is looked up once, in a `Setting`; what is left is a closure over a `Chart`. That
is what makes a fact cost a few microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import groupby
from typing import TYPE_CHECKING

from precaution.engine.therapy import Therapy
from precaution.knowledge.expression import Value
from precaution.knowledge.model import Label
from precaution.knowledge.refers import Stage
from precaution.values.interval import EVERYTHING, Interval, larger
from precaution.values.logic import Truth
from precaution.values.record import UNREADABLE, Entry, Record

if TYPE_CHECKING:
    from collections.abc import Iterable


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
    stage: Stage = field(init=False)
    past: dict[str, Sequence[Entry]] = field(init=False)
    """The entries of each concept that are no plans and not of the future."""
    later: list[Entry] = field(default_factory=list["Entry"])
    """Those of the future."""
    truths: dict[int, dict[object, Truth]] | None = None
    """Where one day after another is looked at: by the `id` of an entry what it was found to be, by whoever asked, good
    until the entry begins, ends or runs out."""
    _newest: dict[str, Entry | None] = field(default_factory=dict[str, "Entry | None"])

    def __post_init__(self) -> None:
        """Leave out what does not count on the day."""
        self.stage = self.therapy.stage
        self.past = {}
        today = self.today
        for concept, entries in self.record.entries.items():
            for entry in entries:
                day = entry.start
                if day is None or day[0] > today or entry.kind == "order":
                    self.past[concept] = self._sifted(entries)
                    break
            else:  # all of them count, as nearly always
                self.past[concept] = entries

    def _sifted(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        own, today = list[Entry](), self.today
        for entry in entries:
            if entry.kind == "order":
                continue
            day = entry.start if entry.start is not None else entry.recorded
            if day is not None and day[0] > today:
                self.later.append(entry)
            else:
                own.append(entry)
        return own

    def number(self, parameter: str) -> float:
        """Return the value of a numeric parameter (days, where it is a duration)."""
        return float(self.label.parameters[parameter].value)

    def entries(self, concepts: Iterable[str]) -> list[Entry]:
        """Return the entries of `concepts` that are no plans and not of the future."""
        past = self.past
        return [entry for concept in concepts if concept in past for entry in past[concept]]

    def unreadable(self, kind: str) -> Sequence[Entry]:
        """Return the entries of a list that can't be understood: each may be anything of its kind."""
        return self.past.get(UNREADABLE[kind], ()) if kind in UNREADABLE else ()

    def newest(self, concept: str) -> Entry | None:
        """Return the one result of `concept` that is surely the newest: settled, and later than every other.

        None where there is no such, as where another of the same day or without a day may be it (`may_be_newest`).
        """
        if concept not in self._newest:
            self._newest[concept] = _surely_newest(self.past.get(concept, ()))
        return self._newest[concept]

    def forget(self, concept: str) -> None:
        """Look for the newest result of `concept` anew."""
        self._newest.pop(concept, None)

    def listed(self, kind: str) -> bool:
        """Whether the record's list of `kind` may be taken as complete, so that what it lacks is not so."""
        if kind in self.label.complete_lists or kind in self.record.attested:
            return True
        return kind in self.record.lists and self.label.parameters[self.label.records.absence].value != "attested"


@dataclass(frozen=True, slots=True)
class Setting:
    """A label at a stage: all that the evaluation of a fact needs besides the patient."""

    label: Label
    stage: Stage

    def number(self, parameter: str) -> float:
        """Return the value of a numeric parameter (days, where it is a duration)."""
        return float(self.label.parameters[parameter].value)

    def window(self, parameter: str) -> float | None:
        """Return the days of a window; None where the fact has none."""
        return self.number(parameter) if parameter else None

    def suspected_is_yes(self) -> bool:
        """Whether the site takes a provisional diagnosis for a diagnosis."""
        return self.label.parameters[self.label.records.suspected].value == "yes"

    def any_of_day(self) -> bool:
        """Whether any of several results of one day may be the one that counts, and not the worst of them."""
        return self.label.parameters[self.label.records.same_day].value == "unknown"


Look = Callable[[Chart], Known]
"""How one fact of a label is worked out at one stage, for any patient."""


def absence(absent: str, kind: str) -> Callable[[Chart], Known]:
    """Return what tells of a record that holds nothing what that means."""
    unlisted = f"nothing on record, and no {kind} list to rely on"

    def known(chart: Chart) -> Known:
        if absent == "no":
            return Known(False)
        if absent != "no-if-list-complete":
            return Known(None, why="nothing on record")
        return Known(False) if chart.listed(kind) else Known(None, why=unlisted)

    return known


def _surely_newest(entries: Sequence[Entry]) -> Entry | None:
    if len(entries) == 1:
        entry = entries[0]
        return entry if entry.start is not None and entry.status != "preliminary" else None
    days = [day for entry in entries if (day := entry.start) is not None]
    if not days or len(days) < len(entries):
        return None
    last = max(days)
    first = last[0]
    if len([day for day in days if day[1] >= first]) > 1:
        return None
    entry = entries[days.index(last)]
    return entry if entry.status != "preliminary" else None


def day_of(entry: Entry) -> Interval | None:
    """Return the day an entry began, or where that is not recorded the day it was written down."""
    return entry.start if entry.start is not None else entry.recorded


def not_before(entry: Entry, day: float) -> Truth:
    """Whether an entry began on or after `day`; None where that can't be told."""
    begun = entry.start if entry.start is not None else entry.recorded
    if begun is None:
        return None
    return True if begun[0] >= day else False if begun[1] < day else None


def since_start(entry: Entry, therapy: Therapy) -> Truth:
    """Whether an entry began on or after the start of treatment."""
    begun, start = day_of(entry), therapy.start
    if begun is None or start is None:
        return None
    return True if begun[0] >= start[1] else False if begun[1] < start[0] else None


def latest_day(entries: Sequence[Entry]) -> Interval | None:
    """Return the latest day on which any of `entries` began; one without a day may have begun on any."""
    if len(entries) == 1:
        day = day_of(entries[0])
        return EVERYTHING if day is None else day
    return latest_of(day if (day := day_of(entry)) is not None else EVERYTHING for entry in entries)


def latest_of(days: Iterable[Interval]) -> Interval | None:
    """Return what the latest of some uncertain days may be; None where there are none."""
    found = list(days)
    if len(found) > 2:  # a day that is surely earlier than another one decides nothing
        last = max([day[0] for day in found])
        found = [day for day in found if day[1] >= last]
    return reduce(larger, found) if found else None


def is_preliminary(entry: Entry) -> bool:
    """Whether a result may still come out otherwise."""
    return entry.status == "preliminary"


def may_be_newest(
    results: Sequence[Entry], is_hint: Callable[[Entry], bool] = is_preliminary
) -> tuple[list[Entry], list[Entry]]:
    """Return the settled results of which each may be the latest, and the hints no older than they."""
    newest = None
    for entry in results:
        day = entry.start
        if day is not None and (newest is None or day[0] > newest) and not is_hint(entry):
            newest = day[0]
    late = [entry for entry in results if newest is None or (day := entry.start) is None or day[1] >= newest]
    hints = [entry for entry in late if is_hint(entry)]
    return ([entry for entry in late if not is_hint(entry)] if hints else late), hints


def by_days(results: Sequence[Entry]) -> list[Sequence[Entry]]:
    """Return results in groups of one day each, in order; those without a day first."""
    if len(results) == 1:
        return [results]
    return [list(group) for _, group in groupby(sorted(results, key=_by_day), key=_by_day)]


def _by_day(entry: Entry) -> tuple[float, float]:
    return entry.start[:2] if entry.start is not None else (-1.0, -1.0)
