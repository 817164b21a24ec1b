"""The second pass over rows: a partition's persons, each from the rows of `entries` and `persons` of that one."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from precaution.cohort.deciding import Partition
from precaution.cohort.problems import KINDS, Problem, message_of
from precaution.cohort.processes import watch
from precaution.cohort.row_checks import sound, unsound
from precaution.cohort.sort.partition_files import hash_of
from precaution.cohort.sort.rows import ROWS, RowColumns, rows_in
from precaution.errors import InputError, PrecautionError
from precaution.tables.schema import as_rows, record_of
from precaution.values.record import ANSWER, DOSE, UNREADABLE, Unrecognised, in_order

import pyarrow as pa  # isort: skip - tables says what to do where it is missing
import pyarrow.compute as pc  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from precaution.cohort.context import RunContext
    from precaution.cohort.deciding import Decided, PartitionTask
    from precaution.cohort.sort.sorted import Sorted
    from precaution.knowledge.model import Label
    from precaution.tables.schema import Row
    from precaution.values.record import Record


def decide_rows(task: PartitionTask) -> Decided:
    """Decide every person of a partition of rows and write the tables; raises OutputError."""
    partition = RowsPartition(*task)
    persons, entries = (partition.rows(table) for table in ("persons", "entries"))
    views = [partition.of_label(persons, entries, label.name) for label in partition.labels]
    doubtful = {person for view in views for person in unsound(*view)}
    people = partition.chosen({*persons.column("person").to_pylist(), *doubtful})
    read = [_Read(*view, [person for person in people if person not in doubtful]) for view in views]
    of_persons, of_entries = _by_person(_only(persons, doubtful)), _by_person(_only(entries, doubtful))
    for person in people:
        if person in doubtful:
            partition.person(person, of_persons.get(person, []), of_entries.get(person, []))
        else:
            partition.sound(person, [each.record(person) for each in read])
    return partition.written()


class _Read:
    """The records of sound persons as one label reads them, in the order in which they are asked for."""

    def __init__(self, persons: pa.Table, entries: pa.Table, people: Iterable[str]) -> None:
        self._there = set(persons.column("person").to_pylist())
        self._records = sound(persons, entries, [person for person in people if person in self._there])

    def record(self, person: str) -> Record | None:
        """Return the record of the next person; nothing where the label has none."""
        return next(self._records)[1] if person in self._there else None


def decide_one_by_one(partition: RowsPartition) -> Decided:
    """Decide every person of a partition from single rows, whatever their columns."""
    persons, entries = (_by_person(partition.rows(table)) for table in ("persons", "entries"))
    for person in partition.chosen({*persons, *entries}):
        partition.person(person, persons.pop(person, []), entries.pop(person, []))
    return partition.written()


def _only(table: pa.Table, people: set[str]) -> pa.Table:
    return table.filter(pc.is_in(table.column("person"), value_set=pa.array(sorted(people), pa.string())))


def _by_person(table: pa.Table) -> dict[str, list[Row]]:
    rows = as_rows(table)
    return {person: list(own) for person, own in groupby(sorted(rows, key=itemgetter(0)), itemgetter(0))}


class RowsPartition(Partition):
    """One partition of rows."""

    columns: RowColumns = ROWS

    def __init__(self, context: RunContext, found: Sorted, number: int) -> None:
        """Begin partition `number`. `found`: what the first pass left."""
        super().__init__(context, found, number)
        self._concepts = [_known_to(label) for label in self.labels]

    def rows(self, table: str) -> pa.Table:
        """Return the rows of a table that are this partition's."""
        return rows_in(self.context.work, table, self.result.partition, self.context.partitions, self.columns)

    def of_label(self, persons: pa.Table, entries: pa.Table, name: str) -> tuple[pa.Table, pa.Table]:
        """Return the rows of both tables that are for a label: its own, and those that name none."""
        if len(self.labels) == 1:  # no other's were sorted
            return persons, entries
        found = (
            each.filter(pc.is_in(each.column("label"), pa.array([name, None], pa.string())))
            for each in (persons, entries)
        )
        return next(found), next(found)

    def chosen(self, people: Iterable[str]) -> list[str]:
        """Return the persons to decide, in the order in which any run of the same partitions takes them."""
        ordered = sorted(people, key=lambda key: (hash_of(key), key))
        return ordered[: self.context.limit] if self.context.limit else ordered

    def person(self, person: str, rows: list[Row], entries: list[Row]) -> None:
        """Decide one person; whatever goes wrong with that one is noted."""
        with self._noted(person):
            once = list(dict.fromkeys(entries))
            of_labels = [(_of(label.name, rows), _of(label.name, once)) for label in self.labels]
            problems = [_wrong(person, *each) for each in of_labels if each != ([], [])]
            if problem := next((each for each in problems if each is not None), None):
                self.result.failed += 1
                self.note(problem)
                return
            if more := len(rows) - len({row[_LABEL] for row in rows}) + len(entries) - len(once):
                self.note(Problem(person, "row-twice", "", 0, KINDS["row-twice"], more))
            records = [
                self.record(own[0][:_LABEL], [row[:_LABEL] for row in more], at) if own else None
                for at, (own, more) in enumerate(of_labels)
            ]
            self.decide(person, records)

    def sound(self, person: str, records: Iterable[Record | None]) -> None:
        """Decide one person of whose rows nothing is wrong; whatever goes wrong all the same is noted."""
        with self._noted(person):
            self.decide(person, [each and self.understood(each, at) for at, each in enumerate(records)])

    @contextmanager
    def _noted(self, person: str) -> Iterator[None]:
        watch().step(1)
        self.result.people += 1
        try:
            yield
        except Exception as error:
            if isinstance(error, PrecautionError) and not isinstance(error, InputError):
                raise
            self.note(Problem(person, self.count_failure(error), "", 0, message_of(error)))

    def record(self, person: Row, entries: list[Row], at: int) -> Record:
        """Return the record that a person's rows, without their last column, are for the label at that place."""
        return self.understood(record_of((*person, None), [(*row, None) for row in entries]), at)

    def understood(self, record: Record, at: int) -> Record:
        """Return a record of nothing but what a label knows, and with no list complete of which rows were lost."""
        lost = self.found.lost_kinds or not self._concepts[at].issuperset(record.entries)
        return self.without_lists(record, at) if lost else record

    def without_lists(self, record: Record, at: int) -> Record:
        """Return a record in which what is lost, or of no concept of a label, leaves no list complete."""
        known = self._concepts[at]
        found = {name: own for name, own in record.entries.items() if name in known}
        unknown = [each for name, own in record.entries.items() if name not in known for each in own]
        for each in unknown:
            name = UNREADABLE.get(each.kind)
            if name is not None:
                moved = each._replace(
                    concept=name, certainty="mentioned", value=None, result="", says="", note=_NO_CONCEPT
                )
                found[name] = (*found.get(name, ()), moved)
        more = (Unrecognised(each.source, "concept", each.concept, _NO_CONCEPT) for each in unknown)
        return replace(
            record,
            entries={name: tuple(sorted(own, key=in_order)) for name, own in found.items()},
            lists=record.lists - self.found.lost_kinds,
            attested=record.attested - self.found.lost_kinds,
            unrecognised=tuple(sorted({*record.unrecognised, *more})),
        )


