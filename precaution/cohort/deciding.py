"""The second pass: each partition's patients, one after the other, by the reader and the rules of a single patient."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from precaution.assessment import assess
from precaution.cohort.claims import Claims
from precaution.cohort.label_of import LabelOf
from precaution.cohort.problems import HARMLESS, KINDS, Problem, kind_of, message_of
from precaution.cohort.processes import watch
from precaution.cohort.shared import Shared
from precaution.cohort.sort.lines import BROKEN, DROPPED, PLAIN, REPORT, framed, hash_of
from precaution.cohort.sort.owner import lost
from precaution.cohort.tables import AUDIT, SCHEMAS, Tables, put, rows_of
from precaution.errors import InputError, PrecautionError
from precaution.knowledge.loading import load_label
from precaution.measures import audit_rows
from precaution.readers import read_resources
from precaution.readers.bundle_queries import names, people, repeated, undated
from precaution.readers.json_input import parsed, parsed_again
from precaution.tables.schema import person_row
from precaution.tables.schema import rows_of as entries_of
from precaution.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from precaution.cohort.sort.lines import Framed
    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Label
    from precaution.readers.json_access import Json
    from precaution.values.record import Record


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
    entries: bool = False
    """Whether to write the records too, as `entries` and `persons`."""
    audit: bool = False
    """Whether to write what the audit needs."""


class Wanted(Protocol):
    """What any sort of work on a partition is told of the results: see Task."""

    @property
    def work(self) -> Path: ...  # noqa: D102
    @property
    def out(self) -> Path: ...  # noqa: D102
    @property
    def label(self) -> LabelOf: ...  # noqa: D102
    @property
    def today(self) -> date: ...  # noqa: D102
    @property
    def history(self) -> bool: ...  # noqa: D102
    @property
    def entries(self) -> bool: ...  # noqa: D102
    @property
    def audit(self) -> bool: ...  # noqa: D102


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
    part = Part(job, number)
    for person in sorted(groups, key=lambda key: (hash_of(key), key)):
        if job.limit and part.found.people >= job.limit:
            break
        part.patient(person, groups.pop(person))
    return part.written()


class Deciding:
    """One partition's results in the making, whatever the source."""

    def __init__(self, job: Wanted, number: int) -> None:
        """Begin the results of partition `number`."""
        self.wanted, self.found, self.tables = job, Decided(number), Tables()
        self.label: Label = load_label(job.label.folder, policy=job.label.policy, codes=job.label.codes)
        self._counts = {name: Counter[str]() for name in ("problems", "actions", "ignored", "unrecognised")}

    def decide(self, person: str, record: Record) -> None:
        """Add what a record comes to to the tables. Raises PatientDied."""
        if self.wanted.entries:
            self.tables.add("entries", entries_of(person, record))
            self.tables.add("persons", [person_row(person, record)])
        if self.wanted.audit:  # of the dead too
            for table, rows in audit_rows(person, record, self.label, self.wanted.today.toordinal()).items():
                self.tables.add(table, rows)
        decision = assess(record, today=self.wanted.today, label=self.label)
        changes = timeline(record, self.label, self.wanted.today.toordinal()) if self.wanted.history else []
        for table, rows in rows_of(person, decision, changes, self.label).items():
            self.tables.add(table, rows)
        self._count(decision)

    def _count(self, decision: Decision) -> None:
        self.found.decided += 1
        self._counts["actions"][decision.action] += 1
        self._counts["ignored"].update(each.why for each in decision.ignored)
        self._counts["unrecognised"].update(f"{each.system} {each.code}: {each.why}" for each in decision.unrecognised)

    def failed(self, error: Exception) -> str:
        """Count a patient who could not be decided, and return the kind of problem."""
        kind = kind_of(error)
        self.found.died += kind == "died"
        self.found.failed += kind != "died"
        return kind

    def note(self, problem: Problem) -> None:
        """Note what went wrong."""
        self.tables.add("problems", [problem])
        self._counts["problems"][problem.kind] += 1
        if problem.kind not in HARMLESS:
            self.found.first = self.found.first or problem

    def written(self) -> Decided:
        """Write the tables, then what came of the partition."""
        for name, counts in self._counts.items():
            setattr(self.found, name, dict(sorted(counts.items())))
        asked = {"history": self.wanted.history, "entries": self.wanted.entries, "persons": self.wanted.entries}
        asked |= dict.fromkeys(AUDIT, self.wanted.audit)
        self.tables.write(
            self.wanted.out,
            part_name(self.found.partition),
            [name for name in SCHEMAS if asked.get(name, True)],
            self.wanted.work,
        )
        put(
            self.wanted.work / f"{part_name(self.found.partition)}.json",
            lambda path: path.write_text(json.dumps({name: getattr(self.found, name) for name in Decided.__slots__})),
        )
        return self.found


