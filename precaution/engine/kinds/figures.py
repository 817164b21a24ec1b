"""Facts that are numbers measured on a day: the latest result, or the worst since the start.

Of several results on one day the worst counts. A result whose day is uncertain may or may not be the
latest: the value is then the hull of what it may be. A preliminary result can only make the value worse.
A result that can't be used (no unit, implausible) stands for any value, and like a preliminary one takes back no
earlier result.
"""

from __future__ import annotations

from functools import reduce
from math import inf
from typing import TYPE_CHECKING

from precaution.engine.chart import Known, by_days, latest_day, may_be_newest
from precaution.values.interval import EVERYTHING, Interval, hull, larger, show_day, show_number, smaller
from precaution.values.record import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precaution.engine.chart import Chart, Look, Setting
    from precaution.knowledge.fact_kinds import Extreme, Latest
    from precaution.values.record import Status

    Worse = Callable[[Interval, Interval], Interval]
    Compared = Callable[[Entry], Entry]

DIGITS = 9
"""Decimals kept after arithmetic, so that 2.5 × 40 % is exactly 1."""


def latest(fact: Latest, setting: Setting) -> Look:
    """Return how to find the latest result within the fact's window."""
    days = setting.window(fact.within.get(setting.stage, ""))
    ratio = as_ratios(setting.number(fact.upper_limit) if fact.upper_limit else 0.0)
    compared = ratio if fact.times_upper_limit else None
    wanted = int(setting.number(fact.last)) if fact.last else 1

    def results(chart: Chart) -> Sequence[Entry]:
        return _results(fact.latest, fact.derived, chart)

    look = latest_of_results(results, fact.worst, days, setting, compared=compared, wanted=wanted)
    return look if wanted > 1 else _quickly(fact, days, compared, look)


def latest_of_results(
    results: Callable[[Chart], Sequence[Entry]],
    worst: str,
    days: float | None,
    setting: Setting,
    *,
    compared: Compared | None = None,
    wanted: int = 1,
) -> Look:
    """Return how to find the latest of some results, or the worst of the last `wanted`, in a window of `days`."""
    worse = _worse(worst, setting)
    find = _newest if wanted == 1 else _worst_of_days(wanted)

    def look(chart: Chart) -> Known:
        entries = results(chart)
        since = None if days is None else chart.today - days
        recent = entries if since is None else _from(since, entries)
        if not recent:
            return Known(None, why=_nothing(entries, days) + _before(entries, since))
        if compared is not None:
            recent = list(map(compared, recent))
        known = find(recent, worse)
        known.considered = len(recent)
        if days is not None:
            known = _in_window(known, recent, days, chart)
        if known.value is None and all(entry.value is None for entry in recent):
            known.why += _before(entries, since)
        return known

    def _in_window(known: Known, recent: Sequence[Entry], days: float, chart: Chart) -> Known:
        reaching = {is_hint(entry) for entry in known.evidence if _surely_reaches(entry, chart.today - days)}
        if not reaching:
            return Known(None, known.evidence, f"not known to be of the last {days:.0f} days", len(recent), known.since)
        if reaching == {True}:  # a settled result that may be too old reassures no more than none
            known = _newest([entry for entry in recent if is_hint(entry)], worse)
            known.considered = len(recent)
        return known

    return look


def _quickly(fact: Latest, days: float | None, compared: Compared | None, otherwise: Look) -> Look:
    """Return a look that asks `otherwise` only where it is not plain which result counts.

    Nearly always one result is surely the newest, surely in the window, and has a value: then it is what counts.
    """
    (concept, *more), derived = fact.latest, fact.derived

    def look(chart: Chart) -> Known:
        newest = chart.newest(concept)
        if newest is None or (derived and derived[0] in chart.past and derived[1] in chart.past):
            return otherwise(chart)
        day = newest.start
        if day is None or (days is not None and day[0] < chart.today - days):
            return otherwise(chart)
        if compared is not None:
            newest = compared(newest)
        if newest.value is None or newest.value == EVERYTHING:
            return otherwise(chart)
        return Known(newest.value, (newest,), "", len(chart.past[concept]), day)

    return otherwise if more else look


