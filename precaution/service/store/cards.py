"""Cards that were given: kept without their text, and found again for feedback on them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from precaution.errors import UsageError
from precaution.service.store.kept import KeptCard, KeptDue, KeptFinding, Offer
from precaution.service.store.prepared import Prepared, insertion
from precaution.service.store.tables import cards
from precaution.service.store.texts import canonical, person_of, server_of, storable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

Row = dict[str, str]

LONGEST_ID = 200
"""Characters of a card's uuid, at most."""
_KEEP = insertion(cards)
_FIND = Prepared(lambda _: select(cards).where(cards.c.uuid == bindparam("card"), cards.c.client == bindparam("by")))
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
        offers=tuple(Offer(by, ask, word, tuple(of), days) for by, ask, word, of, days in content["offers"]),
        seen={ask: tuple(found) for ask, found in content["seen"].items()},
    )


def finding_of(plain: list[object]) -> KeptFinding:
    """Return a finding from its JSON."""
    rule, state, action, cites, evidence = plain
    return KeptFinding(str(rule), str(state), str(action), tuple(cites), tuple(map(tuple, evidence)))  # type: ignore[arg-type,call-overload]
