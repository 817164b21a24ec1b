"""At which stage the patient is, read from the record's own entries of the label's drug.

A record shows treatment by orders, statements, dispenses and administrations, each with its own idea of
when it ended. They are joined into courses; a gap longer than the label's parameter starts a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import inf
from typing import TYPE_CHECKING

from precaution.knowledge.refers import Stage
from precaution.values.interval import Interval, hull, show_day
from precaution.values.record import UNREADABLE, Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precaution.knowledge.model import Label
    from precaution.values.record import Record

STOPPED_DAYS = 90
"""For so many days after its last entry ended somebody still counts as one with the drug. Ours, and no medicine."""


@dataclass(frozen=True, slots=True)
class Therapy:
    """The stage on one day, since when treatment has gone on, and what says so."""

    stage: Stage
    why: str
    start: Interval | None = None
    evidence: tuple[Entry, ...] = ()
    doubt: str = ""
    """Why the stage can't be told for sure; empty where it can."""
    given: bool = False
    """Whether the caller says the stage."""


def therapy(record: Record, label: Label, today: int, given: Stage | None = None) -> Therapy:
    """Return the stage on `today` (an ordinal): `given`, or read from the record."""
    entries = _taken(believed(record.entries.get(label.therapy.drug, ()), label), today)
    unclear = _unclear(record, label, today)
    doubt = _doubt(unclear, record, label)
    if not entries and not unclear and given is None:
        return Therapy("before-start", doubt or "no entry of treatment on record", None, (), doubt)
    grace, gap = (int(label.parameters[name].value) for name in (label.therapy.grace, label.therapy.gap))
    now = [entry for entry in entries if _goes_on(entry, today, grace)]
    held = _held(entries, today - gap)
    stages = ("on-treatment", "interrupted")
    start = _start(entries, unclear, gap, today) if given in stages or (given is None and (now or held)) else None
    if given is not None:
        return Therapy(given, "given", start, tuple(entries), given=True)
    if held is not None and not any(_resumed(entry, held) for entry in now) and not _over(entries, held, today, gap):
        why = f"{held.source} is on hold{f' ({held.note})' if held.note else ''}"
        return Therapy("interrupted", why, start, (held,), doubt)
    if now:
        last = max(entry.start.low if entry.start is not None else -inf for entry in now)
        doubt = _doubt([entry for entry in unclear if entry.start is None or entry.start.high >= last], record, label)
        why = f"{now[-1].source} shows treatment since {show_day(start) or 'a day that is not known'}"
        return Therapy("on-treatment", why, start, tuple(now), doubt)
    perhaps = tuple(entry for entry in unclear if entry.concept == label.therapy.drug)
    if any(_may_go_on(entry, today, grace) for entry in perhaps):  # what interrupts must not be passed over
        return Therapy("on-treatment", doubt, None, perhaps, doubt)
    if not entries:
        return Therapy("before-start", doubt, None, (), doubt)
    return Therapy("before-start", f"{entries[-1].source} shows treatment that has ended", None, (entries[-1],), doubt)


def believed(entries: Sequence[Entry], label: Label) -> Sequence[Entry]:
    """Return entries of the label's drug; one that began before anybody could have it began on a day not known."""
    first = label.therapy.first_day()
    if not any(entry.start is not None and entry.start.low < first for entry in entries):
        return entries
    return [_begun_from(first, entry, label.therapy.available_since) for entry in entries]


def _begun_from(first: float, entry: Entry, day: str) -> Entry:
    start = entry.start
    if start is None or start.low >= first:
        return entry
    if start.high >= first:
        return entry._replace(start=Interval(first, start.high))
    why = f"its start on {show_day(start)} is not believed: the drug could not be had before {day}"
    return entry._replace(start=None, note=f"{entry.note}; {why}" if entry.note else why)


def _taken(entries: Sequence[Entry], today: int) -> list[Entry]:
    """Entries that show the drug was taken, in order of their start; plans and future ones are not."""
    return [
        entry
        for entry in entries
        if entry.kind == "medication"
        and entry.certainty == "certain"
        and entry.status in ("active", "held", "ended")
        and (entry.start is None or entry.start.low <= today)
    ]


def _unclear(record: Record, label: Label, today: int) -> list[Entry]:
    """Entries that may be the drug, or treatment with it, but can't be read as such."""
    return [
        entry
        for concept in (label.therapy.drug, UNREADABLE["medication"])
        if concept in record.entries
        for entry in believed(record.entries[concept], label)
        if entry.kind == "medication"
        and (entry.certainty != "certain" or entry.status == "unknown")
        and (entry.start is None or entry.start.low <= today)
    ]