def extreme(fact: Extreme, setting: Setting) -> Look:
    """Return how to find the lowest or highest result since the start of treatment (of all, where it is not known)."""
    worse, end = (smaller, 0) if fact.worst == "low" else (larger, 1)
    ratio = as_ratios(setting.number(fact.upper_limit) if fact.upper_limit else 0.0)

    def look(chart: Chart) -> Known:
        entries = _results(fact.extreme, fact.derived, chart)
        start = chart.therapy.start
        if start is not None:
            entries = _from(start[0], entries)
        if not entries:
            return Known(None, why="no result since the start")
        if fact.times_upper_limit:
            entries = list(map(ratio, entries))
        if start is not None:
            entries = [_as_of(start[0], entry, fact.worst) for entry in entries]
        value = reduce(worse, (value_of(entry) for entry in entries))
        decisive = tuple(e for e in entries if e.value is None or e.value[end] == value[end])
        if value == EVERYTHING:
            return Known(None, decisive, reason(decisive), len(entries), latest_day(decisive))
        return Known(value, decisive, considered=len(entries), since=latest_day(decisive))

    return look


def _worse(worst: str, setting: Setting) -> Worse:
    """What several results of one day come to: the worst of them, or by a site's policy what any of them may be."""
    if setting.any_of_day():
        return hull
    return smaller if worst == "low" else larger


def is_hint(entry: Entry) -> bool:
    """Whether a result takes back no other: a preliminary one, and one that can't be used. It reassures nobody."""
    return entry.status == "preliminary" or entry.value is None


def _newest(entries: Sequence[Entry], worse: Worse) -> Known:
    contenders, hints = may_be_newest(entries, is_hint)
    value = _contended(contenders, worse) if contenders else EVERYTHING
    for hint in hints:
        value = worse(value, value_of(hint))
    evidence = tuple(_noted(contenders) + (list(map(_to_repeat, hints)) if contenders else hints))
    if value == EVERYTHING:
        return Known(None, evidence, reason(evidence), since=latest_day(evidence))
    unusable = [entry for entry in hints if entry.value is None]
    why = reason(list(map(_to_repeat, unusable))) if unusable else ""
    return Known(value, evidence, why, since=latest_day(evidence))


def _contended(entries: Sequence[Entry], worse: Worse) -> Interval:
    """The worst of each day, and the hull over days of which each may be the latest."""
    if len(entries) == 1:
        return value_of(entries[0])
    value: Interval | None = None
    for group in by_days(entries):
        of_day = reduce(worse, (value_of(entry) for entry in group))
        value = of_day if value is None else hull(value, of_day)
    return EVERYTHING if value is None else value


def _worst_of_days(wanted: int) -> Callable[[Sequence[Entry], Worse], Known]:
    """The worst of the last `wanted` days with a result, and of what may be as late: it can only make it worse."""

    def find(entries: Sequence[Entry], worse: Worse) -> Known:
        settled = [e for e in entries if not is_hint(e) and e.start is not None]
        days = by_days(settled)[-wanted:]
        if len(days) < wanted:
            return Known(None, tuple(settled), f"only {len(days)} of the {wanted} results needed")
        loose = _loose(entries, days[0][0].start)
        value = reduce(worse, [*(_contended(day, worse) for day in days), *map(value_of, loose)])
        evidence = (*(entry for day in days for entry in day), *loose)
        since = latest_day(evidence)
        if value == EVERYTHING:
            return Known(None, evidence, reason(evidence), since=since)
        return Known(value, evidence, since=since)

    return find


def _loose(entries: Sequence[Entry], first: Interval | None) -> list[Entry]:
    """Return what is not settled or has no day, and may be as late as `first`."""
    return [
        entry
        for entry in entries
        if (is_hint(entry) or entry.start is None)
        and (entry.start is None or first is None or entry.start.high >= first.low)
    ]


def _results(concepts: Sequence[str], derived: Sequence[str], chart: Chart) -> Sequence[Entry]:
    """Return the results of `concepts`, with a count made of another and a percentage where a day has no direct one."""
    entries = chart.entries(concepts)
    if not derived:
        return entries
    whole, part = (chart.past.get(name, ()) for name in derived)
    return _with_derived(entries, whole, part) if whole and part else entries


