"""No way in which real systems say or hide an entry makes an answer milder; what says nothing changes none."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import pytest

from precaution.readers import contents, fhir, observations
from precaution.readers.fhir import _READERS
from support.effort import tries
from support.hiding.kit import WAYS, Patient
from support.hiding.noise import NOISE, with_narratives
from support.hiding.oracle import decided, entries_of, fits, gravity, milder, read
from support.hiding.people import cases, examples, made_up
from support.hiding.run import tried
from support.hiding.through import Hidden, asked_for, hidden, through_a_cohort, through_a_hook

SAMPLE = tries(400, 40)
"""Of so many patients one: the rest by `python -m support.hiding.run`, which tries them all."""


def some_people() -> Iterator[Patient]:
    yield from islice(examples(), 2)
    yield from islice(cases(), 7, None, SAMPLE)
    yield from made_up(tries(2, 40))


def test_every_way_says_who_does_so_and_most_fit_many_entries() -> None:
    assert len(WAYS) >= 150
    assert all(way.done_by for way in WAYS.values())


def test_no_way_makes_an_answer_milder() -> None:
    # Of made-up patients some entries stand in several places; to hide one of these hides nothing.
    told_once = chain(examples(), islice(cases(), 7, None, SAMPLE))
    tally = tried(told_once, each=tries(12, 20), of_bases=tries(3, 10))
    assert tally.found == []
    assert tally.tried.total() > tries(300, 2000)


@pytest.mark.slow
def test_nearly_every_way_fits_an_entry_of_the_examples_and_makes_none_milder() -> None:
    tally = tried(examples(), each=40, of_bases=40)
    assert tally.found == []
    assert len([name for name in WAYS if tally.tried[name]]) > 0.75 * len(WAYS)


@pytest.fixture(scope="module")
def told_otherwise() -> list[Hidden]:
    chosen = chain(islice(cases(), 3, None, SAMPLE // 4), examples())
    return list(islice(hidden(chosen, list(WAYS.values()), 1), tries(200, 2000)))


def test_no_way_makes_the_answer_of_a_cohort_milder(told_otherwise: list[Hidden]) -> None:
    assert through_a_cohort(told_otherwise) == []


def test_no_way_makes_the_answer_of_a_hook_milder(told_otherwise: list[Hidden]) -> None:
    assert any(asked_for(each) and each.stage != "before-start" for each in told_otherwise)
    assert through_a_hook(told_otherwise) == []


def test_a_cohort_or_a_hook_that_answers_milder_is_seen(told_otherwise: list[Hidden]) -> None:
    graver = [each._replace(alone={"action": 99}) for each in told_otherwise if each.alone][:20]
    assert len(through_a_cohort(graver)) == len(graver)
    assert through_a_hook(graver)


# The check can fail: with one mistake put into the readers, it is seen


def seen(way: str, name: str) -> bool:
    """Whether a way is found to make an answer of an example milder."""
    patient = next(each for each in examples() if each.name == name)
    for told in entries_of(patient):
        documents = fits(told, WAYS[way])
        if documents is not None and milder(told, WAYS[way], documents):
            return True
    return False


def test_a_reader_that_passes_over_what_is_contained_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not seen("contained_in_a_list", "suspected-thromboembolism.json")
    monkeypatch.setattr(fhir, "_read_contained", lambda *_: None)
    assert seen("contained_in_a_list", "suspected-thromboembolism.json")


def test_a_reader_that_takes_another_ones_result_for_the_patients_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not seen("focus_on_somebody_else", "ready.json")
    monkeypatch.setattr(observations, "_is_patient", lambda *_: True)
    assert seen("focus_on_somebody_else", "ready.json")


def test_a_reader_that_does_not_heed_modifiers_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from precaution.readers import ledger

    assert not seen("modifier_extension", "ready.json")
    monkeypatch.setattr(ledger, "modified", lambda _: False)
    assert seen("modifier_extension", "ready.json")


def test_a_reader_that_does_not_look_for_loss_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not seen("left_out_with_a_warning", "restricted.json")
    monkeypatch.setattr(contents, "reports_loss", lambda *_: "")
    assert seen("left_out_with_a_warning", "restricted.json")


def test_a_reader_that_knows_no_reasons_for_visits_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not seen("reason_for_a_visit", "restricted.json")
    monkeypatch.setitem(_READERS, "Encounter", lambda *_: None)  # type: ignore[arg-type]
    assert seen("reason_for_a_visit", "restricted.json")


# Noise


def answer(patient: Patient, resources: list[dict[str, Any]]) -> Any:
    record = read(resources, patient)
    return gravity(decided(record, patient, patient.stage), patient)


@pytest.mark.parametrize("name", NOISE)
def test_an_entry_without_information_changes_nothing(name: str) -> None:
    for patient in some_people():
        more = NOISE[name](patient)
        before = answer(patient, list(patient.resources))
        assert answer(patient, [*patient.resources, *more]) == before, patient.name


def test_narratives_change_nothing() -> None:
    for patient in some_people():
        assert answer(patient, with_narratives(patient)) == answer(patient, list(patient.resources)), patient.name
