"""The audit over a cohort: counts that are the truth's, intervals by the book, strata, nothing small in any form."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("scipy")

from precaution import load_label
from precaution.audit import STRATA, AuditResult, audit_cohort
from precaution.audit.counting import Tally, TallyKey
from precaution.audit.intervals import rate, share
from precaution.audit.lines import MeasureLine, Stratification, measure_lines
from precaution.audit.suppression import Range
from precaution.audit.wording import COLUMNS, in_json, in_text
from precaution.cli import run
from precaution.cohort import cohort
from precaution.errors import InputError, UsageError
from precaution.measures.shares import STATES
from support.audit_cohort import Person, counted, people, truth, written_people
from support.ndjson_sources import LABEL, rows, written
from support.project import PROJECT

TODAY = "2025-03-01"
Capture = pytest.CaptureFixture[str]
PEOPLE = people(500, seed=7)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit")
    written(folder / "in", written_people(PEOPLE))
    cohort(folder / "in", folder / "out", today=TODAY, workers=1, audit=True)
    return folder / "out"


@pytest.fixture(scope="module")
def whole(results: Path) -> AuditResult:
    return audit_cohort(results, LABEL, (*STRATA, "month"), 1)


# Intervals by the book


def test_the_interval_of_a_share_is_wilsons() -> None:
    """81 of 263, as in Newcombe 1998: 0.2553 to 0.3662."""
    found = share(81, 263)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    assert share(0, 0) is None
    nobody = share(0, 20)
    assert nobody is not None
    assert (nobody.low, round(nobody.high, 4)) == (0.0, 0.1611)


def test_the_interval_of_a_rate_is_exact() -> None:
    """10 events: 4.795 to 18.390; none: 0 to 3.689 (the usual tables of Poisson limits)."""
    found, none = rate(10, 100), rate(0, 100)
    assert found is not None
    assert none is not None
    assert (found.value, round(found.low, 3), round(found.high, 3)) == (10.0, 4.795, 18.39)
    assert (none.value, none.low, round(none.high, 3)) == (0.0, 0.0, 3.689)
    assert rate(0, 0) is None


# Counts


def test_every_count_is_that_of_the_truth(whole: AuditResult) -> None:
    expected = counted(PEOPLE)
    new_users = sum(bool(truth(person)) for person in PEOPLE)
    for each in whole.counted:
        if each.measure.name in expected:
            line, states = each.whole, expected[each.measure.name]
            assert (line.yes, line.no, line.unknown) == (states["yes"], states["no"], states["unknown"])
            among = states["yes"] + states["no"] + states["unknown"] if each.measure.of else new_users
            assert line.people == among, each.measure.name


@pytest.mark.parametrize("by", ["age", "sex", "year", "site", "month"])
def test_strata_are_parts_of_the_whole_and_those_of_the_truth(whole: AuditResult, by: str) -> None:
    def value(person: Person) -> str:
        ages = {range(18): "under 18", range(18, 50): "18 to 49", range(50, 65): "50 to 64", range(65, 75): "65 to 74"}
        band = next((name for each, name in ages.items() if person.age() in each), "75 or older")
        sex = "not known" if person.sex == "unknown" else person.sex
        return {
            "age": band,
            "sex": sex,
            "year": str(person.start.year),
            "site": person.site,
            "month": person.start.isoformat()[:7],
        }[by]

    expected = Counter((value(person), truth(person)["tuberculosis-screened"]) for person in PEOPLE if truth(person))
    (found,) = [each for each in whole.counted if each.measure.name == "tuberculosis-screened"]
    for line in found.of(by):
        assert (line.yes, line.no, line.unknown) == tuple(expected[line.value, each] for each in STATES[:3])
    assert sum(line.people or 0 for line in found.of(by)) == found.whole.people
    assert {value for value, _ in expected} == {line.value for line in found.of(by)}


def test_bounds_hold_whatever_is_true_of_the_unknown(whole: AuditResult) -> None:
    for each in whole.counted:
        line = each.whole
        if line.share is not None and line.lowest is not None and line.highest is not None:
            assert line.lowest <= line.share.value <= line.highest
            assert isinstance(line.unknown, int)
            assert (line.unknown == 0) == (line.lowest == line.highest)


def test_deciles_over_sites_need_enough_of_them(whole: AuditResult) -> None:
    found = whole.deciles["tuberculosis-screened"]
    assert found
    assert all(each.sites >= 10 and list(each.deciles) == sorted(each.deciles) for each in found)


def test_delays_are_the_quartiles_of_who_ended_treatment(whole: AuditResult, results: Path) -> None:
    days = sorted(
        row["delay"]
        for row in rows(results, "measured")
        if row["measure"] == "zoster-to-stop" and row["state"] == "yes"
    )
    (found,) = [each for each in whole.counted if each.measure.name == "zoster-to-stop"]
    assert found.whole.delays is not None
    middle = (days[(len(days) - 1) // 2] + days[len(days) // 2]) / 2
    assert found.whole.delays[1] == middle


def test_days_on_treatment_while_the_label_asked_for_more(tmp_path: Path) -> None:
    """Zoster on 1 February asked to interrupt up to its end on the 21st, and treatment went on: 20 days."""
    from support.audit_cohort import fhir

    lines = [
        "born 1980-01-01",
        "condition indication_rheumatoid_arthritis active since 2020-01-01",
        "medication drug_baricitinib active since 2024-12-01",
        "condition herpes_zoster resolved since 2025-02-01 until 2025-02-21",
    ]
    source = [each for number in range(5) for each in fhir(f"p{number}", lines)]
    written(tmp_path / "in", source)
    cohort(tmp_path / "in", tmp_path / "out", today=TODAY, workers=1, audit=True, history=True)
    found = {each.action: each for each in audit_cohort(tmp_path / "out", LABEL).treated}
    assert (found["interrupt"].people, found["interrupt"].days) == (5, 5 * 20)
    text = in_text(audit_cohort(tmp_path / "out", LABEL))
    assert "interrupt: 100 days of 5 patients" in text
    assert all(each.people is None for each in audit_cohort(tmp_path / "out", LABEL, (), 6).treated)


def test_without_a_history_no_days_are_told(whole: AuditResult) -> None:
    assert whole.treated == ()


def test_the_groups_come_in_the_labels_order(whole: AuditResult) -> None:
    assert LABEL.audit
    assert [*whole.groups("audit"), *whole.groups("baseline")] == list(LABEL.audit.groups)
    assert [each.measure.name for each in whole.groups("audit")["Screening"]] == [
        "tuberculosis-screened",
        "hepatitis-b-screened",
        "hepatitis-c-screened",
        "all-three-screened",
    ]


# Small numbers


def test_no_small_number_is_anywhere(results: Path) -> None:
    found = audit_cohort(results, LABEL, STRATA)
    assert found.smallest == 5
    for each in found.counted:
        for line in each.lines:
            for cell in (line.people, line.yes, line.no, line.unknown, line.apart):
                assert not isinstance(cell, int) or not 0 < cell < 5, (each.measure.name, line)


def measure(name: str, **more: object) -> object:
    from precaution.knowledge.model import Measure

    return Measure(name=name, topic="t", title=name, cites=("S1",), reading="r", group="g", **more)  # type: ignore[arg-type]


def made(
    counts: dict[str, list[int]], *measures: object, splits: list[Stratification] | None = None
) -> dict[str, list[MeasureLine]]:
    """Return the lines of measures with these counts: yes, no, unknown, and one number apart."""
    whole = {TallyKey(name, ""): tally(row) for name, row in counts.items()}
    return measure_lines(list(measures), whole, splits or [], 5)  # type: ignore[arg-type]


def tally(row: list[int]) -> Tally:
    return Tally([*row[:3], row[3], *[0] * (len(STATES) - 4)])


def test_a_part_of_a_measure_is_hidden_where_it_would_tell_the_whole() -> None:
    """Unknown is small, so yes is a range; the part's own total would be that yes."""
    found = made({"all": [138, 700, 3, 0], "part": [70, 68, 0, 700]}, measure("all"), measure("part", of="all"))
    assert isinstance(found["all"][0].yes, Range)
    assert found["part"][0].hidden


