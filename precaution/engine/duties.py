"""Facts -> duties: what must be done, whether it was, and the day on which it is due."""

from __future__ import annotations

from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from precaution.engine.answer import Due, new_due
from precaution.engine.evidence import shown
from precaution.engine.facts import ANSWER, Facts
from precaution.knowledge.expression import compiled, names, spoken
from precaution.values.interval import exactly, iso_day
from precaution.values.record import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from precaution.engine.answer import DueState
    from precaution.engine.compiled import Prepared
    from precaution.engine.facts import Chart
    from precaution.knowledge.expression import Answers
    from precaution.knowledge.model import Duty
    from precaution.values.interval import Interval
    from precaution.values.logic import Truth

    Test = Callable[[Answers], Truth]


class Scheduled(NamedTuple):
    """A duty for one patient, and the facts and asks that would settle it."""

    due: Due
    behind: tuple[str, ...]


class _Last(NamedTuple):
    """When a set of things was last complete, what shows it, and which parts are not there."""

    day: float | None
    evidence: tuple[Entry, ...]
    lacking: tuple[str, ...]
    newest: tuple[Entry | None, ...]
    """Of each part."""


class _Ready:
    """A duty at a stage, with all of it that is the same for every patient: numbers of days, closures, places."""

    def __init__(self, duty: Duty, ready: Prepared) -> None:
        """Make the duty ready."""
        parameters = ready.label.parameters

        def number(name: str) -> float:
            return float(parameters[name].value) if name else 0.0

        self.duty, self.before = duty, ready.stage == "before-start"
        self.applies: Test | None = compiled(duty.when) if duty.when is not None else None
        self.done: Test | None = compiled(duty.done_when) if duty.done_when is not None else None
        self.timed = bool(duty.needs or duty.ask or duty.at or duty.every)
        self.any_part = bool(duty.needs_all) and parameters[duty.needs_all].value == "any"
        self.answered_at = ANSWER + duty.ask if duty.ask else ""
        self.settles = (spoken(duty.ask),) if duty.ask else ()
        self.at = tuple(map(number, duty.at))
        self.every, self.early, self.grace = number(duty.every), number(duty.early), number(duty.grace)
        self.tolerance, self.again_in = number(duty.tolerance), number(duty.again_in)
        self.every_if = {fact: number(name) for fact, name in duty.every_if.items()}
        concepts = frozenset(concept for group in duty.needs for concept in group)
        reach = ready.reach(_names(duty))
        self.reach = None if reach is None else reach | concepts


def schedule(duty: Duty, facts: Facts) -> Scheduled | None:
    """Return the duty's state for a patient; None where it is not theirs."""
    ready = _ready(facts.prepared).get(duty.name)
    return None if ready is None else _scheduled(ready, facts)


def schedule_all(facts: Facts) -> list[Scheduled]:
    """Return the state of each duty of the label that is the patient's, in the label's order, as `schedule` does."""
    ready = _ready(facts.prepared).values()
    return [scheduled for each in ready if (scheduled := _scheduled(each, facts)) is not None]


@lru_cache(maxsize=256)
def _ready(prepared: Prepared) -> Mapping[str, _Ready]:
    """Return the duties of a stage, in the label's order."""
    duties = prepared.label.duties.values()
    return {duty.name: _Ready(duty, prepared) for duty in duties if prepared.stage in duty.stages}


def _names(duty: Duty) -> Iterator[str]:
    """Every fact and ask that a duty depends on."""
    for expression in (duty.when, duty.done_when):
        if expression is not None:
            yield from names(expression)
    yield from duty.again_after
    yield from duty.every_if
    if duty.ask:
        yield spoken(duty.ask)


def _scheduled(ready: _Ready, facts: Facts) -> Scheduled | None:
    """Return the duty's state: where the record says nothing to it, as worked out once, on a blank one, for all."""
    start = facts.chart.therapy.start
    if not facts.silent(ready.reach):
        return _schedule(ready, facts, start)
    blank, key = facts.blank, (ready, start)
    if key not in blank.scheduled:
        if len(blank.scheduled) >= _MOST:
            blank.scheduled.clear()
        blank.scheduled[key] = _schedule(ready, Facts(blank.chart, blank), start)
    scheduled: Scheduled | None = blank.scheduled[key]
    return scheduled


