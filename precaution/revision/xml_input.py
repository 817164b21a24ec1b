"""XML from outside, without what could harm: no document type, so no entities that grow or fetch."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.parsers import expat

from precaution.errors import InputError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

DEEPEST = 200
"""Levels of elements; a label's text has some twenty."""


def root_of(data: bytes, where: str) -> Element:
    """Return the root element of an XML document; `where` is what errors call it.

    Raises InputError where it is no XML, has a document type (it may define entities), or is nested too deeply.
    """
    _refuse_types(data, where)
    try:
        return ElementTree.fromstring(data)  # noqa: S314  # it has no document type, so no entities
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise _broken(where, error) from None


def _refuse_types(data: bytes, where: str) -> None:
    """Look at the document once before anything is built of it."""
    parser = expat.ParserCreate()
    depth = 0

    def doctype(*_: object) -> None:
        raise InputError(f"{where} has a document type (<!DOCTYPE>), which may define entities; take it out")

    def begin(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise InputError(f"{where} has elements more than {DEEPEST} levels deep; that is no label's text")

    def end(_: object) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise _broken(where, error) from None


def _broken(where: str, error: Exception) -> InputError:
    line = getattr(error, "lineno", 0)
    return InputError(f"{where} can't be read as XML{f': it breaks at line {line}' if line else ''}")


def name_of(element: Element) -> str:
    """Return an element's name without its namespace; an empty string for a comment."""
    tag: object = element.tag  # a function, for a comment
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: Element, name: str) -> list[Element]:
    """Return the elements of a name that stand directly in another, whatever their namespace."""
    return [each for each in element if name_of(each) == name]


def child(element: Element | None, name: str) -> Element | None:
    """Return the first element of a name that stands directly in another; None where there is none."""
    return next(iter(children(element, name)), None) if element is not None else None
