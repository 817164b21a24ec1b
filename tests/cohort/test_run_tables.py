"""Tables as a source and as a result: the answers of the FHIR path, and nothing dropped in silence."""

from __future__ import annotations

import json
import shutil
from math import inf, nan
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from precaution import assess
from precaution.cli import run
from precaution.cohort import cohort, plan
from precaution.cohort.sort import rows as sorting
from precaution.errors import InputError, OutputError, PatientDied, UsageError
from precaution.tables.schema import ENTRIES, as_table
from precaution.values.record import Record
from support.cohort_people import ALONE, EXAMPLES, RESOURCES, TODAY
from support.effort import first, tries
from support.ndjson_sources import LABEL, cells, differences, table
from support.ndjson_sources import rows as result_rows
from support.project import PROJECT, SHARED
from support.table_sources import SCHEMAS, Rows, changed, put, put_columns, records, rows

PEOPLE = records(RESOURCES)
ROWS = rows(PEOPLE)
BY = {"entries": [(name, "ascending") for name in ("person", "concept", "order")], "persons": "person"}


def decided(source: Path, tmp_path: Path, **more: object) -> Path:
    out = tmp_path / "out"
    cohort(source, out, today=TODAY, workers=1, **more)  # type: ignore[arg-type]
    return out


def problems(out: Path) -> list[tuple[object, ...]]:
    return [
        (row["person"], row["kind"], row["file"], row["line"], row["lines"]) for row in result_rows(out, "problems")
    ]


