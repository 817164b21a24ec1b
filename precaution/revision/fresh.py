"""Begins a label's folder from a text that nobody has read: every sentence has its place and digest, and waits."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from precaution.errors import InputError, UsageError
from precaution.knowledge.loading import LABELS, read_label
from precaution.revision.adoption import taken, unread_table
from precaution.revision.sentences import sentences

if TYPE_CHECKING:
    from pathlib import Path

    from precaution.revision.texts import LabelText

UNREAD = "topics/unread.toml"
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_HEAD = "# Every sentence waits to be read. Move each to the topic that it belongs to; NEXT.md says how.\n"
_LETTERS = 3
"""A line without so many letters is no sentence."""


def begun(text: LabelText, out: Path, drug: str, version: str) -> int:
    """Write into `out`, a new folder, a label whose sentences all wait to be read; return how many there are.

    Raises UsageError where `drug` is no name or `out` holds something, InputError where the text has no sentences.
    """
    name = drug.lower()
    if not _NAME.fullmatch(name):
        raise UsageError(f"'{drug}' is no name for a label: give --drug NAME, in letters, digits and '-'")
    found = sentences(text.text)
    if sum(map(str.isalpha, text.text)) < _LETTERS:
        raise InputError(f"{text.where} holds no sentences")
    taken(out)
    for folder in (out / "topics", out / "codes"):
        folder.mkdir(parents=True, exist_ok=True)
    width = max(2, len(str(len(found))))
    tables = [
        unread_table(f"S{number:0{width}d}", stretch, stretch.of(text.text), f"In the text of version {version}.")
        for number, stretch in enumerate(found, start=1)
    ]
    list_name = f"drug_{name.replace('-', '_')}"
    _write(out / UNREAD, "\n".join([_HEAD, *tables]))
    _write(out / "codes" / f"{list_name}.csv", "system,code,display\n")
    _templates(out, text, name, list_name, version, len(found))
    read_label(out)
    return len(found)


def _templates(out: Path, text: LabelText, name: str, list_name: str, version: str, number: int) -> None:
    environment = Environment(  # noqa: S701  # TOML and Markdown, not HTML
        loader=FileSystemLoader(LABELS / "template"), undefined=StrictUndefined, keep_trailing_newline=True
    )
    strings = {
        "name": name,
        "title": name.capitalize(),
        "version": version,
        "source": text.where,
        "language": text.language or "en",
        "drug": list_name,
    }
    written = {key: json.dumps(value, ensure_ascii=False) for key, value in strings.items()}
    _write(out / "label.toml", environment.get_template("label.toml.jinja").render(written))
    _write(out / "NEXT.md", environment.get_template("NEXT.md.jinja").render(strings, number=number))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
