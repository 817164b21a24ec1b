"""A run on Spark comes to the same rows as a run on one machine, whatever is lost on the way."""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from precaution.cohort import Spark, cohort, results
from precaution.cohort.context import RunContext, SourceFile
from precaution.cohort.label_source import LabelSource
from precaution.cohort.sort import files as source_files
from precaution.cohort.spark import PARTITIONS, lines, session, shipping, tasks
from precaution.cohort.tables import wanted_tables
from precaution.errors import InputError, OutputError, UsageError
from precaution.knowledge.loading import find_label, load_label
from support import table_sources as tables_make
from support.cohort_people import RESOURCES, demo
from support.ndjson_sources import LABEL, Json, rows, written
from support.project import PROJECT
from support.small_people import BMI, person, put
from support.small_people import people as small_people
from support.spark_cluster import here, hostile, need_spark, people, same

TODAY = "2025-03-01"
MANY = {PARTITIONS: "5"}


def there(spark: Any, source: Path, out: Path, conf: dict[str, str] | None = None, **more: Any) -> results.Summary:
    """Run in a session of Spark."""
    on = Spark(session=spark, conf=MANY if conf is None else conf)
    return cohort(source, out, **{"today": TODAY, "spark": on, **more})


def alike(spark: Any, source: Path, folder: Path, **more: Any) -> int:
    """Run on both, and return how many cells were compared."""
    assert there(spark, source, folder / "spark", **more) == here(source, folder / "here", **more)
    return same(folder / "spark", folder / "here")


# The same rows


def test_the_examples_with_their_history(spark: Any, tmp_path: Path) -> None:
    assert alike(spark, PROJECT / "examples", tmp_path, history=True) > 500


@pytest.mark.parametrize(("form", "more"), [("ndjson", ["--gzip"]), ("bundles", [])])
def test_synthetic_patients(form: str, more: list[str], spark: Any, tmp_path: Path) -> None:
    assert alike(spark, demo(tmp_path / "demo", form, *more) / "fhir", tmp_path) > 10_000


def test_what_an_export_says_beside_its_resources(spark: Any, tmp_path: Path) -> None:
    gone = {"resourceType": "Bundle", "entry": [{"request": {"method": "DELETE", "url": "Condition/c-p0"}}]}
    withheld = {"severity": "warning", "code": "suppressed", "expression": ["Patient/p1"]}
    outcome = {"resourceType": "OperationOutcome", "issue": [withheld]}
    source = put(tmp_path / "in", *small_people(), gone, outcome)
    assert alike(spark, source, tmp_path, entries=True) > 50
    listed = [{"type": "Condition", "url": "https://example.org/gone.ndjson"}]
    (source / "manifest.json").write_text(json.dumps({"transactionTime": "2025", "output": listed}))
    assert alike(spark, source, tmp_path / "listed") > 50


def test_merged_patients(spark: Any, tmp_path: Path) -> None:
    merged = person("old", link=[{"type": "replaced-by", "other": {"reference": "Patient/p1"}}])
    middle = person("older", link=[{"type": "replaced-by", "other": {"reference": "Patient/old"}}])
    source = put(tmp_path / "in", *small_people(), *merged, *middle)
    assert alike(spark, source, tmp_path, entries=True) > 50
    assert {row["person"] for row in rows(tmp_path / "spark", "decisions")} == {"p0", "p1", "p2"}
    assert alike(spark, source, tmp_path / "some", limit=2) > 10


@pytest.mark.parametrize("name", ["synthea-v2.4-ndjson", "synthea-v2.7-ndjson"])
def test_synthea(name: str, spark: Any, shared: Path, tmp_path: Path) -> None:
    assert alike(spark, shared / "data" / name, tmp_path, today="2021-07-10") > 1000


