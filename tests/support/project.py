"""Where the project and the data beside it are, and what a test needs of the machine."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


SHARED = PROJECT.parent / "shared"


def needs(there: object, what: str) -> None:
    """Skip the test where something that a user's machine need not have is not there; fail in continuous integration,
    which installs it: a test that is never run proves nothing."""
    if not there:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{what} is not here")


def heed_interrupts() -> None:
    """Begin a process that heeds Ctrl-C: a shell tells what it starts in the background to ignore it, tests too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
