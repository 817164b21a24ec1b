"""What the rows of a CDM become: codes by every route, statuses, ends, numbers, births, lists; and what is wrong."""

from __future__ import annotations

import gzip
import json
import shutil
from datetime import date
from functools import cache
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from precaution.cli import run
from precaution.cohort import cohort, plan
from precaution.errors import InputError, KnowledgeError
from precaution.readers.omop.columns import TABLES
from precaution.readers.omop.meanings import most_specific
from precaution.readers.unlisted_results import BY_UNIT
from precaution.values.interval import EVERYTHING, Interval, exactly
from precaution.values.record import DOSE, Entry, Record
from support.effort import first
from support.ndjson_sources import LABEL, rows, table
from support.omop_sources import COLUMNS, Cdm, Tables, put_csv, put_duckdb, put_parquet
from support.project import PROJECT
from support.table_sources import records_of

TODAY = "2025-03-01"
DAY = date(2025, 2, 10).toordinal()


def cdm(**tables: list[dict[str, Any]]) -> Cdm:
    """Return a CDM with one person and rows of it."""
    made = Cdm(LABEL.terminology)
    made.person(["born 1970-01-01"])
    for name, found in tables.items():
        for number, row in enumerate(found):
            made.add(name, **{**DEFAULTS.get(name, {}), f"{_ID.get(name, name)}_id": number + 1, **row})
    return made


_ID = {"concept": "concept", "concept_ancestor": "ancestor_concept"}
DEFAULTS: dict[str, dict[str, Any]] = {
    "condition_occurrence": {"person_id": 1, "condition_start_date": "2025-02-10", "condition_concept_id": 0},
    "drug_exposure": {
        "person_id": 1,
        "drug_exposure_start_date": "2025-02-10",
        "drug_concept_id": 0,
        "drug_exposure_end_date": "2025-02-10",
        "drug_type_concept_id": 32838,
    },
    "procedure_occurrence": {"person_id": 1, "procedure_date": "2025-02-10", "procedure_concept_id": 0},
    "measurement": {"person_id": 1, "measurement_date": "2025-02-10", "measurement_concept_id": 0},
    "observation": {"person_id": 1, "observation_date": "2025-02-10", "observation_concept_id": 0},
}


def read(tables: Tables | Cdm, tmp_path: Path, today: str = TODAY) -> dict[str, Record]:
    """Return the records that tables come to."""
    found = tables.tables if isinstance(tables, Cdm) else tables
    out = tmp_path / "out"
    cohort(put_csv(tmp_path / "cdm", found), out, today=today, workers=1, entries=True)
    persons, entries = (pq.ParquetDataset(out / name).read() for name in ("persons", "entries"))
    return dict(records_of(persons, entries))


def entries(tables: Tables | Cdm, tmp_path: Path) -> dict[str, Entry]:
    """Return the entries of the one person by concept."""
    (record,) = read(tables, tmp_path).values()
    return {name: own[0] for name, own in record.entries.items()}


BATCHES: dict[str, tuple[str, dict[str, Any], list[dict[str, Any]]]] = {}
"""Rows of one table, each of a person of its own: read in one run."""


def batch(name: str, table_: str, common: dict[str, Any], cases: list[Any]) -> list[Any]:
    """Keep the rows of cases (the first of each) to be read together, and return the cases with their number."""
    BATCHES[name] = (table_, common, [case[0] for case in cases])
    return [(number, *case[1:]) for number, case in enumerate(cases)]


@cache
def together(name: str) -> list[Record]:
    """Return the records of a batch, in its order."""
    table_, common, given = BATCHES[name]
    made = Cdm(LABEL.terminology)
    for number, row in enumerate(given):
        person = made.person(["born 1970-01-01"]) if table_ != "person" else number + 1
        if table_ == "person":
            made.add("person", person_id=person, **row)
        else:
            made.add(table_, **{**DEFAULTS[table_], f"{table_}_id": number + 1, **common, **row, "person_id": person})
    made.add("visit_occurrence", visit_occurrence_id=7, person_id=1, visit_end_date="2025-02-15")
    with TemporaryDirectory() as folder:
        found = read(made, Path(folder))
    return [found[name_] for name_ in sorted(found, key=int)]


def quality(tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tmp_path / "out" / "quality.json").read_text())
    return found


def coded(concept: str, stem: str) -> dict[str, Any]:
    made = Cdm(LABEL.terminology)
    return made.coded(concept, stem)


MI = 57054005
"""SNOMED CT's acute myocardial infarction; its concept id is among the label's own."""


# Codes, by every route


@pytest.mark.parametrize(
    "row",
    first(
        1,
        [
            {"condition_concept_id": 312327},
            {"condition_concept_id": 0, "condition_source_concept_id": 312327},
            {"condition_concept_id": 999, "condition_source_concept_id": 312327, "condition_source_value": "x"},
        ],
    ),
)
def test_a_concept_id_is_known_without_a_vocabulary(row: dict[str, Any], tmp_path: Path) -> None:
    found = entries(cdm(condition_occurrence=[row]), tmp_path)
    assert (found["ascvd_mi"].certainty, found["ascvd_mi"].source) == ("certain", "condition_occurrence/1")
    assert found["ascvd_mi"].start == exactly(DAY)


@pytest.mark.parametrize(
    ("vocabulary", "code", "concept"),
    [
        ("ICD10CM", "I21.9", "ascvd_mi"),
        ("ICD10", "i21.9", "ascvd_mi"),
        ("ICD10CM", "I219", "ascvd_mi"),
        ("SNOMED", "57054005", "ascvd_mi"),
        ("ICD10CM", "B02.9", "herpes_zoster"),
    ],
)
@pytest.mark.parametrize("column", first(1, ["condition_concept_id", "condition_source_concept_id"]))
def test_the_vocabulary_of_the_source_decides(
    vocabulary: str, code: str, concept: str, column: str, tmp_path: Path
) -> None:
    known = {"concept_id": 5000, "vocabulary_id": vocabulary, "concept_code": code, "concept_name": "x"}
    found = entries(cdm(concept=[known], condition_occurrence=[{column: 5000}]), tmp_path)
    assert found[concept].certainty == "certain"


