"""What the sending system says of its own answer: withheld, incomplete, one page of several, a part that failed.

Whatever may have been left out might have been anything, so no list of such a record is complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.readers.json_access import Json, child, children, text

if TYPE_CHECKING:
    from collections.abc import Iterator

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
_REDACTED = frozenset({"REDACTED", "MASKED", "SUBSETTED"})
"""Security labels and tags of HL7 v3 that say that elements were taken out."""


def reports_loss(outcome: Json) -> str:
    """Return why an OperationOutcome says that parts may be missing, or nothing."""
    for issue in children(outcome, "issue"):
        if text(issue, "severity") in _BAD:
            return "the sending system reports an error, so parts may be missing"
        if text(issue, "code") in LEFT_OUT:
            return "the sending system says that it left something out"
    return ""


def redacted(resource: Json) -> bool:
    """Whether its labels say that a resource or a Bundle was sent without some of its elements."""
    meta = child(resource, "meta")
    if "security" not in meta and "tag" not in meta:
        return False
    labels = [*children(meta, "security"), *children(meta, "tag")]
    return any(text(label, "code") in _REDACTED for label in labels)


def what_is_missing(bundle: Json, entries: list[object]) -> Iterator[str]:
    """Yield why a Bundle may not be all that there is: pages, labels, parts that failed."""
    if _is_page(bundle, entries):
        yield "the bundle is one page of several; give all pages for complete lists"
    if redacted(bundle):
        yield "the bundle's labels say that something was taken out"
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