def quality(out: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((out / "quality.json").read_text())
    return found


# The same answers


def test_what_a_run_writes_is_what_the_reader_read(tmp_path: Path) -> None:
    out = decided(EXAMPLES, tmp_path, entries=True)
    for name, schema in SCHEMAS.items():
        found = pq.ParquetDataset(out / name).read()
        assert found.schema.equals(schema)
        assert found.sort_by(BY[name]).equals(as_table(ROWS[name], schema).sort_by(BY[name]))
    assert len(ROWS["entries"]) > 100


def test_without_the_option_no_record_is_written(tmp_path: Path) -> None:
    out = decided(EXAMPLES, tmp_path)
    assert not (out / "entries").exists()
    assert not (out / "persons").exists()


def test_results_with_entries_are_a_source_of_the_same_answers(tmp_path: Path) -> None:
    cohort(EXAMPLES, tmp_path / "first", today=TODAY, workers=1, entries=True, history=True)
    cohort(tmp_path / "first", tmp_path / "again", today=TODAY, workers=1, entries=True, history=True)
    compared, differ = differences(tmp_path / "again", ALONE)
    print(f"{compared} cells compared")  # noqa: T201 - how much was compared is part of the answer
    assert (compared > 500, differ) == (True, [])
    for name in ("history", "entries", "persons"):
        assert len(result_rows(tmp_path / "first", name)) > 6
        assert result_rows(tmp_path / "first", name) == result_rows(tmp_path / "again", name)


@given(seed=st.integers(0, 2**32), files=st.integers(1, 9), each=st.integers(1, 7), batch=st.integers(10, 500))
@settings(max_examples=tries(3, 20), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_order_and_no_split_of_rows_changes_an_answer(
    seed: int, files: int, each: int, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TemporaryDirectory() as folder, monkeypatch.context() as patched:
        patched.setattr(sorting, "PERSONS_EACH", each)
        patched.setattr(sorting, "FILES", 2)
        patched.setattr(sorting, "BATCH", batch)
        source = put(Path(folder, "in"), ROWS, seed, files)
        summary = cohort(source, Path(folder, "out"), today=TODAY, workers=1)
        assert (summary.people, summary.clean) == (len(ALONE), True)
        assert differences(Path(folder, "out"), ALONE)[1] == []


@pytest.mark.parametrize("name", ["synthea-v2.4-ndjson", "synthea-v2.7-ndjson"])
def test_every_synthea_patient(name: str, tmp_path: Path) -> None:
    if not SHARED.is_dir():
        pytest.skip("../shared is not here")
    first = cohort(SHARED / "data" / name, tmp_path / "fhir", today="2015-01-01", workers=1, entries=True)
    again = cohort(tmp_path / "fhir", tmp_path / "tables", today="2015-01-01", workers=1)
    assert (again.decided, again.died, again.actions) == (first.decided, first.died, first.actions)
    before, after = cells(tmp_path / "fhir"), cells(tmp_path / "tables")
    print(f"{name}: {len(before)} cells compared")  # noqa: T201
    assert len(before) > 2000
    assert before == after


def test_synthetic_patients_with_every_trap(tmp_path: Path) -> None:
    assert run(["demo-cohort", "150", "--out", str(tmp_path / "demo"), "--today", TODAY, "--form", "bundles"]) == 0
    decisions = {}
    for file in (tmp_path / "demo" / "fhir").rglob("*.json"):
        try:
            decisions[file.stem] = assess(file, today=TODAY, label=LABEL)
        except PatientDied:
            decisions[file.stem] = "PatientDied"
    cohort(tmp_path / "demo" / "fhir", tmp_path / "first", today=TODAY, workers=1, entries=True)
    summary = cohort(tmp_path / "first", tmp_path / "again", today=TODAY, workers=1)
    compared, differ = differences(tmp_path / "again", decisions)
    print(f"{compared} cells of {len(decisions)} synthetic patients compared")  # noqa: T201
    assert (summary.people, compared > 10_000, differ) == (150, True, [])
    assert summary.died == list(decisions.values()).count("PatientDied") > 0


def test_two_processes_come_to_the_same_bytes_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "PERSONS_EACH", 3)
    source = put(tmp_path / "in", ROWS)
    for workers in (1, 2):
        cohort(source, tmp_path / str(workers), today=TODAY, workers=workers, entries=True)
    files = sorted(path.relative_to(tmp_path / "1") for path in (tmp_path / "1").rglob("*") if path.is_file())
    assert len(files) > 20
    assert [
        file for file in files if (tmp_path / "1" / file).read_bytes() != (tmp_path / "2" / file).read_bytes()
    ] == []


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_a_limit_takes_the_same_patients_as_from_fhir(limit: int, tmp_path: Path) -> None:
    cohort(EXAMPLES, tmp_path / "fhir", today=TODAY, workers=1, limit=limit)
    out = decided(put(tmp_path / "in", ROWS), tmp_path, limit=limit)
    people = {row["person"] for row in result_rows(tmp_path / "fhir", "decisions")}
    assert {row["person"] for row in result_rows(out, "decisions")} == people
    assert len(people) == min(limit, 7)


def test_other_columns_types_and_orders_of_columns_that_mean_the_same(tmp_path: Path) -> None:
    source = put(tmp_path / "in", ROWS, files=1)
    (file,) = (source / "entries").glob("*.parquet")
    known = pq.read_table(file)
    columns = {name: known.column(name) for name in reversed(known.column_names) if name != "order"}
    columns["concept"] = columns["concept"].dictionary_encode()
    columns["source"] = columns["source"].cast(pa.large_string())
    columns["start_low"] = columns["start_low"].cast(pa.decimal128(21, 1))
    columns["recorded_low"] = columns["recorded_high"] = pa.nulls(len(known))
    put_columns(source, "entries", {**columns, "more": pa.array(["x"] * len(known))})
    assert differences(decided(source, tmp_path), ALONE)[1] == []


# What is wrong


@pytest.mark.parametrize(
    ("values", "why"),
    first(
        8,
        [
            ({"concept": ""}, "it has no concept"),
            ({"concept": None}, "it has no concept"),
            ({"source": None}, "it has no source"),
            ({"kind": "diagnosis"}, "its kind is none of"),
            ({"kind": None}, "its kind is none of"),
            ({"status": "done"}, "its status is none of"),
            ({"certainty": "sure"}, "its certainty is none of"),
            ({"start_low": nan}, "start is no span of days"),
            ({"start_low": None, "start_high": 739000.0}, "start is no span of days"),
            ({"start_low": 739001.0, "start_high": 739000.0}, "start is no span of days"),
            ({"start_low": 739000.5, "start_high": 739001.0}, "start is no span of days"),
            ({"end_low": inf, "end_high": inf}, "end is no span of days"),
            ({"recorded_low": -inf, "recorded_high": -inf}, "recorded is no span of days"),
            ({"low": nan, "high": nan}, "low and high are no interval"),
            ({"low": 2.0, "high": 1.0}, "low and high are no interval"),
            ({"low": 2.0, "high": None}, "low and high are no interval"),
            ({"low": inf, "high": inf}, "low and high are no interval"),
            ({"low": 1.0, "high": 1.0, "low_open": None}, "say not whether they are open"),
            ({"low": -inf, "high": 1.0, "low_open": False, "high_open": True}, "an end that is infinite must be open"),
            ({"low": 1.0, "high": inf, "low_open": True, "high_open": False}, "an end that is infinite must be open"),
            ({"low": 1.0, "high": 1.0, "low_open": True, "high_open": False}, "leave nothing between them"),
            ({"upper": 0.0}, "upper is no finite number above 0"),
            ({"upper": inf}, "upper is no finite number above 0"),
            ({"upper": nan}, "upper is no finite number above 0"),
        ],
    ),
)
def test_a_row_that_cannot_be_right_leaves_its_person_undecided(
    values: dict[str, object], why: str, tmp_path: Path
) -> None:
    row = next(at for at, each in enumerate(ROWS["entries"]) if each[2] == "result")
    person = ROWS["entries"][row][0]
    defaults = {"low": 1.0, "high": 1.0, "low_open": False, "high_open": False, **values}
    source = put(tmp_path / "in", changed(ROWS, "entries", row, **defaults))
    out = tmp_path / "out"
    summary = cohort(source, out, today=TODAY, workers=1)
    assert (summary.decided, summary.failed, dict(summary.problems)) == (6, 1, {"bad-row": 1})
    assert differences(out, {name: each for name, each in ALONE.items() if name != person})[1] == []
    (found,) = result_rows(out, "problems")
    assert (found["person"], found["kind"], why in found["message"]) == (person, "bad-row", True)
    file = pq.read_table(source / found["file"]).to_pylist()
    assert file[found["line"] - 1]["person"] == person
    with pytest.raises(InputError, match=r"line \d+: the row can't be right"):
        cohort(source, tmp_path / "strict", today=TODAY, workers=1, strict=True)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"birth_low": nan}, "birth is no span of days"),
        ({"died_low": 739000.0, "died_high": None}, "died is no span of days"),
        ({"lists": ["condition", "conditions"]}, "lists holds something other than"),
        ({"attested": [None]}, "attested holds something other than"),
        ({"unrecognised": [None]}, "unrecognised holds nulls"),
        ({"partial": None}, "partial is null"),
    ],
)
def test_a_person_that_cannot_be_right_is_not_decided(values: dict[str, object], why: str, tmp_path: Path) -> None:
    out = decided(put(tmp_path / "in", changed(ROWS, "persons", 2, **values)), tmp_path)
    (found,) = result_rows(out, "problems")
    assert (found["person"], found["kind"], why in found["message"]) == (ROWS["persons"][2][0], "bad-row", True)
    assert quality(out)["failed"] == 1


