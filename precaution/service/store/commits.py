"""Group commit: what several want to write at the same time is committed together, with one wait for the disk.

A commit takes as long for one as for ten: nearly all of it is waiting. One thread writes. What comes in while it
commits waits, and is written with whatever else has come in by then. Each is told what became of it, and only when the
commit is done.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from precaution.service.store.database import Database

T = TypeVar("T")


class _Unit(NamedTuple):
    """What is to be written as a whole or not at all."""

    work: Callable[[Connection], Any]
    done: Future[Any]
    durable: bool
    exclusive: bool


class Commits:
    """Writes to one database, for many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[_Unit] = deque()
        self._writer: ThreadPoolExecutor | None = None
        self._lock = Lock()

    def later(self, work: Callable[[Connection], T], *, durable: bool = True, exclusive: bool = True) -> Future[T]:
        """Return what `work` will have returned when it is committed, and durable; or what went wrong, as StoreError.

        `work` may be done twice, of which one comes to nothing: it must do nothing but write. One that is cancelled
        before its turn is not done. `durable`, `exclusive`: see `Database.write_transaction`.
        """
        unit = _Unit(work, Future(), durable, exclusive)
        with self._lock:
            self._waiting.append(unit)
            if self._writer is None:
                self._writer = ThreadPoolExecutor(1, "store")
            self._writer.submit(self._write)
        return unit.done

    def close(self) -> None:
        """Finish what waits, and end the thread; what comes later starts another."""
        with self._lock:
            writer, self._writer = self._writer, None
        if writer is not None:
            writer.shutdown()

    def _write(self) -> None:
        """Write all that waits now: where others have been faster, nothing."""
        units = []
        while self._waiting:
            unit = self._waiting.popleft()
            if unit.done.set_running_or_notify_cancel():
                units.append(unit)
        while units:
            units = self._together(units)

    def _together(self, units: list[_Unit]) -> list[_Unit]:
        """Commit units together. Return those that are to be tried again, because one of the others failed."""
        results: list[Any] = []
        at_fault = units
        # the rows of one unit can't wait for each other; those of several can
        exclusive = len(units) > 1 or units[0].exclusive
        durable = any(each.durable for each in units)
        try:
            with self._database.write_transaction(durable=durable, exclusive=exclusive) as connection:
                for each in units:
                    at_fault = [each]
                    results.append(each.work(connection))
                at_fault = units
        except BaseException as error:  # who waits is told, whatever it is
            for each in at_fault:
                each.done.set_exception(error)
            return [each for each in units if each not in at_fault]
        for each, result in zip(units, results, strict=True):
            each.done.set_result(result)
        return []