def test_who_is_left_out_of_a_rate_does_not_tell_a_small_number_of_the_baseline() -> None:
    """`before` and the rate's `exclude` are the same; no is shown by both, so yes and unknown stay a sum of two."""
    counts = {"before": [28, 803, 1, 0], "events": [23, 770, 10, 29]}
    found = made(counts, measure("before"), measure("events", kind="rate"))
    before, events = found["before"][0], found["events"][0]
    assert (before.yes, before.no, before.unknown) == (Range(25, 28), 803, Range(1, 4))
    assert events.apart == 29
    assert before.no == 832 - 29, "what the rate tells is what the baseline tells"


def test_where_too_few_are_counted_nothing_tells_how_many() -> None:
    assert made({"m": [2, 1, 0, 800]}, measure("m"))["m"][0].hidden


def test_a_month_of_a_year_that_is_shown_does_not_tell_a_hidden_one() -> None:
    """2024-01 has one `yes`; a second month of the same year must go with it, though one of another year is smaller."""
    months = {"2023-01": [30, 6, 0, 0], "2024-01": [1, 50, 0, 0], "2024-02": [40, 60, 0, 0], "2024-03": [50, 70, 0, 0]}
    years = {"2023": [30, 6, 0, 0], "2024": [91, 180, 0, 0]}
    people = {name: sum(row) for name, row in (months | years).items()}
    by_year = Stratification(
        "year", {TallyKey("m", name): tally(row) for name, row in years.items()}, people, list(years)
    )
    split = Stratification(
        "month", {TallyKey("m", name): tally(row) for name, row in months.items()}, people, list(months), by_year
    )
    found = made({"m": [121, 186, 0, 0]}, measure("m"), splits=[split])["m"]
    assert [line.value for line in found if line.hidden] == ["2024-01", "2024-02"]


