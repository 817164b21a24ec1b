"""The patients whose entries are said otherwise: the examples, the cases of the label, and made-up ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

from precaution import load_label
from precaution.cases.lines import resources
from precaution.cases.load import Case, load_cases
from precaution.cases.run import label_for
from precaution.demo import Generator, load_recipes
from precaution.errors import PrecautionError
from precaution.knowledge.loading import find_label
from precaution.knowledge.model import Label
from support.hiding.kit import Json, Patient
from support.project import PROJECT

EXAMPLES = PROJECT / "examples"
OFTEN = 60
"""A line that more cases have stands in a base of many; it is tried in few of them."""


@cache
def label() -> Label:
    return load_label("baricitinib")


def examples() -> Iterator[Patient]:
    """Yield the patients of examples/, with each reference as `Type/id`."""
    for line in (EXAMPLES / "today.txt").read_text(encoding="utf-8").splitlines():
        words = line.split()
        if words and words[0] != "#" and len(words) == 2:
            yield Patient(words[0], _unpacked(EXAMPLES / words[0]), date.fromisoformat(words[1]), label())


def _unpacked(path: Path) -> list[Json]:
    text = path.read_text(encoding="utf-8")
    for entry in json.loads(text)["entry"]:
        resource = entry["resource"]
        text = text.replace(entry["fullUrl"], f"{resource['resourceType']}/{resource['id']}")
    found = [entry["resource"] for entry in json.loads(text)["entry"]]
    return sorted(found, key=lambda each: each["resourceType"] != "Patient")


def cases() -> Iterator[Patient]:
    """Yield the patients of the label's cases, each with the lines of its own first."""
    for case in load_cases(Path(find_label("baricitinib"))):
        try:
            yield _of_case(case)
        except PrecautionError:
            continue


def _of_case(case: Case) -> Patient:
    made: list[Json] = resources(case.record, label().terminology)
    own, day = label_for(case, label()), date.fromisoformat(case.today)
    return Patient(case.name, made, day, own, case.stage, tuple(case.answers))


@cache
def lines_of_bases() -> frozenset[str]:
    """Return the resources that many cases have in common, as JSON."""
    counted = Counter(_as_text(each) for patient in cases() for each in patient.resources)
    return frozenset(text for text, many in counted.items() if many > OFTEN)


def of_a_base(resource: Json) -> bool:
    return _as_text(resource) in lines_of_bases()


def _as_text(resource: Json) -> str:
    return json.dumps({name: value for name, value in resource.items() if name != "id"}, sort_keys=True)


def made_up(many: int, seed: int = 41) -> Iterator[Patient]:
    """Yield made-up patients: from plans, already written in the forms of real systems."""
    today = date(2025, 3, 1)
    recipes = load_recipes(Path(find_label("baricitinib")), label())
    generator = Generator(label(), recipes, seed=seed, today=today, entries=0)
    for patient in generator.patients(many):
        once = {json.dumps(each, sort_keys=True): each for each in patient.resources}
        found = sorted(once.values(), key=lambda each: each["resourceType"] != "Patient")
        yield Patient(patient.ident, found, today, label())
