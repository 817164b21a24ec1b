"""Facts that are true or false: what the record holds at any time, now, repeatedly or for later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.facts.known import Known, day_of, latest_day, not_before, since_start
from precaution.logic import conjunction, disjunction, negation
from precaution.record import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precaution.fact_kinds import Active, Ever, Planned, Repeated
    from precaution.facts.known import Chart
    from precaution.logic import Truth
    from precaution.record import Entry, Kind


_APART = ("medication", "immunization")


def ever(fact: Ever, chart: Chart) -> Known:
    """Return whether any entry counts; entries that may count leave it unknown."""
    window = chart.today - chart.number(fact.within) if fact.within else None
    sure = [
        (
            entry,
            conjunction(
                (_certain(entry, chart, suspected=fact.suspected_counts), _in_time(entry, fact, chart, window))
            ),
        )
        for entry in chart.entries(fact.ever)
        if _of_kind(entry, fact)
    ]
    return _judged(
        sure,
        [e for e in chart.entries(fact.doubt) if _in_time(e, fact, chart, window) is not False],
        fact,
        chart,
        [e for e in chart.unreadable(fact.list) if _in_time(e, fact, chart, window) is not False],
    )


def _in_time(entry: Entry, fact: Ever | Active, chart: Chart, window: float | None) -> Truth:
    within = True if window is None else not_before(entry, window)
    since = since_start(entry, chart.therapy) if fact.since_start else True
    undated = fact.undated == "yes" and day_of(entry) is None
    return True if undated else conjunction((within, since))


def _certain(entry: Entry, chart: Chart, *, suspected: bool) -> Truth:
    """Whether the entry says so for sure; None where it only may."""
    if entry.certainty == "mentioned" or (
        entry.kind in ("procedure", "immunization", "medication") and entry.status == "unknown"
    ):
        return None
    if entry.certainty == "suspected":
        return True if suspected or chart.suspected_is_yes() else None
    return True


def _of_kind(entry: Entry, fact: Ever | Active) -> bool:
    """Leave out plans, and words in an entry of another sort: a vaccine names the disease it prevents."""
    if entry.certainty == "mentioned" and (fact.list in _APART or entry.kind in _APART):
        return entry.kind == fact.list
    return entry.status != "planned"


def _judged(
    judged: Sequence[tuple[Entry, Truth]],
    doubts: Sequence[Entry],
    fact: Ever | Active,
    chart: Chart,
    unreadable: Sequence[Entry],
) -> Known:
    """Return the truth of all entries together, with those that decide it as evidence."""
    yes = tuple(entry for entry, truth in judged if truth)
    unsure = tuple(entry for entry, truth in judged if truth is None) + tuple(doubts) + tuple(unreadable)
    considered = len(judged) + len(doubts)
    if yes:
        return Known(True, yes, considered=considered, since=latest_day(yes + unsure))
    if unsure:
        return Known(None, unsure, _doubtful(unsure[0]), considered, latest_day(unsure))
    known = chart.absent(fact.absent, fact.list)
    known.considered = considered
    return known


def _doubtful(entry: Entry) -> str:
    if entry.certainty == "mentioned":
        return f"{entry.source} can't be read as a code of ours, but may mean it"
    if entry.certainty == "suspected":
        return f"{entry.source} is not confirmed"
    return f"{entry.source} does not settle it" + (f" ({entry.note})" if entry.note else "")


def active(fact: Active, chart: Chart) -> Known:
    """Return whether a condition is present, or a drug taken, on the day."""
    judged = [
        (entry, _active_entry(entry, fact, chart)) for entry in chart.entries(fact.active) if _of_kind(entry, fact)
    ]
    doubts = [entry for entry in chart.entries(fact.doubt) if _active_entry(entry, fact, chart) is not False]
    unreadable = [entry for entry in chart.unreadable(fact.list) if _active_entry(entry, fact, chart) is not False]
    return _judged(judged, doubts, fact, chart, unreadable)


def _active_entry(entry: Entry, fact: Active, chart: Chart) -> Truth:
    state = _drug_taken(entry, fact, chart) if entry.kind == "medication" else _present(entry, fact, chart)
    if state is False:
        return False
    window = chart.today - chart.number(fact.stale) if fact.stale else None
    return conjunction(
        (
            state,
            _in_time(entry, fact, chart, window),
            _lasted(entry, fact, chart),
            _certain(entry, chart, suspected=fact.suspected_counts),
        )
    )


def _lasted(entry: Entry, fact: Active, chart: Chart) -> Truth:
    """Whether an entry began long enough ago, where the fact asks for that."""
    if not fact.longer_than:
        return True
    return negation(not_before(entry, chart.today - chart.number(fact.longer_than)))


def _present(entry: Entry, fact: Active, chart: Chart) -> Truth:
    """Whether a condition is present today."""
    ended = _ended(entry, chart.today)
    if entry.status == "ended":
        return None if ended is None else not ended
    if entry.status == "active":
        return None if ended is not False else True
    if ended is not False:
        return False if ended else None
    recent = not_before(entry, chart.today - chart.number(fact.recent)) if fact.recent else None
    return True if recent or fact.without_status == "active" else None


def _ended(entry: Entry, today: int) -> Truth:
    """Whether it had ended by `today`; an entry marked as ended without a day had."""
    if entry.end is None:
        return entry.status == "ended"
    return True if entry.end.high <= today else False if entry.end.low > today else None


def _drug_taken(entry: Entry, fact: Active, chart: Chart) -> Truth:
    """Whether a drug is taken today: an open order is believed for a time, a supply until it runs out."""
    today = chart.today
    if entry.status == "held":
        return False
    if entry.end is not None:
        over = True if entry.end.high < today else False if entry.end.low >= today else None
        return None if over is None or (entry.status == "unknown" and not over) else not over
    if entry.status == "ended":
        return False
    fresh = not_before(entry, today - chart.number(fact.recent)) if fact.recent else True
    return True if fresh and entry.status == "active" else None


def repeated(fact: Repeated, chart: Chart) -> Known:
    """Return whether there were at least so many episodes, each so far from the one before."""
    window, apart, wanted = (chart.number(name) for name in (fact.within, fact.apart, fact.at_least))
    entries = [e for e in chart.entries(fact.repeated) if not_before(e, chart.today - window) is not False]
    sure = [
        e
        for e in entries
        if e.certainty == "certain"
        and not_before(e, chart.today - window)
        and (day := day_of(e)) is not None
        and day.exact
    ]
    if _episodes(sure, apart) >= wanted:
        return Known(True, tuple(sure), considered=len(entries), since=latest_day(sure))
    unsure = [*(e for e in entries if e not in sure), *chart.unreadable(fact.list)]
    if unsure and _episodes(sure, apart) + len(unsure) >= wanted:
        return Known(None, tuple(unsure), "the days or codes of some episodes are not certain", len(entries))
    known = chart.absent(fact.absent, fact.list)
    known.considered = len(entries)
    return known


def _episodes(entries: Sequence[Entry], apart: float) -> int:
    count, last = 0, float("-inf")
    for begun in sorted(day.low for entry in entries if (day := day_of(entry)) is not None):
        if begun - last >= apart:
            count, last = count + 1, begun
    return count


def planned(fact: Planned, chart: Chart) -> Known:
    """Return whether something is ordered or planned, for the coming days where the fact says so."""
    plans = [
        e
        for name in (*fact.planned, UNREADABLE["order"])
        for e in chart.record.entries.get(name, ())
        if (e.kind == "order" or (e.kind == "medication" and e.status in ("planned", "active")))
        and (e.recorded is None or e.recorded.low <= chart.today)
    ]
    ahead = chart.number(fact.ahead) if fact.ahead else None
    truths = [(e, conjunction((_due(e, chart.today, ahead), _certain(e, chart, suspected=False)))) for e in plans]
    truth = disjunction(truth for _, truth in truths)
    if truth is False:
        return chart.absent(fact.absent, _kind(plans))
    deciding = tuple(e for e, each in truths if each is truth)
    return Known(
        truth,
        deciding,
        "" if truth else "the day it is planned for is not recorded or has passed",
        len(plans),
        latest_day(deciding),
    )


def _kind(plans: Sequence[Entry]) -> Kind:
    return plans[0].kind if plans else "order"


def _due(entry: Entry, today: int, ahead: float | None) -> Truth:
    """Whether a plan is for now: without a limit an undated one is, with one it can't be told."""
    if entry.start is None:
        return True if ahead is None else None
    if entry.start.high < today:
        return None if today - entry.start.high <= (ahead if ahead is not None else 365) else False
    if ahead is None or entry.start.high <= today + ahead:
        return True
    return False if entry.start.low > today + ahead else None
