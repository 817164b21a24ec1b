"""The examples as one source of many patients, a demo cohort, and what each patient alone comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.ndjson_sources import Json, alone, resources_of
from support.project import PROJECT

EXAMPLES = PROJECT / "examples"
TODAY = "2025-03-01"


def example_resources() -> list[Json]:
    """Return the resources of every example, all references of the form that NDJSON has."""
    found: list[Json] = []
    for file in sorted(EXAMPLES.glob("*.json")):
        resources = resources_of(file)
        person = next(each["id"] for each in resources if each["resourceType"] == "Patient")
        for each in resources:
            for key in ("subject", "patient"):
                if key in each and "reference" in each[key]:
                    each[key] = {"reference": f"Patient/{person}"}
        found += resources
    return found


RESOURCES = example_resources()
ALONE = alone(RESOURCES, TODAY)


def demo(folder: Path, form: str, *more: str) -> Path:
    """Write a demo cohort of 150 patients in a form (`ndjson`, `bundles`), and return its folder."""
    pytest.importorskip("precaution.demo")
    from precaution.cli import run

    assert run(["demo-cohort", "150", "--out", str(folder), "--today", TODAY, "--form", form, *more]) == 0
    return folder
