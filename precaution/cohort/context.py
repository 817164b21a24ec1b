"""What a run was asked for: one object for every kind of source, given to each process and each machine."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from precaution.cohort.label_source import LabelSource
from precaution.cohort.who import EVERYBODY, Who

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Label
    from precaution.values.record import Record

LostLines = Literal["everybody", "nobody"]
"""Whose a line may be of which that can't be told: by default everybody's, and nobody's only where a site says so."""
WORK = ".work"
"""The folder, inside that of the results, for what is kept between the two passes."""


class SourceFile(NamedTuple):
    """A file of the source, or a table of a database."""

    name: str
    """Its path inside the source."""
    size: int
    changed: int
    """Its time of modification, in nanoseconds; 0 for a table of a database."""


class ClinicianAnswers(Protocol):
    """What clinicians have answered, wherever it is kept; each process of a run gets it."""

    @property
    def state(self) -> str:
        """Which answers there are: a run is gone on with only while they are the same."""
        ...

    def heeded(self, names: Iterable[str], record: Record, label: Label, today: int) -> Record:
        """Return a patient's record with the answers that count. `names`: the ids of that patient."""
        ...

    def finished(self, names: Iterable[str], decision: Decision, label: Label) -> Decision:
        """Return the decision on a record of `heeded` with what was promised and not done."""
        ...


class RunContext(NamedTuple):
    """Everything a run was asked for."""

    source: Path | str
    """A path, or the URL of a database."""
    out: Path
    labels: tuple[LabelSource, ...]
    """The labels by which patients are decided: each decides all who are asked for by it."""
    today: date
    files: tuple[SourceFile, ...]
    partitions: int
    workers: int
    tables: frozenset[str]
    """The names of the tables to write, see `precaution.cohort.tables`."""
    limit: int = 0
    """Most patients to decide; 0 for all."""
    strict: bool = False
    lost_lines: LostLines = "everybody"
    who: Who = EVERYBODY
    """Who is decided."""
    answers: ClinicianAnswers | None = None
    """What clinicians have answered; None where only the records are heeded."""

    @property
    def work(self) -> Path:
        """Where what is between the passes is kept."""
        return self.out / WORK

    @property
    def path(self) -> Path:
        """The source, where it is a path."""
        return Path(self.source)

    def for_task(self) -> RunContext:
        """Return what one task of many needs: the files are left out, of which there may be very many."""
        return self._replace(files=())
