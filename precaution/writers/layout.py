"""Words, symbols and columns that all text output shares.

A status is always a symbol and a word (`■ do not start`), so that colour is never needed to read it.
"""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WIDTH = 100
NOTE = "Supports a clinician's decision and makes none; not a certified medical device."

STOP, CAUTION, MISSING, DUE, CLEAR, NOTHING = "■", "▲", "?", "○", "●", "-"
SYMBOLS: Mapping[str, str] = {
    "discontinue": STOP,
    "do-not-start": STOP,
    "interrupt": STOP,
    "stay-interrupted": STOP,
    "specialist-first": STOP,
    "only-if-no-alternative": STOP,
    "screen": MISSING,
    "obtain": MISSING,
    "unknown": MISSING,
    "due": DUE,
    "overdue": DUE,
    "upcoming": DUE,
    "clear": CLEAR,
    "may-resume": CLEAR,
    "done": CLEAR,
    "": NOTHING,
}
"""action or state = symbol; any other action is a caution. An attested one is a caution as well."""

_ASCII = str.maketrans(
    {
        STOP: "#",
        CAUTION: "!",
        DUE: "o",
        CLEAR: "*",
        "×": "x",
        "≥": ">=",
        "≤": "<=",
        "µ": "u",
        "⁹": "^9",
        "³": "^3",
        "·": "-",
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
        "–": "-",
        "—": "-",
        "…": "...",
        "→": "->",
        "≠": "!=",
    }
)


def in_ascii(text: str) -> str:
    """Return `text` for an output that only has ASCII; a character without a likeness becomes `?`."""
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")


def symbol(action: str, *, attested: bool = False) -> str:
    """Return the symbol that stands before an action's words."""
    return CAUTION if attested else SYMBOLS.get(action, CAUTION)


def in_words(action: str, *, attested: bool = False) -> str:
    """Return the name of an action, or another name, in words: `do not start`."""
    return action.replace("-", " ") + (" (attested)" if attested else "")


def status(action: str, *, attested: bool = False) -> str:
    """Return the symbol and the words of an action: `■ do not start`."""
    return f"{symbol(action, attested=attested)} {in_words(action, attested=attested)}"


def folded(text: str, *, indent: int = 0, first: str | None = None, width: int = WIDTH) -> list[str]:
    """Return `text` as lines of at most `width` columns, indented; `first` stands in place of the first indent."""
    lines = wrap(text, width - indent, break_long_words=False, break_on_hyphens=False) or [""]
    head = " " * indent if first is None else first.ljust(indent)
    return [f"{head if number == 0 else ' ' * indent}{line}".rstrip() for number, line in enumerate(lines)]


def columns(first: str, text: str, right: str, *, left: int = 26, width: int = WIDTH) -> list[str]:
    """Return three columns in one line; where that is too long, `right` follows `text` over several lines."""
    if len(first) >= left:
        return [first, *columns("", text, right, left=left, width=width)]
    room = width - left
    if len(text) + 2 + len(right) <= room:
        return [f"{first:<{left - 1}} {text}{' ' * (room - len(text) - len(right))}{right}".rstrip()]
    return folded(f"{text}  {right}" if right else text, indent=left, first=f"{first:<{left - 1}} ", width=width)


def listed(words: Iterable[str], *, last: str = "and") -> str:
    """Return `a, b and c`."""
    *most, final = list(words) or [""]
    return f"{', '.join(most)} {last} {final}" if most else final


def counted(number: int, one: str, many: str = "") -> str:
    """Return `1 entry`, `3 entries`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
