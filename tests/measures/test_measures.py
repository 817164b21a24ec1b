"""What each measure comes to for a patient: ten patients worked out by hand, a cohort with known truth, the unknown."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")

from precaution.cli import run
from precaution.cohort import cohort
from precaution.cohort.tables import SCHEMAS
from precaution.demo.generate import Generator
from precaution.demo.recipes import load_recipes
from precaution.engine.decision import decide
from precaution.knowledge.loading import find_label
from precaution.measures import audit_rows
from precaution.readers import read_resources
from precaution.values.record import Record
from support.audit_cohort import TODAY, Person, counted, delay_days, fhir, people, risk_days, truth, written_people
from support.ndjson_sources import LABEL, rows, written

DAY = TODAY.toordinal()
COMMON = [
    "condition indication_rheumatoid_arthritis active since 2020-01-01",
    "result smoking_status_question smoking_never on 2024-05-01",
    "result lab_hdl 55 mg/dL on 2024-05-01",
    "immunization CVX|33 on 2024-03-01",
]
SCREEN = ("igra_interpretation", "hbsag", "anti_hbc", "anti_hcv")
PANEL = ("ldl", "hdl", "total_cholesterol", "triglycerides")
OPEN = "medication drug_baricitinib active since 2024-06-01"
TEN = {
    "complete": [
        "born 1980-03-01",
        *COMMON,
        OPEN,
        *(f"result lab_{name} negative on 2024-05-01" for name in SCREEN),
        "result lab_anc 3 10*9/L on 2024-05-20",
        "result lab_alc 1.5 10*9/L on 2024-05-20",
        "result lab_hemoglobin 12 g/dL on 2024-05-20",
        "result lab_alt 20 U/L on 2024-05-20",
        "result lab_ast 20 U/L on 2024-05-20",
        *(f"result lab_{name} 100 mg/dL on 2024-08-20" for name in PANEL),
    ],
    "old-with-answer": [
        "born 1950-01-01",
        *COMMON,
        "answer no-suitable-alternative yes on 2024-05-25",
        "medication drug_baricitinib stopped since 2024-06-01 until 2024-07-01",
    ],
    "old-without-answer": [
        "born 1955-01-01",
        *COMMON,
        OPEN,
        "procedure tb_screening_procedure on 2024-05-01",
        "result lab_hbsag negative on 2024-05-01",
        *(f"result lab_{name} 100 mg/dL on 2024-08-20" for name in ("hdl", "total_cholesterol", "triglycerides")),
    ],
    "tested-late": [
        "born 1980-03-01",
        *COMMON,
        OPEN,
        *(f"result lab_{name} negative on 2024-07-01" for name in SCREEN),
    ],
    "tested-a-year-before": [
        "born 1980-03-01",
        *COMMON,
        OPEN,
        "result lab_igra_interpretation negative on 2023-06-01",
        "result lab_hbsag negative on 2023-06-02",
        "result lab_anti_hbc negative on 2023-06-02",
    ],
    "low-count": ["born 1980-03-01", *COMMON, OPEN, "result lab_anc 0.8 10*9/L on 2024-05-25"],
    "zoster": [
        "born 1980-03-01",
        *COMMON,
        "condition herpes_zoster resolved since 2024-09-01 until 2024-09-20",
        "medication drug_baricitinib stopped since 2024-06-01 until 2024-09-04",
    ],
    "thrombosis": ["born 1980-03-01", *COMMON, OPEN, "condition vte active since 2024-10-01"],
    "thrombosis-suspected": [
        "born 1980-03-01",
        *COMMON,
        "condition herpes_zoster resolved since 2019-03-01 until 2019-04-01",
        "condition vte suspected since 2024-08-01",
        "immunization vaccine_live on 2024-07-15",
        "medication drug_baricitinib stopped since 2024-06-01 until 2024-08-01",
    ],
    "known-for-a-month": [
        "born 1980-03-01",
        "condition indication_rheumatoid_arthritis active since 2024-05-01",
        *COMMON[1:],
        OPEN,
    ],
}
"""All start on 1 June 2024; 1 March 2025 is 273 days later. The last is not known for a year, and is no new user."""

BY_HAND: dict[str, dict[str, int]] = {
    "tuberculosis-screened": {"yes": 1, "no": 7, "unknown": 1},
    "hepatitis-b-screened": {"yes": 2, "no": 7},
    "hepatitis-c-screened": {"yes": 1, "no": 8},
    "all-three-screened": {"yes": 1, "no": 8},
    "tuberculosis-screened-around-start": {"yes": 2, "no": 6, "unknown": 1},
    "hepatitis-b-screened-around-start": {"yes": 3, "no": 6},
    "hepatitis-c-screened-around-start": {"yes": 2, "no": 7},
    "all-three-screened-around-start": {"yes": 2, "no": 7},
    "blood-counts-at-start": {"yes": 1, "no": 8},
    "liver-tests-at-start": {"yes": 1, "no": 8},
    "restricted": {"yes": 2, "no": 7},
    "restricted-with-answer": {"yes": 1, "no": 1, "not-counted": 7},
    "started-against-do-not-start": {"yes": 1, "no": 1, "unknown": 7},
    "lipids-at-12-weeks": {"yes": 1, "no": 5, "not-counted": 3},
    "live-vaccine-given-on-treatment": {"yes": 1, "no": 8},
    "low-count-to-stop": {"left-out": 1, "not-counted": 8},
    "zoster-to-stop": {"yes": 1, "not-counted": 8},
    "suspected-thromboembolism-to-stop": {"yes": 1, "no": 1, "not-counted": 7},
    "herpes-zoster-events": {"yes": 1, "no": 7, "left-out": 1},
    "thromboembolism-events": {"yes": 1, "no": 7, "unknown": 1},
    "major-cardiovascular-events": {"no": 9},
    "serious-infections": {"no": 9},
    "malignancy-events": {"no": 9},
    "rheumatoid-arthritis": {"yes": 9},
}
DAYS_BY_HAND = {
    "herpes-zoster-events": 6 * 273 + 30 + 92,
    "thromboembolism-events": 5 * 273 + 30 + 95 + 122,
    "major-cardiovascular-events": 6 * 273 + 30 + 95 + 61,
}
"""At risk, of who is `yes` or `no`."""


def record(*lines: str) -> Record:
    """Return the record of lines in the language of cases."""
    return read_resources(fhir("p", list(lines)), LABEL.terminology, LABEL.asks)


def columns(table: str) -> list[str]:
    """Return the columns of a table that the measures fill: the run adds the label's name."""
    return [name for name in SCHEMAS[table].names if name != "label"]


