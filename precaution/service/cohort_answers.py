"""The store's answers for a cohort: each patient is decided as by `assess --store`, by cards and on pages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from precaution.errors import UsageError
from precaution.service.clinician_answers import facts_with_answers, finished
from precaution.service.store import Kept, Store

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Label
    from precaution.values.record import Record


@dataclass(frozen=True, slots=True)
class CohortAnswers:
    """What a store keeps of the patients of one server, for each process of a run: it names the store."""

    url: str
    server: str
    state: str
    """Which answers there are: a run is gone on with only while they are the same."""
    today: str

    def heeded(self, names: Iterable[str], record: Record, label: Label, today: int) -> Record:
        """Return a patient's record with the kept answers that count. `names`: the ids of that patient.

        Raises StoreError where they can't be read: without them a decision could be too mild.
        """
        kept = self._kept(names)
        return facts_with_answers(record, kept, label, today).chart.record if kept.answers else record

    def finished(self, names: Iterable[str], decision: Decision, label: Label) -> Decision:
        """Return the decision on a record of `heeded` with what was promised and not done. Raises StoreError."""
        kept = self._kept(names)
        return finished(decision, kept, label) if kept.promises else decision

    def _kept(self, names: Iterable[str]) -> Kept:
        """Return what is kept of a patient under any of the ids."""
        every = Kept()
        store, known = _opened(self.url, self.server, self.state)
        for name in names:
            if name in known:
                found = store.kept(self.server, name, self.today)
                every = replace(every, answers=every.answers + found.answers, promises=every.promises + found.promises)
        return every


def cohort_answers(url: str, server: str | None, today: date) -> CohortAnswers:
    """Return what the store at `url` keeps of the patients of a server, or of the only one there.

    Raises UsageError where there are several and none is named; StoreError where the store can't be read.
    """
    store = Store(url).open(make=False)
    try:
        servers = store.every_server() if server is None else [server]
        if len(servers) > 1:
            raise UsageError("--store keeps patients of several servers; name one with --server: " + ", ".join(servers))
        return CohortAnswers(url, servers[0] if servers else "", store.answers_state(), today.isoformat())
    finally:
        store.close()


@lru_cache(maxsize=1)
def _opened(url: str, server: str, state: str) -> tuple[Store, frozenset[str]]:  # noqa: ARG001  # one for each state
    """Return the store, opened once in each process, and the patients of whom it keeps anything that counts."""
    store = Store(url).open(make=False)
    return store, store.patients(server)
