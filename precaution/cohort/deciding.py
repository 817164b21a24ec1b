"""The second pass, whatever the source: a partition's records decided one after the other, and what comes of them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from precaution.assessment import assess
from precaution.cohort.problems import HARMLESS, Problem, kind_of, strict_error
from precaution.cohort.tables import AUDIT, SCHEMAS, TableRows, decision_rows, put
from precaution.measures import audit_rows
from precaution.tables.schema import person_row, rows_of
from precaution.timeline import timeline, treated_since
from precaution.writers.structured import fields_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from precaution.cohort.context import RunContext
    from precaution.cohort.processes import Processes
    from precaution.cohort.sort.sorted import Sorted
    from precaution.engine.answer import Decision
    from precaution.values.record import Record

    PartitionTask = tuple[RunContext, Sorted, int]
    """What a run was asked for, what the first pass left, and the number of a partition."""
    DecidePartition = Callable[[PartitionTask], "Decided"]


@dataclass(slots=True)
class Decided:
    """What came of a partition; kept as JSON beside the tables, so that a rerun need not do it again."""

    partition: int
    people: int = 0
    decided: int = 0
    left_out: int = 0
    """How many of them are not asked for."""
    died: int = 0
    failed: int = 0
    problems: dict[str, int] = field(default_factory=dict[str, int])
    actions: dict[str, int] = field(default_factory=dict[str, int])
    ignored: dict[str, int] = field(default_factory=dict[str, int])
    unrecognised: dict[str, int] = field(default_factory=dict[str, int])
    """Keys are `system code: why`."""
    people_with: dict[str, int] = field(default_factory=dict[str, int])
    """For an audit: how many patients have an entry of each code list."""
    claimed: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """FilePiece and line of what named a patient of this partition by an identifier."""
    first: Problem | None = None
    """The first problem that is not harmless."""


def part_name(partition: int) -> str:
    """Return the name of a partition's files."""
    return f"part-{partition:04d}"


COUNTED = ("problems", "actions", "ignored", "unrecognised", "people_with")


class Partition:
    """One partition while it is decided; of each kind of source there is one that knows how to make records."""

    def __init__(self, context: RunContext, found: Sorted, number: int) -> None:
        """Begin partition `number`. `found`: what the first pass left."""
        self.context, self.found = context, found
        self.result, self.tables = Decided(number), TableRows()
        self.label = context.label.load()
        self._counts = {name: Counter[str]() for name in COUNTED}

    def decide(self, person: str, record: Record, also: Iterable[str] = ()) -> None:
        """Add what a record comes to to the tables; `also`: other ids of the same person. Raises PatientDied."""
        today, who = self.context.today.toordinal(), self.context.who
        if not any(who.includes(name, record, self.label, today) for name in (person, *also)):
            self.result.left_out += 1
            return
        if "entries" in self.context.tables:
            self.tables.add("entries", rows_of(person, record))
            self.tables.add("persons", [person_row(person, record)])
        if not self.context.tables.isdisjoint(AUDIT):  # of the dead too
            self._counts["people_with"].update(name for name, entries in record.entries.items() if entries)
            self.tables.add_all(audit_rows(person, record, self.label, today))
        names, answers = (person, *also), self.context.answers
        if answers is not None:
            record = answers.heeded(names, record, self.label, today)
        decision = assess(record, today=self.context.today, label=self.label)
        if answers is not None:
            decision = answers.finished(names, decision, self.label)
        since = treated_since(record, self.label) if "history" in self.context.tables else None
        changes = timeline(record, self.label, today, since) if since is not None else []
        self.tables.add_all(decision_rows(person, decision, changes, self.label))
        self._count(decision)

    def _count(self, decision: Decision) -> None:
        self.result.decided += 1
        self._counts["actions"][decision.action] += 1
        self._counts["ignored"].update(each.why for each in decision.ignored)
        self._counts["unrecognised"].update(f"{each.system} {each.code}: {each.why}" for each in decision.unrecognised)

    def count_failure(self, error: Exception) -> str:
        """Count a patient who could not be decided, and return the kind of problem."""
        kind = kind_of(error)
        self.result.died += kind == "died"
        self.result.failed += kind != "died"
        return kind

    def note(self, problem: Problem) -> None:
        """Note what went wrong."""
        self.tables.add("problems", [problem])
        self._counts["problems"][problem.kind] += 1
        if problem.kind not in HARMLESS:
            self.result.first = self.result.first or problem

    def written(self) -> Decided:
        """Write the tables, then what came of the partition. Raises OutputError."""
        out, work, name = self.context.out, self.context.work, part_name(self.result.partition)
        for counted, counts in self._counts.items():
            setattr(self.result, counted, dict(sorted(counts.items())))
        self.tables.write(out, name, [table for table in SCHEMAS if table in self.context.tables], work)
        text = json.dumps(fields_of(self.result))
        put(work / f"{name}.json", lambda path: path.write_text(text))
        return self.result


def decided_before(work: Path, number: int) -> Decided | None:
    """Return what came of a partition; nothing where it is not decided."""
    path = work / f"{part_name(number)}.json"
    if not path.exists():
        return None
    fields = json.loads(path.read_text(encoding="utf-8"))
    fields["claimed"] = [(piece, line) for piece, line in fields["claimed"]]
    fields["first"] = Problem(*fields["first"]) if fields["first"] else None
    return Decided(**fields)


def check_strict(context: RunContext, part: Decided) -> None:
    """Raise InputError for the first problem of a partition, if `strict`."""
    if context.strict and part.first is not None:
        raise strict_error(part.first)


def decide_all(context: RunContext, found: Sorted, processes: Processes, decide: DecidePartition) -> list[Decided]:
    """Return what came of all partitions by `decide`, or of the first as far as a limit goes; nothing is done twice."""
    every = range(context.partitions)
    done = {number: part for number in every if (part := decided_before(context.work, number)) is not None}
    task = context.for_task(), found.for_task()
    if context.limit:
        return _decide_some(context, task, processes, decide, done)
    for part in processes.run(decide, [(*task, number) for number in every if number not in done]):
        check_strict(context, part)
        done[part.partition] = part
    return [done[number] for number in sorted(done)]


def _decide_some(
    context: RunContext,
    task: tuple[RunContext, Sorted],
    processes: Processes,
    decide: DecidePartition,
    done: dict[int, Decided],
) -> list[Decided]:
    """Decide the first patients by the hash of their id, one partition after the other."""
    parts: list[Decided] = []
    for number in range(context.partitions):
        left = context.limit - sum(part.people for part in parts)
        if left < 1:
            break
        part = done.get(number) or _only(processes, decide, (task[0]._replace(limit=left), task[1], number))
        check_strict(context, part)
        parts.append(part)
    return parts


def _only(processes: Processes, decide: DecidePartition, task: PartitionTask) -> Decided:
    (result,) = processes.run(decide, [task])
    return result
