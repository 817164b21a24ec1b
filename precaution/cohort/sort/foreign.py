"""Files that are no export: binaries, other JSON, definitions. Each would make everybody's record incomplete, so they
are refused by name before anything is read."""

from __future__ import annotations

import gzip
import re
import zlib
from typing import TYPE_CHECKING

from precaution.cohort.sort.files import is_document, path_of
from precaution.errors import InputError
from precaution.readers.json_access import child, children, text
from precaution.readers.json_input import parsed
from precaution.readers.manifests import is_log, is_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from precaution.cohort.context import SourceFile

_HEAD = 64 * 1024
_LINES = 3
"""So many lines of a file, and all of them, must be no FHIR: a single one is a line that is lost."""
_MAGIC = {
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "a zip archive",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "a SQLite database",
    b"\xfd7zXZ": "an xz archive",
    b"(\xb5/\xfd": "a zstd archive",
    b"BZh": "a bzip2 archive",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}
_TYPE = re.compile(rb'"resourceType"\s*:\s*"(\w+)"')
DEFINITIONS = frozenset(
    {
        "ActivityDefinition",
        "CapabilityStatement",
        "CodeSystem",
        "CompartmentDefinition",
        "ConceptMap",
        "EventDefinition",
        "ExampleScenario",
        "GraphDefinition",
        "ImplementationGuide",
        "Library",
        "Measure",
        "MessageDefinition",
        "NamingSystem",
        "OperationDefinition",
        "PlanDefinition",
        "Questionnaire",
        "SearchParameter",
        "StructureDefinition",
        "StructureMap",
        "TerminologyCapabilities",
        "TestScript",
        "ValueSet",
    }
)
"""Types that define something and are about nobody."""
_TAKE_OUT = "take it out of the source, or give the folder or file of the records alone"


def refuse_foreign(source: Path, files: Iterable[SourceFile]) -> None:
    """Raise InputError that names every file which is no export of records."""
    wrong = [f"'{each.name}' is {what}" for each in files if (what := _foreign(path_of(source, each.name), each.name))]
    if wrong:
        more = f" (and {len(wrong) - 5} more files)" if len(wrong) > 5 else ""
        raise InputError(f"{'; '.join(wrong[:5])}{more}: {_TAKE_OUT}")


def _foreign(path: Path, name: str) -> str:
    """Return what a file is, if it is no export."""
    head = _head(path)
    found = next((what for magic, what in _MAGIC.items() if head.startswith(magic)), "")
    if found or b"\0" in head:
        return found or "no text"
    kinds = {kind.decode() for kind in _TYPE.findall(head)}
    if not kinds:
        return _without_type(path, name, head)
    if kinds - {"Bundle"} and kinds - {"Bundle"} <= DEFINITIONS and is_document(name) and _defines(_whole(path)):
        return "FHIR that only defines something (profiles, value sets, questionnaires), and holds no record"
    return ""


def _head(path: Path) -> bytes:
    with path.open("rb") as opened:
        head = opened.read(_HEAD)
    if not head.startswith(b"\x1f\x8b"):
        return head
    try:
        with gzip.open(path) as packed:
            return packed.read(_HEAD)
    except (EOFError, OSError, zlib.error):
        return b""  # that it is damaged is said when it is read


def _without_type(path: Path, name: str, head: bytes) -> str:
    """Return what a file is that begins without a resource."""
    if is_document(name):
        values = _whole(path)
    else:
        lines = [line for line in head.splitlines()[: _LINES + 1] if line.strip()][:_LINES]
        values = [value for line in lines for value in _read(line)] if len(lines) == _LINES else []
        values = values if len(values) == _LINES else []
    return "JSON, but no FHIR: nothing in it has a resourceType" if values and all(map(_is_other, values)) else ""


def _whole(path: Path) -> list[object]:
    try:
        data = path.read_bytes()
        return _read(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data)
    except (EOFError, OSError, zlib.error):
        return []


def _read(data: bytes) -> list[object]:
    try:
        return list(parsed(data, "the file"))
    except InputError:
        return []  # that it is no JSON is said when it is read


def _is_other(value: object) -> bool:
    """Whether a document is neither a resource nor what stands beside an export, nor a list with one of them."""
    if isinstance(value, list):
        return all(map(_is_other, value))
    if not isinstance(value, dict):
        return True
    return "resourceType" not in value and not is_manifest(value) and not is_log(value)


def _defines(values: list[object]) -> bool:
    """Whether all resources of documents define something."""
    every = [each for value in values if isinstance(value, dict) for each in (value, *_entries(value))]
    kinds = {text(each, "resourceType") for each in every} - {"Bundle"}
    return bool(kinds) and kinds <= DEFINITIONS


def _entries(bundle: dict[str, object]) -> list[dict[str, object]]:
    return [child(entry, "resource") for entry in children(bundle, "entry")]
