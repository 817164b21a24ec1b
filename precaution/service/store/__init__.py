"""The service's store: cards given, feedback, answers, used tokens, and the audit trail. SQLite, or PostgreSQL by URL.

    store = Store("sqlite:////var/lib/precaution/store.sqlite").open()   # or postgresql://host/database
    store.keep(cards, TrailEvent(kind="decision", ...))                   # one commit; durable when it returns
    kept = store.kept(server, patient, today)                             # answers, overrides, promises
    store.feedback(service, [Feedback(...)], client=client, today=today)  # idempotent
    store.claim(iss, jti, expires)                                        # False: this token was used before

Those that write at the same time are committed together (see `commits`).

All calls block and are safe from many threads, processes and hosts. Each raises StoreError, whose kinds say whether it
helps to try again: StoreBusy (soon), StoreFull and StoreDown (someone must look). What a call has returned from is
durable. Where `kept` fails, decide with `UNREADABLE`: cards are still given, and say what could not be read.
"""

from __future__ import annotations

from precaution.service.store.audit_trail import Head, Report, TrailLink
from precaution.service.store.feedbacks import PROMISES, Received
from precaution.service.store.model import (
    UNREADABLE,
    Answer,
    Feedback,
    Kept,
    KeptCard,
    KeptDecision,
    KeptDue,
    KeptFinding,
    OfferedAnswer,
    Override,
    Promise,
    Terms,
    TokenUse,
    TrailEvent,
)
from precaution.service.store.retention import Purged
from precaution.service.store.store import Store

__all__ = [
    "PROMISES",
    "UNREADABLE",
    "Answer",
    "Feedback",
    "Head",
    "Kept",
    "KeptCard",
    "KeptDecision",
    "KeptDue",
    "KeptFinding",
    "OfferedAnswer",
    "Override",
    "Promise",
    "Purged",
    "Received",
    "Report",
    "Store",
    "Terms",
    "TokenUse",
    "TrailEvent",
    "TrailLink",
]
