"""Checks that what a label's tables say of each other is there, and works out which parameters each depends on.

Facts, asks and parameters share one set of names in expressions.
"""

from __future__ import annotations

from dataclasses import replace
from keyword import iskeyword
from typing import TYPE_CHECKING

from precaution.errors import KnowledgeError, did_you_mean
from precaution.knowledge.computed_facts import Estimated
from precaution.knowledge.expression import FUNCTIONS, names, spoken, written
from precaution.knowledge.fact import NUMBER, Fact
from precaution.knowledge.formulas import formula, input_factor
from precaution.knowledge.model import Ask, Duty, Label, Measure, Parameter, Rule, Says
from precaution.knowledge.policy import sort
from precaution.knowledge.strengths import strength_of
from precaution.knowledge.toml import Place, expressions, references
from precaution.knowledge.type_checks import check_expression, meanings
from precaution.values.record import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from precaution.knowledge.fact import Meaning
    from precaution.knowledge.refers import Refers
    from precaution.knowledge.terminology import Concept

Named = Fact | Ask | Parameter
_SECTIONS: tuple[tuple[type, str], ...] = (
    (Fact, "fact"),
    (Says, "says"),
    (Parameter, "parameter"),
    (Ask, "ask"),
    (Rule, "rule"),
    (Duty, "duty"),
    (Measure, "measure"),
)


def place_of(thing: object) -> Place:
    """Return where a table of the label stands."""
    section = next((section for kind, section in _SECTIONS if isinstance(thing, kind)), "concept")
    name = getattr(thing, "name", "") or getattr(thing, "id", "")
    name = written(name) if isinstance(thing, Fact) else name
    file = f"topics/{topic}.toml" if (topic := getattr(thing, "topic", "")) else _FILES.get(section, "label.toml")
    return Place(file, f"{section}.{name}")


_FILES = {"concept": "concepts.toml"}


def named(label: Label) -> dict[str, Named]:
    """Return every fact, ask and parameter by the name that expressions use.

    Raises KnowledgeError where two of them, or one and a name of the language, are written the same.
    """
    found: dict[str, Named] = {}
    things: tuple[Named, ...] = (*label.parameters.values(), *label.facts.values(), *label.asks.values())
    for thing in things:
        name = spoken(thing.name)
        if name in FUNCTIONS or iskeyword(name) or not name.isidentifier():
            raise place_of(thing).error("needs another name: letters, digits and '-', and no word of the language")
        if name in found:
            raise place_of(thing).error(f"has the name of [{place_of(found[name]).table}]; give one of them another")
        found[name] = thing
    return found


def linked(label: Label) -> Label:
    """Return `label` with `uses` filled in.

    Raises KnowledgeError for names that stand for nothing and expressions whose types don't fit (all of
    them, one a line), and for a circle.
    """
    known = named(label)
    _check_shared_names(label)
    # What a file gives once for all stages is wrong once.
    meant = {**dict.fromkeys(map(spoken, label.limits), NUMBER), **meanings(known)}
    if wrong := dict.fromkeys(
        [
            *_wrong_references(label),
            *_wrong_expressions(label, meant),
            *_wrong_formulas(label),
            *_wrong_strengths(label),
        ]
    ):
        raise KnowledgeError("\n".join(wrong))
    uses = _Uses(label, known)
    return replace(
        label,
        facts={name: replace(fact, uses=uses.of(fact)) for name, fact in label.facts.items()},
        asks={name: replace(ask, questionnaire=_questionnaire(label)) for name, ask in label.asks.items()},
        rules={name: replace(rule, uses=uses.of(rule)) for name, rule in label.rules.items()},
        duties={name: replace(duty, uses=uses.of(duty)) for name, duty in label.duties.items()},
        measures={name: replace(measure, uses=uses.of(measure)) for name, measure in label.measures.items()},
    )


def _questionnaire(label: Label) -> str:
    """Return the label's own questionnaire as `canonical|version`; nothing where it has none."""
    own = label.questionnaire
    return f"{own.canonical}|{own.version}" if own is not None else ""


def _all(label: Label) -> Iterator[Says | Parameter | Concept | Fact | Ask | Rule | Duty | Measure]:
    for things in (
        label.says,
        label.parameters,
        label.concepts,
        label.facts,
        label.asks,
        label.rules,
        label.duties,
        label.measures,
    ):
        yield from things.values()


def heads(label: Label) -> list[tuple[str, object]]:
    """Return the tables of label.toml that name parameters and code lists, by their names there."""
    found: list[tuple[str, object]] = [("therapy", label.therapy), ("records", label.records)]
    return [*found, ("audit", label.audit)] if label.audit is not None else found


def _check_shared_names(label: Label) -> None:
    """Refuse names that would mean two things in cases, or in a record's entries."""
    for duty in label.duties.values():
        if duty.name in label.rules:
            raise place_of(duty).error("a rule has the same name; give one of them another")
    for ask in label.asks.values():
        if ask.name in label.concepts:
            raise place_of(ask).error("a code list has the same name; give one of them another")
    for measure in label.measures.values():
        if label.audit is None:
            raise place_of(measure).error("label.toml has no [audit], which every measure needs")
        if measure.group not in label.audit.groups:
            raise (
                place_of(measure)
                .at("group")
                .error(
                    "must be one of the groups of [audit] in label.toml."
                    f"{did_you_mean(measure.group, label.audit.groups)}"
                )
            )