def _with_derived(entries: Sequence[Entry], whole: Sequence[Entry], part: Sequence[Entry]) -> Sequence[Entry]:
    direct = {entry.start for entry in entries if not is_hint(entry)}
    made = [
        _product(count, percent)
        for count in whole
        if (day := count.start) is not None and day.exact and day not in direct
        for percent in part
        if percent.start == day
    ]
    return [*entries, *made] if made else entries


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


def as_ratios(site: float) -> Compared:
    """Return how a result is compared with the upper limit of its own reference range, or else with the site's."""

    def as_ratio(entry: Entry) -> Entry:
        upper = entry.upper if entry.upper is not None else site
        if entry.value is None:
            return entry
        if upper <= 0:
            return _valued(entry, None, "no upper reference limit")
        low, high, low_open, high_open = entry.value
        least = round(low / upper, DIGITS)
        most = least if low == high else round(high / upper, DIGITS)
        return _valued(entry, Interval(least, most, low_open, high_open), entry.note or f"upper limit {upper:g}")

    return as_ratio


def _valued(entry: Entry, value: Interval | None, note: str) -> Entry:
    """Return an entry with another value and note; `_replace` takes four times as long."""
    concept, kind, source, start, end, status, certainty, _, upper, result, says, _, recorded = entry
    return Entry(concept, kind, source, start, end, status, certainty, value, upper, result, says, note, recorded)


def _noted(entries: list[Entry]) -> list[Entry]:
    """Say where results of one day differ: the reader of the answer must see that one of them was chosen."""
    if len(entries) < 2 or len({entry.value for entry in entries}) < 2:
        return entries
    note = "several results may be the latest; the worst of a day counts"
    return [entry._replace(note=f"{entry.note}; {note}" if entry.note else note) for entry in entries]


def _to_repeat(entry: Entry) -> Entry:
    """Say of a result that can't be used, beside one that can, that the test is to be repeated."""
    if entry.value is not None:
        return entry
    return entry._replace(note=f"{entry.note}; repeat the test" if entry.note else "no usable value; repeat the test")


def is_settled(entry: Entry) -> bool:
    """Whether a result is more than a preliminary one."""
    return entry.status != "preliminary"


def is_exact(entry: Entry) -> bool:
    """Whether the day of a result is known."""
    return entry.start is not None and entry.start.exact


def value_of(entry: Entry) -> Interval:
    """Return the value of a result; any, where it can't be used."""
    return entry.value if entry.value is not None else EVERYTHING


def _from(day: float, entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that may be of that day or later."""
    return [entry for entry in entries if (begun := entry.start) is None or begun[1] >= day]


def _as_of(day: float, entry: Entry, worst: str) -> Entry:
    """Return a result with what it says of the time from that day on: one of before says nothing of it."""
    value = entry.value
    if value is None or (entry.start is not None and entry.start[0] >= day):
        return entry
    return entry._replace(value=larger(value, EVERYTHING) if worst == "low" else smaller(value, EVERYTHING))


def _surely_reaches(entry: Entry, day: float) -> bool:
    return entry.start is not None and entry.start.low >= day


def reason(entries: Sequence[Entry]) -> str:
    """Return why the value of some results can't be told."""
    return next((entry.note for entry in entries if entry.note), "no usable value")


def _nothing(entries: Sequence[Entry], days: float | None) -> str:
    if days is None or not entries:
        return "no result on record" if days is None else f"no result in the last {days:.0f} days (none on record)"
    return f"no result in the last {days:.0f} days"


def _before(entries: Sequence[Entry], since: float | None) -> str:
    """Return what the last usable result before that day said, with its day: too old to count, and worth knowing."""
    usable = [e for e in entries if e.value is not None and e.start is not None and e.start.high < (since or -inf)]
    if not usable:
        return ""
    last = max(usable, key=_start_of)
    return f"; before that {last.says or show_number(value_of(last))} on {show_day(last.start)}"


def _start_of(entry: Entry) -> Interval:
    return entry.start if entry.start is not None else EVERYTHING
