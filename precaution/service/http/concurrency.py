"""Bounds how many calls are worked on at once, and how many wait for their turn."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from precaution.service.http.errors import overloaded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from precaution.service.settings import Limits


class ConcurrencyLimit:
    """Lets so many calls be worked on at once and so many more wait, and turns the rest away."""

    def __init__(self, limits: Limits) -> None:
        self._slots = asyncio.Semaphore(limits.max_concurrent)
        self._longest_queue = limits.queue
        self._waiting = 0

    @asynccontextmanager
    async def slot(self, seconds: float) -> AsyncIterator[None]:
        """Hold a slot while the block runs. Raises Refused, 503: too many wait, or none gets free in `seconds`."""
        if self._slots.locked():
            await self._wait(seconds)
        else:
            await self._slots.acquire()
        try:
            yield
        finally:
            self._slots.release()

    async def _wait(self, seconds: float) -> None:
        if self._waiting >= self._longest_queue:
            raise overloaded()
        self._waiting += 1
        try:
            async with asyncio.timeout(seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise overloaded() from None
        finally:
            self._waiting -= 1
