"""People of three resources each, and lines written as they are given: for tests of what a run does with files."""

from __future__ import annotations

import json
from pathlib import Path

from support.ndjson_sources import Json

TB = {"coding": [{"system": "http://snomed.info/sct", "code": "56717001", "display": "Tuberculosis"}]}
BMI = {"coding": [{"system": "http://loinc.org", "code": "39156-5", "display": "BMI"}], "text": "BMI"}
SECRET = "Mustermann"  # noqa: S105


def person(name: str, **more: object) -> list[Json]:
    """Return a small record; the name in it must never be seen in a message."""
    subject = {"reference": f"Patient/{name}"}
    return [
        {"resourceType": "Patient", "id": name, "birthDate": "1980-01-01", "name": [{"family": SECRET}], **more},
        {"resourceType": "Condition", "id": f"c-{name}", "subject": subject, "code": TB},
        {
            "resourceType": "Observation",
            "id": f"o-{name}",
            "status": "final",
            "subject": subject,
            "code": BMI,
            "effectiveDateTime": "2025-01-01",
            "note": [{"text": SECRET}],
        },
    ]


def people(count: int = 3) -> list[Json]:
    """Return the resources of so many small records."""
    return [resource for number in range(count) for resource in person(f"p{number}")]


def put(folder: Path, *resources: Json | bytes, name: str = "a.ndjson") -> Path:
    """Write a file of lines as they are given, resources as JSON, and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    found = [
        each if isinstance(each, bytes) else json.dumps(each, separators=(",", ":")).encode() for each in resources
    ]
    (folder / name).write_bytes(b"\n".join(found) + b"\n")
    return folder


def ordered_by_reference(name: str) -> tuple[Json, Json]:
    """Return an order of the drug for a person, and the Medication that it refers to, which is nobody's own."""
    order = {
        "resourceType": "MedicationRequest",
        "id": "r",
        "status": "active",
        "intent": "order",
        "authoredOn": "2025-01-01",
        "subject": {"reference": f"Patient/{name}"},
        "medicationReference": {"reference": "Medication/m"},
    }
    drug = {
        "resourceType": "Medication",
        "id": "m",
        "code": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "2047232"}]},
    }
    return order, drug
