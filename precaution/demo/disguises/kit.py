"""What all disguises need: the form of one, and what it works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from precaution.demo.recipes import Recipes
from precaution.demo.resources import DemoResource

if TYPE_CHECKING:
    from precaution.cases.lines import Resource

SERVER = "https://demo.invalid/fhir"


@dataclass(frozen=True, slots=True)
class Kit:
    """What a disguise works with: one patient's random numbers, the recipes, and the form of the output."""

    rng: Random
    recipes: Recipes
    ident: str
    bundled: bool
    """Whether the patient stands in a Bundle of its own, where a reference may be a urn or a search."""


class Disguise(NamedTuple):
    """One way to write the same thing differently."""

    name: str
    chance: float
    """How often it is tried (0 to 1) on a resource that it may fit."""
    apply: Callable[[DemoResource, Kit], bool]


def quantity(resource: Resource) -> dict[str, object] | None:
    """Return the Quantity of an Observation; None where it has none with a unit."""
    found = resource.get("valueQuantity")
    return found if isinstance(found, dict) and "unit" in found else None


def coding(resource: Resource, *keys: str) -> list[dict[str, object]] | None:
    """Return the codings under the first of `keys` that has any; None where none has."""
    for key in keys:
        concept = resource.get(key)
        if isinstance(concept, dict) and isinstance(codings := concept.get("coding"), list) and codings:
            return codings
    return None
