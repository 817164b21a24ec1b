"""Sections of an SPL document, as the FDA publishes labels: HL7 v3 XML, sections with LOINC codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.errors import InputError
from precaution.revision.markup import lines_of_elements
from precaution.revision.sections import Document, Heading, TextSection, titled
from precaution.revision.xml_input import child, children, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element


def sections_of_spl(root: Element, where: str) -> Document:
    """Return the sections of an SPL document. Raises InputError where it has none."""
    body = child(child(root, "component"), "structuredBody")
    language = child(root, "languageCode")
    found: list[TextSection] = []
    for section in _inner(body):
        _add(section, (), found)
    if not found:
        raise InputError(f"{where} is no SPL document: it has no section in component/structuredBody")
    return Document(tuple(found), language.get("code", "") if language is not None else "")


def _inner(element: Element | None) -> Iterator[Element]:
    for component in children(element, "component") if element is not None else ():
        yield from children(component, "section")


def _add(section: Element, above: tuple[Heading, ...], found: list[TextSection]) -> None:
    code = child(section, "code")
    title = lines_of_elements(children(section, "title")).replace("\n", " ")
    heading = Heading((code.get("code", ""),) if code is not None else (), title)
    lines = lines_of_elements([each for each in section if name_of(each) == "text"])
    found.append(TextSection(len(found), heading, above, titled(title, lines)))
    for inner in _inner(section):
        _add(inner, (*above, heading), found)
