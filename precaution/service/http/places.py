"""A bound on the calls that are worked on at once, and on those that wait."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from precaution.service.http.errors import overloaded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from precaution.service.settings import Limits


class Places:
    """So many calls at once; so many more wait, and the rest are turned away."""

    def __init__(self, limits: Limits) -> None:
        self._places = asyncio.Semaphore(limits.max_concurrent)
        self._room = limits.queue
        self._waiting = 0

    @asynccontextmanager
    async def one(self, seconds: float) -> AsyncIterator[None]:
        """Hold a place. Raises Refused, 503, where too many wait, or none is free in `seconds`."""
        if self._places.locked():
            await self._wait(seconds)
        else:
            await self._places.acquire()
        try:
            yield
        finally:
            self._places.release()

    async def _wait(self, seconds: float) -> None:
        if self._waiting >= self._room:
            raise overloaded()
        self._waiting += 1
        try:
            async with asyncio.timeout(seconds):
                await self._places.acquire()
        except TimeoutError:
            raise overloaded() from None
        finally:
            self._waiting -= 1