_MOST = 1024
"""Most duties, by the start of treatment, of which it is kept what they come to on one blank record."""


def _schedule(ready: _Ready, facts: Facts, start: Interval | None) -> Scheduled | None:
    duty = ready.duty
    applies = True if ready.applies is None else ready.applies(facts)
    if applies is False:
        return None
    if applies is None and duty.when is not None:
        behind = facts.behind(duty.when)
        return Scheduled(_due(ready, "unknown", why=_why(behind, facts)), behind)
    if duty.done_when is not None:
        return _once(ready, facts)
    return _timed(ready, facts, start) if ready.timed else _open(ready, facts)


def _why(behind: Sequence[str], facts: Facts) -> str:
    return "; ".join(dict.fromkeys([why for name in behind if (why := facts.known(name).why)]))


def _due(
    ready: _Ready,
    state: DueState,
    day: float | None = None,
    *,
    evidence: Sequence[Entry] = (),
    lacking: tuple[str, ...] = (),
    why: str = "",
) -> Due:
    duty = ready.duty
    return new_due(
        duty.name,
        duty.cites,
        state,
        iso_day(day) if day is not None else "",
        iso_day(day + ready.grace) if day is not None and duty.grace else "",
        duty.tell,
        shown(evidence),
        duty.action if state in ("due", "overdue", "unknown") else "",
        lacking,
        duty.uses,
        duty.ours,
        why,
    )


def _once(ready: _Ready, facts: Facts) -> Scheduled:
    """A duty before the start: done, not done, or not to be told."""
    if ready.duty.done_when is None or ready.done is None:
        raise ValueError(ready.duty.name)
    done = ready.done(facts)
    behind = facts.behind(ready.duty.done_when)
    evidence = [entry for name in behind for entry in facts.known(name).evidence]
    state: DueState = "done" if done else "due" if done is False else "unknown"
    lacking = () if done else tuple([facts.title(name) for name in behind if name in facts.chart.label.facts])
    day = None if done else facts.chart.today
    due = _due(ready, state, day, evidence=evidence, lacking=lacking, why=_why(behind, facts))
    return Scheduled(due, () if done else behind)


def _open(ready: _Ready, facts: Facts) -> Scheduled:
    """A duty that is open for as long as its `when` holds, since the day that began."""
    behind = facts.behind(ready.duty.when) if ready.duty.when is not None else ()
    known = [facts.known(name) for name in behind]
    since = max((each.since for each in known if each.since is not None), default=None)
    day = since.low if since is not None and since.exact else facts.chart.today
    return Scheduled(_due(ready, "due", day, evidence=[e for each in known for e in each.evidence]), ())


def _timed(ready: _Ready, facts: Facts, begun: Interval | None) -> Scheduled:
    """A duty with a schedule: fixed days after the start, then an interval after the last time."""
    today = facts.chart.today
    start = exactly(today) if ready.before else begun
    last = _last_done(ready, facts)
    if start is None and last.day is None:
        why = "the day treatment started is not known"
        return Scheduled(_due(ready, "unknown", lacking=last.lacking, why=why), ready.settles)
    if start is not None and start.exact:
        day, repeat = _next(ready, facts, start.low, last)
        state = _state(ready, day, repeat, last, today)
    else:
        days = {_next(ready, facts, first, last) for first in _ends(start, today)}
        states = {_state(ready, day, repeat, last, today) for day, repeat in days}
        if len(states) > 1:
            why = f"the day treatment started is not {'known' if start is None else 'exact enough'}"
            due = _due(ready, "unknown", evidence=last.evidence, lacking=last.lacking, why=why)
            return Scheduled(due, ready.settles)
        day, _ = min(days, key=lambda each: (each[0] is None, each[0] or 0))
        state = states.pop()
    why = "none on record" if state == "unknown" else _timing(ready, start, last)
    lacking = _lacking(ready, last, day) if day is not None and state != "done" else ()
    due = _due(ready, state, day, evidence=last.evidence, lacking=lacking, why=why)
    return Scheduled(due, ready.settles if due.action else ())


def _ends(start: Interval | None, today: int) -> tuple[float, ...]:
    """Return the first and last day on which treatment may have started; any day up to today where it is not known."""
    if start is None:
        return (-inf, float(today))
    return start.low, start.high


