"""What a client is told when it gets no cards: a status, and an OperationOutcome in our own words, without its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

FHIR_JSON = "application/fhir+json"
_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    412: "incomplete",
    413: "too-long",
    415: "not-supported",
    422: "invalid",
    429: "throttled",
    503: "transient",
}
"""FHIR's issue type by HTTP status."""


class Refused(Exception):
    """A call that is answered with an error. `why` is ours, and holds nothing of the call."""

    def __init__(self, status: int, why: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}: {why}")
        self.status = status
        self.why = why
        self.headers = dict(headers or {})


def operation_outcome(status: int, why: str) -> dict[str, object]:
    """Return an OperationOutcome."""
    severity = "fatal" if status >= 500 and status != 503 else "error"
    issue = {"severity": severity, "code": _CODES.get(status, "exception"), "diagnostics": why}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def refusal(refused: Refused) -> JSONResponse:
    """Return the response to a call that is refused. A 401 says nothing at all: why would help an attacker."""
    if refused.status == 401:
        return JSONResponse(operation_outcome(401, "not authorised"), 401, refused.headers, FHIR_JSON)
    return JSONResponse(operation_outcome(refused.status, refused.why), refused.status, refused.headers, FHIR_JSON)


def overloaded(seconds: int = 1) -> Refused:
    """Return the refusal of a service that is busy."""
    return Refused(503, "the service is busy; try again", {"Retry-After": str(seconds)})
