"""Several labels in one run over many patients: each comes to what it comes to alone, whatever the source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest

from precaution.cli import run
from precaution.cohort import Spark, cohort, most_urgent
from precaution.cohort.comparison import compared
from precaution.cohort.export.calendar import write_calendar
from precaution.cohort.label_source import LabelSource
from precaution.cohort.tables import SCHEMAS
from precaution.errors import UsageError
from precaution.knowledge.loading import find_label
from support.cohort_people import RESOURCES, TODAY, demo
from support.ndjson_sources import LABEL, resources_of, written
from support.omop_sources import Cdm, put_parquet
from support.second_label import write_second_label

NAMES = ("baricitinib", "second")
DRUG = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "105585"}]}
"""Of the second label."""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> tuple[LabelSource, LabelSource]:
    folder = write_second_label(tmp_path_factory.mktemp("labels") / "second")
    return LabelSource(str(find_label("baricitinib"))), LabelSource(str(folder))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People on either drug, both, or none."""
    folder = tmp_path_factory.mktemp("people")
    found = [*RESOURCES, *resources_of(demo(folder / "demo", "ndjson") / "fhir")]
    ids = sorted(each["id"] for each in found if each["resourceType"] == "Patient")
    for number, person in enumerate(ids[::3]):
        order = {"resourceType": "MedicationRequest", "id": f"second-{number}", "intent": "order", "status": "active"}
        when = {"authoredOn": f"2025-0{1 + number % 2}-1{number % 10}"}
        found.append(
            {**order, **when, "medicationCodeableConcept": DRUG, "subject": {"reference": f"Patient/{person}"}}
        )
    return written(folder / "in", found, files=3)


def rows(out: Path, table: str, label: str = "") -> list[dict[str, Any]]:
    """Return the rows of a table, those of one label where it is given."""
    found = ds.dataset(out / table, schema=SCHEMAS[table], format="parquet").to_table().to_pylist()
    return sorted((row for row in found if label in ("", row["label"])), key=lambda row: json.dumps(row, default=str))


def tables_that_differ(both: Path, alone: dict[str, Path]) -> list[tuple[str, str]]:
    """Return tables, and the label of which their rows are other ones than in the run of that label alone."""
    return [
        (table, name)
        for table in SCHEMAS
        if table != "problems" and (both / table).is_dir()
        for name, out in alone.items()
        if rows(both, table, name) != rows(out, table)
    ]


@pytest.mark.parametrize(
    "who", ["on-drug", *(pytest.param(who, marks=pytest.mark.slow) for who in ("ever-on-drug", "everybody"))]
)
def test_each_label_comes_to_what_it_comes_to_alone(
    who: str, sources: tuple[LabelSource, LabelSource], people: Path, tmp_path: Path
) -> None:
    how: dict[str, Any] = {"today": TODAY, "who": who, "workers": 1, "history": True, "entries": True, "audit": True}
    alone = {name: tmp_path / name for name in NAMES}
    single = [cohort(people, alone[name], labels=[each], **how) for name, each in zip(NAMES, sources, strict=True)]
    both = cohort(people, tmp_path / "both", labels=sources, **how)
    assert tables_that_differ(tmp_path / "both", alone) == []
    assert all(rows(tmp_path / "both", "decisions", name) for name in NAMES)
    assert both.by_label == {name: each.actions for name, each in zip(NAMES, single, strict=True)}
    decided = {row["person"] for out in alone.values() for row in rows(out, "decisions")}
    assert (both.decided, both.decided + both.left_out + both.died) == (len(decided), both.people)
    assert all(each.by_label == {} for each in single)


@pytest.mark.slow
def test_records_kept_as_tables_are_each_labels_own(
    sources: tuple[LabelSource, LabelSource], people: Path, tmp_path: Path
) -> None:
    how: dict[str, Any] = {"today": TODAY, "workers": 1}
    first = cohort(people, tmp_path / "first", labels=sources, entries=True, who="ever-on-drug", **how)
    for number, labels in enumerate((sources, sources[:1], sources[1:])):
        again = cohort(tmp_path / "first", tmp_path / f"again-{number}", labels=labels, **how)
        for name in NAMES:
            expected = rows(tmp_path / "first", "decisions", name)
            got = rows(tmp_path / f"again-{number}", "decisions", name)
            assert got == (expected if len(labels) == 2 or name == NAMES[number - 1] else [])
    assert set(again.problems) == {"died"} <= set(first.problems)
    cohort(people, tmp_path / "one", labels=sources[:1], entries=True, **how)
    with pytest.raises(UsageError, match="were read by the code lists of baricitinib, not by those of second"):
        cohort(tmp_path / "one", tmp_path / "none", labels=sources, **how)


