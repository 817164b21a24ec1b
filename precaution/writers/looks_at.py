"""What a fact looks at, in plain English: code lists, time windows, and what absence means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.knowledge import fact_kinds as f
from precaution.knowledge import model as d
from precaution.knowledge.refers import STAGES, Concepts, Stage
from precaution.writers.english import Speaker, capital
from precaution.writers.layout import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_STAGES: Mapping[str, str] = {
    "before-start": "before a start",
    "on-treatment": "on treatment",
    "interrupted": "while interrupted",
}


def fact_in_english(fact: f.Fact, label: d.Label) -> str:
    """Return what a fact looks at, in sentences: code lists, time windows and what absence means."""
    return " ".join(
        capital(sentence) + "." for sentence in (*_looks_at(fact, Speaker(label)), *_absence(fact)) if sentence
    )


def _looks_at(fact: f.Fact, say: Speaker) -> tuple[str, ...]:  # noqa: C901  # one line for each kind
    match fact:
        case f.Latest():
            return _latest(fact, say)
        case f.Extreme(extreme=concepts, worst=worst, derived=derived):
            return (f"the {worst}est result of {_lists(concepts)} since the start of treatment", _derived(derived))
        case f.Tested():
            return _tested(fact, say)
        case f.Ever():
            return _ever(fact, say)
        case f.Active():
            return _active(fact, say)
        case f.Repeated(repeated=concepts, at_least=least, within=within, apart=apart):
            window = f"{say.parameter(within)}, each {say.parameter(apart)} or more after the one before"
            return (f"at least {say.parameter(least)} episodes of {_lists(concepts)} in {window}",)
        case f.Planned(planned=concepts, ahead=ahead):
            window = f" for the next {say.parameter(ahead)}" if ahead else ""
            return (f"whether {_lists(concepts)} is ordered or planned{window}",)
        case f.Worded():
            return _worded(fact, say)
        case f.DaysSince(days_since=concepts):
            return (f"days since the latest entry of {_lists(concepts)}",)
        case f.DaysOn(days_on=concepts):
            return (f"days on {_lists(concepts)}, all courses together",)
        case f.ReachedAge(reached_age=years, reached_age_parameter=parameter):
            return (f"whether {say.parameter(parameter) if parameter else f'{years:g}'} years of age are completed",)
        case f.Derived(expression=expression):
            return (say.phrase(expression),)
        case _:
            raise TypeError(f"{type(fact).__name__} has no English; add a case here")


def _lists(concepts: Iterable[str]) -> str:
    return listed(concepts, last="or")


def _derived(concepts: Concepts) -> str:
    return f"where there is none, it is worked out from {listed(concepts)} of one day, and said so" if concepts else ""


def _doubt(concepts: Concepts) -> str:
    return f"an entry of {_lists(concepts)} only raises a question" if concepts else ""


def _ages(within: Mapping[Stage, str], say: Speaker) -> str:
    """Return how old a result may be, stages of one limit together."""
    stages: dict[str, list[str]] = {}
    for stage, parameter in within.items():
        stages.setdefault(parameter, []).append(_STAGES[stage])
    every = [
        f"not older than {say.parameter(parameter)}{'' if len(each) == len(STAGES) else ' ' + listed(each)}"
        for parameter, each in stages.items()
    ]
    return listed(every) if every else ""


def _latest(fact: f.Latest, say: Speaker) -> tuple[str, ...]:
    which = f"the {fact.worst}est of the last {say.parameter(fact.last)} results" if fact.last else "the latest result"
    upper = f", or with {say.parameter(fact.upper_limit)}" if fact.upper_limit else ""
    return (
        f"{which} of {_lists(fact.latest)}, of several on one day the {fact.worst}est",
        _ages(fact.within, say),
        _derived(fact.derived),
        f"compared with the result's own upper limit{upper}" if fact.times_upper_limit else "",
    )


def _tested(fact: f.Tested, say: Speaker) -> tuple[str, ...]:
    number = f"a number counts as positive from {say.parameter(fact.positive_from)}" if fact.positive_from else ""
    return (
        f"the latest result, positive or negative, of {_lists(fact.test)}",
        _ages(fact.within, say),
        f"an entry of {_lists(fact.performed)} says that the test was done, not what it showed"
        if fact.performed
        else "",
        number,
        f"a number above {say.parameter(fact.positive_above)} counts as positive" if fact.positive_above else "",
    )


def _ever(fact: f.Ever, say: Speaker) -> tuple[str, ...]:
    age = f" in the last {say.parameter(fact.within)}" if fact.within else ""
    start = " on or after the start of treatment" if fact.since_start else ""
    when = age + start or " at any time"
    return (
        f"whether the record holds {_lists(fact.ever)}{when}",
        _suspected(fact.suspected_counts),
        _undated(fact.undated),
        _doubt(fact.doubt),
    )


def _active(fact: f.Active, say: Speaker) -> tuple[str, ...]:
    start = " that began on or after the start of treatment" if fact.since_start else ""
    lasted = f" for more than {say.parameter(fact.longer_than)}" if fact.longer_than else ""
    recent = f"without status or end an entry is believed for {say.parameter(fact.recent)}" if fact.recent else ""
    return (
        f"whether {_lists(fact.active)} is present{lasted}{start}",
        recent,
        f"an entry older than {say.parameter(fact.stale)} no longer counts" if fact.stale else "",
        "an entry without a status counts as present" if fact.without_status == "active" else "",
        _suspected(fact.suspected_counts),
        _undated(fact.undated),
        _doubt(fact.doubt),
    )


def _worded(fact: f.Worded, say: Speaker) -> tuple[str, ...]:
    words = [f"{concept} means “{word}”" for concept, word in fact.latest_of.items()]
    ages = [f"“{word}” counts for {say.parameter(parameter)}" for word, parameter in fact.within.items()]
    unread = f"a later answer to {_lists(fact.questions)} that can't be read leaves it open" if fact.questions else ""
    return (f"the latest of these: {listed(words)}", listed(ages), unread)


def _suspected(counts: bool) -> str:
    return "a suspected one counts" if counts else ""


def _undated(counts: str) -> str:
    return "one without a day counts" if counts == "yes" else ""


def _absence(fact: f.Fact) -> tuple[str, ...]:
    none = "none" if isinstance(fact, (f.DaysSince, f.DaysOn)) else "no"
    match getattr(fact, "absent", ""):
        case "unknown":
            return ("nothing on record means that it can't be told",)
        case "no-if-list-complete":
            complete = f"where the record holds a list of {getattr(fact, 'list', 'condition')} entries"
            return (f"nothing on record means {none} {complete}; else it can't be told",)
        case "no":
            return (f"nothing on record means {none}",)
        case _:
            return ()