@pytest.mark.parametrize("seed", [1, 2])
def test_however_files_are_cut(seed: int, spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines stand on the borders of pieces, and several pieces are one task's."""
    monkeypatch.setattr(source_files.pieces, "__defaults__", (2000 * seed,))
    monkeypatch.setattr(lines, "BATCH", 7000)
    source = written(tmp_path / "in", RESOURCES, seed, files=4, packed=True)
    alike(spark, source, tmp_path)


def test_the_files_are_those_of_one_machine(spark: Any, tmp_path: Path) -> None:
    """With as many partitions every file but run.json has the same bytes."""
    there(spark, PROJECT / "examples", tmp_path / "spark", {})
    here(PROJECT / "examples", tmp_path / "here")
    names = {path.relative_to(tmp_path / "here") for path in (tmp_path / "here").rglob("*") if path.is_file()}
    assert names == {path.relative_to(tmp_path / "spark") for path in (tmp_path / "spark").rglob("*") if path.is_file()}
    differ = {
        str(each)
        for each in names
        if (tmp_path / "here" / each).read_bytes() != (tmp_path / "spark" / each).read_bytes()
    }
    assert differ == {"run.json"}


def test_a_difference_would_be_seen(spark: Any, tmp_path: Path) -> None:
    there(spark, PROJECT / "examples", tmp_path / "spark")
    here(PROJECT / "examples", tmp_path / "here", today="2025-03-02")
    with pytest.raises(AssertionError, match="decisions"):
        same(tmp_path / "spark", tmp_path / "here")


def test_hostile_input_is_told_with_the_same_file_and_line(spark: Any, tmp_path: Path) -> None:
    source = hostile(tmp_path / "in")
    alike(spark, source, tmp_path)
    kinds = {row["kind"] for row in rows(tmp_path / "spark", "problems")}
    assert kinds >= {
        "cut-short",
        "unreadable-line",
        "unreadable",
        "wrong-release",
        "no-patient",
        "died",
        "patient-twice",
        "resource-twice",
    }
    assert "Mustermann" not in str(rows(tmp_path / "spark", "problems"))


@pytest.mark.parametrize("limit", [1, 4, 100])
def test_a_limit_takes_the_same_patients(limit: int, spark: Any, tmp_path: Path) -> None:
    alike(spark, hostile(tmp_path / "in"), tmp_path, limit=limit)


def test_a_strict_run_ends_at_a_problem(spark: Any, tmp_path: Path) -> None:
    lines = [*person("p0"), b'{"resourceType":"Condition","subject":{"reference":"Patient/p0"}']
    with pytest.raises(InputError, match=r"a\.ndjson, line 4: .*--strict"):
        there(spark, put(tmp_path / "in", *lines), tmp_path / "out", strict=True)
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    assert there(spark, tmp_path / "in", tmp_path / "out").failed == 1, "without it the run goes on"


def test_what_was_dropped_is_read_again_where_it_matters(spark: Any, tmp_path: Path) -> None:
    base = {**person("p0")[2], "effectiveDateTime": "2025-02-25"}
    base["valueQuantity"] = {"value": 7, "unit": "g/dL", "system": "http://unitsofmeasure.org", "code": "g/dL"}
    low = {**base, "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}}
    plain = {**base, "code": BMI, "meta": {"lastUpdated": "2025-02-27"}}
    source = put(tmp_path / "in", *person("p0")[:2], {**base, "id": "first"}, low, plain)
    alike(spark, source, tmp_path)


def test_a_label_its_policy_and_code_lists_are_sent_along(spark: Any, tmp_path: Path) -> None:
    folder, codes, policy = tmp_path / "a label", tmp_path / "codes", PROJECT / "examples" / "policy.toml"
    shutil.copytree(Path(find_label("baricitinib")), folder)
    codes.mkdir()
    shutil.copy(next(folder.glob("codes/*.csv")), codes)
    alike(spark, PROJECT / "examples", tmp_path, label=folder, codes=[codes], policy=policy)
    ours = {row["digest"] for row in rows(tmp_path / "spark", "decisions")}
    assert ours == {load_label(folder, policy=policy, codes=(codes,)).digest} != {LABEL.digest}


def test_another_spark_puts_several_partitions_into_one_task(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before 4.1 partitions are spread by a hash, by which two may meet."""
    monkeypatch.setattr(type(spark.range(1)), "repartitionById", None)
    alike(spark, PROJECT / "examples", tmp_path)


# A machine that is lost, a task that runs twice


def unpacked(folder: Path, label: LabelSource) -> str:
    """Return where the archive that is sent is unpacked."""
    zipfile.ZipFile(shipping.archive(label)).extractall(folder)
    return str(folder)


@pytest.fixture
def first_task(tmp_path: Path) -> tuple[Path, list[pa.RecordBatch], str, bytes]:
    """A task of the first pass as Spark would run it: the run's folder, its input, where the package is, the job."""
    source = put(tmp_path / "in", *(each for number in range(3) for each in person(f"p{number}")))
    label = LabelSource(str(find_label("baricitinib")))
    context = RunContext(source, tmp_path, (label,), date(2025, 3, 1), (), 3, 1, wanted_tables())
    work = context.work
    (work / lines.HALF).mkdir(parents=True)
    same_run = tasks.Same("t", (LABEL.digest,))
    (work / tasks.TOKEN).write_text("t")
    files = source_files.files(source)
    cut = json.dumps(lines.batches(source_files.pieces(source, files))[0].pieces)
    batch = pa.RecordBatch.from_pydict({"number": [0], "pieces": [cut]})
    job = lines.SortJob(context, keep_all=False)
    return work, [batch], unpacked(tmp_path / "root", label), pickle.dumps((job, same_run))


def answers(batches: Iterator[pa.RecordBatch]) -> list[Json]:
    return [row for batch in batches for row in batch.to_pylist()]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_task_that_runs_twice_changes_nothing(first_task: Any) -> None:
    work, batches, root, given = first_task
    assert answers(tasks.sort(iter(batches), root, given)) == [{"number": 0, "lines": 0, "error": "", "message": ""}]
    before = contents(work)
    assert {"lines/000000.parquet", "sorted/000000.json"} <= before.keys()
    next(work.glob("sorted/*.json")).unlink()
    answers(tasks.sort(iter(batches), root, given))
    assert contents(work) == before


def test_a_task_that_ends_half_way_leaves_nothing_that_counts(first_task: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    work, batches, root, given = first_task

    class Ended(BaseException):
        pass

    def ends(*_: object) -> None:
        raise Ended

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", ends)
        with pytest.raises(Ended):
            answers(tasks.sort(iter(batches), root, given))
    assert not list(work.glob("lines/*"))
    assert not list(work.glob("sorted/*"))
    answers(tasks.sort(iter(batches), root, given))
    assert list(work.glob("sorted/*"))


def test_a_task_of_a_run_that_was_given_up_writes_nothing(first_task: Any) -> None:
    work, batches, root, given = first_task
    (work / tasks.TOKEN).write_text("another")
    (answer,) = answers(tasks.sort(iter(batches), root, given))
    assert answer["error"] == "OutputError"
    assert "same path on every machine" in answer["message"]
    assert set(contents(work)) == {tasks.TOKEN}


def test_a_source_that_a_machine_does_not_see_is_said(first_task: Any) -> None:
    work, batches, root, given = first_task
    shutil.rmtree(work.parent / "in")
    (answer,) = answers(tasks.sort(iter(batches), root, given))
    assert answer["error"] == "InputError"
    assert "'a.ndjson' can't be read where a task runs" in answer["message"]


def test_a_mistake_in_a_task_quotes_no_record(first_task: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> None:
        raise ValueError("Mustermann")

    _, batches, root, given = first_task
    monkeypatch.setattr(tasks, "sort_batch", wrong)
    with pytest.raises(RuntimeError, match="ValueError at test_spark.py") as told:
        answers(tasks.sort(iter(batches), root, given))
    assert "Mustermann" not in str(told.value)


def test_only_one_patients_lines_are_in_memory() -> None:
    taken: list[int] = []
    seen: list[tuple[str, int]] = []

    def given() -> Iterator[tuple[Any, ...]]:
        for number in range(10):
            taken.append(number)
            yield (0, f"p{number // 2}", 0, number, number, 0, 0, b"{}")

    class Part:
        def patient(self, person: str, lines: list[Any]) -> None:
            assert len(lines) == 2
            seen.append((person, len(taken)))

    assert tasks.each_person(Part(), given(), tasks.patient) == 10  # type: ignore[arg-type]
    assert seen == [("p0", 3), ("p1", 5), ("p2", 7), ("p3", 9), ("p4", 10)]


def test_lines_that_got_lost_are_noticed(spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from precaution.cohort.spark import backend

    original = backend.BatchFiles.reported

    def more(self: Any, batch: int) -> Any:
        found, count = original(self, batch)
        return found, count + type(count)([next(iter(count))])

    monkeypatch.setattr(backend.BatchFiles, "reported", more)
    with pytest.raises(OutputError, match="lines were lost"):
        there(spark, PROJECT / "examples", tmp_path / "out")
    assert not (tmp_path / "out" / "_SUCCESS").exists()


# Ended, and begun again


def test_a_run_of_another_engine_is_not_gone_on_with(spark: Any, tmp_path: Path) -> None:
    """Its partitions are others: rows would be there twice."""
    source = people(tmp_path / "in", 20)
    there(spark, source, tmp_path / "out")
    (tmp_path / "out" / "_SUCCESS").unlink()
    here(source, tmp_path / "out")
    here(source, tmp_path / "here")
    same(tmp_path / "out", tmp_path / "here")
    (tmp_path / "out" / "_SUCCESS").unlink()
    assert there(spark, source, tmp_path / "out", {PARTITIONS: "2"}).people == 20
    same(tmp_path / "out", tmp_path / "here")


def test_results_are_results_whatever_made_them(spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = here(PROJECT / "examples", tmp_path / "out")
    monkeypatch.setattr("precaution.cohort.spark.backend.run", None)
    assert there(spark, PROJECT / "examples", tmp_path / "out") == first


# Wrong usage


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--master", "local[2]"], "give --engine spark too"),
        (["--spark-conf", "a=b"], "give --engine spark too"),
        (["--engine", "spark", "--workers", "2"], "--master says how many"),
        (["--engine", "spark", "--spark-conf", "nothing"], "takes KEY=VALUE"),
        (["--engine", "spark", "--spark-conf", "spark.sql.shuffle.partitions=0"], "a number from 1 to 9999"),
        (["--engine", "spark", "--master", "sc://localhost"], "no Spark Connect server"),
        (["--engine", "spark", "--master", "spark://127.0.0.1:1"], "no Spark master answers"),
    ],
)
def test_options_that_do_not_go_together(
    options: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    need_spark()
    from precaution.cli import run

    source = put(tmp_path / "in", *person("p0"))
    assert run(["cohort", str(source), "--out", str(tmp_path / "out"), "--today", TODAY, *options]) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert said.out == ""


def test_without_pyspark_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(UsageError, match=r"pip install '.\[spark\]'"):
        cohort(put(tmp_path / "in", *person("p0")), tmp_path / "out", today=TODAY, spark=Spark())


@pytest.mark.parametrize("home", ["", "/nowhere"])
def test_without_java_it_is_said_which(home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need_spark()
    monkeypatch.setenv("JAVA_HOME", home)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="needs Java 17 or newer"):
        session.check_installed()


def test_a_second_session_in_a_process_is_refused(spark: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="session=..."):
        cohort(put(tmp_path / "in", *person("p0")), tmp_path / "out", today=TODAY, spark=Spark("local[1]"))


def test_a_plan_starts_no_spark(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from precaution.cli import run

    source = put(tmp_path / "in", *person("p0"))
    options = ["--engine", "spark", "--master", "local[7]", "--dry-run"]
    assert run(["cohort", str(source), "--out", str(tmp_path / "out"), *options]) == 0
    assert "1 partitions, Spark at local[7]" in capsys.readouterr().out


# Tables


@pytest.mark.parametrize("limit", [0, 40])
def test_tables_that_a_run_wrote(limit: int, spark: Any, tmp_path: Path) -> None:
    source = demo(tmp_path / "demo", "ndjson") / "fhir"
    there(spark, source, tmp_path / "first", entries=True)
    here(source, tmp_path / "alone", entries=True)
    same(tmp_path / "first", tmp_path / "alone")
    assert alike(spark, tmp_path / "first", tmp_path, limit=limit, history=limit > 0) > 1000


def test_wrong_rows_are_told_with_the_same_file_and_row(spark: Any, tmp_path: Path) -> None:
    found = tables_make.rows(tables_make.records(RESOURCES))
    entries, persons = found["entries"], found["persons"]
    entries = [*entries[:-1], entries[3], ("nobody", *entries[4][1:])]
    found = {"entries": entries, "persons": [*persons[:-1], persons[0]]}
    for row, values in enumerate([{"kind": "Mustermann"}, {"person": ""}, {"person": None}, {"low": 5.0, "high": 4.0}]):
        found = tables_make.changed(found, "entries", 5 * row + 30, **values)
    source = tables_make.put(tmp_path / "in", found)
    alike(spark, source, tmp_path)
    kinds = {row["kind"] for row in rows(tmp_path / "spark", "problems")}
    assert kinds == {"bad-row", "row-twice", "no-person", "nobody's"}
    assert "Mustermann" not in str(rows(tmp_path / "spark", "problems"))


def test_a_damaged_table_is_said(spark: Any, tmp_path: Path) -> None:
    source = tables_make.put(tmp_path / "in", tables_make.rows(tables_make.records(RESOURCES)))
    file = next((source / "entries").glob("*.parquet"))
    data = bytearray(file.read_bytes())
    data[100:3000] = bytes(2900)
    file.write_bytes(data)
    with pytest.raises(InputError, match="can't be read to its end"):
        there(spark, source, tmp_path / "out")


def test_an_omop_source_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "person.csv").write_text("person_id\n1\n")
    with pytest.raises(UsageError, match="--entries"):
        cohort(tmp_path / "in", tmp_path / "out", today=TODAY, spark=Spark())


# Small things


@pytest.mark.parametrize(
    ("size", "conf", "count"),
    [
        (0, {}, 1),
        (4 * 1024**2 + 1, {}, 2),
        (10**9, {}, 64),
        (10**11, {}, 2981),
        (10**13, {}, 4096),
        (10**9, {PARTITIONS: "7"}, 7),
    ],
)
def test_how_many_partitions(size: int, conf: dict[str, str], count: int) -> None:
    assert Spark(conf=conf).partitions(size) == count


def test_small_files_share_a_task_and_nothing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BATCH", 10)
    files = [SourceFile(str(number), size, 0) for number, size in enumerate([4, 4, 4, 20, 1, 0])]
    cut = [source_files.FilePiece(number, file.name, 0, file.size) for number, file in enumerate(files)]
    found = lines.batches(cut)
    assert [[each.number for each in batch.pieces] for batch in found] == [[0, 1], [2], [3], [4, 5]]
    assert [batch.number for batch in found] == [0, 1, 2, 3]


def test_the_archive_holds_no_other_label_and_is_always_the_same(tmp_path: Path) -> None:
    label = LabelSource(str(find_label("baricitinib")))
    first = shipping.archive(label)
    assert shipping.archive(label) == first
    names = zipfile.ZipFile(first).namelist()
    assert {"precaution/cohort/spark/tasks.py", "precaution/readers/units.csv"} <= set(names)
    assert {"given/0/label/label.toml", "precaution/labels/shared/liver.toml"} <= set(names)
    assert not [name for name in names if re.match("precaution/labels/(?!shared/).*(?<![.]py)$", name)]
    received = tasks.received(unpacked(tmp_path / "root", label), label)
    assert load_label(received.folder).digest == LABEL.digest


def test_a_folder_whose_name_spark_would_take_as_a_pattern(spark: Any, tmp_path: Path) -> None:
    alike(spark, put(tmp_path / "in [1]", *person("p0")), tmp_path / "{a,b} *?[c] %41 ü")


def test_settings_that_are_given_come_before_ours(tmp_path: Path) -> None:
    given = Spark("local[2]", {"spark.ui.enabled": "true"})
    found = session.settings(given, tmp_path)
    assert found["spark.ui.enabled"] == "true"
    assert found["spark.driver.bindAddress"] == "127.0.0.1"
    assert "spark.driver.bindAddress" not in session.settings(Spark("spark://host:7077"), tmp_path)
