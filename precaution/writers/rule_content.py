"""Gathers all that explains a rule or a duty, in English and in order; text and pages are made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from precaution.errors import UsageError, did_you_mean
from precaution.knowledge.expression import names, spoken
from precaution.knowledge.fact_kinds import Derived
from precaution.knowledge.model import Says
from precaution.knowledge.refers import STAGES
from precaution.writers.english import capital, english
from precaution.writers.layout import in_words, status
from precaution.writers.looks_at import fact_in_english

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from precaution.knowledge.expression import Expression
    from precaution.knowledge.model import Duty, Label, Parameter, Rule
    from precaution.knowledge.refers import Stage


class ShownCase(NamedTuple):
    """A case that shows a rule or a duty: its name, which is a sentence, and the state that it expects."""

    name: str
    outcome: str
    wrong: str = ""
    """What it came to instead, as `action: expected interrupt, came to clear`; empty for a case that comes true."""


class StageCondition(NamedTuple):
    """A rule's condition in English, and what it asks for at each stage."""

    condition: str
    stages: tuple[str, ...]
    """`before-start: ■ do not start; where it can't be told: obtain`."""


class RuleContent(NamedTuple):
    """All that explains one rule or duty, in English."""

    kind: str
    name: str
    title: str
    topic: str
    ours: str
    sentences: tuple[Says, ...]
    """The sentences it cites, then the background beside them."""
    reading: str
    facts: tuple[tuple[str, str], ...]
    """(title, what is looked at) of each fact."""
    conditions: tuple[StageCondition, ...]
    """The conditions of a rule; empty for a duty."""
    notes: tuple[str, ...]
    """What releases or softens a rule; a duty's schedule."""
    parameters: tuple[str, ...]
    signed: str
    """Who has signed the reading, and whether it still holds; empty where nobody signs the label's."""
    cases: tuple[ShownCase, ...]


def rules_and_duties(label: Label, name: str) -> list[str]:
    """Return the names of the rules and duties that `name` stands for: itself, or those that cite the sentence `name`.

    Raises UsageError for a name that the label does not have.
    """
    if name in label.rules or name in label.duties:
        return [name]
    if name in label.says:
        cites = {each.name: each.cites for each in label.rules.values()}
        cites |= {each.name: each.cites for each in label.duties.values()}
        return [each for each, cited in cites.items() if name in cited or each in label.says[name].explains]
    hint = did_you_mean(name, (*label.rules, *label.duties, *label.says))
    raise UsageError(f"'{name}' is no rule, duty or sentence of {label.name}.{hint} `precaution label` lists them.")


def rule_content(label: Label, name: str, cases: Sequence[ShownCase] = ()) -> RuleContent:
    """Return all that explains the rule or duty `name` of a label, with the cases that show it."""
    what: Rule | Duty = label.rules[name] if name in label.rules else label.duties[name]
    rule = label.rules.get(name)
    return RuleContent(
        kind="rule" if rule else "duty",
        name=name,
        title=what.title,
        topic=what.topic,
        ours=what.ours,
        sentences=_sentences(label, what),
        reading=what.reading,
        facts=tuple(_facts(label, _expressions(what))),
        conditions=tuple(_conditions(label, rule)) if rule else (),
        notes=tuple(_rule_notes(label, rule) if rule else _schedule(label, label.duties[name])),
        parameters=tuple(parameter_line(label.parameters[each]) for each in what.uses),
        signed=str(label.signed[name]) if name in label.signed else "",
        cases=tuple(cases),
    )


def parameter_line(parameter: Parameter) -> str:
    """Return a parameter's value, reason and status: `count-max-age = 28 days (D13, proposed): why`."""
    site = "set by the site" if parameter.overridden else ""
    marks = ", ".join(filter(None, (parameter.default, parameter.status, site)))
    return f"{parameter.name} = {parameter.written} ({marks}): {parameter.why}"


