"""The columns of facts: from a row for each fact of a person to one row a person, absence and answers included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from precaution.knowledge.fact_kinds import (
    Active,
    DaysOn,
    DaysSince,
    Derived,
    Ever,
    Extreme,
    Fact,
    Latest,
    Planned,
    ReachedAge,
    Repeated,
    Tested,
    Worded,
)
from precaution.knowledge.model import Ask
from precaution.sql.expressions import Expressions, Number, part
from precaution.sql.literals import PREFIX, both, case, column, either, literal, negation, selected
from precaution.sql.needs import SINCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from precaution.knowledge.model import Label

FOUND: Mapping[type, str] = {
    Ever: "of_history",
    Active: "of_history",
    Repeated: "of_episodes",
    Planned: "of_plans",
    Latest: "of_figures",
    Extreme: "of_figures",
    Tested: "of_tests",
    Worded: "of_statuses",
    DaysSince: "of_days_since",
    DaysOn: "of_days_on",
    ReachedAge: "of_ages",
    Ask: "answers",
}
"""The step that finds each kind."""
_BESIDE = ("recorded", "evidence", *SINCE)
_TRUTHS = {"settled", "truth", "recorded", "evidence", "low_open", "high_open", "reassures", "vague"}


class Wide:
    """Puts the facts and asks of a label into columns; `beside` says what more than the value each is asked for."""

    def __init__(self, label: Label, written: Expressions, beside: Mapping[str, set[str]]) -> None:
        self.label, self.written, self.beside = label, written, beside

    def basic(self) -> exp.Select:
        """Return the query for all facts that entries show, and the latest answers before newer evidence voids them."""
        query = exp.select("c.*").from_(f"{PREFIX}chart AS c")
        for step in dict.fromkeys(FOUND.values()):
            things = {name: each for name, each in self.written.named.items() if FOUND.get(type(each)) == step}
            if things:
                query = self._joined(query, step, things)
        return query

    def _joined(self, query: exp.Select, step: str, things: Mapping[str, Fact | Ask | object]) -> exp.Select:
        key = exp.column("ask" if step == "answers" else "fact")
        found = {name: self._found(name, thing) for name, thing in things.items()}
        picked = {part(name, f"found_{of}"): _picked(key, name, of) for name, each in found.items() for of in each}
        pivot = selected({"person": exp.column("person"), **picked}).from_(PREFIX + step).group_by("person")
        on = exp.EQ(this=exp.column("person", table=step), expression=exp.column("person", table="c"))
        values = {of: value for name, thing in things.items() for of, value in self._columns(name, thing).items()}
        return query.select(*selected(values).expressions, copy=False).join(
            pivot.subquery(step, copy=False), on=on, join_type="left", copy=False
        )

    def _found(self, name: str, thing: object) -> tuple[str, ...]:
        """Return which columns of its step a fact or ask needs."""
        beside = tuple(of for of in _BESIDE if of in self.beside.get(name, ()))
        sort = self.written.sort(name)
        match thing:
            case Ask():
                return ("truth" if sort == "truth" else "word", "newest", "reassures", *beside)
            case DaysOn():
                return ("settled", "total", "vague", *beside)
            case DaysSince():
                return ("settled", *Number._fields, *beside)
            case Planned():
                return ("settled", "truth", "list", *beside)
            case _ if sort == "truth":
                return ("settled", "truth", *beside)
            case _:
                return (*(Number._fields if sort == "number" else ("word",)), *beside)

    def _columns(self, name: str, thing: object) -> dict[str, exp.Expr]:
        """Return the columns of a fact, or of an ask before newer evidence voids its answer."""
        found = _Found(name)
        beside = {
            part(name, of): exp.func("COALESCE", found[of], exp.false()) if of in _TRUTHS else found[of]
            for of in _BESIDE
            if of in self.beside.get(name, ())
        }
        if isinstance(thing, Fact):
            return {**self._value(name, thing, found), **beside}
        kept = {"value": "truth" if self.written.sort(name) == "truth" else "word"}
        kept |= {"newest": "newest", "reassures": "reassures"}
        return {**{part(name, f"answer_{of}"): found[source] for of, source in kept.items()}, **beside}

    def _value(self, name: str, fact: Fact, found: _Found) -> dict[str, exp.Expr]:
        match fact:
            case DaysOn():
                return self._days_on(name, fact, found)
            case DaysSince():
                none = self._absent(fact.absent, fact.list)
                ends = {"low": literal(float("inf")), "high": literal(float("inf"))}
                return {
                    part(name, of): _settled(found, found[of], case((none.copy(), ends.get(of, exp.false()))))
                    for of in Number._fields
                }
            case Planned() | Repeated() | Ever() | Active():
                return {name: _settled(found, found["truth"], self._none(fact, found))}
            case _ if self.written.sort(name) == "number":
                return {part(name, of): found[of] for of in Number._fields}
            case _:
                return {name: found["truth" if isinstance(fact, ReachedAge) else "word"]}

    def _days_on(self, name: str, fact: DaysOn, found: _Found) -> dict[str, exp.Expr]:
        """Without a complete list of what was taken there may have been more days."""
        exact = both([negation(found["vague"]), self._listed(fact.list)])
        values = {
            "low": (found["total"], literal(0.0)),
            "high": (case((exact, found["total"]), otherwise=literal(float("inf"))), literal(0.0)),
            "low_open": (exp.false(), exp.false()),
            "high_open": (negation(exact.copy()), exp.false()),
        }
        none = self._absent(fact.absent, fact.list)
        return {
            part(name, of): _settled(found, value, case((none.copy(), absent)))
            for of, (value, absent) in values.items()
        }

    def _none(self, fact: Ever | Active | Repeated | Planned, found: _Found) -> exp.Expr:
        """Return what a fact is where nothing on record settles it."""
        if isinstance(fact, Repeated) and float(self.label.parameters[fact.at_least].value) <= 0:
            return exp.true()
        if isinstance(fact, Planned):
            drug = exp.EQ(this=found["list"], expression=literal("medication"))
            none = case((drug, self._absent(fact.absent, "medication")), otherwise=self._absent(fact.absent, "order"))
        else:
            none = self._absent(fact.absent, fact.list)
        return case((none, exp.false()))

    def _absent(self, absent: str, kind: str) -> exp.Expr:
        """Whether nothing on record means that there is none."""
        return exp.true() if absent == "no" else exp.false() if absent == "unknown" else self._listed(kind)

    def _listed(self, kind: str) -> exp.Expr:
        return column(listed(kind))

    def level(self, before: str, level: Iterable[str]) -> exp.Select:
        """Return the query for facts made of others, and for answers, of which all that is behind them is known."""
        made: dict[str, exp.Expr] = {}
        for name in level:
            thing = self.written.named[name]
            if isinstance(thing, Derived):
                made |= {name: self.written.truth(thing.expression), **self._since(name, thing)}
            elif isinstance(thing, Ask):
                made[name] = self._answer(name, thing)
        return selected(made, star=True).from_(PREFIX + before, copy=False)

    def _answer(self, name: str, ask: Ask) -> exp.Expr:
        """Return an answer; nothing where it reassures and there is newer evidence against it."""
        newest, value = column(part(name, "answer_newest")), column(part(name, "answer_value"))
        newer = [
            both(
                [
                    self.written.not_false(about),
                    exp.GT(this=column(part(about, "since_high")), expression=newest.copy()),
                ]
            )
            for about in ask.about
        ]
        if not newer:
            return value
        void = both([column(part(name, "answer_reassures")), either(newer)])
        return case((negation(exp.func("COALESCE", void, exp.false())), value))

    def _since(self, name: str, fact: Derived) -> dict[str, exp.Expr]:
        """Return since when a fact made of others has been so, where asked for: the latest day of those behind it."""
        wanted = [of for of in SINCE if of in self.beside.get(name, ())]
        behind = list(self.written.behind(fact.expression)) if wanted else []
        return {
            part(name, of): case(
                (
                    exp.func("COALESCE", self.written.truth(fact.expression), exp.true()),
                    latest([(each.where.copy(), column(part(each.name, of))) for each in behind]),
                )
            )
            for of in wanted
        }


class _Found:
    """The columns of a fact that its step found, by name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getitem__(self, of: str) -> exp.Expr:
        return column(part(self.name, f"found_{of}"))


def latest(days: Iterable[tuple[exp.Expr, exp.Expr]]) -> exp.Expr:
    """Return the greatest of some days, each only where it counts; minus infinity where none does."""
    never = literal(float("-inf"))
    found = [exp.func("COALESCE", case((where, day)), never.copy()) for where, day in days]
    return exp.Greatest(this=found[0], expressions=found[1:]) if len(found) > 1 else found[0] if found else never


def listed(kind: str) -> str:
    """Return the column that says whether the list of a kind of entries is complete."""
    return f"listed_{kind}"


def _settled(found: _Found, value: exp.Expr, absent: exp.Expr) -> exp.Expr:
    return case((found["settled"], value), otherwise=absent)


def _picked(key: exp.Expr, name: str, of: str) -> exp.Expr:
    """Return the value of one fact, of all rows of a person."""
    one = case((exp.EQ(this=key.copy(), expression=literal(name)), exp.column(of)))
    return exp.LogicalOr(this=one) if of in _TRUTHS else exp.Max(this=one)
