"""What is dated tomorrow by a clock of another time zone is a question of today, by whatever way a record comes in."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from precaution import assess, load_label
from precaution.cli import run
from precaution.engine.decision import decide
from precaution.readers.prefetch import read_prefetch, retrieved
from precaution.service.fhir.queries import ALL, PATIENT, lists
from support.hook_calls import example, prefetch

Json = dict[str, Any]
LABEL = load_label("baricitinib")
TODAY = "2025-03-01"
DAY = date.fromisoformat(TODAY).toordinal()
LOW: Json = {
    "resourceType": "Observation",
    "id": "low",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "751-8"}]},
    "valueQuantity": {"value": 0.4, "unit": "10*9/L", "system": "http://unitsofmeasure.org", "code": "10*9/L"},
}


def ready(at: str) -> list[Json]:
    """The example that is ready, with a low count at a time."""
    found = example("ready")
    (person,) = [each["id"] for each in found if each["resourceType"] == "Patient"]
    return [*found, {**LOW, "subject": {"reference": f"Patient/{person}"}, "effectiveDateTime": at}]


def by_python(resources: list[Json], _: Path, __: pytest.CaptureFixture[str]) -> str:
    return assess(resources, today=TODAY, label=LABEL).action


def by_command(resources: list[Json], folder: Path, capture: pytest.CaptureFixture[str]) -> str:
    file = folder / "patient.json"
    file.write_text(json.dumps(resources), encoding="utf-8")
    assert run(["assess", str(file), "--today", TODAY, "--json"]) == 0
    return str(json.loads(capture.readouterr().out)["action"])


def by_prefetch(resources: list[Json], _: Path, __: pytest.CaptureFixture[str]) -> str:
    sent = prefetch(resources)
    answers = {key: retrieved(value, search=key != PATIENT) for key, value in sent.items()}
    terms, asks = LABEL.terminology, LABEL.asks
    read = read_prefetch(answers, lists(ALL), str(sent[PATIENT]["id"]), (), terms, asks, today=DAY)
    return decide(read.record, LABEL, DAY).decision.action


@pytest.mark.parametrize("way", [by_python, by_command, by_prefetch])
@pytest.mark.parametrize(
    ("at", "action"),
    [
        ("2025-03-02T01:30:00Z", "obtain"),
        ("2025-03-02T11:59:00Z", "obtain"),
        ("2025-03-02T12:00:00Z", "clear"),
        ("2025-03-02", "clear"),
        ("2025-03-02T01:30:00", "clear"),
        ("2025-03-03T01:30:00Z", "clear"),
    ],
)
def test_a_low_count_of_this_evening_somewhere(
    way: Any, at: str, action: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert way(ready(at), tmp_path, capsys) == action
