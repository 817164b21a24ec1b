"""What every kind of fact is: a table of the label's folder that says of itself what it means and looks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from precaution.knowledge.toml import references

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from precaution.knowledge.expression import Expression
    from precaution.knowledge.refers import Stage

Meaning = str | tuple[str, ...]
"""NUMBER, TRUTH, or the words that a name can be."""
NUMBER = "a number"
TRUTH = "true or false"


class EnglishWords(Protocol):
    """How a label's names are written in English, for the sentences of a kind."""

    def parameter(self, name: str) -> str:
        """Return the value of a parameter, and that it is a choice of ours or of a site."""
        ...

    def phrase(self, expression: Expression) -> str:
        """Return an expression for the middle of a sentence."""
        ...

    def either(self, names: Iterable[str]) -> str:
        """Return names as `a, b or c`."""
        ...

    def listed(self, names: Iterable[str]) -> str:
        """Return names as `a, b and c`."""
        ...

    def ages(self, within: Mapping[Stage, str]) -> str:
        """Return how old a result may be, by stage."""
        ...

    def unit(self, fact: Fact) -> str:
        """Return the unit in which a fact's numbers are compared, with the space before it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What every `[fact.x]` has, whatever its kind."""

    name: str
    topic: str
    title: str = ""
    """What it is, as a reader of the answer sees it; the name where left out."""
    reading: str = ""
    """How we take the label's open words here."""
    uses: tuple[str, ...] = ()
    """Parameters that the fact depends on (filled in by the loader)."""

    MEANING: ClassVar[Meaning] = TRUTH

    def meaning(self) -> Meaning:
        """Return what its value can be: NUMBER, TRUTH, or words."""
        return self.MEANING

    def concepts(self) -> tuple[str, ...]:
        """Return the code lists that it looks at: whatever its fields name."""
        return tuple([name for _, refers, name in references(self) if refers.to == "concept"])

    def window(self, _stage: Stage) -> str:
        """Return the parameter that says how old an entry may be at a stage; empty where any age counts."""
        return ""

    def numbers(self) -> tuple[float, ...]:
        """Return the label's own numbers in it, which a sentence must state."""
        return ()

    def problem(self) -> str:
        """Return what is wrong with its fields together; empty where nothing is."""
        return ""

    def english(self, words: EnglishWords) -> tuple[str, ...]:
        """Return what it looks at, in sentences without capital and full stop; an empty one is left out."""
        raise NotImplementedError