def test_a_code_that_no_list_knows_raises_a_doubt_by_the_words_of_its_concept(tmp_path: Path) -> None:
    known = {
        "concept_id": 5000,
        "vocabulary_id": "SNOMED",
        "concept_code": "999999999999",
        "concept_name": "Tuberculosis of the moon",
    }
    (record,) = read(cdm(concept=[known], condition_occurrence=[{"condition_concept_id": 5000}]), tmp_path).values()
    assert record.entries["tb_active"][0].certainty == "mentioned"
    (said,) = record.unrecognised
    assert (said.source, said.system, said.code) == ("condition_occurrence/1", "SNOMED", "999999999999")


def test_a_code_of_no_interest_says_nothing(tmp_path: Path) -> None:
    known = {"concept_id": 5000, "vocabulary_id": "SNOMED", "concept_code": "44465007", "concept_name": "Ankle sprain"}
    (record,) = read(cdm(concept=[known], condition_occurrence=[{"condition_concept_id": 5000}]), tmp_path).values()
    assert (record.entries, record.lists) == ({}, frozenset({"condition"}))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_what_can_not_be_understood_at_all_may_be_anything_of_its_list(number: int) -> None:
    record = together("unreadable")[number]
    assert set(record.entries) == {"unreadable-condition"}
    assert record.entries["unreadable-condition"][0].certainty == "mentioned"


batch(
    "unreadable",
    "condition_occurrence",
    {},
    [({},), ({"condition_concept_id": 777},), ({"condition_source_value": "X9-17"},)],
)


def test_a_drug_that_can_not_be_understood_may_be_a_vaccine(tmp_path: Path) -> None:
    found = entries(cdm(drug_exposure=[{"drug_source_value": "0815"}]), tmp_path)
    assert {name: each.kind for name, each in found.items()} == {
        "unreadable-medication": "medication",
        "unreadable-immunization": "immunization",
    }


def test_a_concept_of_id_0_is_no_word_of_its_name(tmp_path: Path) -> None:
    known = {
        "concept_id": 0,
        "vocabulary_id": "None",
        "concept_code": "No matching concept",
        "concept_name": "No matching concept",
    }
    found = entries(cdm(concept=[known], condition_occurrence=[{"condition_source_value": "4711"}]), tmp_path)
    assert set(found) == {"unreadable-condition"}


@pytest.mark.parametrize(("value", "certainty"), [("I21.9", "mentioned"), ("myocardial infarct", "mentioned")])
def test_a_source_value_alone_is_a_doubt(value: str, certainty: str, tmp_path: Path) -> None:
    found = entries(cdm(condition_occurrence=[{"condition_source_value": value}]), tmp_path)
    assert found["ascvd_mi"].certainty == certainty


def test_what_is_not_mapped_is_counted_by_code_and_unit(tmp_path: Path) -> None:
    known = {"concept_id": 3013650, "vocabulary_id": "LOINC", "concept_code": "751-8", "concept_name": "ANC"}
    numbers = [
        {"measurement_concept_id": 3013650, "value_as_number": 3.2, "unit_source_value": unit}
        for unit in ("furlong", "furlong", "", "10*9/L")
    ]
    read(
        cdm(
            concept=[known],
            measurement=[*numbers, {"measurement_source_value": "LOCAL-1"}]
            + [{"measurement_source_value": "LOCAL-2"}] * 2,
        ),
        tmp_path,
    )
    report = quality(tmp_path)
    assert report["units"] == [
        {"concept": "lab_anc", "unit": "furlong", "why": "unit not convertible to 10*9/L", "count": 2},
        {"concept": "lab_anc", "unit": "", "why": "no unit", "count": 1},
    ]
    assert [(each["table"], each["code"], each["count"]) for each in report["not_mapped"]] == [
        ("measurement", "LOCAL-2", 2),
        ("measurement", "LOCAL-1", 1),
    ]
    assert {each["why"] for each in report["not_mapped"]} == {BY_UNIT}


def test_a_free_text_is_in_no_report(tmp_path: Path) -> None:
    canary = "Canary Smith has tuberculosis"
    read(
        cdm(
            condition_occurrence=[{"condition_source_value": canary}],
            measurement=[
                {
                    "measurement_source_value": canary,
                    "unit_source_value": canary,
                    "value_as_number": 1.0,
                    "value_source_value": canary,
                }
            ],
        ),
        tmp_path,
    )
    out = tmp_path / "out"
    everything = "".join(str(pq.ParquetDataset(path).read().to_pylist()) for path in out.iterdir() if path.is_dir())
    assert "Canary" not in everything + (out / "quality.json").read_text()


# Ancestors


def hierarchy(*pairs: tuple[int, int]) -> list[dict[str, Any]]:
    return [{"ancestor_concept_id": above, "descendant_concept_id": below} for above, below in pairs]


NAMED = [
    {"concept_id": 1, "vocabulary_id": "SNOMED", "concept_code": "363346000", "concept_name": "Malignant neoplasm"},
    {"concept_id": 2, "vocabulary_id": "SNOMED", "concept_code": "254701007", "concept_name": "Basal cell carcinoma"},
    {"concept_id": 3, "vocabulary_id": "SNOMED", "concept_code": "111", "concept_name": "Of the left ear"},
    {"concept_id": 4, "vocabulary_id": "ATC", "concept_code": "C10AA05", "concept_name": "ATC class"},
    {"concept_id": 5, "vocabulary_id": "RxNorm", "concept_code": "5555555", "concept_name": "Some tablet"},
]


