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
from typing import TYPE_CHECKING, Literal, NamedTuple

from precaution.readers.owner import KEYS, PLAIN_ID, UNREAD
from precaution.readers.plain import LOOKED_AT

if TYPE_CHECKING:
    from collections.abc import Callable

Says = Literal["patient", "report", "plain", "unread"]
"""What the lines are: see `owner.About`."""

_PLAIN = rb"[ !#-\[\]-\xff]*+"
"""Anything but quotes, backslashes and control characters; written so that it is compiled to one table."""
_TEXT = b'"' + _PLAIN + b'"'
_ESCAPED = b'"' + _PLAIN + rb'(?:\\["\\/bfnrt]' + _PLAIN + rb')*+"'
_NUMBER = rb"-?(?:0|[1-9][0-9]{0,17}+)(?:\.[0-9]{1,50}+)?+"
_ID = rb'"([A-Za-z0-9.\-]{1,128}+)"'
_PATIENT = b'"Patient/(' + PLAIN_ID.encode() + b')"'
_TOKEN = re.compile(rb'(\s*+)("(?:[^"\\]|\\.)*+"|[^\s"{}\[\]:,]++|[{}\[\]:,])', re.DOTALL)
_ANY_TEXT, _ANY_ESCAPED, _ANY_NUMBER, _ANY_ID, _ANY_PATIENT = (
    re.compile(each).fullmatch for each in (_TEXT, _ESCAPED, _NUMBER, _ID, _PATIENT))
_WORDS = bytes(set(range(256)) - set(b'"\\{}[]:,'))
"""What is taken out of a line to compare what is left with other lines."""
SEEN = 3
"""So many lines that look alike are parsed before their shape is taken: most looks of a program's lines come often."""
MOST = 1_000_000
"""Most bytes of all patterns together, which take a second to make; a source that needs more is no program's."""
TRIED = 32
"""Most shapes that a line is held against; of more those forgotten first that fitted longest ago."""
_ROOM = 50_000
_BUCKET = slice(17, 27)
"""Where lines that begin with `{"resourceType":"` differ first."""


class _Unusual(Exception):
    """A line of which no shape is taken."""


class Shape:
    """Lines of one resource type with the same keys in the same order."""

    __slots__ = ("fits", "key", "kind", "known", "looked_at", "name")

    def __init__(self, made: _Made, kind: str) -> None:
        """Compile what was made of a line."""
        self.kind = kind
        self.fits = re.compile(made.pattern).fullmatch
        self.key, self.name = made.key, made.name
        self.looked_at = made.looked_at
        """The groups of the values that decide what a line is; at least one."""
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
        shapes = self._by_start.get(line[_BUCKET], self._others)
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
            shape.known[found.group(*shape.looked_at)] = says

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
            made = _Making(line, kind).made()
        except _Unusual:
            return None
        self._size += len(made.pattern)
        shape = Shape(made, kind)
        found = shape.fits(line)
        same = made.same >= _BUCKET.stop
        shapes = self._by_start.setdefault(line[_BUCKET], []) if same else self._others
        shapes.insert(0, shape)
        del shapes[TRIED:]
        return (shape, found) if found is not None and _is_utf8(line) else None


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Made(NamedTuple):
    """A pattern, and what its groups are."""

    pattern: bytes
    key: int
    name: int
    """0 where the resource has no id."""
    looked_at: tuple[int, ...]
    """At least one, if only an empty one at the end."""
    same: int
    """So many bytes at the start are the same in all lines."""


