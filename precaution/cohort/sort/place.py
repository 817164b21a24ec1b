"""Lines of bulk FHIR sorted by patient.

A line is one resource, or a Bundle. Its type is told from its first bytes, and what no reader looks at is parsed no
further. Any other line is parsed, once here and once where its patient is read: to keep it as bytes in between costs
less memory and time than to keep it as objects.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from precaution.cohort.sort.owner import HEAD, KEYS, UNREAD, Place, of_broken, owner
from precaution.cohort.sort.templates import Says, Shapes
from precaution.errors import InputError
from precaution.readers.json_access import Json, child, children, name_of, text
from precaution.readers.json_input import parsed
from precaution.readers.resource_types import CLINICAL, SIGNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from precaution.cohort.sort.irrelevant import Plain

_REPORT = frozenset({"contained"}) | SIGNS["DiagnosticReport"]
"""What makes a DiagnosticReport say more than the day of its results."""
_ROOM = 100_000
_START = b'{"resourceType":"'
_UNREAD = {kind.encode(): Place("unread", kind=kind) for kind in UNREAD}


class Sorter:
    """Places the lines of one piece of a source; of lines that only show a list it keeps one for each patient."""

    def __init__(self, plain: Plain, *, keep_all: bool = False, shapes: Shapes | None = None) -> None:
        """Tell such lines by `plain`; with `keep_all` none is dropped. `shapes`: what is known of the source's lines,
        to be used again for its next piece."""
        self._plain = plain
        self._keep_all = keep_all
        self._shapes = Shapes() if shapes is None else shapes
        self._kept = {kind: dict[bytes, list[bytes]]() for kind in CLINICAL}
        """By type the patients of whom one such line is kept, each with the ids of those that were not."""

    def placed(self, lines: Iterable[bytes], first: int = 1) -> Iterator[tuple[int, Place, bytes]]:
        """Yield the number of each line, counted from `first`, where it belongs, and its bytes; as `place` does, but
        lines of known shape are not parsed, and dropped ones are only noted (`dropped`). Empty ones are passed over."""
        of, kept, keep_all = self._shapes.of, self._kept, self._keep_all
        for number, line in enumerate(lines, first):
            says = None
            if (known := of(line)) is not None:
                shape, found = known
                says = shape.known.get(shape.values(found))
            if says is None:
                if (unread := _unread(line)) is not None:
                    yield number, unread, line
                elif line:
                    yield from self._parsed(number, line)
            elif says == "unread":
                yield number, _UNREAD[shape.kind.encode()], line
            elif says != "plain" or keep_all:
                yield number, Place("patient" if keep_all else says, found[shape.key].decode(), shape.kind), line
            elif (dropped := kept[shape.kind].get(key := found[shape.key])) is not None:
                dropped.append(found[shape.name])
            else:
                kept[shape.kind][key] = []
                yield number, Place(says, key.decode(), shape.kind), line

    def _parsed(self, number: int, line: bytes) -> Iterator[tuple[int, Place, bytes]]:
        for place, data in self.place(line):
            if place.about == "dropped":
                self._kept[place.kind][_encoded(place.key)].append(_encoded(place.name))
            else:
                yield number, place, data

    def dropped(self) -> Iterator[tuple[str, str, list[bytes]]]:
        """Yield type, patient and ids of what was dropped since this was last asked for."""
        for kind, people in self._kept.items():
            for key, ids in people.items():
                if ids:
                    yield kind, key.decode("utf-8", "replace"), ids
            self._kept[kind] = {} if len(people) >= _ROOM else {key: [] for key in people}

    def place(self, line: bytes) -> list[tuple[Place, bytes]]:
        """Return where a line belongs, with its bytes; a Bundle of several patients belongs to several."""
        head = HEAD.match(line)
        if head is not None and (unread := _UNREAD.get(head[1])) is not None and _is_one(line):
            return [(unread, line)]
        try:
            values = parsed(line, "line")
            value = values[0] if len(values) == 1 else values
            if isinstance(value, dict) and value.get("resourceType") != "Bundle":
                return [(self._closer(owner(value), value, line), line)]
            return list(_placed(value, line))
        except (InputError, ValueError):  # ValueError: a number of a Bundle is too large to be written again
            return [(place, line) for place in of_broken(line)]

    def _closer(self, place: Place, resource: Json, line: bytes) -> Place:
        """Return a place that also says whether the resource matters for more than its being there."""
        if place.about == "unread" and place.kind in UNREAD:
            self._shapes.learn(line, place.kind, "unread")
        if place.about != "patient" or place.kind not in CLINICAL:
            return place
        says = self._says(place.kind, resource)
        self._shapes.learn(line, place.kind, says)
        if self._keep_all:
            return place
        if says == "plain":
            people, key = self._kept[place.kind], _encoded(place.key)
            if key in people:
                return Place("dropped", place.key, place.kind, text(resource, "id"))
            people[key] = []
        return place._replace(about=says)

    def _says(self, kind: str, resource: Json) -> Says:
        if kind == "DiagnosticReport":
            return "report" if _REPORT.isdisjoint(resource) else "patient"
        name = resource.get("id")
        named = isinstance(name, str) and name and "\n" not in name  # ids of dropped lines are listed one in a line
        return "plain" if named and self._plain.says_nothing(kind, resource) else "patient"


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _unread(line: bytes) -> Place | None:
    """Return the place of a line of the usual form whose type no reader looks at."""
    if not line.startswith(_START):
        return None
    end = line.find(b'"', len(_START))
    found = _UNREAD.get(line[len(_START) : end]) if end > 0 else None
    return found if found is not None and _is_one(line) else None


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
    named = {
        text(entry, "fullUrl"): _id(entry)
        for entry in entries
        if text(child(entry, "resource"), "resourceType") == "Patient"
    }
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