def _wrong_references(label: Label) -> Iterator[str]:
    known: Mapping[str, Collection[str]] = {
        "concept": {*label.concepts, *UNREADABLE.values()},
        "parameter": label.parameters,
        "fact": label.facts,
        "ask": label.asks,
        "sentence": label.says,
        "action": label.actions,
        "rule or duty": {*label.rules, *label.duties},
        "measure": label.measures,
    }
    for thing in (*(head for _, head in heads(label)), *_all(label)):
        for key, refers, name in references(thing):
            if wrong := _wrong_reference(refers, name, known[refers.to], label):
                yield f"{_place_in(thing, label).at(key)}: {wrong}"


def _place_in(thing: object, label: Label) -> Place:
    """Return where a table of the label stands, those of its head among them."""
    named = {id(head): table for table, head in heads(label)}
    return Place("label.toml", named[id(thing)]) if id(thing) in named else place_of(thing)


def _wrong_reference(refers: Refers, name: str, known: Collection[str], label: Label) -> str:
    if name not in known:
        file = f" (there is no codes/{name}.csv)" if refers.to == "concept" else ""
        said = written if refers.to == "fact" else str
        return f"no {refers.to} is called '{said(name)}'{file}.{did_you_mean(said(name), map(said, known))}"
    if refers.to == "parameter":
        parameter = label.parameters[name]
        if sort(parameter.written, parameter.value) != refers.measure:
            return f"the parameter '{name}' must be {_MEASURES[refers.measure]}; it is {parameter.written}"
    return ""


def _wrong_expressions(label: Label, known: Mapping[str, Meaning]) -> Iterator[str]:
    for thing in _all(label):
        for key, expression in expressions(thing):
            try:
                check_expression(expression, known, place_of(thing).at(key))
            except KnowledgeError as error:
                yield str(error)


def _wrong_formulas(label: Label) -> Iterator[str]:
    """Yield what is wrong with a fact's formula: there is none, or it can't be given what it wants."""
    for fact in label.facts.values():
        if isinstance(fact, Estimated) and fact.input in label.concepts:
            try:
                method = formula(fact.formula)
                input_factor(method, label.concepts[fact.input])
            except KnowledgeError as error:
                yield f"{place_of(fact).at('formula')}: {error}"
            else:
                if method.weighs and not fact.weight:
                    yield f"{place_of(fact)}: 'weight' is missing; {method.title} wants it"


def _wrong_strengths(label: Label) -> Iterator[str]:
    """Yield the strengths of drugs that can't be read."""
    for concept in label.concepts.values():
        for code, written_ in concept.strengths.items():
            if strength_of(written_) is None or code.count(" ") != 1:
                place = place_of(concept).at("strengths")
                yield f'{place}: \'{code}\' = \'{written_}\' must be as "RxNorm 123" = "2.5 mg" or "25 mg/mL"'


_MEASURES = {"days": 'days, as in "28 days"', "number": "a number", "word": "a word", "": "there"}


class _Uses:
    """Follows facts and asks to the parameters behind them, once each; a way back to the start is an error."""

    def __init__(self, label: Label, known: Mapping[str, Named]) -> None:
        self.label = label
        self.known = known
        self.done: dict[str, frozenset[str]] = {}
        self.path: list[str] = []

    def of(self, thing: Fact | Ask | Rule | Duty | Measure) -> tuple[str, ...]:
        """Return the parameters that `thing` depends on, by name, sorted."""
        return tuple(sorted(self._behind(thing)))

    def _behind(self, thing: Named | Rule | Duty | Measure) -> frozenset[str]:
        if isinstance(thing, Parameter):
            return frozenset((thing.name,))
        if not isinstance(thing, (Fact, Ask)):
            return self._union(thing)
        name = spoken(thing.name)
        if name in self.path:
            circle = " -> ".join(map(written, (*self.path[self.path.index(name) :], name)))
            raise place_of(thing).error(f"depends on itself: {circle}")
        if name not in self.done:
            self.path.append(name)
            self.done[name] = self._union(thing)
            self.path.pop()
        return self.done[name]

    def _union(self, thing: Fact | Ask | Rule | Duty | Measure) -> frozenset[str]:
        return frozenset().union(*map(self._behind, self._next(thing)))

    def _next(self, thing: Fact | Ask | Rule | Duty | Measure) -> Iterator[Named]:
        for _, refers, name in references(thing):
            if refers.to in ("parameter", "fact", "ask"):
                yield self.known[spoken(name)]
        # When an ask is put does not change what its answer means.
        for _, expression in () if isinstance(thing, Ask) else expressions(thing):
            yield from (self.known[name] for name in names(expression) if name in self.known)
