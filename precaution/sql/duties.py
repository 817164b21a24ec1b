"""Duties: what is true of each for each person, and as literals when it applies and what its schedule is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from precaution.sql.expressions import part
from precaution.sql.literals import case, column, create, literal, nothing, selected, table_of
from precaution.sql.macros import unions
from precaution.sql.needs import SINCE, is_open
from precaution.values.record import ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.knowledge.model import Duty, Label
    from precaution.sql.expressions import Expressions
    from precaution.sql.literals import Cell

_TRUTHS = {"person": "text", "duty": "text", "applies": "truth", "done": "truth", "interval_days": "number"}
_NEWS = {"person": "text", "duty": "text", "since_low": "number"}
_OPENS = {**_NEWS, "since_high": "number"}


def tables(label: Label, written: Expressions, facts: str) -> Iterator[exp.Create]:
    """Yield the statements that say of each duty what is true for each person of the table `facts`."""
    duties = label.duties.values()
    yield table_of(
        "duty_terms",
        {
            "duty": "text",
            "place": "number",
            "sort": "text",
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
    truths = [_truths(duty, label, written).from_(facts) for duty in duties]
    yield create("duty_truths", unions(truths)) if truths else table_of("duty_truths", _TRUTHS, [])
    news = [query.from_(facts) for duty in duties for query in _news(duty, written)]
    yield create("duty_news", unions(news)) if news else table_of("duty_news", _NEWS, [])
    opens = [query.from_(facts) for duty in duties for query in _opens(duty, written)]
    yield create("duty_opens", unions(opens)) if opens else table_of("duty_opens", _OPENS, [])


def _terms(duty: Duty, place: int, label: Label) -> tuple[Cell, ...]:
    sort = "once" if duty.done_when is not None else "open" if is_open(duty) else "timed"
    any_part = bool(duty.needs_all) and label.parameters[duty.needs_all].value == "any"
    return (
        duty.name,
        place,
        sort,
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
    """Part 0 is the answer that shows the duty done, the others are the groups of concepts that it needs."""
    if duty.ask:
        yield (duty.name, 0, ANSWER + duty.ask)
    for number, concepts in enumerate(duty.needs, start=1):
        yield from ((duty.name, number, concept) for concept in concepts)


def _truths(duty: Duty, label: Label, written: Expressions) -> exp.Select:
    return selected(
        {
            "person": exp.column("person"),
            "duty": literal(duty.name),
            "applies": written.truth(duty.when) if duty.when is not None else exp.true(),
            "done": written.truth(duty.done_when) if duty.done_when is not None else nothing("truth"),
            "interval_days": _interval(duty, label, written),
        }
    )


def _opens(duty: Duty, written: Expressions) -> Iterator[exp.Select]:
    """Yield for each fact that may open a duty without a schedule a row a person for whom it does, with since when."""
    if is_open(duty) and duty.when is not None:
        for each in written.behind(duty.when):
            since = {of: column(part(each.name, of)) for of in SINCE}
            yield selected({"person": exp.column("person"), "duty": literal(duty.name), **since}).where(each.where)


def _interval(duty: Duty, label: Label, written: Expressions) -> exp.Expr:
    """The interval of this person: the shorter one also where it can't be told whether it applies."""
    if not duty.every:
        return nothing("number")
    every = _days(duty.every, label)
    shorter = sorted((_days(name, label), fact) for fact, name in duty.every_if.items())
    branches = [(written.not_false(fact), literal(days)) for days, fact in shorter if days < every]
    return case(*branches, otherwise=literal(every)) if branches else literal(every)


def _news(duty: Duty, written: Expressions) -> Iterator[exp.Select]:
    """Yield for each fact that can make a duty due again a row a person of whom it is true, with since when."""
    for name in duty.again_after:
        if written.sort(name) == "truth":
            row = {
                "person": exp.column("person"),
                "duty": literal(duty.name),
                "since_low": column(part(name, "since_low")),
            }
            yield selected(row).where(written.value(name))
