"""Lines of bulk FHIR sorted by patient.

A line is one resource, or a Bundle. Its type is told from its first bytes, and what no reader looks at is parsed no
further. Any other line is parsed, once here and once where its patient is read: to keep it as bytes in between costs
less memory and time than to keep it as objects.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from precaution.errors import InputError
from precaution.readers.json_input import parsed
from precaution.readers.owner import HEAD, KEYS, UNREAD, Place, of_broken, owner
from precaution.readers.resource_types import SIGNS
from precaution.readers.shape import Json, child, children, name_of, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.readers.plain import Plain

_REPORT = frozenset({"contained"}) | SIGNS["DiagnosticReport"]
"""What makes a DiagnosticReport say more than the day of its results."""
_ROOM = 100_000


class Sorter:
    """Places the lines of one piece of a source; of lines that only show a list it keeps one for each patient."""

    def __init__(self, plain: Plain, *, keep_all: bool = False) -> None:
        """Tell such lines by `plain`; with `keep_all` none is dropped."""
        self._plain = plain
        self._keep_all = keep_all
        self._met: set[tuple[str, str]] = set()

    def place(self, line: bytes) -> list[tuple[Place, bytes]]:
        """Return where a line belongs, with its bytes; a Bundle of several patients belongs to several."""
        head = HEAD.match(line)
        if head is not None and (kind := head[1].decode()) in UNREAD and _is_one(line):
            return [(Place("unread", kind=kind), line)]
        try:
            values = parsed(line, "line")
            value = values[0] if len(values) == 1 else values
            if isinstance(value, dict) and value.get("resourceType") != "Bundle":
                return [(self._closer(owner(value), value), line)]
            return list(_placed(value, line))
        except (InputError, ValueError):  # ValueError: a number of a Bundle is too large to be written again
            return [(place, line) for place in of_broken(line)]

    def _closer(self, place: Place, resource: Json) -> Place:
        """Return a place that also says whether the resource matters for more than its being there."""
        if self._keep_all or place.about != "patient":
            return place
        if place.kind == "DiagnosticReport":
            return place._replace(about="report") if _REPORT.isdisjoint(resource) else place
        name = resource.get("id")
        if not isinstance(name, str) or not name or not self._plain.says_nothing(place.kind, resource):
            return place
        if (place.kind, place.key) in self._met:
            return Place("dropped", place.key, place.kind, f"{place.kind}/{name.strip()}")
        if len(self._met) >= _ROOM:
            self._met.clear()
        self._met.add((place.kind, place.key))
        return place._replace(about="plain")


def _is_one(line: bytes) -> bool:
    """Whether a line that begins as a resource is no more than that one: nothing stuck to it, nothing hidden."""
    return line.count(b'"resourceType"') == 1 and b"\\u" not in line and line.endswith(b"}")


def _placed(value: object, line: bytes) -> Iterator[tuple[Place, bytes]]:
    """Yield where a parsed value belongs; a list and a Bundle of several patients are taken apart."""
    if isinstance(value, list):
        for each in value:
            yield from _placed(each, _written(each))
    elif not isinstance(value, dict):
        yield Place("nobody"), line
    elif value.get("resourceType") == "Bundle":
        yield from _bundle(value, line)
    else:
        yield owner(value), line


def _bundle(bundle: Json, line: bytes) -> Iterator[tuple[Place, bytes]]:
    entries = children(bundle, "entry")
    people = {_id(entry) for entry in entries if text(child(entry, "resource"), "resourceType") == "Patient"}
    if len(people) == 1:
        yield Place("patient", people.pop(), "Bundle"), line
    elif bundle.get("type") == "history" and len(people) > 1:
        yield Place("nobody", kind="Bundle"), line
    else:
        yield from _taken_apart(bundle, entries)


def _taken_apart(bundle: Json, entries: list[Json]) -> Iterator[tuple[Place, bytes]]:
    """Yield each entry as a Bundle of its own, which keeps its `fullUrl` and what the Bundle says of pages."""
    whole = bundle.get("total") == len(entries)
    head = {key: value for key, value in bundle.items() if key != "entry" and not (key == "total" and whole)}
    named = {text(entry, "fullUrl"): _id(entry) for entry in entries
             if text(child(entry, "resource"), "resourceType") == "Patient"}
    for entry in entries:
        resource = child(entry, "resource")
        if resource.get("resourceType") == "Bundle":
            yield from _bundle(resource, _written(resource))
            continue
        place = owner(resource)
        subject = child(resource, KEYS.get(place.kind, "subject"))
        if (known := named.get(text(subject, "reference"))) is not None:
            place = Place("patient", known, place.kind)
        elif place.about == "patient" and place.kind == "Patient":
            place = place._replace(key=_id(entry))
        yield place, _written({**head, "entry": [entry]}) if place.about == "patient" else _written(resource)


def _id(entry: Json) -> str:
    resource = child(entry, "resource")
    return text(resource, "id") or name_of(resource, text(entry, "fullUrl")).removeprefix("Patient/")


def _written(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace")
