"""What the sending system says of its own answer: withheld, incomplete, one page of several, a part that failed.

Whatever may have been left out might have been anything, so no list of such a record is complete.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from precaution.readers.json_access import Json, child, children, text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

LEFT_OUT = frozenset(
    {
        "security",
        "login",
        "unknown",
        "expired",
        "forbidden",
        "suppressed",
        "processing",
        "not-supported",
        "exception",
        "timeout",
        "incomplete",
        "throttled",
        "too-costly",
        "too-long",
        "transient",
        "lock-error",
        "no-store",
        "business-rule",
    }
)
"""Codes of FHIR's issue-type that mean that something may be missing, whatever the severity
(http://hl7.org/fhir/R4/valueset-issue-type.html)."""
_BAD = ("error", "fatal")
_NAME = re.compile(r"[A-Z][A-Za-z]+/[^/?]+")
_PATIENT = re.compile(r"(?<![A-Za-z])Patient/([A-Za-z0-9\-.]{1,64})(?![A-Za-z0-9\-.]*\$)")
_AND_OTHERS = re.compile(r"(?i)\b(?:others?|more|e\.g|etc|first|last|least|patients)\b|\.\.\.|\u2026")
"""Words by which a text says that whom it names is not everybody."""
_REDACTED = frozenset({"REDACTED", "MASKED", "SUBSETTED"})
"""Security labels and tags of HL7 v3 that say that elements were taken out."""


def reports_loss(outcome: Json, standing: Collection[str] = ()) -> str:
    """Return why an OperationOutcome says that parts may be missing, or nothing.

    `standing`: texts of messages of the code `processing` that the source sends with each answer.
    """
    return next((why for issue in children(outcome, "issue") if (why := _loss(issue, standing))), "")


def _loss(issue: Json, standing: Collection[str] = ()) -> str:
    if text(issue, "severity") in _BAD:
        return "the sending system reports an error, so parts may be missing"
    if standing and text(issue, "code") == "processing" and _says(issue) in {_plain(note) for note in standing}:
        return ""
    return "the sending system says that it left something out" if text(issue, "code") in LEFT_OUT else ""


def _says(issue: Json) -> str:
    return _plain(text(child(issue, "details"), "text") or text(issue, "diagnostics"))


def _plain(words: str) -> str:
    return " ".join(words.split()).casefold()


def patients_concerned(outcome: Json) -> frozenset[str]:
    """Return the ids of the patients of whom an OperationOutcome says that parts may be missing.

    Nothing where one of its issues names nobody, or speaks of others too: then it may be anybody.
    """
    found = [_named(issue) for issue in children(outcome, "issue") if _loss(issue)]
    return frozenset().union(*found) if all(found) else frozenset()


def _named(issue: Json) -> frozenset[str]:
    """Return the ids of the patients whom an issue names in an expression, a reference or a text."""
    words = list(_texts(issue))
    if any(_AND_OTHERS.search(each) for each in words):
        return frozenset()
    return frozenset(name for each in words for name in _PATIENT.findall(each))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def deletes(entry: Json) -> bool:
    """Whether an entry of a Bundle deletes something."""
    request = entry.get("request")
    return isinstance(request, dict) and request.get("method") == "DELETE"


def deleted_name(entry: Json) -> str:
    """Return what an entry of a Bundle deletes as `Type/id`; nothing where it does not name it."""
    name = _without_version(text(child(entry, "request"), "url") or text(entry, "fullUrl"))
    return name if _NAME.fullmatch(name) else ""


def _without_version(url: str) -> str:
    return "/".join(url.partition("/_history")[0].split("/")[-2:])


def redacted(resource: Json) -> bool:
    """Whether its labels say that a resource or a Bundle was sent without some of its elements."""
    meta = child(resource, "meta")
    if "security" not in meta and "tag" not in meta:
        return False
    labels = [*children(meta, "security"), *children(meta, "tag")]
    return any(text(label, "code") in _REDACTED for label in labels)


def labelled_as_redacted(value: object) -> bool:
    """Whether security labels say, anywhere in a document that is no resource, that something was taken out."""
    if isinstance(value, list):
        return any(map(labelled_as_redacted, value))
    if not isinstance(value, dict):
        return False
    labels = (label for key in ("security", "tag") for label in children(value, key))
    return any(text(label, "code") in _REDACTED for label in labels) or any(map(labelled_as_redacted, value.values()))


def what_is_missing(bundle: Json, entries: list[object]) -> Iterator[str]:
    """Yield why a Bundle may not be all that there is: pages, labels, parts that failed."""
    if _is_page(bundle, entries):
        yield "the bundle is one page of several; give all pages for complete lists"
    yield from what_is_doubtful(bundle, entries)


def what_is_doubtful(bundle: Json, entries: list[object]) -> Iterator[str]:
    """Yield why a Bundle, or one page of it, may not be all that was asked for: labels, rules, parts that failed."""
    if redacted(bundle):
        yield "the bundle's labels say that something was taken out"
    if bundle.get("implicitRules") is not None:
        yield "the bundle follows rules that are not known here (implicitRules)"
    if any(isinstance(entry, dict) and _failed(entry) for entry in entries):
        yield "a part of the answer failed"


def _is_page(bundle: Json, entries: list[object]) -> bool:
    """Whether there are more pages; `total` counts what was looked for, not what came along with it."""
    if any(text(link, "relation") == "next" for link in children(bundle, "link")):
        return True
    total = bundle.get("total")
    if bundle.get("type") != "searchset" or isinstance(total, bool) or not isinstance(total, int):
        return False
    return total > sum(_matches(entry) for entry in entries if isinstance(entry, dict))


def _matches(entry: Json) -> bool:
    """Whether an entry of an answer to a search is something that was looked for."""
    mode = text(child(entry, "search"), "mode")
    return mode == "match" or (not mode and text(child(entry, "resource"), "resourceType") != "OperationOutcome")


def _failed(entry: Json) -> bool:
    """Whether the response to a part of a batch is an error; what was asked for there, nobody can say."""
    response = child(entry, "response")
    return text(response, "status")[:1] in ("4", "5") or bool(reports_loss(child(response, "outcome")))
