"""Facts -> duties: what must be done, whether it was, and the day on which it is due."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, NamedTuple

from precaution.engine.answer import Due
from precaution.engine.evidence import shown
from precaution.knowledge.expression import spoken
from precaution.values.interval import exactly, iso_day
from precaution.values.record import ANSWER, Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precaution.engine.answer import DueState
    from precaution.engine.chart import Chart
    from precaution.engine.facts import Facts
    from precaution.knowledge.expression import Expression
    from precaution.knowledge.model import Duty
    from precaution.values.interval import Interval


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
    """The newest entry of each part."""


def schedule_all(facts: Facts) -> list[Scheduled]:
    """Return the state of each duty of the label that is the patient's, in the label's order, as `schedule` does."""
    every = [schedule(duty, facts) for duty in facts.chart.label.duties.values()]
    return [scheduled for scheduled in every if scheduled is not None]


def schedule(duty: Duty, facts: Facts) -> Scheduled | None:
    """Return the duty's state for a patient; None where it is not theirs."""
    if facts.chart.stage not in duty.stages:
        return None
    if duty.name not in facts.scheduled:
        facts.scheduled[duty.name] = _schedule(duty, facts)
    return facts.scheduled[duty.name]


def _schedule(duty: Duty, facts: Facts) -> Scheduled | None:
    applies = True if duty.when is None else facts.test(duty.when)
    if applies is False:
        return None
    if applies is None and duty.when is not None:
        behind = facts.behind(duty.when)
        return Scheduled(_due(duty, facts, "unknown", why=_why(behind, facts)), behind)
    if duty.done_when is not None:
        return _once(duty, duty.done_when, facts)
    timed = duty.needs or duty.ask or duty.at or duty.every
    return _timed(duty, facts) if timed else _open(duty, facts)


def _days(parameter: str, facts: Facts) -> float:
    """Return the days of a parameter; none where the duty names none."""
    return facts.chart.number(parameter) if parameter else 0.0


def _why(behind: Sequence[str], facts: Facts) -> str:
    return "; ".join(dict.fromkeys([why for name in behind if (why := facts.known(name).why)]))


def _due(
    duty: Duty,
    facts: Facts,
    state: DueState,
    day: float | None = None,
    *,
    evidence: Sequence[Entry] = (),
    lacking: tuple[str, ...] = (),
    why: str = "",
) -> Due:
    return Due(
        duty.name,
        duty.cites,
        state,
        iso_day(day) if day is not None else "",
        iso_day(day + _days(duty.grace, facts)) if day is not None and duty.grace else "",
        duty.tell,
        shown(evidence),
        duty.action if state in ("due", "overdue", "unknown") else "",
        lacking,
        duty.uses,
        duty.ours,
        why,
    )


def _once(duty: Duty, done_when: Expression, facts: Facts) -> Scheduled:
    """A duty before the start: done, not done, or not to be told."""
    done, behind = facts.test(done_when), facts.behind(done_when)
    evidence = [entry for name in behind for entry in facts.known(name).evidence]
    state: DueState = "done" if done else "due" if done is False else "unknown"
    lacking = () if done else _unsettled(behind, facts)
    day = None if done else facts.chart.today
    due = _due(duty, facts, state, day, evidence=evidence, lacking=lacking, why=_why(behind, facts))
    return Scheduled(due, () if done else behind)


def _unsettled(behind: Sequence[str], facts: Facts) -> tuple[str, ...]:
    """Return the titles of the facts that are lacking: those without a value, or all where each has one."""
    known = [name for name in behind if name in facts.chart.label.facts]
    return tuple([facts.title(name) for name in [name for name in known if facts[name] is None] or known])


def _open(duty: Duty, facts: Facts) -> Scheduled:
    """A duty that is open for as long as its `when` holds, since the day that began."""
    behind = facts.behind(duty.when) if duty.when is not None else ()
    known = [facts.known(name) for name in behind]
    since = max((each.since for each in known if each.since is not None), default=None)
    day = since.low if since is not None and since.exact else facts.chart.today
    return Scheduled(_due(duty, facts, "due", day, evidence=[e for each in known for e in each.evidence]), ())


