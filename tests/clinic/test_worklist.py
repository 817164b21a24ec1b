"""The list: who is on it, in which order, what is to be done, and as CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("starlette")

from precaution.clinic.app import asked_view
from precaution.clinic.worklist import WorklistView
from precaution.cohort.who import on_drug
from support.clinic_pages import FORMULA_ID, Visitor, clinic_of, hostile, order, people, person, reference, write
from support.ndjson_sources import LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.clinic_pages import Json


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    made = Visitor(clinic_of(tmp_path_factory.mktemp("clinic"), people()))
    yield made
    made.close()


def shown(visitor: Visitor, query: str = "") -> list[str]:
    """Return the ids that the list shows, in order."""
    table = visitor.get(f"/worklist.csv{query}").text.removeprefix("\ufeff")
    return [row["patient"].removeprefix("'") for row in csv.DictReader(io.StringIO(table))]


def test_who_has_the_drug_is_on_the_list_and_nobody_is_lost(visitor: Visitor) -> None:
    on_drug, unclear, everybody = (set(shown(visitor, f"?who={who}")) for who in ("on-drug", "unclear", "everybody"))
    assert on_drug == {"followed", "paused", "ordered", "stopped-lately"}
    assert unclear == {"unread"}
    assert everybody == {*on_drug, *unclear, "stopped-long-ago", "never"}


@pytest.mark.parametrize(
    ("end", "listed"),
    [("2024-12-01", True), ("2024-11-30", False), ("2024-12", True), ("2024", True), ("2024-11", False)],
)
def test_who_stopped_is_listed_for_90_days(tmp_path_factory: pytest.TempPathFactory, end: str, listed: bool) -> None:
    """An end that may be later counts as later. The same is said of a single record by `cohort --who`."""
    made = Visitor(clinic_of(tmp_path_factory.mktemp("end"), person("p", order("2023-01-01", end, "stopped"))))
    assert (shown(made) == ["p"]) is listed
    assert on_drug(made.clinic.people.record("p"), LABEL, made.clinic.today) is listed
    made.close()


def test_the_list_and_a_cohort_mean_the_same_people(visitor: Visitor) -> None:
    people, today = visitor.clinic.people, visitor.clinic.today
    everybody = shown(visitor, "?who=everybody")
    assert {each for each in everybody if on_drug(people.record(each), LABEL, today)} == set(shown(visitor))


def test_results_of_some_people_say_that_there_are_others(tmp_path_factory: pytest.TempPathFactory) -> None:
    from precaution.clinic.app import make_clinic
    from precaution.clinic.opening import opened_results
    from precaution.cohort import cohort
    from support.clinic_pages import FOLDER, TODAY

    folder = tmp_path_factory.mktemp("some")
    cohort(write(folder / "fhir", people()), folder / "out", today=TODAY, entries=True, who="on-drug", workers=1)
    some = Visitor(make_clinic(opened_results(folder / "out", LABEL), FOLDER, LABEL, "everybody"))
    page = some.page("/")
    assert "others were not asked for" in page.text
    assert "All who were decided" in page.text
    some.close()


def test_a_stop_without_a_day_keeps_one_on_the_list(tmp_path_factory: pytest.TempPathFactory) -> None:
    made = Visitor(clinic_of(tmp_path_factory.mktemp("end"), person("p", order("2023-01-01", status="stopped"))))
    assert shown(made) == ["p"]
    made.close()


def test_the_gravest_come_first_and_an_address_says_the_order(visitor: Visitor) -> None:
    assert shown(visitor)[0] == "followed"
    assert shown(visitor, "?sort=patient") == sorted(shown(visitor))
    assert shown(visitor, "?sort=no-such") == shown(visitor)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?action=interrupt", {"followed"}),
        ("?stage=interrupted", {"paused"}),
        ("?search=STOPPED", {"stopped-lately"}),
        ("?search=NEUTROPHILS+0", {"followed"}),
        ("?search=%25", set()),
        ("?before=1990-01-01", set()),
        ("?action=interrupt&stage=interrupted", set()),
        ("?page=9999999&search=paused", {"paused"}),
        ("?page=-1&search=paused", {"paused"}),
        ("?action=interrupt' or '1'='1", set()),
    ],
)
def test_filters_are_in_the_address(visitor: Visitor, query: str, expected: set[str]) -> None:
    assert set(shown(visitor, query)) == expected
    page = visitor.page(f"/{query}")
    assert {
        each for each in ("followed", "paused", "stopped-lately") if f"/patients/{reference(each)}" in page.html
    } == (expected & {"followed", "paused", "stopped-lately"})


def test_what_is_due_by_a_day_is_found(visitor: Visitor) -> None:
    table = visitor.get("/worklist.csv?who=everybody").text.removeprefix("\ufeff")
    days = {row["patient"]: row["next due"] for row in csv.DictReader(io.StringIO(table))}
    for day in {each for each in days.values() if each}:
        due = {name for name, each in days.items() if each and each <= day}
        assert set(shown(visitor, f"?who=everybody&before={day}")) == due


def test_who_has_no_result_of_what_is_overdue_is_found(visitor: Visitor) -> None:
    """Lipids were due and there are none; nothing is overdue before a start."""
    assert set(shown(visitor, "?missed=yes")) == {"followed", "paused"}
    assert "no result" in visitor.page("/?search=followed").text
    assert "days no result" not in visitor.page("/?search=ordered").text


def test_what_is_to_be_done_is_said_in_words(visitor: Visitor) -> None:
    page = visitor.page("/?search=followed")
    assert "interrupt treatment; it may resume only when every hold is released" in page.text
    assert "Neutrophils 0.8, below 1" in page.text
    assert "order " in visitor.page("/?search=ordered").text
    assert "can't be told" not in visitor.page("/?search=ordered").text.split("before start")[-1].split("answer A")[0]


def test_a_verdict_is_word_shape_and_class(visitor: Visitor) -> None:
    page = visitor.page("/?search=followed")
    assert "■ interrupt" in page.text
    assert page.classes("span", "stop")


def test_words_of_a_form_stay_in_it(visitor: Visitor) -> None:
    page = visitor.page("/?search=follow&action=interrupt&sort=overdue&before=2025-03-31&stage=on-treatment")
    assert page.all("input", name="search")[0]["value"] == "follow"
    assert page.all("input", name="before")[0]["value"] == "2025-03-31"
    assert {each["value"] for each in page.all("option") if "selected" in each} == {
        "interrupt",
        "on-treatment",
        "overdue",
    }


def test_an_address_of_a_wrong_form_is_as_if_it_said_nothing() -> None:
    wrong = {"who": "x", "sort": "x", "page": "²", "before": "2025-02-30"}
    assert asked_view(wrong, "on-drug") == WorklistView()


def test_pages_hold_a_hundred_and_none_is_lost(tmp_path_factory: pytest.TempPathFactory) -> None:
    many: list[Json] = [each for number in range(230) for each in person(f"p{number:03}", order("2025-01-01"))]
    visitor = Visitor(clinic_of(tmp_path_factory.mktemp("many"), many))
    pages = [visitor.page(f"/?page={number}&sort=patient") for number in (1, 2, 3)]
    found = [[each["href"] for each in page.all("a") if str(each["href"]).startswith("/patients/")] for page in pages]
    assert [len(each) for each in found] == [100, 100, 30]
    assert len({each for some in found for each in some}) == 230
    assert "/?who=on-drug&sort=patient&page=2" in set(pages[0].links())
    assert shown(visitor, "?sort=patient") == [f"p{number:03}" for number in range(230)]
    visitor.close()


def test_who_could_not_be_decided_is_said_and_who_died_is_not(tmp_path_factory: pytest.TempPathFactory) -> None:
    twice = [*person("lost", order("2025-01-01")), {"resourceType": "Patient", "id": "lost", "birthDate": 3}]
    two = person("two", order("2025-01-01"))
    nobody = [each for each in person("nobody", order("2025-01-01")) if each["resourceType"] != "Patient"]
    visitor = Visitor(clinic_of(tmp_path_factory.mktemp("lost"), [*people(), *two, *twice, *nobody]))
    page = visitor.page("/?who=everybody")
    undecided = visitor.clinic.people.not_decided()
    decided = set(shown(visitor, "?who=everybody"))
    assert "died" not in {name for name, _ in undecided[1]} | decided
    assert "nobody" in {name for name, _ in undecided[1]}
    assert f"{undecided[0]} patient" in page.text
    assert not {name for name, _ in undecided[1]} & decided
    visitor.close()


def test_csv_is_text_for_a_spreadsheet(tmp_path_factory: pytest.TempPathFactory) -> None:
    visitor = Visitor(clinic_of(tmp_path_factory.mktemp("hostile"), hostile()))
    response = visitor.get("/worklist.csv?who=everybody")
    assert response.content.startswith(b"\xef\xbb\xbf")
    assert response.headers["content-type"].startswith("text/csv")
    assert response.headers["content-disposition"] == 'attachment; filename="worklist-2025-03-01.csv"'
    rows = list(csv.reader(io.StringIO(response.text.removeprefix("\ufeff"))))
    assert f"'{FORMULA_ID}" in {row[0] for row in rows}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    visitor.close()


def test_a_table_that_can_t_be_read_is_said(tmp_path_factory: pytest.TempPathFactory) -> None:
    from precaution.clinic.app import make_clinic
    from precaution.errors import InputError
    from support.clinic_pages import FOLDER

    folder = tmp_path_factory.mktemp("broken")
    made = clinic_of(folder, people())
    next((made.opened.folder / "decisions").iterdir()).write_bytes(b"no parquet")
    with pytest.raises(InputError, match="can't be read"):
        make_clinic(made.opened, FOLDER, LABEL)
    assert write(folder / "again", people()).is_dir()
