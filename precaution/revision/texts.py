"""Reads a label's text: plain text, a product information as a FHIR document (JSON or XML), an SPL document (XML).

Of a document the lines of its sections are taken, a title before each. Plain text is taken as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from precaution.errors import InputError, UsageError
from precaution.readers.json_input import parsed
from precaution.revision.fhir_document import sections_of_json, sections_of_xml
from precaution.revision.sections import TextSection
from precaution.revision.spl_document import sections_of_spl
from precaution.revision.xml_input import name_of, root_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from precaution.revision.sections import Document

_XML = re.compile(rb"<[?!A-Za-z]")
LARGEST = 50 * 1024 * 1024
"""Most bytes of a text: the largest product information has some two megabytes."""


@dataclass(frozen=True, slots=True)
class LabelText:
    """A label's text, read."""

    text: str
    where: str
    """The file, as messages name it."""
    language: str = ""
    """As the document says it: `en`, `de-AT`; empty where it does not."""
    sections: tuple[TextSection, ...] = ()
    """The sections of which `text` is made; empty for plain text."""
    left_out: tuple[TextSection, ...] = ()
    """The sections of the document that are not in `text`."""


def read_text(path: Path, sections: Sequence[str] = ()) -> LabelText:
    """Return the text in a file; of a document only `sections`, by code or number (`4.4`), or all where none is named.

    Raises InputError where it can't be read or holds no text, UsageError for a section that it does not have.
    """
    data = _bytes(path)
    document = _document(data, path.name)
    if document is not None:
        return _chosen(document, path.name, sections)
    if sections:
        raise UsageError(f"{path.name} is plain text, which has no sections: leave --section out")
    return LabelText(_plain(data, path.name), path.name)


def of_sections(text: LabelText, taken: Sequence[TextSection]) -> LabelText:
    """Return a document's text with `taken` of its sections alone."""
    every = sorted((*text.sections, *text.left_out), key=lambda section: section.number)
    kept = tuple(section for section in every if section in taken)
    rest = tuple(section for section in every if section not in taken)
    return LabelText("\n".join(section.text for section in kept), text.where, text.language, kept, rest)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from None
    if len(data) > LARGEST:
        raise InputError(f"{path.name} is larger than {LARGEST} bytes; that is no label's text")
    return data


def _document(data: bytes, where: str) -> Document | None:
    """Return what is read of a document; None for plain text."""
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:2]
    if start[:1] == b"{":
        return sections_of_json(parsed(data, where, LARGEST), where)
    if _XML.match(start) or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        root = root_of(data, where)
        read = {"document": sections_of_spl, "Bundle": sections_of_xml, "Composition": sections_of_xml}
        if name_of(root) not in read:
            raise InputError(f"{where} is XML, but neither an SPL document nor a FHIR Bundle or Composition")
        return read[name_of(root)](root, where)
    return None


def _plain(data: bytes, where: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{where} can't be read as UTF-8 text, JSON or XML") from None
    if "\0" in text:
        raise InputError(f"{where} is no text: it holds NUL characters")
    if not text.strip():
        raise InputError(f"{where} is empty")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _chosen(document: Document, where: str, wanted: Sequence[str]) -> LabelText:
    every = document.sections
    for code in wanted:
        if not any(section.is_called(code) for section in every):
            there = "; ".join(section.shown() for section in every if section.depth < 2)
            raise UsageError(f"{where} has no section '{code}'; it has: {there}")
    taken = tuple(s for s in every if not wanted or any(s.is_called(code) or s.is_under(code) for code in wanted))
    if not any(section.text.strip() for section in taken):
        raise InputError(f"{where} holds no text in its sections")
    whole = LabelText("", where, document.language, every, ())
    return of_sections(whole, taken)
