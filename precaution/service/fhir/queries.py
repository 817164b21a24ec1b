"""What the service asks for: hooks, ids, and prefetch templates; and what a template may be made of.

Each hook has an id of its own, on purpose. With one id for all three, the cards of a later hook would replace those of
an earlier one, which is wanted. But clients that keep services by their address (the official sandbox is one) would
then know only the last hook, and never call the other two. A missing call is worse than a stale card, and each card
says of which day it is.

Templates use the tokens and the part of FHIR search that CDS Hooks 2.0 names, nothing newer: any client can fill them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from precaution.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from precaution.knowledge.model import Label
    from precaution.service.settings import Settings

HOOKS = ("patient-view", "order-select", "order-sign")
PATIENT = "patient"
_PAGE = "_count=500"
_OF_PATIENT = "patient={{context.patientId}}"


class Query(NamedTuple):
    """One prefetch template."""

    key: str
    template: str
    kind: str
    """The kind of entries it feeds; empty for the patient."""
    title: str
    """What it asks for, in words."""

    @property
    def type(self) -> str:
        """The resource type."""
        return re.split(r"[/?]", self.template)[0]


def _search(key: str, kind: str, title: str, of: str, more: str = "") -> Query:
    return Query(key, f"{of}?{_OF_PATIENT}{more}&{_PAGE}", kind, title)


ALL = (
    Query(PATIENT, "Patient/{{context.patientId}}", "", "the patient"),
    _search("conditions", "condition", "diagnoses", "Condition"),
    _search("laboratory", "result", "laboratory results", "Observation", "&category=laboratory&_sort=-date"),
    _search("socialHistory", "result", "social history", "Observation", "&category=social-history&_sort=-date"),
    _search("medicationRequests", "medication", "prescriptions", "MedicationRequest"),
    _search("medicationStatements", "medication", "medication statements", "MedicationStatement"),
    _search("medicationDispenses", "medication", "dispenses", "MedicationDispense"),
    _search("medicationAdministrations", "medication", "administrations", "MedicationAdministration"),
    _search("immunizations", "immunization", "immunizations", "Immunization"),
    _search("procedures", "procedure", "procedures", "Procedure"),
    _search("serviceRequests", "order", "orders", "ServiceRequest"),
    _search("questionnaireResponses", "answer", "answers to questions", "QuestionnaireResponse"),
)
PRESCRIBED = "medicationRequests"
"""The query without which nobody knows whether the drug is taken."""


def queries(settings: Settings) -> tuple[Query, ...]:
    """Return what is asked for, without the resource types that the site does not have. Raises UsageError."""
    types = {query.type for query in ALL if query.kind}
    for name in settings.without:
        if name not in types:
            raise UsageError(f"settings: without: '{name}' is not asked for.{did_you_mean(name, types)}")
    return tuple(query for query in ALL if query.type not in settings.without)


def lists(asked: Iterable[Query]) -> dict[str, tuple[str, ...]]:
    """Return for each kind of entries the keys of the queries that feed it."""
    found: dict[str, tuple[str, ...]] = {}
    for query in asked:
        if query.kind:
            found[query.kind] = (*found.get(query.kind, ()), query.key)
    return found


def service_id(label: Label, hook: str) -> str:
    """Return the id under which a hook is served."""
    return f"{label.name}-{hook}"


def services(label: Label, asked: Iterable[Query], settings: Settings, version: str) -> list[dict[str, object]]:
    """Return the answer to discovery."""
    prefetch = {query.key: query.template for query in asked}
    return [_service(hook, label, prefetch, settings, version) for hook in HOOKS]


def _service(
    hook: str, label: Label, prefetch: Mapping[str, str], settings: Settings, version: str
) -> dict[str, object]:
    service: dict[str, object] = {
        "hook": hook,
        "id": service_id(label, hook),
        "title": f"{label.title}: warnings and precautions",
        "description": _DESCRIPTION.format(label.title, label.version),
        "prefetch": dict(prefetch),
        "usageRequirements": _USAGE,
    }
    if settings.hook_version == "3.0":
        service |= {"version": version, "hookVersion": "1.0"}
    return service


_DESCRIPTION = (
    "Which warnings and precautions of the {} label ({}) apply to the patient, what is due, and what is not known. "
    "It gives cards where the drug is taken or ordered, and where something is ordered that the label speaks of. "
    "It supports a clinician's decision and makes none; not a certified medical device."
)
_USAGE = (
    "What is not sent is asked of fhirServer, where the service knows it and was given a token; else it counts as "
    "unknown, never as none. FHIR R4."
)

_TOKENS = re.compile(r"\{\{(.*?)\}\}")
_CONTEXT = {
    "patient-view": frozenset({"userId", "patientId", "encounterId"}),
    "order-select": frozenset({"userId", "patientId", "encounterId"}),
    "order-sign": frozenset({"userId", "patientId", "encounterId"}),
}
"""The fields of a hook's context that hold one plain value."""
_USERS = frozenset({"userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId"})
_READ = re.compile(r"[A-Z][A-Za-z]+/\{\{[^{}]+\}\}")
_SEARCH = re.compile(r"[A-Z][A-Za-z]+\?[^?\s]+")
_DATE = re.compile(r"(?:eq|lt|gt|ge|le)?\d{4}(?:-\d\d(?:-\d\d)?)?")
_DATES = frozenset({"date", "authored", "authoredon", "issued", "onset-date", "performed", "occurrence", "birthdate"})
_WHOLE = re.compile(r"[1-9]\d{0,3}")
_PARAMETER = re.compile(r"[_a-z][a-z-]*(?::in)?")
LONGEST = 400
"""Characters: short enough for any client and server."""


def wrong_template(template: str, hook: str) -> str:
    """Return why a client of CDS Hooks 2.0 might not fill a template; nothing where any can."""
    for token in _TOKENS.findall(template):
        name = token.removeprefix("context.")
        if name not in (_USERS if name == token else _CONTEXT.get(hook, ())):
            return f"its token {token} is none of CDS Hooks 2.0"
    filled = _TOKENS.sub("1", template)
    if len(template) > LONGEST or "{" in filled or "}" in filled:
        return "it is too long, or its braces are not closed"
    if _READ.fullmatch(template):
        return ""
    if not _SEARCH.fullmatch(filled):
        return "it is neither a read by id nor a search of one type"
    return next((why for part in filled.partition("?")[2].split("&") if (why := _wrong_parameter(part))), "")


def _wrong_parameter(part: str) -> str:
    name, equals, value = part.partition("=")
    if not equals or not value or not _PARAMETER.fullmatch(name):
        return f"{name} is no plain search parameter: modifiers but :in, chains and _has are not allowed"
    if name == "_count":
        return "" if _WHOLE.fullmatch(value) else "_count must be a whole number"
    if name == "_sort":
        return "" if re.fullmatch(r"-?[a-z-]+(?:,-?[a-z-]+)*", value) else "_sort must name search parameters"
    if name.startswith("_") and name != "_id":
        return f"{name} is not among what CDS Hooks 2.0 names"
    if name in _DATES:
        return "" if _DATE.fullmatch(value) else f"{name} must be a date with one of eq, lt, gt, ge, le"
    return ""
