"""Writes in plain English what a fact looks at: code lists, time windows, and what absence means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.knowledge import fact_kinds, model
from precaution.knowledge.refers import STAGES, Concepts, Stage
from precaution.writers.english import EnglishWriter, capital
from precaution.writers.layout import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_STAGES: Mapping[str, str] = {
    "before-start": "before a start",
    "on-treatment": "on treatment",
    "interrupted": "while interrupted",
}


def fact_in_english(fact: fact_kinds.Fact, label: model.Label) -> str:
    """Return what a fact of a label looks at, in sentences. Raises TypeError for a kind that has no English yet."""
    return " ".join(
        capital(sentence) + "." for sentence in (*_looks_at(fact, EnglishWriter(label)), *_absence(fact)) if sentence
    )


def _looks_at(fact: fact_kinds.Fact, write: EnglishWriter) -> tuple[str, ...]:  # noqa: C901  # one line for each kind
    match fact:
        case fact_kinds.Latest():
            return _latest(fact, write)
        case fact_kinds.Extreme(extreme=concepts, worst=worst, derived=derived):
            return (f"the {worst}est result of {_lists(concepts)} since the start of treatment", _derived(derived))
        case fact_kinds.Tested():
            return _tested(fact, write)
        case fact_kinds.Ever():
            return _ever(fact, write)
        case fact_kinds.Active():
            return _active(fact, write)
        case fact_kinds.Repeated(repeated=concepts, at_least=least, within=within, apart=apart):
            window = f"{write.parameter(within)}, each {write.parameter(apart)} or more after the one before"
            return (f"at least {write.parameter(least)} episodes of {_lists(concepts)} in {window}",)
        case fact_kinds.Planned(planned=concepts, ahead=ahead):
            window = f" for the next {write.parameter(ahead)}" if ahead else ""
            return (f"whether {_lists(concepts)} is ordered or planned{window}",)
        case fact_kinds.Worded():
            return _worded(fact, write)
        case fact_kinds.DaysSince(days_since=concepts):
            return (f"days since the latest entry of {_lists(concepts)}",)
        case fact_kinds.DaysOn(days_on=concepts):
            return (f"days on {_lists(concepts)}, all courses together",)
        case fact_kinds.ReachedAge(reached_age=years, reached_age_parameter=parameter):
            return (f"whether {write.parameter(parameter) if parameter else f'{years:g}'} years of age are completed",)
        case fact_kinds.Derived(expression=expression):
            return (write.phrase(expression),)
        case _:
            raise TypeError(f"{type(fact).__name__} has no English; add a case here")


def _lists(concepts: Iterable[str]) -> str:
    return listed(concepts, last="or")


def _derived(concepts: Concepts) -> str:
    return f"where there is none, it is worked out from {listed(concepts)} of one day, and said so" if concepts else ""


def _doubt(concepts: Concepts) -> str:
    return f"an entry of {_lists(concepts)} only raises a question" if concepts else ""


def _ages(within: Mapping[Stage, str], write: EnglishWriter) -> str:
    """Return how old a result may be, with stages of the same limit together."""
    stages: dict[str, list[str]] = {}
    for stage, parameter in within.items():
        stages.setdefault(parameter, []).append(_STAGES[stage])
    every = [
        f"not older than {write.parameter(parameter)}{'' if len(each) == len(STAGES) else ' ' + listed(each)}"
        for parameter, each in stages.items()
    ]
    return listed(every) if every else ""


def _latest(fact: fact_kinds.Latest, write: EnglishWriter) -> tuple[str, ...]:
    which = (
        f"the {fact.worst}est of the last {write.parameter(fact.last)} results" if fact.last else "the latest result"
    )
    upper = f", or with {write.parameter(fact.upper_limit)}" if fact.upper_limit else ""
    return (
        f"{which} of {_lists(fact.latest)}, of several on one day the {fact.worst}est",
        _ages(fact.within, write),
        _derived(fact.derived),
        f"compared with the result's own upper limit{upper}" if fact.times_upper_limit else "",
    )


def _tested(fact: fact_kinds.Tested, write: EnglishWriter) -> tuple[str, ...]:
    number = f"a number counts as positive from {write.parameter(fact.positive_from)}" if fact.positive_from else ""
    return (
        f"the latest result, positive or negative, of {_lists(fact.test)}",
        _ages(fact.within, write),
        f"an entry of {_lists(fact.performed)} says that the test was done, not what it showed"
        if fact.performed
        else "",
        number,
        f"a number above {write.parameter(fact.positive_above)} counts as positive" if fact.positive_above else "",
    )


def _ever(fact: fact_kinds.Ever, write: EnglishWriter) -> tuple[str, ...]:
    age = f" in the last {write.parameter(fact.within)}" if fact.within else ""
    start = " on or after the start of treatment" if fact.since_start else ""
    when = age + start or " at any time"
    return (
        f"whether the record holds {_lists(fact.ever)}{when}",
        _suspected(fact.suspected_counts),
        _undated(fact.undated),
        _doubt(fact.doubt),
    )


def _active(fact: fact_kinds.Active, write: EnglishWriter) -> tuple[str, ...]:
    start = " that began on or after the start of treatment" if fact.since_start else ""
    lasted = f" for more than {write.parameter(fact.longer_than)}" if fact.longer_than else ""
    recent = f"without status or end an entry is believed for {write.parameter(fact.recent)}" if fact.recent else ""
    return (
        f"whether {_lists(fact.active)} is present{lasted}{start}",
        recent,
        f"an entry older than {write.parameter(fact.stale)} no longer counts" if fact.stale else "",
        "an entry without a status counts as present" if fact.without_status == "active" else "",
        _suspected(fact.suspected_counts),
        _undated(fact.undated),
        _doubt(fact.doubt),
    )


def _worded(fact: fact_kinds.Worded, write: EnglishWriter) -> tuple[str, ...]:
    words = [f"{concept} means “{word}”" for concept, word in fact.latest_of.items()]
    ages = [f"“{word}” counts for {write.parameter(parameter)}" for word, parameter in fact.within.items()]
    unread = f"a later answer to {_lists(fact.questions)} that can't be read leaves it open" if fact.questions else ""
    return (f"the latest of these: {listed(words)}", listed(ages), unread)


def _suspected(counts: bool) -> str:
    return "a suspected one counts" if counts else ""


def _undated(counts: str) -> str:
    return "one without a day counts" if counts == "yes" else ""


def _absence(fact: fact_kinds.Fact) -> tuple[str, ...]:
    none = "none" if isinstance(fact, (fact_kinds.DaysSince, fact_kinds.DaysOn)) else "no"
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
