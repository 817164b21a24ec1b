"""Makes synthetic patients one by one: their resources, and the decision that must come of them.

A patient depends on the seed, the day and its number alone: not on how many there are, on the process that makes
it, or on the form it is written in.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple

from precaution.cases.lines import Resource
from precaution.demo.disguises import disguise
from precaution.demo.disguises.kit import Kit
from precaution.demo.filler import filler
from precaution.demo.plan import PatientPlan, drawn_plan
from precaution.demo.resources import demo_resources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from precaution.demo.recipes import Recipes
    from precaution.knowledge.model import Label

ENTRIES = 60
"""How many resources a patient has, more or less, where nothing else is asked for."""

EVERY = 3
"""Each third patient has the next scenario in turn, so that none is left to chance; the others are drawn."""
SEXES = ("female", "male", "other", "unknown")
SITES = tuple(site for site in range(1, 13) for _ in range(13 - site))
"""Twelve sites; the first has twelve times as many patients as the last."""


class SyntheticPatient(NamedTuple):
    """One patient: the resources, the Patient among them, and the truth: what must be decided, and why."""

    ident: str
    resources: list[Resource]
    truth: dict[str, object]


class Generator:
    """Makes the patients of one cohort."""

    def __init__(
        self, label: Label, recipes: Recipes, *, seed: int, today: date, entries: int = ENTRIES, bundled: bool = False
    ) -> None:
        """Make patients for decisions on `today`, with about `entries` resources each.

        `bundled`: each stands in a Bundle of its own, where references may take more forms.
        """
        self.label, self.recipes = label, recipes
        self.seed, self.today, self.entries, self.bundled = seed, today, entries, bundled
        self._in_turn = [each for each in recipes.scenarios.values() if each.weight > 0]
        self._rng(0, "turns").shuffle(self._in_turn)

    def patients(self, many: int) -> Iterator[SyntheticPatient]:
        """Yield the first `many` patients."""
        return (self.patient(number) for number in range(1, many + 1))

    def patient(self, number: int) -> SyntheticPatient:
        """Return the patient of this number."""
        turn, rest = divmod(number, EVERY)
        scenario = self._in_turn[turn % len(self._in_turn)] if not rest and self._in_turn else None
        plan = drawn_plan(self.recipes, self.label, self._rng(number, "plan"), self.today, scenario)
        return self.written(plan, number)

    def written(self, plan: PatientPlan, number: int) -> SyntheticPatient:
        """Return a plan as the FHIR resources of patient `number`.

        Raises KnowledgeError for a line that the language of cases does not know.
        """
        ident = f"demo-{number:07d}"
        rng = self._rng(number, "form")
        found = demo_resources(plan.lines, ident, self.label)
        names = disguise(found, Kit(rng, self.recipes, ident, self.bundled))
        made = [resource for item in found for resource in (item.resource, *item.more)]
        self._add_sex_and_site(number, made)
        made += filler(self.recipes, ident, self.entries - len(made), rng, self.today)
        return SyntheticPatient(ident, made, _truth(ident, plan, names))

    def _add_sex_and_site(self, number: int, made: list[Resource]) -> None:
        """Say the sex and the site of a patient, which no decision looks at and an audit counts by."""
        rng = self._rng(number, "place")
        more = {
            "gender": rng.choices(SEXES, (66, 30, 2, 2))[0],
            "managingOrganization": {"reference": f"Organization/site-{rng.choice(SITES):02d}"},
        }
        for resource in made:
            if resource["resourceType"] == "Patient":
                resource.update(more)

    def _rng(self, number: int, purpose: str) -> Random:
        return Random(f"{self.seed}/{number}/{purpose}")  # noqa: S311 - nothing secret is made of it


def _truth(ident: str, plan: PatientPlan, disguises: list[str]) -> dict[str, object]:
    expect = dict(plan.expect)
    said = (
        {"refused": plan.refused}
        if plan.refused
        else {"stage": expect.pop("stage"), "action": expect.pop("action"), "states": expect}
    )
    return {
        "patient": ident,
        **said,
        "base": plan.base,
        "scenarios": list(plan.scenarios),
        "aimed": list(plan.aimed),
        "traps": list(plan.traps),
        "disguises": disguises,
    }
