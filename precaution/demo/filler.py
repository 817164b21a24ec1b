"""Resources that fill a record and mean nothing to a label: visits, and the vital signs taken at them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from precaution.demo.placeholders import Draw

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from precaution.cases.lines import Resource
    from precaution.demo.recipes import Noise, Recipes

_YEARS = 5
_AMBULATORY = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
_UCUM = "http://unitsofmeasure.org"
_VITAL = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}]


def filler(recipes: Recipes, ident: str, wanted: int, rng: Random, today: date) -> list[Resource]:
    """Return `wanted` visits and vital signs of the last years of the patient `ident`."""
    made: list[Resource] = []
    subject = {"reference": f"Patient/{ident}"}
    draw = Draw(rng, today)
    while len(made) < wanted and recipes.noise:
        at = _moment(rng, today)
        visit = f"{ident}-v{len(made)}"
        made.append(
            {
                "resourceType": "Encounter",
                "id": visit,
                "status": "finished",
                "class": _AMBULATORY,
                "subject": subject,
                "period": {"start": at, "end": at},
            }
        )
        for noise in _some(recipes.noise, rng)[: wanted - len(made)]:
            made.append(
                _vital(noise, draw)
                | {
                    "id": f"{ident}-v{len(made)}",
                    "subject": subject,
                    "effectiveDateTime": at,
                    "encounter": {"reference": f"Encounter/{visit}"},
                }
            )
    return made


def _some(noise: Sequence[Noise], rng: Random) -> list[Noise]:
    return rng.sample(noise, rng.randint(1, len(noise)))


def _moment(rng: Random, today: date) -> str:
    day = today - timedelta(days=rng.randint(1, _YEARS * 365))
    return f"{day.isoformat()}T{rng.randint(8, 17):02d}:{rng.choice((0, 15, 30, 45)):02d}:00+01:00"


def _vital(noise: Noise, draw: Draw) -> Resource:
    code: Resource = {"coding": [noise.coding], "text": noise.text}
    whole: Resource = {"resourceType": "Observation", "status": "final", "category": _VITAL, "code": code}
    if noise.number:
        return whole | {"valueQuantity": _quantity(draw, noise.number, noise.unit)}
    return whole | {
        "component": [
            {"code": {"coding": [part.coding]}, "valueQuantity": _quantity(draw, part.number, part.unit)}
            for part in noise.parts
        ]
    }


def _quantity(draw: Draw, limits: str, unit: str) -> dict[str, object]:
    written = draw.value(f"number {limits}")
    number = float(written) if "." in written else int(written)
    return {"value": number, "unit": unit, "system": _UCUM, "code": unit}
