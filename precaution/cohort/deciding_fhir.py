"""The second pass over lines: each patient's by the reader of a single patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.cohort.deciding import Partition
from precaution.cohort.problems import KINDS, Problem, message_of
from precaution.cohort.processes import watch
from precaution.cohort.sort.deleted import DeletedIndex
from precaution.cohort.sort.indexes import IdentifierIndex, SharedIndex
from precaution.cohort.sort.merged import lines_of
from precaution.cohort.sort.owner import deletion, stand_ins
from precaution.cohort.sort.partition_files import BROKEN, DROPPED, IRRELEVANT, PATIENT, REPORT, hash_of
from precaution.errors import InputError, PrecautionError
from precaution.readers.bundle_queries import (
    duplicates,
    has_undated_result,
    patient_identifiers,
    patients,
    resource_names,
)
from precaution.readers.fhir import Understanding, records_of
from precaution.readers.json_input import parsed, parsed_again
from precaution.readers.patient import survivor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from precaution.cohort.context import RunContext
    from precaution.cohort.deciding import Decided, PartitionTask
    from precaution.cohort.sort.partition_files import FramedLine
    from precaution.cohort.sort.sorted import Sorted
    from precaution.readers.json_access import Json
    from precaution.values.record import Record


class OtherVersion(Exception):
    """A resource that was dropped, for its code says nothing, has a version that was not: both are needed."""


def decide_lines(task: PartitionTask) -> Decided:
    """Decide every patient of a partition and write the tables; raises OtherVersion, OutputError."""
    context, found, number = task
    lines: dict[str, list[FramedLine]] = {}
    for line in lines_of(context, number, found.merged):
        lines.setdefault(line.key, []).append(line)
    partition = FhirPartition(*task)
    for person in sorted(lines, key=lambda key: (hash_of(key), key)):
        if context.limit and partition.result.people >= context.limit:
            break
        partition.patient(person, lines.pop(person))
    return partition.written()


class FhirPartition(Partition):
    """One partition of lines: it is given patient after patient, each with all lines of that one."""

    def __init__(self, context: RunContext, found: Sorted, number: int) -> None:
        """Begin partition `number`. `found`: what the first pass left."""
        super().__init__(context, found, number)
        self._understandings = [Understanding(each.terminology, each.asks) for each in self.labels]
        self._shared, self._identifiers = SharedIndex(context.work), IdentifierIndex(context.work)
        self._standing: dict[str, list[str]] = {}
        for old, to in found.merged.items():
            self._standing.setdefault(to, []).append(old)
        self._deleted = DeletedIndex(context.work)
        self._claimed: set[tuple[int, int]] = set()
        self._lost = stand_ins(frozenset(found.lost_kinds), anything=found.lost_anything)

    def patient(self, person: str, lines: Sequence[FramedLine]) -> None:
        """Decide one patient from lines in any order; what goes wrong with that one is noted. Raises OtherVersion."""
        watch().step(1)
        self.result.people += 1
        every = sorted([*lines, *self._claimed_by(person, lines)], key=lambda line: (line.piece, line.number))
        also = self._standing.get(person, ())
        if also:
            person = self._name_of(person, every)
        try:
            self.decide(person, self._records(person, every), also)
        except OtherVersion:
            raise
        except Exception as error:
            if isinstance(error, PrecautionError) and not isinstance(error, InputError):
                raise
            self._failed(person, every, error)

    def _name_of(self, person: str, lines: Sequence[FramedLine]) -> str:
        """Return the id of whom merged Patients are decided as: of one whose Patient is here. The others are noted."""
        try:
            found = [
                (each, url, line) for line in lines if line.role == PATIENT for each, url in patients(_parsed(line))
            ]
        except InputError:
            return person
        name = survivor([(patient, url) for patient, url, _ in found]) or person
        others = {other: line for patient, url, line in found if (other := survivor([(patient, url)])) != name}
        for other, line in others.items():
            self._note(other, "merged", line, KINDS["merged"], 1)
        return name

    def _claimed_by(self, person: str, lines: Iterable[FramedLine]) -> list[FramedLine]:
        """Return the lines that name this patient by an identifier."""
        if not self._identifiers:
            return []
        found = self._identifiers.lines_of(person, _identifiers_of(lines))
        self._claimed.update((line.piece, line.number) for line in found)
        return found

    def _records(self, person: str, lines: Sequence[FramedLine]) -> list[Record]:
        documents = self._documents(person, lines)
        everything = [*documents, *self._shared.behind(documents), *self._lost, *self._deletions(person, documents)]
        return records_of(everything, self._understandings, self.context.today.toordinal(), _dropped_of(lines))

    def _deletions(self, person: str, documents: Sequence[Json]) -> list[Json]:
        """Return a Bundle that deletes what the source deletes of a patient's resources, as the readers heed it."""
        names = self._deleted.among(resource_names(documents)) if self._deleted else []
        if f"Patient/{person}" in names:
            self._note(person, "deleted", None, KINDS["deleted"], 1)
        return [deletion(names)] if names else []

    def _documents(self, person: str, lines: Sequence[FramedLine]) -> list[Json]:
        """Return a patient's resources. Raises _BrokenLine, NoPatient; OtherVersion."""
        documents: list[Json] = []
        telling: list[Json] = []
        for line in lines:
            if line.role not in (REPORT, DROPPED):
                found = _parsed(line)
                documents += found
                if line.role != IRRELEVANT:
                    telling += found
        _check_dropped(telling, lines)
        self._note_twice(person, documents, lines)
        if has_undated_result(documents):
            for line in lines:
                if line.role == REPORT:
                    documents.extend(_parsed(line))
        return documents

    def _failed(self, person: str, lines: Sequence[FramedLine], error: Exception) -> None:
        kind = self.count_failure(error)
        at = error.line if isinstance(error, _BrokenLine) else lines[0] if lines else None
        count = sum(1 + line.data.count(b"\n") * (line.number > 0) for line in lines)
        self._note(person, kind, at, KINDS[kind] if kind == "no-patient" else message_of(error), count)

    def _note_twice(self, person: str, documents: Sequence[Json], lines: Sequence[FramedLine]) -> None:
        """Note a Patient, or other resources, that came more than once."""
        more = duplicates(documents)
        if more.patients:
            self._note(person, "patient-twice", lines[0], KINDS["patient-twice"], more.patients)
        if more.others:
            self._note(person, "resource-twice", lines[0], KINDS["resource-twice"], more.others)

    def _note(self, person: str, kind: str, at: FramedLine | None, message: str, lines: int) -> None:
        file, before = self.found.origins[at.piece] if at else ("", 0)
        number = before + at.number if at and at.number else 0
        self.note(Problem(person, kind, file, number, message, lines))

    def written(self) -> Decided:
        """Write the tables, then what came of the partition."""
        self._shared.close()
        self._identifiers.close()
        self._deleted.close()
        self.result.claimed = sorted(self._claimed)
        return super().written()