def made_of(pairs: list[dict[str, Any]], **tables: list[dict[str, Any]]) -> Cdm:
    made = cdm(**tables)
    made.tables["concept"] += NAMED
    made.tables["concept_ancestor"] += pairs
    return made


def test_the_most_specific_ancestor_that_a_list_knows_decides(tmp_path: Path) -> None:
    pairs = hierarchy((1, 1), (2, 2), (3, 3), (1, 2), (1, 3), (2, 3))
    found = entries(made_of(pairs, condition_occurrence=[{"condition_concept_id": 3}]), tmp_path)
    assert {name: each.certainty for name, each in found.items()} == {"nmsc": "certain"}
    assert found["nmsc"].note == "by its ancestor in the vocabulary"


def test_a_class_of_drugs_holds_its_tablets(tmp_path: Path) -> None:
    found = entries(made_of(hierarchy((4, 5)), drug_exposure=[{"drug_concept_id": 5}]), tmp_path)
    assert {name: each.certainty for name, each in found.items()} == {"drug_statin": "certain"}


def test_without_the_table_of_ancestors_a_descendant_is_not_known(tmp_path: Path) -> None:
    made = made_of([], condition_occurrence=[{"condition_concept_id": 3}])
    assert "nmsc" not in entries(made, tmp_path)


def test_a_test_is_not_known_by_its_ancestors(tmp_path: Path) -> None:
    made = made_of(
        hierarchy((3017732, 3)),
        measurement=[{"measurement_concept_id": 3, "value_as_number": 0.4, "unit_source_value": "10*9/L"}],
    )
    assert entries(made, tmp_path)["lab_anc"].certainty == "mentioned"


def test_of_the_listed_ancestors_those_above_others_are_left_out() -> None:
    pairs = [(1, 9), (2, 9), (3, 9), (9, 9), (1, 8)]
    assert most_specific(pairs, [(1, 2), (1, 1), (2, 2)]) == {9: {2, 3, 9}, 8: {1}}
    assert most_specific([], []) == {}


# Conditions


@pytest.mark.parametrize(
    ("number", "status", "end", "certainty", "note"),
    batch(
        "conditions",
        "condition_occurrence",
        {"condition_concept_id": 312327},
        [
            ({}, "unknown", None, "certain", ""),
            ({"condition_end_date": "2025-02-20"}, "ended", exactly(DAY + 10), "certain", ""),
            ({"condition_end_date": "2025-02-10"}, "unknown", None, "certain", "its end is that of the visit"),
            ({"condition_end_date": "2025-02-01"}, "unknown", None, "certain", "it ends before it begins"),
            ({"condition_end_date": "soon"}, "unknown", None, "certain", "its end date can't be read"),
            (
                {"condition_end_date": "2025-02-15", "visit_occurrence_id": 7},
                "unknown",
                None,
                "certain",
                "of the visit",
            ),
            ({"stop_reason": "better"}, "ended", None, "certain", ""),
            ({"condition_status_concept_id": 32893}, "unknown", None, "certain", ""),
            ({"condition_status_concept_id": 32899}, "unknown", None, "suspected", ""),
            ({"condition_status_concept_id": 32906}, "ended", None, "certain", ""),
            ({"condition_status_concept_id": 1234567}, "unknown", None, "suspected", ""),
            ({"condition_status_source_value": "Active"}, "active", None, "certain", ""),
            ({"condition_status_source_value": "resolved"}, "ended", None, "certain", ""),
            ({"condition_status_source_value": "Provisional"}, "unknown", None, "suspected", ""),
            ({"condition_status_source_value": "primary dx"}, "unknown", None, "certain", ""),
            ({"condition_status_source_value": "perhaps"}, "unknown", None, "suspected", ""),
            ({"condition_start_date": ""}, "unknown", None, "certain", ""),
            ({"condition_start_date": "2025-02-30"}, "unknown", None, "certain", "its date can't be read"),
        ],
    ),
)
def test_a_condition(number: int, status: str, end: Interval | None, certainty: str, note: str) -> None:
    (entry,) = together("conditions")[number].entries["ascvd_mi"]
    assert (entry.status, entry.end, entry.certainty, entry.kind) == (status, end, certainty, "condition")
    assert note in entry.note


@pytest.mark.parametrize("word", first(1, ["refuted", "entered-in-error", "Entered-In-Error"]))
def test_a_condition_that_does_not_count(word: str, tmp_path: Path) -> None:
    row = {"condition_concept_id": 312327, "condition_status_source_value": word}
    (record,) = read(cdm(condition_occurrence=[row]), tmp_path).values()
    assert (record.entries, record.ignored[0].why) == ({}, word.lower())


@pytest.mark.parametrize("event", ["condition_occurrence", "observation"])
def test_no_known_problems_is_a_list(event: str, tmp_path: Path) -> None:
    known = {"concept_id": 5000, "vocabulary_id": "SNOMED", "concept_code": "160245001", "concept_name": "None"}
    stem = event.partition("_")[0]
    made = cdm(concept=[known], **{event: [{f"{stem}_concept_id": 5000}]})
    made.tables["observation_period"].clear()
    (record,) = read(made, tmp_path).values()
    assert (record.lists, record.attested, record.entries) == ({"condition"}, {"condition"}, {})


# Drugs