def _next(ready: _Ready, facts: Facts, start: float, last: _Last) -> tuple[float | None, bool]:
    """Return the day it is due next, and whether that is a repetition of one already done."""
    day, repeat = None, False
    for offset in ready.at:
        occasion = start + offset
        if last.day is None or last.day < occasion - ready.early:
            day = occasion
            break
    else:
        repeat = last.day is not None
        if ready.duty.every:
            day = (last.day if last.day is not None else start) + _interval(ready, facts)
    again = _again(ready, facts, last.day if last.day is not None else start) if ready.duty.again_after else None
    return (day if again is None or (day is not None and day <= again) else again), repeat


def _lacking(ready: _Ready, last: _Last, day: float) -> tuple[str, ...]:
    """Which parts have no result that counts for the time it is due."""
    return tuple(
        [
            group[0]
            for group, entry in zip(ready.duty.needs, last.newest, strict=True)
            if entry is None or _day(entry) < day - ready.early
        ]
    )


def _interval(ready: _Ready, facts: Facts) -> float:
    """The interval of this patient: the shorter one also where it can't be told whether it applies."""
    if not ready.every_if:
        return ready.every
    return min([ready.every, *(days for fact, days in ready.every_if.items() if facts[fact] is not False)])


def _again(ready: _Ready, facts: Facts, since: float) -> float | None:
    """Return the day on which something new since the last time makes it due again."""
    days = [
        begun[0] + ready.again_in
        for name in ready.duty.again_after
        if facts[name] is True and (begun := facts.known(name).since) is not None and begun[0] > since
    ]
    return min(days, default=None)


def _state(ready: _Ready, day: float | None, repeat: bool, last: _Last, today: int) -> DueState:
    if day is None:
        return "done"
    if today < day:
        return "done" if repeat else "upcoming"
    if last.day is None and ready.duty.never == "unknown":
        return "unknown"
    return "due" if today <= day + ready.grace else "overdue"


def _timing(ready: _Ready, start: Interval | None, last: _Last) -> str:
    """Say whether the last one was on time, where the duty says what that is."""
    if not ready.duty.tolerance or start is None or last.day is None or not ready.at:
        return ""
    offset, target = last.day - start.high, ready.at[0]
    if abs(offset - target) <= ready.tolerance:
        return f"done on day {offset:.0f}, on time"
    return f"done on day {offset:.0f}" if offset >= target - ready.early else ""


def _last_done(ready: _Ready, facts: Facts) -> _Last:
    """Return when the duty was last done: a set is as old as its oldest part."""
    chart, needs = facts.chart, ready.duty.needs
    newest = tuple([_newest_of(group, chart) for group in needs])
    lacking = tuple([group[0] for group, entry in zip(needs, newest, strict=True) if entry is None])
    found = tuple([entry for entry in newest if entry is not None])
    day = min(map(_day, found)) if found and not lacking else None
    if found and ready.any_part:
        day, lacking = max(map(_day, found)), ()
    if ready.answered_at and ready.answered_at in chart.record.entries:
        answer = _newest([e for e in chart.past.get(ready.answered_at, ()) if e.result == "yes"])
        if answer is not None and (day is None or _day(answer) >= day):
            return _Last(_day(answer), (answer,), (), newest)
    return _Last(day, found, lacking, newest)


def _newest_of(group: Sequence[str], chart: Chart) -> Entry | None:
    """Return the newest of a group of concepts; mostly the one result of its concept that is surely the newest."""
    if len(group) > 1:
        return _newest(chart.entries(group))
    newest = chart.newest(group[0])
    if newest is not None and newest.start is not None and newest.start.exact and _usable(newest):
        return newest
    return _newest(chart.past.get(group[0], ()))


def _newest(entries: Sequence[Entry]) -> Entry | None:
    """Return the newest entry that shows the thing done, on a certain day and with a usable result."""
    found, newest = None, -inf
    for entry in reversed(entries):  # they come oldest first, so few are looked at; of equal ones the first counts
        day = entry.start
        if day is not None and day.low >= newest and day.exact and _usable(entry):
            found, newest = entry, day.low
    return found


def _usable(entry: Entry) -> bool:
    return (
        entry.certainty == "certain"
        and entry.status not in ("preliminary", "unknown", "planned")
        and (entry.kind != "result" or entry.value is not None or bool(entry.result))
    )


def _day(entry: Entry) -> float:
    return entry.start[0] if entry.start is not None else -inf