def test_rows_of_somebody_who_is_not_there(tmp_path: Path) -> None:
    person = ROWS["persons"][0][0]
    out = decided(put(tmp_path / "in", {**ROWS, "persons": ROWS["persons"][1:]}), tmp_path)
    many = sum(row[0] == person for row in ROWS["entries"])
    assert problems(out) == [(person, "no-person", "", 0, many)]
    assert (quality(out)["people"], quality(out)["failed"]) == (7, 1)
    assert differences(out, {name: each for name, each in ALONE.items() if name != person})[1] == []


@pytest.mark.parametrize("kind", ["condition", "medication", "nonsense", None])
@pytest.mark.parametrize("nobody", ["", None])
def test_a_row_of_nobody_may_be_anybodys(kind: str | None, nobody: str | None, tmp_path: Path) -> None:
    """The patient who was clear is so no longer: a list is not complete."""
    clear = next(name for name, each in ALONE.items() if not isinstance(each, str) and each.action == "clear")
    row = next(at for at, each in enumerate(ROWS["entries"]) if each[0] != clear)
    out = decided(put(tmp_path / "in", changed(ROWS, "entries", row, person=nobody, kind=kind)), tmp_path)
    assert table(out, "decisions")[clear][0]["action"] not in ("clear", "due")
    ((person, what, file, line, lines),) = problems(out)
    assert (person, what, lines) == ("", "nobody's", 1)
    assert (str(file).startswith("entries/"), int(str(line)) > 0) == (True, True)


def test_a_site_may_say_that_a_row_of_nobody_is_nobodys(tmp_path: Path) -> None:
    clear = next(name for name, each in ALONE.items() if not isinstance(each, str) and each.action == "clear")
    row = next(at for at, each in enumerate(ROWS["entries"]) if each[0] != clear)
    source = put(tmp_path / "in", changed(ROWS, "entries", row, person=None))
    summary = cohort(source, tmp_path / "out", today=TODAY, workers=1, lost_lines="nobody")
    assert (summary.clean, summary.disregarded) == (False, 1)
    assert table(tmp_path / "out", "decisions")[clear][0]["action"] == "clear"
    assert quality(tmp_path / "out")["lost_lines"] == "nobody"


def test_a_person_without_a_name_is_said(tmp_path: Path) -> None:
    found: Rows = {"entries": [], "persons": changed(ROWS, "persons", 1, person=None)["persons"]}
    out = decided(put(tmp_path / "in", found), tmp_path)
    assert [each[1] for each in problems(out)] == ["no-id"]
    assert quality(out)["decided"] == 6


