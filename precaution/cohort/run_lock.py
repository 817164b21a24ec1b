"""One run at a time in a folder of results: what a killed run left alive is waited for.

The lock is the system's own (flock) on the folder itself, so it ends with its process however that ends, and leaves no
file behind. Workers hold it together, by a shared lock, which libraries of file locks do not have. On a network folder
it may hold on one machine only; on Spark a token guards that, see `precaution.cohort.spark.tasks`.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from precaution.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_locks: Any = import_module("fcntl") if find_spec("fcntl") else None
"""Windows has none; there nothing is held."""
WAIT = 30.0
"""Most seconds to wait for the working processes of a run that was killed: each ends by itself, at once."""
_BUSY = "another run is at work in '{}'; wait until it has ended, or give another folder"


@contextmanager
def run_lock(out: Path, work: Path) -> Iterator[None]:
    """Hold the folder `out` for this run, and wait until no process works in `work`, which is a part of it.

    Raises UsageError where another run holds it. Where the file system has no locks nothing is held.
    """
    held = _opened(out)
    try:
        if held is not None and not _locked(held, exclusive=True):
            raise UsageError(_BUSY.format(out))
        _wait(out, work)
        yield
    finally:
        if held is not None:
            os.close(held)


def join(work: Path) -> None:
    """Let it be known, for as long as this process lives, that it works in `work`."""
    if (opened := _opened(work)) is not None:
        _locked(opened, exclusive=False)


def _wait(out: Path, work: Path) -> None:
    if (used := _opened(work)) is None:
        return
    try:
        until = time.monotonic() + WAIT
        while not _locked(used, exclusive=True):
            if time.monotonic() > until:
                raise UsageError(_BUSY.format(out))
            time.sleep(0.02)
    finally:
        os.close(used)


def _opened(folder: Path) -> int | None:
    return os.open(folder, os.O_RDONLY) if _locks is not None and folder.is_dir() else None


def _locked(opened: int, *, exclusive: bool) -> bool:
    """Lock an opened folder; False where another process holds it."""
    try:
        _locks.flock(opened, (_locks.LOCK_EX if exclusive else _locks.LOCK_SH) | _locks.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
