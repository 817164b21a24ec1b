"""Where each line of bulk FHIR goes.

A line is one resource, or a Bundle. Its type is told from its first bytes, and what no reader looks at is parsed no
further. Any other line is parsed, once here and once where its patient is read: to keep it as bytes in between costs
less memory and time than to keep it as objects.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from precaution.cohort.sort.owner import HEAD, UNREAD, Destination, Route, of_broken, owner
from precaution.cohort.sort.templates import LineTemplates
from precaution.errors import InputError
from precaution.readers.json_access import Json, child, children, name_of, text
from precaution.readers.json_input import parsed
from precaution.readers.ledger import coded_elements
from precaution.readers.manifests import is_log, is_manifest
from precaution.readers.merges import Replacement, replacements
from precaution.readers.resource_types import CLINICAL, SIGNS, subject_key
from precaution.readers.sender import deleted_name, deletes, patients_concerned, reports_loss

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from precaution.cohort.sort.irrelevant import Irrelevance

_REPORT = frozenset({"contained", *coded_elements("DiagnosticReport")}) | SIGNS["DiagnosticReport"]
"""What makes a DiagnosticReport say more than the day of its results."""
_APART = ("", "Bundle", "OperationOutcome")
"""What may go several ways, or is no resource."""
_ROOM = 100_000
_START = b'{"resourceType":"'
_UNREAD = {kind.encode(): Route("unread", kind=kind) for kind in UNREAD}


class Router:
    """Tells where the lines of one piece go; of lines that only show a list it keeps one for each patient."""

    def __init__(
        self, irrelevance: Irrelevance, *, keep_all: bool = False, templates: LineTemplates | None = None
    ) -> None:
        """Tell such lines by `irrelevance`; with `keep_all` none is dropped. `templates`: what was learned of the
        source's lines, to be used again for its next piece."""
        self._irrelevance = irrelevance
        self._keep_all = keep_all
        self._templates = LineTemplates() if templates is None else templates
        self._kept = {kind: dict[bytes, list[bytes]]() for kind in CLINICAL}
        """For each type the patients of whom one such line is kept, each with the ids of those that were not."""

    def routed(self, lines: Iterable[bytes], first: int = 1) -> Iterator[tuple[int, Route, bytes]]:
        """Yield the number of each line, counted from `first`, its route, and its bytes; as `routes_of` does, but
        lines that fit a template are not parsed, and dropped ones are only noted (`dropped`). Empty ones are passed
        over."""
        match, kept, keep_all = self._templates.match, self._kept, self._keep_all
        for number, line in enumerate(lines, first):
            to = None
            if (matched := match(line)) is not None:
                template, found = matched
                to = template.destinations.get(template.values(found))
            if to is None:
                if (unread := _unread(line)) is not None:
                    yield number, unread, line
                elif line:
                    yield from self._parsed(number, line)
            elif to == "unread":
                yield number, _UNREAD[template.kind.encode()], line
            elif to != "irrelevant" or keep_all:
                yield number, Route("patient" if keep_all else to, found[template.key].decode(), template.kind), line
            elif (dropped := kept[template.kind].get(key := found[template.key])) is not None:
                dropped.append(found[template.name])
            else:
                kept[template.kind][key] = []
                yield number, Route(to, key.decode(), template.kind), line

    def _parsed(self, number: int, line: bytes) -> Iterator[tuple[int, Route, bytes]]:
        for route, data in self.routes_of(line):
            if route.to == "message" and self._is_standing(data):
                yield number, Route("unread", kind=route.kind), data
            elif route.to == "dropped":
                self._kept[route.kind][_encoded(route.key)].append(_encoded(route.name))
            else:
                yield number, route, data

    def _is_standing(self, data: bytes) -> bool:
        """Whether a message of the sending system is one that it sends with each answer."""
        standing = self._irrelevance.source.standing_notes
        return bool(standing) and all(
            isinstance(each, dict) and not reports_loss(each, standing) for each in parsed(data, "line")
        )

    def dropped(self) -> Iterator[tuple[str, str, list[bytes]]]:
        """Yield type, patient and ids of what was dropped since this was last asked for."""
        for kind, people in self._kept.items():
            for key, ids in people.items():
                if ids:
                    yield kind, key.decode("utf-8", "replace"), ids
            self._kept[kind] = {} if len(people) >= _ROOM else {key: [] for key in people}

    def routes_of(self, line: bytes) -> list[tuple[Route, bytes]]:
        """Return the route of a line, with its bytes, by parsing it; a Bundle of several patients goes several ways."""
        head = HEAD.match(line)
        if head is not None and (unread := _UNREAD.get(head[1])) is not None and _is_one(line):
            return [(unread, line)]
        try:
            values = parsed(line, "line")
            value = values[0] if len(values) == 1 else values
            if isinstance(value, dict) and value.get("resourceType", "") not in _APART:
                return [(self._closer(owner(value), value, line), line)]
            return list(_routes(value, line))
        except (InputError, ValueError):  # ValueError: a number of a Bundle is too large to be written again
            return [(route, line) for route in of_broken(line)]

    def _closer(self, route: Route, resource: Json, line: bytes) -> Route:
        """Return a route that also says whether the resource matters for more than its being there."""
        if route.to == "unread" and route.kind in UNREAD:
            self._templates.learn(line, route.kind, "unread")
        if route.to != "patient" or route.kind not in CLINICAL:
            return route
        to = self._destination(route.kind, resource)
        self._templates.learn(line, route.kind, to)
        if self._keep_all:
            return route
        if to == "irrelevant":
            people, key = self._kept[route.kind], _encoded(route.key)
            if key in people:
                return Route("dropped", route.key, route.kind, text(resource, "id"))
            people[key] = []
        return route._replace(to=to)

    def _destination(self, kind: str, resource: Json) -> Destination:
        if kind == "DiagnosticReport":
            return "report" if _REPORT.isdisjoint(resource) else "patient"
        name = resource.get("id")
        named = isinstance(name, str) and name and "\n" not in name  # ids of dropped lines are listed one in a line
        return "irrelevant" if named and self._irrelevance.says_nothing(kind, resource) else "patient"


