"""The table of facts: from one row for each fact of a person to one row a person with a column for each fact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from precaution.knowledge.computed_facts import Dose, Estimated, OfSex
from precaution.knowledge.fact import Fact
from precaution.knowledge.fact_kinds import (
    Active,
    Change,
    Confirmed,
    DaysOn,
    DaysSince,
    Derived,
    Ever,
    Extreme,
    Latest,
    Planned,
    ReachedAge,
    Repeated,
    Tested,
    Worded,
)
from precaution.knowledge.model import Ask
from precaution.sql.dependencies import SINCE
from precaution.sql.expressions import ExpressionWriter, NumberColumns, part_column
from precaution.sql.literals import PREFIX, both, case, column, either, literal, negation, selected

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from precaution.knowledge.model import Label

STEPS: Mapping[type, str] = {
    Ever: "of_history",
    Active: "of_history",
    Repeated: "of_episodes",
    Planned: "of_plans",
    Latest: "of_figures",
    Extreme: "of_figures",
    Estimated: "of_figures",
    Change: "of_changes",
    Confirmed: "of_confirmed",
    Tested: "of_tests",
    Worded: "of_statuses",
    DaysSince: "of_days_since",
    DaysOn: "of_days_on",
    Dose: "of_doses",
    ReachedAge: "of_ages",
    OfSex: "of_sexes",
    Ask: "answers",
}
"""The step (a table of `steps/`) that finds each kind of fact."""
_EXTRAS = ("recorded", "evidence", *SINCE)
_TRUTHS = {"settled", "truth", "recorded", "evidence", "low_open", "high_open", "reassures", "vague"}


class FactColumns:
    """Writes the queries that put the facts and asks of a label into columns.

    `extras`: the columns that each name needs beside its value, see `dependencies.extra_columns`.
    """

    def __init__(self, label: Label, writer: ExpressionWriter, extras: Mapping[str, set[str]]) -> None:
        self.label, self.writer, self.extras = label, writer, extras

    def basic(self) -> exp.Select:
        """Return the query for all facts that come from entries, and for the latest answers, valid or void."""
        query = exp.select("c.*").from_(f"{PREFIX}chart AS c")
        for step in dict.fromkeys(STEPS.values()):
            things = {name: each for name, each in self.writer.named.items() if STEPS.get(type(each)) == step}
            if things:
                query = self._joined(query, step, things)
        return query

    def _joined(self, query: exp.Select, step: str, things: Mapping[str, Fact | Ask | object]) -> exp.Select:
        key = exp.column("ask" if step == "answers" else "fact")
        found = {name: self._found(name, thing) for name, thing in things.items()}
        picked = {
            part_column(name, f"found_{of}"): _picked(key, name, of) for name, each in found.items() for of in each
        }
        pivot = selected({"person": exp.column("person"), **picked}).from_(PREFIX + step).group_by("person")
        on = exp.EQ(this=exp.column("person", table=step), expression=exp.column("person", table="c"))
        values = {of: value for name, thing in things.items() for of, value in self._columns(name, thing).items()}
        return query.select(*selected(values).expressions, copy=False).join(
            pivot.subquery(step, copy=False), on=on, join_type="left", copy=False
        )

    def _found(self, name: str, thing: object) -> tuple[str, ...]:
        """Return the columns of its step that a fact or ask needs."""
        extras = tuple(of for of in _EXTRAS if of in self.extras.get(name, ()))
        type_ = self.writer.type_of(name)
        match thing:
            case Ask():
                return ("truth" if type_ == "truth" else "word", "newest", "reassures", *extras)
            case DaysOn():
                return ("settled", "total", "vague", *extras)
            case DaysSince() | Dose():
                return ("settled", *NumberColumns._fields, *extras)
            case Planned():
                return ("settled", "truth", "list", *extras)
            case _ if type_ == "truth":
                return ("settled", "truth", *extras)
            case _:
                return (*(NumberColumns._fields if type_ == "number" else ("word",)), *extras)

    def _columns(self, name: str, thing: object) -> dict[str, exp.Expr]:
        """Return the columns of a fact, or of an ask whose answer may still be void."""
        found = _StepColumns(name)
        extras = {
            part_column(name, of): exp.func("COALESCE", found[of], exp.false()) if of in _TRUTHS else found[of]
            for of in _EXTRAS
            if of in self.extras.get(name, ())
        }
        if isinstance(thing, Fact):
            return {**self._value(name, thing, found), **extras}
        kept = {"value": "truth" if self.writer.type_of(name) == "truth" else "word"}
        kept |= {"newest": "newest", "reassures": "reassures"}
        return {**{part_column(name, f"answer_{of}"): found[source] for of, source in kept.items()}, **extras}

    def _value(self, name: str, fact: Fact, found: _StepColumns) -> dict[str, exp.Expr]:
        match fact:
            case DaysOn():
                return self._days_on(name, fact, found)
            case DaysSince() | Dose():
                none = self._absent(fact.absent, fact.list)
                nothing = literal(0.0 if isinstance(fact, Dose) else float("inf"))
                ends = {"low": nothing, "high": nothing.copy()}
                return {
                    part_column(name, of): _settled(found, found[of], case((none.copy(), ends.get(of, exp.false()))))
                    for of in NumberColumns._fields
                }
            case Planned() | Repeated() | Ever() | Active():
                return {name: _settled(found, found["truth"], self._none(fact, found))}
            case _ if self.writer.type_of(name) == "number":
                return {part_column(name, of): found[of] for of in NumberColumns._fields}
            case _:
                return {name: found["truth" if isinstance(fact, (ReachedAge, OfSex)) else "word"]}

    def _days_on(self, name: str, fact: DaysOn, found: _StepColumns) -> dict[str, exp.Expr]:
        """Return the columns of days on a drug: where the list of drugs is not complete there may have been more."""
        exact = both([negation(found["vague"]), self._listed(fact.list)])
        values = {
            "low": (found["total"], literal(0.0)),
            "high": (case((exact, found["total"]), otherwise=literal(float("inf"))), literal(0.0)),
            "low_open": (exp.false(), exp.false()),
            "high_open": (negation(exact.copy()), exp.false()),
        }
        none = self._absent(fact.absent, fact.list)
        return {
            part_column(name, of): _settled(found, value, case((none.copy(), absent)))
            for of, (value, absent) in values.items()
        }

    def _none(self, fact: Ever | Active | Repeated | Planned, found: _StepColumns) -> exp.Expr:
        """Return the value of a fact where nothing on record settles it: false or NULL."""
        if isinstance(fact, Repeated) and float(self.label.parameters[fact.at_least].value) <= 0:
            return exp.true()
        if isinstance(fact, Planned):
            drug = exp.EQ(this=found["list"], expression=literal("medication"))
            none = case((drug, self._absent(fact.absent, "medication")), otherwise=self._absent(fact.absent, "order"))
        else:
            none = self._absent(fact.absent, fact.list)
        return case((none, exp.false()))

    def _absent(self, absent: str, kind: str) -> exp.Expr:
        """Return whether nothing on record means that there is none."""
        return exp.true() if absent == "no" else exp.false() if absent == "unknown" else self._listed(kind)

    def _listed(self, kind: str) -> exp.Expr:
        return column(listed(kind))

    def level(self, before: str, level: Iterable[str]) -> exp.Select:
        """Return the query that adds derived facts and valid answers to the table `before`, which has all they need.

        `level`: their names, one group of `dependencies.levels`.
        """
        made: dict[str, exp.Expr] = {}
        for name in level:
            thing = self.writer.named[name]
            if isinstance(thing, Derived):
                made |= {name: self.writer.truth(thing.expression), **self._since(name, thing)}
            elif isinstance(thing, Ask):
                made[name] = self._answer(name, thing)
        return selected(made, star=True).from_(PREFIX + before, copy=False)

    def _answer(self, name: str, ask: Ask) -> exp.Expr:
        """Return an answer; NULL where it reassures and there is newer evidence against it."""
        newest, value = column(part_column(name, "answer_newest")), column(part_column(name, "answer_value"))
        newer = [
            both(
                [
                    self.writer.not_false(about),
                    exp.GT(this=column(part_column(about, "since_high")), expression=newest.copy()),
                ]
            )
            for about in ask.about
        ]
        if not newer:
            return value
        void = both([column(part_column(name, "answer_reassures")), either(newer)])
        return case((negation(exp.func("COALESCE", void, exp.false())), value))

    def _since(self, name: str, fact: Derived) -> dict[str, exp.Expr]:
        """Return since when a derived fact has been so, where that is needed: the latest day of the facts behind it."""
        wanted = [of for of in SINCE if of in self.extras.get(name, ())]
        behind = list(self.writer.behind(fact.expression)) if wanted else []
        return {
            part_column(name, of): case(
                (
                    exp.func("COALESCE", self.writer.truth(fact.expression), exp.true()),
                    latest([(each.where.copy(), column(part_column(each.name, of))) for each in behind]),
                )
            )
            for of in wanted
        }


class _StepColumns:
    """The columns of a fact in the pivoted table of its step, by name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getitem__(self, of: str) -> exp.Expr:
        return column(part_column(self.name, f"found_{of}"))


def latest(days: Iterable[tuple[exp.Expr, exp.Expr]]) -> exp.Expr:
    """Return the latest of some days, given as (where it counts, day); minus infinity where none counts."""
    never = literal(float("-inf"))
    found = [exp.func("COALESCE", case((where, day)), never.copy()) for where, day in days]
    return exp.Greatest(this=found[0], expressions=found[1:]) if len(found) > 1 else found[0] if found else never


def listed(kind: str) -> str:
    """Return the name of the column that says whether the list of a kind of entries is complete."""
    return f"listed_{kind}"


def _settled(found: _StepColumns, value: exp.Expr, absent: exp.Expr) -> exp.Expr:
    return case((found["settled"], value), otherwise=absent)


def _picked(key: exp.Expr, name: str, of: str) -> exp.Expr:
    """Return the aggregate that picks the value `of` one fact among all rows of a person."""
    one = case((exp.EQ(this=key.copy(), expression=literal(name)), exp.column(of)))
    return exp.LogicalOr(this=one) if of in _TRUTHS else exp.Max(this=one)
