"""Ctrl-C while a run goes on."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


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
