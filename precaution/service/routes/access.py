"""Who calls, and for which card: what the routes of feedback and answers share.

A patient is named by a card alone, so that nobody reads or answers for a patient of whom they were given none.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from precaution.errors import StoreBusy, StoreError
from precaution.service.auth.tokens import Unauthorised
from precaution.service.http.errors import Refused
from precaution.service.http.fields import card_id
from precaution.service.http.middleware import note_for_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request

    from precaution.service.auth.tokens import Client
    from precaution.service.hooks import Service
    from precaution.service.store import KeptCard

T = TypeVar("T")

_MAY = {"viewer": ("read",), "clinician": ("read", "answer"), "admin": ("read", "answer", "withdraw")}
"""What a client of each role may do with answers."""


async def client_of(service: Service, request: Request, path: str, to: str = "") -> Client:
    """Return who calls `path`. `to`: what it is about to do with answers, which its role must allow.

    Raises Refused: 401 without a reason, 403, and 503 where the store can't say whether the token was used before.
    """
    try:
        client = await service.verifier.verify(request.headers.get("Authorization"), service.settings.base + path)
    except Unauthorised as error:
        service.metrics.refused.labels(error.reason).inc()
        note_for_log(request, refused=error.reason)
        raise Refused(401, "", {"WWW-Authenticate": "Bearer"}) from None
    except StoreError as error:
        raise _unavailable(error) from None
    if to and to not in _MAY[client.role]:
        raise Refused(403, f"a client of the role {client.role} may not {to}")
    return client


async def card_of(service: Service, uuid: object, client: Client) -> KeptCard:
    """Return a card that was given to the client. Raises Refused: 400, 404 also for another client's card, 503."""
    name = card_id(uuid)
    card = await with_store(lambda: service.store.card(name, client.name))
    if card is None:
        raise Refused(404, "no such card was given")
    return card


async def with_store(call: Callable[[], T]) -> T:
    """Return what a call of the store returns, made in another thread. Raises Refused, 503, where the store fails."""
    try:
        return await asyncio.to_thread(call)
    except StoreError as error:
        raise _unavailable(error) from None


def _unavailable(error: StoreError) -> Refused:
    wait = "1" if isinstance(error, StoreBusy) else "30"
    return Refused(503, "the store can't be used now, and nothing was kept; send it again", {"Retry-After": wait})
