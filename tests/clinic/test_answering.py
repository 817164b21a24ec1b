"""Answers on a patient's page: they count at once, everywhere, and only where the form came from these pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("starlette")
pytest.importorskip("sqlalchemy")

from precaution.clinic.answering import SERVER
from precaution.errors import StoreDown
from precaution.service.cohort_answers import cohort_answers
from precaution.service.store import Answer, Store
from precaution.values.record import ANSWER
from support.clinic_pages import HOSTILE, Visitor, clinic_of, order, person, reference, result
from support.ndjson_sources import LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ASK = "no-suitable-alternative"
SAID = {"ask": ASK, "answer": "yes", "who": "N. Meyer", "role": "rheumatologist", "reason": "others failed"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path / 'answers.sqlite'}").open()
    yield made
    made.close()


@pytest.fixture
def visitor(tmp_path: Path, store: Store) -> Iterator[Visitor]:
    old = person("old", order("2025-02-20", intent="proposal", status="draft"), born="1950-05-05")
    low = person("low", order("2024-11-01"), result("751-8", 0.8, "10*9/L", "2025-02-24"))
    made = Visitor(clinic_of(tmp_path, [*old, *low], store=store))
    yield made
    made.close()


def at(name: str, more: str = "") -> str:
    return f"/patients/{reference(name)}/answers{more}"


def shown(visitor: Visitor, name: str) -> str:
    """Return the action of a patient on the list."""
    table = visitor.get(f"/worklist.csv?who=everybody&search={name}").text
    return table.splitlines()[1].split(",")[2]


def test_an_answer_counts_at_once_on_the_page_the_list_and_the_paper(
    visitor: Visitor, store: Store, tmp_path: Path
) -> None:
    page = visitor.patient("old")
    number = LABEL.asks[ASK].number
    assert f"Answer {number}" in page.text
    before = visitor.page("/?search=old&who=everybody").text
    response = visitor.post(at("old"), **SAID)
    assert (response.status_code, response.headers["location"]) == (303, f"/patients/{reference('old')}#questions")
    after = visitor.patient("old").text
    assert "yes , 2025-03-01, N. Meyer (rheumatologist)" in after
    assert "reason: others failed" in after
    kept = store.kept(SERVER, "old", "2025-03-01").answers
    assert [(each.ask, each.answer, each.seen is not None) for each in kept] == [(ASK, "yes", True)]
    heeding = cohort_answers(f"sqlite:///{tmp_path / 'answers.sqlite'}", None, visitor.clinic.opened.today)
    heeded = heeding.heeded(["old"], visitor.clinic.people.record("old"), LABEL, visitor.clinic.today)
    assert ANSWER + ASK in heeded.entries, "`cohort --store` heeds the same"
    assert visitor.page("/?search=old&who=everybody").text != before
    assert number not in {each[0] for each in _questions(visitor, "old")}


def _questions(visitor: Visitor, name: str) -> list[tuple[str, ...]]:
    from precaution.clinic.checklist import checklist

    clinic = visitor.clinic
    assert clinic.answers is not None
    made = checklist(clinic.people.record(name), LABEL, clinic.vocabulary, clinic.today, clinic.answers.kept(name))
    return [(each[0],) for each in made.questions]


def test_no_takes_the_place_of_yes_and_it_can_be_taken_back(visitor: Visitor, store: Store) -> None:
    visitor.post(at("old"), **SAID)
    visitor.post(at("old"), **{**SAID, "answer": "no", "reason": ""})
    kept = store.kept(SERVER, "old", "2025-03-01").answers
    assert [each.answer for each in kept] == ["no"]
    assert visitor.post(at("old", "/withdraw"), id=str(kept[0].id), who="N. Meyer").status_code == 400
    assert visitor.post(at("old", "/withdraw"), id=str(kept[0].id), who="N. Meyer", reason="wrong").status_code == 303
    assert [each.answer for each in store.kept(SERVER, "old", "2025-03-01").answers] == ["yes"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"answer": ["yes", "no"]}, "answer is given more than once"),
        ({"answer": ""}, "choose one answer"),
        ({"answer": "perhaps"}, "choose one answer"),
        ({"ask": "no-such"}, "is no ask"),
        ({"who": " "}, "say who answers"),
        ({"who": HOSTILE}, "say who answers"),
        ({"role": "1"}, "in which role"),
        ({"reason": " "}, "give a reason"),
        ({"reason": "x" * 501}, "longer than"),
        ({"expires": "2025-02-28"}, "can count from"),
        ({"expires": "2099-01-01"}, "can count from"),
        ({"expires": "soon"}, "until when"),
    ],
)
def test_what_is_no_answer_is_said_on_the_page_and_not_kept(
    visitor: Visitor, store: Store, change: dict[str, Any], says: str
) -> None:
    response = visitor.post(at("old"), **{**SAID, **change})
    assert response.status_code == 400
    assert says in response.text
    assert not store.kept(SERVER, "old", "2025-03-01").answers
    if "reason" not in change:
        assert "others failed" in response.text or "ask" in change, "what was typed is not lost"


def test_only_a_form_of_these_pages_is_taken(visitor: Visitor, store: Store) -> None:
    good = visitor.access.form_token
    path = at("old")
    wrong = [
        visitor.post(path, **{**SAID, "token": "x"}),
        visitor.post(path, **{**SAID, "token": visitor.access.key}),
        visitor.post(path, **SAID, origin="http://evil.example"),
        visitor.post(path, **SAID, origin="null"),
        visitor.post(path, **SAID, origin=""),
        visitor.send("POST", path, json={**SAID, "token": good}, headers={"origin": "http://127.0.0.1:8090"}),
        visitor.post(path, **{**SAID, "reason": "x" * 20_000}),
        visitor.send("GET", path),
    ]
    assert [each.status_code for each in wrong] == [403, 403, 403, 403, 403, 415, 413, 405]
    assert not store.kept(SERVER, "old", "2025-03-01").answers
    stranger = Visitor(visitor.clinic, let_in=False)
    assert stranger.post(path, **SAID).status_code == 403
    stranger.close()
    assert visitor.post(f"/patients/{'0' * 24}/answers", **SAID).status_code == 404


def test_what_others_answered_is_on_the_list_without_a_restart(visitor: Visitor, store: Store) -> None:
    before = visitor.page("/?who=everybody&search=old").text
    store.answer(SERVER, "old", [Answer(ask=ASK, answer="yes", day="2025-03-01", who="Practitioner/1", role="r",
                                        reason="x", expires="2025-06-01")])  # fmt: skip
    assert visitor.page("/?who=everybody&search=old").text != before


def test_a_store_that_fails_is_said_and_makes_nothing_milder(
    visitor: Visitor, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.post(at("old"), **SAID)

    def down(*_: object, **__: object) -> Any:
        raise StoreDown("x")

    for name in ("kept", "answer", "note", "answers_state", "patients"):
        monkeypatch.setattr(store, name, down)
    assert "Nothing was made milder" in visitor.patient("old").text
    assert "others failed" not in visitor.patient("old").text
    assert "can't be read" in visitor.page("/").text
    assert visitor.get("/worklist.csv").status_code == 503
    refused = visitor.post(at("old"), **SAID)
    assert refused.status_code == 503
    assert "Not kept" in refused.text
    assert "others failed" in refused.text, "what was typed is not lost"


def test_no_answer_lifts_a_low_count(visitor: Visitor) -> None:
    assert shown(visitor, "low") == "interrupt"
    for ask in LABEL.asks.values():
        for word in ask.answers:
            visitor.post(at("low"), **{**SAID, "ask": ask.name, "answer": word, "day": "2025-02-01"})
    assert shown(visitor, "low") in ("interrupt", "discontinue")


def test_each_view_of_a_patient_is_in_the_trail(visitor: Visitor, store: Store) -> None:
    visitor.patient("old")
    visitor.patient("low", "/checklist")
    seen = [each.event for each in store.trail() if each.event]
    assert [each["patient"] for each in seen if each["kind"] == "read"] == ["old", "low"]