def _sentences(label: Label, what: Rule | Duty) -> tuple[Says, ...]:
    beside = [says.id for says in label.says.values() if what.name in says.explains]
    return tuple(label.says[each] for each in dict.fromkeys((*what.cites, *beside)))


def _expressions(what: Rule | Duty) -> list[Expression]:
    """Return every expression of a rule or duty."""
    named = ("when", "done_when", "release", "held", "urgent")
    values = [getattr(what, each, None) for each in named]
    by_stage = [each for value in values if isinstance(value, dict) for each in value.values()]
    return by_stage + [each for each in values if each is not None and not isinstance(each, dict)]


def _facts(label: Label, expressions: Iterable[Expression]) -> Iterator[tuple[str, str]]:
    """Yield each fact behind expressions once, those behind derived facts too, in reading order."""
    known = {spoken(name): fact for name, fact in label.facts.items()}
    seen: set[str] = set()
    todo = [name for expression in expressions for name in names(expression)]
    while todo:
        fact = known.get(todo.pop(0))
        if fact is None or fact.name in seen:
            continue
        seen.add(fact.name)
        todo[:0] = names(fact.expression) if isinstance(fact, Derived) else ()
        yield capital(fact.title), f"{fact_in_english(fact, label)} {fact.reading}".rstrip()


def _conditions(label: Label, rule: Rule) -> Iterator[StageCondition]:
    """Yield each condition once, with the stages it is for."""
    grouped: list[tuple[Expression, list[Stage]]] = []
    for stage in STAGES:
        if stage in rule.then:
            same = next((stages for when, stages in grouped if when == rule.when[stage]), None)
            if same is None:
                grouped.append((rule.when[stage], same := []))
            same.append(stage)
    for when, stages in grouped:
        yield StageCondition(english(when, label), tuple(_at(rule, stage) for stage in stages))


def _at(rule: Rule, stage: Stage) -> str:
    unknown = f"; where it can't be told: {in_words(rule.if_unknown[stage])}" if rule.if_unknown.get(stage) else ""
    return f"{stage}: {status(rule.then[stage])}{unknown}"


def _rule_notes(label: Label, rule: Rule) -> Iterator[str]:
    if rule.release is not None:
        yield f"Released when: {english(rule.release, label)}."
    if rule.attest:
        yield f"Softened by a yes to {_question(label, rule.attest)}"
    if rule.urgent is not None:
        yield f"Urgent when: {english(rule.urgent, label)}."


def _question(label: Label, ask: str) -> str:
    return f"{label.asks[ask].number}: {label.asks[ask].question}"


def _schedule(label: Label, duty: Duty) -> Iterator[str]:
    """Yield whom a duty is for, what does it, and when it is due."""
    yield f"Stages: {', '.join(duty.stages)}."
    if duty.when is not None:
        yield f"For whom: {english(duty.when, label)}."
    if duty.done_when is not None:
        yield f"Done when: {english(duty.done_when, label)}."
    if duty.needs:
        yield f"Needs: {'; '.join(' or '.join(group) for group in duty.needs)}."
    if duty.ask:
        yield f"Also done by a yes to {_question(label, duty.ask)}"
    yield from _days(label, duty)


def _days(label: Label, duty: Duty) -> Iterator[str]:
    """Yield when a duty is due, in days; all of them are parameters."""
    if duty.at:
        yield f"Due after the start: {', '.join(label.parameters[each].written for each in duty.at)}."
    single = (
        (duty.every, "Then every {}."),
        (duty.early, "Counts up to {} early."),
        (duty.tolerance, "On time up to {} before or after."),
        (duty.grace, "Overdue {} after it is due."),
    )
    yield from (said.format(label.parameters[name].written) for name, said in single if name)
    for fact, name in duty.every_if.items():
        yield f"Every {label.parameters[name].written} where this holds: {label.facts[fact].title}."
    if duty.again_after:
        later = f", {label.parameters[duty.again_in].written} later" if duty.again_in else ""
        evidence = ", ".join(label.facts[each].title for each in duty.again_after)
        yield f"Due again{later} after new evidence of: {evidence}."