class _Making:
    """Goes through the tokens of one line, which is strict JSON, and makes its pattern."""

    def __init__(self, line: bytes, kind: str) -> None:
        self._line, self._at, self._same = line, 0, len(line)
        self._looked_at = {each.encode() for each in LOOKED_AT.get(kind, ())}
        self._subject = KEYS.get(kind, "subject").encode()
        self._unread = kind in UNREAD
        self._groups = self._key = self._name = 0
        self._found: list[int] = []

    def made(self) -> _Made:
        """Return the pattern of the line. Raises _Unusual."""
        if b"\\u" in self._line or self._peek() != b"{":
            raise _Unusual
        pattern = self._object(self._top)
        if self._at != len(self._line) or not (self._key or self._unread):
            raise _Unusual
        looked_at = tuple(self._found) or (self._group(),)
        return _Made(pattern + b"()", self._key, self._name, looked_at, self._same)

    # Tokens

    def _token(self) -> re.Match[bytes]:
        found = _TOKEN.match(self._line, self._at)
        if found is None:
            raise _Unusual
        return found

    def _peek(self) -> bytes:
        return self._token()[2]

    def _next(self) -> bytes:
        """Take a token as it is, and return its pattern."""
        found = self._token()
        self._at = found.end()
        return re.escape(found[0])

    def _open(self, pattern: bytes) -> bytes:
        """Take a token for which any that fits `pattern` may stand."""
        found = self._token()
        self._at, self._same = found.end(), min(self._same, found.start(2))
        return re.escape(found[1]) + pattern

    # Values

    def _object(self, member: Callable[[bytes], bytes]) -> bytes:
        """Return the pattern of an object; `member` makes those of its values, by their keys."""
        parts = [self._next()]
        while (token := self._peek()) != b"}":
            if token == b",":
                parts.append(self._next())
            key = self._peek()
            if b"\\" in key:
                raise _Unusual
            parts += [self._next(), self._next(), member(key[1:-1])]
        return b"".join([*parts, self._next()])

    def _array(self, element: Callable[[], bytes]) -> bytes:
        """Return the pattern of an array: any number of elements such as it has, unless one of them is looked at."""
        before, start = self._groups, self._next()
        commas: list[bytes] = []
        elements: list[bytes] = []
        while (token := self._peek()) != b"]":
            commas.append(self._next() if token == b"," else b"")
            elements.append(element())
        end = self._next()
        if self._groups > before or len(set(commas[1:])) > 1 or not elements:
            return start + b"".join(comma + each for comma, each in zip(commas, elements, strict=True)) + end
        any_of = b"(?:" + b"|".join(dict.fromkeys(elements)) + b")"
        comma = commas[1] if len(commas) > 1 else b","
        return start + any_of + b"(?:" + comma + any_of + b")*+" + end

    def _value(self, _: bytes = b"") -> bytes:
        """Return the pattern of a value at which nothing looks: any of its type and structure."""
        token = self._peek()
        if token == b"{":
            return self._object(self._value)
        if token == b"[":
            return self._array(self._value)
        for fits, pattern in ((_ANY_TEXT, _TEXT), (_ANY_ESCAPED, _ESCAPED), (_ANY_NUMBER, _NUMBER)):
            if fits(token):
                return self._open(pattern)
        return self._next()

    def _group(self) -> int:
        self._groups += 1
        return self._groups

    def _kept(self) -> bytes:
        """Return the pattern of a value that is looked at, as a group."""
        self._found.append(self._group())
        return b"(" + self._value() + b")"

    def _named(self, fits: Callable[[bytes], object], pattern: bytes) -> tuple[int, bytes]:
        if not fits(self._peek()):
            raise _Unusual
        return self._group(), self._open(pattern)

    # Members

    def _top(self, name: bytes) -> bytes:
        """Return the pattern of a member of the resource itself."""
        if name == b"resourceType":
            return self._next()
        if self._unread:
            return self._value()
        if name == b"id":
            self._name, pattern = self._named(_ANY_ID, _ID)
            return pattern
        if name in self._looked_at:
            return self._kept()
        token = self._peek()
        if name == self._subject and token == b"{":
            return self._object(self._of_subject)
        if name == b"component":
            return self._array(self._component) if token == b"[" else self._component()
        return self._value()

    def _of_subject(self, name: bytes) -> bytes:
        if name != b"reference":
            return self._value()
        self._key, pattern = self._named(_ANY_PATIENT, _PATIENT)
        return pattern

    def _component(self) -> bytes:
        is_object = self._peek() == b"{"
        return self._object(lambda name: self._kept() if name == b"code" else self._value()) if is_object \
            else self._value()
