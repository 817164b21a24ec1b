"""Edits of a label's files in place, so that comments and order stay: each sentence is known by its `exact`."""

from __future__ import annotations

import re

from precaution.errors import KnowledgeError

_MARKS = r'(?:\n|,?[ \t]*)suspect = "changed"(?:\n|,[ \t]*)was = "[^"\n]*"'


def marked(text: str, exact: str, now: str, marks: dict[str, str]) -> str:
    """Return a file with another `exact` for a sentence, and further keys behind it.

    Raises KnowledgeError where the sentence does not stand there once.
    """
    line = _where(text, exact)
    own_line = text[: line.start()].endswith("\n") and text[line.end() :].lstrip(" \t").startswith(("\n", "#"))
    between = "\n" if own_line else ", "
    keys = "".join(f'{between}{key} = "{value}"' for key, value in marks.items())
    return f'{text[: line.start()]}exact = "{now}"{keys}{text[line.end() :]}'


def unmarked(text: str, exact: str) -> str:
    """Return a file in which the sentence is no longer marked. Raises KnowledgeError where it can't be done."""
    line = _where(text, exact)
    found = re.compile(_MARKS).match(text, line.end())
    if found is None:
        raise KnowledgeError(
            f"the keys suspect and was of the sentence '{exact[:20]}...' do not follow exact; take them out by hand"
        )
    return text[: found.start()] + text[found.end() :]


def _where(text: str, exact: str) -> re.Match[str]:
    found = list(re.finditer(rf'exact\s*=\s*["\']{re.escape(exact)}["\']', text))
    if len(found) != 1:
        raise KnowledgeError(
            f"the sentence '{exact[:20]}...' stands {len(found)} times in its file; it can't be edited"
        )
    return found[0]


def quoted(words: str) -> str:
    """Return words as a TOML string."""
    escaped = words.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in escaped) + '"'
