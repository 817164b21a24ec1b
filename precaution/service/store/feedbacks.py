"""Feedback on cards: kept once, and what it means for the next decision.

An override with a reason is silent for its user until a day; some reasons are a promise to see to it later. An
override without a reason is kept, and silences nothing. Later feedback on the same card replaces what earlier meant.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from precaution.service.store import answers, cards, tables
from precaution.service.store.canonical import canonical, digest, moment_of, person_of, storable
from precaution.service.store.model import Answer, Override, Promise, TrailEvent
from precaution.service.store.statements import SqlStatement
from precaution.service.store.tables import feedback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from precaution.service.store.model import Feedback, KeptCard, KeptFinding, Terms

PROMISES = frozenset(
    {"will-monitor", "mitigate-risk-negative-outcome", "need-more-info", "limited-time", "wrong-time-workflow"}
)
"""Override reasons that say: not now, but I will see to it. Each makes something due."""

_OF_PATIENT = SqlStatement(
    lambda _: (
        select(feedback, tables.cards.c.content, tables.cards.c.user, tables.cards.c.tier, tables.cards.c.label)
        .join(tables.cards, (tables.cards.c.uuid == feedback.c.card) & (tables.cards.c.client == feedback.c.client))
        .where(tables.cards.c.person == bindparam("of"), feedback.c.day <= bindparam("today"))
    )
)
VIEWER = "viewer"
"""The role of a client whose feedback answers nothing."""


class Received(NamedTuple):
    """What became of one piece of feedback."""

    state: str
    """`kept`, `again` (it was kept before), or `unmatched` (kept, but no such card was given to this client)."""
    card: KeptCard | None
    answers: tuple[tuple[int, Answer], ...] = ()
    """Answers that it gave, with their numbers."""


class Sender(NamedTuple):
    """Who sends feedback, to which service, and when it comes in."""

    client: str
    service: str
    role: str
    today: str
    """The calendar day on which it is received."""
    at: str
    """The moment."""


def keep(connection: Connection, given: Feedback, sender: Sender, terms: Terms) -> Received:
    """Keep a piece of feedback, and the answers that it gives. Raises ValueError where `at` is no instant."""
    card = cards.find(connection, given.card, sender.client)
    row = _row(given, card, sender, terms)
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    new = insert(feedback).values(row).on_conflict_do_nothing().returning(feedback.c.id)
    if connection.execute(new).scalar() is None:
        return Received("again", card)
    if card is None:
        return Received("unmatched", None)
    said = []
    for by, answer in _answered(given, card, row, sender):
        once = digest(canonical([row["digest"], by]))
        number = answers.keep(connection, card.server, card.patient, answer, sender.at, once=once)
        said.append((number, answer))
    return Received("kept", card, tuple(said))


def _row(given: Feedback, card: KeptCard | None, sender: Sender, terms: Terms) -> dict[str, Any]:
    at = moment_of(given.at)
    plain = [
        sender.client,
        sender.service,
        given.card,
        given.outcome,
        at,
        given.reason,
        given.system,
        sorted(given.accepted),
    ]
    overridden = card is not None and given.outcome == "overridden" and given.reason != ""
    days = min(terms.override_days, terms.critical_days) if card and card.tier == "critical" else terms.override_days
    begun = _begun(at, sender)
    return {
        "digest": digest(canonical(plain)),
        "client": storable(sender.client),
        "service": storable(sender.service),
        "card": storable(given.card),
        "matched": card is not None,
        "outcome": given.outcome,
        "at": at,
        "reason": storable(given.reason),
        "system": storable(given.system),
        "accepted": storable(canonical(given.accepted)),
        "comment": storable(given.comment) if terms.comments else "",
        "received_at": sender.at,
        "day": begun,
        "silent_until": _days_after(begun, days) if overridden else "",
        "promised_for": _days_after(begun, terms.promise_days) if overridden and given.reason in PROMISES else "",
    }


def _begun(at: str, sender: Sender) -> str:
    """The day it counts from: a client's clock that is fast makes nothing last longer."""
    return min(at[:10], sender.today)


def _days_after(day: str, days: int) -> str:
    try:
        return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
    except OverflowError:
        return "9999-12-31"


def _answered(given: Feedback, card: KeptCard, row: dict[str, Any], sender: Sender) -> Iterator[tuple[str, Answer]]:
    """Yield the answers that are given by taking up a suggestion or by a reason.

    Nobody's answer is none, and who answers yes and no at once has not answered.
    """
    taken = set(given.accepted) if given.outcome == "accepted" else {given.reason} - {""}
    offers = [each for each in card.offers if each.by in taken] if card.user and sender.role != VIEWER else []
    answered = Counter(each.ask for each in offers)
    for offer in offers:
        if answered[offer.ask] == 1:
            day = _begun(row["at"], sender)
            yield (
                offer.by,
                Answer(
                    ask=offer.ask,
                    answer=offer.answer,
                    day=day,
                    who=card.user,
                    role=sender.role,
                    statement=offer.statement,
                    reason=given.reason or "suggestion accepted",
                    expires=_days_after(day, offer.days) if offer.days else "",
                    seen=card.seen.get(offer.ask),
                    card=card.uuid,
                ),
            )


def events(given: Feedback, received: Received, sender: Sender) -> list[TrailEvent]:
    """Return what the audit trail says of a piece of feedback: nothing where it came again."""
    if received.state == "again":
        return []
    card = received.card
    about = {"card": given.card, "service": sender.service, "outcome": given.outcome, "state": received.state}
    about |= {"reason": given.reason} if given.reason else {}
    event = TrailEvent(
        kind="feedback",
        client=sender.client,
        user=card.user if card else "",
        server=card.server if card else "",
        patient=card.patient if card else "",
        about=about,
    )
    return [event, *(answers.event(event, number, answer) for number, answer in received.answers if number)]


def in_force(
    connection: Connection, server: str, patient: str, today: str
) -> tuple[tuple[Override, ...], tuple[Promise, ...]]:
    """Return what overrides of a patient's cards still mean on `today`: what is silent, and what was promised."""
    silent: list[Override] = []
    promised: list[Promise] = []
    for row in _latest(connection, server, patient, today):
        findings = [cards.finding_of(each) for each in json.loads(row.content)["findings"]]
        if row.silent_until >= today:
            silent += [_override(row, finding) for finding in findings]
        if row.promised_for:
            promised += [
                Promise(
                    each.rule,
                    each.state,
                    each.cites,
                    row.reason,
                    row.user,
                    row.day,
                    row.promised_for,
                    _refs(each),
                    row.card,
                )
                for each in findings
            ]
    return tuple(silent), tuple(promised)


def _latest(connection: Connection, server: str, patient: str, today: str) -> list[Any]:
    """Return the latest feedback by `today` on each card of a patient, where it overrides, with the card."""
    found = _OF_PATIENT.rows(connection, of=person_of(server, patient), today=today)
    rows = sorted(found, key=lambda row: (min(row.at, row.received_at), row.id))
    newest = {row.card: row for row in rows}  # no client's fast clock makes its word the last one for long
    return [row for row in newest.values() if row.outcome == "overridden"]


def _override(row: Any, finding: KeptFinding) -> Override:
    return Override(
        finding.rule,
        finding.state,
        finding.action,
        row.tier,
        row.reason,
        row.user,
        row.day,
        row.silent_until,
        _refs(finding),
        row.label,
        row.card,
        tuple(each[2] for each in finding.evidence if len(each) > 2),
    )


def _refs(finding: KeptFinding) -> tuple[str, ...]:
    return tuple(each[0] for each in finding.evidence)