def parts_of(line: bytes) -> list[tuple[Route, bytes]]:
    """Return whose a line is, or each part of a Bundle, whatever its codes say."""
    try:
        return [part for value in parsed(line, "line") for part in _routes(value, line)]
    except (InputError, ValueError):
        return [(route, line) for route in of_broken(line)]


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _unread(line: bytes) -> Route | None:
    """Return the route of a line of the usual form whose type no reader looks at."""
    if not line.startswith(_START):
        return None
    end = line.find(b'"', len(_START))
    found = _UNREAD.get(line[len(_START) : end]) if end > 0 else None
    return found if found is not None and _is_one(line) else None


def _is_one(line: bytes) -> bool:
    """Whether a line that begins as a resource is no more than that one: nothing stuck to it, nothing hidden."""
    return line.count(b'"resourceType"') == 1 and b"\\u" not in line and line.endswith(b"}")


def _routes(value: object, line: bytes) -> Iterator[tuple[Route, bytes]]:
    """Yield where a parsed value goes; a list and a Bundle of several patients are taken apart."""
    if isinstance(value, list):
        for each in value:
            yield from _routes(each, _written(each))
    elif not isinstance(value, dict):
        yield Route("nobody"), line
    elif "resourceType" not in value and (is_manifest(value) or is_log(value)):
        yield Route("manifest" if is_manifest(value) else "unread", kind="export"), line
    elif value.get("resourceType") == "OperationOutcome":
        yield from _message(value, line)
    elif value.get("resourceType") == "Bundle":
        yield from _bundle(value, line)
    else:
        yield owner(value), line


def _message(outcome: Json, line: bytes) -> Iterator[tuple[Route, bytes]]:
    """Yield whom an OperationOutcome concerns: the patients that it names, else everybody."""
    route = owner(outcome)
    named = patients_concerned(outcome) if route.to == "message" else ()
    for name in sorted(named):
        yield Route("patient", name, route.kind), line
    if not named:
        yield route, line


def _deletions(entries: list[Json]) -> Iterator[tuple[Route, bytes]]:
    """Yield what the entries of a Bundle delete; what is not named may be anybody's."""
    for entry in entries:
        if deletes(entry):
            name = deleted_name(entry)
            yield Route("deleted" if name else "nobody", kind="Bundle", name=name), b""


def _bundle(bundle: Json, line: bytes) -> Iterator[tuple[Route, bytes]]:
    entries = children(bundle, "entry")
    people = {_id(entry) for entry in entries if text(child(entry, "resource"), "resourceType") == "Patient"}
    if len(people) == 1:
        if bundle.get("type") != "history":  # of that the reader finds the latest version
            yield from (each for each in _deletions(entries) if each[0].to == "deleted")
        yield Route("patient", people.pop(), "Bundle", merges=_merges(entries)), line
    elif bundle.get("type") == "history" and len(people) > 1:
        yield Route("nobody", kind="Bundle"), line
    else:
        yield from _deletions(entries)
        yield from _taken_apart(bundle, entries)


def _taken_apart(bundle: Json, entries: list[Json]) -> Iterator[tuple[Route, bytes]]:
    """Yield each entry as a Bundle of its own, which keeps its `fullUrl` and what the Bundle says of pages."""
    whole = bundle.get("total") == len(entries)
    head = {key: value for key, value in bundle.items() if key != "entry" and not (key == "total" and whole)}
    named = {
        url: _id(entry)
        for entry in entries
        if text(child(entry, "resource"), "resourceType") == "Patient" and (url := text(entry, "fullUrl"))
    }
    for entry in entries:
        resource = child(entry, "resource")
        if resource.get("resourceType") == "Bundle":
            yield from _bundle(resource, _written(resource))
            continue
        if deletes(entry):
            continue
        if resource.get("resourceType") == "OperationOutcome":
            yield from _message(resource, _written(resource))
            continue
        route = owner(resource)
        subject = child(resource, subject_key(route.kind))
        if (patient := named.get(text(subject, "reference"))) is not None:
            route = Route("patient", patient, route.kind)
        elif route.to == "patient" and route.kind == "Patient":
            route = route._replace(key=_id(entry), merges=_merges([entry], named))
        yield route, _written({**head, "entry": [entry]}) if route.to == "patient" else _written(resource)


def _merges(entries: list[Json], named: Mapping[str, str] | None = None) -> tuple[Replacement, ...]:
    """Return what the links of the Patients of a Bundle say. `named`: ids by `fullUrl`."""
    people = [entry for entry in entries if text(child(entry, "resource"), "resourceType") == "Patient"]
    return tuple(each for entry in people for each in replacements(child(entry, "resource"), _id(entry), named))


def _id(entry: Json) -> str:
    resource = child(entry, "resource")
    return text(resource, "id") or name_of(resource, text(entry, "fullUrl")).removeprefix("Patient/")


def _written(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace")