def test_few_unknown_in_a_stratum_are_shown_together_with_no() -> None:
    """Then the share is at least that of yes: nobody is counted as no for being unknown."""
    sites = {"a": [30, 20, 2, 0], "b": [40, 30, 9, 0]}
    split = Stratification(
        "site",
        {TallyKey("m", name): tally(row) for name, row in sites.items()},
        {name: sum(row) for name, row in sites.items()},
        list(sites),
    )
    first, second = made({"m": [70, 50, 11, 0]}, measure("m"), splits=[split])["m"][1:]
    assert (first.yes, first.no, first.unknown, first.share) == (30, None, None, None)
    assert first.least is not None
    assert first.least.value == 30 / 52
    assert second.least is not None
    assert second.least.value == 40 / 79


def test_strata_that_the_source_does_not_give_are_said(tmp_path: Path) -> None:
    source = [each for person in PEOPLE[:40] for each in written_people([person])]
    for each in source:
        each.pop("gender", None)
        each.pop("managingOrganization", None)
    written(tmp_path / "in", source)
    cohort(tmp_path / "in", tmp_path / "out", today=TODAY, workers=1, audit=True)
    found = audit_cohort(tmp_path / "out", LABEL, STRATA, 1)
    assert found.absent == ("sex", "site")
    assert "No counts by sex and site" in " ".join(in_text(found).split())


# Forms


def test_the_text_says_yes_no_and_unknown_apart(whole: AuditResult) -> None:
    text = " ".join(in_text(whole).split())
    line = whole.groups("audit")["Screening"][0].whole
    assert f"{line.yes} yes, {line.no} no, {line.unknown} unknown, {line.apart} not counted" in text
    assert "published: 62.0 % of 2,027" in text
    assert (text.count("unverified"), text.count("published: ")) == (4, 9)
    assert "not a certified medical device" in text


def test_json_has_every_measure_and_line(whole: AuditResult) -> None:
    found = json.loads(json.dumps(in_json(whole)))
    assert {each["measure"] for each in found["measures"]} == set(LABEL.measures)
    assert list(found["measures"][0]["lines"][0]) == list(MeasureLine._fields)
    assert found["smallest"] == 1


