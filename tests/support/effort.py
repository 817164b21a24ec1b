"""How much a test tries: little while a developer waits, much in continuous integration and by `make test-all`."""

from __future__ import annotations

import os

THOROUGH = bool(os.environ.get("CI") or os.environ.get("THOROUGH"))


def tries(quick: int, thorough: int) -> int:
    """Return how many random inputs, kills or calls a test makes: `quick` for a developer, `thorough` otherwise."""
    return thorough if THOROUGH else quick
