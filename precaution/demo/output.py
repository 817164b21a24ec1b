"""Writes a cohort to a folder: as NDJSON like a bulk export, with patients spread over files, or a Bundle for each.

Patients pass through in small groups, so that a million need no more memory than a thousand. Everything is written
beside the folder first, and takes its name when it is whole.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections import Counter
from contextlib import ExitStack
from random import Random
from typing import IO, TYPE_CHECKING, Literal, NamedTuple

from precaution.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from precaution.cases.lines import Resource
    from precaution.demo.generate import Generator, SyntheticPatient

OutputForm = Literal["ndjson", "bundles"]
TRUTH = "truth.ndjson"
RECORDS = "fhir"
_GROUP = 50
"""How many patients have their resources mixed with each other."""
_LINES = 500_000
"""How many resources a file has, more or less."""
_MOST_PARTS = 32
_IN_A_FOLDER = 1000


class CohortCounts(NamedTuple):
    """How much was written: patients, resources and files, and patients by stage, action, trap and disguise."""

    patients: int
    resources: int
    files: int
    stages: dict[str, int]
    actions: dict[str, int]
    traps: dict[str, int]
    disguises: dict[str, int]


class _Counts:
    """Counts the patients that are written."""

    def __init__(self) -> None:
        self.patients = self.resources = 0
        self.counts: dict[str, Counter[str]] = {name: Counter() for name in ("stage", "action", "traps", "disguises")}

    def add(self, patient: SyntheticPatient) -> None:
        self.patients += 1
        self.resources += len(patient.resources)
        for name, counter in self.counts.items():
            found = patient.truth.get(name, "none")
            counter.update(found if isinstance(found, list) else [str(found)])

    def written(self, files: int) -> CohortCounts:
        stages, actions, traps, disguises = (dict(sorted(each.items())) for each in self.counts.values())
        return CohortCounts(self.patients, self.resources, files, stages, actions, traps, disguises)


def write_cohort(
    generator: Generator,
    many: int,
    out: Path,
    *,
    form: OutputForm = "ndjson",
    compressed: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> CohortCounts:
    """Write `many` patients into the new folder `out`: records in `fhir/`, what must come of them in `truth.ndjson`.

    `progress` is called after each group with the number of patients done. Raises UsageError where `out` is not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there already; name a new folder")
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / RECORDS).mkdir(parents=True)
    try:
        written = _write_into(generator, many, partial, form, progress, compressed=compressed)
        if out.exists():
            out.rmdir()
        partial.rename(out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return written


def _write_into(
    generator: Generator,
    many: int,
    folder: Path,
    form: OutputForm,
    progress: Callable[[int], None],
    *,
    compressed: bool,
) -> CohortCounts:
    tally = _Counts()
    parts = max(2, min(_MOST_PARTS, -(-many * max(generator.entries, 1) // _LINES)))
    with ExitStack() as stack:
        truth = stack.enter_context((folder / TRUTH).open("w", encoding="utf-8", newline="\n"))
        sink: _BulkFiles | _BundleFiles = (
            _BulkFiles(folder / RECORDS, parts, stack, compressed=compressed)
            if form == "ndjson"
            else _BundleFiles(folder / RECORDS, compressed=compressed)
        )
        for group in _grouped(generator, many):
            for patient in group:
                truth.write(_line(patient.truth))
                tally.add(patient)
            sink.write(group)
            progress(tally.patients)
    return tally.written(sink.files + 1)


def _grouped(generator: Generator, many: int) -> Iterator[list[SyntheticPatient]]:
    for first in range(1, many + 1, _GROUP):
        yield [generator.patient(number) for number in range(first, min(first + _GROUP, many + 1))]


class _BulkFiles:
    """One or more NDJSON files for each resource type; a resource goes to any of them."""

    def __init__(self, folder: Path, parts: int, stack: ExitStack, *, compressed: bool) -> None:
        self._folder, self._parts, self._stack, self._compressed = folder, parts, stack, compressed
        self._open: dict[tuple[str, int], IO[bytes]] = {}

    @property
    def files(self) -> int:
        return len(self._open)

    def write(self, group: list[SyntheticPatient]) -> None:
        """Write the resources of some patients, mixed with each other."""
        rng = Random(group[0].ident)  # noqa: S311 - it only mixes
        resources = [resource for patient in group for resource in patient.resources]
        rng.shuffle(resources)
        for resource in resources:
            part = rng.randrange(self._parts)
            self._file(str(resource["resourceType"]), part).write(_line(resource).encode("utf-8"))

    def _file(self, kind: str, part: int) -> IO[bytes]:
        found = self._open.get((kind, part))
        if found is None:
            path = self._folder / f"{kind}.{part:03d}.ndjson{'.gz' if self._compressed else ''}"
            found = self._open[kind, part] = self._stack.enter_context(_opened(path, self._stack))
        return found


class _BundleFiles:
    """A file for each patient."""

    def __init__(self, folder: Path, *, compressed: bool) -> None:
        self._folder, self._compressed = folder, compressed
        self.files = 0

    def write(self, group: list[SyntheticPatient]) -> None:
        """Write some patients."""
        for patient in group:
            folder = self._folder / f"{self.files // _IN_A_FOLDER:04d}"
            folder.mkdir(exist_ok=True)
            with ExitStack() as stack:
                path = folder / f"{patient.ident}.json{'.gz' if self._compressed else ''}"
                stack.enter_context(_opened(path, stack)).write(_line(bundle(patient)).encode("utf-8"))
            self.files += 1


def bundle(patient: SyntheticPatient) -> Resource:
    """Return a patient as one Bundle."""
    entries = [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in patient.resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _opened(path: Path, stack: ExitStack) -> IO[bytes]:
    """Open a file to write; a compressed one holds neither name nor time: the same content is the same bytes."""
    raw = stack.enter_context(path.open("wb"))
    return gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) if path.suffix == ".gz" else raw  # type: ignore[return-value]


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
