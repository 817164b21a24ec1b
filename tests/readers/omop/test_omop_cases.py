"""Every case of the label that a CDM can carry comes to what the case expects, read from a CDM.

The answers of a case are given beside the record, as on the command line: no table of the CDM holds them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from precaution.cases.load import Case, load_cases
from precaution.cases.run import came_to
from precaution.cohort import cohort
from precaution.knowledge.loading import LABELS
from support.ndjson_sources import LABEL
from support.omop_sources import CannotCarry, Cdm, put_csv
from support.table_sources import records_of

if TYPE_CHECKING:
    from precaution.values.record import Record

CASES = load_cases(LABELS / "baricitinib")
REASONS = {
    "a drug that is on-hold",
    "something without a day: the CDM requires one",
    "a result that is preliminary",
    "a day of which only the month or year is known",
    "a result that is entered-in-error",
    "the day on which something was written down",
    "a result that is cancelled",
    "a drug that is not-taken",
    "a procedure that is not-done",
    "an order that is revoked",
    "a procedure that is in-progress",
    "a procedure that is unknown",
    "a drug that is intended",
    "a drug that is entered-in-error",
    "a drug that is unknown",
    "a vaccine that is unknown",
    "a vaccine that is not-done",
    "a vaccine that is entered-in-error",
    "an order that is completed",
    "an answer without a day",
    "a vaccine of an unknown code: the CDM does not tell vaccines from drugs",
    "a diagnosis as that of a visit: the CDM does not tell it from a problem",
}
"""Everything that a case may say and a CDM can't; docs/guides/omop.md lists it."""


def with_answers(case: Case) -> Case:
    """Return a case whose lines of answers are given beside the record. Raises CannotCarry."""
    given = []
    for line in case.record:
        kind, *words = line.split()
        if kind == "answer":
            if len(words) < 4:
                raise CannotCarry("an answer without a day")
            given.append(f"{words[0]}={words[1]}@{words[3]}")
    return replace(case, answers=(*case.answers, *given))


@cache
def carried() -> tuple[Cdm, dict[int, Case], Counter[str]]:
    """Return a CDM with a person for each case, whose person is which, and why the others can't be carried."""
    cdm, cases, why = Cdm(LABEL.terminology), dict[int, Case](), Counter[str]()
    for case in CASES:
        try:
            whole = with_answers(case)
            cases[cdm.person(case.record)] = whole
        except CannotCarry as reason:
            why[str(reason)] += 1
    return cdm, cases, why


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Record]:
    folder = tmp_path_factory.mktemp("cases")
    summary = cohort(
        put_csv(folder / "cdm", carried()[0].tables), folder / "out", today="2025-03-01", workers=1, entries=True
    )
    assert set(summary.problems) <= {"died"}
    persons, entries = (pq.ParquetDataset(folder / "out" / name).read() for name in ("persons", "entries"))
    return dict(records_of(persons, entries))


def test_what_a_cdm_cannot_carry_is_known_by_reason() -> None:
    _, cases, why = carried()
    print(f"{len(cases)} of {len(CASES)} cases run from a CDM; not: {dict(why.most_common())}")  # noqa: T201
    assert set(why) == REASONS
    assert len(cases) + sum(why.values()) == len(CASES)
    assert len(cases) > 1100


@pytest.mark.slow
def test_every_case_comes_to_what_it_expects(records: dict[str, Record]) -> None:
    compared, wrong = 0, []
    for person, case in carried()[1].items():
        found = came_to(case, LABEL, records[str(person)])
        compared += len(found)
        wrong += [
            (case.topic, case.name, name, state, case.expect[name])
            for name, state in found.items()
            if state != case.expect[name]
        ]
    print(f"{compared} states compared")  # noqa: T201 - how much was compared is part of the answer
    assert compared > 2400
    assert wrong == []


@pytest.mark.slow
def test_a_difference_would_be_seen(records: dict[str, Record]) -> None:
    """Without its tests no patient who was ready is clear."""
    ready = next((person, case) for person, case in carried()[1].items() if case.expect.get("action") == "clear")
    record = records[str(ready[0])]
    less = replace(record, entries={name: own for name, own in record.entries.items() if not name.startswith("lab_")})
    assert came_to(ready[1], LABEL, less)["action"] != "clear"


def test_every_topic_is_carried_in_part() -> None:
    topics = Counter(case.topic for case in carried()[1].values())
    assert min(topics[case.topic] for case in CASES) > 15