@pytest.mark.slow
def test_an_audit_counts_one_label_of_several(
    sources: tuple[LabelSource, LabelSource], people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    how: dict[str, Any] = {"today": TODAY, "workers": 1, "audit": True, "history": True, "who": "ever-on-drug"}
    for name, labels in (("alone", sources[:1]), ("both", sources)):
        cohort(people, tmp_path / name, labels=labels, **how)
        assert run(["audit", str(tmp_path / name), "--json"]) == 0
    alone, _, both = capsys.readouterr().out.partition("\n}\n")
    found = [json.loads(alone + "}"), json.loads(both)]
    assert found[0]["measures"] == found[1]["measures"] != []
    assert run(["audit", str(tmp_path / "both"), "--label", "all", "--json"]) == 0
    (of_all,) = json.loads(capsys.readouterr().out)["audits"]
    assert of_all == found[1]


def test_what_is_exported_and_compared_is_each_labels_own(
    sources: tuple[LabelSource, LabelSource], people: Path, tmp_path: Path
) -> None:
    both, one = tmp_path / "both", tmp_path / "one"
    for out, labels in ((both, sources), (one, sources[1:])):
        cohort(people, out, labels=labels, today=TODAY, workers=1, who="on-drug")
    found = compared(one, both)
    gone = [each for each in found.answers if not each.now]
    new = {each.person for each in found.answers if not each.before}
    assert not gone
    assert new == {f"{row['person']} [baricitinib]" for row in rows(both, "decisions", "baricitinib")}
    assert {each.person for each in found.answers} == new
    assert compared(both, both).answers == ()
    write_calendar(both, tmp_path / "due.ics")
    uids = [line for line in (tmp_path / "due.ics").read_text().splitlines() if line.startswith("UID:")]
    assert len(uids) == len(set(uids)) > 0


def test_one_worklist_has_the_lines_of_a_patient_together(
    sources: tuple[LabelSource, LabelSource],
    people: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    both = ["--label", sources[0].folder, "--label", sources[1].folder]
    assert run(["cohort", str(people), "--out", str(out), "--today", TODAY, "--workers", "1", *both, "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["by_label"]) == set(NAMES)
    found = most_urgent(out)
    order = list(dict.fromkeys(each.person for each in found))
    assert [each.person for each in found] == [person for person in order for each in found if each.person == person]
    assert len(order) < len(found)
    assert [each.person for each in most_urgent(out, 3)] == [e.person for e in found if e.person in order[:3]]
    assert run(["worklist", str(out), "--top", "3"]) == 0
    assert capsys.readouterr().out.split()[1] == "label"


def test_a_cdm_is_mapped_for_each_label(sources: tuple[LabelSource, LabelSource], tmp_path: Path) -> None:
    cdm = Cdm(LABEL.terminology)
    for name in ("drug_baricitinib", "drug_methotrexate"):
        cdm.person(
            ["born 1960", f"medication {name} active since 2025-01-10", "result lab_anc 0.8 10*9/L on 2025-02-20"]
        )
    cdm.person(["born 1990", "condition hepatitis_b active since 2020-01-01"])
    put_parquet(tmp_path / "cdm", cdm.tables)
    how: dict[str, Any] = {"today": TODAY, "workers": 1, "entries": True}
    alone = {name: tmp_path / name for name in NAMES}
    for name, each in zip(NAMES, sources, strict=True):
        cohort(tmp_path / "cdm", alone[name], labels=[each], **how)
    cohort(tmp_path / "cdm", tmp_path / "both", labels=sources, **how)
    assert tables_that_differ(tmp_path / "both", alone) == []
    assert len(rows(tmp_path / "both", "decisions")) == 6


def test_spark_comes_to_the_same(
    spark: Any,
    sources: tuple[LabelSource, LabelSource],
    people: Path,
    tmp_path: Path,
) -> None:
    how: dict[str, Any] = {"today": TODAY, "labels": sources, "who": "ever-on-drug", "history": True}
    cohort(people, tmp_path / "here", workers=1, **how)
    cohort(people, tmp_path / "there", spark=Spark(session=spark), **how)
    for table in ("decisions", "findings", "due", "history"):
        assert rows(tmp_path / "there", table) == rows(tmp_path / "here", table) != []