def _doubt(unclear: Sequence[Entry], record: Record, label: Label) -> str:
    """Return why the stage may be another than the certain entries show, or nothing."""
    if unclear:
        return f"{unclear[0].source} may be treatment with the drug, but can't be read as such"
    listed = any("medication" in each for each in (record.lists, record.attested, label.complete_lists))
    taken = any(entry.kind == "medication" for entry in record.entries.get(label.therapy.drug, ()))
    return "" if listed or taken else "no list of medications on record"


def _goes_on(entry: Entry, today: int, grace: int) -> bool:
    """Whether treatment still goes on: an order without an end does, a supply does until it and the grace ran out."""
    if entry.status == "held":
        return False
    if entry.end is None:
        return entry.status == "active"
    if entry.status == "ended":
        return entry.end.low > today
    return entry.end.high + grace >= today


def _may_go_on(entry: Entry, today: int, grace: int) -> bool:
    """Whether treatment may still go on by an entry that can't be read as such: one on hold is no sign of its end."""
    if entry.end is None:
        return entry.status != "ended"
    return _goes_on(entry._replace(status="active") if entry.status == "held" else entry, today, grace)


def _held(entries: Sequence[Entry], since: float) -> Entry | None:
    """Return the latest hold; one that ended before `since` is over: what follows is a new start."""
    held = [entry for entry in entries if entry.status == "held" and (entry.end is None or entry.end.high >= since)]
    return held[-1] if held else None


def _later(entry: Entry, held: Entry) -> bool:
    """Whether `entry` began after the order that is on hold. The day of the hold itself is not recorded."""
    return entry.start is not None and held.start is not None and entry.start.low > held.start.high


def _resumed(entry: Entry, held: Entry) -> bool:
    """Whether an order still open shows treatment taken up again; a supply handed over may be from before the hold."""
    return entry.end is None and entry.status == "active" and _later(entry, held)


def _over(entries: Sequence[Entry], held: Entry, today: int, gap: int) -> bool:
    """Whether a hold is history: treatment began again after it, and ended so long ago that a next one is new."""
    since = [_reach(entry, today) for entry in entries if entry.status == "ended" and _later(entry, held)]
    return bool(since) and max(since) + gap < today


def _start(entries: Sequence[Entry], unclear: Sequence[Entry], gap: int, today: int) -> Interval | None:
    """Return the start of the course that `today` belongs to: perhaps earlier, where an unclear entry may be of it, or
    an order that is over, nobody knows since when, may have lasted until the next."""
    ways = [_course_start(entries, gap, today)]
    if unclear:
        ways.append(_course_start([*entries, *(entry._replace(status="active") for entry in unclear)], gap, today))
    starts = [start for way in ways for start in way]
    return None if None in starts else reduce(hull, [start for start in starts if start is not None])


def _course_start(entries: Sequence[Entry], gap: int, today: int) -> list[Interval | None]:
    """Return the starts that the course `today` belongs to may have; None where a start is not recorded."""
    begun = sorted(
        (entry.start, _reach(entry, today), _end_untold(entry)) for entry in entries if entry.start is not None
    )
    if len(begun) < len(entries):
        return [None]
    found = [_first_of_last([(start, reach) for start, reach, _ in begun], gap)]
    if any(untold for *_, untold in begun):
        nexts = [*(start.high for start, *_ in begun[1:]), -inf]
        reaches = [max(reach, at) if untold else reach for (_, reach, untold), at in zip(begun, nexts, strict=True)]
        found.append(_first_of_last([(start, at) for (start, *_), at in zip(begun, reaches, strict=True)], gap))
    return found


def _first_of_last(spans: Sequence[tuple[Interval, float]], gap: int) -> Interval | None:
    """Return where the last course begins, of starts in order with how far each reaches."""
    first, reached = None, -inf
    for start, reach in spans:
        if start.low > reached + gap:
            first = start
        reached = max(reached, reach)
    return first


def _end_untold(entry: Entry) -> bool:
    return entry.end is None and entry.status == "ended"


def _reach(entry: Entry, today: int) -> float:
    """How far an entry carries a course: to its end, to today while it is open, else only its own day."""
    if entry.end is not None:
        return min(entry.end.high, today)
    if entry.status in ("active", "held"):
        return today
    return entry.start.high if entry.start is not None else -inf


def on_drug(record: Record, label: Label, today: int) -> bool:
    """Whether a record has an entry of the label's drug that is not known to be over for `STOPPED_DAYS`."""
    return any(not _long_over(entry, today) for entry in record.entries.get(label.therapy.drug, ()))


def _long_over(entry: Entry, today: int) -> bool:
    return entry.end is not None and entry.end.high < today - STOPPED_DAYS and entry.certainty == "certain"
