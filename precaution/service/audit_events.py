"""The audit trail as FHIR AuditEvents, in the shape of IHE's Basic Audit Log Patterns (BALP).

A decision on a patient is a PatientRead, what is kept about one a PatientCreate. Events without a patient keep to the
same pattern without its patient; what the service does by itself is application activity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from precaution import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.service.store import TrailLink

Json = dict[str, Any]

_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
_REQUEST_ID = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
_KEPT = "urn:precaution:"
_SOURCE = ("110153", "Source Role ID")
_DESTINATION = ("110152", "Destination Role ID")


class _Pattern(NamedTuple):
    """How a kind of event is written: what was done, and from where to where."""

    profile: str
    action: str
    interaction: str
    client: tuple[str, str]
    server: tuple[str, str]
    user: tuple[str, str]


_READ = _Pattern("Read", "R", "read", _DESTINATION, _SOURCE, ("IRCP", "information recipient"))
_CREATE = _Pattern("Create", "C", "create", _SOURCE, _DESTINATION, ("AUT", "author (originator)"))
_UPDATE = _Pattern("Update", "U", "update", _SOURCE, _DESTINATION, ("AUT", "author (originator)"))
_PATTERNS = {
    "decision": _READ,
    "read": _READ,
    "feedback": _CREATE,
    "answer": _CREATE,
    "withdrawal": _UPDATE,
}


def audit_event(link: TrailLink, server: str = "") -> Json:
    """Return a link of the trail as an AuditEvent; `server` is the address under which clients know the service.

    One whose details are gone keeps its number, moment and hash.
    """
    event = link.event or {"kind": "purged"}
    pattern = _PATTERNS.get(event["kind"])
    success = event.get("outcome", "success") == "success"
    made: Json = {
        "resourceType": "AuditEvent",
        "id": f"precaution-{link.seq}",
        "type": _coding(_TYPE, "rest", "Restful Operation")
        if pattern
        else _coding(_DCM, "110100", "Application Activity"),
        "subtype": [_coding("http://hl7.org/fhir/restful-interaction", pattern.interaction, pattern.interaction)]
        if pattern
        else [_coding(_KEPT + "event", event["kind"])],
        "action": pattern.action if pattern else "E",
        "recorded": link.at,
        "outcome": "0" if success else "8",
        "agent": _agents(event, pattern, server),
        "source": {
            "observer": _device(),
            "type": [_coding("http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server")],
        },
        "entity": _entities(link, event),
    }
    if pattern and success:
        made["meta"] = {"profile": [_PROFILE + ("Patient" if event.get("patient") else "") + pattern.profile]}
    return made


def audit_events(links: Iterator[TrailLink], server: str = "") -> Iterator[Json]:
    """Yield the links of a trail as AuditEvents."""
    return (audit_event(each, server) for each in links)


def _coding(system: str, code: str, display: str = "") -> Json:
    return {"system": system, "code": code, **({"display": display} if display else {})}


def _concept(system: str, code: str, display: str) -> Json:
    return {"coding": [_coding(system, code, display)]}


def _device() -> Json:
    return {"identifier": {"system": _KEPT + "software", "value": f"precaution {__version__}"}, "display": "precaution"}


def _agents(event: Json, pattern: _Pattern | None, server: str) -> list[Json]:
    if pattern is None:
        return [{"who": _device(), "requestor": True}]
    client = event.get("client") or "a client without a token"
    agents: list[Json] = [
        {
            "type": _concept(_DCM, *pattern.client),
            "who": {"identifier": {"system": _KEPT + "client", "value": client}},
            "requestor": not event.get("user"),
            "network": _network(event),
        },
        {
            "type": _concept(_DCM, *pattern.server),
            "who": _device(),
            "requestor": False,
            "network": {"address": server or "localhost", "type": "5"},
        },
    ]
    if event.get("user"):
        who = _reference(event["user"], event.get("server", ""))
        agents.append({"type": _concept(_PARTICIPATION, *pattern.user), "who": who, "requestor": True})
    return agents


def _network(event: Json) -> Json:
    """Where the client called from: its address, or where that is not kept its name."""
    if event.get("address"):
        return {"address": event["address"], "type": "2"}
    return {"address": event.get("client") or "localhost", "type": "5"}


def _reference(name: str, server: str) -> Json:
    """Return a reference to `Practitioner/12`, as its server knows it where that has an address."""
    if "/" not in name:
        return {"identifier": {"value": name}}
    return {"reference": f"{server}/{name}" if server.startswith(("http://", "https://")) else name}


def _entities(link: TrailLink, event: Json) -> list[Json]:
    entities: list[Json] = []
    if event.get("patient"):
        entities.append(
            {
                "what": _reference(f"Patient/{event['patient']}", event.get("server", "")),
                "type": _coding(_ENTITY, "1", "Person"),
                "role": _coding(_ROLE, "1", "Patient"),
            }
        )
    entities.append(
        {
            "what": {"identifier": {"system": _KEPT + "audit", "value": str(link.seq)}},
            "type": _coding(_ENTITY, "2", "System Object"),
            "role": _coding(_ROLE, "3", "Report"),
            "detail": [
                {"type": "hash", "valueString": link.hash},
                {"type": "kind", "valueString": event["kind"]},
                *_details(event.get("about", {})),
            ],
        }
    )
    if event.get("request"):
        entities.append(
            {
                "what": {"identifier": {"value": event["request"]}},
                "type": _coding(_REQUEST_ID, "XrequestId"),
            }
        )
    return entities


def _details(about: Json) -> list[Json]:
    texts = {
        name: ", ".join(map(str, value)) if isinstance(value, list) else str(value) for name, value in about.items()
    }
    return [{"type": name, "valueString": value} for name, value in texts.items() if value]
