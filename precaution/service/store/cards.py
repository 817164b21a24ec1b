"""Cards that were given, and the pages of decisions that they link to.

A card is kept without its text, and found again for feedback on it. What a page shows is kept while a link leads to it,
and no longer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select

from precaution.errors import UsageError
from precaution.service.store.canonical import canonical, person_of, server_of, storable
from precaution.service.store.model import KeptCard, KeptDecision, KeptDue, KeptFinding, OfferedAnswer
from precaution.service.store.packing import packed, text_of
from precaution.service.store.statements import SqlStatement, insertion
from precaution.service.store.tables import cards, decisions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

Row = dict[str, str]
PageRow = dict[str, str | bytes]

LONGEST_ID = 200
"""Characters of a card's uuid, at most."""
_KEEP = insertion(cards)
_FIND = SqlStatement(
    lambda _: select(cards).where(cards.c.uuid == bindparam("card"), cards.c.client == bindparam("by"))
)
_KEEP_PAGE = SqlStatement(lambda _: insert(decisions))
_PLAIN = ("uuid", "client", "user", "patient", "hook", "service", "label", "today", "tier", "action")


def rows_of(given: Iterable[KeptCard], at: str) -> list[Row]:
    """Return cards as rows. Raises UsageError for a uuid that is too long."""
    return [_row(card, at) for card in given]


def keep(connection: Connection, rows: Sequence[Row]) -> None:
    """Keep cards; one that is kept already stays as it is."""
    _KEEP.many(connection, rows)


def find(connection: Connection, uuid: str, client: str) -> KeptCard | None:
    """Return a card that was given to this client; None where there is none, or it was given to another."""
    found = _FIND.rows(connection, card=storable(uuid), by=storable(client))
    return _card(found[0]) if found else None


def _row(card: KeptCard, at: str) -> Row:
    if len(card.uuid) > LONGEST_ID:
        raise UsageError(f"a card's uuid has at most {LONGEST_ID} characters")
    content = {"findings": card.findings, "due": card.due, "offers": card.offers, "seen": card.seen}
    return {
        **{name: storable(getattr(card, name)) for name in _PLAIN},
        "server": server_of(card.server),
        "person": person_of(card.server, card.patient),
        "content": canonical(content),
        "kept_at": at,
    }


def _card(row: Any) -> KeptCard:
    content = json.loads(row.content)
    return KeptCard(
        **{name: getattr(row, name) for name in _PLAIN},
        server=row.server,
        findings=tuple(map(finding_of, content["findings"])),
        due=tuple(KeptDue(*each) for each in content["due"]),
        offers=tuple(OfferedAnswer(by, ask, word, tuple(of), days) for by, ask, word, of, days in content["offers"]),
        seen={ask: tuple(found) for ask, found in content["seen"].items()},
    )


def finding_of(plain: list[object]) -> KeptFinding:
    """Return a finding from its JSON."""
    rule, state, action, cites, evidence = plain
    return KeptFinding(str(rule), str(state), str(action), tuple(cites), tuple(map(tuple, evidence)))  # type: ignore[arg-type,call-overload]


def page_row(page: KeptDecision) -> PageRow:
    """Return what the page of a decision shows, as a row."""
    plain = {name: storable(getattr(page, name)) for name in ("uuid", "client", "patient", "expires_at")}
    return {**plain, "server": server_of(page.server), "content": packed(storable(page.content))}


def keep_page(connection: Connection, row: PageRow) -> None:
    """Keep what a page shows."""
    _KEEP_PAGE.many(connection, [row])


def find_page(connection: Connection, uuid: str, now: str) -> KeptDecision | None:
    """Return what a page shows; None where there is none, or its time is over."""
    query = select(decisions).where(decisions.c.uuid == storable(uuid), decisions.c.expires_at > now)
    row = connection.execute(query).first()
    return KeptDecision(**{**row._mapping, "content": text_of(row.content)}) if row is not None else None


def sweep_pages(connection: Connection, now: str) -> int:
    """Delete the pages whose time is over, and return how many."""
    return connection.execute(decisions.delete().where(decisions.c.expires_at <= now)).rowcount
