"""The route of feedback: what became of cards, by CDS Hooks.

    POST {base}/cds-services/{id}/feedback    one piece or many; sent again, it changes nothing

What was sent is kept as a whole or not at all; 200 says that it is on the disk. Where the store can't be written it is
503.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from precaution.service.fhir.queries import HOOKS, service_id
from precaution.service.http.errors import Refused
from precaution.service.http.fields import ID, LONGEST, MOST, card_id, objects, text
from precaution.service.http.json_body import read_object
from precaution.service.routes.access import client_of, with_store
from precaution.service.store import Feedback
from precaution.service.store.canonical import moment_of

if TYPE_CHECKING:
    from precaution.readers.json_access import Json
    from precaution.service.hooks import Service

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:|/-]{0,99}")
_SYSTEM = re.compile(r"[a-z]+:[!-~]{1,250}")
UNCODED = "uncoded"
"""What is kept of a reason that is no code: it may be free text, which may say anything about anybody."""


def routes(service: Service) -> APIRouter:
    """Return the route. It raises Refused, which the application answers with an OperationOutcome."""
    router = APIRouter()
    names = {service_id(service.current.loaded.label, hook) for hook in HOOKS}

    @router.post("/cds-services/{service_name}/feedback")
    async def feedback(service_name: str, request: Request) -> JSONResponse:
        client = await client_of(service, request, f"/cds-services/{service_name}/feedback")
        if service_name not in names:
            raise Refused(404, "there is no such service")
        given = [_feedback(each) for each in objects(await read_object(request, service.settings.limits), "feedback")]
        today = service.settings.day().isoformat()
        sender: dict[str, Any] = {"today": today, "client": client.name, "role": client.role}
        await with_store(lambda: service.store.feedback(service_name, given, **sender))
        return JSONResponse({})

    return router


def _feedback(piece: Json) -> Feedback:
    outcome = piece.get("outcome")
    if outcome not in ("accepted", "overridden"):
        raise Refused(400, "outcome must be accepted or overridden")
    overridden = piece.get("overrideReason") if outcome == "overridden" else None
    if overridden is not None and not isinstance(overridden, dict):
        raise Refused(400, "overrideReason must be an object")
    code, system = _reason(overridden or {})
    return Feedback(
        card=card_id(piece.get("card")),
        outcome=outcome,
        at=_moment(piece),
        reason=code,
        system=system,
        accepted=_accepted(piece) if outcome == "accepted" else (),
        comment=text(overridden or {}, "userComment", 10 * LONGEST),
    )


def _reason(overridden: Json) -> tuple[str, str]:
    """Return code and system of the reason of an override; both empty where there is none."""
    reason = overridden.get("reason")
    coding = reason if isinstance(reason, dict) else {"code": reason}
    code, system = text(coding, "code"), text(coding, "system")
    if code and not _CODE.fullmatch(code):
        return UNCODED, ""
    return code, system if _SYSTEM.fullmatch(system) else ""


def _moment(piece: Json) -> str:
    try:
        return moment_of(text(piece, "outcomeTimestamp", 64, needed=True))
    except ValueError:
        raise Refused(400, "outcomeTimestamp must be an instant with a time zone, as 2025-03-01T09:30:00Z") from None


def _accepted(piece: Json) -> tuple[str, ...]:
    found = piece.get("acceptedSuggestions")
    if found is None:
        return ()  # a card without suggestions can be taken up as well
    if not isinstance(found, list) or len(found) > MOST or not all(isinstance(each, dict) for each in found):
        raise Refused(400, "acceptedSuggestions must be a list of objects")
    taken = [text(each, "id", needed=True) for each in found]
    return tuple(each for each in taken if ID.fullmatch(each))
