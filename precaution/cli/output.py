"""Printing: colour only on a terminal, ASCII where the output has nothing else, quiet when nobody reads on."""

from __future__ import annotations

import os
import re
import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLOURS = {"■": "red", "▲": "yellow", "?": "magenta", "○": "cyan", "●": "green"}
_STATUS = re.compile(r"(?m)(^|: )([■▲?○●] [a-zA-Z]+(?: [a-zA-Z0-9()]+)*)")


def emit(text: str) -> None:
    """Print `text` to stdout; shapes and their words are coloured on a terminal, unless NO_COLOR is set."""
    try:
        click.echo(_painted(text) if _wants_colour() else _encodable(text), nl=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (`| head`) has all it wants. Python would complain once more while it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def writing(where: str) -> Iterator[None]:
    """Turn what goes wrong while files are written into an OutputError that names `where` they were to go."""
    from precaution.errors import OutputError

    try:
        yield
    except OSError as error:
        raise OutputError(f"{where} can't be written: {error.strerror}") from None


def terminal_width() -> int:
    """Return how many characters a line of the terminal has; 0 where stdout is none, so that nothing is cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def _wants_colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and _is_unicode()


def _is_unicode() -> bool:
    try:
        "■▲○●×≥".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _encodable(text: str) -> str:
    if _is_unicode():
        return text
    from precaution.writers.layout import in_ascii

    return in_ascii(text)


def _painted(text: str) -> str:
    return _STATUS.sub(lambda found: found[1] + click.style(found[2], fg=_COLOURS[found[2][0]], bold=True), text)
