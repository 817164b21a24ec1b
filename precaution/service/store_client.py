"""How a call of a hook asks the store: for a share of its time at most. A store that fails takes no warning with it.

To wake another thread, and be woken by it, takes longer than SQLite takes to answer. So where the store has only just
answered, what it keeps is read at once, in the thread of the event loop. After a silence another thread asks, for which
the loop waits no longer than it should: a disk that hangs must not hold up every call.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from precaution.errors import StoreBusy, StoreError
from precaution.service.logs import log, where
from precaution.service.store import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from precaution.service.metrics import Metrics
    from precaution.service.store import Kept, KeptCard, KeptDecision, Store, TokenUse, TrailEvent

T = TypeVar("T")
_JUST = 0.1
"""Seconds after which a store that answered may have come to hang."""


class StoreClient:
    """Asks one store, for all calls of a process."""

    def __init__(self, store: Store, metrics: Metrics, seconds: float) -> None:
        """`seconds`: how long to wait for what is kept, and again until what is given is kept."""
        self._store, self._metrics, self._seconds = store, metrics, seconds
        self._answered = -_JUST
        """When another thread last had an answer."""

    async def kept(self, server: str, patient: str, today: str) -> Kept:
        """Return what bears on the next decision; UNREADABLE where the store can't say in time."""
        try:
            if self._store.embedded and monotonic() - self._answered < _JUST:
                try:
                    return self._store.kept_at_once(server, patient, today)
                except StoreBusy:
                    pass  # seldom, as when another process upgrades the tables: then another thread waits
            return await self._in_time(asyncio.to_thread(self._store.kept, server, patient, today))
        except (StoreError, TimeoutError) as error:
            self._failed(error)
            return UNREADABLE

    async def keep(
        self, cards: Sequence[KeptCard], event: TrailEvent, page: KeptDecision | None, use: TokenUse | None
    ) -> bool:
        """Keep what is given, before it is given; False where the store knows the token of the call.

        A store that fails is only logged. One that is late may still keep it: what was given is better kept late.
        """
        try:
            keeping = asyncio.wrap_future(self._store.keeping(cards, event, page=page, use=use))
            return await self._in_time(asyncio.shield(keeping))
        except (StoreError, TimeoutError) as error:
            self._failed(error)
            return True

    async def _in_time(self, answer: Awaitable[T]) -> T:
        async with asyncio.timeout(self._seconds):
            found = await answer
        self._answered = monotonic()
        return found

    def _failed(self, error: Exception) -> None:
        self._metrics.store_failures.inc()
        log().error("store", **where(error))
