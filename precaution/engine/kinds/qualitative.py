"""Facts that are words: what a test showed, and statuses such as smoking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.engine.chart import Known, by_days, day_of, latest_day, may_be_newest
from precaution.values.interval import EVERYTHING, at_least, exactly, greater

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precaution.engine.chart import Chart, Look, Setting
    from precaution.knowledge.fact_kinds import Tested, Worded
    from precaution.values.interval import Interval
    from precaution.values.record import Entry

    Word = Callable[[Entry], str]


def tested(fact: Tested, setting: Setting) -> Look:
    """Return how to find what the latest result showed: "positive" or "negative".

    A preliminary positive counts, a preliminary negative does not reassure. A test known only to have been
    done, or a result that can't be read, is unknown and counts as on record. One that says nothing takes back no
    positive one before it, unless positive is the better of the two.
    """
    days = setting.window(fact.within.get(setting.stage, ""))
    within = " on record" if days is None else f" in the last {days:.0f} days"
    word = _worder(fact, setting)
    find = _newest if fact.positive_reassures else _standing

    def look(chart: Chart) -> Known:
        since = None if days is None else chart.today - days
        results = _recent(chart.entries(fact.test), since)
        performed = _recent(chart.entries(fact.performed), since)
        if not results:
            if performed:
                return Known(None, tuple(performed), "done, but the result is not on record", len(performed))
            return Known(None, why=f"no result{within}")
        known = find(results, word)
        known.considered = len(results) + len(performed)
        if since is None or known.value is None:
            return known
        counting = [e for e in known.evidence if e.status != "preliminary" or known.value == "positive"]
        if not any(_reaches(e, since) for e in counting):
            return Known(None, known.evidence, "not known to be recent enough", known.considered, known.since)
        return known

    return _quickly(fact, days, word, _staying(fact, word, look) if fact.positive_stays else look)


def _staying(fact: Tested, word: Word, otherwise: Look) -> Look:
    """Return a look that finds a positive result of any age, and asks `otherwise` only where there is none."""

    def look(chart: Chart) -> Known:
        results = chart.entries(fact.test)
        positive = tuple([entry for entry in results if word(entry) == "positive"])
        if not positive:
            return otherwise(chart)
        return Known("positive", positive, "", len(results), latest_day(positive))

    return look


def _quickly(fact: Tested, days: float | None, word: Word, otherwise: Look) -> Look:
    """Return a look that asks `otherwise` only where it is not plain which result counts, and what it shows."""
    concept, *more = fact.test

    def look(chart: Chart) -> Known:
        newest = chart.newest(concept)
        if newest is None or any(each in chart.past for each in more):
            return otherwise(chart)
        if fact.positive_stays and len(chart.past[concept]) > 1:
            return otherwise(chart)
        day = newest.start
        if day is None or (days is not None and day[0] < chart.today - days):
            return otherwise(chart)
        shows = word(newest)
        if shows not in ("positive", "negative"):
            return otherwise(chart)
        return Known(shows, (newest,), "", len(chart.past[concept]), day)

    return look


def _standing(results: Sequence[Entry], word: Word) -> Known:
    """Return what the latest result showed; a positive one stands where only what says nothing came after it."""
    known = _newest(results, word)
    telling = [entry for entry in results if entry.value is not None or word(entry)] if known.value is None else results
    if len(telling) == len(results):
        return known
    last = _newest(telling, word)
    return last if last.value == "positive" else known


def _newest(results: Sequence[Entry], word: Word) -> Known:
    contenders, hints = may_be_newest(results)
    words = {_of_day(group, word) for group in by_days(contenders)}
    evidence = tuple(contenders + hints)
    since = latest_day(evidence)
    hinted = {word(entry) for entry in hints}
    if words == {"positive"} or "positive" in hinted:
        return Known("positive", evidence, since=since)
    if words == {"negative"} and hinted <= {"negative"}:
        return Known("negative", evidence, since=since)
    return Known(None, evidence, _reason(evidence, words), since=since)


def _of_day(entries: Sequence[Entry], word: Word) -> str:
    """The worst of one day. A bare figure beside a readable result is part of it, not a result of its own."""
    words = [word(entry) for entry in entries]
    if len(words) == 1:
        return words[0]
    readable = any(words)
    words = [
        w for w, e in zip(words, entries, strict=True) if w or not (readable and e.value is not None and not e.result)
    ]
    return "positive" if "positive" in words else "negative" if set(words) == {"negative"} else ""


def _worder(fact: Tested, setting: Setting) -> Word:
    """Return how to read a result: as "positive", "negative", or an empty string where it does not tell."""
    figure, exclusive = _figure(fact, setting), bool(fact.positive_above or fact.negative_to)

    def word(entry: Entry) -> str:
        result = entry.result
        if entry.certainty != "certain" or result == "indeterminate":
            return ""
        if entry.value is None or (fact.figures and entry.concept not in fact.figures):
            return result
        shows = figure(entry.value)
        if result and shows and shows != result and exclusive:
            return ""  # a quantity of what "was not found": one of the two is wrong
        return result or shows

    return word


def _figure(fact: Tested, setting: Setting) -> Callable[[Interval], str]:
    """Return how to read a result in figures."""
    limit = fact.positive_from or fact.positive_above
    if not limit:
        return lambda _: ""
    bound = exactly(setting.number(limit))
    compare = at_least if fact.positive_from else greater
    last = exactly(setting.number(fact.negative_to)) if fact.negative_to else None

    def figure(value: Interval) -> str:
        truth = compare(value, bound)
        if truth is False and last is not None and greater(value, last) is not False:
            return ""
        return "" if truth is None else "positive" if truth else "negative"

    return figure


def _reason(evidence: Sequence[Entry], words: set[str]) -> str:
    if len(words - {""}) > 1:
        return "results that contradict each other may each be the latest"
    if evidence and all(entry.status == "preliminary" for entry in evidence):
        return "the only result is preliminary"
    noted = next((entry.note for entry in evidence if entry.note), "")
    return noted or "the result can't be read as positive or negative"


def worded(fact: Worded, setting: Setting) -> Look:
    """Return how to find the word of the latest entry; None where entries of one day disagree."""
    concepts = (*fact.latest_of, *fact.questions)
    limits = {word: setting.number(name) for word, name in fact.within.items()}

    def look(chart: Chart) -> Known:
        entries = [entry for entry in chart.entries(concepts) if entry.status != "ended"]
        if not entries:
            return Known(None, why="none on record")
        latest = _latest(entries)
        words = {_status_word(entry, fact) for entry in latest}
        evidence = tuple(latest)
        since = _since(entries, fact) if len(words) == 1 else latest_day(evidence)
        if len(words) != 1 or words == {""}:
            why = "the latest entry can't be read" if words == {""} else "entries of the same day disagree"
            return Known(None, evidence, why, len(entries), since)
        word = words.pop()
        limit = limits.get(word)
        if limit is not None and not any(_reaches(entry, chart.today - limit) for entry in latest):
            why = f"'{word}' was recorded more than {limit:.0f} days ago"
            return Known(None, evidence, why, len(entries), since)
        return Known(word, evidence, considered=len(entries), since=since)

    return look


def _latest(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the entries of which each may be the latest."""
    if len(entries) == 1:
        return entries
    newest = max([day[0] for entry in entries if (day := day_of(entry)) is not None], default=None)
    return [e for e in entries if newest is None or (day := day_of(e)) is None or day[1] >= newest]


def _status_word(entry: Entry, fact: Worded) -> str:
    if entry.certainty != "certain" or entry.status == "preliminary":
        return ""
    word = fact.latest_of.get(entry.concept, "")
    return "" if word == "unknown" else word


def _since(entries: Sequence[Entry], fact: Worded) -> Interval | None:
    """Return the first day of the run of equal words that the latest entry ends; any, where one has no day."""
    if len(entries) == 1:
        return latest_day(entries)
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
