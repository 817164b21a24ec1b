"""What the service asks for: hooks, ids, and prefetch templates.

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
    _search("diagnosticReports", "result", "laboratory and other reports", "DiagnosticReport", "&_sort=-date"),
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
