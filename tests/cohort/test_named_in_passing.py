"""What a resource names in passing is heard in a cohort as it is of one patient, though most lines are dropped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from precaution.assessment import assess
from precaution.cohort import cohort
from support.ndjson_sources import LABEL, rows, written
from support.project import PROJECT

Json = dict[str, Any]
TODAY = "2025-03-01"
TB: Json = {
    "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "A15.0", "display": "Tuberculosis of lung"}]
}


def ready() -> list[Json]:
    """Return the resources of a patient of whom all is known, with references as a server has them."""
    bundle = json.loads((PROJECT / "examples" / "ready.json").read_text(encoding="utf-8"))
    written = json.dumps([entry["resource"] for entry in bundle["entry"]])
    for entry in bundle["entry"]:
        resource = entry["resource"]
        written = written.replace(entry["fullUrl"], f"{resource['resourceType']}/{resource['id']}")
    found: list[Json] = json.loads(written)
    return found


READY = ready()
PATIENT = next(each["id"] for each in READY if each["resourceType"] == "Patient")
SUBJECT = {"subject": {"reference": f"Patient/{PATIENT}"}}
SPRAINS = [
    {
        "resourceType": "Condition",
        "id": f"sprain-{number}",
        "clinicalStatus": {"coding": [{"code": "resolved"}]},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "44465007", "display": "Sprain of ankle"}]},
        "onsetDateTime": "2022-06-03",
        **SUBJECT,
    }
    for number in range(3)
]
"""Nothing is taken from them but that there is a list: all but the first are dropped."""


def resource(kind: str, **elements: object) -> Json:
    return {"resourceType": kind, "id": "x", "status": "final", **SUBJECT, **elements}


CONCLUDED = {"effectiveDateTime": "2025-02-20", "code": {"text": "CT of the chest"}}
NAMING = {
    "nothing more": [],
    "a coded conclusion": [resource("DiagnosticReport", **CONCLUDED, conclusionCode=[TB])],
    "a conclusion in words": [resource("DiagnosticReport", **CONCLUDED, conclusion="Active tuberculosis of the lung.")],
    "a conclusion that denies it": [resource("DiagnosticReport", **CONCLUDED, conclusion="No sign of tuberculosis.")],
    "a list of what is dropped": [
        *SPRAINS,
        resource("List", status="current", entry=[{"item": {"reference": f"Condition/sprain-{n}"}} for n in range(3)]),
    ],
    "a list of what was not sent": [
        *SPRAINS,
        resource("List", status="current", entry=[{"item": {"reference": "Condition/not-sent"}}]),
    ],
    "a visit for what is dropped": [
        *SPRAINS,
        resource(
            "Encounter",
            status="finished",
            period={"start": "2025-02-20"},
            diagnosis=[{"condition": {"reference": "Condition/sprain-2", "display": "Tuberculosis"}}],
        ),
    ],
    "a visit for what was not sent": [
        resource(
            "Encounter",
            status="finished",
            period={"start": "2025-02-20"},
            diagnosis=[{"condition": {"reference": "Condition/not-sent", "display": "Tuberculosis"}}],
        ),
    ],
    "a team": [resource("CareTeam", status="active", reasonCode=[TB])],
}
CLEAR = {"nothing more", "a conclusion that denies it", "a list of what is dropped", "a visit for what is dropped"}


@pytest.mark.parametrize("name", NAMING)
def test_a_cohort_hears_what_is_heard_of_one_patient(name: str, tmp_path: Path) -> None:
    resources = [*READY, *NAMING[name]]
    alone = assess(resources, today=TODAY, label=LABEL).action
    assert (alone == "clear") == (name in CLEAR)
    summary = cohort(written(tmp_path / "in", resources), tmp_path / "out", today=TODAY, workers=1)
    assert summary.decided == 1
    assert [row["action"] for row in rows(tmp_path / "out", "decisions")] == [alone]
