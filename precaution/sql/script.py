"""Writes a label as statements of SQL, which find every fact, rule and duty, and the decision, of many persons."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from precaution.engine.answer import ATTESTED, grave
from precaution.knowledge.linking import named
from precaution.knowledge.model import Parameter
from precaution.sql import duties, rules
from precaution.sql.dependencies import extra_columns, levels
from precaution.sql.expressions import ExpressionWriter, NumberColumns, part_column
from precaution.sql.fact_columns import FactColumns, listed
from precaution.sql.fact_tables import FactTables
from precaution.sql.literals import PREFIX, cast, column, create, either, literal, selected, table_of
from precaution.sql.macros import READ, sql, write_out
from precaution.values.record import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.knowledge.model import Label
    from precaution.knowledge.refers import Stage

RESULTS = ("facts", "rules", "duties", "decisions")
"""The tables that a script leaves, each with `precaution_` before its name."""


def statements(label: Label, today: int | None, stage: Stage | None) -> Iterator[exp.Create]:
    """Yield the statements that make the tables of a script, in order; see `precaution.sql.script_of`."""
    fact_tables = FactTables(label)
    yield from fact_tables.tables()
    yield _asked(today, stage)
    yield _people(label)
    for name in (
        "1_therapy",
        "2_history",
        "2_estimates",
        "3_figures",
        "3_changes",
        "3_confirmed",
        "4_words",
        "5_days",
        "5_doses",
    ):
        yield from _file(name, fact_tables.most_episodes())
    writer = ExpressionWriter(named(label))
    columns = FactColumns(label, writer, extra_columns(label, writer))
    yield create("known_0", columns.basic())
    last = 0
    for last, level in enumerate(levels(label, writer), start=1):
        yield create(f"known_{last}", columns.level(f"known_{last - 1}", level))
    known = f"{PREFIX}known_{last}"
    yield create("facts", _facts(writer).from_(known))
    yield from rules.tables(label, writer, known)
    yield from _file("6_rules")
    yield from duties.tables(label, writer, known)
    yield from _file("7_duties")
    ranked = [action for action in label.actions if not action.endswith(ATTESTED)]
    yield table_of(
        "ranks",
        {"action": "text", "attested": "truth", "grave": "number"},
        [(each, attested, grave(each, attested, label)) for each in ranked for attested in (False, True)],
    )
    yield from _file("8_decisions")


def _asked(today: int | None, stage: Stage | None) -> exp.Create:
    """Return the table of who is asked about: all `persons` on one day, or those of `asked`, each on their own day."""
    if today is None:
        return create("asked", exp.select("person", "today", "stage").from_("asked"))
    given = {"today": literal(float(today)), "stage": cast(literal(stage), "text")}
    return create("asked", selected({"person": exp.column("person"), **given}).from_("persons"))


def _people(label: Label) -> exp.Create:
    """Return the table of who is asked about, their birth, whether they died by the day, and their complete lists."""
    supplied_counts = label.parameters[label.records.absence].value != "attested"

    def holds(of: str, kind: str) -> exp.Expr:
        held = exp.ArrayContains(this=exp.column(of, table="p"), expression=literal(kind))
        return exp.func("COALESCE", held, exp.false())

    def complete(kind: str, *, supplied: bool) -> exp.Expr:
        if kind in label.complete_lists:
            return exp.true()
        return either([holds("attested", kind), *([holds("lists", kind)] if supplied else [])])

    columns = {
        "person": sql("p.person"),
        "today": sql("a.today"),
        "given": sql("a.stage"),
        "birth_low": sql("p.birth_low"),
        "birth_high": sql("p.birth_high"),
        "partial": sql("COALESCE(p.partial, FALSE)"),
        "sex": sql("COALESCE(p.sex, '')"),
        "died": sql("COALESCE(p.died_high <= a.today OR p.died_low < 1, FALSE)"),
        "medication_list": complete("medication", supplied=True),
    }
    columns |= {listed(kind): complete(kind, supplied=supplied_counts) for kind in KINDS}
    asked = selected(columns).from_("persons AS p").join(f"{PREFIX}asked AS a", on="a.person = p.person")
    return create("people", asked)


def _file(name: str, most_episodes: int = 1) -> Iterator[exp.Create]:
    """Yield the statements of a file of steps, which are the same for every label."""
    text = (files("precaution.sql") / "steps" / f"{name}.sql").read_text(encoding="utf-8")
    for statement in sqlglot.parse(text, read=READ):
        made = write_out(statement, most_episodes) if statement is not None else None
        if not isinstance(made, exp.Create):
            raise TypeError(f"{name} holds more than tables")
        yield made


def _facts(writer: ExpressionWriter) -> exp.Select:
    """Return the query for the values of all facts and asks, one row a person."""
    columns = ["person", "today", "stage"]
    for name, thing in writer.named.items():
        if not isinstance(thing, Parameter):
            columns += (
                [part_column(name, of) for of in NumberColumns._fields] if writer.type_of(name) == "number" else [name]
            )
    return selected({name: column(name) for name in columns})
