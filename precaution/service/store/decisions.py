"""What the pages of decisions show: kept while a link leads to it, and no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from precaution.service.store.kept import KeptDecision
from precaution.service.store.prepared import Prepared
from precaution.service.store.tables import decisions
from precaution.service.store.texts import server_of, storable

if TYPE_CHECKING:
    from sqlalchemy import Connection

_KEEP = Prepared(lambda _: insert(decisions))


def row_of(decision: KeptDecision) -> dict[str, str]:
    """Return what a page shows as a row."""
    plain = {name: storable(getattr(decision, name)) for name in ("uuid", "client", "patient", "content", "expires_at")}
    return {**plain, "server": server_of(decision.server)}


def keep(connection: Connection, row: dict[str, str]) -> None:
    """Keep what a page shows."""
    _KEEP.many(connection, [row])


def find(connection: Connection, uuid: str, now: str) -> KeptDecision | None:
    """Return what a page shows; None where there is none, or its time is over."""
    query = select(decisions).where(decisions.c.uuid == storable(uuid), decisions.c.expires_at > now)
    row = connection.execute(query).first()
    return KeptDecision(**row._mapping) if row is not None else None


def sweep(connection: Connection, now: str) -> int:
    """Delete those whose time is over, and return how many."""
    return connection.execute(decisions.delete().where(decisions.c.expires_at <= now)).rowcount
