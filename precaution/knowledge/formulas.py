"""Published formulas that estimate what was not measured from a result, age, sex and weight.

A file each under `labels/shared/formulas`. All have one form, in which a larger result and a higher age never make the
estimate larger, and a larger weight never makes it smaller; so an uncertain input has an estimate with two ends:

    times / divisor x (input / knee)^exponent x per-year^age [x (age-from - age)] [x weight in kg]

The exponent is `below` where the input is less than the knee, `above` from there on. What differs by sex is given
for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from precaution.errors import KnowledgeError, did_you_mean
from precaution.knowledge.toml import Place, read, read_toml

if TYPE_CHECKING:
    from precaution.knowledge.terminology import Concept

SEXES = ("female", "male")
FOLDER = Path(__file__).parent.parent / "labels" / "shared" / "formulas"


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A published formula: the keys of its file."""

    title: str
    """What people call it."""
    source: str
    """Where it was published."""
    input_unit: str
    """The UCUM unit of the result that goes in."""
    unit: str
    """The UCUM unit of the estimate."""
    from_age: float
    """Completed years from which it holds; before them there is no estimate."""
    times_by_sex: Mapping[str, float]
    """The factor for a sex, as `{ female = 0.85, male = 1 }`."""
    knee: Mapping[str, float]
    """The result at which the exponent changes, for each sex."""
    below: Mapping[str, float]
    """The exponent below the knee, for each sex."""
    above: Mapping[str, float]
    """The exponent from the knee on, for each sex."""
    times: float = 1.0
    """The factor for everybody."""
    divisor: float = 1.0
    """What everything is divided by."""
    per_year: float = 1.0
    """The factor for each completed year of age: at most 1."""
    age_from: float | None = None
    """From what the completed years are taken away; what is left multiplies it."""
    weighs: bool = False
    """Whether the weight in kg multiplies it."""

    def scale(self, sex: str) -> float:
        """Return all that is the same for everybody of a sex."""
        return self.times * self.times_by_sex[sex] / self.divisor

    def problem(self) -> str:
        """Return why it has not the form above; empty where it has."""
        by_sex = (self.times_by_sex, self.knee, self.below, self.above)
        if any(set(each) != set(SEXES) for each in by_sex):
            return f"what differs by sex must be given for {' and '.join(SEXES)}"
        if min(*self.times_by_sex.values(), *self.knee.values(), self.times, self.divisor) <= 0:
            return "factors and knees must be above 0"
        if max(*self.below.values(), *self.above.values()) > 0 or not 0 < self.per_year <= 1:
            return "more of what goes in, or more years, must not make it larger"
        return ""


def formula(name: str) -> Formula:
    """Return the formula of a name. Raises KnowledgeError where there is none, or its file is wrong."""
    if name not in formulas():
        raise KnowledgeError(f"no formula is called '{name}'.{did_you_mean(name, formulas())}")
    return _read(name)


@cache  # the package's files do not change while it runs
def _read(name: str) -> Formula:
    file = f"shared/formulas/{name}.toml"
    found = read(Formula, read_toml(file_of(name), file), Place(file))
    if wrong := found.problem():
        raise Place(file).error(wrong)
    return found


@cache
def formulas() -> tuple[str, ...]:
    """Return the names of all formulas."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def file_of(name: str) -> Path:
    """Return the file of a formula."""
    return FOLDER / f"{name}.toml"


def input_factor(formula: Formula, concept: Concept) -> float:
    """Return by what a result in the concept's unit is divided to have it in the formula's.

    Raises KnowledgeError where the concept does not say how its unit and the formula's go together.
    """
    if concept.unit == formula.input_unit:
        return 1.0
    found = concept.factors.get(formula.input_unit, 0.0)
    if found > 0:
        return found
    raise KnowledgeError(
        f"'{concept.name}' is in {concept.unit or 'no unit'}, and {formula.title} wants {formula.input_unit}; "
        f"give the factor from {formula.input_unit} in [concept.{concept.name}] factors"
    )
