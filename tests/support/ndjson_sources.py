"""Sources for the tests of cohorts: NDJSON written in any order, and what one patient at a time comes to."""

from __future__ import annotations

import gzip
import json
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds

from precaution import assess, load_label
from precaution.engine.answer import Decision
from precaution.errors import PrecautionError
from precaution.readers import read_resources
from precaution.writers.structured import plain

Json = dict[str, Any]
LABEL = load_label("baricitinib")
TABLES = ("decisions", "findings", "due", "holds", "asks", "missing")


def resources_of(path: Path) -> list[Json]:
    """Return every resource of a file or folder: NDJSON, single resources, Bundles."""
    found: list[Json] = []
    for file in sorted(path.rglob("*.*json")) if path.is_dir() else [path]:
        text = file.read_text(encoding="utf-8")
        values = [json.loads(text)] if file.suffix == ".json" else [json.loads(line) for line in text.splitlines()]
        for value in values:
            whole = value["resourceType"] == "Bundle"
            found += [entry["resource"] for entry in value["entry"]] if whole else [value]
    return found


def person_of(resource: Json) -> str:
    """Return the id of the patient a resource is about."""
    if resource["resourceType"] == "Patient":
        return str(resource["id"])
    subject = resource.get("subject") or resource.get("patient") or {}
    return str(subject.get("reference", "")).replace(":", "/").rpartition("/")[2]


def by_person(resources: list[Json]) -> dict[str, list[Json]]:
    """Return each patient's resources, every medication among them."""
    apart = [each for each in resources if each["resourceType"] in ("Medication", "Substance")]
    found: dict[str, list[Json]] = defaultdict(list)
    for each in resources:
        found[person_of(each)].append(each)
    return {
        person: [*own, *apart]
        for person, own in found.items()
        if any(each["resourceType"] == "Patient" for each in own)
    }


def alone(resources: list[Json], today: str) -> dict[str, Decision | str]:
    """Return each patient's decision by the path of a single patient, or the kind of error."""
    found: dict[str, Decision | str] = {}
    for person, own in by_person(resources).items():
        try:
            record = read_resources(own, LABEL.terminology, LABEL.asks)
            found[person] = assess(record, today=today, label=LABEL)
        except PrecautionError as error:
            found[person] = type(error).__name__
    return found


def written(folder: Path, resources: list[Json], seed: int = 0, files: int = 5, packed: bool = False) -> Path:
    """Write resources in any order to any number of files, whatever their types."""
    dice = random.Random(seed)  # noqa: S311
    shuffled = dice.sample(resources, len(resources))
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        lines = [
            json.dumps(each, separators=(",", ":") if dice.random() < 0.7 else None) for each in shuffled[number::files]
        ]
        data = ("\n".join(lines) + "\n").encode()
        name = f"part-{number}.ndjson"
        if packed and number % 2:
            (folder / f"{name}.gz").write_bytes(gzip.compress(data))
        else:
            (folder / name).write_bytes(data)
    return folder


def rows(out: Path, table: str) -> list[Json]:
    """Return the rows of a table of results."""
    found: list[Json] = ds.dataset(out / table, format="parquet").to_table().to_pylist()
    return found


def table(out: Path, name: str) -> dict[str, list[Json]]:
    """Return the rows of a table by person."""
    found: dict[str, list[Json]] = defaultdict(list)
    for row in rows(out, name):
        found[row.pop("person")].append(row)
    return found


def cells(out: Path) -> dict[tuple[str, ...], object]:
    """Return every cell of the results by person, table, row and column."""
    found: dict[tuple[str, ...], object] = {}
    for name in TABLES:
        for person, own in table(out, name).items():
            for row in own:
                key = str(row.get("rule") or row.get("duty") or row.get("ask") or row.get("fact") or "")
                found |= {(person, name, key, column): value for column, value in row.items()}
    return found


_SAME = {
    "findings": ("rule", "state", "action", "attested", "urgent", "cites", "tell", "why", "parameters", "evidence"),
    "due": ("duty", "state", "action", "due", "overdue_after", "cites", "tell", "why", "lacking", "evidence"),
    "holds": ("rule", "state", "cites", "tell", "release", "evidence"),
    "asks": ("ask", "number", "question", "cites", "answered", "date", "void"),
    "missing": ("fact", "title", "why", "needed_by"),
}


def expected_cells(decisions: dict[str, Decision | str]) -> dict[tuple[str, ...], object]:
    """Return the cells that the decisions of single patients come to."""
    found: dict[tuple[str, ...], object] = {}
    for person, decision in decisions.items():
        if isinstance(decision, str):
            continue
        for column in ("stage", "stage_why", "start", "action", "attested", "today", "label", "version", "digest"):
            found[person, "decisions", "", column] = getattr(decision, column)
        for name, columns in _SAME.items():
            for each in getattr(decision, name):
                found[person, name, str(getattr(each, columns[0])), "label"] = decision.label
                for column in columns:
                    found[person, name, str(getattr(each, columns[0])), column] = plain(getattr(each, column))
    return found


def differences(out: Path, decisions: dict[str, Decision | str]) -> tuple[int, list[tuple[str, ...]]]:
    """Return how many cells were compared, and which differ."""
    expected, found = expected_cells(decisions), cells(out)
    counted = {
        "rank",
        "urgent",
        "overdue_days",
        "reason",
        "reason_date",
        "next_due",
        "holds",
        "unknown",
        "open_holds",
        "due",
        "open_asks",
        "missing",
    }
    extra = {key for key in found.keys() - expected.keys() if not (key[1] == "decisions" and key[3] in counted)}
    return len(expected), sorted([key for key in expected if found.get(key, ...) != expected[key]] + list(extra))
