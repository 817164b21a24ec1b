"""What the first pass leaves beside the sorted lines or rows: counts, problems, and what was lost."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from precaution.cohort.problems import KINDS, Problem
from precaution.cohort.sort.manifests import ANYTHING
from precaution.cohort.tables import put
from precaution.readers.manifests import Manifest, manifest_from_json
from precaution.readers.merges import Replacement
from precaution.writers.structured import fields_of

if TYPE_CHECKING:
    from pathlib import Path

SHOWN = 100
"""Most problems of one piece, or of all rows, that are listed one by one."""
FILE = "sorted.json"
OTHERS = "of people who are not asked for"
"""The reason why lines were passed over that are somebody's of whom nothing is asked."""
OTHERS_PATIENT = f"Patient: {OTHERS}"


@dataclass(slots=True)
class PieceReport:
    """What was found in one piece of a file."""

    piece: int
    file: str
    lines: int = 0
    taken: Counter[str] = field(default_factory=Counter[str])
    """Lines by resource type."""
    passed_over: Counter[str] = field(default_factory=Counter[str])
    """Lines that can't change an answer, by reason."""
    problems: list[Problem] = field(default_factory=list[Problem])
    """Their lines are counted within the piece."""
    lost_kinds: set[str] = field(default_factory=set[str])
    """Types of resources of which it can't be told whose they are."""
    lost_anything: bool = False
    merges: list[Replacement] = field(default_factory=list[Replacement])
    """Which Patients replace which."""
    manifests: list[Manifest] = field(default_factory=list[Manifest])
    """What the manifests of an export say."""

    def note(self, kind: str, line: int, message: str = "", person: str = "") -> None:
        """Add a problem; beyond a number of them only their count."""
        if len(self.problems) < SHOWN:
            self.problems.append(Problem(person, kind, self.file, line, message or KINDS[kind]))
        elif len(self.problems) == SHOWN:
            self.problems.append(Problem("", kind, self.file, 0, "more of this or another kind; not listed one by one"))
        else:
            self.problems[-1] = self.problems[-1]._replace(lines=self.problems[-1].lines + 1)


@dataclass(slots=True)
class Sorted:
    """What the first pass leaves of a whole source, whatever kind of source it is."""

    patients: int = 0
    """How many there are; of lines about how many."""
    taken: Counter[str] = field(default_factory=Counter[str])
    """Lines by resource type, or rows by kind of entry."""
    passed_over: Counter[str] = field(default_factory=Counter[str])
    """Lines that can't change an answer, by reason."""
    problems: list[Problem] = field(default_factory=list[Problem])
    """Those that concern no patient in particular."""
    lost_kinds: set[str] = field(default_factory=set[str])
    """Types of resources, or kinds of entries, of which it can't be told whose they are: no list of them is
    complete."""
    lost_anything: bool = False
    """Whether lines were lost that may have been of any type."""
    origins: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    """For each piece of a file of lines the file's name, and how many lines of it stand before the piece."""
    merged: dict[str, str] = field(default_factory=dict[str, str])
    """For the id of a Patient that is merged with others the id under which the person is decided."""
    report: dict[str, object] = field(default_factory=dict[str, object])
    """What else is to stand in the report on data quality."""

    def for_task(self) -> Sorted:
        """Return what the tasks of the second pass need: the problems are left out, of which there may be many."""
        return replace(self, problems=[])

    def without_losses(self) -> Sorted:
        """Return it as if nothing had been lost that may be anybody's."""
        return replace(self, lost_kinds=set(), lost_anything=False)

    def save(self, work: Path) -> None:
        """Keep it in the folder of work: from now on the first pass is done. Raises OutputError."""
        put(work / FILE, lambda path: path.write_text(as_json(self), encoding="utf-8"))


def types_of(report: PieceReport) -> frozenset[str]:
    """Return the types of the resources that were found in a piece."""
    found = {*report.taken, *(why.partition(":")[0] for why in report.passed_over)}
    told = {problem.kind for problem in report.problems}
    more = {"OperationOutcome"} if "sender-error" in told else set[str]()
    others = {ANYTHING} if report.passed_over[OTHERS] or report.passed_over[OTHERS_PATIENT] else set[str]()
    return frozenset(found | more | others | ({"Bundle"} if "deletions" in found else set()))


def sorted_before(work: Path) -> Sorted | None:
    """Return what an interrupted run left of its first pass, if it came to the end of it."""
    path = work / FILE
    return sorted_from_json(path.read_text(encoding="utf-8")) if path.exists() else None


def as_json(report: PieceReport | Sorted | list[PieceReport]) -> str:
    """Return what was found as JSON."""
    fields = [fields_of(each) for each in report] if isinstance(report, list) else fields_of(report)
    return json.dumps(fields, default=sorted)  # of sets


def sorted_from_json(text: str) -> Sorted:
    """Return what `as_json` wrote of a source."""
    fields = json.loads(text)
    return Sorted(**{**fields, **_objects(fields), "origins": [(name, before) for name, before in fields["origins"]]})


def pieces_from_json(text: str) -> list[PieceReport]:
    """Return what `as_json` wrote of pieces."""
    return [
        PieceReport(
            **{
                **fields,
                **_objects(fields),
                "merges": [Replacement(*each) for each in fields["merges"]],
                "manifests": [manifest_from_json(each) for each in fields["manifests"]],
            }
        )
        for fields in json.loads(text)
    ]


def _objects(fields: dict[str, list[list[object]]]) -> dict[str, object]:
    return {
        "taken": Counter(fields["taken"]),
        "passed_over": Counter(fields["passed_over"]),
        "problems": [Problem(*each) for each in fields["problems"]],  # type: ignore[arg-type]
        "lost_kinds": set(map(str, fields["lost_kinds"])),
    }
