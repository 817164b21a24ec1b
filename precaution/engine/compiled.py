"""A label at a stage, compiled once: expressions and facts as closures, and where in a record each fact looks.

What is compiled holds nothing of a patient. It is kept by the label object that it was made of, and by no other: a copy
of a label, or one with another parameter, is compiled anew, whatever its name and digest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from precaution.engine.answer import ATTESTED, grave
from precaution.engine.background import Backgrounds
from precaution.engine.chart import Known, Setting
from precaution.engine.doubtful import doubtful_readings
from precaution.engine.kinds import LOOKS
from precaution.engine.signed import not_reviewed
from precaution.knowledge.computed_facts import Dose, OfSex
from precaution.knowledge.expression import Decider, Expression, Test, compiled, decider, names, spoken
from precaution.knowledge.fact_kinds import Derived, Planned, ReachedAge
from precaution.knowledge.linking import named
from precaution.knowledge.model import Ask, Duty, Parameter, Rule
from precaution.values.interval import exactly
from precaution.values.record import ANSWER, UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precaution.knowledge.fact import Fact
    from precaution.knowledge.model import Label
    from precaution.knowledge.refers import Stage

STAY = "stay-interrupted"
"""The action of a hold."""


class CompiledExpression(NamedTuple):
    """An expression with what is made of it."""

    expression: Expression
    test: Test
    """What it comes to for a patient."""
    decider: Decider
    """Which of its names make it so."""
    names: tuple[str, ...]
    parameters: frozenset[str]
    """The parameters among them, as the label's folder writes them."""


class CompiledRule(NamedTuple):
    """A rule that applies at the stage."""

    rule: Rule
    when: CompiledExpression
    is_hold: bool
    """Whether it interrupts treatment, and stands until it is released."""


class Search(NamedTuple):
    """What a fact looks for: code lists, each once, and the days of its window; None where it has none."""

    concepts: tuple[str, ...]
    days: float | None


class CompiledLabel:
    """A label at a stage. Names are those of expressions, with `_` for `-`."""

    def __init__(self, label: Label, stage: Stage) -> None:
        """Compile every fact of the label for patients at that stage."""
        setting = Setting(label, stage)
        self.label, self.stage = label, stage
        self.names = named(label)
        """Every fact, ask and parameter."""
        self.parameters = {spoken(name): _chosen(each) for name, each in label.parameters.items()}
        self.ages = {name for name, fact in label.facts.items() if isinstance(fact, (ReachedAge, OfSex))}
        self.asks = {spoken(ask.name): ask for ask in sorted(label.asks.values(), key=lambda ask: int(ask.number[1:]))}
        """Every ask, by number."""
        self.looks = {name: LOOKS[type(f)](f, setting) for name, f in label.facts.items() if type(f) in LOOKS}
        """fact = how it is worked out of a chart; none of one that is made of others."""
        self.searches = {name: _search(fact, setting) for name, fact in label.facts.items()}
        self.places = {name: _places(each) for name, each in self.names.items() if not isinstance(each, Parameter)}
        """fact or ask = the names under which a record files what it looks at; none where it is made of others."""
        self.backgrounds = Backgrounds(label)
        self.blanks: dict[Any, Any] = {}
        """What `precaution.engine.memo` keeps."""
        plain = [name for name in label.actions if not name.endswith(ATTESTED)]
        self.ranks = {(name, attested): grave(name, attested, label) for name in plain for attested in (True, False)}
        """How grave each action is, attested or not: 0 the gravest."""
        topics = {topic: place for place, topic in enumerate(dict.fromkeys((*label.reasons, *label.topics)))}
        rules_and_duties: tuple[Rule | Duty, ...] = (*label.rules.values(), *label.duties.values())
        self.order = {each.name: topics.get(each.topic, 0) for each in rules_and_duties}
        """rule or duty = the place of its topic among reasons."""
        self._expressions: dict[int, CompiledExpression] = {}
        """The expressions by their identity: comparing two trees would cost more than evaluating them."""
        derived = {name: fact for name, fact in label.facts.items() if isinstance(fact, Derived)}
        self.derived = {name: self.expression(fact.expression) for name, fact in derived.items()}
        """fact made of others = its expression."""
        self.rules = {name: self._rule(rule) for name, rule in label.rules.items() if stage in rule.when}
        """Those that apply at the stage."""
        self.not_reviewed = not_reviewed(label, stage)
        """Rules and duties that are not signed, where the site demands it."""
        self.doubtful_readings = doubtful_readings(label, stage)
        """Sentences without a reading that holds, on which something rests at the stage."""

    def expression(self, expression: Expression) -> CompiledExpression:
        """Return an expression of the label, compiled."""
        found = self._expressions.get(id(expression))
        if found is None:
            own = names(expression)
            parameters = frozenset([self.names[name].name for name in own if name in self.parameters])
            made = CompiledExpression(expression, compiled(expression), decider(expression), own, parameters)
            found = self._expressions[id(expression)] = made
        return found

    def _rule(self, rule: Rule) -> CompiledRule:
        is_hold = rule.then[self.stage] == STAY and rule.release is not None
        return CompiledRule(rule, self.expression(rule.when[self.stage]), is_hold)

    def places_behind(self, names: Iterable[str]) -> frozenset[str]:
        """Return where facts and asks look, and all that they are made of."""
        places, todo, seen = set[str](), list(names), set[str]()
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            places |= self.places.get(name, frozenset())
            if name in self.derived:
                todo.extend(self.derived[name].names)
            elif name in self.asks:
                todo.extend(self.asks[name].about)
        return frozenset(places)


def compiled_label(label: Label, stage: Stage) -> CompiledLabel:
    """Return a label compiled for a stage: made when it is first asked for, and kept by the label itself."""
    found: CompiledLabel | None = label.compiled.get(stage)
    if found is None or found.label is not label:
        found = label.compiled[stage] = CompiledLabel(label, stage)
    return found


def _chosen(parameter: Parameter) -> Known:
    """Return a parameter as a fact."""
    value = parameter.value
    return Known(value if isinstance(value, (str, bool)) else exactly(value))


def _places(definition: Fact | Ask) -> frozenset[str]:
    """Where a record files what a fact looks at: its code lists, and what can't be read of its list."""
    if isinstance(definition, Ask):
        return frozenset((ANSWER + definition.name,))
    kind: str = "order" if isinstance(definition, Planned) else getattr(definition, "list", "")
    doses = definition.places() if isinstance(definition, Dose) else ()
    return frozenset((*definition.concepts(), *doses)) | ({UNREADABLE[kind]} if kind in UNREADABLE else set())


def _search(definition: Fact, setting: Setting) -> Search:
    concepts = tuple(dict.fromkeys(definition.concepts()))
    return Search(concepts, setting.window(definition.window(setting.stage)))
