"""The service's log in tests: switched on for a while, and put back as it was."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from precaution.service import logs

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def logged(level: str) -> Iterator[None]:
    """Log to standard error from a level on, as the service does, while the block runs."""
    root = logging.getLogger()
    handlers, before = list(root.handlers), root.level
    configured = structlog.get_config()
    logs.set_up(level)
    try:
        yield
    finally:
        root.handlers, root.level = handlers, before
        structlog.configure(**configured)
