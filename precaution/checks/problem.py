"""What a check looks at, and what it finds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from precaution.cases.load import Case
from precaution.knowledge.expression import names
from precaution.knowledge.fact_kinds import Derived
from precaution.knowledge.folder import Lists
from precaution.knowledge.linking import Named, named
from precaution.knowledge.model import Label
from precaution.knowledge.toml import expressions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.errors import KnowledgeError
    from precaution.knowledge.expression import Expression
    from precaution.knowledge.fact import Fact
    from precaution.knowledge.model import Ask, Duty, Measure, Rule, Says
    from precaution.knowledge.toml import Place


class LabelProblem(NamedTuple):
    """Something wrong in a label's folder."""

    where: str
    """File, table and key, as `topics/counts.toml [rule.low] when`."""
    message: str
    """What is wrong and what to do."""

    def __str__(self) -> str:
        """Return both in one line."""
        return f"{self.where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Folder:
    """A label's folder, read."""

    label: Label
    cases: tuple[Case, ...]
    lists: Lists
    text: str | None
    """The label's own text, where it was given."""

    def named(self) -> dict[str, Named]:
        """Return facts, asks and parameters by the names that expressions use."""
        return named(self.label)

    def outcomes(self) -> tuple[Rule | Duty, ...]:
        """Return rules and duties: what a sentence can lead to."""
        return (*self.label.rules.values(), *self.label.duties.values())


_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def spoken_of(tell: str) -> list[str]:
    """Return the names that stand in braces in a `tell`."""
    return [name for inside in _PLACEHOLDER.findall(tell) for name in inside.split(" reaches ")]


def problem(place: Place, message: str) -> LabelProblem:
    """Return a problem at a place."""
    return LabelProblem(str(place), message)


def problems(error: KnowledgeError) -> list[LabelProblem]:
    """Return what the loader found wrong, one problem a line."""
    return [
        LabelProblem(where, message) for where, _, message in (line.partition(": ") for line in str(error).split("\n"))
    ]


def whole_expressions(
    thing: Says | Fact | Ask | Rule | Duty | Measure, known: dict[str, Named]
) -> Iterator[Expression]:
    """Yield the expressions of `thing`, and those of the facts in them, each once."""
    todo = [expression for _, expression in expressions(thing)]
    seen: set[str] = set()
    while todo:
        expression = todo.pop(0)
        yield expression
        for name in names(expression):
            fact = known.get(name)
            if isinstance(fact, Derived) and name not in seen:
                seen.add(name)
                todo.append(fact.expression)