def measured(*lines: str, today: int = DAY) -> dict[str, dict[str, object]]:
    """Return what each measure comes to for a patient of these lines."""
    found = audit_rows("p", record(*lines), LABEL, today)["measured"]
    return {str(row[1]): dict(zip(columns("measured"), row, strict=True)) for row in found}


def state(measure: str, *lines: str) -> object:
    """Return the state of one measure for a patient who is complete but for what these lines say."""
    return measured("born 1980-03-01", *COMMON, *lines)[measure]["state"]


def chosen(*lines: str, today: int = DAY) -> dict[str, object]:
    """Return the course that the measures are about."""
    found = audit_rows("p", record(*lines), LABEL, today)["exposures"]
    return next(row for each in found if (row := dict(zip(columns("exposures"), each, strict=True)))["chosen"])


# Ten patients by hand


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ten")
    written(folder / "in", [each for name, lines in TEN.items() for each in fhir(name, lines)])
    cohort(folder / "in", folder / "out", today=TODAY, workers=1, audit=True)
    return folder / "out"


def test_ten_patients_by_hand(ten: Path) -> None:
    counts: dict[str, Counter[str]] = {}
    for row in rows(ten, "measured"):
        counts.setdefault(row["measure"], Counter())[row["state"]] += 1
    assert {name: dict(counts[name]) for name in BY_HAND} == BY_HAND
    others = counts.keys() - BY_HAND.keys()
    assert {name: dict(counts[name]) for name in others} == {name: {"no": 9} for name in others}


def test_their_days_at_risk_and_delays_by_hand(ten: Path) -> None:
    found = rows(ten, "measured")
    for measure, days in DAYS_BY_HAND.items():
        assert sum(row["days"] for row in found if row["measure"] == measure and row["state"] in ("yes", "no")) == days
    delays = {(row["person"], row["measure"]): row["delay"] for row in found if row["delay"] is not None}
    assert delays == {
        ("zoster", "zoster-to-stop"): 3,
        ("thrombosis-suspected", "suspected-thromboembolism-to-stop"): 0,
        ("thrombosis", "suspected-thromboembolism-to-stop"): 151,
    }


