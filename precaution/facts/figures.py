"""Facts that are numbers measured on a day: the latest result, or the worst since the start.

Of several results on one day the worst counts. A result whose day is uncertain may or may not be the
latest: the value is then the hull of what it may be. A preliminary result can only make the value worse.
A result that can't be used (no unit, implausible) stands for any value, so that it hides nothing.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from precaution.facts.known import Known, by_days, latest_day, may_be_newest
from precaution.interval import EVERYTHING, Interval, hull, larger, smaller

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precaution.fact_kinds import Extreme, Latest
    from precaution.facts.known import Chart
    from precaution.record import Entry, Status

DIGITS = 9
"""Decimals kept after arithmetic, so that 2.5 × 40 % is exactly 1."""


def latest(fact: Latest, chart: Chart) -> Known:
    """Return the latest result within the fact's window."""
    entries = _with_derived(chart.entries(fact.latest), fact.derived, chart)
    if fact.times_upper_limit:
        site = chart.number(fact.upper_limit) if fact.upper_limit else 0.0
        entries = [_as_ratio(entry, site) for entry in entries]
    limit = fact.within.get(chart.stage)
    days = chart.number(limit) if limit else None
    recent = [entry for entry in entries if days is None or _may_reach(entry, chart.today - days)]
    if not recent:
        return Known(None, why=_nothing(entries, days))
    worse = _worse(fact.worst, chart)
    wanted = int(chart.number(fact.last)) if fact.last else 1
    known = _worst_of_days(recent, wanted, worse) if wanted > 1 else _newest(recent, worse)
    known.considered = len(recent)
    if days is None:
        return known
    reaching = {entry.status for entry in known.evidence if _surely_reaches(entry, chart.today - days)}
    if not reaching:
        return Known(None, known.evidence, f"not known to be of the last {days:.0f} days", len(recent), known.since)
    if reaching == {"preliminary"}:  # a settled result that may be too old reassures no more than none
        known = _newest([entry for entry in recent if entry.status == "preliminary"], worse)
        known.considered = len(recent)
    return known


def extreme(fact: Extreme, chart: Chart) -> Known:
    """Return the lowest or highest result since the start of treatment (of all, where the start is not known)."""
    entries = _with_derived(chart.entries(fact.extreme), fact.derived, chart)
    start = chart.therapy.start
    entries = [entry for entry in entries if start is None or _may_reach(entry, start.low)]
    if not entries:
        return Known(None, why="no result since the start")
    worse = smaller if fact.worst == "low" else larger
    value = reduce(worse, (_value(entry) for entry in entries))
    decisive = tuple(
        e
        for e in entries
        if e.value is None or (e.value.low == value.low if fact.worst == "low" else e.value.high == value.high)
    )
    if value == EVERYTHING:
        return Known(None, decisive, _reason(decisive), len(entries), latest_day(decisive))
    return Known(value, decisive, considered=len(entries), since=latest_day(decisive))


def _worse(worst: str, chart: Chart) -> Callable[[Interval, Interval], Interval]:
    """What several results of one day come to: the worst of them, or by a site's policy what any of them may be."""
    if chart.label.parameters[chart.label.records.same_day].value == "unknown":
        return hull
    return smaller if worst == "low" else larger


def _newest(entries: Sequence[Entry], worse: Callable[[Interval, Interval], Interval]) -> Known:
    contenders, hints = may_be_newest(entries)
    value = _contended(contenders, worse) if contenders else EVERYTHING
    for hint in hints:
        value = worse(value, _value(hint))
    evidence = tuple(_noted(contenders) + hints)
    if value == EVERYTHING:
        return Known(None, evidence, _reason(evidence), since=latest_day(evidence))
    return Known(value, evidence, since=latest_day(evidence))


def _contended(entries: Sequence[Entry], worse: Callable[[Interval, Interval], Interval]) -> Interval:
    """The worst of each day, and the hull over days of which each may be the latest."""
    value: Interval | None = None
    for group in by_days(entries):
        of_day = reduce(worse, (_value(entry) for entry in group))
        value = of_day if value is None else hull(value, of_day)
    return EVERYTHING if value is None else value