@pytest.mark.parametrize(
    ("number", "status", "end", "note"),
    batch(
        "drugs",
        "drug_exposure",
        {"drug_concept_id": 1305058},
        [
            ({}, "active", None, ""),
            ({"drug_exposure_end_date": None}, "active", None, ""),
            ({"drug_type_concept_id": 32825}, "unknown", None, "how long the supply lasts is not known"),
            ({"drug_type_concept_id": 0}, "unknown", None, "how long the supply lasts is not known"),
            ({"drug_type_concept_id": 32818}, "active", exactly(DAY), ""),
            ({"days_supply": 30}, "active", exactly(DAY + 30), ""),
            ({"days_supply": 30, "drug_exposure_end_date": "2025-03-11"}, "active", exactly(DAY + 30), ""),
            (
                {"days_supply": 30, "drug_exposure_end_date": "2025-02-20"},
                "active",
                Interval(DAY + 10, DAY + 30),
                "not",
            ),
            ({"drug_exposure_end_date": "2025-02-20"}, "active", exactly(DAY + 10), ""),
            ({"verbatim_end_date": "2025-02-25", "days_supply": 90}, "active", exactly(DAY + 15), ""),
            ({"stop_reason": "rash", "verbatim_end_date": "2025-02-25"}, "ended", exactly(DAY + 15), ""),
            ({"stop_reason": "rash"}, "ended", None, ""),
            ({"drug_exposure_end_date": "2025-01-01"}, "unknown", None, "it ends before it begins"),
            ({"drug_exposure_end_date": "later"}, "unknown", None, "its end date can't be read"),
            ({"days_supply": 99999}, "active", None, ""),
            ({"days_supply": -3}, "active", None, ""),
            ({"days_supply": "nan"}, "active", None, ""),
        ],
    ),
)
def test_a_drug(number: int, status: str, end: Interval | None, note: str) -> None:
    (entry,) = together("drugs")[number].entries["drug_methotrexate"]
    assert (entry.status, entry.end, entry.kind, entry.start) == (status, end, "medication", exactly(DAY))
    assert note in entry.note


def test_a_dose_is_the_quantity_over_the_days_that_it_supplies(tmp_path: Path) -> None:
    """By the strength of the source's vocabulary, or else of the label's folder; never of a drug of two ingredients."""
    supply: dict[str, Any] = {"quantity": 28, "days_supply": 14, "drug_concept_id": 501}
    expected: list[tuple[dict[str, Any], str, float | None]] = [
        (supply, "ordered", 5.0),
        ({**supply, "drug_concept_id": 502}, "ordered", 10.0),
        ({**supply, "drug_type_concept_id": 32825}, "dispensed", 5.0),
        ({**supply, "days_supply": None, "quantity": 2, "drug_type_concept_id": 32818}, "given", 5.0),
        ({**supply, "days_supply": None}, "ordered", None),
        ({**supply, "quantity": None}, "ordered", None),
        ({**supply, "quantity": -1}, "ordered", None),
        ({**supply, "drug_concept_id": 503}, "ordered", None),
    ]
    folder = tmp_path / "label"
    for part in ("_good", "_doses"):
        shutil.copytree(PROJECT / "tests" / "wrong" / part, folder, dirs_exist_ok=True)
    concepts = [
        {"concept_id": each, "vocabulary_id": "ATC", "concept_code": code, "concept_name": "a drug"}
        for each, code in ((501, "X99AA01"), (502, "H02AB06"), (503, "H02AB06"))
    ]
    made = cdm(concept=concepts, drug_exposure=[row for row, _, _ in expected])
    for drug in (502, 503, 503):
        made.add("drug_strength", drug_concept_id=drug, amount_value=5, amount_unit_concept_id=8576)
    out = tmp_path / "out"
    cohort(put_csv(tmp_path / "cdm", made.tables), out, label=folder, today=TODAY, workers=1, entries=True)
    (record,) = dict(records_of(*(pq.ParquetDataset(out / name).read() for name in ("persons", "entries")))).values()
    doses = {each.source: each for name, own in record.entries.items() if name.startswith(DOSE) for each in own}
    found = [doses[f"drug_exposure/{number}"] for number in range(1, len(expected) + 1)]
    values = [None if each.value is None else each.value.low for each in found]
    assert [(each.result, value) for each, value in zip(found, values, strict=True)] == [row[1:] for row in expected]


def test_a_vaccine_is_one_by_its_code(tmp_path: Path) -> None:
    (record,) = read(cdm(drug_exposure=[{"drug_concept_id": 40213260}]), tmp_path).values()
    (entry,) = record.entries["vaccine_live"]
    assert (entry.kind, entry.status, entry.says, entry.start) == ("immunization", "final", "done", exactly(DAY))
    assert record.lists == {"immunization"}


def test_a_vaccine_of_no_interest_is_on_the_list_of_vaccines(tmp_path: Path) -> None:
    drugs = [{"drug_concept_id": 40213308}, {"drug_concept_id": 1305058}]
    (record,) = read(cdm(drug_exposure=drugs), tmp_path).values()
    assert record.lists == {"immunization", "medication"}


# Procedures


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({}, {("procedure", "final", "done")}),
        (
            {"procedure_type_concept_id": 32833},
            {("procedure", "unknown", "not known to be done"), ("order", "planned", "ordered")},
        ),
    ],
)
def test_a_procedure(row: dict[str, Any], found: set[tuple[str, str, str]], tmp_path: Path) -> None:
    (record,) = read(cdm(procedure_occurrence=[{"procedure_concept_id": 4336464, **row}]), tmp_path).values()
    entries_ = record.entries["ascvd_revascularization"]
    assert {(each.kind, each.status, each.says) for each in entries_} == found


# Numbers and outcomes


