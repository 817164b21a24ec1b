"""What a bulk export says beside its resources: what was deleted, what could not be exported, which files there are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from precaution.cohort import cohort
from precaution.cohort.sort import lines
from precaution.cohort.sort.manifests import SourceContent, what_is_lacking
from precaution.readers.manifests import ListedFile, Manifest
from support.cohort_people import RESOURCES
from support.ndjson_sources import Json, by_person, rows
from support.small_people import put

TODAY = "2025-03-01"
READY = by_person(RESOURCES)["ready"]
OTHER = [{**each, "id": "other"} for each in READY if each["resourceType"] == "Patient"]


def export(folder: Path, *more: Json, people: list[Json] = READY) -> Path:
    """Write the patient `ready`, who is clear, a file for each type, and return the folder."""
    for kind in sorted({each["resourceType"] for each in people}):
        put(folder, *(each for each in people if each["resourceType"] == kind), name=f"{kind}.ndjson")
    if more:
        put(folder, *more, name="more.ndjson")
    return folder


def run(source: Path, **more: object) -> tuple[dict[str, str], list[tuple[str, str]]]:
    out = source.parent / "out"
    cohort(source, out, today=TODAY, workers=1, overwrite=True, **more)  # type: ignore[arg-type]
    found = {row["person"]: row["action"] for row in rows(out, "decisions")}
    return found, sorted((row["person"], row["kind"]) for row in rows(out, "problems"))


def deletes(*urls: str, kind: str = "transaction") -> Json:
    entries = [{"request": {"method": "DELETE", "url": url}} for url in urls]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def test_without_anything_beside_it_the_export_is_whole(tmp_path: Path) -> None:
    assert run(export(tmp_path / "in")) == ({"ready": "clear"}, [])


# What was deleted


@pytest.mark.parametrize("kind", ["transaction", "batch", "collection"])
@pytest.mark.parametrize("form", ["{}", "https://ehr.example.org/fhir/{}", "/{}", "{}/_history/2"])
def test_what_is_deleted_reassures_nobody(
    kind: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "SIZE", 1000)
    source = export(tmp_path / "in")
    anc = next(each["id"] for each in READY if each["id"].startswith("anc"))
    put(
        source / "deleted", deletes("Observation/nobody", form.format(f"Observation/{anc}"), kind=kind), name="d.ndjson"
    )
    found, problems = run(source)
    assert found["ready"] not in ("clear", "caution")
    assert problems == []


def test_what_is_deleted_of_others_changes_nothing(tmp_path: Path) -> None:
    source = export(tmp_path / "in", deletes("Observation/x", "Condition/y", "Patient/z"))
    assert run(source) == ({"ready": "clear"}, [])


def test_a_patient_who_is_deleted_is_said(tmp_path: Path) -> None:
    found, problems = run(export(tmp_path / "in", deletes("Patient/ready")))
    assert found["ready"] != "clear"
    assert problems == [("ready", "deleted")]


@pytest.mark.parametrize("url", ["Observation?patient=ready", "Observation", ""])
def test_a_deletion_that_names_nothing_may_be_anybodys(url: str, tmp_path: Path) -> None:
    found, problems = run(export(tmp_path / "in", deletes(url)))
    assert found["ready"] != "clear"
    assert problems == [("", "nobody's")]


def test_a_bundle_of_one_patient_deletes_of_others_too(tmp_path: Path) -> None:
    anc = next(each["id"] for each in READY if each["id"].startswith("anc"))
    other = {"resourceType": "Patient", "id": "other"}
    mixed = {**deletes(f"Observation/{anc}"), "entry": [{"resource": other}, *deletes(f"Observation/{anc}")["entry"]]}
    assert run(export(tmp_path / "in", mixed))[0]["ready"] != "clear"


# What was not exported


def outcome(**issue: object) -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "suppressed", **issue}]}


NAMING = [
    {"expression": ["Patient/ready"]},
    {"diagnostics": "Some resources of Patient/ready were withheld"},
    {"details": {"text": "No access to https://ehr.example.org/fhir/Patient/ready/_history/1"}},
    {"extension": [{"url": "http://example.org/who", "valueReference": {"reference": "Patient/ready"}}]},
]


@pytest.mark.parametrize("issue", NAMING)
def test_an_outcome_that_names_a_patient_is_that_ones(issue: Json, tmp_path: Path) -> None:
    source = export(tmp_path / "in", people=[*READY, *OTHER])
    before = run(source)[0]["other"]
    put(source / "error", outcome(**issue), name="e.ndjson")
    found, problems = run(source)
    assert (found["ready"] != "clear", found["other"]) == (True, before)
    assert problems == [("ready", "withheld")]


@pytest.mark.parametrize(
    "issue",
    [
        {},
        {"diagnostics": "Observation/7 was withheld"},
        {"diagnostics": "Patient/other and 14 others were left out"},
        {"diagnostics": "Patient/$export was too costly", "code": "too-costly"},
        {"expression": ["Patient.name"]},
    ],
)
def test_any_other_outcome_is_everybodys(issue: Json, tmp_path: Path) -> None:
    found, problems = run(export(tmp_path / "in", outcome(**issue)))
    assert found["ready"] != "clear"
    assert problems == [("", "sender-error")]


def test_of_two_issues_one_that_names_nobody_is_everybodys(tmp_path: Path) -> None:
    both = {**outcome(), "issue": [*outcome()["issue"], *outcome(expression=["Patient/other"])["issue"]]}
    assert run(export(tmp_path / "in", both))[0]["ready"] != "clear"


def test_an_outcome_about_nothing_that_is_missing_changes_nothing(tmp_path: Path) -> None:
    assert run(export(tmp_path / "in", outcome(severity="information", code="informational"))) == (
        {"ready": "clear"},
        [],
    )


# Manifests


def manifest(source: Path, **more: object) -> Json:
    files = sorted(path for path in source.glob("*.ndjson"))
    output = [
        {
            "type": file.stem,
            "url": f"https://ehr.example.org/bulk/{file.name}?sig=1",
            "count": len(file.read_text().splitlines()),
        }
        for file in files
    ]
    return {
        "transactionTime": "2025-02-28T00:00:00Z",
        "request": "https://ehr.example.org/fhir/Group/1/$export",
        "requiresAccessToken": True,
        "outputFormat": "application/fhir+ndjson",
        "output": output,
        "deleted": [],
        "error": [],
        **more,
    }


def with_manifest(folder: Path, **more: object) -> Path:
    source = export(folder)
    whole = manifest(source, **more)
    (source / "manifest.json").write_text(json.dumps(whole))
    return source


def test_a_manifest_of_what_is_here_changes_nothing(tmp_path: Path) -> None:
    assert run(with_manifest(tmp_path / "in")) == ({"ready": "clear"}, [])


LISTED = {"type": "Condition", "url": "https://ehr.example.org/bulk/Condition_2.ndjson"}
LACKING: list[Json] = [
    {"output": [LISTED]},
    {"output": [{"url": LISTED["url"]}]},
    {"output": [{**LISTED, "type": "NoSuchType"}]},
    {"output": [{"type": "Condition", "url": "https://x/Condition.ndjson", "count": 900}]},
    {"error": [{"type": "OperationOutcome", "url": "https://x/errors.ndjson"}]},
    {"deleted": [{"type": "Bundle", "url": "https://x/deleted.ndjson"}]},
    {"link": [{"relation": "next", "url": "https://x/2"}]},
    {"meta": {"security": [{"code": "REDACTED"}]}},
    {"extension": {"parts": [{"security": [{"code": "MASKED"}]}]}},
]


@pytest.mark.parametrize("more", LACKING, ids=[json.dumps(each)[:60] for each in LACKING])
def test_what_a_manifest_lists_and_is_not_here_leaves_no_list_complete(more: Json, tmp_path: Path) -> None:
    source = export(tmp_path / "in")
    whole = manifest(source)
    whole |= {key: [*whole.get(key, []), *value] if isinstance(value, list) else value for key, value in more.items()}
    (source / "manifest.json").write_text(json.dumps(whole))
    found, problems = run(source)
    assert found["ready"] != "clear"
    assert problems == [("", "incomplete-export")]
    assert run(source, lost_lines="nobody")[0]["ready"] == "clear"


@pytest.mark.parametrize(
    "more",
    [
        {"type": "Practitioner", "url": "https://x/Practitioner_9.ndjson"},
        {"type": "Condition", "url": "https://x/empty.ndjson", "count": 0},
    ],
)
def test_a_missing_file_of_what_nobody_looks_at_changes_nothing(more: Json, tmp_path: Path) -> None:
    source = export(tmp_path / "in")
    whole = manifest(source)
    (source / "manifest.json").write_text(json.dumps({**whole, "output": [*whole["output"], more]}))
    assert run(source) == ({"ready": "clear"}, [])


def test_files_that_were_renamed_or_packed_are_found_by_what_is_in_them() -> None:
    listed = tuple(ListedFile("output", "Condition", f"{number}", -1) for number in range(3))
    here = {"a/0.gz": frozenset({"Condition"}), "b": frozenset({"Condition"}), "c": frozenset({"Observation"})}
    lacking = what_is_lacking([Manifest("m", listed, ())], SourceContent(here, {}))  # type: ignore[arg-type]
    assert [kind for kind, _ in lacking] == ["Condition"], "0 by name, 1 renamed to b, 2 is missing"


def test_errors_and_deletions_that_are_here_are_read_for_themselves(tmp_path: Path) -> None:
    source = export(tmp_path / "in")
    put(source / "error", outcome(severity="information", code="informational"), name="e.ndjson")
    put(source / "deleted", deletes("Condition/none"), name="d.ndjson")
    more = {"error": [{"url": "https://x/e.ndjson"}], "deleted": [{"url": "https://x/other-name.ndjson"}]}
    (source / "manifest.json").write_text(json.dumps(manifest(source, **more)))
    assert run(source) == ({"ready": "clear"}, [])
