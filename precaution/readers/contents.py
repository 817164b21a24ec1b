"""The resources of Bundles, lists and files by type: each once, in its latest version."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from precaution.knowledge.source_settings import NOTHING_SAID
from precaution.readers.dates import instant
from precaution.readers.json_access import Json, child, children, digest, name_of, text
from precaution.readers.manifests import Manifest, is_log, is_manifest, lacking, manifest_of
from precaution.readers.resource_types import (
    CLINICAL,
    HELPERS,
    MENTIONING,
    R4,
    check_profile,
    check_release,
    check_type,
)
from precaution.readers.sender import deleted_name, deletes, reports_loss, what_is_missing
from precaution.readers.zones import in_zone
from precaution.values.record import Ignored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precaution.knowledge.source_settings import SourceSettings

_KEPT = (CLINICAL | MENTIONING | HELPERS) - {"Bundle", "OperationOutcome"}
_EPOCH = datetime.min.replace(tzinfo=UTC)
Key = tuple[str, str]
Located = tuple[Json, str]
"""A resource and its `fullUrl`; a plain tuple, for there may be thousands."""


class _Version(NamedTuple):
    """A version of a resource in a history; without a resource it is the deletion."""

    located: Located | None
    changed: datetime | None
    number: int


@dataclass(slots=True)
class Contents:
    """The resources of an input by type, and what could not be read of it."""

    kinds: dict[str, list[Located]] = field(default_factory=dict[str, list[Located]])
    ignored: set[Ignored] = field(default_factory=set[Ignored])
    partial: bool = False
    """Whether something that may be clinical is missing: then no list of the record is complete."""
    standing: tuple[str, ...] = ()
    """Texts of messages that the source sends with each answer."""
    manifests: list[Manifest] = field(default_factory=list[Manifest])
    """Manifests of a bulk export that stand beside its files."""
    deleted: set[str] = field(default_factory=set[str])
    """Names (`Type/id`) of what the sender deletes; where it is here all the same, it reassures nobody."""
    passed_over: frozenset[str] = frozenset()
    """Names (`Type/id`) of what the source has and was not given, for nothing is taken from it."""
    _seen: dict[Key, Located] = field(default_factory=dict[Key, Located])
    _versions: dict[Key, list[Located]] = field(default_factory=dict[Key, list[Located]])

    def note_unreadable(self, source: str, why: str) -> None:
        """Note a part that can't be read and might have been anything: no list is complete then."""
        self.ignored.add(Ignored(source, why))
        self.partial = True

    def keep(self, kind: str, resource: Json, url: str) -> None:
        """Take a resource of a type we read, unless it is there already."""
        name = resource.get("id")
        key = (kind, name if isinstance(name, str) else url or digest(resource))
        located = (resource, url)
        first = self._seen.get(key)
        if first is None:
            self._seen[key] = located
            self.kinds.setdefault(kind, []).append(located)
        elif first[0] != resource:
            self._versions.setdefault(key, [first]).append(located)

    def choose_versions(self) -> None:
        """Keep the latest version of each resource; all versions where it can't be told which that is."""
        for (kind, _), versions in self._versions.items():
            others = [each for each in self.kinds[kind] if each[0] is not versions[0][0]]
            self.kinds[kind] = others + _latest(versions)

    def many(self) -> Counter[str]:
        """Return how many resources of each type there are, each version counted; a message counts, and a deletion."""
        found = Counter(kind for kind, _ in self._seen)
        for (kind, _), versions in self._versions.items():
            found[kind] += len(versions) - 1
        found["Bundle"] += len(self.deleted)
        found["OperationOutcome"] += any(each.source == "OperationOutcome" for each in self.ignored)
        return found

    def of(self, kind: str) -> list[Located]:
        """Return the resources of a type."""
        return self.kinds.get(kind, [])


def unpacked(documents: Iterable[object], source: SourceSettings = NOTHING_SAID) -> Contents:
    """Return the resources of parsed documents: resources, Bundles (also nested ones) and lists of them.

    `source`: what the site says of where they come from.
    Raises WrongRelease for a resource type of another FHIR release.
    """
    contents = Contents(standing=source.standing_notes)
    dated = in_zone(documents, source.zone) if source.zone else documents
    todo: list[tuple[object, str]] = [(document, "") for document in dated]
    while todo:
        value, url = todo.pop()
        if isinstance(value, list):
            todo.extend((each, "") for each in value)
        elif not isinstance(value, dict):
            _take({}, None, "", contents, todo)
        elif value.get("resourceType") == "Bundle":
            _bundle(value, contents, todo)
        else:
            _take(value, value.get("resourceType"), url, contents, todo)
    contents.choose_versions()
    if contents.manifests:
        _hold_against(contents)
    return contents


def _hold_against(contents: Contents) -> None:
    """Note what manifests of a bulk export say to be missing here."""
    many = contents.many()
    for manifest in contents.manifests:
        for why in lacking(manifest, many, _KEPT | {"OperationOutcome", "Bundle"}):
            contents.note_unreadable("manifest", why)