@pytest.mark.parametrize(
    ("number", "value", "says", "note"),
    batch(
        "numbers",
        "measurement",
        {"measurement_concept_id": 3013650},
        [
            ({"value_as_number": 3.2, "unit_concept_id": 9444}, exactly(3.2), "3.2 10*9/L", ""),
            ({"value_as_number": 3.2, "unit_concept_id": 8848}, exactly(3.2), "3.2 10*3/uL", ""),
            ({"value_as_number": 3200, "unit_concept_id": 8647}, exactly(3.2), "3200 /uL", ""),
            ({"value_as_number": 3.2, "unit_source_value": "K/uL"}, exactly(3.2), "3.2 10*3/uL", ""),
            ({"value_as_number": 3.2, "unit_concept_id": 8848, "unit_source_value": "/uL"}, None, "", "disagree"),
            ({"value_as_number": 3.2}, None, "", "no unit"),
            ({"value_as_number": 3.2, "unit_concept_id": 8840}, None, "", "unit not convertible"),
            ({"value_as_number": 320, "unit_concept_id": 9444}, None, "", "implausible"),
            ({"value_as_number": -1, "unit_concept_id": 9444}, None, "", "implausible"),
            ({"value_as_number": "nan", "unit_concept_id": 9444}, None, "", "not a number"),
            ({"value_as_number": "inf", "unit_concept_id": 9444}, None, "", "not a number"),
            ({"value_as_number": "high", "unit_concept_id": 9444}, None, "", "not a number"),
            (
                {"value_as_number": 0.5, "unit_concept_id": 9444, "operator_concept_id": 4171756},
                Interval(-inf, 0.5, True, True),
                "<0.5 10*9/L",
                "",
            ),
            (
                {"value_as_number": 0.5, "unit_concept_id": 9444, "operator_concept_id": 4171755},
                Interval(0.5, inf, False, True),
                "≥0.5 10*9/L",
                "",
            ),
            (
                {"value_as_number": 0.5, "unit_concept_id": 9444, "operator_concept_id": 4172703},
                exactly(0.5),
                "0.5",
                "",
            ),
            ({"value_as_number": 0.5, "unit_concept_id": 9444, "operator_concept_id": 12345}, None, "", "comparator"),
            (
                {"value_as_number": 0.5, "unit_concept_id": 9444, "value_source_value": "<0.5"},
                Interval(-inf, 0.5, True, True),
                "<0.5 10*9/L",
                "",
            ),
            ({"value_source_value": "0.8 10*9/L"}, exactly(0.8), "0.8 10*9/L", ""),
            ({"value_source_value": "see note"}, None, "", "can't be understood"),
            ({}, None, "", "no value"),
            (
                {"value_as_number": 3.2, "unit_concept_id": 9444, "measurement_date": "nonsense"},
                exactly(3.2),
                "3.2",
                "its date can't be read",
            ),
        ],
    ),
)
def test_a_number(number: int, value: Interval | None, says: str, note: str) -> None:
    (entry,) = together("numbers")[number].entries["lab_anc"]
    assert entry.value == value
    assert (says in entry.says, note in entry.note) == (True, True)
    assert (entry.kind, entry.status) == ("result", "final")


@pytest.mark.parametrize(
    ("high", "unit", "upper"), first(2, [(40, 8645, 40.0), (40, 0, None), (0, 8645, None), ("nan", 8645, None)])
)
def test_the_upper_limit_is_in_the_unit_of_the_value(high: Any, unit: int, upper: float | None, tmp_path: Path) -> None:
    alt = {**coded("lab_alt", "measurement"), "measurement_concept_id": 5000}
    known = {
        "concept_id": 5000,
        "vocabulary_id": "LOINC",
        "concept_code": alt["measurement_source_value"],
        "concept_name": "ALT",
    }
    row = {"measurement_concept_id": 5000, "value_as_number": 60, "unit_concept_id": unit, "range_high": high}
    assert entries(cdm(concept=[known], measurement=[row]), tmp_path)["lab_alt"].upper == upper


@pytest.mark.parametrize(
    ("number", "result"),
    batch(
        "outcomes",
        "measurement",
        {"measurement_concept_id": 3017143},
        [
            ({"value_as_concept_id": 9191}, "positive"),
            ({"value_as_concept_id": 9189}, "negative"),
            ({"value_as_concept_id": 45880296}, "negative"),
            ({"value_as_concept_id": 45884091}, "indeterminate"),
            ({"value_source_value": "Negative"}, "negative"),
            ({"value_as_concept_id": 0}, ""),
            ({"value_as_concept_id": 424242}, ""),
            ({}, ""),
        ],
    ),
)
def test_an_outcome(number: int, result: str) -> None:
    (entry,) = together("outcomes")[number].entries["lab_anti_hcv"]
    assert (entry.result, bool(entry.note)) == (result, not result)


def test_a_row_without_a_value_is_no_negative_test(tmp_path: Path) -> None:
    out = tmp_path / "out"
    read(cdm(measurement=[{"measurement_concept_id": 3017143}]), tmp_path)
    missing = {row["fact"] for row in rows(out, "missing")}
    assert "hcv-antibody" in missing or any("hcv" in name for name in missing)


# Observations


@pytest.mark.parametrize(
    ("number", "certainty"),
    batch(
        "histories",
        "observation",
        {"observation_concept_id": 4163874},
        [
            ({}, "certain"),
            ({"value_as_concept_id": 9191}, "certain"),
            ({"value_as_concept_id": 9189}, None),
            ({"value_as_string": "Negative"}, None),
            ({"value_as_string": "father only"}, "mentioned"),
            ({"value_as_number": 3}, "mentioned"),
            ({"value_as_concept_id": 4242}, "mentioned"),
        ],
    ),
)
def test_a_history_among_observations(number: int, certainty: str | None) -> None:
    record = together("histories")[number]
    if certainty is None:
        assert (record.entries, len(record.ignored)) == ({}, 1)
        return
    (entry,) = next(iter(record.entries.values()))
    assert (entry.kind, entry.status, entry.certainty) == ("condition", "unknown", certainty)
    assert (entry.start, entry.recorded) == (None, exactly(DAY))
    assert record.lists == {"result"}