def test_the_commands(results: Path, tmp_path: Path, capsys: Capture) -> None:
    assert run(["audit", str(results), "--strata", "age, year"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "age 65 to 74: " in said.out
    assert "year of the start 2024: " in said.out
    assert run(["audit", str(results), "--csv", str(tmp_path / "sheets"), "--strata", "site"]) == 0
    assert capsys.readouterr().out == ""
    with (tmp_path / "sheets" / "audit.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == list(COLUMNS)
    assert {row["value"] for row in table if row["by"] == "site"} == {person.site for person in PEOPLE}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--strata", "agee"], 2, "'agee' is no stratum"),
        (["--min-count", "0"], 2, "0 is not in the range"),
        (["--policy", "examples/policy.toml"], 2, "another label, policy or code lists"),
    ],
)
def test_wrong_arguments(
    results: Path, arguments: list[str], code: int, said: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT)
    assert run(["audit", str(results), *arguments]) == code
    assert said in capsys.readouterr().err


def test_results_without_what_an_audit_needs_are_refused(tmp_path: Path, capsys: Capture) -> None:
    cohort(PROJECT / "examples", tmp_path / "out", today=TODAY, workers=1)
    assert not (tmp_path / "out" / "measured").exists()
    with pytest.raises(InputError, match="was written without --audit"):
        audit_cohort(tmp_path / "out", LABEL)
    with pytest.raises(InputError, match="no complete results"):
        audit_cohort(tmp_path, LABEL)
    assert run(["audit", str(tmp_path / "out")]) == 3
    assert capsys.readouterr().out == ""


def test_tables_that_cannot_be_read_are_an_error_of_ours(tmp_path: Path) -> None:
    cohort(PROJECT / "examples", tmp_path / "out", today=TODAY, workers=1, audit=True)
    for path in (tmp_path / "out" / "measured").iterdir():
        path.write_bytes(b"no parquet")
    with pytest.raises(InputError, match="can't be read"):
        audit_cohort(tmp_path / "out", LABEL)


def test_a_policy_is_the_audits_too(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[parameter]\naudit-smallest = 9\naudit-washout = "100 days"\n')
    written(tmp_path / "in", written_people(PEOPLE[:60]))
    cohort(tmp_path / "in", tmp_path / "out", today=TODAY, workers=1, audit=True, policy=policy)
    found = audit_cohort(tmp_path / "out", load_label("baricitinib", policy=policy))
    assert found.smallest == 9
    (new,) = [each.people for each in found.uses if each.use == "yes"]
    assert new == sum(person.first() <= -100 for person in PEOPLE[:60])


def test_a_label_without_measures_has_no_audit(results: Path) -> None:
    with pytest.raises(UsageError, match="the label baricitinib has no measures"):
        audit_cohort(results, replace(LABEL, measures={}))
    with pytest.raises(UsageError, match="another label, policy or code lists"):
        audit_cohort(results, replace(LABEL, digest="0"))


def test_a_folder_with_a_quote_in_its_name_is_a_folder(tmp_path: Path) -> None:
    out = tmp_path / "it's"
    cohort(PROJECT / "examples", out, today=TODAY, workers=1, audit=True)
    assert audit_cohort(out, LABEL).counted


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("duckdb", ["audit", "x/"]),
        ("scipy", ["audit", "x/"]),
        ("altair", ["report", "x", "--out", "y"]),
    ],
)
def test_without_a_library_it_is_said_what_to_install(module: str, command: list[str], tmp_path: Path) -> None:
    (tmp_path / f"{module}.py").write_text("raise ImportError\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{PROJECT}"}
    done = subprocess.run(
        [sys.executable, "-m", "precaution", *command], env=environment, capture_output=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 2
    assert b"pip install '.[audit]'" in done.stderr


@pytest.mark.slow
def test_the_same_cohort_gives_the_same_audit_whatever_the_order(results: Path, tmp_path: Path) -> None:
    written(tmp_path / "in", written_people(PEOPLE), seed=9, files=3, packed=True)
    cohort(tmp_path / "in", tmp_path / "out", today=TODAY, workers=2, audit=True)
    first, second = (in_json(audit_cohort(out, LABEL, STRATA)) for out in (results, tmp_path / "out"))
    assert first == second


def test_an_audit_changes_no_decision(results: Path, tmp_path: Path) -> None:
    written(tmp_path / "in", written_people(PEOPLE[:50]))
    cohort(tmp_path / "in", tmp_path / "out", today=TODAY, workers=1)
    names = {person.name for person in PEOPLE[:50]}
    for table in ("decisions", "findings", "due"):
        with_audit = [row for row in rows(results, table) if row["person"] in names]
        assert sorted(map(str, with_audit)) == sorted(map(str, rows(tmp_path / "out", table)))


def test_the_guide_names_every_measure_of_the_audit() -> None:
    guide = (PROJECT / "docs" / "guides" / "audit.md").read_text(encoding="utf-8")
    named = set(guide.replace("`", " ").replace(",", " ").split())
    audit = {each.name for each in LABEL.measures.values() if each.table == "audit" and "around-start" not in each.name}
    assert audit <= named
    assert all(name in guide for name in (LABEL.therapy.grace, "audit-washout", "audit-smallest", "open-order-max-age"))
