"""The description of a call's body in /openapi.json. It only describes: `calls` is what checks a body."""

from __future__ import annotations

from typing import Any

_RESOURCE = {"type": "object", "properties": {"resourceType": {"type": "string"}}}
_CALL: dict[str, Any] = {
    "type": "object",
    "required": ["hook", "hookInstance", "context"],
    "properties": {
        "hook": {"type": "string", "enum": ["patient-view", "order-select", "order-sign"]},
        "hookInstance": {"type": "string", "minLength": 1, "maxLength": 255},
        "fhirServer": {"type": "string"},
        "fhirAuthorization": {
            "type": "object",
            "properties": {
                "access_token": {"type": "string"},
                "token_type": {"type": "string"},
                "expires_in": {"type": "integer"},
                "scope": {"type": "string"},
                "subject": {"type": "string"},
            },
        },
        "context": {
            "type": "object",
            "required": ["patientId"],
            "properties": {
                "patientId": {"type": "string", "pattern": r"^(Patient/)?[A-Za-z0-9\-._~]{1,128}$"},
                "userId": {"type": "string"},
                "encounterId": {"type": "string"},
                "selections": {"type": "array", "items": {"type": "string"}},
                "draftOrders": {
                    "type": "object",
                    "properties": {
                        "resourceType": {"type": "string"},
                        "entry": {
                            "type": "array",
                            "items": {"type": "object", "properties": {"resource": _RESOURCE}},
                        },
                    },
                },
            },
        },
        "prefetch": {"type": "object", "additionalProperties": {"type": ["object", "null"]}},
    },
}
HOOK_CALL: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": _CALL}}},
    "responses": {
        str(status): {"description": what}
        for status, what in {
            200: "Cards, or none",
            400: "The body can't be read",
            401: "No token, or one that is refused",
            403: "fhirServer is not a server of this client",
            404: "No such service",
            408: "The body did not come in time",
            412: "The patient can't be had",
            413: "Too much",
            415: "Not JSON",
            503: "Busy, or late; see Retry-After",
        }.items()
    },
}
