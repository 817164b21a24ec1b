"""Records nobody wrote for us: a decision or a clear error for each, and none without its screens is let through."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from conftest import SHARED
from precaution import assess, load_label
from precaution.answer import Decision
from precaution.definitions import STAGES, Stage
from precaution.errors import PatientDied, PrecautionError
from precaution.readers import read_any
from precaution.record import Record
from precaution.timeline import timeline
from precaution.writers.structured import to_json
from precaution.writers.text import text as as_text

Json = dict[str, Any]
DATA = SHARED / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared is not here")
TODAY = "2025-03-01"
SCREENS = {"hepatitis-screen", "tuberculosis-screen", "vaccinations"}
PERMISSIVE = {"clear", "caution", "due", "weigh", "may-resume"}


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
            found[name] = read_any(patient, label().terminology, label().asks)
        except PrecautionError:
            continue
    return found


def test_every_file_leads_to_a_decision_or_a_clear_error() -> None:
    ends: Counter[str] = Counter()
    for name, patient in patients():
        found = decided(patient)
        ends[type(found).__name__] += 1
        if isinstance(found, PrecautionError):
            assert len(str(found)) > 20, name
            assert "Traceback" not in str(found), name
    assert ends["Decision"] > 100, ends
    assert set(ends) <= {"Decision", "NoPatient", "MixedPatients", "InputError", "WrongRelease", "PatientDied"}


def test_no_error_speaks_of_the_patient() -> None:
    """Names and dates of birth of the files are searched for in every message."""
    for name, patient in patients():
        found = decided(patient)
        if isinstance(found, PrecautionError):
            raw = (
                json.dumps(patient)
                if isinstance(patient, list)
                else patient.read_text("utf-8")
                if patient.is_file()
                else ""
            )
            private = set(re.findall(r'"(?:family|birthDate|display|text)"\s*:\s*"([^"]{5,})"', raw)) - {"Patient"}
            assert not [each for each in private if each in str(found)], name


@pytest.mark.parametrize("stage", [*STAGES, None])
def test_nobody_without_the_screens_is_let_through(stage: Stage | None) -> None:
    seen = 0
    for name, record in records().items():
        found = decided(record, stage)
        if isinstance(found, Decision):
            undone = {each.duty for each in found.due if each.duty in SCREENS and each.state != "done"}
            assert found.action != "clear" or found.stage != "before-start" or not undone, name
            if found.stage == "before-start" and undone:
                seen += 1
                assert found.action not in PERMISSIVE, name
                assert not found.attested, name
    assert seen > 100 or stage not in ("before-start", None)


def test_a_record_that_knows_nothing_of_a_fact_names_it_as_missing() -> None:
    """Every rule that can't be told says why, and what would settle it is listed."""
    for name, record in records().items():
        found = decided(record, "before-start")
        if isinstance(found, Decision):
            missing = {rule for each in found.missing for rule in each.needed_by}
            asked = bool(found.asks)
            for finding in found.findings:
                if finding.state == "unknown":
                    assert finding.rule in missing or asked, (name, finding.rule)


def test_the_same_record_gives_the_same_bytes_in_any_order() -> None:
    for name, patient in patients():
        if isinstance(patient, list):
            one, two = decided(patient), decided(list(reversed(patient)))
            assert isinstance(one, Decision) == isinstance(two, Decision), name
            if isinstance(one, Decision) and isinstance(two, Decision):
                assert to_json(one) == to_json(two), name


def test_every_decision_can_be_written() -> None:
    for name, record in records().items():
        found = decided(record)
        if isinstance(found, Decision):
            assert json.loads(to_json(found))["action"] == found.action, name
            assert as_text(found).strip(), name


@pytest.mark.parametrize("today", ["1900-01-01", "1990-06-15", "2012-02-29", "9999-12-31"])
def test_any_day_will_do(today: str) -> None:
    for name, record in list(records().items())[::5]:
        found = decided(record, today=today)
        assert isinstance(found, (Decision, PatientDied)), name
        assert not (isinstance(found, Decision) and found.action == "clear"), name


def test_the_timeline_of_a_short_record() -> None:
    short = [record for record in records().values() if 0 < sum(map(len, record.entries.values())) < 12]
    assert short
    for record in short[:8]:
        changes = timeline(record, label(), 739311)
        assert [each.today for each in changes] == sorted({each.today for each in changes})
        assert all(each.action != "clear" for each in changes if each.stage == "before-start")
