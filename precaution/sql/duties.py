"""Writes duties: what is true of each for each person; and, as literals, its stages and its schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from precaution.sql.dependencies import SINCE, is_open
from precaution.sql.expressions import part_column
from precaution.sql.literals import case, column, create, literal, nothing, selected, table_of
from precaution.sql.macros import unions
from precaution.values.record import ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.knowledge.model import Duty, Label
    from precaution.sql.expressions import ExpressionWriter
    from precaution.sql.literals import Cell

_TRUTHS = {"person": "text", "duty": "text", "applies": "truth", "done": "truth", "interval_days": "number"}
_NEWS = {"person": "text", "duty": "text", "since_low": "number"}
_OPENS = {**_NEWS, "since_high": "number"}


def tables(label: Label, writer: ExpressionWriter, facts: str) -> Iterator[exp.Create]:
    """Yield the statements that make the tables of a label's duties; `facts` is the table with the facts of persons."""
    duties = label.duties.values()
    yield table_of(
        "duty_terms",
        {
            "duty": "text",
            "place": "number",
            "schedule": "text",
            "action": "text",
            "early": "number",
            "grace": "number",
            "has_grace": "truth",
            "wait": "number",
            "never_is_unknown": "truth",
            "parts": "number",
            "any_part": "truth",
        },
        [_terms(duty, place, label) for place, duty in enumerate(duties)],
    )
    yield table_of(
        "duty_stages",
        {"duty": "text", "stage": "text"},
        [(duty.name, stage) for duty in duties for stage in dict.fromkeys(duty.stages)],
    )
    yield table_of(
        "duty_offsets",
        {"duty": "text", "nth": "number", "days": "number"},
        [(duty.name, nth, _days(offset, label)) for duty in duties for nth, offset in enumerate(duty.at)],
    )
    yield table_of(
        "duty_looks",
        {"duty": "text", "part": "number", "concept": "text"},
        [row for duty in duties for row in _looks(duty)],
    )
    truths = [_truths(duty, label, writer).from_(facts) for duty in duties]
    yield create("duty_truths", unions(truths)) if truths else table_of("duty_truths", _TRUTHS, [])
    news = [query.from_(facts) for duty in duties for query in _news(duty, writer)]
    yield create("duty_news", unions(news)) if news else table_of("duty_news", _NEWS, [])
    opens = [query.from_(facts) for duty in duties for query in _opens(duty, writer)]
    yield create("duty_opens", unions(opens)) if opens else table_of("duty_opens", _OPENS, [])


def _terms(duty: Duty, place: int, label: Label) -> tuple[Cell, ...]:
    schedule = "once" if duty.done_when is not None else "open" if is_open(duty) else "timed"
    any_part = bool(duty.needs_all) and label.parameters[duty.needs_all].value == "any"
    return (
        duty.name,
        place,
        schedule,
        duty.action,
        _days(duty.early, label),
        _days(duty.grace, label),
        bool(duty.grace),
        _days(duty.again_in, label),
        duty.never == "unknown",
        len(duty.needs),
        any_part,
    )


def _days(parameter: str, label: Label) -> float:
    return float(label.parameters[parameter].value) if parameter else 0.0


def _looks(duty: Duty) -> Iterator[tuple[Cell, ...]]:
    """Yield the concepts that a duty looks for: part 0 is the answer that does it, each other part a group it needs."""
    if duty.ask:
        yield (duty.name, 0, ANSWER + duty.ask)
    for number, concepts in enumerate(duty.needs, start=1):
        yield from ((duty.name, number, concept) for concept in concepts)


def _truths(duty: Duty, label: Label, writer: ExpressionWriter) -> exp.Select:
    return selected(
        {
            "person": exp.column("person"),
            "duty": literal(duty.name),
            "applies": writer.truth(duty.when) if duty.when is not None else exp.true(),
            "done": writer.truth(duty.done_when) if duty.done_when is not None else nothing("truth"),
            "interval_days": _interval(duty, label, writer),
        }
    )


def _opens(duty: Duty, writer: ExpressionWriter) -> Iterator[exp.Select]:
    """Yield a query for each fact that may open a duty without a schedule: for whom it does, and since when."""
    if is_open(duty) and duty.when is not None:
        for each in writer.behind(duty.when):
            since = {of: column(part_column(each.name, of)) for of in SINCE}
            yield selected({"person": exp.column("person"), "duty": literal(duty.name), **since}).where(each.where)


def _interval(duty: Duty, label: Label, writer: ExpressionWriter) -> exp.Expr:
    """Return the days between two times of a duty: the shorter interval also where it can't be told if it applies."""
    if not duty.every:
        return nothing("number")
    every = _days(duty.every, label)
    shorter = sorted((_days(name, label), fact) for fact, name in duty.every_if.items())
    branches = [(writer.not_false(fact), literal(days)) for days, fact in shorter if days < every]
    return case(*branches, otherwise=literal(every)) if branches else literal(every)


def _news(duty: Duty, writer: ExpressionWriter) -> Iterator[exp.Select]:
    """Yield a query for each fact that can make a duty due again: for whom it is true, and since when."""
    for name in duty.again_after:
        if writer.type_of(name) == "truth":
            row = {
                "person": exp.column("person"),
                "duty": literal(duty.name),
                "since_low": column(part_column(name, "since_low")),
            }
            yield selected(row).where(writer.value(name))