def test_a_drug_among_observations_is_a_doubt(tmp_path: Path) -> None:
    entry = entries(cdm(observation=[{"observation_concept_id": 1305058}]), tmp_path)["drug_methotrexate"]
    assert (entry.kind, entry.certainty) == ("medication", "mentioned")


# Persons


@pytest.mark.parametrize(
    ("number", "first", "last"),
    batch(
        "births",
        "person",
        {},
        [
            ({"year_of_birth": 1970, "month_of_birth": 5, "day_of_birth": 4}, "1970-05-04", "1970-05-04"),
            ({"year_of_birth": 1970, "month_of_birth": 12}, "1970-12-01", "1970-12-31"),
            ({"year_of_birth": 1970}, "1970-01-01", "1970-12-31"),
            ({"year_of_birth": 1970, "birth_datetime": "1970-01-01 00:00:00"}, "1970-01-01", "1970-12-31"),
            ({"birth_datetime": "1970-05-04 10:00:00"}, "1970-05-04", "1970-05-04"),
            ({"year_of_birth": 1970, "birth_datetime": "1971-05-04"}, "1970-01-01", "1971-05-04"),
            ({"year_of_birth": 1970, "month_of_birth": 13, "day_of_birth": 4}, "1970-01-01", "1970-12-31"),
            ({"year_of_birth": 1970, "month_of_birth": 2, "day_of_birth": 31}, "1970-02-01", "1970-02-28"),
        ],
    ),
)
def test_a_birth(number: int, first: str, last: str) -> None:
    days = Interval(date.fromisoformat(first).toordinal(), date.fromisoformat(last).toordinal())
    assert together("births")[number].birth == days


@pytest.mark.parametrize(
    ("number", "unread"),
    batch("unborn", "person", {}, [({}, False), ({"birth_datetime": "unknown"}, True), ({"year_of_birth": 0}, True)]),
)
def test_a_birth_that_is_not_known(number: int, unread: bool) -> None:
    record = together("unborn")[number]
    assert (record.birth, bool(record.ignored)) == (None, unread)


@pytest.mark.parametrize(
    ("number", "sex", "site"),
    batch(
        "strata",
        "person",
        {},
        [
            ({}, "", ""),
            ({"gender_concept_id": 8507, "care_site_id": 12}, "male", "12"),
            ({"gender_concept_id": 8532, "care_site_id": 0}, "female", ""),
            ({"gender_concept_id": 8551}, "", ""),
        ],
    ),
)
def test_sex_and_site(number: int, sex: str, site: str) -> None:
    record = together("strata")[number]
    assert (record.sex, record.site) == (sex, site)


@pytest.mark.parametrize(
    ("deaths", "died"),
    [
        ([], None),
        (["2031-01-01"], exactly(date(2031, 1, 1).toordinal())),
        (["2031-01-01", "2031-01-05"], Interval(date(2031, 1, 1).toordinal(), date(2031, 1, 5).toordinal())),
    ],
)
def test_a_death(deaths: list[str], died: Interval | None, tmp_path: Path) -> None:
    made = cdm()
    for day in deaths:
        made.add("death", person_id=1, death_date=day)
    (record,) = read(made, tmp_path).values()
    assert record.died == died


@pytest.mark.parametrize("day", ["", "when?"])
def test_a_death_of_unknown_day_may_have_been_any(day: str, tmp_path: Path) -> None:
    made = cdm()
    made.add("death", person_id=1, death_date=day)
    (record,) = read(made, tmp_path).values()
    assert record.died == EVERYTHING
    assert quality(tmp_path)["died"] == 1


# Lists


@pytest.mark.parametrize(
    ("period", "kept"),
    first(
        3,
        [
            (("2000-01-01", "2025-03-01"), True),
            (("2025-03-01", "2025-03-01"), True),
            (("2000-01-01", None), True),
            (("2000-01-01", "2025-02-28"), False),
            (("2025-03-02", "2030-01-01"), False),
            (("2000-01-01", "x"), False),
            (("", "2030-01-01"), False),
            (None, False),
        ],
    ),
)
def test_a_list_is_kept_where_a_period_of_observation_covers_the_day(
    period: tuple[str, str | None] | None, kept: bool, tmp_path: Path
) -> None:
    made = cdm(condition_occurrence=[{"condition_concept_id": 312327}])
    made.tables["observation_period"].clear()
    if period:
        made.add(
            "observation_period",
            observation_period_id=1,
            person_id=1,
            observation_period_start_date=period[0],
            observation_period_end_date=period[1],
        )
    (record,) = read(made, tmp_path).values()
    assert record.lists == ({"condition"} if kept else set())


