"""The sections of a label's document, each with its own text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Heading(NamedTuple):
    """What a section is called: the codes that a document gives it, and its title."""

    codes: tuple[str, ...]
    title: str

    def is_called(self, name: str) -> bool:
        """Whether `name` is one of the codes, the title, or the number at its beginning (`4.4`)."""
        return name in self.codes or name == self.title or name == self.title.partition(" ")[0].rstrip(".")


@dataclass(frozen=True, slots=True)
class TextSection:
    """A section of a document, without those in it: they follow it, each by itself."""

    number: int
    """Its place in the document, from 0."""
    heading: Heading
    above: tuple[Heading, ...]
    """The sections that it stands in, outermost first."""
    text: str
    """Its title, then its lines."""

    @property
    def depth(self) -> int:
        """In how many sections it stands."""
        return len(self.above)

    def is_called(self, name: str) -> bool:
        """Whether this is the section of a code, a title or a number."""
        return self.heading.is_called(name)

    def is_under(self, name: str) -> bool:
        """Whether it stands in the section of that code, title or number."""
        return any(heading.is_called(name) for heading in self.above)

    def shown(self) -> str:
        """Return code and title, as a message shows them."""
        return " ".join(filter(None, (*self.heading.codes[:1], self.heading.title or "(no title)")))


class Document(NamedTuple):
    """The sections of a document in their order, and its language."""

    sections: tuple[TextSection, ...]
    language: str = ""


def titled(title: str, lines: str) -> str:
    """Return a section's lines with its title first, unless they begin with it."""
    return lines if not title or lines.partition("\n")[0] == title else f"{title}\n{lines}".rstrip("\n")
