"""Records nobody wrote for us: every patient of the shared data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from precaution import assess, load_label
from precaution.engine.answer import Decision
from precaution.errors import PrecautionError
from precaution.knowledge.refers import Stage
from precaution.readers import read, read_resources
from precaution.values.record import Record
from support.project import SHARED

Json = dict[str, Any]
DATA = SHARED / "data"
TODAY = "2025-03-01"


@lru_cache(maxsize=1)
def label() -> Any:
    return load_label("baricitinib")


def of_bulk(folder: Path) -> dict[str, list[Json]]:
    """Return the resources of a bulk export by patient, its shared resources (Medication) with each."""
    found: dict[str, list[Json]] = {}
    shared: list[Json] = []
    for path in sorted(folder.glob("*.ndjson")):
        for line in path.read_text(encoding="utf-8").splitlines():
            resource: Json = json.loads(line)
            subject = resource.get("subject") or resource.get("patient") or {}
            if resource["resourceType"] == "Patient":
                found.setdefault(resource["id"], []).append(resource)
            elif subject.get("reference"):
                found.setdefault(subject["reference"].rpartition("/")[2], []).append(resource)
            else:
                shared.append(resource)
    return {
        name: [*own, *shared] for name, own in found.items() if any(each["resourceType"] == "Patient" for each in own)
    }


def patients() -> Iterator[tuple[str, Any]]:
    """Yield every patient of the shared data: a name, and resources, a file or a folder."""
    for bulk in sorted(DATA.glob("synthea-*-ndjson")):
        yield from ((f"{bulk.name}/{name}", resources) for name, resources in of_bulk(bulk).items())
    for folder in sorted(path for path in DATA.glob("ecqm-qicore/*/*") if path.is_dir()):
        yield f"ecqm-qicore/{folder.parent.name}/{folder.name}", folder
    for path in sorted(DATA.rglob("*.json")):
        if "ecqm-qicore" not in path.parts:
            yield str(path.relative_to(DATA)), path


def decided(patient: Any, stage: Stage | None = None, today: str = TODAY) -> Decision | PrecautionError:
    try:
        return assess(patient, today=today, label=label(), stage=stage, everything=True)
    except PrecautionError as error:
        return error


@lru_cache(maxsize=1)
def records() -> dict[str, Record]:
    """Return every patient that can be read, once."""
    found: dict[str, Record] = {}
    for name, patient in patients():
        try:
            reader = read if isinstance(patient, Path) else read_resources
            found[name] = reader(patient, label().terminology, label().asks)
        except PrecautionError:
            continue
    return found
