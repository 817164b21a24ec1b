"""The second pass, whatever the source: a partition's records decided one after the other, and what comes of them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from precaution.assessment import assess
from precaution.cohort.label_source import loaded
from precaution.cohort.problems import HARMLESS, Problem, kind_of, strict_error
from precaution.cohort.tables import AUDIT, SCHEMAS, TableRows, decision_rows, put
from precaution.measures import audit_rows
from precaution.tables.schema import person_row, rows_of
from precaution.timeline import timeline, treated_since
from precaution.writers.structured import fields_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from precaution.cohort.context import RunContext
    from precaution.cohort.processes import Processes
    from precaution.cohort.sort.sorted import Sorted
    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Label
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
    by_label: dict[str, int] = field(default_factory=dict[str, int])
    """Where there are several labels: decisions of each; keys are `label: action`."""
    ignored: dict[str, int] = field(default_factory=dict[str, int])
    unrecognised: dict[str, int] = field(default_factory=dict[str, int])
    """Keys are `system code: why`."""
    people_with: dict[str, int] = field(default_factory=dict[str, int])
    """For an audit: how many patients have an entry of each code list."""
    people_with_by_label: dict[str, int] = field(default_factory=dict[str, int])
    """The same of each label where there are several; keys are `label: code list`."""
    claimed: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """FilePiece and line of what named a patient of this partition by an identifier."""
    first: Problem | None = None
    """The first problem that is not harmless."""


def part_name(partition: int) -> str:
    """Return the name of a partition's files."""
    return f"part-{partition:04d}"


COUNTED = ("problems", "actions", "by_label", "ignored", "unrecognised", "people_with", "people_with_by_label")


class Partition:
    """One partition while it is decided; of each kind of source there is one that knows how to make records."""

    def __init__(self, context: RunContext, found: Sorted, number: int) -> None:
        """Begin partition `number`. `found`: what the first pass left."""
        self.context, self.found = context, found
        self.result, self.tables = Decided(number), TableRows()
        self.labels = loaded(context.labels)
        self._counts = {name: Counter[str]() for name in COUNTED}

    def decide(self, person: str, records: Sequence[Record | None], also: Iterable[str] = ()) -> None:
        """Add to the tables what the record of a person, as each label reads it, comes to.

        There is none where the source holds no record for that label. `also`: other ids of the same person. Raises
        PatientDied.
        """
        asked = [
            (label, record)
            for label, record in zip(self.labels, records, strict=True)
            if record is not None and self._asked_for((person, *also), record, label)
        ]
        if not asked:
            self.result.left_out += 1
            return
        for label, record in asked:
            self._add_record(person, record, label)
        if not self.context.tables.isdisjoint(AUDIT):
            found = {name for _, record in asked for name in record.entries if record.entries[name]}
            self._counts["people_with"].update(found)
            if len(self.labels) > 1:
                names = {
                    f"{label.name}: {name}"
                    for label, record in asked
                    for name in record.entries
                    if record.entries[name]
                }
                self._counts["people_with_by_label"].update(names)
        self._count([self._decided((person, *also), record, label) for label, record in asked])

    def _asked_for(self, names: Iterable[str], record: Record, label: Label) -> bool:
        today, who = self.context.today.toordinal(), self.context.who
        return any(who.includes(name, record, label, today) for name in names)

    def _add_record(self, person: str, record: Record, label: Label) -> None:
        """Add the record itself to the tables that are asked for, and what an audit needs of it: of the dead too."""
        if "entries" in self.context.tables:
            self.tables.add("entries", rows_of(person, record, label.name))
            self.tables.add("persons", [person_row(person, record, label.name)])
        if not self.context.tables.isdisjoint(AUDIT):
            self.tables.add_all(audit_rows(person, record, label, self.context.today.toordinal()), label.name)

    def _decided(self, names: Sequence[str], record: Record, label: Label) -> Decision:
        """Return the decision on a person, who has these ids, by a label, and add its rows."""
        answers = self.context.answers
        if answers is not None:
            record = answers.heeded(names, record, label, self.context.today.toordinal())
        decision = assess(record, today=self.context.today, label=label)
        if answers is not None:
            decision = answers.finished(names, decision, label)
        since = treated_since(record, label) if "history" in self.context.tables else None
        changes = timeline(record, label, self.context.today.toordinal(), since) if since is not None else []
        self.tables.add_all(decision_rows(names[0], decision, changes, label), label.name)
        return decision

    def _count(self, decisions: Sequence[Decision]) -> None:
        """Count one person: what is ignored, or not recognised, once for all labels."""
        self.result.decided += 1
        self._counts["actions"].update(each.action for each in decisions)
        self._counts["ignored"].update(one.why for one in {one for each in decisions for one in each.ignored})
        codes = {one for each in decisions for one in each.unrecognised}
        self._counts["unrecognised"].update(f"{one.system} {one.code}: {one.why}" for one in codes)
        if len(self.labels) > 1:
            for each in decisions:
                self._counts["by_label"][f"{each.label}: {each.action}"] += 1

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
