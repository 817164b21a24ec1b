"""The columns of facts: from a row for each fact of a person to one row a person, absence and answers included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from precaution.definitions import Ask
from precaution.fact_kinds import (
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
from precaution.sql.expressions import Expressions, Number, part
from precaution.sql.needs import SINCE
from precaution.sql.literals import PREFIX, both, case, column, either, literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from precaution.definitions import Label

FOUND: Mapping[type, str] = {
    Ever: "of_history", Active: "of_history", Repeated: "of_episodes", Planned: "of_plans", Latest: "of_figures",
    Extreme: "of_figures", Tested: "of_tests", Worded: "of_statuses", DaysSince: "of_days_since",
    DaysOn: "of_days_on", ReachedAge: "of_ages", Ask: "answers",
}  # fmt: skip
"""The step that finds each kind."""
BESIDE = ("recorded", "evidence", "since_low", "since_high")
"""What may be needed of a fact beside its value."""
FACTS_OF_CHART = ("person", "today", "stage")
_FLAGS = {"settled", "truth", "recorded", "evidence", "low_open", "high_open", "reassures", "vague"}


class Wide:
    """Puts the facts and asks of a label into columns; `beside` says which further columns of each are needed."""

    def __init__(self, label: Label, written: Expressions, beside: Mapping[str, set[str]]) -> None:
        self.label, self.written, self.beside = label, written, beside

    def basic(self) -> exp.Select:
        """Return the query for all facts that entries show, and the latest answers before newer evidence voids them."""
        query = exp.select("c.*").from_(exp.alias_(exp.to_table(f"{PREFIX}chart"), "c", table=True))
        values: list[exp.Expr] = []
        for step in dict.fromkeys(FOUND.values()):
            things = {name: t for name, t in self.written.named.items() if FOUND.get(type(t)) == step}
            if not things:
                continue
            pivot = self._pivot(step, things)
            query = query.join(
                exp.alias_(exp.to_table(f"p_{step}"), step, table=True),
                on=exp.EQ(this=exp.column("person", table=step), expression=exp.column("person", table="c")),
                join_type="left",
            ).with_(f"p_{step}", as_=pivot)
            values += [each for name, thing in things.items() for each in self._columns(name, thing)]
        return query.select(*values)

    def _pivot(self, step: str, things: Mapping[str, Fact | Ask]) -> exp.Select:
        key = "ask" if step == "answers" else "fact"
        wanted = [
            exp.alias_(_picked(key, name, of), part(name, f"found_{of}"), quoted=True)
            for name, thing in things.items()
            for of in self._found(name, thing)
        ]
        return exp.select("person", *wanted).from_(exp.to_table(PREFIX + step)).group_by("person")

    def _found(self, name: str, thing: Fact | Ask) -> tuple[str, ...]:
        """Return which columns of its step a fact or ask needs."""
        beside = tuple(of for of in BESIDE if of in self.beside.get(name, ()))
        match thing:
            case Ask():
                of = "truth" if self.written.sort(name) == "truth" else "word"
                return (of, "newest", "reassures", *beside)
            case DaysOn():
                return ("settled", "total", "vague", *beside)
            case DaysSince():
                return ("settled", *Number._fields, *beside)
            case Planned():
                return ("settled", "truth", "list", *beside)
            case _:
                sort = self.written.sort(name)
                return (*(Number._fields if sort == "number" else ("word",) if sort == "text" else ("settled", "truth")),
                        *beside)  # fmt: skip

    def _columns(self, name: str, thing: Fact | Ask) -> list[exp.Expr]:
        def found(of: str) -> exp.Expr:
            return column(part(name, f"found_{of}"))

        beside = [
            exp.alias_(exp.func("COALESCE", found(of), exp.false()) if of in _FLAGS else found(of), part(name, of),
                       quoted=True)
            for of in BESIDE if of in self.beside.get(name, ())
        ]  # fmt: skip
        if isinstance(thing, Ask):
            kept = ("truth" if self.written.sort(name) == "truth" else "word", "newest", "reassures")
            return [*(exp.alias_(found(of), part(name, f"answer_{of}"), quoted=True) for of in kept), *beside]
        return [*(exp.alias_(value, of, quoted=True) for of, value in self._value(name, thing, found).items()), *beside]

    def _value(self, name: str, fact: Fact, found: object) -> dict[str, exp.Expr]:
        def of(each: str) -> exp.Expr:
            return column(part(name, f"found_{each}"))

        match fact:
            case DaysOn():
                absent = self._absent(fact.absent, fact.list)
                nothing = case((absent, literal(0.0)))
                complete = self._listed(fact.list)
                end = case((both([exp.not_(of("vague")), complete]), of("total")), otherwise=literal(float("inf")))
                is_open = exp.not_(exp.paren(both([exp.not_(of("vague")), complete.copy()])))
                values = {"low": of("total"), "high": end, "low_open": exp.false(), "high_open": is_open}
                return {part(name, each): _settled(of, value, nothing if each in ("low", "high") else
                                                   case((absent.copy(), exp.false())))
                        for each, value in values.items()}  # fmt: skip
            case DaysSince():
                absent = self._absent(fact.absent, fact.list)
                return {part(name, each): _settled(of, of(each), case((absent.copy(), literal(float("inf")) if each in
                                                   ("low", "high") else exp.false())))
                        for each in Number._fields}  # fmt: skip
            case Planned():
                by_list = case(
                    (exp.EQ(this=of("list"), expression=literal("medication")), self._absent(fact.absent, "medication")),
                    otherwise=self._absent(fact.absent, "order"),
                )
                return {name: _settled(of, of("truth"), case((by_list, exp.false())))}
            case Repeated():
                none = self._absent(fact.absent, fact.list)
                wanted = float(self.label.parameters[fact.at_least].value)
                return {name: _settled(of, of("truth"), case((none, exp.false())) if wanted > 0 else exp.true())}
            case Ever() | Active():
                return {name: _settled(of, of("truth"), case((self._absent(fact.absent, fact.list), exp.false())))}
            case ReachedAge():
                return {name: of("truth")}
            case _ if self.written.sort(name) == "number":
                return {part(name, each): of(each) for each in Number._fields}
            case _:
                return {name: of("word")}

    def _absent(self, absent: str, kind: str) -> exp.Expr:
        """Whether nothing on record means that there is none."""
        return exp.true() if absent == "no" else exp.false() if absent == "unknown" else self._listed(kind)

    def _listed(self, kind: str) -> exp.Expr:
        return column(listed(kind))

    def level(self, before: str, level: Iterable[str]) -> exp.Select:
        """Return the query for the columns of facts made of others, and of answers, of which all behind is known."""
        made: list[exp.Expr] = []
        for name in level:
            thing = self.written.named[name]
            if isinstance(thing, Derived):
                made.append(exp.alias_(self.written.truth(thing.expression), name, quoted=True))
                made += self._since(name, thing)
            elif isinstance(thing, Ask):
                made.append(exp.alias_(self._answer(name, thing), name, quoted=True))
        return exp.select("*", *made).from_(exp.to_table(PREFIX + before))

    def _answer(self, name: str, ask: Ask) -> exp.Expr:
        """Return an answer; nothing where it reassures and there is newer evidence against it."""
        value = column(part(name, f"answer_{'truth' if self.written.sort(name) == 'truth' else 'word'}"))
        newer = [
            both([self.written.not_false(about),
                  exp.GT(this=column(part(about, "since_high")), expression=column(part(name, "answer_newest")))])
            for about in ask.about
        ]  # fmt: skip
        if not newer:
            return value
        void = both([column(part(name, "answer_reassures")), either(newer)])
        return case((exp.not_(exp.func("COALESCE", void, exp.false())), value))

    def _since(self, name: str, fact: Derived) -> list[exp.Expr]:
        """Return since when a fact made of others has been so, where that is asked for: the latest of those behind it."""
        behind = list(self.written.behind(fact.expression))
        so = exp.func("COALESCE", self.written.truth(fact.expression), exp.true())
        return [
            exp.alias_(case((so.copy(), latest([(each.where, column(part(each.name, of))) for each in behind]))),
                       part(name, of), quoted=True)
            for of in SINCE if of in self.beside.get(name, ())
        ]  # fmt: skip


def latest(days: Iterable[tuple[exp.Expr, exp.Expr]]) -> exp.Expr:
    """Return the greatest of some days, each only where it counts; minus infinity where none does."""
    never = literal(float("-inf"))
    found = [exp.func("COALESCE", case((where.copy(), day)), never.copy()) for where, day in days]
    return exp.Greatest(this=found[0], expressions=found[1:]) if len(found) > 1 else found[0] if found else never


def listed(kind: str) -> str:
    """Return the column that says whether the list of a kind of entries is complete."""
    return f"listed_{kind}"


def _settled(of: object, value: exp.Expr, absent: exp.Expr) -> exp.Expr:
    return case((of("settled"), value), otherwise=absent)  # type: ignore[operator]


def _picked(key: str, name: str, of: str) -> exp.Expr:
    """Return the value of one fact, of all rows of a person."""
    one = case((exp.EQ(this=exp.column(key), expression=literal(name)), exp.column(of)))
    return exp.LogicalOr(this=one) if of in _FLAGS else exp.Max(this=one)