def test_without_a_row_there_is_no_list_and_nothing_is_no(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (record,) = read(cdm(), tmp_path).values()
    assert (record.lists, record.entries) == (frozenset(), {})
    (row,) = rows(out, "decisions")
    assert row["action"] not in ("clear", "due", "caution", "weigh")


# What is wrong


def test_rows_of_nobody_and_of_persons_that_are_not_there(tmp_path: Path) -> None:
    made = cdm(
        condition_occurrence=[{"condition_concept_id": 312327, "person_id": person} for person in (1, 99, None)],
        measurement=[{"measurement_concept_id": 3013650, "person_id": "abc"}],
    )
    summary = cohort(put_csv(tmp_path / "cdm", made.tables), tmp_path / "out", today=TODAY, workers=1)
    assert (summary.people, summary.decided, summary.failed) == (2, 1, 1)
    found = sorted((row["kind"], row["person"], row["file"]) for row in rows(tmp_path / "out", "problems"))
    lost = [("nobody's", "", "condition_occurrence/3"), ("nobody's", "", "measurement/1")]
    assert found == [("no-person", "99", ""), *lost]


def test_a_person_twice(tmp_path: Path) -> None:
    made = cdm()
    made.tables["person"] += [dict(made.tables["person"][0])]
    summary = cohort(put_csv(tmp_path / "cdm", made.tables), tmp_path / "out", today=TODAY, workers=1)
    assert (summary.clean, dict(summary.problems)) == (True, {"row-twice": 1})
    made.tables["person"][1]["year_of_birth"] = 1950
    summary = cohort(put_csv(tmp_path / "other", made.tables), tmp_path / "out-2", today=TODAY, workers=1)
    assert (summary.decided, dict(summary.problems)) == (0, {"bad-row": 1})


def test_a_row_twice_counts_once(tmp_path: Path) -> None:
    made = cdm(condition_occurrence=[{"condition_concept_id": 312327}])
    made.tables["condition_occurrence"] *= 2
    (record,) = read(made, tmp_path).values()
    assert len(record.entries["ascvd_mi"]) == 1


@pytest.mark.parametrize(
    ("name", "lists"),
    first(
        1,
        [
            ("condition_occurrence", {"medication", "result", "procedure"}),
            ("drug_exposure", {"condition", "result", "procedure"}),
            ("person", {"condition", "medication", "result", "procedure"}),
        ],
    ),
)
def test_a_broken_line_may_be_anybodys(name: str, lists: set[str], tmp_path: Path) -> None:
    made = cdm(
        condition_occurrence=[{"condition_concept_id": 312327}],
        drug_exposure=[{"drug_concept_id": 1305058}],
        measurement=[{"measurement_concept_id": 3013650}],
        procedure_occurrence=[{"procedure_concept_id": 4336464}],
    )
    source = put_csv(tmp_path / "cdm", made.tables)
    with (source / f"{name}.csv").open("a") as file:
        file.write('7,"never closed\n')
    summary = cohort(source, tmp_path / "out", today=TODAY, workers=1, entries=True)
    assert dict(summary.problems) == {"unreadable-line": 1}
    (row,) = rows(tmp_path / "out", "problems")
    assert (row["file"], row["line"]) == (f"{name}.csv", len(made.tables[name]) + 2)
    assert set(rows(tmp_path / "out", "persons")[0]["lists"]) == lists
    with pytest.raises(InputError, match=rf"{name}.csv, line \d+"):
        cohort(source, tmp_path / "strict", today=TODAY, workers=1, strict=True)


def test_a_broken_line_of_the_vocabulary_concerns_nobody(tmp_path: Path) -> None:
    source = put_csv(tmp_path / "cdm", cdm().tables)
    with (source / "concept.csv").open("a") as file:
        file.write("1,2\n")
    summary = cohort(source, tmp_path / "out", today=TODAY, workers=1)
    assert (dict(summary.problems), summary.clean) == ({"unread-line": 1}, True)


def test_without_persons_nothing_is_read(tmp_path: Path) -> None:
    tables = {name: own for name, own in cdm().tables.items() if name != "person"}
    for number, put in enumerate((put_csv, put_parquet)):
        with pytest.raises(InputError, match="holds no table PERSON"):
            cohort(put(tmp_path / str(number), tables), tmp_path / f"out-{number}", today=TODAY, workers=1)
    with pytest.raises(InputError, match="holds no table PERSON"):
        cohort(put_duckdb(tmp_path / "x.duckdb", tables), tmp_path / "out-d", today=TODAY, workers=1)


@pytest.mark.parametrize("gone", first(3, sorted(set(TABLES) - {"person"})))
def test_every_other_table_may_be_missing(gone: str, tmp_path: Path) -> None:
    made = cdm(
        condition_occurrence=[{"condition_concept_id": 312327}], measurement=[{"measurement_concept_id": 3013650}]
    )
    tables = {name: own for name, own in made.tables.items() if name != gone}
    (record,) = read(tables, tmp_path).values()
    assert ("ascvd_mi" in record.entries) == (gone != "condition_occurrence")
    assert (record.lists == set()) == (gone == "observation_period")


@pytest.mark.parametrize(
    ("name", "column"),
    [("measurement", "measurement_concept_id"), ("death", "death_date"), ("condition_occurrence", "person_id")],
)
def test_a_column_without_which_a_table_means_nothing(name: str, column: str, tmp_path: Path) -> None:
    source = put_csv(tmp_path / "cdm", cdm().tables)
    columns = COLUMNS[name].split()
    (source / f"{name}.csv").write_text(",".join(each for each in columns if each != column) + "\n")
    with pytest.raises(InputError, match=f"the table {name.upper()} has no column {column}"):
        cohort(source, tmp_path / "out", today=TODAY, workers=1)


def test_columns_that_are_new_old_or_unknown(tmp_path: Path) -> None:
    """Of 5.3, 5.4 or a site's own; in any order."""
    source = put_csv(tmp_path / "cdm", cdm().tables)
    (source / "measurement.csv").write_text(
        "sites_own,Value_As_Number,MEASUREMENT_ID,person_id,measurement_concept_id,"
        "measurement_date,unit_source_value\n1,3.2,8,1,3013650,20250210,10*9/L\n"
    )
    cohort(source, tmp_path / "out", today=TODAY, workers=1, entries=True)
    (row,) = rows(tmp_path / "out", "entries")
    assert (row["source"], row["low"], row["start_low"]) == ("measurement/8", 3.2, DAY)


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"a,a\n1,2\n", b"\xff\xfe\n", gzip.compress(b"person_id\n1\n" * 99, mtime=0)[:40]]
)
def test_a_file_that_is_no_table(data: bytes, tmp_path: Path) -> None:
    source = put_csv(tmp_path / "cdm", cdm().tables)
    (source / "death.csv").write_bytes(data)
    with pytest.raises(InputError, match=r"death.csv|DEATH"):
        cohort(source, tmp_path / "out", today=TODAY, workers=1)


