"""Runs over a cohort: one bad patient never stops one, nothing half-written counts, what is done is not done again."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from precaution.cohort import cohort, deciding, plan, results, run_fhir, tables
from precaution.cohort.deciding_fhir import decide_lines
from precaution.cohort.problems import HARMLESS, KINDS, LOSSES
from precaution.cohort.processes import Processes
from precaution.cohort.sort import lines
from precaution.cohort.sort.sorted import SHOWN
from precaution.errors import InputError, MixedPatients, OutputError, UsageError
from precaution.readers import read_resources
from precaution.timeline import timeline, treated_since
from support.ndjson_sources import LABEL, TABLES, Json, rows, table, written
from support.project import PROJECT, heed_interrupts
from support.small_people import BMI, SECRET, ordered_by_reference, people, person, put

TODAY = "2025-03-01"


def run(source: Path, out: Path, **more: object) -> results.Summary:
    return cohort(source, out, **{"today": TODAY, "workers": 1, **more})  # type: ignore[arg-type]


def problems(out: Path) -> list[tuple[str, str, str, int]]:
    return sorted((row["person"], row["kind"], row["file"], row["line"]) for row in rows(out, "problems"))


def actions(out: Path) -> dict[str, str]:
    return {row["person"]: row["action"] for row in rows(out, "decisions")}


# Results


def test_the_results_of_a_run(tmp_path: Path) -> None:
    summary = run(put(tmp_path / "in", *people()), tmp_path / "out", history=True, entries=True, audit=True)
    assert (summary.people, summary.decided, summary.clean) == (3, 3, True)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    more = {"_SUCCESS", "run.json", "quality.json", "problems", "history", "entries", "persons", *tables.AUDIT}
    assert names == {*more, *TABLES}
    assert not list((tmp_path / "out").rglob("*.tmp"))
    for name, schema in tables.SCHEMAS.items():
        found = rows(tmp_path / "out", name)
        assert all(list(row) == schema.names for row in found)
    about = json.loads((tmp_path / "out" / "run.json").read_text())
    assert about["today"] == TODAY
    assert about["label"]["digest"] == LABEL.digest
    assert about["files"][0]["name"] == "a.ndjson"
    assert results.stored(tmp_path / "out") == summary


def test_the_report_on_quality_counts_what_was_not_understood(tmp_path: Path) -> None:
    unknown = {
        "resourceType": "Condition",
        "id": "u",
        "subject": {"reference": "Patient/p0"},
        "code": {"coding": [{"system": "urn:local", "code": "T1", "display": "Tuberculosis"}]},
    }
    wrong = {**person("p0")[1], "id": "w", "verificationStatus": {"coding": [{"code": "entered-in-error"}]}}
    other = {"resourceType": "Claim", "id": "e"}
    run(put(tmp_path / "in", *people(), unknown, wrong, other), tmp_path / "out")
    quality = json.loads((tmp_path / "out" / "quality.json").read_text())
    assert quality["taken"] == {"Condition": 5, "Observation": 3, "Patient": 3}
    assert quality["passed_over"] == {"Claim: not looked at": 1}
    assert quality["ignored"] == {"entered-in-error": 1}
    assert [(each["system"], each["code"], each["count"]) for each in quality["unrecognised"]] == [
        ("urn:local", "T1", 1)
    ]


def test_history_is_the_timeline_of_each_treated_patient(tmp_path: Path) -> None:
    source = PROJECT / "examples" / "zoster-on-treatment.json"
    run(source, tmp_path / "out", history=True)
    record = read_resources([json.loads(source.read_text())], LABEL.terminology, LABEL.asks)
    began = treated_since(record, LABEL)
    changes = timeline(record, LABEL, date.fromisoformat(TODAY).toordinal(), began)
    assert changes[0].today == date.fromordinal(began or 1).isoformat()
    found = rows(tmp_path / "out", "history")
    assert [(row["day"], row["action"]) for row in found] == [(each.today, each.action) for each in changes]
    assert len(found) > 3
    assert [row["until"] for row in found][-1] == TODAY
    assert all(row["day"] <= row["until"] < after["day"] for row, after in pairwise(found))
    run(PROJECT / "examples" / "ready.json", tmp_path / "ready", history=True)
    assert rows(tmp_path / "ready", "history") == [], "nobody who was never treated has a history of treatment"


def test_a_limit_takes_always_the_same_patients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    for number, size in enumerate((10**9, 3000, 800)):
        monkeypatch.setattr(lines, "SIZE", size)
        summary = run(
            written(tmp_path / f"in{number}", people(20), seed=number), tmp_path / f"{number}", limit=5, workers=2
        )
        assert summary.people == 5
        taken.append(set(actions(tmp_path / f"{number}")))
    assert taken[0] == taken[1] == taken[2]


# One bad patient


def test_a_broken_line_fails_the_patient_it_names_and_nobody_else(tmp_path: Path) -> None:
    broken = b'{"resourceType":"Condition","subject":{"reference":"Patient/p1"},"code":{"text":"Mustermann'
    put(tmp_path / "in", *people(), name="b.ndjson")
    run(tmp_path / "in", tmp_path / "before")
    summary = run(put(tmp_path / "in", b"", broken), tmp_path / "out")
    assert (summary.decided, summary.failed, summary.clean) == (2, 1, False)
    assert problems(tmp_path / "out") == [("p1", "unreadable", "a.ndjson", 2)]
    assert table(tmp_path / "out", "findings")["p0"] == table(tmp_path / "before", "findings")["p0"]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"Mustermann", "unreadable-line"),
        (
            b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","diagnostics":"Mustermann"}]}',
            "sender-error",
        ),
        (b'{"resourceType":"Condition","id":"c","code":{"text":"Mustermann"}}', "nobody's"),
        (b'{"family":"Mustermann"}', "nobody's"),
    ],
)
def test_what_may_be_anybodys_makes_nobodys_answer_milder(line: bytes, kind: str, tmp_path: Path) -> None:
    """`ready` is clear; with a line lost that might be theirs it is not."""
    ready = json.loads((PROJECT / "examples" / "ready.json").read_text())
    put(tmp_path / "in", ready)
    run(tmp_path / "in", tmp_path / "before")
    assert set(actions(tmp_path / "before").values()) == {"clear"}
    summary = run(put(tmp_path / "in", line, name="b.ndjson"), tmp_path / "out")
    assert problems(tmp_path / "out") == [("", kind, "b.ndjson", 1)]
    assert not summary.clean
    assert set(actions(tmp_path / "out").values()) != {"clear"}
    assert {row["rule"] for row in rows(tmp_path / "out", "findings") if row["state"] == "unknown"}


def test_a_gzip_file_that_ends_early_leaves_nobody_clear(tmp_path: Path) -> None:
    put(tmp_path / "in", json.loads((PROJECT / "examples" / "ready.json").read_text()))
    whole = gzip.compress(b'{"resourceType":"Encounter"}\n' * 5000)
    (tmp_path / "in" / "b.ndjson.gz").write_bytes(whole[:-20])
    summary = run(tmp_path / "in", tmp_path / "out")
    assert summary.problems == {"cut-short": 1}
    assert set(actions(tmp_path / "out").values()) == {"obtain"}
    assert {row["fact"] for row in rows(tmp_path / "out", "missing")} >= {"record"}


def test_a_resource_whose_patient_is_missing_is_said(tmp_path: Path) -> None:
    summary = run(put(tmp_path / "in", *people(1), *person("x")[1:]), tmp_path / "out")
    assert problems(tmp_path / "out") == [("x", "no-patient", "a.ndjson", 4)]
    assert (summary.decided, summary.failed) == (1, 1)


def test_a_patient_in_two_files_is_one(tmp_path: Path) -> None:
    put(tmp_path / "in", *people())
    summary = run(put(tmp_path / "in", *people(2), name="b.ndjson"), tmp_path / "out")
    assert (summary.people, summary.decided, summary.clean) == (3, 3, True)
    assert [problem[:2] for problem in problems(tmp_path / "out")] == [
        ("p0", "patient-twice"),
        ("p0", "resource-twice"),
        ("p1", "patient-twice"),
        ("p1", "resource-twice"),
    ]


@pytest.mark.parametrize("newest", ["BMI", "hemoglobin"])
def test_versions_of_a_resource_whose_code_changed(newest: str, tmp_path: Path) -> None:
    """A result without meaning for us may be the newer version of one that has some; then it may not be dropped."""
    hemoglobin = {"coding": [{"system": "http://loinc.org", "code": "718-7", "display": "Hb"}], "text": "Hb"}
    base = {
        **person("p0")[2],
        "valueQuantity": {"value": 7, "unit": "g/dL", "system": "http://unitsofmeasure.org", "code": "g/dL"},
        "effectiveDateTime": "2025-02-25",
    }
    first = {**base, "id": "first"}
    low = {**base, "code": hemoglobin, "meta": {"lastUpdated": "2025-02-26" if newest == "BMI" else "2025-02-28"}}
    plain = {**base, "meta": {"lastUpdated": "2025-02-27"}}
    run(put(tmp_path / "in", *person("p0")[:2], first, low, plain), tmp_path / "out")
    found = {row["rule"] for row in rows(tmp_path / "out", "findings") if row["state"] == "holds"}
    assert ("low-hemoglobin" in found) == (newest == "hemoglobin")


def test_the_newest_of_three_versions_counts_though_the_first_of_them_was_kept(tmp_path: Path) -> None:
    """A result that says nothing, one that says something, and one that says nothing again, all of one id."""
    hemoglobin = {"coding": [{"system": "http://loinc.org", "code": "718-7", "display": "Hb"}], "text": "Hb"}
    base = {
        **person("p0")[2],
        "valueQuantity": {"value": 7, "unit": "g/dL", "system": "http://unitsofmeasure.org", "code": "g/dL"},
        "effectiveDateTime": "2025-02-25",
    }
    versions = [
        {**base, "meta": {"lastUpdated": f"2025-02-2{day}"}, "code": code}
        for day, code in ((6, BMI), (7, hemoglobin), (8, BMI))
    ]
    run(put(tmp_path / "in", *person("p0")[:2], *versions), tmp_path / "out")
    found = {row["rule"] for row in rows(tmp_path / "out", "findings") if row["state"] == "holds"}
    assert "low-hemoglobin" not in found


def test_the_dead_are_counted_and_no_failure(tmp_path: Path) -> None:
    summary = run(put(tmp_path / "in", *people(1), *person("d", deceasedDateTime="2024-01-01")), tmp_path / "out")
    assert (summary.decided, summary.died, summary.failed, summary.clean) == (1, 1, 0, True)


@pytest.mark.parametrize("error", [MixedPatients("two"), ValueError(SECRET), RecursionError(), MemoryError()])
def test_whatever_goes_wrong_with_one_patient_is_that_ones(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(record: object, **_: object) -> object:
        if record.birth.low == date(1970, 1, 1).toordinal():  # type: ignore[attr-defined]
            raise error
        return assess(record, **_)

    assess = deciding.assess
    monkeypatch.setattr(deciding, "assess", fails)
    summary = run(put(tmp_path / "in", *people(), *person("bad", birthDate="1970-01-01")), tmp_path / "out")
    assert (summary.decided, summary.failed) == (3, 1)
    (row,) = rows(tmp_path / "out", "problems")
    assert row["person"] == "bad"
    assert row["kind"] == ("mixed-patients" if isinstance(error, MixedPatients) else "mistake")


def test_another_release_and_duplicate_keys_fail_one_patient(tmp_path: Path) -> None:
    older = {**person("p0")[1], "id": "x", "assertedDate": "2020"}
    twice = b'{"resourceType":"Condition","id":"t","subject":{"reference":"Patient/p1"},"code":{},"code":{}}'
    run(put(tmp_path / "in", *people(), older, twice), tmp_path / "out")
    assert [(each[0], each[1]) for each in problems(tmp_path / "out")] == [
        ("p0", "wrong-release"),
        ("p1", "unreadable"),
    ]


def test_identifiers_name_patients_too(tmp_path: Path) -> None:
    number = {"identifier": [{"system": "urn:mrn", "value": "7"}]}
    known = {**person("p9")[1], "id": "k", "subject": {"identifier": number["identifier"][0]}}
    asked = {**person("p9")[1], "id": "a", "subject": {"reference": "Patient?identifier=urn:mrn|7"}}
    lost = {**person("p9")[1], "id": "l", "subject": {"identifier": {"system": "urn:mrn", "value": "8"}}}
    source = put(tmp_path / "in", *people(1), person("p9", **number)[0], known, asked, lost)
    run(source, tmp_path / "out")
    found = table(tmp_path / "out", "findings")["p9"]
    assert {each["source"] for row in found for each in row["evidence"]} >= {"Condition/k", "Condition/a"}
    assert problems(tmp_path / "out") == [("", "no-patient", "a.ndjson", 7)]


def test_medications_are_found_wherever_they_stand(tmp_path: Path) -> None:
    ordered, drug = ordered_by_reference("p0")
    put(tmp_path / "in", *people(), ordered)
    run(put(tmp_path / "in", drug, name="z.ndjson"), tmp_path / "out")
    assert {row["person"]: row["stage"] for row in rows(tmp_path / "out", "decisions")}["p0"] == "on-treatment"


def test_a_resource_of_many_megabytes(tmp_path: Path) -> None:
    large = {**person("p0")[1], "id": "large", "note": [{"text": "x" * 50_000_000}]}
    summary = run(put(tmp_path / "in", *people(), large, *person("z")), tmp_path / "out", workers=2)
    assert (summary.decided, summary.clean) == (4, True)


def test_no_message_holds_anything_of_a_record(tmp_path: Path) -> None:
    bad = [b"Mustermann", b'{"resourceType":"Condition","subject":{"reference":"Patient/p1"},"Mustermann']
    run(put(tmp_path / "in", *people(), *bad), tmp_path / "out")
    for path in (tmp_path / "out").rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()
    assert SECRET not in str(rows(tmp_path / "out", "problems"))


def test_many_problems_of_a_file_are_counted_and_not_listed(tmp_path: Path) -> None:
    run(put(tmp_path / "in", *people(1), *[b"x"] * 500), tmp_path / "out")
    found = rows(tmp_path / "out", "problems")
    assert len(found) == SHOWN + 1
    assert sum(row["lines"] for row in found) == 500


def test_every_kind_of_problem_is_told() -> None:
    assert set(KINDS) > HARMLESS | LOSSES
    assert not HARMLESS & LOSSES


# Strict


@pytest.mark.parametrize("bad", [b"x", b'{"resourceType":"Condition","subject":{"reference":"Patient/p1"}'])
def test_a_strict_run_stops_at_the_first_problem(bad: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.ndjson, line 10: .*--strict"):
        run(put(tmp_path / "in", *people(), bad), tmp_path / "out", strict=True)
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    assert run(tmp_path / "in", tmp_path / "out").people == 3, "without it the run goes on"


# Whole or not there


def test_a_second_run_of_the_same_kind_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = put(tmp_path / "in", *people())
    first = run(source, tmp_path / "out")
    monkeypatch.setattr(run_fhir, "sort_piece", None)
    assert run(source, tmp_path / "out") == first


@pytest.mark.parametrize("change", [{"today": "2025-03-02"}, {"limit": 2}, {"history": True}])
def test_results_of_another_run_are_not_mixed_with(change: Json, tmp_path: Path) -> None:
    source = put(tmp_path / "in", *people())
    run(source, tmp_path / "out")
    with pytest.raises(UsageError, match=f"differs in: {next(iter(change))}.*--overwrite"):
        run(source, tmp_path / "out", **change)
    assert run(source, tmp_path / "out", overwrite=True, **change).people == change.get("limit", 3)


def test_a_changed_source_is_another_run(tmp_path: Path) -> None:
    run(put(tmp_path / "in", *people()), tmp_path / "out")
    with pytest.raises(UsageError, match="files"):
        run(put(tmp_path / "in", *people(2)), tmp_path / "out")


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    out = put(tmp_path / "out", b"mine")
    with pytest.raises(UsageError, match="other files"):
        run(put(tmp_path / "in", *people()), out, overwrite=True)
    assert [path.name for path in out.iterdir()] == ["a.ndjson"]


@pytest.mark.parametrize("after", range(12))
def test_a_run_that_ends_anywhere_can_be_gone_on_with(
    after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends at each place at which something is written; then it is run again."""
    monkeypatch.setattr(lines, "SIZE", 4000)
    source = written(tmp_path / "in", [*people(20), *person("d", deceasedBoolean=True)])
    run(source, tmp_path / "whole")
    left = [after * 5]

    class Ended(BaseException):
        pass

    original = os.fsync

    def ends(number: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Ended
        original(number)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", ends)
        try:
            run(source, tmp_path / "out")
        except Ended:
            assert not (tmp_path / "out" / "_SUCCESS").exists()
    run(source, tmp_path / "out")
    names = sorted(path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*") if path.is_file())
    assert names == sorted(
        path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*") if path.is_file()
    )
    assert all((tmp_path / "whole" / name).read_bytes() == (tmp_path / "out" / name).read_bytes() for name in names)


def test_nothing_half_written_stands_among_the_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed removes nothing, and whoever reads a table reads every file in its folder."""
    seen: list[set[str]] = []
    original = os.fsync

    def looks(number: int) -> None:
        found = {path for name in tables.SCHEMAS for path in (tmp_path / "out" / name).glob("*")}
        seen.append({path.name for path in found if path.suffix != ".parquet"})
        original(number)

    monkeypatch.setattr(os, "fsync", looks)
    run(put(tmp_path / "in", *people()), tmp_path / "out")
    assert len(seen) > len(tables.SCHEMAS)
    assert set().union(*seen) == set()


def test_finished_partitions_are_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "SIZE", 4000)
    source = written(tmp_path / "in", people(20))
    done: list[int] = []

    def second(task: deciding.PartitionTask) -> deciding.Decided:
        done.append(task[2])
        if len(done) == 2:
            raise KeyboardInterrupt
        return decide_lines(task)

    monkeypatch.setattr(run_fhir, "decide_lines", second)
    with pytest.raises(KeyboardInterrupt):
        run(source, tmp_path / "out")
    assert run(source, tmp_path / "out").people == 20
    assert done.count(done[0]) == 1
    assert done.count(done[1]) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
def test_a_full_disk_is_said_and_nothing_counts_as_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(table: object, path: object) -> None:
        with Path("/dev/full").open("wb", buffering=0) as file:
            file.write(b"x")

    source = put(tmp_path / "in", *people())
    with monkeypatch.context() as patched:
        patched.setattr(tables.pq, "write_table", full)
        with pytest.raises(OutputError, match=r"decisions/part-0000.parquet.*No space left"):
            run(source, tmp_path / "out")
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    assert run(source, tmp_path / "out").people == 3


def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((OutputError, UsageError)):
        run(put(tmp_path / "in", *people()), tmp_path / "file" / "out")


# Processes


def fails(number: int) -> int:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.2)
    return number


def test_a_process_that_is_killed_is_an_error_of_ours() -> None:
    with pytest.raises(OutputError, match="ended from outside"), Processes(2) as processes:
        list(processes.run(fails, [0, 1, 2]))


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("sent", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.slow)])
def test_a_run_that_is_interrupted_leaves_no_process_and_no_mark_of_success(
    sent: signal.Signals, tmp_path: Path
) -> None:
    source = written(tmp_path / "in", people(4_000), files=3)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "precaution",
            "cohort",
            str(source),
            "--out",
            str(tmp_path / "out"),
            "--today",
            TODAY,
            "--workers",
            "2",
            "--history",
        ],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=heed_interrupts,  # noqa: PLW1509 - it takes no lock
    )
    work = tmp_path / "out" / ".work"
    while process.poll() is None and not (work.is_dir() and any(work.iterdir())):
        time.sleep(0.02)
    process.send_signal(sent)
    said = process.communicate(timeout=60)
    assert process.returncode == (130 if sent == signal.SIGINT else -9), said
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    for _ in range(100):
        if not _group(process.pid):
            break
        time.sleep(0.1)
    assert not _group(process.pid)
    if sent == signal.SIGINT:
        interrupted, hint = said[1].decode().strip().splitlines()
        assert interrupted == "precaution: interrupted"
        assert "run the same command again" in hint


def _group(leader: int) -> bool:
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_plan_reads_nothing(tmp_path: Path) -> None:
    found = plan(put(tmp_path / "in", *people()), tmp_path / "out", 3)
    assert (len(found.files), found.partitions, found.workers) == (1, 1, 3)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"limit": -1}])
def test_wrong_numbers(wrong: Json, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        run(put(tmp_path / "in", *people()), tmp_path / "out", **wrong)


class _Clearing:
    """Something that is cleared up, at which moment the run is interrupted: Python only notes that and goes on."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("workers", [1, 2])
def test_an_interruption_at_a_bad_moment_is_heeded_all_the_same(workers: int, tmp_path: Path) -> None:
    source, told, given = written(tmp_path / "in", people(300), files=3), [], []

    def progress(*news: object) -> None:
        told.append(news)
        if not given:
            given.append(True)
            _Clearing()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            cohort(source, tmp_path / "out", today=TODAY, workers=workers, progress=progress)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert given
    assert not (tmp_path / "out" / "_SUCCESS").exists()
