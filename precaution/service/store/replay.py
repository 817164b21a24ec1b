"""Tokens that were used: each may be used once, in whichever process or host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.dialects import postgresql, sqlite

from precaution.service.store.tables import used_tokens
from precaution.service.store.texts import canonical, digest

if TYPE_CHECKING:
    from sqlalchemy import Connection


def claim(connection: Connection, issuer: str, jti: str, expires: int) -> bool:
    """Note that a token is used; False where it was before.

    `expires`: seconds since 1970, after which it may be forgotten.
    """
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = {"token": digest(canonical([issuer, jti])), "expires": expires}
    new = insert(used_tokens).values(row).on_conflict_do_nothing().returning(used_tokens.c.token)
    return connection.execute(new).scalar() is not None


def forget(connection: Connection, now: int) -> int:
    """Delete the tokens that nobody would accept any more, and return how many."""
    return connection.execute(used_tokens.delete().where(used_tokens.c.expires < now)).rowcount