def test_a_damaged_parquet_file(tmp_path: Path) -> None:
    source = put_parquet(tmp_path / "cdm", cdm().tables)
    (source / "death.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match="DEATH: a file is damaged"):
        cohort(source, tmp_path / "out", today=TODAY, workers=1)


def test_a_table_as_text_and_as_parquet(tmp_path: Path) -> None:
    source = put_csv(tmp_path / "cdm", cdm().tables)
    put_parquet(source, {"death": []})
    with pytest.raises(InputError, match="DEATH as Parquet and as text"):
        cohort(source, tmp_path / "out", today=TODAY, workers=1)


def test_a_table_in_many_files(tmp_path: Path) -> None:
    made = cdm(condition_occurrence=[{"condition_concept_id": 312327}] * 3)
    for number, row in enumerate(made.tables["condition_occurrence"]):
        row["condition_start_date"] = f"2025-02-1{number}"
    whole = put_parquet(tmp_path / "cdm", made.tables)
    file = whole / "condition_occurrence.parquet"
    found = pq.read_table(file)
    file.unlink()
    for number in range(3):
        (whole / "condition_occurrence").mkdir(exist_ok=True)
        pq.write_table(found.slice(number, 1), whole / "condition_occurrence" / f"part-{number}.parquet")
    cohort(whole, tmp_path / "out", today=TODAY, workers=1, entries=True)
    assert len(rows(tmp_path / "out", "entries")) == 3
    assert len(plan(whole, tmp_path / "x").files) == len(set(made.tables) & set(TABLES)) + 2


def test_a_database_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb").write_bytes(b"nothing")
    with pytest.raises(InputError, match="no DuckDB database"):
        cohort(tmp_path / "x.duckdb", tmp_path / "out", today=TODAY, workers=1)


def test_persons_in_two_schemas_of_a_database(tmp_path: Path) -> None:
    path = put_duckdb(tmp_path / "x.duckdb", cdm().tables)
    with duckdb.connect(str(path)) as base:
        base.execute("create schema other")
        base.execute("create table other.person as select * from person")
    with pytest.raises(InputError, match="in several schemas"):
        cohort(path, tmp_path / "out", today=TODAY, workers=1)


def test_numbers_and_ids_as_other_types(tmp_path: Path) -> None:
    source = put_csv(tmp_path / "cdm", {"person": [], "observation_period": []})
    for name in source.glob("*.csv"):
        name.unlink()
    pq.write_table(
        pa.table(
            {
                "person_id": pa.array([1.0, 2.5]),
                "year_of_birth": ["1970", "1971.0"],
                "birth_datetime": pa.array([None, None], pa.bool_()),
            }
        ),
        source / "person.parquet",
    )
    pq.write_table(
        pa.table(
            {
                "measurement_id": [1, 2],
                "person_id": ["1", "1.0"],
                "measurement_concept_id": [3013650.0] * 2,
                "measurement_date": ["2025-02-10T10:00:00Z", "2025-02-10 00:00:00"],
                "value_as_number": ["3.2", " 3.2 "],
                "unit_source_value": ["10*9/L"] * 2,
            }
        ),
        source / "measurement.parquet",
    )
    summary = cohort(source, tmp_path / "out", today=TODAY, workers=1, entries=True)
    assert dict(summary.problems) == {"no-id": 1}
    assert [(row["low"], row["start_low"]) for row in rows(tmp_path / "out", "entries")] == [(3.2, DAY)] * 2


def test_nobody(tmp_path: Path) -> None:
    summary = cohort(put_csv(tmp_path / "cdm", Cdm(LABEL.terminology).tables), tmp_path / "out", today=TODAY, workers=1)
    assert (summary.people, summary.clean) == (0, True)


# Runs


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = put_csv(tmp_path / "cdm", cdm(condition_occurrence=[{"condition_concept_id": 312327}]).tables)
    assert run(["cohort", str(source), "--out", str(tmp_path / "out"), "--today", TODAY, "--dry-run"]) == 0
    assert "condition_occurrence.csv" in capsys.readouterr().out
    assert (
        run(
            ["cohort", str(source), "--out", str(tmp_path / "out"), "--today", TODAY, "--history", "--who", "everybody"]
        )
        == 0
    )
    assert not table(tmp_path / "out", "history"), "who never had the drug has no history of decisions"
    assert not (tmp_path / "out" / ".work").exists()


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    made = Cdm(LABEL.terminology)
    for _ in range(5):
        made.person(["born 1970-01-01", "condition ascvd_mi since 2020-01-01"])
    source, out = put_csv(tmp_path / "cdm", made.tables), tmp_path / "out"

    def stop(what: str, done: int, whole: int) -> None:
        if what == "patients decided" and done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cohort(source, out, today=TODAY, workers=1, progress=stop)
    assert (out / ".work" / "sorted.json").exists()
    assert not (out / "_SUCCESS").exists()
    assert cohort(source, out, today=TODAY, workers=1).decided == 5
    assert len(rows(out, "decisions")) == 5


def test_a_sites_own_concept_ids(tmp_path: Path) -> None:
    more = tmp_path / "codes"
    (more / "omop").mkdir(parents=True)
    ids = more / "omop" / "concept_ids.csv"
    ids.write_text("system,code,concept_id\nLOINC,751-8,2000000099\n")
    source = put_csv(tmp_path / "cdm", cdm(measurement=[{"measurement_concept_id": 2000000099}]).tables)
    cohort(source, tmp_path / "out", today=TODAY, workers=1, entries=True, codes=[more])
    assert [row["concept"] for row in rows(tmp_path / "out", "entries")] == ["lab_anc"]
    ids.write_text("system,code,concept_id\nLOINC,751-8,0\n")
    with pytest.raises(KnowledgeError, match="'0' .* is no concept id"):
        cohort(source, tmp_path / "again", today=TODAY, workers=1, codes=[more / ".." / "codes"])
