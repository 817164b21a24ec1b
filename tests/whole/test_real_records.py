"""Records nobody wrote for us: a decision or a clear error for each, and none without its screens is let through."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from precaution.engine.answer import Decision
from precaution.errors import PatientDied, PrecautionError
from precaution.knowledge.refers import STAGES, Stage
from precaution.timeline import timeline
from precaution.writers.structured import to_json
from precaution.writers.text import text as as_text
from support.real_records import DATA, decided, label, patients, records

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared is not here")
SCREENS = {"hepatitis-screen", "tuberculosis-screen", "vaccinations"}
PERMISSIVE = {"clear", "caution", "due", "weigh", "may-resume"}


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
