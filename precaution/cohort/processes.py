"""Work in several processes: progress counted in common, Ctrl-C heeded, stopped together, none left behind."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from precaution.cohort.run_lock import join
from precaution.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType, TracebackType

    from precaution.cohort.label_source import LabelSource

Given = TypeVar("Given")
Result = TypeVar("Result")
OFTEN = 0.25
"""Seconds between two reports of progress."""
BEGIN = "forkserver" if sys.platform == "linux" else "spawn"
"""How processes begin: forked from one that has the modules already but no threads and none of our memory."""
PRELOAD = "PRECAUTION_PRELOAD_LABEL"
"""The variable of the environment that names the labels to load, see `precaution.cohort.preload`."""
_MODULES = ("precaution.cohort.deciding_fhir", "precaution.cohort.sort.lines")
_MAIN = "precaution.cli"
"""What workers load again where the command line began the run."""
_OBJECTS = 200_000
"""So many new objects between two searches for cyclic garbage: records are large, and hold none."""


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


def preload(workers: int, labels: Sequence[LabelSource] = (), modules: Sequence[str] = ()) -> None:
    """Begin to load what several processes need: our modules, `modules` and the labels; return at once.

    It is done once in the life of a process. Workers that need another label load it themselves.
    """
    if workers > 1 and BEGIN == "forkserver":
        from multiprocessing import forkserver  # noqa: PLC0415 - is not there on every system

        main = [_MAIN] if _MAIN in sys.modules else []
        multiprocessing.set_forkserver_preload([*_MODULES, *main, *modules, "precaution.cohort.preload"])
        with _environment(labels):
            forkserver.ensure_running()


@contextmanager
def _environment(labels: Sequence[LabelSource]) -> Iterator[None]:
    """Name the labels to a process that begins meanwhile."""
    if labels:
        named = [[each.folder, str(each.policy or ""), [str(path) for path in each.codes]] for each in labels]
        os.environ[PRELOAD] = json.dumps(named)
    try:
        yield
    finally:
        os.environ.pop(PRELOAD, None)


class _NoPandas:
    """Finds no pandas, where others would look for it."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        """Refuse pandas and leave everything else to others."""
        if name == "pandas":
            raise ModuleNotFoundError(f"{name} is kept out of this process", name=name)


def keep_out_pandas() -> None:
    """In a process of our own, have pyarrow believe that there is no pandas.

    It would load it, in 0.2 seconds, to see whether what it is given comes from there; here nothing does.
    """
    sys.meta_path.insert(0, _NoPandas)


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _begin(stop: Any, done: Any, work: Path | None, environment: Mapping[str, str]) -> None:
    """Begin a worker: Ctrl-C is for the parent, and a worker ends with it.

    `environment` is the parent's of now: the process that a worker is forked from may be older.
    """
    global _here  # noqa: PLW0603 - one for each process is what is meant
    _here = Watch(stop, done)
    keep_out_pandas()
    os.environ.update(environment)
    gc.freeze()
    gc.set_threshold(_OBJECTS, *gc.get_threshold()[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if work is not None:
        join(work)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class Interrupts:
    """Ctrl-C, heeded even where it comes at a bad moment.

    Python raises KeyboardInterrupt wherever it is; what clears up after an object swallows it, and the run would go on.
    """

    def __init__(self) -> None:
        """Take over from Python where it is Python's own handler that is there; another program's is left alone."""
        main = threading.current_thread() is threading.main_thread()
        self._before = signal.getsignal(signal.SIGINT) if main else None
        self._came = False
        if self._before is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._interrupted)

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        self._came = True
        signal.default_int_handler(number, frame)

    def heed(self) -> None:
        """Raise KeyboardInterrupt if there was one."""
        if self._came:
            raise KeyboardInterrupt

    def end(self) -> None:
        """Hand back to Python."""
        if self._before is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._before)


class Processes:
    """Runs tasks in `workers` processes; with one worker in this process itself."""

    def __init__(
        self,
        workers: int,
        progress: Callable[[int], object] = lambda _: None,
        work: Path | None = None,
        labels: Sequence[LabelSource] = (),
    ) -> None:
        """Report to `progress` how much is newly done. `work`: the folder in which the processes are to be seen at
        work, see `run_lock`. `labels`: what they will decide by."""
        self._progress = progress
        self._pool: ProcessPoolExecutor | None = None
        self._reported = 0
        self._interrupts = Interrupts()
        if workers > 1:
            preload(workers, labels)
            context = multiprocessing.get_context(BEGIN)
            self._stop, self._done = context.Event(), context.Value("q", 0)
            begin = (self._stop, self._done, work, dict(os.environ))
            self._pool = ProcessPoolExecutor(workers, context, _begin, begin)

    def __enter__(self) -> Processes:
        """Start nothing yet; processes start with the first task."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes; after an error without waiting for what has not begun."""
        if self._pool is not None:
            if kind is not None:
                self._stop.set()
            self._pool.shutdown(cancel_futures=True)
        self._interrupts.end()

    def run(self, work: Callable[[Given], Result], tasks: Sequence[Given]) -> Iterator[Result]:
        """Yield the result of each task as it is done, in any order.

        Raises what the work raises, and OutputError where a process was ended from outside.
        """
        if self._pool is None:
            yield from self._in_this_process(work, tasks)
            return
        try:
            waiting = {self._pool.submit(work, task) for task in tasks}
            while waiting:
                done, waiting = wait(waiting, OFTEN, FIRST_COMPLETED)
                self._interrupts.heed()
                self._report()
                for each in done:
                    yield each.result()
        except BrokenProcessPool:
            raise OutputError(
                "a working process was ended from outside, perhaps for want of memory; run again with "
                "fewer --workers: what is done is kept"
            ) from None

    def _in_this_process(self, work: Callable[[Given], Result], tasks: Sequence[Given]) -> Iterator[Result]:
        global _here  # noqa: PLW0603
        before, _here = _here, Watch(tell=self._tell)
        try:
            with _seldom_collecting():
                for task in tasks:
                    yield work(task)
        finally:
            _here = before

    def _tell(self, amount: int) -> None:
        self._interrupts.heed()
        self._progress(amount)

    def _report(self) -> None:
        now = self._done.value
        self._progress(now - self._reported)
        self._reported = now
