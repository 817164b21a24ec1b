"""A cohort's answers are those of one patient at a time, cell by cell, whatever the order and the split of files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from precaution import assess
from precaution.cohort import cohort
from precaution.cohort.sort import files as source_files
from precaution.cohort.sort import lines
from precaution.engine.answer import Decision
from precaution.errors import PatientDied
from support.cohort_people import ALONE, EXAMPLES, RESOURCES, TODAY, demo, example_resources
from support.effort import tries
from support.ndjson_sources import LABEL, alone, differences, resources_of, table, written
from support.project import SHARED


def test_the_examples_as_bundles(tmp_path: Path) -> None:
    cohort(EXAMPLES, tmp_path / "out", today=TODAY, workers=1)
    compared, differ = differences(tmp_path / "out", alone(example_resources(), TODAY))
    print(f"{compared} cells compared")  # noqa: T201 - how much was compared is part of the answer
    assert compared > 500
    assert differ == []


@pytest.mark.parametrize("name", ["synthea-v2.4-ndjson", "synthea-v2.7-ndjson"])
@pytest.mark.parametrize("today", ["2021-07-10", "2015-01-01"])
def test_every_synthea_patient(name: str, today: str, tmp_path: Path) -> None:
    if not SHARED.is_dir():
        pytest.skip("../shared is not here")
    source = SHARED / "data" / name
    decisions = alone(resources_of(source), today)
    summary = cohort(source, tmp_path / "out", today=today, workers=1)
    compared, differ = differences(tmp_path / "out", decisions)
    print(f"{name}: {compared} cells of {len(decisions)} patients compared")  # noqa: T201 - how much was compared is part of the answer
    assert compared > 2000
    assert differ == []
    died = [person for person, decision in decisions.items() if decision == "PatientDied"]
    assert (summary.decided, summary.died, summary.failed) == (len(decisions) - len(died), len(died), 0)
    assert {person for person, rows in table(tmp_path / "out", "problems").items() if rows[0]["kind"] == "died"} == set(
        died
    )


@given(
    seed=st.integers(0, 2**32),
    files=st.integers(1, 9),
    packed=st.booleans(),
    many=st.integers(1, 7),
    piece=st.integers(200, 100_000),
)
@settings(max_examples=tries(3, 25), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_order_no_split_and_no_cut_of_files_changes_an_answer(
    seed: int, files: int, packed: bool, many: int, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pieces of a file are made so small that lines stand on their borders."""
    with TemporaryDirectory() as folder, monkeypatch.context() as patched:
        patched.setattr(lines, "SIZE", max(1, 200_000 // many))
        patched.setattr(source_files.pieces, "__defaults__", (piece,))
        patched.setattr(source_files, "BLOCK", max(1, piece // 3))
        source = written(Path(folder, "in"), RESOURCES, seed, files, packed)
        summary = cohort(source, Path(folder, "out"), today=TODAY, workers=1)
        assert (summary.people, summary.clean) == (len(ALONE), True)
        assert differences(Path(folder, "out"), ALONE)[1] == []


def test_two_processes_come_to_the_same_bytes_as_one(tmp_path: Path) -> None:
    source = written(tmp_path / "in", RESOURCES, files=4)
    for workers in (1, 2):
        cohort(source, tmp_path / str(workers), today=TODAY, workers=workers, history=True)
    files = sorted(path.relative_to(tmp_path / "1") for path in (tmp_path / "1").rglob("*") if path.is_file())
    assert len(files) > 10
    assert [
        file for file in files if (tmp_path / "1" / file).read_bytes() != (tmp_path / "2" / file).read_bytes()
    ] == []


@pytest.mark.parametrize("form", ["", "http://server/fhir/", "urn:uuid:"])
def test_every_form_of_reference_to_a_patient(form: str, tmp_path: Path) -> None:
    changed = json.loads(json.dumps(RESOURCES))
    for each in changed:
        for key in ("subject", "patient"):
            if key in each:
                name = each[key]["reference"].partition("/")[2]
                each[key]["reference"] = form + (name if form.startswith("urn") else f"Patient/{name}")
    cohort(written(tmp_path / "in", changed), tmp_path / "out", today=TODAY, workers=1)
    assert differences(tmp_path / "out", ALONE)[1] == []


def test_types_that_nobody_looks_at_change_nothing(tmp_path: Path) -> None:
    persons = [each["id"] for each in RESOURCES if each["resourceType"] == "Patient"]
    others = [
        {"resourceType": kind, "id": f"{kind}-{person}", "subject": {"reference": f"Patient/{person}"}}
        for person in persons
        for kind in ("Encounter", "Claim", "AllergyIntolerance", "CarePlan")
    ]
    cohort(written(tmp_path / "in", [*RESOURCES, *others]), tmp_path / "out", today=TODAY, workers=1)
    assert differences(tmp_path / "out", ALONE)[1] == []


def test_a_difference_would_be_seen(tmp_path: Path) -> None:
    cohort(written(tmp_path / "in", RESOURCES[:-1]), tmp_path / "out", today=TODAY, workers=1)
    assert differences(tmp_path / "out", ALONE)[1]
    shutil.rmtree(tmp_path / "out")
    cohort(tmp_path / "in", tmp_path / "out", today="2025-03-02", workers=1)
    assert differences(tmp_path / "out", ALONE)[1]


# Synthetic patients with every trap, whose answers were worked out without the engine


def test_synthetic_bundles_one_by_one(tmp_path: Path) -> None:
    source = demo(tmp_path / "demo", "bundles") / "fhir"
    decisions: dict[str, Decision | str] = {}
    for file in source.rglob("*.json"):
        try:
            decisions[file.stem] = assess(file, today=TODAY, label=LABEL)
        except PatientDied:
            decisions[file.stem] = "PatientDied"
    cohort(source, tmp_path / "out", today=TODAY, workers=1)
    compared, differ = differences(tmp_path / "out", decisions)
    print(f"{compared} cells of {len(decisions)} synthetic patients compared")  # noqa: T201
    assert (len(decisions), compared > 10_000, differ) == (150, True, [])


def test_synthetic_ndjson_comes_to_what_is_known(tmp_path: Path) -> None:
    source = demo(tmp_path / "demo", "ndjson", "--gzip")
    truth = [json.loads(line) for line in (source / "truth.ndjson").read_text().splitlines()]
    summary = cohort(source / "fhir", tmp_path / "out", today=TODAY, workers=1)
    found = {person: rows[0] for person, rows in table(tmp_path / "out", "decisions").items()}
    alive = {each["patient"]: each for each in truth if "action" in each}
    assert (summary.decided, summary.failed) == (len(alive), 0)
    known = {person: (each["stage"], each["action"].partition("+")[0]) for person, each in alive.items()}
    assert {person: (row["stage"], row["action"]) for person, row in found.items()} == known
