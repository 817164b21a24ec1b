"""Tables of literals that say what the facts and asks of a label look for; the steps join them with the entries."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, TypeVar

from precaution.knowledge.computed_facts import Dose, Estimated, OfSex
from precaution.knowledge.expression import spoken
from precaution.knowledge.fact import Fact
from precaution.knowledge.fact_kinds import (
    Active,
    Change,
    Confirmed,
    DaysOn,
    DaysSince,
    Ever,
    Extreme,
    Latest,
    Planned,
    ReachedAge,
    Repeated,
    Tested,
    Worded,
)
from precaution.knowledge.formulas import SEXES, formula, input_factor
from precaution.sql.literals import Columns, table_of
from precaution.values.record import ANSWER, UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlglot import exp

    from precaution.knowledge.model import Ask, Label
    from precaution.sql.literals import Cell

Row = tuple["Cell", ...]
FactKind = TypeVar("FactKind", bound=Fact)
_Figures = Latest | Extreme | Change | Confirmed | Estimated
_FIGURES: tuple[type[_Figures], ...] = (Latest, Extreme, Change, Confirmed, Estimated)
"""Kinds of facts that look at numbers measured on a day."""
_LOOKS: Columns = {"fact": "text", "role": "text", "concept": "text"}


class FactTables:
    """Makes the tables of one label, with the values of its parameters written in."""

    def __init__(self, label: Label) -> None:
        self.label = label
        self._suspected = self._word(label.records.suspected) == "yes"

    def tables(self) -> Iterator[exp.Create]:
        """Yield the statement of each table."""
        therapy = self.label.therapy
        yield table_of(
            "treatment",
            {"drug": "text", "grace": "number", "gap": "number", "first_day": "number"},
            [
                (
                    therapy.drug,
                    float(int(self._number(therapy.grace))),
                    float(int(self._number(therapy.gap))),
                    therapy.first_day(),
                )
            ],
        )
        yield from self._history()
        yield from self._figures()
        yield from self._estimates()
        yield from self._trends()
        yield from self._words()
        yield from self._days()
        yield from self._doses()
        yield from self._asks()

    def most_episodes(self) -> int:
        """Return the highest number of episodes, or of results in a row, that any fact asks for."""
        wanted = [fact.at_least for fact in self._all(Repeated)] + [fact.times for fact in self._all(Confirmed)]
        return max([1, *(ceil(self._number(name)) for name in wanted)])

    def _history(self) -> Iterator[exp.Create]:
        both: list[Ever | Active] = [*self._all(Ever), *self._all(Active)]
        yield table_of(
            "history_facts",
            {
                "fact": "text",
                "fact_kind": "text",
                "list": "text",
                "within": "number",
                "since_start": "truth",
                "suspected": "truth",
                "undated": "truth",
                "recent": "number",
                "longer_than": "number",
                "without_status": "truth",
            },
            [self._of_history(fact) for fact in both],
        )
        yield table_of("history_looks", _LOOKS, [row for fact in both for row in self._looks_of_history(fact)])
        yield table_of(
            "episode_facts",
            {"fact": "text", "at_least": "number", "within": "number", "apart": "number"},
            [(fact.name, *map(self._number, (fact.at_least, fact.within, fact.apart))) for fact in self._all(Repeated)],
        )
        yield table_of(
            "episode_looks",
            _LOOKS,
            [row for f in self._all(Repeated) for row in (*_looks(f, "counts", f.repeated), *_unreadable(f, f.list))],
        )
        yield table_of(
            "plan_facts",
            {"fact": "text", "ahead": "number", "suspected": "truth"},
            [(fact.name, self._days_or_none(fact.ahead), self._suspected) for fact in self._all(Planned)],
        )
        yield table_of(
            "plan_looks",
            {"fact": "text", "concept": "text", "place": "number"},
            [
                (fact.name, concept, place)
                for fact in self._all(Planned)
                for place, concept in enumerate((*fact.planned, UNREADABLE["order"]))
            ],
        )

    def _of_history(self, fact: Ever | Active) -> Row:
        suspected, undated = fact.suspected_counts or self._suspected, fact.undated == "yes"
        if isinstance(fact, Ever):
            within = self._days_or_none(fact.within)
            return (fact.name, "ever", fact.list, within, fact.since_start, suspected, undated, None, None, False)
        stale, recent, longer = map(self._days_or_none, (fact.stale, fact.recent, fact.longer_than))
        without = fact.without_status == "active"
        return (fact.name, "active", fact.list, stale, fact.since_start, suspected, undated, recent, longer, without)

    def _looks_of_history(self, fact: Ever | Active) -> Iterator[Row]:
        yield from _looks(fact, "counts", fact.ever if isinstance(fact, Ever) else fact.active)
        yield from _looks(fact, "doubt", fact.doubt)
        yield from _unreadable(fact, fact.list)

    def _figures(self) -> Iterator[exp.Create]:
        every: list[_Figures] = [fact for kind in _FIGURES for fact in self._all(kind)]
        yield table_of(
            "figure_facts",
            {
                "fact": "text",
                "fact_kind": "text",
                "worst": "text",
                "times_upper": "truth",
                "upper_limit": "number",
                "last_results": "number",
            },
            [self._of_figures(fact) for fact in every],
        )
        looks = [row for fact in every for row in _looks_of_figures(fact)]
        yield table_of("figure_looks", _LOOKS, looks)
        windows: list[Latest | Tested | Change | Confirmed | Estimated] = [
            *self._all(Latest),
            *self._all(Estimated),
            *self._all(Tested),
            *self._all(Change),
            *self._all(Confirmed),
        ]
        yield table_of(
            "windows",
            {"fact": "text", "stage": "text", "days": "number"},
            [(fact.name, stage, self._number(name)) for fact in windows for stage, name in fact.within.items()],
        )

    def _of_figures(self, fact: _Figures) -> Row:
        if isinstance(fact, Extreme):
            limit = self._days_or_none(fact.upper_limit)
            return (fact.name, "extreme", fact.worst, fact.times_upper_limit, limit, 1)
        worst = self._of_day(fact.worst)
        if isinstance(fact, Change):
            return (fact.name, "change", worst, False, None, 1)
        if isinstance(fact, Estimated):
            return (fact.name, "latest", worst, False, None, 1)
        upper = self._days_or_none(fact.upper_limit)
        if isinstance(fact, Confirmed):
            return (fact.name, "confirmed", worst, fact.times_upper_limit, upper, 1)
        last = int(self._number(fact.last)) if fact.last else 1
        return (fact.name, "latest", worst, fact.times_upper_limit, upper, last)

    def _estimates(self) -> Iterator[exp.Create]:
        facts = self._all(Estimated)
        yield table_of(
            "estimate_facts",
            {
                "fact": "text",
                "input": "text",
                "weight": "text",
                "weight_days": "number",
                "factor": "number",
                "from_age": "number",
                "age_from": "number",
                "per_year": "number",
            },
            [self._of_estimate(fact) for fact in facts],
        )
        yield table_of(
            "estimate_sexes",
            {"fact": "text", "sex": "text", "scale": "number", "knee": "number", "below": "number", "above": "number"},
            [
                (fact.name, sex, method.scale(sex), method.knee[sex], method.below[sex], method.above[sex])
                for fact in facts
                for method in (formula(fact.formula),)
                for sex in SEXES
            ],
        )

    def _of_estimate(self, fact: Estimated) -> Row:
        method = formula(fact.formula)
        weight = fact.weight if method.weighs else None
        days = self._days_or_none(fact.weight_within)
        factor = input_factor(method, self.label.concepts[fact.input])
        return (fact.name, fact.input, weight, days, factor, method.from_age, method.age_from, method.per_year)

    def _of_day(self, worst: str) -> str:
        """Return which of several results of one day counts: the worst, or by a site's policy any of them."""
        return "hull" if self._word(self.label.records.same_day) == "unknown" else worst

    def _trends(self) -> Iterator[exp.Create]:
        yield table_of(
            "change_facts",
            {"fact": "text", "percent": "truth", "over_days": "number", "baseline": "text", "far": "text"},
            [
                (fact.name, fact.percent, self._days_or_none(fact.over), self._of_day(far), far)
                for fact in self._all(Change)
                for far in ("high" if fact.worst == "low" else "low",)
            ],
        )
        yield table_of(
            "confirmed_facts",
            {"fact": "text", "crossing": "text", "bound": "number", "times": "number", "apart": "number"},
            [self._of_confirmed(fact) for fact in self._all(Confirmed)],
        )

    def _of_confirmed(self, fact: Confirmed) -> Row:
        bound = fact.limit if fact.limit is not None else self._number(fact.limit_parameter)
        apart = max(self._days_or_none(fact.apart) or 0.0, 1.0)
        return (fact.name, fact.crossing, bound, self._number(fact.times), apart)

    def _words(self) -> Iterator[exp.Create]:
        tests, statuses = self._all(Tested), self._all(Worded)
        yield table_of(
            "test_facts",
            {
                "fact": "text",
                "positive_from": "number",
                "positive_above": "number",
                "negative_to": "number",
                "positive_stays": "truth",
                "positive_reassures": "truth",
            },
            [
                (
                    fact.name,
                    *map(self._days_or_none, (fact.positive_from, fact.positive_above, fact.negative_to)),
                    fact.positive_stays,
                    fact.positive_reassures,
                )
                for fact in tests
            ],
        )
        yield table_of(
            "test_looks", {**_LOOKS, "in_figures": "truth"}, [row for fact in tests for row in _looks_of_test(fact)]
        )
        yield table_of(
            "status_looks",
            {"fact": "text", "concept": "text", "word": "text", "word_order": "number"},
            [row for fact in statuses for row in _looks_of_status(fact)],
        )
        yield table_of(
            "status_windows",
            {"fact": "text", "word": "text", "days": "number"},
            [(fact.name, word, self._number(name)) for fact in statuses for word, name in fact.within.items()],
        )

    def _days(self) -> Iterator[exp.Create]:
        since, on = self._all(DaysSince), self._all(DaysOn)
        yield table_of(
            "days_facts",
            {"fact": "text", "fact_kind": "text"},
            [*((fact.name, "since") for fact in since), *((fact.name, "on") for fact in on)],
        )
        looks = [row for f in since for row in (*_looks(f, "counts", f.days_since), *_unreadable(f, f.list))]
        looks += [row for f in on for row in (*_looks(f, "counts", f.days_on), *_unreadable(f, f.list))]
        yield table_of("days_looks", _LOOKS, looks)
        yield table_of(
            "age_facts",
            {"fact": "text", "years": "number"},
            [
                (
                    fact.name,
                    float(
                        int(
                            fact.reached_age
                            if fact.reached_age is not None
                            else self._number(fact.reached_age_parameter)
                        )
                    ),
                )
                for fact in self._all(ReachedAge)
            ],
        )

        yield table_of(
            "sex_facts", {"fact": "text", "sex": "text"}, [(fact.name, fact.sex) for fact in self._all(OfSex)]
        )

    def _doses(self) -> Iterator[exp.Create]:
        facts = self._all(Dose)
        yield table_of(
            "dose_facts",
            {"fact": "text", "recent": "number", "times": "number"},
            [(fact.name, self._days_or_none(fact.recent), 7.0 if fact.per == "week" else 1.0) for fact in facts],
        )
        yield table_of("dose_looks", _LOOKS, [row for fact in facts for row in _looks_of_dose(fact)])

    def _asks(self) -> Iterator[exp.Create]:
        asks = self.label.asks.values()
        yield table_of(
            "asks",
            {"ask": "text", "concept": "text", "valid": "number", "yes_or_no": "truth"},
            [(spoken(ask.name), ANSWER + ask.name, self._days_or_none(ask.valid), is_yes_or_no(ask)) for ask in asks],
        )
        yield table_of(
            "reassuring",
            {"ask": "text", "word": "text"},
            [(spoken(ask.name), word) for ask in asks for word in dict.fromkeys(ask.reassures)],
        )

    def _all(self, kind: type[FactKind]) -> list[FactKind]:
        return [fact for fact in self.label.facts.values() if isinstance(fact, kind)]

    def _number(self, parameter: str) -> float:
        return float(self.label.parameters[parameter].value)

    def _days_or_none(self, parameter: str) -> float | None:
        return self._number(parameter) if parameter else None

    def _word(self, parameter: str) -> object:
        return self.label.parameters[parameter].value


