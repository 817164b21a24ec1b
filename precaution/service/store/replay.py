"""Tokens that were used: each may be used once, in whichever process or host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.service.store.prepared import Prepared
from precaution.service.store.tables import used_tokens
from precaution.service.store.texts import canonical, digest

if TYPE_CHECKING:
    from sqlalchemy import Connection

_CLAIM = Prepared(lambda insert: insert(used_tokens).on_conflict_do_nothing().returning(used_tokens.c.token))


def claim(connection: Connection, issuer: str, jti: str, expires: int) -> bool:
    """Note that a token is used; False where it was before.

    `expires`: seconds since 1970, after which it may be forgotten.
    """
    return bool(_CLAIM.rows(connection, token=digest(canonical([issuer, jti])), expires=expires))


def forget(connection: Connection, now: int) -> int:
    """Delete the tokens that nobody would accept any more, and return how many."""
    return connection.execute(used_tokens.delete().where(used_tokens.c.expires < now)).rowcount