def test_every_number_of_the_ten_is_what_the_command_prints(ten: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", str(ten), "--min-count", "1", "--json"]) == 0
    whole = {each["measure"]: each["lines"][0] for each in json.loads(capsys.readouterr().out)["measures"]}
    for name, states in BY_HAND.items():
        part = [states.get(each, 0) for each in ("yes", "no", "unknown")]
        assert [whole[name][each] for each in ("yes", "no", "unknown")] == part, name
        within = 2 if name == "restricted-with-answer" else 9
        assert (whole[name]["people"], whole[name]["apart"]) == (within, within - sum(part)), name
    assert whole["thromboembolism-events"]["years"] == pytest.approx(1612 / 365.25)
    assert whole["thromboembolism-events"]["rate"]["value"] == pytest.approx(100 / (1612 / 365.25))


def test_who_is_no_new_user_is_said(ten: Path) -> None:
    (row,) = [row for row in rows(ten, "exposures") if row["new_use"] != "yes"]
    assert (row["person"], row["new_use"]) == ("known-for-a-month", "unknown")
    assert row["why"] == "nothing is on record from 365 days before the start"


# A cohort whose truth is worked out of dates alone


def test_every_state_of_a_cohort_is_its_truth(tmp_path: Path) -> None:
    found = people(400, seed=3)
    written(tmp_path / "in", written_people(found), seed=1, files=4)
    cohort(tmp_path / "in", tmp_path / "out", today=TODAY, workers=1, audit=True)
    by_person: dict[str, dict[str, dict[str, object]]] = {}
    for row in rows(tmp_path / "out", "measured"):
        by_person.setdefault(row["person"], {})[row["measure"]] = row
    compared = 0
    for person in found:
        own = by_person.get(person.name, {})
        expected = truth(person)
        assert {name: own[name]["state"] for name in expected} == expected, person
        compared += len(expected)
        assert bool(own) == bool(expected)
        _check_days(person, own)
    assert compared > 7000
    assert {state for states in counted(found).values() for state in states} == {
        "yes",
        "no",
        "unknown",
        "left-out",
        "not-counted",
        "who-unknown",
        "not-measurable",
    }


def _check_days(person: Person, own: dict[str, dict[str, object]]) -> None:
    for measure, days in (("herpes-zoster-events", person.zoster), ("thromboembolism-events", person.vte)):
        if own and own[measure]["state"] in ("yes", "no"):
            assert own[measure]["days"] == risk_days(person, days), person
    if own and own["zoster-to-stop"]["state"] == "yes":
        assert own["zoster-to-stop"]["delay"] == delay_days(person, person.zoster), person


def test_a_truth_that_is_wrong_would_be_seen() -> None:
    person = Person("p", date(2024, 6, 1), date(1980, 1, 1), tb=-365)
    later = Person("p", date(2024, 6, 1), date(1980, 1, 1), tb=-366)
    assert truth(person)["tuberculosis-screened"] != truth(later)["tuberculosis-screened"]


# Unknown is never no


def test_without_any_list_of_results_screening_is_unknown() -> None:
    lines = [line for line in COMMON if not line.startswith("result")]
    found = measured("born 1980-03-01", *lines, OPEN)
    for name in (
        "tuberculosis-screened",
        "hepatitis-b-screened",
        "all-three-screened",
        "blood-counts-at-start",
        "liver-tests-at-start",
        "lipids-at-12-weeks",
    ):
        assert found[name]["state"] == "unknown", name
    assert found["low-count-to-stop"]["state"] == "who-unknown"


@pytest.mark.parametrize(
    "line",
    [
        "result lab_igra_interpretation indeterminate on 2024-05-01",
        "result lab_igra_interpretation preliminary negative on 2024-05-01",
        "procedure tb_screening_procedure on 2024-05-01",
    ],
)
def test_a_test_without_a_result_that_counts_is_unknown(line: str) -> None:
    assert state("tuberculosis-screened", OPEN, line) == "unknown"
    assert state("all-three-screened", OPEN, line) == "no", "the others are known not to be done"


def test_a_test_of_an_uncertain_day_is_unknown() -> None:
    assert state("tuberculosis-screened", OPEN, "result lab_igra_interpretation negative on 2023") == "unknown"
    assert state("tuberculosis-screened", OPEN, "result lab_igra_interpretation negative on 2022") == "no"


def test_a_count_that_cannot_be_read_is_unknown() -> None:
    others = ("result lab_alc 1.5 10*9/L on 2024-05-20", "result lab_hemoglobin 12 g/dL on 2024-05-20")
    assert state("blood-counts-at-start", OPEN, *others, "result lab_anc 3 - on 2024-05-20") == "unknown"
    assert state("blood-counts-at-start", OPEN, *others) == "no"


def test_lipids_attested_from_elsewhere_are_unknown_and_not_no() -> None:
    assert state("lipids-at-12-weeks", OPEN) == "no"
    assert state("lipids-at-12-weeks", OPEN, "answer lipids-managed yes on 2024-08-20") == "unknown"


def test_whether_a_restriction_is_there_can_be_unknown() -> None:
    without = [line for line in COMMON if "lab_hdl" not in line]
    found = measured("born 1980-03-01", *without, "result lab_ldl 100 mg/dL on 2024-05-01", OPEN)
    assert found["restricted"]["state"] == "unknown"
    assert found["restricted"]["why"] == "HDL cholesterol"
    assert found["restricted-with-answer"]["state"] == "who-unknown"


def test_an_answer_that_something_newer_made_void_is_unknown() -> None:
    lines = ("answer no-suitable-alternative yes on 2024-04-01", "condition ascvd_mi active since 2024-05-01", OPEN)
    found = measured("born 1950-01-01", *COMMON, *lines)
    assert found["restricted-with-answer"]["state"] == "unknown"


def test_the_answer_that_there_is_an_alternative_makes_a_start_one_against_the_label() -> None:
    fresh = [
        "result lab_anc 3 10*9/L on 2024-05-20",
        "result lab_alc 1.5 10*9/L on 2024-05-20",
        "result lab_hemoglobin 12 g/dL on 2024-05-20",
    ]
    denied = "answer no-suitable-alternative no on 2024-05-25"
    assert state("started-against-do-not-start", OPEN, *fresh, denied) == "no", "nothing is restricted"
    found = measured("born 1950-01-01", *COMMON, *fresh, OPEN, denied)
    assert found["started-against-do-not-start"]["state"] == "yes"
    assert state("started-against-do-not-start", OPEN, *fresh, "condition tb_active active since 2024-05-01") == "yes"


def test_a_test_of_the_month_of_the_start_may_have_been_after_it() -> None:
    late = "medication drug_baricitinib active since 2024-06-10"
    test = "result lab_igra_interpretation negative on 2024-06"
    assert state("tuberculosis-screened", late, test) == "unknown"
    assert state("tuberculosis-screened-around-start", late, test) == "yes"
    found = measured("born 1980-03-01", *COMMON, late, "condition ascvd_mi active since 2024-06")
    assert found["restricted"]["state"] == "unknown"
    assert found["restricted"]["why"] == "an entry that matters is of no exact day"


# Events


def test_an_event_of_a_day_that_may_be_before_the_start_leaves_it_open() -> None:
    assert state("herpes-zoster-events", OPEN, "condition herpes_zoster resolved since 2024") == "who-unknown"
    assert state("herpes-zoster-events", OPEN, "condition herpes_zoster active") == "who-unknown"


def test_an_event_of_a_month_within_treatment_is_one() -> None:
    found = measured("born 1980-03-01", *COMMON, OPEN, "condition herpes_zoster resolved since 2024-08")
    assert found["herpes-zoster-events"]["state"] == "yes"
    assert found["herpes-zoster-events"]["day"] == "2024-08-31", "by then it had happened"


def test_an_event_that_may_be_after_the_end_is_not_sure() -> None:
    ended = "medication drug_baricitinib stopped since 2024-06-01 until 2024-08-10"
    assert state("herpes-zoster-events", ended, "condition herpes_zoster resolved since 2024-08") == "unknown"
    assert state("herpes-zoster-events", ended, "condition herpes_zoster resolved since 2024-09-01") == "no"


def test_an_order_on_hold_has_no_day_of_the_hold() -> None:
    held = "medication drug_baricitinib on-hold since 2024-06-01"
    found = measured("born 1980-03-01", *COMMON, held, "condition herpes_zoster active since 2024-09-01")
    assert found["herpes-zoster-events"]["state"] == "unknown"
    assert found["zoster-to-stop"]["state"] == "who-unknown"
    assert found["zoster-to-stop"]["why"] == "it can't be told whether it was on treatment"
    assert found["herpes-zoster-events"]["days"] == 0, "treatment is sure on its first day only"


def test_the_grace_after_a_supply_counts_as_treatment_and_not_as_delay() -> None:
    supply = "medication drug_baricitinib active since 2024-06-01 until 2024-08-01"
    found = measured("born 1980-03-01", *COMMON, supply, "condition herpes_zoster resolved since 2024-07-25")
    assert found["zoster-to-stop"]["delay"] == 7
    late = measured("born 1980-03-01", *COMMON, supply, "condition herpes_zoster resolved since 2024-08-20")
    assert late["herpes-zoster-events"]["state"] == "yes", "within 30 days of the last supply"
    assert (late["zoster-to-stop"]["state"], late["zoster-to-stop"]["delay"]) == ("yes", 0)
    assert state("herpes-zoster-events", supply, "condition herpes_zoster resolved since 2024-09-01") == "no"


def test_a_low_count_from_a_percentage_counts() -> None:
    lines = ("result lab_wbc 2 10*9/L on 2024-09-01", "result lab_neutrophil_percent 30 % on 2024-09-01")
    found = measured("born 1980-03-01", *COMMON, OPEN, *lines)
    assert (found["low-count-to-stop"]["state"], found["low-count-to-stop"]["day"]) == ("no", "2024-09-01")


# Who is followed, and for how long


def test_the_dead_are_counted_until_they_died() -> None:
    lines = ("born 1980-03-01", "died 2024-08-31", *COMMON, OPEN)
    found = measured(*lines)
    assert found["herpes-zoster-events"]["days"] == 91
    assert found["lipids-at-12-weeks"]["state"] == "not-measurable"
    assert chosen(*lines)["until"] == "2024-08-31"


def test_a_death_without_a_day_leaves_nothing_to_measure() -> None:
    lines = ("born 1980-03-01", "died 2024-08", *COMMON, OPEN)
    assert measured(*lines) == {}
    assert chosen(*lines)["why"] == "the day of death is not known"


def test_a_start_that_is_not_exact_is_not_measured() -> None:
    lines = ("born 1980-03-01", *COMMON, "medication drug_baricitinib active since 2024-06")
    assert measured(*lines) == {}
    assert (chosen(*lines)["new_use"], chosen(*lines)["why"]) == ("unknown", "the day of the start is not exact")


def test_who_shows_nothing_of_the_drug_has_no_row() -> None:
    assert audit_rows("p", record("born 1980-03-01", *COMMON), LABEL, DAY) == {"exposures": [], "measured": []}


@pytest.mark.parametrize(
    ("born", "band"),
    [
        ("1959-06-01", "65 to 74"),
        ("1959-06-02", "50 to 64"),
        ("1959", ""),
        ("1958", "65 to 74"),
        ("2010-01-01", "under 18"),
        ("1930-01-01", "75 or older"),
        ("2030-01-01", ""),
    ],
)
def test_bands_of_ages_are_those_of_the_day_of_the_start(born: str, band: str) -> None:
    assert chosen(f"born {born}", *COMMON, OPEN)["age"] == band


def test_sex_and_site_are_those_of_the_record() -> None:
    resources = fhir("p", ["born 1980-03-01", *COMMON, OPEN], "female", "site-7")
    found = audit_rows("p", read_resources(resources, LABEL.terminology, LABEL.asks), LABEL, DAY)["exposures"]
    row = dict(zip(columns("exposures"), found[0], strict=True))
    assert (row["sex"], row["site"], row["month"]) == ("female", "site-7", "2024-06")


# Agreement with the decisions


@pytest.fixture(scope="module")
def synthetic() -> list[Record]:
    generator = Generator(LABEL, load_recipes(find_label("baricitinib"), LABEL), seed=5, today=TODAY, entries=0)
    return [read_resources(each.resources, LABEL.terminology, LABEL.asks) for each in generator.patients(250)]


def test_measures_agree_with_the_decision_on_the_day_they_look_at(synthetic: list[Record]) -> None:
    seen: Counter[str] = Counter()
    for each in synthetic:
        for row in audit_rows("p", each, LABEL, DAY)["measured"]:
            found = dict(zip(columns("measured"), row, strict=True))
            if found["measure"] in ("tuberculosis-screened", "started-against-do-not-start", "all-three-screened"):
                day = date.fromisoformat(str(found["day"])).toordinal()
                decision = decide(each, LABEL, day, "before-start").decision
                due = {task.duty: task.state for task in decision.due}
                actions = {finding.action for finding in decision.findings if finding.state == "holds"}
                _compare(found, due, "do-not-start" in actions)
                seen[f"{found['measure']} {found['state']}"] += 1
    assert seen["tuberculosis-screened yes"] > 50
    assert seen["started-against-do-not-start yes"]
    assert seen["all-three-screened no"]


def _compare(found: dict[str, object], due: dict[str, str], forbidden: bool) -> None:
    state = found["state"]
    if found["measure"] == "tuberculosis-screened":
        assert (state == "yes") == (due["tuberculosis-screen"] == "done")
        assert state != "no" or due["tuberculosis-screen"] == "due"
    elif found["measure"] == "all-three-screened":
        assert state == "yes" or due["tuberculosis-screen"] != "done" or due["hepatitis-screen"] != "done"
    else:
        assert (state == "yes") == forbidden
