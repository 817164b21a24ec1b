"""Deletes what the store has kept for long enough and what has no effect any more."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, exists, func, or_, select

from precaution.service.store import audit_trail
from precaution.service.store.canonical import moment
from precaution.service.store.cards import sweep_pages
from precaution.service.store.model import TrailEvent
from precaution.service.store.tables import answers, cards, feedback

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Purged(NamedTuple):
    """How many of each were deleted."""

    cards: int
    feedback: int
    answers: int
    events: int


def purge(connection: Connection, now: datetime, today: str, days: int) -> Purged:
    """Delete what is older than `days`, and has no effect on `today` or later.

    An override that is still silent keeps its card, and so does a promise that is not older than `days`. An answer
    goes when it was withdrawn, answered anew, or has expired: one that still counts stays, however old. Of the trail
    the details go and the links stay.
    """
    before = moment(now - timedelta(days=days))
    day = (date.fromisoformat(today) - timedelta(days=days)).isoformat()
    sweep_pages(connection, moment(now))
    cards_gone, feedback_gone = _cards(connection, before, today, day)
    answers_gone = _answers(connection, before, today)
    gone = {"cards": cards_gone, "feedback": feedback_gone, "answers": answers_gone}
    event = TrailEvent(kind="purge", about={"before": before, **gone})
    return Purged(cards_gone, feedback_gone, answers_gone, audit_trail.purge(connection, moment(now), before, event))


def _cards(connection: Connection, before: str, today: str, day: str) -> tuple[int, int]:
    counts = or_(feedback.c.silent_until >= today, feedback.c.promised_for >= day)
    needed = exists().where(feedback.c.card == cards.c.uuid, counts)
    cards_gone = connection.execute(cards.delete().where(cards.c.kept_at < before, ~needed)).rowcount
    kept = exists().where(cards.c.uuid == feedback.c.card)
    old = feedback.delete().where(feedback.c.received_at < before, ~kept)
    return cards_gone, connection.execute(old).rowcount


def _answers(connection: Connection, before: str, today: str) -> int:
    newer = answers.alias("newer")
    later = or_(newer.c.day > answers.c.day, and_(newer.c.day == answers.c.day, newer.c.id > answers.c.id))
    same = and_(newer.c.person == answers.c.person, newer.c.ask == answers.c.ask, newer.c.withdrawn_at == "")
    over = or_(
        answers.c.withdrawn_at != "",
        and_(answers.c.expires != "", answers.c.expires < today),
        select(func.count()).select_from(newer).where(same, later).correlate(answers).scalar_subquery() > 0,
    )
    return connection.execute(answers.delete().where(answers.c.given_at < before, over)).rowcount
