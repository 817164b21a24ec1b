"""Checks that what stands in a label's folder is used, and that its codes can be codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.checks.problem import problem, spoken_of
from precaution.knowledge.expression import names, spoken
from precaution.knowledge.folder import badly_formed
from precaution.knowledge.linking import heads, place_of
from precaution.knowledge.shared import every_chapter, section_of
from precaution.knowledge.terminology import IDS
from precaution.knowledge.toml import Place, expressions, references
from precaution.values.record import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.checks.problem import Folder, LabelProblem
    from precaution.knowledge.fact import Fact
    from precaution.knowledge.model import Ask, Duty, Measure, Parameter, Rule, Says
    from precaution.knowledge.terminology import Concept

RESERVED = "result_"
"""Code lists of results are used by the readers, by name."""


def unused_facts(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that a fact is used by a rule, a duty, an ask, a measure, a sentence or another fact."""
    used = _named_by(folder)
    for fact in folder.label.facts.values():
        if spoken(fact.name) not in used:
            yield problem(place_of(fact), "is used by no rule, duty or other fact; use it or remove it")


def unused_asks(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that an ask is used by a rule, a duty or a fact."""
    used = _named_by(folder)
    for ask in folder.label.asks.values():
        if spoken(ask.name) not in used:
            yield problem(place_of(ask), "is used by no rule, duty or fact; use it or remove it")


def unused_parameters(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that a parameter is used."""
    used = _named_by(folder)
    for parameter in folder.label.parameters.values():
        if spoken(parameter.name) not in used:
            yield problem(place_of(parameter), "is used by nothing; use it or remove it")


def unused_lists(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that a code list is one that a fact or a duty looks at, or one that takes codes away from others.

    What comes with a chapter that labels share is not asked for: a chapter is taken whole.
    """
    shared = {name for each in every_chapter() for name in section_of(each, "concept")}
    used = {
        name
        for thing in (folder.label.therapy, *_all(folder))
        for _, refers, name in references(thing)
        if refers.to == "concept"
    }
    for name, concept in folder.label.concepts.items():
        if (
            name not in used
            and name not in shared
            and not concept.outranks
            and not concept.counts_as
            and not name.startswith(RESERVED)
            and name not in UNREADABLE.values()
        ):
            yield problem(Place(f"codes/{name}.csv"), "is a code list that nothing looks at; use it or remove it")


def codes(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that a code has the shape and the check digit of its system, and that no list has it twice."""
    for name, rows in folder.lists.items():
        seen: set[tuple[str, str]] = set()
        for system, code in rows:
            if (system, code) in seen:
                yield problem(Place(f"codes/{name}.csv"), f"{system} {code} stands there twice; keep one")
            elif badly_formed(system, code):
                yield problem(
                    Place(f"codes/{name}.csv"),
                    f"'{code}' is no {system} code: its shape or its check digit is wrong; look it up anew",
                )
            seen.add((system, code))


def concept_ids(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that the code of a concept id has the shape and the check digit of its system."""
    for name, (system, code) in folder.label.terminology.concept_ids.items():
        if badly_formed(system, code):
            yield problem(Place(f"codes/{IDS}"), f"'{code}' ({name}) is no {system} code; look it up anew")


def _all(folder: Folder) -> Iterator[Says | Concept | Fact | Ask | Rule | Duty | Measure | Parameter]:
    label = folder.label
    for things in (
        label.says,
        label.concepts,
        label.facts,
        label.asks,
        label.rules,
        label.duties,
        label.measures,
        label.parameters,
    ):
        yield from things.values()


def _named_by(folder: Folder) -> set[str]:
    """Return what any table but its own names, as expressions write it."""
    used = {spoken(name) for _, head in heads(folder.label) for _, _, name in references(head)}
    for thing in _all(folder):
        used |= {spoken(name) for _, refers, name in references(thing) if refers.to in ("fact", "ask", "parameter")}
        for _, expression in expressions(thing):
            used.update(names(expression))
    for outcome in folder.outcomes():
        used.update(spoken_of(outcome.tell))
    return used