def test_many_rows_of_nobody_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "SHOWN", 3)
    rows_ = {**ROWS, "entries": [(None, *row[1:]) for row in ROWS["entries"]]}
    out = decided(put(tmp_path / "in", rows_), tmp_path)
    assert sum(int(str(each[4])) for each in problems(out)) == len(ROWS["entries"])
    assert len(problems(out)) == 4


def test_rows_that_came_twice_count_once(tmp_path: Path) -> None:
    twice = {"entries": [*ROWS["entries"], *ROWS["entries"][:5]], "persons": [*ROWS["persons"], ROWS["persons"][0]]}
    out = tmp_path / "out"
    summary = cohort(put(tmp_path / "in", twice), out, today=TODAY, workers=1)
    assert (summary.clean, set(summary.problems)) == (True, {"row-twice"})
    assert sum(int(str(each[4])) for each in problems(out)) == 6
    assert differences(out, ALONE)[1] == []


def test_two_persons_of_one_name_are_not_decided(tmp_path: Path) -> None:
    again = changed(ROWS, "persons", 0, birth_low=700000.0, birth_high=700000.0)["persons"][0]
    out = decided(put(tmp_path / "in", {**ROWS, "persons": [*ROWS["persons"], again]}), tmp_path)
    assert [each[:2] for each in problems(out)] == [(ROWS["persons"][0][0], "bad-row")]


def test_a_concept_that_the_label_lacks_leaves_no_list_complete(tmp_path: Path) -> None:
    clear = next(name for name, each in ALONE.items() if not isinstance(each, str) and each.action == "clear")
    status = ("active", "certain")
    more = (clear, "misspelt", "condition", "Condition/new", *(None,) * 6, *status, *(None,) * 5, "", "", "", 0, None)
    out = decided(put(tmp_path / "in", {**ROWS, "entries": [*ROWS["entries"], more]}), tmp_path)
    assert table(out, "decisions")[clear][0]["action"] not in ("clear", "due")
    said = {"system": "concept", "code": "misspelt", "why": "the label has no such concept", "count": 1}
    assert said in quality(out)["unrecognised"]  # type: ignore[operator]


def test_nothing_of_a_record_is_in_a_problem(tmp_path: Path) -> None:
    canary = "canary-4711"
    row = changed(ROWS, "entries", 0, kind=canary, says=canary, note=canary)
    out = decided(put(tmp_path / "in", row), tmp_path)
    assert canary not in (out / "quality.json").read_text() + str(result_rows(out, "problems"))


@pytest.mark.parametrize("name", ["low", "person", "lists", "low_open", "ignored"])
def test_a_column_of_another_type_is_said(name: str, tmp_path: Path) -> None:
    source = put(tmp_path / "in", ROWS, files=1)
    of = "entries" if name in ENTRIES.names and name != "person" else "persons"
    (file,) = (source / of).glob("*.parquet")
    known = pq.read_table(file)
    other = pa.array([b"x"] * len(known)) if name != "low" else pa.array(["1.0"] * len(known))
    put_columns(source, of, {each: other if each == name else known.column(each) for each in known.column_names})
    with pytest.raises(InputError, match=rf"{of}/only.parquet: the column '{name}' is (binary|string), not"):
        cohort(source, tmp_path / "out", today=TODAY)


def test_a_missing_column_is_said(tmp_path: Path) -> None:
    source = put(tmp_path / "in", ROWS, files=1)
    put_columns(source, "persons", {"person": pa.array(["a"])})
    with pytest.raises(InputError, match=r"persons/only.parquet: there is no column birth_low, birth_high, died_low"):
        cohort(source, tmp_path / "out", today=TODAY)


@pytest.mark.parametrize("cut", [0, 4, 2000])
def test_a_damaged_file_is_said(cut: int, tmp_path: Path) -> None:
    source = put(tmp_path / "in", ROWS)
    file = next((source / "entries").glob("*.parquet"))
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(InputError, match=rf"entries/{file.name}: the file is damaged"):
        cohort(source, tmp_path / "out", today=TODAY)


def test_damage_inside_a_file_is_said_without_its_words(tmp_path: Path) -> None:
    source = put(tmp_path / "in", ROWS, files=1)
    (file,) = (source / "entries").glob("*.parquet")
    data = bytearray(file.read_bytes())
    data[100:1500] = b"\xff" * 1400
    file.write_bytes(bytes(data))
    with pytest.raises(InputError, match="can't be read to its end"):
        cohort(source, tmp_path / "out", today=TODAY, workers=1)
    assert not (tmp_path / "out" / "_SUCCESS").exists()


