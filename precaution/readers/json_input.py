"""Bytes, files, folders and standard input as parsed JSON, strictly.

JSON is read by jiter: no NaN or Infinity, no key twice in an object, no lone surrogates, at most 200
levels deep. Messages name the place (line, column), never the content: it is a patient's.
"""

from __future__ import annotations

import gzip
import io
import re
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import jiter

from precaution.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 100 * 1024 * 1024
"""Most bytes that are read of one input, after decompression. A long record of one patient has a few megabytes."""

SUFFIXES = (".json", ".ndjson", ".json.gz", ".ndjson.gz")

_POSITION = re.compile(r" at line \d+ column \d+$")


def documents(source: Path | str, limit: int = LIMIT) -> Iterator[object]:
    """Yield every JSON value of a file, of a folder's files in the order of their names, or of stdin (`-`).

    Raises InputError for what can't be read, or is larger than `limit` bytes in all.
    """
    if str(source) == "-":
        yield from parsed(sys.stdin.buffer.read(limit + 1), "standard input", limit)
        return
    path = Path(source)
    files = _files(path)
    left = limit
    for number, file in enumerate(files, start=1):
        where = "the file" if file == path else f"file {number} of {len(files)} (in the order of their names)"
        content = _json_text(_bytes(file, left), where, left)
        left -= len(content)
        yield from _values(content, where)


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise InputError(f"'{path}' does not exist; give a file, a folder, or - for standard input")
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.name.endswith(SUFFIXES) and file.is_file())
    if not found:
        raise InputError(f"the folder '{path}' holds no {', '.join(SUFFIXES)} file")
    return found


def _bytes(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise InputError(f"the file can't be read: {error.strerror or 'input/output error'}") from None


def parsed(data: bytes, where: str, limit: int = LIMIT) -> list[object]:
    """Return the JSON values of `data`: one document, or one for each line (NDJSON); gzip is decompressed.

    `where` names the input in messages, `limit` is the most bytes after decompression. Raises InputError.
    """
    return _values(_json_text(data, where, limit), where)


def parsed_again(data: bytes, where: str) -> list[object]:
    """Return the JSON values of `data` that `parsed` has read before: it is not checked again that no key comes twice.

    Raises InputError.
    """
    try:
        return [jiter.from_json(data, allow_inf_nan=False, cache_mode="all")]
    except ValueError:
        return parsed(data, where)


def _values(content: bytes, where: str) -> list[object]:
    try:
        return [_value(content)]
    except ValueError as error:
        if not str(error).startswith("trailing characters") or b"\n" not in content:
            raise _unreadable(error, where) from None
    return _lines(content, where)


def _json_text(data: bytes, where: str, limit: int) -> bytes:
    if data[:2] == b"\x1f\x8b":
        data = _decompressed(data, where, limit)
    if len(data) > limit:
        raise InputError(
            f"{where} is larger than the {LIMIT // 1024 // 1024} MB that an input may have in all; "
            "give one patient's record at a time"
        )
    data = data.removeprefix(b"\xef\xbb\xbf").strip()
    if not data:
        raise InputError(f"{where} is empty; give a FHIR R4 Bundle or resources in JSON")
    if data[:1] == b"<":
        raise InputError(f"{where} is XML; give FHIR R4 in JSON")
    return data


def _decompressed(data: bytes, where: str, limit: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            return file.read(limit + 1)
    except (EOFError, OSError, zlib.error):
        raise InputError(f"{where} is damaged gzip: it ends early or its checksum is wrong; send it again") from None


def _lines(content: bytes, where: str) -> list[object]:
    values = []
    for line, data in enumerate(content.split(b"\n"), start=1):
        if data := data.strip():
            try:
                values.append(_value(data))
            except ValueError as error:
                raise _unreadable(error, f"{where}, line {line} of NDJSON") from None
    return values


def _value(data: bytes) -> object:
    return jiter.from_json(data, catch_duplicate_keys=True, allow_inf_nan=False, cache_mode="keys")


def _unreadable(error: ValueError, where: str) -> InputError:
    message = str(error)
    position = _POSITION.search(message)
    what = message[: position.start()] if position else "not JSON"
    if what.startswith("Detected duplicate key"):
        what = "an object has the same key twice"
    elif what.startswith("recursion limit"):
        what = "it is nested more than 200 levels deep"
    elif '"' in what or len(what) > 80:
        what = "not JSON"
    return InputError(f"{where} is not strict JSON: {what}{position[0] if position else ''}")