class _BrokenLine(InputError):
    """A line of a patient that is no strict JSON."""

    def __init__(self, line: FramedLine, message: str) -> None:
        super().__init__(message)
        self.line = line


def _parsed(line: FramedLine) -> list[Json]:
    read = parsed if line.role == BROKEN else parsed_again
    try:
        return [each for each in read(line.data, "the line" if line.number else "the file") if isinstance(each, dict)]
    except InputError as error:
        raise _BrokenLine(line, str(error)) from None


def _check_dropped(telling: Iterable[Json], lines: Iterable[FramedLine]) -> None:
    """Raise OtherVersion where a resource that was dropped is a version of one that was kept for what it says."""
    dropped = _dropped_of(lines)
    if dropped and not dropped.isdisjoint(resource_names(telling)):
        raise OtherVersion


def _dropped_of(lines: Iterable[FramedLine]) -> frozenset[str]:
    """Return the names (`Type/id`) of the resources that were dropped, for their codes say nothing."""
    dropped = [line.data.decode("utf-8", "replace") for line in lines if line.role == DROPPED]
    return frozenset("\n".join(dropped).split("\n")) if dropped else frozenset()


def _identifiers_of(lines: Iterable[FramedLine]) -> set[tuple[str, str]]:
    """Return what identifies a patient; nothing where a line is no JSON, which is said later."""
    try:
        return patient_identifiers(value for line in lines if b'"Patient"' in line.data for value in _parsed(line))
    except InputError:
        return set()
