"""Paper from the pages: letters of a patient, and who is due for what, by week."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("starlette")

from precaution.clinic.printing import UNDATED, due_weeks
from precaution.clinic.worklist import WorklistView
from support.clinic_pages import TODAY, Visitor, clinic_of, hostile, people, reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = date.fromisoformat(TODAY).toordinal()
EVERYBODY = WorklistView(who="everybody")


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    made = Visitor(clinic_of(tmp_path_factory.mktemp("clinic"), people(), "everybody"))
    yield made
    made.close()


@pytest.mark.parametrize("name", ["recall", "family-doctor", "alert-card"])
def test_a_letter_is_linked_and_its_style_alone_may_apply(visitor: Visitor, name: str) -> None:
    path = f"/patients/{reference('followed')}/letters/{name}"
    assert f'href="{path}"' in visitor.patient("followed").html
    response = visitor.get(path)
    assert response.status_code == 200
    assert "followed" in response.text
    (policy,) = response.headers.get_list("content-security-policy")
    assert "default-src 'none'" in policy
    assert re.search(r"style-src 'self' 'sha256-[\w+/=]{44}';", policy)
    assert "unsafe" not in policy
    assert "script-src" not in policy


def test_who_must_be_seen_is_not_just_written_to(visitor: Visitor) -> None:
    assert "Call this patient today" in visitor.get(f"/patients/{reference('followed')}/letters/recall").text


def test_there_is_no_card_before_a_start_and_no_letter_of_another_name(visitor: Visitor) -> None:
    assert "alert-card" not in visitor.patient("never").html
    for person, name in (("never", "alert-card"), ("followed", "none"), ("followed", "_page"), ("nobody", "recall")):
        assert visitor.get(f"/patients/{reference(person)}/letters/{name}").status_code == 404


def test_a_site_replaces_letters_and_is_told_of_a_mistake(visitor: Visitor, tmp_path: Path) -> None:
    (tmp_path / "recall.html").write_text("Ours for {{ letter.patient }}")
    (tmp_path / "wrong.html").write_text("{{ letter.nothing }}")
    own = Visitor(visitor.clinic._replace(letters=tmp_path))
    there = f"/patients/{reference('followed')}/letters"
    assert own.get(f"{there}/recall").text == "Ours for followed"
    wrong = own.get(f"{there}/wrong")
    assert (wrong.status_code, "followed" in wrong.text) == (500, False)
    assert wrong.text.startswith("template wrong.html")
    own.close()


def test_nothing_hostile_runs_on_paper(tmp_path: Path) -> None:
    made = Visitor(clinic_of(tmp_path, hostile(), "everybody", named=True))
    (one, *_) = made.clinic.people.page(EVERYBODY).rows
    for path in ("/due?who=everybody", *(f"/patients/{one.ref}/letters/{each}" for each in ("recall", "alert-card"))):
        text = made.get(path).text
        assert not re.search(r"<(script|img|svg)\b", text), path
        assert "49" not in re.sub(r"[\d-]{4,}", "", text.partition("<main")[2]), "no template of a record is filled"
    made.close()


def test_the_due_list_holds_every_day_until_its_end(visitor: Visitor) -> None:
    """Whoever the list of patients shows with a day in these weeks stands on paper, in one week, with that day."""
    weeks = due_weeks(visitor.clinic.people, EVERYBODY, DAY, 5)
    placed = {visit.patient.person: (week, visit.what) for week, visits in weeks for visit in visits}
    last = "2025-03-30"
    wanted = {each.person: each.next_due for each in visitor.clinic.people.page(EVERYBODY).rows if each.next_due}
    assert {each for each, day in wanted.items() if day <= last} == {
        each for each, (week, _) in placed.items() if week != UNDATED
    }
    assert "" in {week for week, _ in placed.values()}
    for person, (week, what) in placed.items():
        if week == UNDATED:
            assert all(each.endswith("day not known") for each in what)
            continue
        assert any(wanted[person] in each for each in what)
        assert (week == "") is (wanted[person] < TODAY)


def test_the_due_list_goes_as_far_as_asked(visitor: Visitor) -> None:
    far = due_weeks(visitor.clinic.people, EVERYBODY, DAY, 60)
    weeks = [week for week, _ in far]
    assert weeks == sorted(weeks)
    assert all(date.fromisoformat(week).weekday() == 0 for week in weeks if week not in ("", UNDATED))
    near = {week for week, _ in due_weeks(visitor.clinic.people, EVERYBODY, DAY, 1)}
    assert near <= {"", UNDATED, "2025-02-24"}
    assert near <= set(weeks)


def test_what_comes_later_stands_in_its_week(visitor: Visitor) -> None:
    """Seen from a day long before, everything is to come and nothing is overdue."""
    early = date(2024, 1, 1).toordinal()
    weeks = due_weeks(visitor.clinic.people, EVERYBODY, early, 120)
    assert weeks
    assert all(week for week, _ in weeks)
    assert any(week != UNDATED for week, _ in weeks)
    for week, visits in weeks[:-1] if weeks[-1][0] == UNDATED else weeks:
        for visit in visits:
            days = [each.rpartition(": ")[2] for each in visit.what if "not known" not in each]
            assert week <= min(days) <= max(days)
            assert (date.fromisoformat(max(days)) - date.fromisoformat(week)).days < 7


def test_what_has_no_day_is_on_the_list_all_the_same(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    people = visitor.clinic.people
    some = {"followed": [("", "Count")], "paused": [("2025-02-01", "Lipids"), ("", "Count")], "never": []}
    monkeypatch.setattr(people, "to_come", lambda asked: {each: some.get(each, []) for each in asked})
    weeks = due_weeks(people, EVERYBODY, DAY, 1)
    assert [(week, [(each.patient.person, each.what) for each in visits]) for week, visits in weeks] == [
        ("", [("paused", ["Lipids: 2025-02-01", "Count: day not known"])]),
        (UNDATED, [("followed", ["Count: day not known"])]),
    ]


def test_the_page_of_the_due_list_is_linked(visitor: Visitor) -> None:
    assert "/due?who=" in visitor.get("/?who=everybody").text
    page = visitor.get("/due?who=everybody").text
    assert "followed" in page
    assert "Due before today" in page
