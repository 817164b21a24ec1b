"""The audit trail: events in a chain of hashes, so that an edit, a deletion or another order is found.

A link has a number, a moment, the hash of the link before, the digest of what happened, and a hash of these four. What
happened stands apart, so that it can be deleted when the time to keep it is over, and the chain stays whole. The whole
chain made anew, or its end cut off, shows only beside a head that was exported before and is kept elsewhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, select

from precaution.service.store.canonical import canonical, digest, storable
from precaution.service.store.statements import SqlStatement
from precaution.service.store.tables import audit, audit_details, audit_purges
from precaution.writers.structured import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection

    from precaution.service.store.model import TrailEvent

FIRST = "0" * 64
"""What the first link has in place of a link before."""
_HEAD = SqlStatement(lambda _: select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1))
_LINK, _DETAILS = SqlStatement(lambda _: audit.insert()), SqlStatement(lambda _: audit_details.insert())
_MOST = 20
"""Problems that are listed; the rest are counted."""


class Head(NamedTuple):
    """The last link of a chain."""

    seq: int
    hash: str


NONE = Head(0, FIRST)
"""The head of an empty chain."""


class TrailLink(NamedTuple):
    """An event of the trail with its place."""

    seq: int
    at: str
    hash: str
    event: dict[str, Any] | None
    """None where its time to be kept was over."""


@dataclass(slots=True)
class Report:
    """What was found of a trail."""

    links: int = 0
    purged: int = 0
    """Links whose details are gone because their time was over."""
    head: Head = NONE
    problems: list[str] = field(default_factory=list[str])
    more: int = 0
    """Problems beyond those listed."""

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.problems

    def add(self, problem: str) -> None:
        """Note a problem."""
        if len(self.problems) < _MOST:
            self.problems.append(problem)
        else:
            self.more += 1


class TrailPayload(NamedTuple):
    """An event as the trail holds it, before it has its place there."""

    payload: str
    digest: str


def payloads_of(events: Iterable[TrailEvent]) -> list[TrailPayload]:
    """Return events as the trail holds them: all of it that needs no transaction."""
    payloads = [canonical(as_dict(event)) for event in events]
    return [TrailPayload(payload, digest(payload)) for payload in payloads]


def append(connection: Connection, at: str, events: Iterable[TrailEvent]) -> Head:
    """Add events to the trail, within a transaction that no other writer shares, and return its new head."""
    return link_up(connection, at, payloads_of(events))


def link_up(connection: Connection, at: str, said: Iterable[TrailPayload]) -> Head:
    """Do the same as `append` with what `payloads_of` made of the events."""
    last = head(connection)
    links, details = [], []
    for payload, digested in said:
        link = {"seq": last.seq + 1, "at": at, "previous": last.hash, "digest": digested}
        last = Head(last.seq + 1, link_hash(link))
        links.append({**link, "hash": last.hash})
        details.append({"seq": last.seq, "payload": payload})
    _LINK.many(connection, links)
    _DETAILS.many(connection, details)
    return last


def head(connection: Connection) -> Head:
    """Return the last link, or number 0 where there is none."""
    found = _HEAD.rows(connection)
    return Head(*found[0]) if found else NONE


def as_dict(event: TrailEvent) -> dict[str, Any]:
    """Return an event as it is kept: without what is empty."""
    plain = fields_of(event)
    about = dict(plain.pop("about") or {})
    return {
        **{name: storable(value) for name, value in plain.items() if value},
        **({"about": json.loads(storable(canonical(about)))} if about else {}),
    }


def link_hash(link: dict[str, Any]) -> str:
    """Return the hash of a link, over its number, moment, the hash before, and the digest of what happened."""
    return digest(canonical([link["seq"], link["at"], link["previous"], link["digest"]]))


def links(connection: Connection, *, after: int = 0) -> Iterator[TrailLink]:
    """Yield the events of the trail in order."""
    query = select(audit, audit_details.c.payload).outerjoin(audit_details, audit.c.seq == audit_details.c.seq)
    rows = connection.execution_options(yield_per=1000).execute(query.where(audit.c.seq > after).order_by(audit.c.seq))
    for row in rows:
        yield TrailLink(row.seq, row.at, row.hash, json.loads(row.payload) if row.payload is not None else None)


def verify(connection: Connection, exported: Head | None = None) -> Report:
    """Look through the whole trail. `exported`: a head that was exported before, which must still be a link of it."""
    report, purged_to = Report(), _purged_to(connection)
    query = select(audit, audit_details.c.payload).outerjoin(audit_details, audit.c.seq == audit_details.c.seq)
    for row in connection.execution_options(yield_per=1000).execute(query.order_by(audit.c.seq)):
        report.links += 1
        _check_link(dict(row._mapping), report)
        if row.payload is not None and digest(row.payload) != row.digest:
            report.add(f"link {row.seq}: what happened was changed")
        if row.payload is None and row.seq > purged_to:
            report.add(f"link {row.seq}: what happened was deleted, though its time to be kept was not over")
        report.purged += row.payload is None
        if exported is not None and row.seq == exported.seq and row.hash != exported.hash:
            report.add(f"link {row.seq}: is another than when the head was exported: the trail was made anew")
        report.head = Head(row.seq, row.hash)
    _check_end(connection, exported, report)
    return report


def _check_link(link: dict[str, Any], report: Report) -> None:
    expected = report.head.seq + 1
    if link["seq"] != expected:
        report.add(f"link {expected}: is missing" if link["seq"] > expected else f"link {link['seq']}: is out of order")
    elif link["previous"] != report.head.hash:
        report.add(f"link {link['seq']}: does not follow the link before; one of the two was changed or put elsewhere")
    if link_hash(link) != link["hash"]:
        report.add(f"link {link['seq']}: was changed: its hash is not that of what it says")


def _purged_to(connection: Connection) -> int:
    """Return up to which link the trail itself says that details are gone."""
    said = select(audit_details.c.payload).join(audit_purges, audit_purges.c.seq == audit_details.c.seq)
    events = [json.loads(payload) for payload in connection.execute(said).scalars()]
    return max((int(event["about"]["up_to"]) for event in events if event.get("kind") == "purge"), default=0)


def _check_end(connection: Connection, exported: Head | None, report: Report) -> None:
    if exported is not None and exported.seq > report.head.seq:
        report.add(f"link {exported.seq}: is missing: the end of the trail was cut off after link {report.head.seq}")
    stray = connection.execute(
        select(func.count()).select_from(audit_details).where(audit_details.c.seq.not_in(select(audit.c.seq)))
    ).scalar_one()
    if stray:
        report.add(f"{stray} events stand beside the chain: their links were deleted")


def purge(connection: Connection, at: str, before: str, event: TrailEvent) -> int:
    """Delete what happened before the moment `before`, and say so in the trail. Return how many events went.

    The links stay. `event` is of kind `purge`; what it says it deleted up to is filled in here.
    """
    last = connection.execute(select(func.max(audit.c.seq)).where(audit.c.at < before)).scalar()
    up_to = _purgeable(connection, last or 0)
    if not up_to:
        return 0
    said = append(connection, at, [replace(event, about={**(event.about or {}), "up_to": up_to})])
    connection.execute(audit_purges.insert(), [{"seq": said.seq, "up_to": up_to}])
    return connection.execute(audit_details.delete().where(audit_details.c.seq <= up_to)).rowcount


def _purgeable(connection: Connection, last: int) -> int:
    """Return up to which link details may go now, 0 where there are none."""
    found = connection.execute(select(func.max(audit_details.c.seq)).where(audit_details.c.seq <= last)).scalar()
    return int(found or 0)
