"""Sections of a product information as FHIR: a Composition, alone or in a Bundle, as JSON or as XML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from precaution.errors import InputError
from precaution.revision.markup import lines_of_html
from precaution.revision.sections import Document, Heading, TextSection, titled
from precaution.revision.xml_input import child, children, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

Section = dict[str, Any]
"""A section in the form that JSON has: title, codes, language, the markup of its text, and the sections in it."""


def sections_of_json(values: Sequence[object], where: str) -> Document:
    """Return the sections of a FHIR document in JSON. Raises InputError where it is none."""
    resource = values[0] if len(values) == 1 else None
    if not isinstance(resource, dict) or resource.get("resourceType") not in ("Bundle", "Composition"):
        raise InputError(f"{where} is JSON, but neither a FHIR Bundle nor a Composition, so no product information")
    inside = [_dict(_dict(entry).get("resource")) for entry in _list(resource.get("entry"))]
    found = [each for each in (resource, *inside) if each.get("resourceType") == "Composition"]
    composition = _only(found, where)
    sections = [_from_json(_dict(each)) for each in _list(composition.get("section"))]
    return _document(sections, str(composition.get("language") or resource.get("language") or ""), where)


def sections_of_xml(root: Element, where: str) -> Document:
    """Return the sections of a FHIR document in XML. Raises InputError where it is none."""
    resources = [each for entry in children(root, "entry") for each in (child(entry, "resource") or ())]
    found = [each for each in (root, *resources) if name_of(each) == "Composition"]
    composition = _only(found, where)
    sections = [_from_xml(each) for each in children(composition, "section")]
    return _document(sections, _value(composition, "language") or _value(root, "language"), where)


def _only(found: list[Any], where: str) -> Any:
    if len(found) != 1:
        many = f"{len(found)} of them" if found else "none"
        raise InputError(f"{where}: a product information has one Composition, with its sections; here is {many}")
    return found[0]


def _from_json(section: Section) -> Section:
    codings = _list(_dict(section.get("code")).get("coding"))
    return {
        "title": str(section.get("title") or _dict(section.get("code")).get("text") or ""),
        "codes": [str(_dict(coding).get("code", "")) for coding in codings],
        "markup": str(_dict(section.get("text")).get("div") or ""),
        "inner": [_from_json(_dict(each)) for each in _list(section.get("section"))],
    }


def _from_xml(section: Element) -> Section:
    code = child(section, "code")
    div = child(child(section, "text"), "div")
    return {
        "title": _value(section, "title") or (_value(code, "text") if code is not None else ""),
        "codes": [_value(coding, "code") for coding in (children(code, "coding") if code is not None else ())],
        "markup": _html(div) if div is not None else "",
        "inner": [_from_xml(each) for each in children(section, "section")],
    }


def _html(div: Element) -> str:
    """Return an element as HTML, its names without a namespace."""
    for each in div.iter():
        if isinstance(each.tag, str):
            each.tag = name_of(each)
    div.tail = None
    return ElementTree.tostring(div, encoding="unicode", method="html")


def _value(element: Element, name: str) -> str:
    found = child(element, name)
    return found.get("value", "") if found is not None else ""


def _document(sections: Sequence[Section], language: str, where: str) -> Document:
    found: list[TextSection] = []
    for section in sections:
        _add(section, (), found)
    if not found:
        raise InputError(f"{where}: its Composition has no sections")
    return Document(tuple(found), language)


def _add(section: Section, above: tuple[Heading, ...], found: list[TextSection]) -> None:
    title = " ".join(section["title"].split())
    heading = Heading(tuple(filter(None, section["codes"])), title)
    text = titled(title, lines_of_html(section["markup"]))
    found.append(TextSection(len(found), heading, above, text))
    for inner in section["inner"]:
        _add(inner, (*above, heading), found)


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
