"""`precaution assess --store`: the same decision as the service's, with what it keeps of the patient."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from precaution.cli import options
from precaution.errors import UsageError

if TYPE_CHECKING:
    from datetime import date

    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Label
    from precaution.service.store import Store


def decided_with_store(
    label: Label,
    patient: str,
    today: date | None,
    stage: str | None,
    answers: tuple[str, ...],
    *,
    everything: bool,
    url: str,
    server: str | None,
) -> Decision:
    """Return the decision on the patient with what the store at `url` keeps of them, under `server` or the only one.

    Raises StoreError where the store can't be read: without its answers a decision could be too mild.
    """
    from precaution.service.clinician_answers import assess_kept
    from precaution.service.store import Store

    day, (name, record) = options.chosen_day(today), options.chosen_patient(patient, label)
    if not name:
        raise UsageError("--store: the Patient has no id, by which to find what is kept")
    with closing(Store(url)) as store:
        store.open(make=False)
        kept = store.kept(server or _only_server(store, name), name, day.isoformat())
    return assess_kept(record, label, day, kept, stage=stage, answers=answers, everything=everything)


def _only_server(store: Store, patient: str) -> str:
    servers = store.servers(patient)
    if len(servers) > 1:
        raise UsageError(
            "--store: patients of this id are kept for several servers; name one with --server: " + ", ".join(servers)
        )
    return servers[0] if servers else ""
