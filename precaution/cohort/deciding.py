"""The second pass: each partition's patients, one after the other, by the reader and the rules of a single patient."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from precaution.assessment import assess
from precaution.cohort.partition import DROPPED, PATIENT, PLAIN, REPORT, framed, framed_slowly, hash_of
from precaution.cohort.problems import KINDS, Problem, kind_of, message_of
from precaution.cohort.processes import watch
from precaution.cohort.shared import Shared
from precaution.cohort.tables import AUDIT, SCHEMAS, Tables, put, rows_of
from precaution.errors import InputError, PrecautionError
from precaution.knowledge import load_label
from precaution.measures import audit_rows
from precaution.readers import read_resources
from precaution.readers.gathered import names, people, repeated, undated
from precaution.readers.json_input import parsed
from precaution.readers.owner import identifiers_of_subject, lost
from precaution.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from pathlib import Path

    from precaution.answer import Decision
    from precaution.cohort.partition import Framed, LabelOf
    from precaution.definitions import Label
    from precaution.readers.shape import Json


class OtherVersion(Exception):
    """A resource that was dropped, for its code says nothing, has a version that was not: both are needed."""


class Task(NamedTuple):
    """What every partition's work needs to know."""

    work: Path
    out: Path
    label: LabelOf
    today: date
    history: bool
    lost_kinds: frozenset[str]
    lost_anything: bool
    identified: bool
    """Whether there are lines that name their patient by an identifier."""
    origins: tuple[tuple[str, int], ...]
    """Of each piece its file, and how many lines stand before it."""
    limit: int = 0
    """Most patients to decide; 0 for all."""
    audit: bool = False
    """Whether to write what the audit needs."""


@dataclass(slots=True)
class Decided:
    """What came of a partition; kept as JSON beside the tables, so that a rerun need not do it again."""

    partition: int
    people: int = 0
    decided: int = 0
    died: int = 0
    failed: int = 0
    problems: dict[str, int] = field(default_factory=dict[str, int])
    actions: dict[str, int] = field(default_factory=dict[str, int])
    ignored: dict[str, int] = field(default_factory=dict[str, int])
    unrecognised: dict[str, int] = field(default_factory=dict[str, int])
    """Keys are `system code: why`."""
    claimed: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """Piece and line of what named a patient of this partition by an identifier."""
    first: Problem | None = None


def part_name(partition: int) -> str:
    """Return the name of a partition's files."""
    return f"part-{partition:04d}"


def decide_partition(task: tuple[Task, int]) -> Decided:
    """Decide every patient of a partition and write the tables; raises OtherVersion, OutputError."""
    job, number = task
    groups: dict[str, list[Framed]] = {}
    for line in framed(job.work, f"{number:04d}"):
        groups.setdefault(line.key, []).append(line)
    run = _Run(job, number)
    claims = _claims(job, groups) if job.identified else {}
    for person in sorted(groups, key=lambda key: (hash_of(key), key)):
        if job.limit and run.found.people >= job.limit:
            break
        lines = sorted(groups.pop(person) + claims.get(person, []), key=lambda line: (line.piece, line.number))
        run.patient(person, lines)
    run.found.claimed = sorted({(line.piece, line.number) for lines in claims.values() for line in lines})
    return run.written()


