"""Whose a resource of bulk FHIR is, and what stands for resources of which that can't be told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import unquote

from precaution.readers.json_access import Json, child, children, text
from precaution.readers.merges import Replacement, replacements
from precaution.readers.patient import identifiers
from precaution.readers.resource_types import CLINICAL, MENTIONING, R4, subject_key
from precaution.readers.sender import reports_loss

if TYPE_CHECKING:
    from collections.abc import Iterable

Destination = Literal[
    "patient",
    "report",
    "irrelevant",
    "dropped",
    "shared",
    "identified",
    "message",
    "deleted",
    "manifest",
    "unread",
    "other",
    "nobody",
    "broken",
]
"""patient: `key` is the patient's id. report: the same, and it only dates results. irrelevant: the same, and it
only shows that a list is kept. dropped: one more of these. shared: what others point to, by its id. identified: its
patient is named by an identifier. message: an OperationOutcome that reports an error, which concerns all. deleted: a
Bundle deletes the resource called `name`. manifest: it lists the files of an export. unread: of a
type that no reader looks at. other: a group's, a device's. nobody: it can't be told whose. broken: no JSON."""

SHARED = frozenset({"Medication", "Substance"})
"""Types that belong to no patient and that a patient's resources point to."""
READ = CLINICAL | MENTIONING | SHARED | {"Patient", "Bundle", "OperationOutcome", "Parameters"}
"""Types that can change an answer; a test holds this against the readers."""
UNREAD = R4 - READ
_OF_PATIENTS = CLINICAL | MENTIONING
_OTHERS = frozenset({"Group", "Device", "Location"})

HEAD = re.compile(rb'\s*\{\s*"resourceType"\s*:\s*"(\w+)"\s*(?:,\s*"id"\s*:\s*"([^"\\]*)")?')
"""How most resources begin: the type, and the id where it follows at once."""
PLAIN_ID = r"[A-Za-z0-9._~\-]+"
"""An id that needs no second look."""
_PLAINLY = re.compile(rf"Patient/({PLAIN_ID})")
_KIND = re.compile(rb'"resourceType"\s*:\s*"(\w+)"')
_REFERENCE = re.compile(rb'"(?:subject|patient)"\s*:\s*\{[^{}]*?"reference"\s*:\s*"([^"\\]*)"')


class Route(NamedTuple):
    """Where a line goes."""

    to: Destination
    key: str = ""
    """A patient's id; a shared resource's id; for a dropped line the patient's."""
    kind: str = ""
    """The resource type; empty where there is none."""
    name: str = ""
    """`Type/id` of a dropped resource."""
    merges: tuple[Replacement, ...] = ()
    """What a Patient's links say: who replaces whom."""


def owner(resource: Json) -> Route:
    """Return whose a parsed resource is, as the route of its line; exact."""
    kind = text(resource, "resourceType")
    if kind in _OF_PATIENTS and (plainly := _named_plainly(resource.get(subject_key(kind)))):
        return Route("patient", plainly, kind)
    if kind in UNREAD:
        return Route("unread", kind=kind)
    if kind == "OperationOutcome":
        return Route("message" if reports_loss(resource) else "unread", kind=kind)
    name = text(resource, "id")
    if kind in SHARED:
        return Route("shared" if name else "other", name, kind)
    if kind == "Patient":
        return Route("patient" if name else "nobody", name, kind, merges=tuple(replacements(resource, name)))
    return _subject(resource, kind)


def _named_plainly(subject: object) -> str:
    """Return the id of `Patient/id`, as nearly every reference is; else nothing."""
    reference = subject.get("reference") if isinstance(subject, dict) else None
    plain = isinstance(reference, str) and _PLAINLY.fullmatch(reference)
    return plain[1] if plain else ""


def _subject(resource: Json, kind: str) -> Route:
    keys = (subject_key(kind),) if kind in _OF_PATIENTS else ("subject", "patient")
    subject = next((found for key in keys if (found := child(resource, key))), {})
    reference = text(subject, "reference")
    tail = reference.partition("/_history")[0].partition("?")[0].rstrip("/").split("/")[-2:]
    if len(tail) == 2 and tail[0] == "Patient" and tail[1]:
        return Route("patient", tail[1], kind)
    if reference.startswith(("urn:uuid:", "urn:oid:")):
        return Route("patient", reference.rpartition(":")[2], kind)
    if len(tail) == 2 and tail[0] in _OTHERS:
        return Route("other", kind=kind)
    return Route("identified" if identifiers_of_subject(resource) else "nobody", kind=kind)


def identifiers_of_subject(resource: Json) -> set[tuple[str, str]]:
    """Return the (system, value) pairs by which a resource names its patient; no system means any."""
    subject = child(resource, subject_key(text(resource, "resourceType")))
    reference = text(subject, "reference")
    if reference.startswith("#"):
        inner = [each for each in children(resource, "contained") if text(each, "id") == reference[1:]]
        return {pair for each in inner for pair in identifiers({**each, "id": reference[1:]})}
    kind, _, query = reference.partition("?")
    if kind.endswith("Patient") and query:
        key, _, value = unquote(query).partition("=")
        system, _, number = value.rpartition("|")
        return {(system, number)} if key == "identifier" and number else set()
    return identifiers({"identifier": [child(subject, "identifier")]}) if not reference else set()


def stand_ins(kinds: frozenset[str], *, anything: bool) -> list[object]:
    """Return what stands for lost lines in everybody's record, so that the reader takes no list as complete.

    `kinds`: types of resources of which it can't be told whose they are. `anything`: whether lines were lost
    that may have been of any type.
    """
    stands: list[object] = [None] if anything else []
    return stands + [{"resourceType": kind, subject_key(kind): {"reference": "?"}} for kind in sorted(kinds)]


def deletion(names: Iterable[str]) -> Json:
    """Return a Bundle that deletes what is called so (`Type/id`)."""
    entries = [{"request": {"method": "DELETE", "url": name}} for name in names]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def of_broken(line: bytes) -> list[Route]:
    """Return everybody that a line which is no JSON names: their records can't be whole."""
    kinds = {found.decode() for found in _KIND.findall(line)}
    if kinds and kinds <= UNREAD and b"\\u" not in line:  # an escape could hide another type
        return [Route("unread", kind="broken")]
    named = {
        owner({"resourceType": "Condition", "subject": {"reference": found.decode(errors="replace")}}).key
        for found in _REFERENCE.findall(line)
    }
    if head := HEAD.match(line):
        named |= {head[2].decode(errors="replace")} if head[1] == b"Patient" and head[2] else set()
    return [Route("patient", key, "broken") for key in sorted(named - {""})] or [Route("broken")]
