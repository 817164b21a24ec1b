"""Kinds of `[fact.x]` tables that are worked out of several entries: an estimate by a formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from precaution.knowledge.fact import NUMBER, EnglishWords, Fact
from precaution.knowledge.formulas import formula
from precaution.knowledge.refers import ConceptName, Concepts, DaysName, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated(Fact):
    """A number: the latest measured value, or of a day on which none was measured what a formula makes of a result."""

    estimate: Concepts
    """Results that measure it (or that the laboratory worked out itself), any of these: they are taken as they are."""
    input: ConceptName
    """The result that goes into the formula (creatinine), in its own unit or one that its `factors` convert."""
    formula: str
    """The name of a file of `shared/formulas`, as `ckd-epi-2021` or `cockcroft-gault`; it names its source."""
    worst: Literal["low", "high"]
    """Which of several on one day counts."""
    weight: ConceptName = ""
    """The body weight in kg, where the formula wants it."""
    weight_within: DaysName = ""
    """Parameter: how old the weight may be; any age where left out."""
    within: Mapping[Stage, DaysName] = field(default_factory=dict["Stage", str])
    """Parameter: how old the result may be, by stage; any age where left out."""
    unit: str = ""
    """The UCUM unit in which it is compared: the formula's, and that of what was measured."""

    MEANING = NUMBER

    def window(self, stage: Stage) -> str:
        """Return the parameter for the stage."""
        return self.within.get(stage, "")

    def english(self, words: EnglishWords) -> tuple[str, ...]:
        """Say what is measured, what stands in for it, and by which formula."""
        method = formula(self.formula)
        weight = f", and weight ({words.either((self.weight,))})" if self.weight else ""
        old = f"the weight may be {words.parameter(self.weight_within)} old" if self.weight_within else ""
        return (
            f"the latest result of {words.either(self.estimate)}, of several on one day the {self.worst}est",
            f"on a day without one, {words.either((self.input,))} by the {method.title} ({method.source}), with age "
            f"and sex{weight}",
            f"a sex that is not known is taken as either; below {method.from_age:g} years of age there is no estimate",
            words.ages(self.within),
            old,
        )
