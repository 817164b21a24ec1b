"""Clinicians' answers: kept, withdrawn, and the latest to each ask. Nothing is overwritten."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from precaution.service.store.canonical import canonical, digest, person_of, server_of, storable
from precaution.service.store.model import Answer
from precaution.service.store.statements import SqlStatement
from precaution.service.store.tables import answers

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from precaution.service.store.model import TrailEvent

_LATEST = SqlStatement(
    lambda _: (
        select(answers)
        .where(answers.c.person == bindparam("of"), answers.c.withdrawn_at == "", answers.c.day <= bindparam("today"))
        .order_by(answers.c.day, answers.c.id)
    )
)
_TEXTS = ("ask", "answer", "day", "who", "role", "reason", "expires", "card")


def keep(connection: Connection, server: str, patient: str, answer: Answer, at: str, *, once: str = "") -> int:
    """Keep an answer and return its number; 0 where it is kept already.

    `once`: a digest of what it came from, if that may come again. Without one it is kept already where the latest
    answer to the ask says the same.
    """
    if not once and _same(latest(connection, server, patient).get(answer.ask), answer):
        return 0
    row = {
        **{name: storable(getattr(answer, name)) for name in _TEXTS},
        "digest": once or uuid4().hex,
        "person": person_of(server, patient),
        "server": server_of(server),
        "patient": storable(patient),
        "statement": canonical(answer.statement),
        "seen": None if answer.seen is None else storable(canonical(answer.seen)),
        "given_at": at,
        "withdrawn_at": "",
        "withdrawn_by": "",
    }
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    kept = connection.execute(insert(answers).values(row).on_conflict_do_nothing().returning(answers.c.id)).scalar()
    return int(kept or 0)


def latest(connection: Connection, server: str, patient: str, today: str = "9999") -> dict[str, Answer]:
    """Return the latest answer to each ask, of those given by `today` and not withdrawn."""
    rows = _LATEST.rows(connection, of=person_of(server, patient), today=today)
    return {row.ask: _answer(row) for row in rows}


def withdraw(connection: Connection, server: str, patient: str, number: int, who: str, at: str) -> bool:
    """Take an answer back, as given in error; the one before it counts again. False where there is no such answer."""
    taken = answers.update().where(
        answers.c.id == number, answers.c.person == person_of(server, patient), answers.c.withdrawn_at == ""
    )
    return connection.execute(taken.values(withdrawn_at=at, withdrawn_by=storable(who))).rowcount == 1


def event(about: TrailEvent, number: int, answer: Answer) -> TrailEvent:
    """Return what the audit trail says of an answer. `about`: an event of the same client and patient."""
    words = {
        "answer": number,
        "ask": answer.ask,
        "word": answer.answer,
        "day": answer.day,
        "role": answer.role,
        "expires": answer.expires,
        "reason": digest(answer.reason),
    }
    return replace(about, kind="answer", user=answer.who or about.user, about=words)


def _same(one: Answer | None, other: Answer) -> bool:
    names = [name for name in _TEXTS if name != "card"]
    return one is not None and all(getattr(one, name) == storable(getattr(other, name)) for name in names)


def _answer(row: Any) -> Answer:
    return Answer(
        **{name: getattr(row, name) for name in _TEXTS},
        statement=tuple(json.loads(row.statement)),
        seen=None if row.seen is None else tuple(json.loads(row.seen)),
        id=row.id,
    )
