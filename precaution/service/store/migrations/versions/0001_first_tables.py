"""The first tables, and the triggers that keep the audit trail from being changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make tables and triggers."""
    _kept()
    _trail()
    statements = _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRES
    for statement in statements:
        op.execute(statement)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _short(name: str, length: int, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False, primary_key=primary_key)


def _id() -> sa.Column[int]:
    return sa.Column("id", _NUMBER, primary_key=True, autoincrement=True)


def _kept() -> None:
    op.create_table(
        "cards",
        _short("uuid", 200, primary_key=True),
        _short("person", 64),
        *_texts("client", "user", "server", "patient", "hook", "service", "label"),
        _short("today", 10),
        _short("tier", 8),
        *_texts("action", "content"),
        _short("kept_at", 24),
    )
    op.create_index("cards_person", "cards", ["person"])
    op.create_index("cards_kept_at", "cards", ["kept_at"])
    op.create_table(
        "feedback",
        _id(),
        _short("digest", 64),
        *_texts("client", "service"),
        _short("card", 200),
        sa.Column("matched", sa.Boolean(create_constraint=False), nullable=False),
        _short("outcome", 10),
        _short("at", 24),
        *_texts("reason", "system", "accepted", "comment"),
        _short("received_at", 24),
        _short("day", 10),
        _short("silent_until", 10),
        _short("promised_for", 10),
        sa.UniqueConstraint("digest", name="feedback_once"),
    )
    op.create_index("feedback_card", "feedback", ["card"])
    op.create_index("feedback_received_at", "feedback", ["received_at"])
    op.create_table(
        "answers",
        _id(),
        _short("digest", 64),
        _short("person", 64),
        *_texts("server", "patient", "ask", "answer"),
        _short("day", 10),
        *_texts("who", "role", "statement", "reason"),
        _short("expires", 10),
        sa.Column("seen", sa.Text, nullable=True),
        *_texts("card"),
        _short("given_at", 24),
        _short("withdrawn_at", 24),
        *_texts("withdrawn_by"),
        sa.UniqueConstraint("digest", name="answers_once"),
    )
    op.create_index("answers_person", "answers", ["person"])
    op.create_table(
        "used_tokens", _short("token", 64, primary_key=True), sa.Column("expires", sa.BigInteger, nullable=False)
    )
    op.create_index("used_tokens_expires", "used_tokens", ["expires"])


def _trail() -> None:
    def seq(*more: sa.ForeignKey) -> sa.Column[int]:
        return sa.Column("seq", _NUMBER, *more, primary_key=True, autoincrement=False)

    op.create_table("audit", seq(), _short("at", 24), _short("previous", 64), _short("digest", 64), _short("hash", 64))
    op.create_table("audit_details", seq(sa.ForeignKey("audit.seq")), *_texts("payload"))
    op.create_table("audit_purges", seq(sa.ForeignKey("audit.seq")), sa.Column("up_to", sa.BigInteger, nullable=False))


_TABLES = ("audit", "audit_details", "audit_purges")
_FREE = "(SELECT coalesce(max(up_to), 0) FROM audit_purges)"
_SQLITE = [
    *(
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} "
        "BEGIN SELECT raise(ABORT, 'the audit trail can only be added to'); END"
        for table in _TABLES
    ),
    *(
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
        "BEGIN SELECT raise(ABORT, 'the audit trail can only be added to'); END"
        for table in ("audit", "audit_purges")
    ),
    f"CREATE TRIGGER audit_details_no_delete BEFORE DELETE ON audit_details WHEN OLD.seq > {_FREE} "
    "BEGIN SELECT raise(ABORT, 'what happened can be deleted only when its time to be kept is over'); END",
    # INSERT OR REPLACE would delete a link without asking the trigger above.
    "CREATE TRIGGER audit_in_order BEFORE INSERT ON audit "
    "WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit) "
    "BEGIN SELECT raise(ABORT, 'the next link of the audit trail must follow the last'); END",
    "CREATE TRIGGER audit_details_once BEFORE INSERT ON audit_details "
    "WHEN EXISTS (SELECT 1 FROM audit_details WHERE seq = NEW.seq) "
    "BEGIN SELECT raise(ABORT, 'the audit trail can only be added to'); END",
]
_POSTGRES = [
    "CREATE FUNCTION precaution_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$BEGIN RAISE EXCEPTION 'the audit trail can only be added to'; END$$",
    "CREATE FUNCTION precaution_audit_details_delete() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
    f"IF OLD.seq > {_FREE} THEN "
    "RAISE EXCEPTION 'what happened can be deleted only when its time to be kept is over'; END IF; "
    "RETURN OLD; END$$",
    "CREATE FUNCTION precaution_audit_in_order() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
    "IF NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit) THEN "
    "RAISE EXCEPTION 'the next link of the audit trail must follow the last'; END IF; RETURN NEW; END$$",
    *(
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW "
        "EXECUTE FUNCTION precaution_audit_refuse()"
        for table in _TABLES
    ),
    *(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT "
        "EXECUTE FUNCTION precaution_audit_refuse()"
        for table in _TABLES
    ),
    *(
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW "
        "EXECUTE FUNCTION precaution_audit_refuse()"
        for table in ("audit", "audit_purges")
    ),
    "CREATE TRIGGER audit_details_no_delete BEFORE DELETE ON audit_details FOR EACH ROW "
    "EXECUTE FUNCTION precaution_audit_details_delete()",
    "CREATE TRIGGER audit_in_order BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION precaution_audit_in_order()",
]
