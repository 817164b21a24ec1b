"""Cards that were given: kept without their text, and found again for feedback on them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from precaution.errors import UsageError
from precaution.service.store.kept import KeptCard, KeptDue, KeptFinding, Offer
from precaution.service.store.tables import cards
from precaution.service.store.texts import canonical, person_of, server_of, storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

LONGEST_ID = 200
"""Characters of a card's uuid, at most."""
_PLAIN = ("uuid", "client", "user", "patient", "hook", "service", "label", "today", "tier", "action")


def keep(connection: Connection, given: Sequence[KeptCard], at: str) -> None:
    """Keep cards; one that is kept already stays as it is. Raises UsageError for a uuid that is too long."""
    if not given:
        return
    if any(len(card.uuid) > LONGEST_ID for card in given):
        raise UsageError(f"a card's uuid has at most {LONGEST_ID} characters")
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(insert(cards).on_conflict_do_nothing(), [_row(card, at) for card in given])


def find(connection: Connection, uuid: str, client: str) -> KeptCard | None:
    """Return a card that was given to this client; None where there is none, or it was given to another."""
    query = select(cards).where(cards.c.uuid == storable(uuid), cards.c.client == storable(client))
    row = connection.execute(query).first()
    return _card(row) if row is not None else None


def _row(card: KeptCard, at: str) -> dict[str, str]:
    content = {"findings": card.findings, "due": card.due, "offers": card.offers, "seen": card.seen}
    return {
        **{name: storable(getattr(card, name)) for name in _PLAIN},
        "server": server_of(card.server),
        "person": person_of(card.server, card.patient),
        "content": canonical(content),
        "kept_at": at,
    }


def _card(row: Row[tuple[object, ...]]) -> KeptCard:
    content = json.loads(row.content)
    return KeptCard(
        **{name: getattr(row, name) for name in _PLAIN},
        server=row.server,
        findings=tuple(map(finding_of, content["findings"])),
        due=tuple(KeptDue(*each) for each in content["due"]),
        offers=tuple(Offer(by, ask, word, tuple(of), days) for by, ask, word, of, days in content["offers"]),
        seen={ask: tuple(found) for ask, found in content["seen"].items()},
    )


def finding_of(plain: list[object]) -> KeptFinding:
    """Return a finding from its JSON."""
    rule, state, action, cites, evidence = plain
    return KeptFinding(str(rule), str(state), str(action), tuple(cites), tuple(map(tuple, evidence)))  # type: ignore[arg-type,call-overload]
