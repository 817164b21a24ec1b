"""What is answered in the EHR counts for a cohort as it counts for one patient and for cards."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest

from precaution import assess
from precaution.cli import run
from precaution.errors import StoreError, UsageError
from precaution.service.cohort_answers import cohort_answers
from precaution.service.store import Answer, Store
from support.hook_calls import TODAY, example
from support.ndjson_sources import rows
from support.small_people import put

if TYPE_CHECKING:
    from pathlib import Path

SERVER = "https://fhir.example.org/r4"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/store.sqlite").open()


def answered(store: Store, patient: str = "restricted", server: str = SERVER, word: str = "yes") -> None:
    given = Answer(ask="no-suitable-alternative", answer=word, day="2025-02-20", who="Practitioner/1", role="doctor")
    store.answer(server, patient, [given])


def decided(folder: Path, *more: str) -> dict[str, tuple[str, bool]]:
    for name in ("restricted", "low-neutrophils"):
        put(folder / "in", *example(name), name=f"{name}.ndjson")
    out = folder / "out"
    asked = ["cohort", str(folder / "in"), "--out", str(out), "--today", TODAY, "--who", "everybody", "--overwrite"]
    assert run([*asked, "--workers", "1", *more]) == 0
    assert (json.loads((out / "run.json").read_text()).get("answers") is not None) == ("--store" in more)
    return {row["person"]: (row["action"], row["attested"]) for row in rows(out, "decisions")}


def test_an_answer_that_is_kept_counts_for_its_patient_alone(tmp_path: Path, store: Store) -> None:
    before = decided(tmp_path)
    url = f"sqlite:///{tmp_path}/store.sqlite"
    assert decided(tmp_path, "--store", url) == before, "nothing is answered yet"
    answered(store)
    answered(store, "somebody-else")
    after = decided(tmp_path, "--store", url)
    softer = assess(example("restricted"), today=TODAY, answers=["A1=yes@2025-02-20"])
    assert after == {**before, "restricted": (softer.action, softer.attested)} != before
    answered(store, "low-neutrophils", "https://other.example.org")
    with_server = decided(tmp_path, "--store", url, "--server", SERVER + "/")
    assert with_server == after


def test_of_several_servers_one_must_be_named(tmp_path: Path, store: Store) -> None:
    answered(store)
    answered(store, server="https://other.example.org")
    with pytest.raises(UsageError, match="several servers; name one with --server: https://fhir.*, https://other"):
        cohort_answers(f"sqlite:///{tmp_path}/store.sqlite", None, date(2025, 3, 1))


def test_without_the_store_nobody_is_decided(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        cohort_answers(f"sqlite:///{tmp_path}/none.sqlite", None, date(2025, 3, 1))


def test_each_answer_and_each_one_taken_back_makes_another_run(tmp_path: Path, store: Store) -> None:
    states = [store.answers_state()]
    for step in (answered, lambda store: answered(store, word="no"), taken_back):
        step(store)
        states.append(store.answers_state())
    assert len(set(states)) == 4


def taken_back(store: Store) -> None:
    assert store.withdraw(SERVER, "restricted", 2, "Practitioner/1")


def test_a_server_is_for_a_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "in", *example("ready"))
    out = str(tmp_path / "out")
    assert run(["cohort", str(tmp_path / "in"), "--out", out, "--today", TODAY, "--server", SERVER]) == 2
    assert "give --store too" in capsys.readouterr().err