def _timed(duty: Duty, facts: Facts) -> Scheduled:
    """A duty with a schedule: fixed days after the start, then an interval after the last time."""
    today = facts.chart.today
    start = exactly(today) if facts.chart.stage == "before-start" else facts.chart.therapy.start
    last, settles = _last_done(duty, facts), (spoken(duty.ask),) if duty.ask else ()
    if start is None and last.day is None:
        why = "the day treatment started is not known"
        return Scheduled(_due(duty, facts, "unknown", lacking=last.lacking, why=why), settles)
    if start is not None and start.exact:
        day, repeat = _next(duty, facts, start.low, last)
        state = _state(duty, facts, day, repeat, last)
    else:
        days = {_next(duty, facts, first, last) for first in _ends(start, today)}
        states = {_state(duty, facts, day, repeat, last) for day, repeat in days}
        if len(states) > 1:
            why = f"the day treatment started is not {'known' if start is None else 'exact enough'}"
            due = _due(duty, facts, "unknown", evidence=last.evidence, lacking=last.lacking, why=why)
            return Scheduled(due, settles)
        day, _ = min(days, key=lambda each: (each[0] is None, each[0] or 0))
        state = states.pop()
    why = "none on record" if state == "unknown" else _timing(duty, facts, start, last)
    lacking = _lacking(duty, facts, last, day) if day is not None and state != "done" else ()
    due = _due(duty, facts, state, day, evidence=last.evidence, lacking=lacking, why=why)
    return Scheduled(due, settles if due.action else ())


def _ends(start: Interval | None, today: int) -> tuple[float, ...]:
    """Return the first and last day on which treatment may have started; any day up to today where it is not known."""
    if start is None:
        return (-inf, float(today))
    return start.low, start.high


def _next(duty: Duty, facts: Facts, start: float, last: _Last) -> tuple[float | None, bool]:
    """Return the day it is due next, and whether that is a repetition of one already done."""
    day, repeat = None, False
    for offset in duty.at:
        occasion = start + _days(offset, facts)
        if last.day is None or last.day < occasion - _days(duty.early, facts):
            day = occasion
            break
    else:
        repeat = last.day is not None
        if duty.every:
            day = (last.day if last.day is not None else start) + _interval(duty, facts)
    again = _again(duty, facts, last.day if last.day is not None else start) if duty.again_after else None
    return (day if again is None or (day is not None and day <= again) else again), repeat


def _lacking(duty: Duty, facts: Facts, last: _Last, day: float) -> tuple[str, ...]:
    """Which parts have no result that counts for the time it is due."""
    return tuple(
        [
            group[0]
            for group, entry in zip(duty.needs, last.newest, strict=True)
            if entry is None or _day(entry) < day - _days(duty.early, facts)
        ]
    )


def _interval(duty: Duty, facts: Facts) -> float:
    """The interval of this patient: the shorter one also where it can't be told whether it applies."""
    shorter = [name for fact, name in duty.every_if.items() if facts[fact] is not False]
    return min([_days(name, facts) for name in (duty.every, *shorter)])


def _again(duty: Duty, facts: Facts, since: float) -> float | None:
    """Return the day on which something new since the last time makes it due again."""
    days = [
        begun[0] + _days(duty.again_in, facts)
        for name in duty.again_after
        if facts[name] is True and (begun := facts.known(name).since) is not None and begun[0] > since
    ]
    return min(days, default=None)


def _state(duty: Duty, facts: Facts, day: float | None, repeat: bool, last: _Last) -> DueState:
    if day is None:
        return "done"
    today = facts.chart.today
    if today < day:
        return "done" if repeat else "upcoming"
    if last.day is None and duty.never == "unknown":
        return "unknown"
    return "due" if today <= day + _days(duty.grace, facts) else "overdue"


def _timing(duty: Duty, facts: Facts, start: Interval | None, last: _Last) -> str:
    """Say whether the last one was on time, where the duty says what that is."""
    if not duty.tolerance or start is None or last.day is None or not duty.at:
        return ""
    offset, target = last.day - start.high, _days(duty.at[0], facts)
    if abs(offset - target) <= _days(duty.tolerance, facts):
        return f"done on day {offset:.0f}, on time"
    return f"done on day {offset:.0f}" if offset >= target - _days(duty.early, facts) else ""


def _last_done(duty: Duty, facts: Facts) -> _Last:
    """Return when the duty was last done: a set is as old as its oldest part."""
    chart, needs = facts.chart, duty.needs
    newest = tuple([_newest_of(group, chart) for group in needs])
    lacking = tuple([group[0] for group, entry in zip(needs, newest, strict=True) if entry is None])
    found = tuple([entry for entry in newest if entry is not None])
    day = min(map(_day, found)) if found and not lacking else None
    if found and duty.needs_all and chart.label.parameters[duty.needs_all].value == "any":
        day, lacking = max(map(_day, found)), ()
    yes = [entry for entry in chart.past.get(ANSWER + duty.ask, ()) if entry.result == "yes"] if duty.ask else []
    answer = _newest(yes)
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
