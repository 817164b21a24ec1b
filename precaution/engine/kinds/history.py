"""Facts that are true or false: what the record holds at any time, now, repeatedly or for later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.engine.chart import Known, absence, day_of, latest_day, latest_of, not_before, since_start
from precaution.values.interval import EVERYTHING, Interval
from precaution.values.logic import conjunction, disjunction, negation
from precaution.values.record import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from precaution.engine.chart import Chart, Look, Setting
    from precaution.knowledge.computed_facts import Dose
    from precaution.knowledge.fact_kinds import Active, Ever, Planned, Repeated
    from precaution.values.logic import Truth
    from precaution.values.record import Entry, Kind

    Counts = Callable[[Entry, Chart], Truth]

_APART = ("medication", "immunization")


def ever(fact: Ever, setting: Setting) -> Look:
    """Return how to find whether any entry counts; entries that may count leave it unknown."""
    in_time = _in_time(fact, setting.window(fact.within))
    certain = _certain(suspected=fact.suspected_counts or setting.suspected_is_yes())

    def counts(entry: Entry, chart: Chart) -> Truth:
        return certain(entry) if in_time is None else conjunction((certain(entry), in_time(entry, chart)))

    return _judged(fact.ever, fact, counts, in_time)


def active(fact: Active, setting: Setting) -> Look:
    """Return how to find whether a condition is present, or a drug taken, on the day."""
    taken, present = drug_taken(fact, setting), _present(fact, setting)
    in_time, lasted = _in_time(fact, setting.window(fact.stale)), _lasted(setting.window(fact.longer_than))
    certain = _certain(suspected=fact.suspected_counts or setting.suspected_is_yes())

    def counts(entry: Entry, chart: Chart) -> Truth:
        state = (taken if entry.kind == "medication" else present)(entry, chart)
        if state is False:
            return False
        within = True if in_time is None else in_time(entry, chart)
        return conjunction((state, within, True if lasted is None else lasted(entry, chart), certain(entry)))

    return _judged(fact.active, fact, counts, counts)


def _judged(concepts: Sequence[str], fact: Ever | Active, counts: Counts, may_count: Counts | None) -> Look:
    """Return how to find the truth of all entries together, with those that decide it as evidence.

    `may_count`: whether a doubt, or what can't be read, is one; all are where it is None.
    """
    nothing, kind, doubted = absence(fact.absent, fact.list), fact.list, fact.doubt
    alone = concepts[0] if len(concepts) == 1 else ""
    unreadable = UNREADABLE.get(fact.list, "")

    def look(chart: Chart) -> Known:
        entries = chart.past.get(alone, ()) if alone else chart.entries(concepts)
        if chart.truths is None:
            judged = [(entry, counts(entry, chart)) for entry in entries if _of_kind(entry, kind)]
        else:
            judged = [(entry, _again(entry, counts, chart)) for entry in entries if _of_kind(entry, kind)]
        yes = [entry for entry, truth in judged if truth]
        unsure = [entry for entry, truth in judged if truth is None]
        considered = len(judged)
        if doubted:
            doubts = _may_count(chart.entries(doubted), chart)
            considered += len(doubts)
            unsure += doubts
        if unreadable in chart.past:
            unsure += _may_count(chart.past[unreadable], chart)
        if yes:
            return Known(True, tuple(yes), "", considered, latest_day(yes + unsure))
        if unsure:
            return Known(None, tuple(unsure), _doubtful(unsure[0]), considered, latest_day(unsure))
        known = nothing(chart)
        known.considered = considered
        return known

    def _may_count(entries: Sequence[Entry], chart: Chart) -> list[Entry]:
        return [entry for entry in entries if may_count is None or may_count(entry, chart) is not False]

    return look


def _again(entry: Entry, counts: Counts, chart: Chart) -> Truth:
    """Return whether an entry counts, as it was found to on an earlier day if nothing has come of it since."""
    if chart.truths is None:
        return counts(entry, chart)
    found = chart.truths.setdefault(id(entry), {})
    if counts not in found:
        found[counts] = counts(entry, chart)
    return found[counts]


def _in_time(fact: Ever | Active, days: float | None) -> Counts | None:
    """Return how to tell whether an entry is of the time that counts; None where any time does."""
    if days is None and not fact.since_start:
        return None
    undated = fact.undated == "yes"

    def in_time(entry: Entry, chart: Chart) -> Truth:
        if undated and day_of(entry) is None:
            return True
        within = True if days is None else not_before(entry, chart.today - days)
        return conjunction((within, since_start(entry, chart.therapy))) if fact.since_start else within

    return in_time


def _certain(*, suspected: bool) -> Callable[[Entry], Truth]:
    """Return how to tell whether an entry says so for sure; None where it only may."""

    def certain(entry: Entry) -> Truth:
        certainty = entry.certainty
        if certainty == "mentioned" or (
            entry.status == "unknown" and entry.kind in ("procedure", "immunization", "medication")
        ):
            return None
        return True if certainty == "certain" or suspected else None

    return certain


def _of_kind(entry: Entry, kind: Kind) -> bool:
    """Leave out plans, and words in an entry of another sort: a vaccine names the disease it prevents."""
    if entry.certainty == "mentioned" and (kind in _APART or entry.kind in _APART):
        return entry.kind == kind
    return entry.status != "planned"


def _doubtful(entry: Entry) -> str:
    if entry.certainty == "mentioned":
        return f"{entry.source} can't be read as a code of ours, but may mean it"
    if entry.certainty == "suspected":
        return f"{entry.source} is not confirmed"
    return f"{entry.source} does not settle it" + (f" ({entry.note})" if entry.note else "")


def _lasted(days: float | None) -> Counts | None:
    """Return how to tell whether an entry began long enough ago; None where the fact does not ask for that."""
    if days is None:
        return None
    return lambda entry, chart: negation(not_before(entry, chart.today - days))


def _present(fact: Active, setting: Setting) -> Counts:
    """Return how to tell whether a condition is present today."""
    recent, believed = setting.window(fact.recent), fact.without_status == "active"

    def present(entry: Entry, chart: Chart) -> Truth:
        ended = _ended(entry, chart.today)
        if entry.status == "ended":
            return None if ended is None else not ended
        if entry.status == "active":
            return None if ended is not False else True
        if ended is not False:
            return False if ended else None
        return True if believed or (recent is not None and not_before(entry, chart.today - recent)) else None

    return present


def _ended(entry: Entry, today: int) -> Truth:
    """Whether it had ended by `today`; an entry marked as ended without a day had."""
    end = entry.end
    if end is None:
        return entry.status == "ended"
    return True if end[1] <= today else False if end[0] > today else None


def drug_taken(fact: Active | Dose, setting: Setting) -> Counts:
    """Return how to tell whether a drug is taken today: an order is believed for a time, a supply until it runs out."""
    recent = setting.window(fact.recent)

    def taken(entry: Entry, chart: Chart) -> Truth:
        today, end = chart.today, entry.end
        if entry.status == "held":
            return False
        if end is not None:
            over = True if end[1] < today else False if end[0] >= today else None
            return None if over is None or (entry.status == "unknown" and not over) else not over
        if entry.status == "ended":
            return False
        fresh = True if recent is None else not_before(entry, today - recent)
        return True if fresh and entry.status == "active" else None

    return taken


def repeated(fact: Repeated, setting: Setting) -> Look:
    """Return how to find whether there were at least so many episodes, each so far from the one before."""
    window, apart, wanted = (setting.number(name) for name in (fact.within, fact.apart, fact.at_least))
    nothing = absence(fact.absent, fact.list)

    def look(chart: Chart) -> Known:
        first = chart.today - window
        entries = [e for e in chart.entries(fact.repeated) if not_before(e, first) is not False]
        sure = [e for e in entries if e.certainty == "certain" and not_before(e, first) and _of_one_day(e)]
        if _episodes(sure, apart) >= wanted:
            return Known(True, tuple(sure), considered=len(entries), since=latest_day(sure))
        unsure = [*(e for e in entries if e not in sure), *chart.unreadable(fact.list)]
        if unsure and _episodes(sure, apart) + len(unsure) >= wanted:
            return Known(None, tuple(unsure), "the days or codes of some episodes are not certain", len(entries))
        known = nothing(chart)
        known.considered = len(entries)
        return known

    return look


def _of_one_day(entry: Entry) -> bool:
    return (day := day_of(entry)) is not None and day.exact


def _episodes(entries: Sequence[Entry], apart: float) -> int:
    count, last = 0, float("-inf")
    for begun in sorted(day.low for entry in entries if (day := day_of(entry)) is not None):
        if begun - last >= apart:
            count, last = count + 1, begun
    return count


def planned(fact: Planned, setting: Setting) -> Look:
    """Return how to find whether something is ordered or planned, for the coming days where the fact says so."""
    ahead = setting.window(fact.ahead)
    certain = _certain(suspected=setting.suspected_is_yes())
    concepts = (*fact.planned, UNREADABLE["order"])

    def look(chart: Chart) -> Known:
        plans = list(_plans(concepts, chart))
        truths = [(e, conjunction((_due(e, chart.today, ahead), certain(e)))) for e in plans]
        truth = disjunction(truth for _, truth in truths)
        if truth is False:
            return absence(fact.absent, _kind(plans))(chart)
        deciding = tuple(e for e, each in truths if each is truth)
        why = "" if truth else "the day it is planned for is not recorded or has passed"
        return Known(truth, deciding, why, len(plans), latest_of(map(_planned_since, deciding)))

    return look


def _planned_since(plan: Entry) -> Interval:
    """Return since when something is planned: from the day it was written down, be it planned for a later one."""
    day = day_of(plan)
    if day is None:
        return EVERYTHING
    return day if plan.recorded is None else Interval(min(day.low, plan.recorded.low), day.high)


def _plans(concepts: Sequence[str], chart: Chart) -> Iterator[Entry]:
    for name in concepts:
        for entry in chart.record.entries.get(name, ()):
            plan = entry.kind == "order" or (entry.kind == "medication" and entry.status in ("planned", "active"))
            if plan and (entry.recorded is None or entry.recorded.low <= chart.today):
                yield entry


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
