"""Kinds of `[fact.x]` tables that are worked out of several entries: an estimate by a formula, and a dose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from precaution.knowledge.fact import NUMBER, EnglishWords, Fact
from precaution.knowledge.formulas import formula
from precaution.knowledge.refers import Absent, ConceptName, Concepts, DaysName, Stage
from precaution.values.record import DOSE, Kind


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose(Fact):
    """A number: how much of a drug is taken, in mg a day or a week; 0 where it is not taken."""

    dose: Concepts
    """Drugs, any of these; their doses are added."""
    per: Literal["day", "week"]
    """Over which time: on average, where it is not taken every day."""
    absent: Absent = "no-if-list-complete"
    """What it means that there is none."""
    list: Kind = "medication"
    recent: DaysName = ""
    """Parameter: an order without an end is believed for so many days and raises a question after that."""
    unit: str = "mg"
    """The UCUM unit in which it is compared: `mg`."""

    MEANING = NUMBER

    def places(self) -> tuple[str, ...]:
        """Return the names under which readers file the doses."""
        return tuple([DOSE + concept for concept in self.dose])

    def problem(self) -> str:
        """Doses are read in mg."""
        return "'unit' must be mg" if self.unit != "mg" else ""

    def english(self, words: EnglishWords) -> tuple[str, ...]:
        """Say what is added up, and what an order without an end means."""
        recent = f"without an end an order is believed for {words.parameter(self.recent)}" if self.recent else ""
        return (
            f"how many mg of {words.either(self.dose)} are taken a {self.per}, on average",
            "several orders may each add or take the place of another; an order, a report and a supply are one dose",
            "a dosage in words alone, or in a unit of which no strength is known, can't be told",
            recent,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OfSex(Fact):
    """True or false: whether the record gives this sex (administrative gender); "other" and none can't be told."""

    sex: Literal["female", "male"]
    """The sex, `female` or `male`."""

    def english(self, words: EnglishWords) -> tuple[str, ...]:
        """Say which sex."""
        del words
        return (f"whether the record says {self.sex}",)
