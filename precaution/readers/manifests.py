"""What the manifest of a bulk export says: which files there are, and what it says itself to be missing.

A manifest lists the files of the export, of what could not be exported and of what was deleted since
(http://hl7.org/fhir/uv/bulkdata/export.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from precaution.readers.json_access import Json, children, text
from precaution.readers.sender import labelled_as_redacted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

SECTIONS = {"output": "", "error": "OperationOutcome", "deleted": "Bundle"}
"""The lists of files in a manifest, and what is in the files of each where the list does not say it."""
PACKED = ".gz"
_KEYS = frozenset({"transactionTime", "output"})
_LOG = frozenset({"exportId", "eventId"})


class ListedFile(NamedTuple):
    """A file that a manifest lists."""

    section: str
    kind: str
    """The type of the resources in it; empty where that is not said."""
    name: str
    lines: int
    """How many resources are in it; -1 where that is not said."""


class Manifest(NamedTuple):
    """A manifest: where it stands, the files that it lists, and whether it says that there is more."""

    file: str
    files: tuple[ListedFile, ...]
    lacks: tuple[str, ...]
    """What it says itself to be missing."""


def is_manifest(value: Json) -> bool:
    """Whether a document is the manifest of an export."""
    return value.keys() >= _KEYS and "resourceType" not in value


def is_log(value: Json) -> bool:
    """Whether a document is a line of the log that a program writes beside an export."""
    return value.keys() >= _LOG and "resourceType" not in value


def manifest_of(value: Json, file: str) -> Manifest:
    """Return what a manifest, which stands in `file`, says."""
    lacks = []
    if any(text(link, "relation") == "next" for link in children(value, "link")):
        lacks.append("the manifest is one page of several: give the files of all pages")
    if labelled_as_redacted(value):
        lacks.append("the manifest's security labels say that something was taken out")
    return Manifest(file, tuple(_listed(value)), tuple(lacks))


def _listed(value: Json) -> Iterator[ListedFile]:
    for section, kind in SECTIONS.items():
        for each in children(value, section):
            count = each.get("count")
            number = count if isinstance(count, int) and not isinstance(count, bool) else -1
            yield ListedFile(section, kind or text(each, "type"), _name(text(each, "url")), number)


def _name(address: str) -> str:
    return unquote(urlsplit(address).path.rstrip("/").rpartition("/")[2]).removesuffix(PACKED)


def lacking(manifest: Manifest, many: Mapping[str, int], read: Collection[str]) -> Iterator[str]:
    """Yield why the record of one patient may not hold all that a manifest lists.

    `many`: how many resources of each type there are; `read`: types that can change an answer.
    """
    yield from manifest.lacks
    counted: dict[str, int] = {}
    for listed in manifest.files:
        if listed.kind not in read or not listed.lines:
            continue
        if not many.get(listed.kind):
            yield f"the manifest lists a file of {listed.kind} that is not here"
        elif listed.section == "output":
            counted[listed.kind] = counted.get(listed.kind, 0) + max(listed.lines, 0)
    for kind, count in counted.items():
        if count > many[kind]:
            yield f"the manifest counts {count} {kind}, and {many[kind]} are here"


def manifest_from_json(fields: list[object]) -> Manifest:
    """Return a manifest that was written as JSON."""
    file, files, lacks = fields
    return Manifest(file, tuple(ListedFile(*each) for each in files), tuple(lacks))  # type: ignore[arg-type, attr-defined]
