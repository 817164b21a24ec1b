"""How far a long command is, in one line on a terminal; nothing where messages go to a file."""

from __future__ import annotations

import sys
from time import monotonic
from typing import TYPE_CHECKING, Self

import click

if TYPE_CHECKING:
    from collections.abc import Callable

_PAUSE = 0.25
"""Seconds from the first count of some things to the first line, and between two lines: what is short shows none."""
_MB = 1_000_000


class ProgressLine:
    """What is done, how fast, how long it will take. `with ProgressLine() as line` takes the line away at the end."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._what, self._since, self._last, self._drawn = "", 0.0, 0.0, False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawn:
            self._write("")

    def of(self, what: str) -> Callable[[int, int], None]:
        """Return what shows how many of some things are done, for something that only counts."""
        return lambda done, whole: self.show(what, done, whole)

    def show(self, what: str, done: int, whole: int) -> None:
        """Show that `done` of `whole` are done, four times a second at most; `bytes ...` are shown as megabytes."""
        now = monotonic()
        if what != self._what:
            self._what, self._since, self._last = what, now, now
        if self._terminal and now - self._last >= _PAUSE:
            self._last, self._drawn = now, True
            self._write(_line(what, done, whole, done / max(now - self._since, 1e-9)))

    def _write(self, text: str) -> None:
        click.echo(f"\r\x1b[K{text}", err=True, nl=False)


def _line(what: str, done: int, whole: int, rate: float) -> str:
    left = f", {_time((whole - done) / rate)} left" if rate and whole else ""
    unit, of = (_MB, " MB") if what.startswith("bytes ") else (1, "")
    done, whole, rate, what = done // unit, whole // unit, rate / unit, what.removeprefix("bytes ")
    return f"{done:,} of {whole:,}{of} {what}, {rate:,.0f}{of} a second{left}"


def _time(seconds: float) -> str:
    """Return a time to wait, short."""
    minutes = round(seconds / 60)
    if seconds < 100:
        return f"{seconds:,.0f} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes > 99 else f"{minutes} min"
