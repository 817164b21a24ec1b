"""What the facts of a label need for every patient at a stage, worked out once and kept by the label's digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.engine.chart import Known, Setting
from precaution.engine.kinds import durations, figures, history
from precaution.engine.kinds import qualitative as results
from precaution.knowledge.expression import compiled, decider, spoken
from precaution.knowledge.expression import names as names_of
from precaution.knowledge.fact_kinds import (
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
from precaution.knowledge.model import Ask
from precaution.values.interval import exactly
from precaution.values.record import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from precaution.engine.chart import Look
    from precaution.knowledge.model import Label, Parameter
    from precaution.knowledge.refers import Stage

ANSWER = "ask:"
"""Readers file answers under this prefix and the ask's name."""

_KINDS: Mapping[type[Fact], Callable[..., Look]] = {
    Latest: figures.latest,
    Extreme: figures.extreme,
    Tested: results.tested,
    Worded: results.worded,
    Ever: history.ever,
    Active: history.active,
    Repeated: history.repeated,
    Planned: history.planned,
    DaysSince: durations.days_since,
    DaysOn: durations.days_on,
    ReachedAge: durations.reached_age,
}


class Prepared:
    """A label at a stage: its names, its parameters as facts, how each fact is worked out, and where it looks."""

    def __init__(self, label: Label, stage: Stage) -> None:
        """Prepare every fact of the label for patients at that stage."""
        tables: tuple[Mapping[str, Fact | Ask | Parameter], ...] = (label.facts, label.asks, label.parameters)
        setting = Setting(label, stage)
        self.label, self.stage = label, stage
        self.names = {spoken(name): each for table in tables for name, each in table.items()}
        """Every name an expression may use, with `_` for `-`."""
        self.parameters = {spoken(name): _chosen(each) for name, each in label.parameters.items()}
        derived = {name: fact for name, fact in label.facts.items() if isinstance(fact, Derived)}
        self.derived = {name: compiled(fact.expression) for name, fact in derived.items()}
        """fact made of others = whether it holds, as a closure over the others."""
        self.behind = {name: decider(fact.expression) for name, fact in derived.items()}
        """fact made of others = which of them decide it."""
        self.looks = {name: _KINDS[type(f)](f, setting) for name, f in label.facts.items() if name not in derived}
        """any other fact = how it is worked out of a chart."""
        self.places = {name: places for name, fact in label.facts.items() if (places := _places(fact))}
        """fact = the names under which a record files what it looks at; a record without any has nothing for it."""
        self.asks = {spoken(name): ask for name, ask in label.asks.items()}
        self.touches: dict[str, list[str]] = {ANSWER + name: [spoken(name)] for name in label.asks}
        """a name under which a record files entries = the facts and asks that look there."""
        for name, places in self.places.items():
            for place in places:
                self.touches.setdefault(place, []).append(name)

    def reach(self, names: Iterable[str]) -> frozenset[str] | None:
        """Return where facts and asks look, with all behind them; None where any depends on the date of birth."""
        places: set[str] = set()
        todo, seen = list(names), set[str]()
        while todo:
            name = todo.pop()
            thing = self.names.get(name)
            if name in seen:
                continue
            seen.add(name)
            if isinstance(thing, ReachedAge):
                return None
            places |= self.places.get(name, frozenset())
            if isinstance(thing, Derived):
                todo.extend(names_of(thing.expression))
            elif isinstance(thing, Ask):
                places.add(ANSWER + thing.name)
                todo.extend(thing.about)
        return frozenset(places)


_PREPARED: dict[tuple[str, Stage], Prepared] = {}


def prepared(label: Label, stage: Stage) -> Prepared:
    """Return what is worked out once for a label at a stage."""
    kept = _PREPARED.get((label.digest, stage))
    if kept is None:
        kept = _PREPARED[label.digest, stage] = Prepared(label, stage)
    return kept


def _chosen(parameter: Parameter) -> Known:
    """Return a parameter as a fact."""
    value = parameter.value
    return Known(value if isinstance(value, (str, bool)) else exactly(value))


_LOOKS: Mapping[type[Fact], tuple[str, ...]] = {
    Latest: ("latest", "derived"),
    Extreme: ("extreme", "derived"),
    Tested: ("test", "performed"),
    Ever: ("ever", "doubt"),
    Active: ("active", "doubt"),
    Repeated: ("repeated",),
    Planned: ("planned",),
    Worded: ("latest_of", "questions"),
    DaysSince: ("days_since",),
    DaysOn: ("days_on",),
}
"""The fields of each kind that name code lists. A fact of another kind is made of others, or of the date of birth."""


def concepts_of(definition: Fact) -> tuple[str, ...]:
    """Return the code lists that a fact looks at."""
    fields = _LOOKS.get(type(definition), ())
    return tuple(concept for name in fields for concept in getattr(definition, name))


def _places(definition: Fact) -> frozenset[str]:
    """Where a record files what a fact looks at: its code lists, and what can't be read of its list."""
    kind: str = "order" if isinstance(definition, Planned) else getattr(definition, "list", "")
    return frozenset(concepts_of(definition)) | ({UNREADABLE[kind]} if kind in UNREADABLE else set())
