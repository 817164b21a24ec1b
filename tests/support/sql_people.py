"""People for the comparison of SQL and interpreter: the label's cases, the examples, a demo cohort, the shared data."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from precaution import load_label
from precaution.assessment import as_day, with_answers
from precaution.cases.load import load_cases
from precaution.cases.run import label_for, record_of
from precaution.demo.generate import Generator
from precaution.demo.recipes import load_recipes
from precaution.knowledge.loading import find_label
from precaution.knowledge.model import Label
from precaution.knowledge.refers import STAGES
from precaution.readers import read, read_resources
from support import real_records
from support.project import PROJECT
from support.sql_comparison import Asked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precaution.values.record import Record

NAME = "baricitinib"
LABEL = load_label(NAME)


class Group(NamedTuple):
    """The cases of one policy: one script."""

    label: Label
    asked: list[Asked]


@cache
def cases() -> tuple[Group, ...]:
    """Return every case of the label, those of one policy together, the label's own first."""
    found: dict[str, Group] = {}
    for case in load_cases(find_label(NAME)):
        label = label_for(case, LABEL)
        day = as_day(case.today)
        record = record_of(case, label)
        asked = Asked(f"{case.topic}: {case.name}", with_answers(record, case.answers, label, day), day, case.stage)
        found.setdefault(label.digest, Group(label, [])).asked.append(asked)
    return tuple(found.values())


def examples() -> list[Asked]:
    """Return the patients of examples/, on several days and at every stage."""
    files = sorted((PROJECT / "examples").glob("*.json"))
    records = {file.stem: read(file, LABEL.terminology, LABEL.asks) for file in files}
    return at_all(records, ("2025-03-01", "2025-06-01"))


def demo(many: int) -> list[Asked]:
    """Return synthetic patients of the demo cohort."""
    today = date(2025, 3, 1)
    made = Generator(LABEL, load_recipes(find_label(NAME), LABEL), seed=3, today=today)
    records = (
        (each.ident, read_resources(each.resources, LABEL.terminology, LABEL.asks)) for each in made.patients(many)
    )
    return [Asked(name, record, today.toordinal()) for name, record in records]


def shared() -> list[Asked]:
    """Return every patient of the shared data, on days of the data, after them, and at a given stage."""
    records = real_records.records()
    asked = at_all(records, ("2021-07-10", "2015-01-01"), (None,))
    return [
        *asked,
        *(
            Asked(f"{name} as before", record, as_day("2025-03-01"), STAGES[number % 3])
            for number, (name, record) in enumerate(records.items())
        ),
    ]


def at_all(records: dict[str, Record], days: Iterable[str], stages: Iterable[object] = (None, *STAGES)) -> list[Asked]:
    """Return records on each of some days, at each of some stages."""
    return [
        Asked(f"{name} {today} {stage}", record, as_day(today), stage)  # type: ignore[arg-type]
        for name, record in records.items()
        for today in days
        for stage in stages
    ]
