"""The first pass over lines: every line goes, as it is, to the partition of its patient."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

from precaution.cohort.context import RunContext
from precaution.cohort.processes import watch
from precaution.cohort.sort.files import FilePiece, is_document, lines, path_of
from precaution.cohort.sort.irrelevant import Irrelevance
from precaution.cohort.sort.kept_people import KeptPeople
from precaution.cohort.sort.partition_files import (
    BROKEN,
    DELETED,
    DROPPED,
    IDENTIFIED,
    IRRELEVANT,
    PATIENT,
    REPORT,
    SHARED,
    FramedLine,
    PartitionWriter,
    partition_name,
)
from precaution.cohort.sort.routing import Router
from precaution.cohort.sort.sorted import OTHERS, OTHERS_PATIENT, PieceReport
from precaution.cohort.sort.templates import LineTemplates
from precaution.readers.manifests import manifest_of
from precaution.readers.resource_types import CLINICAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from precaution.cohort.label_source import LabelSource
    from precaution.cohort.sort.owner import Route

SIZE = 32 * 1024 * 1024
"""Bytes of the source for each partition."""
MOST = 512
"""Most partitions: what is held back for each of them must fit in memory."""
_ROLES = {"patient": PATIENT, "report": REPORT, "irrelevant": IRRELEVANT}


class LinesToSort(NamedTuple):
    """One piece of work of the first pass."""

    context: RunContext
    piece: FilePiece
    keep_all: bool
    """Whether to keep also the lines that only show that a list is kept."""
    kept_people: KeptPeople | None = None
    """Whose lines alone are kept; nothing where everybody's are."""


class LineSink(Protocol):
    """Takes the lines of a piece."""

    def write(self, name: str, line: FramedLine) -> None:
        """Take a line for the partition called `name`, or for the lines kept apart under that name."""


def partition_count(size: int) -> int:
    """Return how many partitions a source of `size` bytes is cut into."""
    return max(1, min(MOST, -(-size // SIZE)))


def sort_piece(task: LinesToSort) -> PieceReport:
    """Send the lines of a piece to their partitions on disk, and return what was found on the way."""
    out = PartitionWriter(task.context.work)
    report = sort_lines(task, out)
    out.flush()
    return report


def sort_lines(task: LinesToSort, out: LineSink) -> PieceReport:
    """Give the lines of a piece to `out`, each by the name of its partition, and return what was found on the way."""
    piece, path = task.piece, path_of(task.context.path, task.piece.file)
    report = PieceReport(piece.number, piece.file)
    irrelevance, templates = _learned(task.context.labels)
    router = Router(irrelevance, keep_all=task.keep_all, templates=templates)
    sending = _Sending(task.context.partitions, report, out)
    for block in lines(path, piece, document=is_document(piece.file), read=watch().step):
        report.lines = block.last
        if block.wrong:
            report.note("cut-short", block.first, block.wrong)
            report.lost_anything = True
        reports: dict[str, list[bytes]] = {}
        for number, route, data in _kept(router.routed(_of_kept(block.data, task, report), block.first), task, report):
            if route.to == "report" and number:
                reports.setdefault(route.key, []).append(data)
            else:
                sending.send(route, number, data)
        sending.send_together(router, reports, block.last)
    return report


def _of_kept(data: list[bytes], task: LinesToSort, report: PieceReport) -> list[bytes]:
    """Return lines with nothing in place of those that are surely of people who are not asked for."""
    if task.kept_people is None:
        return data
    others = task.kept_people.certainly_others
    kept = [b"" if others(line) else line for line in data]
    report.passed_over[OTHERS] += kept.count(b"") - data.count(b"")
    return kept


def _kept(
    routed: Iterable[tuple[int, Route, bytes]], task: LinesToSort, report: PieceReport
) -> Iterator[tuple[int, Route, bytes]]:
    """Yield the lines of people who are asked for, and those that are nobody's."""
    for number, route, data in routed:
        if task.kept_people is None or task.kept_people.wants(route):
            yield number, route, data
        else:
            report.passed_over[OTHERS_PATIENT if route.kind in ("Patient", "Bundle") else OTHERS] += 1


@lru_cache(maxsize=1)
def _learned(labels: tuple[LabelSource, ...]) -> tuple[Irrelevance, LineTemplates]:
    """Return what tells lines that say nothing, and the templates of lines; kept, for they remember what they met."""
    return Irrelevance(*(each.load().terminology for each in labels)), LineTemplates()


class _Sending:
    """Sends the lines of a piece along their routes, and counts them."""

    def __init__(self, partitions: int, report: PieceReport, out: LineSink) -> None:
        self._partitions, self._report, self._out = partitions, report, out

    def send(self, route: Route, number: int, data: bytes) -> None:
        """Send a line where it belongs, or note why it belongs nowhere."""
        report, to, kind = self._report, route.to, route.kind
        report.merges += route.merges
        if (role := _ROLES.get(to)) is not None:
            report.taken[kind] += 1
            if kind == "OperationOutcome":
                report.note("withheld", number, person=route.key)
            self._write(BROKEN if kind == "broken" else role, number, route.key, data)
        elif to in (SHARED, IDENTIFIED):
            report.taken[kind] += 1
            self._out.write(to, FramedLine(0, report.piece, number, route.key, data))
        elif to == DELETED:
            report.taken["deletions"] += 1
            self._out.write(to, FramedLine(0, report.piece, number, route.name, b""))
        elif to == "manifest":
            report.manifests.append(manifest_of(json.loads(data), report.file))
        elif to == "unread" and kind == "broken":
            report.note("unread-line", number)
        elif to == "unread":
            report.passed_over[f"{kind}: not looked at"] += 1
        elif to == "other":
            report.passed_over[f"{kind}: not about a patient"] += 1
        else:
            self._lose(route, number)

    def _write(self, role: int, number: int, key: str, data: bytes) -> None:
        self._out.write(partition_name(key, self._partitions), FramedLine(role, self._report.piece, number, key, data))

    def _lose(self, route: Route, number: int) -> None:
        """Note a line of which it can't be told whose it is."""
        if route.kind == "Patient":
            self._report.note("no-id", number)
            return
        kinds = {"broken": "unreadable-line", "message": "sender-error"}
        self._report.note(kinds.get(route.to, "nobody's"), number)
        if route.kind in CLINICAL and route.to == "nobody":
            self._report.lost_kinds.add(route.kind)
        else:
            self._report.lost_anything = True

    def send_together(self, router: Router, reports: dict[str, list[bytes]], number: int) -> None:
        """Send as one what several lines of a patient say: reports; and the names of dropped lines, for another
        version of them may be there."""
        together: list[tuple[int, str, str, bytes, int]] = []
        for kind, key, ids in router.dropped():
            of = f"{kind}/".encode()
            together.append((DROPPED, kind, key, of + (b"\n" + of).join(ids), len(ids)))
        together += ((REPORT, "DiagnosticReport", key, b"\n".join(data), len(data)) for key, data in reports.items())
        for role, kind, key, data, count in together:
            self._report.taken[kind] += count
            self._write(role, number, key, data)
