"""Facts -> duties: what must be done, whether it was, and the day on which it is due."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, NamedTuple

from precaution.answer import Due
from precaution.evidence import shown
from precaution.expression import compiled, names, spoken
from precaution.facts import ANSWER
from precaution.interval import exactly, show_day

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from precaution.answer import DueState
    from precaution.definitions import Duty
    from precaution.facts import Facts
    from precaution.interval import Interval
    from precaution.record import Entry


class Scheduled(NamedTuple):
    """A duty for one patient, and the facts and asks that would settle it."""

    due: Due
    behind: tuple[str, ...]


class _Last(NamedTuple):
    """When a set of things was last complete, what shows it, and which parts are not there."""

    day: float | None
    evidence: tuple[Entry, ...]
    lacking: tuple[str, ...]


def schedule(duty: Duty, facts: Facts) -> Scheduled | None:
    """Return the duty's state for a patient; None where it is not theirs."""
    if facts.chart.stage not in duty.stages:
        return None
    concepts = (concept for group in duty.needs for concept in group)
    return facts.same_for_all(
        f"duty {duty.name}",
        _names(duty),
        lambda: _schedule(duty, facts),
        concepts=concepts,
        also=facts.chart.therapy.start,
    )


def _names(duty: Duty) -> Iterator[str]:
    """Every fact and ask that a duty depends on."""
    for expression in (duty.when, duty.done_when):
        if expression is not None:
            yield from names(expression)
    yield from duty.again_after
    yield from duty.every_if
    if duty.ask:
        yield spoken(duty.ask)


def _schedule(duty: Duty, facts: Facts) -> Scheduled | None:
    applies = compiled(duty.when)(facts) if duty.when is not None else True
    if applies is False:
        return None
    if applies is None and duty.when is not None:
        behind = facts.behind(duty.when)
        return Scheduled(_due(duty, "unknown", why=_why(behind, facts)), behind)
    if duty.done_when is not None:
        return _once(duty, facts)
    if not (duty.needs or duty.ask or duty.at or duty.every):
        return _open(duty, facts)
    return _timed(duty, facts)


def _why(behind: Sequence[str], facts: Facts) -> str:
    return "; ".join(dict.fromkeys(why for name in behind if (why := facts.known(name).why)))


def _due(
    duty: Duty,
    state: DueState,
    day: float | None = None,
    grace: float = 0,
    *,
    evidence: Sequence[Entry] = (),
    lacking: tuple[str, ...] = (),
    why: str = "",
) -> Due:
    due = show_day(exactly(day)) if day is not None else ""
    overdue = show_day(exactly(day + grace)) if day is not None and duty.grace else ""
    action = duty.action if state in ("due", "overdue", "unknown") else ""
    return Due(
        duty.name,
        duty.cites,
        state,
        due,
        overdue,
        duty.tell,
        shown(evidence),
        action,
        lacking,
        duty.uses,
        duty.ours,
        why,
    )


def _once(duty: Duty, facts: Facts) -> Scheduled:
    """A duty before the start: done, not done, or not to be told."""
    if duty.done_when is None:
        raise ValueError(duty.name)
    done = compiled(duty.done_when)(facts)
    behind = facts.behind(duty.done_when)
    evidence = [entry for name in behind for entry in facts.known(name).evidence]
    state: DueState = "done" if done else "due" if done is False else "unknown"
    lacking = () if done else tuple(facts.title(name) for name in behind if name in facts.chart.label.facts)
    day = None if done else float(facts.chart.today)
    why = _why(behind, facts)
    due = _due(duty, state, day, _grace(duty, facts), evidence=evidence, lacking=lacking, why=why)
    return Scheduled(due, () if done else behind)


def _open(duty: Duty, facts: Facts) -> Scheduled:
    """A duty that is open for as long as its `when` holds, since the day that began."""
    behind = facts.behind(duty.when) if duty.when is not None else ()
    known = [facts.known(name) for name in behind]
    since = max((each.since for each in known if each.since is not None), default=None)
    day = since.low if since is not None and since.exact else facts.chart.today
    evidence = [entry for each in known for entry in each.evidence]
    return Scheduled(_due(duty, "due", day, _grace(duty, facts), evidence=evidence), ())


def _timed(duty: Duty, facts: Facts) -> Scheduled:
    """A duty with a schedule: fixed days after the start, then an interval after the last time."""
    chart = facts.chart
    start = exactly(chart.today) if chart.stage == "before-start" else chart.therapy.start
    settles = (spoken(duty.ask),) if duty.ask else ()
    last = _last_done(duty, facts)
    if start is None and last.day is None:
        why = "the day treatment started is not known"
        return Scheduled(_due(duty, "unknown", lacking=last.lacking, why=why), settles)
    days = {_next(duty, facts, begin, last) for begin in _ends(start, chart.today)}
    grace = _grace(duty, facts)
    states = {_state(duty, day, repeat, grace, last, chart.today) for day, repeat in days}
    if len(states) > 1:
        why = f"the day treatment started is not {'known' if start is None else 'exact enough'}"
        return Scheduled(_due(duty, "unknown", evidence=last.evidence, lacking=last.lacking, why=why), settles)
    day, _ = min(days, key=lambda each: (each[0] is None, each[0] or 0))
    state = states.pop()
    why = "none on record" if state == "unknown" else _timing(duty, facts, start, last)
    lacking = _lacking(duty, facts, day) if day is not None and state != "done" else ()
    due = _due(duty, state, day, grace, evidence=last.evidence, lacking=lacking, why=why)
    return Scheduled(due, settles if due.action else ())


