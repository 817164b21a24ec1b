"""Who gave the answers of a form: a clinician's word counts, a patient's own form does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.readers.json_access import Json, child, children, text

if TYPE_CHECKING:
    from precaution.readers.record_builder import RecordBuilder

_CLINICIANS = ("Practitioner", "PractitionerRole")
_OWN = ("Patient", "RelatedPerson")
_OTHERS = ("Device", "Organization")
_KINDS = (*_CLINICIANS, *_OWN, *_OTHERS)
_UNKNOWN = "unknown"


def not_by_a_clinician(builder: RecordBuilder, response: Json) -> str:
    """Return why a QuestionnaireResponse is no clinician's, or nothing.

    `author` says who wrote it down, else `source` who answered. A response that names neither says nothing of whose it
    is, and is taken for a clinician's: it stands in the record among what clinicians write.
    """
    author = _kind(builder, response, "author") if response.get("author") is not None else ""
    source = _kind(builder, response, "source") if response.get("source") is not None else ""
    if author in _CLINICIANS or (not author and (not source or source in _CLINICIANS)):
        return ""
    if author in _OWN or source in _OWN:
        return "the patient's own form is no clinician's answer"
    if author in _OTHERS:
        return "answers of a device or an organization, and of no clinician"
    return "whether a clinician gave the answers can't be told"


def _kind(builder: RecordBuilder, response: Json, key: str) -> str:
    """Return the resource type of who is named under `key`, as far as it can be told."""
    named = child(response, key)
    reference, said = text(named, "reference"), text(named, "type").rpartition("/")[2]
    if reference.startswith("#"):
        inner = (each for each in children(response, "contained") if text(each, "id") == reference[1:])
        return next((text(each, "resourceType") for each in inner), _UNKNOWN)
    written = "".join(reference.partition("/_history")[0].partition("?")[0].split("/")[-2:-1])
    if written in _KINDS:
        return written
    if reference and builder.patient.named_by(reference):
        return "Patient"
    known = (kind for kind in _KINDS if reference and builder.resolver.resolve(response, reference, kind) is not None)
    return next(known, said if said in _KINDS else _UNKNOWN)
