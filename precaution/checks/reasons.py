"""Checks that everything has its reason: a sentence of the label, or a choice of ours that says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.checks.problem import problem, spoken_of, whole_expressions
from precaution.errors import did_you_mean
from precaution.knowledge.expression import Compare, Literally, Name, children, names, written
from precaution.knowledge.fact import Fact
from precaution.knowledge.linking import place_of
from precaution.knowledge.toml import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.checks.problem import Folder, LabelProblem
    from precaution.knowledge.expression import Expression
    from precaution.knowledge.linking import Named
    from precaution.knowledge.model import Ask, Duty, Measure, Rule, Says

TRANSPARENCY = (
    "citation",
    "developer",
    "funding",
    "dates",
    "race",
    "ethnicity",
    "language",
    "sexual-orientation",
    "gender-identity",
    "sex",
    "date-of-birth",
    "social-determinants",
    "health-status-assessments",
)
"""The source attributes of 45 CFR 170.315(b)(11)(iv)(A)."""


def uncited_directives(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that a directive leads to a rule or a duty."""
    cited = {name for thing in folder.outcomes() for name in thing.cites}
    for says in folder.label.says.values():
        if says.role == "directive" and says.id not in cited:
            yield problem(place_of(says), "is a directive that no rule or duty cites; add one, or give it another role")


def sentences_without_reason(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that a sentence that is no directive says why it leads to nothing."""
    for says in folder.label.says.values():
        if says.role not in ("directive", "unread") and not says.why.strip():
            yield problem(place_of(says), f"needs 'why': the reason why a sentence of role '{says.role}' has no rule")


def background_of_nothing(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that a background sentence, or a limit of the evidence, is shown beside some rule or duty."""
    for says in folder.label.says.values():
        if says.role in ("background", "evidence-limit") and not says.explains:
            yield problem(place_of(says), "needs 'explains': the rules or duties beside which it is shown")


def parameters_without_reason(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that a parameter says which sentence leaves it open, and why it is what it is."""
    for parameter in folder.label.parameters.values():
        for key, given in (("of", parameter.of), ("why", parameter.why.strip())):
            if not given:
                yield problem(
                    place_of(parameter).at(key), "must not be empty: a choice of ours needs its sentence and its reason"
                )


def unstated_numbers(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that a number of a rule is one that a sentence it cites states; any other is a parameter."""
    label, known = folder.label, folder.named()
    for says in label.says.values():
        yield from _unstated(folder, says, (says.id,), known)
    for ask in label.asks.values():
        yield from _unstated(folder, ask, ask.of, known)
    for thing in (*folder.outcomes(), *label.measures.values()):
        yield from _unstated(folder, thing, thing.cites, known)


def _unstated(
    folder: Folder, thing: Says | Ask | Rule | Duty | Measure, sentences: tuple[str, ...], known: dict[str, Named]
) -> Iterator[LabelProblem]:
    stated = {number for name in sentences for number in folder.label.says[name].numbers}
    used = {number for expression in whole_expressions(thing, known) for number in _numbers(expression, known)}
    for number in sorted(used - stated):
        yield problem(
            place_of(thing),
            f"uses {number:g}, which none of {', '.join(sentences)} states; "
            "make it a parameter, or add it to the sentence's 'numbers'",
        )


def _numbers(expression: Expression, known: dict[str, Named]) -> Iterator[float]:
    match expression:
        case Compare(left=Name(name), right=Literally(value=int() | float() as number)):
            if not (number == 1 and _times_upper_limit(known.get(name))):
                yield float(number)
    for child in children(expression):
        yield from _numbers(child, known)
    for fact in map(known.get, names(expression)):
        if isinstance(fact, Fact):
            yield from (number for number in fact.numbers() if not (number == 1 and _times_upper_limit(fact)))


def _times_upper_limit(fact: Named | None) -> bool:
    """Whether 1 is no number of ours: it is the upper limit itself."""
    return bool(getattr(fact, "times_upper_limit", False))


def placeholders(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that what stands in braces in `tell` is a fact, an ask or a parameter."""
    known = folder.named()
    for thing in folder.outcomes():
        for name in spoken_of(thing.tell):
            if name not in known:
                yield problem(
                    place_of(thing).at("tell"),
                    f"no fact is called '{written(name)}'.{did_you_mean(written(name), map(written, known))}",
                )


def transparency(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that label.toml fills in each of the source attributes that 45 CFR 170.315(b)(11) asks for."""
    about = folder.label.about.get("transparency", {})
    given = about if isinstance(about, dict) else {}
    for name in TRANSPARENCY:
        if not str(given.get(name, "")).strip():
            yield problem(
                Place("label.toml", "about.transparency", name),
                'must not be empty; where there is nothing to say, write that (as "Not used")',
            )