def _worst_of_days(entries: Sequence[Entry], wanted: int, worse: Callable[[Interval, Interval], Interval]) -> Known:
    """The worst of the last `wanted` days with a result, and of what may be as late: it can only make it worse."""
    settled = [e for e in entries if e.status != "preliminary" and e.start is not None]
    days = by_days(settled)[-wanted:]
    if len(days) < wanted:
        return Known(None, tuple(settled), f"only {len(days)} of the {wanted} results needed")
    first = days[0][0].start
    loose = [
        entry
        for entry in entries
        if (entry.status == "preliminary" or entry.start is None)
        and (entry.start is None or first is None or entry.start.high >= first.low)
    ]
    value = reduce(worse, [*(_contended(day, worse) for day in days), *map(_value, loose)])
    evidence = (*(entry for day in days for entry in day), *loose)
    since = latest_day(evidence)
    return (
        Known(None, evidence, _reason(evidence), since=since)
        if value == EVERYTHING
        else Known(value, evidence, since=since)
    )


def _with_derived(entries: list[Entry], derived: Sequence[str], chart: Chart) -> list[Entry]:
    """Add a count made of another count and a percentage for each day that has no direct result."""
    if not derived:
        return entries
    whole, part = ([e for e in chart.entries((name,)) if e.start is not None and e.start.exact] for name in derived)
    if not whole or not part:
        return entries
    direct = {entry.start for entry in entries if entry.status != "preliminary"}
    made = [
        _product(count, percent)
        for count in whole
        for percent in part
        if count.start == percent.start and count.start not in direct
    ]
    return [*entries, *made]


def _product(count: Entry, percent: Entry) -> Entry:
    value = None
    if count.value is not None and percent.value is not None:
        low, high = (
            max(_times(getattr(count.value, end), getattr(percent.value, end)) / 100, 0.0) for end in ("low", "high")
        )
        value = Interval(
            round(low, DIGITS),
            round(high, DIGITS),
            count.value.low_open or percent.value.low_open,
            count.value.high_open or percent.value.high_open,
        )
    status: Status = "preliminary" if "preliminary" in (count.status, percent.status) else "final"
    return count._replace(
        source=f"{count.source} and {percent.source}",
        value=value,
        status=status,
        upper=None,
        says=f"{count.says} × {percent.says}",
        note="derived from a count and a percentage",
    )


def _times(count: float, percent: float) -> float:
    """Their product, where an end that is not known times nothing is nothing."""
    return count * percent if count and percent else 0.0


def _as_ratio(entry: Entry, site: float) -> Entry:
    upper = entry.upper if entry.upper is not None else site
    if entry.value is None:
        return entry
    if upper <= 0:
        return entry._replace(value=None, note="no upper reference limit")
    value = entry.value
    ratio = Interval(
        round(value.low / upper, DIGITS), round(value.high / upper, DIGITS), value.low_open, value.high_open
    )
    return entry._replace(value=ratio, note=entry.note or f"upper limit {upper:g}")


def _noted(entries: list[Entry]) -> list[Entry]:
    """Say where results of one day differ: the reader of the answer must see that one of them was chosen."""
    if len(entries) < 2 or len({entry.value for entry in entries}) < 2:
        return entries
    note = "several results may be the latest; the worst of a day counts"
    return [entry._replace(note=f"{entry.note}; {note}" if entry.note else note) for entry in entries]


def _value(entry: Entry) -> Interval:
    return entry.value if entry.value is not None else EVERYTHING


def _may_reach(entry: Entry, day: float) -> bool:
    return entry.start is None or entry.start.high >= day


def _surely_reaches(entry: Entry, day: float) -> bool:
    return entry.start is not None and entry.start.low >= day


def _reason(entries: Sequence[Entry]) -> str:
    return next((entry.note for entry in entries if entry.note), "no usable value")


def _nothing(entries: Sequence[Entry], days: float | None) -> str:
    if days is None or not entries:
        return "no result on record" if days is None else f"no result in the last {days:.0f} days (none on record)"
    return f"no result in the last {days:.0f} days"