class _Run:
    """One partition in the making."""

    def __init__(self, job: Task, number: int) -> None:
        self.job, self.found, self.tables = job, Decided(number), Tables()
        self.label: Label = load_label(job.label.folder, policy=job.label.policy, codes=job.label.codes)
        self._shared = Shared(job.work)
        self._lost = lost(job.lost_kinds, anything=job.lost_anything)
        self._counts = {name: Counter[str]() for name in ("problems", "actions", "ignored", "unrecognised")}

    def patient(self, person: str, lines: Sequence[Framed]) -> None:
        """Decide one patient; whatever goes wrong with that one is noted."""
        watch().step(1)
        self.found.people += 1
        try:
            documents = self._documents(person, lines)
            self._decide(person, documents)
        except OtherVersion:
            raise
        except Exception as error:
            if isinstance(error, PrecautionError) and not isinstance(error, InputError):
                raise
            self._failed(person, lines, error)

    def _documents(self, person: str, lines: Sequence[Framed]) -> list[Json]:
        """Return a patient's resources. Raises _BrokenLine, NoPatient; OtherVersion."""
        documents: list[Json] = []
        plain: set[str] = set()
        for line in lines:
            if line.sort in (PATIENT, PLAIN):
                for value in _parsed(line):
                    documents.append(value)
                    if line.sort == PLAIN:
                        plain |= names([value])
        _check_dropped(documents, plain, lines)
        self._note_twice(person, documents, lines)
        if undated(documents):
            for line in lines:
                if line.sort == REPORT:
                    documents.extend(_parsed(line))
        return documents

    def _decide(self, person: str, documents: list[Json]) -> None:
        everything = [*documents, *self._shared.behind(documents), *self._lost]
        record = read_resources(everything, self.label.terminology, self.label.asks)  # type: ignore[arg-type]
        if self.job.audit:  # of the dead too
            for table, rows in audit_rows(person, record, self.label, self.job.today.toordinal()).items():
                self.tables.add(table, rows)
        decision = assess(record, today=self.job.today, label=self.label)
        changes = timeline(record, self.label, self.job.today.toordinal()) if self.job.history else []
        for table, rows in rows_of(person, decision, changes, self.label).items():
            self.tables.add(table, rows)
        self._count(decision)

    def _count(self, decision: Decision) -> None:
        self.found.decided += 1
        self._counts["actions"][decision.action] += 1
        self._counts["ignored"].update(each.why for each in decision.ignored)
        self._counts["unrecognised"].update(
            f"{each.system} {each.code}: {each.why}" for each in decision.unrecognised)

    def _failed(self, person: str, lines: Sequence[Framed], error: Exception) -> None:
        kind = kind_of(error)
        self.found.died += kind == "died"
        self.found.failed += kind != "died"
        at = error.line if isinstance(error, _BrokenLine) else lines[0] if lines else None
        self._note(person, kind, at, KINDS[kind] if kind == "no-patient" else message_of(error), len(lines))

    def _note_twice(self, person: str, documents: Sequence[Json], lines: Sequence[Framed]) -> None:
        """Note a Patient, or other resources, that came more than once."""
        more = repeated(documents)
        if more.patients:
            self._note(person, "patient-twice", lines[0], KINDS["patient-twice"], more.patients)
        if more.others:
            self._note(person, "resource-twice", lines[0], KINDS["resource-twice"], more.others)

    def _note(self, person: str, kind: str, at: Framed | None, message: str, lines: int) -> None:
        file, before = self.job.origins[at.piece] if at else ("", 0)
        number = before + at.number if at and at.number else 0
        problem = Problem(person, kind, file, number, message, lines)
        self.tables.add("problems", [problem])
        self._counts["problems"][kind] += 1
        if kind not in ("died", "patient-twice", "resource-twice"):
            self.found.first = self.found.first or problem

    def written(self) -> Decided:
        """Write the tables, then what came of the partition."""
        self._shared.close()
        for name, counts in self._counts.items():
            setattr(self.found, name, dict(sorted(counts.items())))
        asked = {"history": self.job.history} | dict.fromkeys(AUDIT, self.job.audit)
        names = [name for name in SCHEMAS if asked.get(name, True)]
        self.tables.write(self.job.out, part_name(self.found.partition), names)
        put(self.job.work / f"{part_name(self.found.partition)}.json",
            lambda path: path.write_text(json.dumps({name: getattr(self.found, name) for name in Decided.__slots__})))
        return self.found


class _BrokenLine(InputError):
    """A line of a patient that is no strict JSON."""

    def __init__(self, line: Framed, message: str) -> None:
        super().__init__(message)
        self.line = line


def _parsed(line: Framed) -> list[Json]:
    try:
        return [each for each in parsed(line.data, "the line" if line.number else "the file")
                if isinstance(each, dict)]
    except InputError as error:
        raise _BrokenLine(line, str(error)) from None


def _check_dropped(documents: Iterable[Json], plain: set[str], lines: Iterable[Framed]) -> None:
    """Raise OtherVersion where a resource that was dropped is a version of one that was kept for what it says."""
    dropped = {line.data.decode("utf-8", "replace") for line in lines if line.sort == DROPPED}
    if dropped and dropped & (names(documents) - plain):
        raise OtherVersion


def _claims(job: Task, groups: dict[str, list[Framed]]) -> dict[str, list[Framed]]:
    """Return the lines that name a patient of this partition by an identifier."""
    known: dict[tuple[str, str], set[str]] = {}
    for person, lines in groups.items():
        for system, value in _people(lines):
            known.setdefault((system, value), set()).add(person)
            known.setdefault(("", value), set()).add(person)
    found: dict[str, list[Framed]] = {}
    for line in framed_slowly(job.work, "identified"):
        pairs = {pair for value in _parsed(line) for pair in identifiers_of_subject(value)}
        for person in {person for pair in pairs for person in known.get(pair, ())}:
            found.setdefault(person, []).append(line._replace(key=person))
    return found


def _people(lines: Iterable[Framed]) -> set[tuple[str, str]]:
    """Return what identifies a patient; nothing where a line is no JSON, which is said later."""
    try:
        return people(value for line in lines if b'"Patient"' in line.data for value in _parsed(line))
    except InputError:
        return set()
