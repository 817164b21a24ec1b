"""Facts that are words: what a test showed, and statuses such as smoking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.facts.known import Known, by_days, day_of, latest_day, may_be_newest
from precaution.interval import EVERYTHING, at_least, exactly, greater

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precaution.fact_kinds import Tested, Worded
    from precaution.facts.known import Chart
    from precaution.interval import Interval
    from precaution.record import Entry


def tested(fact: Tested, chart: Chart) -> Known:
    """Return "positive" or "negative": what the latest result showed.

    A preliminary positive counts, a preliminary negative does not reassure. A test known only to have been
    done, or a result that can't be read, is unknown and counts as on record.
    """
    limit = fact.within.get(chart.stage)
    since = chart.today - chart.number(limit) if limit else None
    results = _recent(chart.entries(fact.test), since)
    performed = _recent(chart.entries(fact.performed), since)
    if not results:
        if performed:
            return Known(None, tuple(performed), "done, but the result is not on record", len(performed))
        within = f" in the last {chart.number(limit):.0f} days" if limit else " on record"
        return Known(None, why=f"no result{within}")
    known = _newest(results, fact, chart)
    known.considered = len(results) + len(performed)
    counting = [e for e in known.evidence if e.status != "preliminary" or known.value == "positive"]
    if since is not None and known.value is not None and not any(_reaches(e, since) for e in counting):
        return Known(None, known.evidence, "not known to be recent enough", known.considered, known.since)
    return known


def _newest(results: Sequence[Entry], fact: Tested, chart: Chart) -> Known:
    contenders, hints = may_be_newest(results)
    words = {_of_day(group, fact, chart) for group in by_days(contenders)}
    evidence = tuple(contenders + hints)
    since = latest_day(evidence)
    hinted = {_word(entry, fact, chart) for entry in hints}
    if words == {"positive"} or "positive" in hinted:
        return Known("positive", evidence, since=since)
    if words == {"negative"} and hinted <= {"negative"}:
        return Known("negative", evidence, since=since)
    return Known(None, evidence, _reason(evidence, words), since=since)


def _of_day(entries: Sequence[Entry], fact: Tested, chart: Chart) -> str:
    """The worst of one day. A bare figure beside a readable result is part of it, not a result of its own."""
    words = [_word(entry, fact, chart) for entry in entries]
    readable = any(word for word in words)
    words = [
        w for w, e in zip(words, entries, strict=True) if w or not (readable and e.value is not None and not e.result)
    ]
    return "positive" if "positive" in words else "negative" if set(words) == {"negative"} else ""


def _word(entry: Entry, fact: Tested, chart: Chart) -> str:
    """Return "positive", "negative", or an empty string where the entry does not tell."""
    if entry.certainty != "certain" or entry.result == "indeterminate":
        return ""
    figure = _figure(entry.value, fact, chart) if entry.value is not None else ""
    if entry.result and figure and figure != entry.result and fact.positive_above:
        return ""  # a quantity of what "was not found": one of the two is wrong
    return entry.result or figure


def _figure(value: Interval, fact: Tested, chart: Chart) -> str:
    if fact.positive_from:
        truth = at_least(value, exactly(chart.number(fact.positive_from)))
    elif fact.positive_above:
        truth = greater(value, exactly(chart.number(fact.positive_above)))
    else:
        return ""
    return "" if truth is None else "positive" if truth else "negative"


def _reason(evidence: Sequence[Entry], words: set[str]) -> str:
    if len(words - {""}) > 1:
        return "results that contradict each other may each be the latest"
    if evidence and all(entry.status == "preliminary" for entry in evidence):
        return "the only result is preliminary"
    noted = next((entry.note for entry in evidence if entry.note), "")
    return noted or "the result can't be read as positive or negative"


def worded(fact: Worded, chart: Chart) -> Known:
    """Return the word of the latest entry; None where entries of one day disagree."""
    entries = [entry for entry in chart.entries((*fact.latest_of, *fact.questions)) if entry.status != "ended"]
    if not entries:
        return Known(None, why="none on record")
    newest = max((day.low for entry in entries if (day := day_of(entry)) is not None), default=None)
    latest = [e for e in entries if newest is None or (day := day_of(e)) is None or day.high >= newest]
    words = {_status_word(entry, fact) for entry in latest}
    evidence, since = tuple(latest), _since(entries, fact)
    if len(words) != 1 or words == {""}:
        why = "the latest entry can't be read" if words == {""} else "entries of the same day disagree"
        return Known(None, evidence, why, len(entries), since)
    word = words.pop()
    limit = fact.within.get(word)
    if limit and not any(_reaches(entry, chart.today - chart.number(limit)) for entry in latest):
        why = f"'{word}' was recorded more than {chart.number(limit):.0f} days ago"
        return Known(None, evidence, why, len(entries), since)
    return Known(word, evidence, considered=len(entries), since=since)


def _status_word(entry: Entry, fact: Worded) -> str:
    if entry.certainty != "certain" or entry.status == "preliminary":
        return ""
    word = fact.latest_of.get(entry.concept, "")
    return "" if word == "unknown" else word


def _since(entries: Sequence[Entry], fact: Worded) -> Interval | None:
    """Return the first day of the run of equal words that the latest entry ends; any, where one has no day."""
    if any(day_of(entry) is None for entry in entries):
        return EVERYTHING
    dated = sorted(
        ((day, _status_word(entry, fact)) for entry in entries if (day := day_of(entry)) is not None), reverse=True
    )
    since = None
    for day, word in dated:
        if word != dated[0][1]:
            break
        since = day
    return since


def _recent(entries: Sequence[Entry], since: float | None) -> list[Entry]:
    return [e for e in entries if since is None or (day := day_of(e)) is None or day.high >= since]


def _reaches(entry: Entry, day: float) -> bool:
    begun = day_of(entry)
    return begun is not None and begun.low >= day