@pytest.mark.parametrize("gone", ["entries", "persons"])
def test_a_table_without_files_is_said(gone: str, tmp_path: Path) -> None:
    source = put(tmp_path / "in", ROWS)
    shutil.rmtree(source / gone)
    (source / gone).mkdir()
    with pytest.raises(InputError, match=rf"in/{gone}' holds no .parquet file"):
        cohort(source, tmp_path / "out", today=TODAY)


def test_results_of_an_unfinished_run_are_no_source(tmp_path: Path) -> None:
    out = decided(EXAMPLES, tmp_path, entries=True)
    (out / "_SUCCESS").unlink()
    with pytest.raises(InputError, match="a run that is not finished"):
        cohort(out, tmp_path / "again", today=TODAY)


def test_results_are_not_written_over_their_source(tmp_path: Path) -> None:
    out = decided(EXAMPLES, tmp_path, entries=True)
    with pytest.raises(UsageError, match="the source is there"):
        cohort(out, out, today=TODAY, overwrite=True)
    assert (out / "_SUCCESS").exists()


# Runs that end early, empty tables, the command line


def test_an_interrupted_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "PERSONS_EACH", 2)
    source, out = put(tmp_path / "in", ROWS), tmp_path / "out"
    done: list[int] = []

    def stop(what: str, so_far: int, whole: int) -> None:
        if what == "patients decided":
            done.append(so_far)
            if so_far == 4:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cohort(source, out, today=TODAY, workers=1, progress=stop)
    assert (out / ".work" / "sorted.json").exists()
    finished = {path.name: path.stat().st_mtime_ns for path in (out / "decisions").iterdir()}
    assert finished
    cohort(source, out, today=TODAY, workers=1)
    assert differences(out, ALONE)[1] == []
    assert {name: (out / "decisions" / name).stat().st_mtime_ns for name in finished} == finished
    assert not (out / ".work").exists()


def test_a_run_interrupted_while_rows_are_sorted_begins_that_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = put(tmp_path / "in", ROWS), tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr("precaution.cohort.sort.sorted.put", lambda *_: (_ for _ in ()).throw(OutputError("no room")))
        with pytest.raises(OutputError):
            cohort(source, out, today=TODAY, workers=1)
    assert list((out / ".work").glob("entries-*.arrow"))
    cohort(source, out, today=TODAY, workers=1)
    assert differences(out, ALONE)[1] == []


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (duckdb.IOException("IO Error: Could not write all bytes: No space left on device"), OutputError),
        (duckdb.OutOfMemoryException("could not allocate"), OutputError),
        (duckdb.IOException("IO Error: Corrupt snappy data: a canary"), InputError),
        (duckdb.InvalidInputException("a canary"), InputError),
    ],
)
def test_what_duckdb_could_not_do_is_said_in_our_words(
    error: Exception, kind: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(sorting, "_sort_entries", fail)
    with pytest.raises(kind) as said:
        decided(put(tmp_path / "in", ROWS), tmp_path)
    assert "canary" not in str(said.value)


def test_nobody_and_nothing(tmp_path: Path) -> None:
    summary = cohort(put(tmp_path / "in", {"entries": [], "persons": []}, files=1), tmp_path / "out", today=TODAY)
    assert (summary.people, summary.clean) == (0, True)
    assert (tmp_path / "out" / "_SUCCESS").exists()


def test_a_person_of_whom_nothing_is_known_is_not_clear(tmp_path: Path) -> None:
    out = decided(put(tmp_path / "in", rows({"p": Record()})), tmp_path)
    (row,) = table(out, "decisions")["p"]
    assert row["action"] not in ("clear", "due", "caution", "weigh")


def test_the_same_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, again = str(tmp_path / "first"), str(tmp_path / "again")
    assert run(["cohort", str(EXAMPLES), "--out", first, "--today", TODAY, "--entries", "--who", "everybody"]) == 0
    said = capsys.readouterr().out
    assert run(["cohort", first, "--out", again, "--today", TODAY, "--dry-run"]) == 0
    planned = capsys.readouterr().out
    assert "entries/part-0000.parquet" in planned
    assert "persons/part-0000.parquet" in planned
    assert run(["cohort", first, "--out", again, "--today", TODAY, "--who", "everybody"]) == 0
    assert capsys.readouterr().out == said.replace("first", "again")


def test_other_files_of_a_folder_of_results_are_not_read(tmp_path: Path) -> None:
    out = decided(EXAMPLES, tmp_path, entries=True)
    assert {each.name.partition("/")[0] for each in plan(out, tmp_path / "x").files} == {"entries", "persons"}
    assert PROJECT.exists()
