"""Condition -> entries of kind `condition`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.knowledge.terminology import fold
from precaution.readers.concept_matches import matched_concepts
from precaution.readers.dates import OPEN_END, day_at, period, read_dates
from precaution.readers.json_access import Json, child, children, choice, text
from precaution.readers.lists import note_list
from precaution.values.record import Certainty, Entry, Status

if TYPE_CHECKING:
    from precaution.readers.record_builder import PatientResource, RecordBuilder
    from precaution.values.interval import Interval

CLINICAL: dict[str, Status] = {
    "active": "active",
    "recurrence": "active",
    "relapse": "active",
    "inactive": "ended",
    "remission": "ended",
    "resolved": "ended",
}
VERIFIED: dict[str, Certainty] = {
    "confirmed": "certain",
    "provisional": "suspected",
    "differential": "suspected",
    "unconfirmed": "suspected",
}
_WORDS = frozenset({*CLINICAL, *VERIFIED, "refuted", "entered-in-error"})


def read_condition(builder: RecordBuilder, item: PatientResource) -> None:
    """Add the entries of a Condition; a refuted one is ignored, but shows that a list was kept."""
    resource, source = item.resource, item.source
    verified = _words(resource, "verificationStatus")
    if "entered-in-error" in verified:
        return builder.ignore(source, "entered-in-error")
    if not note_list(builder, "condition", child(resource, "code")):
        return None
    if verified == {"refuted"}:
        return builder.ignore(source, "refuted")
    found = matched_concepts(builder, item, "condition", [child(resource, "code")])
    if not found:
        return None
    builder.note_diagnosis(item)
    certainty = _certainty(resource, verified)
    entry = _entry(builder, item)
    for match in found:
        note = "; ".join(filter(None, (match.note, entry.note)))
        builder.add(entry._replace(concept=match.concept, certainty=match.certainty(certainty), note=note), item)
    return None


def _entry(builder: RecordBuilder, item: PatientResource) -> Entry:
    resource = item.resource
    onset = read_dates(resource, "onset", builder.birth)
    abated, end, unread = _abatement(resource, builder.birth)
    status, word = _status(resource, abated=abated)
    says = ", ".join([word, *sorted(_words(resource, "verificationStatus") - {"confirmed"})]).strip(", ")
    return Entry(
        "",
        "condition",
        item.source,
        onset.start,
        end,
        status,
        says=says,
        note="; ".join(filter(None, (onset.note, unread))),
        recorded=day_at(resource, "recordedDate"),
    )


def _words(resource: Json, key: str) -> set[str]:
    """Return the status words of FHIR that a status has as codes, or as its text."""
    status = child(resource, key)
    found = {text(coding, "code") for coding in children(status, "coding")}
    if "text" in status:
        found.add(fold(text(status, "text")))
    return found & _WORDS


def _certainty(resource: Json, verified: set[str]) -> Certainty:
    """Return how sure a diagnosis is; a status that can't be read is a doubt, none at all is not."""
    if not verified:
        return "certain" if resource.get("verificationStatus") is None else "suspected"
    return "certain" if verified == {"confirmed"} else "suspected"


def _status(resource: Json, *, abated: bool) -> tuple[Status, str]:
    """Return the status and the word that the record has for it."""
    words = sorted(_words(resource, "clinicalStatus") & set(CLINICAL))
    meant = {CLINICAL[word] for word in words}
    if len(meant) == 1:
        return meant.pop(), words[0]
    return ("ended", "ended") if abated and not meant else ("unknown", "no clinical status")


def _abatement(resource: Json, birth: Interval | None) -> tuple[bool, Interval | None, str]:
    """Return whether it is said to have ended, when, and what of that can't be read."""
    key = choice(resource, "abatement")
    if not key or resource[key] is False or text(resource, key).startswith(OPEN_END):
        return False, None, ""
    if key == "abatementPeriod":
        found = period(child(resource, key), "abatement")
        return True, found.start if found.end is None else found.end, found.note
    if key == "abatementBoolean":
        return resource[key] is True, None, ""
    end = read_dates(resource, "abatement", birth)
    return True, end.start, end.note
