"""The store's tables. `migrations/` makes them; a test compares the two on both databases."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

VERSION = "0003"
"""The version of these tables: the newest revision in `migrations/`."""

metadata = MetaData()
_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows itself only where they are INTEGER

cards = Table(
    "cards",
    metadata,
    Column("uuid", String(200), primary_key=True),
    Column("person", String(64), nullable=False),
    Column("client", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("server", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("hook", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("today", String(10), nullable=False),
    Column("tier", String(8), nullable=False),
    Column("action", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("kept_at", String(24), nullable=False),
    Index("cards_person", "person"),
    Index("cards_kept_at", "kept_at"),
)
"""`person` is a digest of server and patient: an index of a known size. `content`: findings, due, offers, seen."""

decisions = Table(
    "decisions",
    metadata,
    Column("uuid", String(200), primary_key=True),
    Column("client", Text, nullable=False),
    Column("server", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("expires_at", String(24), nullable=False),
    Index("decisions_expires_at", "expires_at"),
)
"""What the page of a decision shows, packed (see `packing`); deleted when no link leads to it any more."""

feedback = Table(
    "feedback",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("digest", String(64), nullable=False),
    Column("client", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("card", String(200), nullable=False),
    Column("matched", Boolean(create_constraint=False), nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("at", String(24), nullable=False),
    Column("reason", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("accepted", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("received_at", String(24), nullable=False),
    Column("day", String(10), nullable=False),
    Column("silent_until", String(10), nullable=False),
    Column("promised_for", String(10), nullable=False),
    UniqueConstraint("digest", name="feedback_once"),
    Index("feedback_card", "card"),
    Index("feedback_received_at", "received_at"),
)

answers = Table(
    "answers",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("digest", String(64), nullable=False),
    Column("person", String(64), nullable=False),
    Column("server", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("ask", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("day", String(10), nullable=False),
    Column("who", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("statement", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("expires", String(10), nullable=False),
    Column("seen", Text, nullable=True),
    Column("card", Text, nullable=False),
    Column("given_at", String(24), nullable=False),
    Column("withdrawn_at", String(24), nullable=False),
    Column("withdrawn_by", Text, nullable=False),
    UniqueConstraint("digest", name="answers_once"),
    Index("answers_person", "person"),
)

used_tokens = Table(
    "used_tokens",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("expires", BigInteger, nullable=False),
    Index("used_tokens_expires", "expires"),
)
"""`token` is a digest of issuer and jti."""

audit = Table(
    "audit",
    metadata,
    Column("seq", _NUMBER, primary_key=True, autoincrement=False),
    Column("at", String(24), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
"""One link for each event: `hash` is of the four columns before it. Triggers refuse UPDATE and DELETE."""

audit_details = Table(
    "audit_details",
    metadata,
    Column("seq", _NUMBER, ForeignKey("audit.seq"), primary_key=True, autoincrement=False),
    Column("payload", Text, nullable=False),
)
"""What the event was; `audit.digest` is of it. Can be deleted only up to `audit_purges`."""

audit_purges = Table(
    "audit_purges",
    metadata,
    Column("seq", _NUMBER, ForeignKey("audit.seq"), primary_key=True, autoincrement=False),
    Column("up_to", BigInteger, nullable=False),
)
"""Up to which link the details may be gone; `seq` is the link that says so."""
