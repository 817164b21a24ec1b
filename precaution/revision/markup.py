"""Marked-up text as lines: one for each paragraph, heading, list item or row of a table, spaces made single."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

from precaution.revision.xml_input import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

_BLOCKS = frozenset(
    (
        *(
            "p",
            "div",
            "li",
            "ul",
            "ol",
            "dl",
            "dt",
            "dd",
            "tr",
            "table",
            "thead",
            "tbody",
            "tfoot",
            "caption",
            "br",
            "hr",
        ),
        *("h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "section", "pre"),
        *("paragraph", "list", "item", "title", "text"),
    )
)
"""Elements of HTML, and of the text of an SPL document, that stand on lines of their own."""
_CELLS = frozenset(("td", "th"))
_SILENT = frozenset(("script", "style", "head", "renderMultiMedia"))


class _Lines(HTMLParser):
    """Collects lines from HTML, or from elements that are walked."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._line: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        self._silent += tag in _SILENT
        self._edge(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        del attrs
        self._edge(tag)

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in _SILENT))
        self._edge(tag)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._line.append(data)

    def walk(self, element: Element) -> None:
        """Take an element with all that stands in it."""
        name = name_of(element)
        if name in _SILENT:
            return
        self._edge(name)
        self.handle_data(element.text or "")
        for each in element:
            self.walk(each)
            self.handle_data(each.tail or "")
        self._edge(name)

    def done(self) -> str:
        """Return the lines."""
        self._break()
        return "\n".join(self.lines)

    def _edge(self, tag: str) -> None:
        if tag in _CELLS:
            self._line.append(" ")
        elif tag in _BLOCKS:
            self._break()

    def _break(self) -> None:
        line = " ".join("".join(self._line).split())
        self._line.clear()
        if line:
            self.lines.append(line)


def lines_of_html(markup: str) -> str:
    """Return the text of HTML, a line for each block."""
    found = _Lines()
    found.feed(markup)
    found.close()
    return found.done()


def lines_of_elements(elements: Iterator[Element] | list[Element]) -> str:
    """Return the text of XML elements, a line for each block."""
    found = _Lines()
    for each in elements:
        found.walk(each)
    return found.done()
