"""What the facts of a label need for every patient, worked out once and kept by the label's digest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from precaution.definitions import Ask
from precaution.expression import compiled, spoken
from precaution.expression import names as names_of
from precaution.fact_kinds import (
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
from precaution.facts.known import Known
from precaution.interval import exactly
from precaution.record import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from precaution.definitions import Label, Parameter
    from precaution.expression import Answers
    from precaution.logic import Truth

ANSWER = "ask:"
"""Readers file answers under this prefix and the ask's name."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A label's names, its parameters as facts, and where each fact looks."""

    names: Mapping[str, Fact | Ask | Parameter]
    """Every name an expression may use, with `_` for `-`."""
    parameters: Mapping[str, Known]
    places: Mapping[str, frozenset[str]]
    """fact = the names under which a record files what it looks at; a record without any has nothing for it."""
    derived: Mapping[str, Callable[[Answers], Truth]]
    """fact made of others = whether it holds, as a closure over the others."""
    reaches: dict[str, frozenset[str] | None] = field(default_factory=dict[str, "frozenset[str] | None"])
    """rule or duty at a stage = where all that it depends on looks; None where the date of birth is a part of it."""
    absent: dict[tuple[str, str, bool], Known] = field(default_factory=dict[tuple[str, str, bool], Known])
    """(fact, stage, whether its list is complete) = what it is for a record that has nothing for it."""

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


_PREPARED: dict[str, Prepared] = {}


def prepared(label: Label) -> Prepared:
    """Return what is worked out once for a label."""
    kept = _PREPARED.get(label.digest)
    if kept is None:
        tables: tuple[Mapping[str, Fact | Ask | Parameter], ...] = (label.facts, label.asks, label.parameters)
        kept = _PREPARED[label.digest] = Prepared(
            {spoken(name): each for table in tables for name, each in table.items()},
            {spoken(name): chosen(each) for name, each in label.parameters.items()},
            {name: places for name, fact in label.facts.items() if (places := _places(fact))},
            {name: compiled(fact.expression) for name, fact in label.facts.items() if isinstance(fact, Derived)},
        )
    return kept


def chosen(parameter: Parameter) -> Known:
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