def _take(resource: Json, kind: object, url: str, contents: Contents, todo: list[tuple[object, str]]) -> None:
    if not isinstance(kind, str) and is_manifest(resource):
        contents.manifests.append(manifest_of(resource, ""))
    elif not isinstance(kind, str) and is_log(resource):
        return
    elif not isinstance(kind, str):
        contents.note_unreadable("input", "an entry is no FHIR resource: it is no object, or has no resourceType")
    elif kind in _KEPT:
        check_release(kind, resource)
        contents.keep(kind, resource, url)
    elif kind not in R4:
        check_type(kind)
        contents.note_unreadable("input", "a resource is of a type that FHIR R4 does not have")
    elif kind == "OperationOutcome":
        _outcome(resource, contents)
    elif kind == "Parameters":
        todo.extend(_parameters(resource))


def _outcome(resource: Json, contents: Contents) -> None:
    contents.ignored.add(Ignored("OperationOutcome", "a message of the sending system, no part of the record"))
    if why := reports_loss(resource, contents.standing):
        contents.note_unreadable("OperationOutcome", why)


def _parameters(resource: Json) -> list[tuple[object, str]]:
    """Return the resources that an operation's Parameters hold, also in their parts."""
    found: list[tuple[object, str]] = []
    todo = children(resource, "parameter")
    while todo:
        parameter = todo.pop()
        todo += children(parameter, "part")
        if parameter.get("resource") is not None:
            found.append((parameter["resource"], ""))
    return found


def _bundle(bundle: Json, contents: Contents, todo: list[tuple[object, str]]) -> None:
    """Take the resources of a Bundle; Bundles inside it are added to `todo`."""
    check_profile(bundle)
    entries = bundle.get("entry")
    if entries is not None and not isinstance(entries, list):
        contents.note_unreadable("Bundle", "its entries are no list")
    entries = entries if isinstance(entries, list) else []
    for why in what_is_missing(bundle, entries):
        contents.note_unreadable("Bundle", why)
    if bundle.get("type") == "history":
        todo.extend(_history(entries, contents))
        return
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(entry, dict) and "request" in entry and deletes(entry):
            _delete(entry, contents)
        elif not isinstance(resource, dict):
            _without_resource(entry, contents)
        else:
            url, kind = entry.get("fullUrl"), resource.get("resourceType")
            if kind == "Bundle":
                todo.append((resource, ""))
            else:
                _take(resource, kind, url if isinstance(url, str) else "", contents, todo)


def _without_resource(entry: object, contents: Contents) -> None:
    """Note an entry that has no resource, unless it is a request or a response that needs none."""
    needs_none = isinstance(entry, dict) and ("request" in entry or "response" in entry)
    if not needs_none or (isinstance(entry, dict) and entry.get("resource") is not None):
        contents.note_unreadable("Bundle", "an entry has no resource")


def _full_url(entry: Json) -> str:
    url = entry.get("fullUrl")
    return url if isinstance(url, str) else ""


def _delete(entry: Json, contents: Contents) -> None:
    """Note what a Bundle deletes; of a conditional deletion nobody can say what that is."""
    if name := deleted_name(entry):
        contents.deleted.add(name)
    else:
        contents.note_unreadable("Bundle", "it deletes something that is not named")


def _history(entries: list[object], contents: Contents) -> list[Located]:
    """Return the latest version of each resource of a history; a deleted one is gone."""
    versions: dict[str, list[_Version]] = {}
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict):
            contents.note_unreadable("Bundle", "an entry has no resource")
            continue
        version = _version(entry, -number)
        name = name_of(*version.located) if version.located else deleted_name(entry)
        if not name:
            contents.note_unreadable("Bundle", "it deletes something that is not named")
            continue
        versions.setdefault(name, []).append(version)
    latest = {name: _newest(found).located for name, found in versions.items()}
    contents.deleted |= {name for name, located in latest.items() if located is None}
    return [located for located in latest.values() if located]


def _version(entry: Json, number: int) -> _Version:
    resource = child(entry, "resource")
    written = text(child(resource, "meta"), "lastUpdated") or text(child(entry, "response"), "lastModified")
    located = (resource, _full_url(entry)) if resource and not deletes(entry) else None
    return _Version(located, instant(written), number)


def _newest(versions: list[_Version]) -> _Version:
    """Return the latest version: by time where all have one, else by place (a history is newest first)."""
    timed = all(version.changed for version in versions)
    return max(versions, key=lambda version: (version.changed if timed and version.changed else _EPOCH, version.number))


def _latest(versions: list[Located]) -> list[Located]:
    """Return the newest version of a resource by time or number; all versions where neither tells."""
    for rank in (_changed, _number):
        ranks = [rank(version[0]) for version in versions]
        if None not in ranks:
            newest = max(ranks)  # type: ignore[type-var]
            return [version for version, each in zip(versions, ranks, strict=True) if each == newest]
    return versions


def _changed(resource: Json) -> datetime | None:
    return instant(text(child(resource, "meta"), "lastUpdated"))


def _number(resource: Json) -> int | None:
    written = text(child(resource, "meta"), "versionId")
    return int(written) if written.isdecimal() and len(written) < 10 else None
