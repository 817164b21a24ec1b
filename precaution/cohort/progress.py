"""How far a run is."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str, int, int], object]
"""Is told what is done, how much, of how much."""


class Progress:
    """Adds up what is done, and tells it with its name and its whole."""

    def __init__(self, tell: Tell) -> None:
        """Tell `tell`."""
        self._tell = tell
        self.begin("", 0)

    def begin(self, what: str, whole: int) -> None:
        """Start to count something else, of which there is `whole`."""
        self._what, self._done, self._whole = what, 0, whole

    def add(self, amount: int) -> None:
        """Count `amount` as done, and tell it."""
        self._done += amount
        self._tell(self._what, min(self._done, self._whole), self._whole)