def _grace(duty: Duty, facts: Facts) -> float:
    return facts.chart.number(duty.grace) if duty.grace else 0.0


def _ends(start: Interval | None, today: int) -> tuple[float, ...]:
    """Return the first and last day on which treatment may have started; any day up to today where it is not known."""
    if start is None:
        return (-inf, float(today))
    return (start.low,) if start.exact else (start.low, start.high)


def _next(duty: Duty, facts: Facts, start: float, last: _Last) -> tuple[float | None, bool]:
    """Return the day it is due next, and whether that is a repetition of one already done."""
    early = facts.chart.number(duty.early) if duty.early else 0.0
    day, repeat = None, False
    for offset in duty.at:
        occasion = start + facts.chart.number(offset)
        if last.day is None or last.day < occasion - early:
            day = occasion
            break
    else:
        repeat = last.day is not None
        if duty.every:
            day = (last.day if last.day is not None else start) + _interval(duty, facts)
    again = _again(duty, facts, last.day if last.day is not None else start)
    return (day if again is None or (day is not None and day <= again) else again), repeat


def _lacking(duty: Duty, facts: Facts, day: float) -> tuple[str, ...]:
    """Which parts have no result that counts for the time it is due."""
    early = facts.chart.number(duty.early) if duty.early else 0.0
    return tuple(
        group[0]
        for group in duty.needs
        if (entry := _newest(facts.chart.entries(group))) is None or _day(entry) < day - early
    )


def _interval(duty: Duty, facts: Facts) -> float:
    """The interval of this patient: the shorter one also where it can't be told whether it applies."""
    shorter = [facts.chart.number(name) for fact, name in duty.every_if.items() if facts.value(fact) is not False]
    return min([facts.chart.number(duty.every), *shorter])


def _again(duty: Duty, facts: Facts, since: float) -> float | None:
    """Return the day on which something new since the last time makes it due again."""
    wait = facts.chart.number(duty.again_in) if duty.again_in else 0.0
    days = [
        known.since.low + wait
        for name in duty.again_after
        if (known := facts.known(name)).value is True and known.since is not None and known.since.low > since
    ]
    return min(days, default=None)


def _state(duty: Duty, day: float | None, repeat: bool, grace: float, last: _Last, today: int) -> DueState:
    if day is None:
        return "done"
    if today < day:
        return "done" if repeat else "upcoming"
    if last.day is None and duty.never == "unknown":
        return "unknown"
    return "due" if today <= day + grace else "overdue"


def _timing(duty: Duty, facts: Facts, start: Interval | None, last: _Last) -> str:
    """Say whether the last one was on time, where the duty says what that is."""
    if not duty.tolerance or start is None or last.day is None or not duty.at:
        return ""
    offset = last.day - start.high
    target, tolerance = facts.chart.number(duty.at[0]), facts.chart.number(duty.tolerance)
    if abs(offset - target) <= tolerance:
        return f"done on day {offset:.0f}, on time"
    return f"done on day {offset:.0f}" if offset >= target - facts.chart.number(duty.early) else ""


def _last_done(duty: Duty, facts: Facts) -> _Last:
    """Return when the duty was last done: a set is as old as its oldest part."""
    newest = [_newest(facts.chart.entries(group)) for group in duty.needs]
    lacking = tuple(group[0] for group, entry in zip(duty.needs, newest, strict=True) if entry is None)
    found = tuple(entry for entry in newest if entry is not None)
    day = min(_day(entry) for entry in found) if found and not lacking else None
    if found and duty.needs_all and facts.chart.label.parameters[duty.needs_all].value == "any":
        day, lacking = max(_day(entry) for entry in found), ()
    answer = _newest([e for e in facts.chart.entries((ANSWER + duty.ask,)) if e.result == "yes"]) if duty.ask else None
    if answer is not None and (day is None or _day(answer) >= day):
        return _Last(_day(answer), (answer,), ())
    return _Last(day, found, lacking)


def _newest(entries: Sequence[Entry]) -> Entry | None:
    """Return the newest entry that shows the thing done, on a certain day and with a usable result."""
    usable = [
        e
        for e in entries
        if e.certainty == "certain"
        and e.status not in ("preliminary", "unknown", "planned")
        and e.start is not None
        and e.start.exact
        and (e.kind != "result" or e.value is not None or e.result)
    ]
    return max(usable, key=_day, default=None)


def _day(entry: Entry) -> float:
    return entry.start.low if entry.start is not None else float("-inf")
