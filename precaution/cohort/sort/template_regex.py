"""The regular expression of a line template: every line with the same keys in the same order fits it.

What is looked at is taken out as groups; what is not may be anything of its type. A line that fits is strict JSON, as
the one was from which the pattern was made, for it differs from that in plain values only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from precaution.cohort.sort.irrelevant import LOOKED_AT, OF_A_COMPONENT
from precaution.cohort.sort.owner import PLAIN_ID, UNREAD
from precaution.readers.resource_types import subject_key

if TYPE_CHECKING:
    from collections.abc import Callable

_PLAIN = rb"[ !#-\[\]-\xff]*+"
"""Anything but quotes, backslashes and control characters; written so that it is compiled to one table."""
_TEXT = b'"' + _PLAIN + b'"'
_ESCAPED = b'"' + _PLAIN + rb'(?:\\["\\/bfnrt]' + _PLAIN + rb')*+"'
_NUMBER = rb"-?(?:0|[1-9][0-9]{0,17}+)(?:\.[0-9]{1,50}+)?+"
_ID = rb'"([A-Za-z0-9.\-]{1,128}+)"'
_PATIENT = b'"Patient/(' + PLAIN_ID.encode() + b')"'
_TOKEN = re.compile(rb'(\s*+)("(?:[^"\\]|\\.)*+"|[^\s"{}\[\]:,]++|[{}\[\]:,])', re.DOTALL)
_ANY_TEXT, _ANY_ESCAPED, _ANY_NUMBER, _ANY_ID, _ANY_PATIENT = (
    re.compile(each).fullmatch for each in (_TEXT, _ESCAPED, _NUMBER, _ID, _PATIENT)
)


LONGEST = 32 * 1024
"""Bytes; a pattern is about as long as its line, and takes a microsecond a byte to compile."""


class NoTemplate(Exception):
    """A line of which no template is made."""


class TemplateRegex(NamedTuple):
    """A pattern, and what its groups are."""

    pattern: bytes
    key: int
    name: int
    """0 where the resource has no id."""
    looked_at: tuple[int, ...]
    """At least one, if only an empty one at the end."""
    same: int
    """So many bytes at the start are the same in all lines."""


def regex_of(line: bytes, kind: str) -> TemplateRegex:
    """Return the pattern of a line that is strict JSON, a resource of type `kind`. Raises NoTemplate."""
    return _RegexBuilder(line, kind).built()


class _RegexBuilder:
    """Goes through the tokens of one line, which is strict JSON, and makes its pattern."""

    def __init__(self, line: bytes, kind: str) -> None:
        self._line, self._at, self._same = line, 0, len(line)
        self._of_component = {each.encode() for each in OF_A_COMPONENT}
        self._looked_at = {each.encode() for each in LOOKED_AT.get(kind, ())}
        self._subject = subject_key(kind).encode()
        self._unread = kind in UNREAD
        self._groups = self._key = self._name = 0
        self._found: list[int] = []

    def built(self) -> TemplateRegex:
        """Return the pattern of the line. Raises NoTemplate."""
        if len(self._line) > LONGEST or b"\\u" in self._line or self._peek() != b"{":
            raise NoTemplate
        pattern = self._object(self._top)
        if self._at != len(self._line) or not (self._key or self._unread):
            raise NoTemplate
        looked_at = tuple(self._found) or (self._group(),)
        return TemplateRegex(pattern + b"()", self._key, self._name, looked_at, self._same)

    # Tokens

    def _token(self) -> re.Match[bytes]:
        found = _TOKEN.match(self._line, self._at)
        if found is None:
            raise NoTemplate
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
                raise NoTemplate
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
        # each element stands here once, or nested arrays would double the pattern at each level
        return start + b"(?:" + any_of + b"(?:" + comma + rb"(?!\s*+\])|(?=" + end + b")))++" + end

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
            raise NoTemplate
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
        return (
            self._object(lambda name: self._kept() if name in self._of_component else self._value())
            if is_object
            else self._value()
        )
