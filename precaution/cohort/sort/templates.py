r"""Lines told by their bytes: what was learned from one line is known of every line of the same shape.

Exporters write thousands of lines that differ in a few values only. The shape of a line is a regular expression that
holds its keys and punctuation as they are, and leaves open the values. A line that fits it whole is strict JSON with
the same keys in the same places, so where it belongs depends on the values that `Sorter` looks at and on nothing
else. These are taken out; the first line with the same ones was parsed, and tells for all that follow.

What is unusual has no shape, and is parsed: a backslash in a key or a `\u` anywhere, a key twice, a number with an
exponent, a subject in another form than `Patient/id`.
"""

from __future__ import annotations

import re
from operator import methodcaller
from typing import TYPE_CHECKING, Literal

from precaution.cohort.sort.template_regex import Made, Unusual, made_of

if TYPE_CHECKING:
    from collections.abc import Callable

Says = Literal["patient", "report", "plain", "unread"]
"""What the lines are: see `owner.About`."""

_WORDS = bytes(set(range(256)) - set(b'"\\{}[]:,'))
"""What is taken out of a line to compare what is left with other lines."""
SEEN = 3
"""So many lines that look alike are parsed before their shape is taken: most looks of a program's lines come often."""
MOST = 1_000_000
"""Most bytes of all patterns together, which take a second to make; a source that needs more is no program's."""
TRIED = 32
"""Most shapes that a line is held against; of more those forgotten first that fitted longest ago."""
_ROOM = 50_000
_FROM, _TO = 17, 27
"""Where lines that begin with `{"resourceType":"` differ first."""


class Shape:
    """Lines of one resource type with the same keys in the same order."""

    __slots__ = ("fits", "key", "kind", "known", "name", "values")

    def __init__(self, made: Made, kind: str) -> None:
        """Compile what was made of a line."""
        self.kind = kind
        self.fits = re.compile(made.pattern).fullmatch
        self.key, self.name = made.key, made.name
        self.values: Callable[[re.Match[bytes]], object] = methodcaller("group", *made.looked_at)
        """What takes the values that decide what a line is out of a match."""
        self.known: dict[object, Says] = {}
        """What lines with these values are."""


class Shapes:
    """The shapes of a source's lines, learned on the way."""

    def __init__(self) -> None:
        """Know none."""
        self._by_start: dict[bytes, list[Shape]] = {}
        self._others: list[Shape] = []
        """Those whose first bytes are not always the same."""
        self._seen: dict[int, int] = {}
        self._size = 0

    def of(self, line: bytes) -> tuple[Shape, re.Match[bytes]] | None:
        """Return the shape of a line, with what the line has of its own; None where it fits none that is known."""
        shapes = self._by_start.get(line[_FROM:_TO], self._others)
        for shape in shapes:
            if (found := shape.fits(line)) is not None:
                if shape is not shapes[0]:  # lines of one shape come together
                    shapes.remove(shape)
                    shapes.insert(0, shape)
                return (shape, found) if line.isascii() or _is_utf8(line) else None
        return None

    def learn(self, line: bytes, kind: str, says: Says) -> None:
        """Note what parsing showed: that `line` is of type `kind`, and a patient's by `Patient/id`, or unread."""
        if (known := self.of(line)) is None:
            known = self._taken(line, kind) if self._is_frequent(line) else None
        if known is not None:
            shape, found = known
            if len(shape.known) >= _ROOM:
                shape.known.clear()
            shape.known[shape.values(found)] = says

    def _is_frequent(self, line: bytes) -> bool:
        if len(self._seen) >= _ROOM:
            self._seen.clear()
        looks = hash(line.translate(None, _WORDS))
        count = self._seen[looks] = self._seen.get(looks, 0) + 1
        times, rest = divmod(count, SEEN)  # what looks alike may have other keys: it is tried again, ever more seldom
        return not rest and times.bit_count() == 1 and self._size < MOST

    def _taken(self, line: bytes, kind: str) -> tuple[Shape, re.Match[bytes]] | None:
        """Make and keep the shape of a line, if it has one."""
        try:
            made = made_of(line, kind)
            shape = Shape(made, kind)
        except (Unusual, RecursionError):  # JSON may be nested deeper than functions may call each other
            return None
        self._size += len(made.pattern)
        found = shape.fits(line)
        same = made.same >= _TO
        shapes = self._by_start.setdefault(line[_FROM:_TO], []) if same else self._others
        shapes.insert(0, shape)
        del shapes[TRIED:]
        return (shape, found) if found is not None and _is_utf8(line) else None


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
