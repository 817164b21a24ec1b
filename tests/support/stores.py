"""Stores for tests: on SQLite and on PostgreSQL, each empty, with a clock that the test sets."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg

from precaution.service.store import Answer, KeptCard, KeptFinding, OfferedAnswer, Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVER, PATIENT, TODAY = "https://fhir.example.org/r4", "p1", "2025-03-01"
BOTH = ("sqlite", "postgresql")
_NUMBER = count()


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    now: datetime = field(default_factory=lambda: datetime(2025, 3, 1, 9, 30, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@contextmanager
def fresh_url(kind: str, folder: Path, postgres: str) -> Iterator[str]:
    """Yield the URL of an empty database of a kind; `postgres`: the URL of a server's own database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/store.sqlite"
        return
    name = f"t{next(_NUMBER)}_{uuid4().hex[:8]}"
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield postgres.replace("/postgres?", f"/{name}?")
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def execute(url: str, *statements: str) -> list[Any]:
    """Run statements beside the store, as somebody who can write to its database might; return the last's rows."""
    if url.startswith("sqlite"):
        import sqlite3

        raw = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        try:
            return [list(raw.execute(each)) for each in statements][-1]
        finally:
            raw.close()
    with psycopg.connect(url, autocommit=True) as raw_pg:
        rows: list[Any] = []
        for each in statements:
            done = raw_pg.execute(each)
            rows = done.fetchall() if done.description else []
        return rows


@contextmanager
def opened(url: str, **more: Any) -> Iterator[Store]:
    """Yield a store with its tables."""
    store = Store(url, **more)
    try:
        store.upgrade()
        yield store
    finally:
        store.close()


def card(uuid: str = "card-1", **changed: Any) -> KeptCard:
    """Return a card as one is kept."""
    usual: dict[str, Any] = {
        "uuid": uuid,
        "client": "",
        "user": "Practitioner/1",
        "server": SERVER,
        "patient": PATIENT,
        "hook": "patient-view",
        "service": "warnings-view",
        "label": "digest-1",
        "today": TODAY,
        "tier": "warning",
        "action": "only-if-no-alternative",
        "findings": (
            KeptFinding("restricted", "holds", "only-if-no-alternative", ("S05",), (("Condition/c1", "2024-01-01"),)),
        ),
        "offers": (
            OfferedAnswer("s-yes", "no-suitable-alternative", "yes", ("S05",), 365),
            OfferedAnswer("s-no", "no-suitable-alternative", "no", ("S05",), 0),
        ),
        "seen": {"no-suitable-alternative": ("Condition/c1",)},
    }
    return KeptCard(**{**usual, **changed})


def answer(word: str = "yes", **changed: Any) -> Answer:
    """Return an answer as a clinician gives one."""
    usual: dict[str, Any] = {
        "ask": "no-suitable-alternative",
        "answer": word,
        "day": TODAY,
        "who": "Practitioner/1",
        "role": "clinician",
        "statement": ("S05",),
        "reason": "tried the others",
        "expires": "2025-09-01",
    }
    return Answer(**{**usual, **changed})


def holding(url: str) -> Any:
    """Return a connection that holds the right to write."""
    if url.startswith("sqlite"):
        import sqlite3

        raw = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        raw.execute("BEGIN IMMEDIATE")
        return raw
    from precaution.service.store.database import _TRAIL

    held = psycopg.connect(url)
    held.execute(f"SELECT pg_advisory_xact_lock({_TRAIL})")
    return held
