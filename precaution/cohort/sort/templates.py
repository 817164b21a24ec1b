r"""Line templates: where a line goes is told by its bytes, for what was learned from one line holds for all like it.

Exporters write thousands of lines that differ in a few values only. The template of a line is a regular expression that
holds its keys and punctuation as they are, and leaves open the values. A line that fits it whole is strict JSON with
the same keys in the same order, so where it goes depends on the values that `Router` looks at and on nothing
else. These are taken out; the first line with the same ones was parsed, and tells for all that follow.

What is unusual has no template, and is parsed: a backslash in a key or a `\u` anywhere, a key twice, a number with an
exponent, a subject in another form than `Patient/id`.
"""

from __future__ import annotations

import re
from operator import methodcaller
from typing import TYPE_CHECKING

from precaution.cohort.sort.template_regex import NoTemplate, TemplateRegex, regex_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from precaution.cohort.sort.owner import Destination

_WORDS = bytes(set(range(256)) - set(b'"\\{}[]:,'))
"""What is taken out of a line to compare what is left with other lines."""
SEEN = 3
"""So many lines that look alike are parsed before a template is made: most looks of a program's lines come often."""
MOST = 1_000_000
"""Most bytes of all patterns together, which take a second to make; a source that needs more is no program's."""
TRIED = 32
"""Most templates that a line is held against; of more those forgotten first that fitted longest ago."""
_ROOM = 50_000
_FROM, _TO = 17, 27
"""Where lines that begin with `{"resourceType":"` differ first."""


class LineTemplate:
    """What lines of one resource type with the same keys in the same order have in common."""

    __slots__ = ("destinations", "fits", "key", "kind", "name", "values")

    def __init__(self, regex: TemplateRegex, kind: str) -> None:
        """Compile what was made of a line."""
        self.kind = kind
        self.fits = re.compile(regex.pattern).fullmatch
        self.key, self.name = regex.key, regex.name
        self.values: Callable[[re.Match[bytes]], object] = methodcaller("group", *regex.looked_at)
        """What takes the values that decide where a line goes out of a match."""
        self.destinations: dict[object, Destination] = {}
        """Where lines with these values go."""


class LineTemplates:
    """The templates of a source's lines, learned on the way."""

    def __init__(self) -> None:
        """Begin with none."""
        self._by_start: dict[bytes, list[LineTemplate]] = {}
        self._others: list[LineTemplate] = []
        """Those whose first bytes are not always the same."""
        self._seen: dict[int, int] = {}
        self._size = 0

    def match(self, line: bytes) -> tuple[LineTemplate, re.Match[bytes]] | None:
        """Return the template of a line, with what the line has of its own; None where it fits none."""
        templates = self._by_start.get(line[_FROM:_TO], self._others)
        for template in templates:
            if (found := template.fits(line)) is not None:
                if template is not templates[0]:  # lines of one template come together
                    templates.remove(template)
                    templates.insert(0, template)
                return (template, found) if line.isascii() or _is_utf8(line) else None
        return None

    def learn(self, line: bytes, kind: str, to: Destination) -> None:
        """Note what parsing showed: that `line` is of type `kind`, and goes to `to`.

        `to`: unread, or for a line that names its patient by `Patient/id` patient, report or irrelevant.
        """
        if (matched := self.match(line)) is None:
            matched = self._made(line, kind) if self._is_frequent(line) else None
        if matched is not None:
            template, found = matched
            if len(template.destinations) >= _ROOM:
                template.destinations.clear()
            template.destinations[template.values(found)] = to

    def _is_frequent(self, line: bytes) -> bool:
        if len(self._seen) >= _ROOM:
            self._seen.clear()
        looks = hash(line.translate(None, _WORDS))
        count = self._seen[looks] = self._seen.get(looks, 0) + 1
        times, rest = divmod(count, SEEN)  # what looks alike may have other keys: it is tried again, ever more seldom
        return not rest and times.bit_count() == 1 and self._size < MOST

    def _made(self, line: bytes, kind: str) -> tuple[LineTemplate, re.Match[bytes]] | None:
        """Make and keep the template of a line, if it has one."""
        try:
            regex = regex_of(line, kind)
            template = LineTemplate(regex, kind)
        except (NoTemplate, RecursionError):  # JSON may be nested deeper than functions may call each other
            return None
        self._size += len(regex.pattern)
        found = template.fits(line)
        same = regex.same >= _TO
        templates = self._by_start.setdefault(line[_FROM:_TO], []) if same else self._others
        templates.insert(0, template)
        del templates[TRIED:]
        return (template, found) if found is not None and _is_utf8(line) else None


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