_NO_CONCEPT = "the label has no such concept"
_LABEL = -4
"""The column `label`: the last one, before why, file and row of what is wrong."""


def _known_to(label: Label) -> set[str]:
    """Return the concepts that rows may be of for a label: its lists', its questions' and the doses of its drugs."""
    asks, drugs = (ANSWER + name for name in label.asks), (DOSE + name for name in label.concepts)
    return {*label.concepts, *UNREADABLE.values(), *asks, *drugs}


def _of(label: str, rows: list[Row]) -> list[Row]:
    """Return the rows that are for a label: its own, and those that name none."""
    return [row for row in rows if row[_LABEL] in (None, label)]


def _wrong(person: str, rows: list[Row], entries: list[Row]) -> Problem | None:
    """Return why a person's rows can't be decided on, or None."""
    if not rows:
        return Problem(person, "no-person", "", 0, KINDS["no-person"], len(entries))
    bad = [row for row in (*rows, *entries) if row[-3] is not None]
    if bad:
        why, file, row = bad[0][-3:]
        return Problem(person, "bad-row", str(file), int(str(row)), f"the row can't be right: {why}", len(bad))
    if any(row[:_LABEL] != rows[0][:_LABEL] for row in rows):
        return Problem(person, "bad-row", "", 0, "persons holds rows of one person that differ", len(rows))
    return None