class Part(Deciding):
    """One partition of FHIR: it is given patient after patient, each with all lines of that one."""

    def __init__(self, job: Task, number: int) -> None:
        """Begin the results of partition `number`."""
        super().__init__(job, number)
        self.job = job
        self._shared = Shared(job.work)
        self._claims = Claims(job.work) if job.identified else None
        self._claimed: set[tuple[int, int]] = set()
        self._lost = lost(job.lost_kinds, anything=job.lost_anything)

    def patient(self, person: str, lines: Sequence[Framed]) -> None:
        """Decide one patient from lines in any order; what goes wrong with that one is noted. Raises OtherVersion."""
        watch().step(1)
        self.found.people += 1
        every = sorted([*lines, *self._claimed_by(person, lines)], key=lambda line: (line.piece, line.number))
        try:
            self.decide(person, self._record(person, every))
        except OtherVersion:
            raise
        except Exception as error:
            if isinstance(error, PrecautionError) and not isinstance(error, InputError):
                raise
            self._failed(person, every, error)

    def _claimed_by(self, person: str, lines: Iterable[Framed]) -> list[Framed]:
        """Return the lines that name this patient by an identifier."""
        if self._claims is None:
            return []
        found = self._claims.of(person, _people(lines))
        self._claimed.update((line.piece, line.number) for line in found)
        return found

    def _record(self, person: str, lines: Sequence[Framed]) -> Record:
        documents = self._documents(person, lines)
        everything = [*documents, *self._shared.behind(documents), *self._lost]
        return read_resources(everything, self.label.terminology, self.label.asks, self.wanted.today.toordinal())  # type: ignore[arg-type]

    def _documents(self, person: str, lines: Sequence[Framed]) -> list[Json]:
        """Return a patient's resources. Raises _BrokenLine, NoPatient; OtherVersion."""
        documents: list[Json] = []
        telling: list[Json] = []
        for line in lines:
            if line.sort not in (REPORT, DROPPED):
                found = _parsed(line)
                documents += found
                if line.sort != PLAIN:
                    telling += found
        _check_dropped(telling, lines)
        self._note_twice(person, documents, lines)
        if undated(documents):
            for line in lines:
                if line.sort == REPORT:
                    documents.extend(_parsed(line))
        return documents

    def _failed(self, person: str, lines: Sequence[Framed], error: Exception) -> None:
        kind = self.failed(error)
        at = error.line if isinstance(error, _BrokenLine) else lines[0] if lines else None
        count = sum(1 + line.data.count(b"\n") * (line.number > 0) for line in lines)
        self._note(person, kind, at, KINDS[kind] if kind == "no-patient" else message_of(error), count)

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
        self.note(Problem(person, kind, file, number, message, lines))

    def written(self) -> Decided:
        """Write the tables, then what came of the partition."""
        self._shared.close()
        if self._claims is not None:
            self._claims.close()
        self.found.claimed = sorted(self._claimed)
        return super().written()


class _BrokenLine(InputError):
    """A line of a patient that is no strict JSON."""

    def __init__(self, line: Framed, message: str) -> None:
        super().__init__(message)
        self.line = line


def _parsed(line: Framed) -> list[Json]:
    read = parsed if line.sort == BROKEN else parsed_again
    try:
        return [each for each in read(line.data, "the line" if line.number else "the file") if isinstance(each, dict)]
    except InputError as error:
        raise _BrokenLine(line, str(error)) from None


def _check_dropped(telling: Iterable[Json], lines: Iterable[Framed]) -> None:
    """Raise OtherVersion where a resource that was dropped is a version of one that was kept for what it says."""
    dropped = [line.data for line in lines if line.sort == DROPPED]
    told = {name.encode("utf-8", "replace") for name in names(telling)} if dropped else set[bytes]()
    if not told.isdisjoint(b"\n".join(dropped).split(b"\n")):
        raise OtherVersion


def _people(lines: Iterable[Framed]) -> set[tuple[str, str]]:
    """Return what identifies a patient; nothing where a line is no JSON, which is said later."""
    try:
        return people(value for line in lines if b'"Patient"' in line.data for value in _parsed(line))
    except InputError:
        return set()
