"""Work in several processes: progress counted in common, stopped together, none left behind."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, TypeVar

from precaution.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

Task = TypeVar("Task")
Result = TypeVar("Result")
OFTEN = 0.25
"""Seconds between two reports of progress."""
RARELY = 100_000
"""New objects between two searches for circles of them: a worker makes many objects, and hardly a circle."""


class Stopped(Exception):
    """The run was interrupted; a worker leaves its task half done, and what it wrote is not taken as complete."""


class Watch:
    """What a worker shares with the others: whether to stop, and how much is done."""

    def __init__(self, stop: Any = None, done: Any = None, tell: Callable[[int], object] | None = None) -> None:
        """Share an event and a counter; or, alone in its process, tell `tell` directly."""
        self._stop, self._done, self._tell = stop, done, tell

    def step(self, amount: int) -> None:
        """Count `amount` as done. Raises Stopped where the run was interrupted."""
        if self._tell is not None:
            self._tell(amount)
        elif self._stop is not None:
            if self._stop.is_set():
                raise Stopped
            with self._done.get_lock():
                self._done.value += amount


_here = Watch()
"""The watch of this process."""


def watch() -> Watch:
    """Return the watch of this process."""
    return _here


def _begin(stop: Any, done: Any) -> None:
    """Begin a worker: Ctrl-C is for the parent, and a worker ends with it."""
    global _here  # noqa: PLW0603 - one for each process is what is meant
    _here = Watch(stop, done)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(RARELY, 20, 20)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class Processes:
    """Runs tasks in `workers` processes; with one worker in this process itself."""

    def __init__(self, workers: int, progress: Callable[[int], object] = lambda _: None) -> None:
        """Report to `progress` how much is newly done."""
        self._progress = progress
        self._pool: ProcessPoolExecutor | None = None
        self._told = 0
        if workers > 1:
            spawn = multiprocessing.get_context("spawn")
            self._stop, self._done = spawn.Event(), spawn.Value("q", 0)
            self._pool = ProcessPoolExecutor(workers, spawn, _begin, (self._stop, self._done))

    def __enter__(self) -> Processes:
        """Start nothing yet; processes start with the first task."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """End the processes; after an error without waiting for what has not begun."""
        if self._pool is not None:
            if kind is not None:
                self._stop.set()
            self._pool.shutdown(cancel_futures=True)

    def run(self, work: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """Yield the result of each task as it is done, in any order.

        Raises what the work raises, and OutputError where a process was ended from outside.
        """
        if self._pool is None:
            yield from self._alone(work, tasks)
            return
        try:
            waiting = {self._pool.submit(work, task) for task in tasks}
            while waiting:
                done, waiting = wait(waiting, OFTEN, FIRST_COMPLETED)
                self._report()
                for each in done:
                    yield each.result()
        except BrokenProcessPool:
            raise OutputError("a working process was ended from outside, perhaps for want of memory; run again with "
                              "fewer --workers: what is done is kept") from None

    def _alone(self, work: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        global _here  # noqa: PLW0603
        before, _here = _here, Watch(tell=self._progress)
        try:
            for task in tasks:
                yield work(task)
        finally:
            _here = before

    def _report(self) -> None:
        now = self._done.value
        self._progress(now - self._told)
        self._told = now
