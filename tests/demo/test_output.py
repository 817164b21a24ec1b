"""A cohort on disk: files, truth beside them, the same bytes each time, nothing half-written, little memory."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from datetime import date
from pathlib import Path

import pytest

from precaution import load_label
from precaution.cli import run
from precaution.demo import Generator, load_recipes, write_cohort
from precaution.errors import UsageError
from precaution.knowledge.loading import find_label

DAY = "2025-03-01"


def cohort(out: Path, *options: str, many: int = 40) -> Path:
    assert run(["demo-cohort", str(many), "--out", str(out), "--today", DAY, *options]) == 0
    return out


def generator(entries: int = 60) -> Generator:
    label = load_label("baricitinib")
    recipes = load_recipes(find_label("baricitinib"), label)
    return Generator(label, recipes, seed=1, today=date.fromisoformat(DAY), entries=entries)


def lines(folder: Path) -> list[dict[str, object]]:
    found = []
    for path in sorted(folder.glob("*.ndjson*")):
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found += [json.loads(line) for line in text.decode("utf-8").splitlines()]
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_bulk_files_hold_every_resource_of_every_patient(tmp_path: Path) -> None:
    out = cohort(tmp_path / "demo")
    written = lines(out / "fhir")
    assert sum(each["resourceType"] == "Patient" for each in written) == 40
    wanted = [resource for each in generator().patients(40) for resource in each.resources]
    assert sorted(map(json.dumps, written)) == sorted(map(json.dumps, wanted))


def test_each_file_is_of_one_type_and_patients_are_spread_over_files(tmp_path: Path) -> None:
    out = cohort(tmp_path / "demo")
    for path in (out / "fhir").iterdir():
        assert {json.loads(line)["resourceType"] for line in path.read_text(encoding="utf-8").splitlines()} == {
            path.name.split(".")[0]
        }
    assert len(list((out / "fhir").glob("Observation.*"))) >= 2
    files = (out / "fhir").glob("Observation.*")
    assert sum("demo-0000001" in path.read_text(encoding="utf-8") for path in files) == 2


def test_the_truth_has_a_line_a_patient(tmp_path: Path) -> None:
    known = [json.loads(line) for line in (cohort(tmp_path / "d") / "truth.ndjson").read_text("utf-8").splitlines()]
    assert [each["patient"] for each in known] == [f"demo-{number:07d}" for number in range(1, 41)]
    assert all({"stage", "action", "states"} <= each.keys() or each["refused"] == "died" for each in known)


@pytest.mark.parametrize("options", [(), ("--gzip",), ("--form", "bundles"), ("--form", "bundles", "--gzip")])
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, options: tuple[str, ...]) -> None:
    first, second = (contents(cohort(tmp_path / name, *options)) for name in "ab")
    assert first == second
    assert contents(cohort(tmp_path / "c", "--seed", "2", *options)) != first


def test_compressed_files_hold_the_same(tmp_path: Path) -> None:
    assert lines(cohort(tmp_path / "a") / "fhir") == lines(cohort(tmp_path / "b", "--gzip") / "fhir")


def test_a_bundle_can_be_assessed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = cohort(tmp_path / "demo", "--form", "bundles", many=3)
    known = [json.loads(line) for line in (out / "truth.ndjson").read_text(encoding="utf-8").splitlines()]
    capsys.readouterr()
    assert run(["assess", str(out / "fhir" / "0000" / "demo-0000001.json"), "--today", DAY, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stage"] == known[0]["stage"]


def test_entries_fill_a_record(tmp_path: Path) -> None:
    few = lines(cohort(tmp_path / "a", "--entries", "0") / "fhir")
    many = lines(cohort(tmp_path / "b", "--entries", "100") / "fhir")
    assert not any(each["resourceType"] == "Encounter" for each in few)
    assert len(many) == 100 * 40


def test_the_summary_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohort(tmp_path / "a", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["patients"], told["seed"], told["today"]) == (40, 1, DAY)
    assert sum(told["stages"].values()) == sum(told["actions"].values()) == 40
    cohort(tmp_path / "b")
    out = capsys.readouterr()
    assert "40 synthetic patients" in out.out
    assert out.err == "", "progress is for terminals"


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert run(["demo-cohort", "1", "--out", str(tmp_path), "--today", DAY]) == 2
    assert "name a new folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_may_be_used(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    assert (cohort(tmp_path / "demo", many=2) / "truth.ndjson").is_file()


def test_nothing_is_left_of_a_cohort_that_was_broken_off(tmp_path: Path) -> None:
    def stop(done: int) -> None:
        if done >= 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_cohort(generator(), 1000, tmp_path / "demo", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("")
    with pytest.raises(UsageError):
        write_cohort(generator(), 1, tmp_path / "demo")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_cohort(tmp_path: Path) -> None:
    makes = generator(entries=0)
    write_cohort(makes, 50, tmp_path / "warm")
    peaks = []
    for many in (100, 600):
        tracemalloc.start()
        write_cohort(makes, many, tmp_path / str(many))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


@pytest.mark.parametrize("many", ["0", "-1", "x"])
def test_a_number_of_patients_is_asked_for(tmp_path: Path, many: str) -> None:
    assert run(["demo-cohort", "--out", str(tmp_path / "d"), "--", many]) == 2


def test_the_command_that_is_hinted_at_decides_them_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Given the folder above, a cohort takes the truths for resources of nobody, and nobody's list is complete."""
    pytest.importorskip("pyarrow")
    cohort(tmp_path / "a", many=5)
    hint = capsys.readouterr().out.splitlines()[-1]
    arguments = hint[hint.index("`") + 1 : hint.rindex("`")].replace("FOLDER", str(tmp_path / "out")).split()
    assert arguments[0] == "precaution"
    assert run([*arguments[1:], "--workers", "1"]) == 0
    assert "nobody's" not in capsys.readouterr().out
