"""A label as one SQL script: statements that find every fact, rule and duty, and the decision, of many persons."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from precaution.decision import ATTESTED, grave
from precaution.facts import named
from precaution.fact_kinds import Derived
from precaution.sql.columns import Wide, listed
from precaution.sql.duties import Duties
from precaution.sql.expressions import Expressions, Number, part
from precaution.sql.literals import PREFIX, both, case, cast, column, create, either, literal, nothing, table_of
from precaution.sql.macros import READ, sql, unions, write_out
from precaution.sql.needs import beside, levels
from precaution.sql.parameters import Parameters
from precaution.sql.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.definitions import Label, Stage

RESULTS = ("facts", "rules", "duties", "decisions")
"""The tables that a script leaves, each with `precaution_` before its name."""
KINDS = ("condition", "result", "procedure", "immunization", "medication", "order", "answer")


def statements(label: Label, today: int | None, stage: Stage | None) -> Iterator[exp.Create]:
    """Yield the statements that make the tables of a script, in order; see `precaution.sql.script`."""
    parameters = Parameters(label)
    yield from parameters.tables()
    yield _asked(today, stage)
    yield _people(label)
    yield from _steps(parameters.most_episodes())
    written = Expressions(named(label))
    wide = Wide(label, written, beside(label, written))
    yield create("known_0", wide.basic())
    last = 0
    for last, level in enumerate(levels(label, written), start=1):
        yield create(f"known_{last}", wide.level(f"known_{last - 1}", level))
    known = f"{PREFIX}known_{last}"
    yield create("facts", _facts(written, known))
    rules, duties = Rules(label, written, known), Duties(label, written, known)
    yield create("rules", unions(rules.query(rule, place) for place, rule in enumerate(label.rules.values())))
    yield create("duties", unions(duties.query(duty, place) for place, duty in enumerate(label.duties.values())))
    yield table_of("ranks", {"action": "text", "attested": "truth", "grave": "number"},
                   [(action, attested, grave(action, attested, label))
                    for action in label.actions if not action.endswith(ATTESTED) for attested in (False, True)])  # fmt: skip
    yield from _file("6_decisions.sql")


def _asked(today: int | None, stage: Stage | None) -> exp.Create:
    """Who is asked about: everybody in `persons` on one day, or those of the table `asked`, each on a day of their own."""
    if today is None:
        return create("asked", exp.select("person", "today", "stage").from_("asked"))
    given = literal(stage) if stage else exp.null()
    return create("asked", exp.select("person", exp.alias_(literal(float(today)), "today"),
                                      exp.alias_(cast(given, "text"), "stage")).from_("persons"))  # fmt: skip


def _people(label: Label) -> exp.Create:
    """Who is asked about, with which lists of theirs are complete; `died`: by the day that is asked about."""
    attested_only = label.parameters[label.records.absence].value == "attested"

    def holds(of: str, kind: str) -> exp.Expr:
        held = exp.ArrayContains(this=exp.column(of, table="p"), expression=literal(kind))
        return exp.func("COALESCE", held, exp.false())

    def complete(kind: str, *, supplied: bool) -> exp.Expr:
        if kind in label.complete_lists:
            return exp.true()
        return either([holds("attested", kind), *([holds("lists", kind)] if supplied else [])])

    lists = [exp.alias_(complete(kind, supplied=not attested_only), listed(kind)) for kind in KINDS]
    query = (
        exp.select(
            "p.person", "a.today", exp.alias_(sql("a.stage"), "given"), "p.birth_low", "p.birth_high",
            exp.alias_(sql("COALESCE(p.partial, FALSE)"), "partial"),
            exp.alias_(sql("COALESCE(p.died_high <= a.today OR p.died_low < 1, FALSE)"), "died"),
            exp.alias_(complete("medication", supplied=True), "medication_list"),
            *lists,
        )
        .from_("persons AS p")
        .join(f"{PREFIX}asked AS a", on="a.person = p.person")
    )  # fmt: skip
    return create("people", query)


def _steps(most_episodes: int) -> Iterator[exp.Create]:
    for name in ("1_therapy", "2_history", "3_figures", "4_words", "5_days"):
        for statement in _file(f"{name}.sql"):
            written = write_out(statement, most_episodes)
            if not isinstance(written, exp.Create):
                raise TypeError(name)
            yield written


def _file(name: str) -> Iterator[exp.Create]:
    text = (files("precaution.sql") / "steps" / name).read_text(encoding="utf-8")
    for statement in sqlglot.parse(text, read=READ):
        if not isinstance(statement, exp.Create):
            raise TypeError(f"{name} holds more than tables")
        yield statement


def _facts(written: Expressions, known: str) -> exp.Select:
    """The values of all facts and asks, one row a person."""
    values: list[exp.Expr] = []
    for name, thing in written.named.items():
        if hasattr(thing, "value"):
            continue
        if written.sort(name) == "number":
            values += [column(part(name, of)) for of in Number._fields]
        else:
            values.append(column(name))
    return exp.select("person", "today", "stage", *values).from_(exp.to_table(known))