def is_yes_or_no(ask: Ask) -> bool:
    """Whether the answers of an ask are yes and no, and not words."""
    return set(ask.answers) <= {"yes", "no"}


def _looks(fact: Fact, role: str, concepts: Iterable[str]) -> Iterator[Row]:
    yield from ((fact.name, role, concept) for concept in concepts)


def _looks_of_figures(fact: _Figures) -> Iterator[Row]:
    match fact:
        case Latest(latest=concepts) | Extreme(extreme=concepts):
            yield from _looks(fact, "counts", concepts)
            yield from _looks(fact, "whole", fact.derived[:1])
            yield from _looks(fact, "percentage", fact.derived[1:])
        case Change(change=concepts) | Confirmed(confirmed=concepts) | Estimated(estimate=concepts):
            yield from _looks(fact, "counts", concepts)


def _unreadable(fact: Fact, kind: str) -> Iterator[Row]:
    if kind in UNREADABLE:
        yield (fact.name, "unreadable", UNREADABLE[kind])


def _looks_of_dose(fact: Dose) -> Iterator[Row]:
    yield from _looks(fact, "dose", fact.places())
    yield from _looks(fact, "counts", fact.dose)
    yield from _unreadable(fact, fact.list)


def _looks_of_test(fact: Tested) -> Iterator[Row]:
    for role, concepts in (("counts", fact.test), ("performed", fact.performed)):
        yield from ((fact.name, role, each, not fact.figures or each in fact.figures) for each in concepts)


def _looks_of_status(fact: Worded) -> Iterator[Row]:
    words = {concept: "" if word == "unknown" else word for concept, word in fact.latest_of.items()}
    ordered = sorted({"", *words.values()})
    for concept in (*fact.latest_of, *fact.questions):
        word = words.get(concept, "")
        yield (fact.name, concept, word, ordered.index(word))
