"""What clients send after cards: feedback on them, and clinicians' answers to the label's questions.

    POST {base}/cds-services/{id}/feedback    one or many; sent again, it changes nothing
    POST {base}/answers                       answers, to a card that was given
    GET  {base}/answers/{card}                what was answered for that card's patient
    POST {base}/answers/withdraw              one that was given in error is taken back

A patient is named by a card alone, so that nobody reads or answers for a patient of whom they were given none. What was
sent is kept as a whole or not at all; 200 says that it is on the disk. Where the store can't be written it is 503.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from precaution.assessment import find_ask
from precaution.errors import StoreBusy, StoreError, UsageError
from precaution.service.auth.tokens import Unauthorised
from precaution.service.clinician_answers import days_of
from precaution.service.http.bodies import body_of
from precaution.service.http.calls import parsed
from precaution.service.http.errors import Refused
from precaution.service.store import Answer, Event, Feedback
from precaution.service.store.texts import moment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from precaution.knowledge.model import Ask, Label
    from precaution.service.auth.tokens import Client, Verifier
    from precaution.service.knowledge import Knowledge
    from precaution.service.settings import Settings
    from precaution.service.store import KeptCard, Store

Json = dict[str, Any]
T = TypeVar("T")

_MOST = 1000
"""Pieces of feedback, or answers, in one call."""
_LONGEST = 1000
"""Characters of a reason."""
_CARD = re.compile(r"[A-Za-z0-9._:-]{1,200}")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:|/-]{0,99}")
_SYSTEM = re.compile(r"[a-z]+:[!-~]{1,250}")
UNCODED = "uncoded"
"""What is kept of a reason that is no code: it may be free text, which may say anything about anybody."""
_WHO = re.compile(r"[A-Z][A-Za-z]{2,30}/[A-Za-z0-9\-._~]{1,128}")
_ROLE = re.compile(r"[A-Za-z][A-Za-z -]{0,63}")
_MAY = {"viewer": ("read",), "clinician": ("read", "answer"), "admin": ("read", "answer", "withdraw")}


@dataclass(frozen=True, slots=True)
class Desk:
    """What takes in feedback and answers needs."""

    settings: Settings
    knowledge: Knowledge
    store: Store
    verifier: Verifier
    services: Collection[str]
    """The ids of the services that give cards."""

    @property
    def label(self) -> Label:
        """The label that is decided by now: it may have been read anew since the start."""
        return self.knowledge.known.label


def router(desk: Desk) -> APIRouter:
    """Return the routes. They raise Refused, which the application answers with an OperationOutcome."""
    routes = APIRouter()

    @routes.post("/cds-services/{service}/feedback")
    async def feedback(service: str, request: Request) -> JSONResponse:
        client = await _client(desk, request, f"/cds-services/{service}/feedback")
        if service not in desk.services:
            raise Refused(404, "there is no such service")
        given = _feedback(await _body(request, desk.settings))
        today = desk.settings.day().isoformat()
        await _kept(lambda: desk.store.feedback(service, given, today=today, client=client.name, role=client.role))
        return JSONResponse({})

    @routes.post("/answers")
    async def answers(request: Request) -> JSONResponse:
        client = await _client(desk, request, "/answers", "answer")
        body = await _body(request, desk.settings)
        card = await _card(desk, body.get("card"), client)
        given = _answers(body, card, client, desk)
        numbers = await _kept(lambda: desk.store.answer(card.server, card.patient, given, client=client.name))
        return JSONResponse(
            {
                "answers": [
                    {**_shown(each), "id": number or None, "state": "kept" if number else "again"}
                    for number, each in zip(numbers, given, strict=True)
                ]
            }
        )

    @routes.get("/answers/{uuid}")
    async def answered(uuid: str, request: Request) -> JSONResponse:
        client = await _client(desk, request, f"/answers/{uuid}", "read")
        card = await _card(desk, uuid, client)
        read = Event(kind="read", client=client.name, server=card.server, patient=card.patient)
        await _kept(lambda: desk.store.note(read))
        today = desk.settings.day().isoformat()
        kept = await _kept(lambda: desk.store.kept(card.server, card.patient, today))
        return JSONResponse({"answers": [{**_shown(each), "id": each.id} for each in kept.answers]})

    @routes.post("/answers/withdraw")
    async def withdraw(request: Request) -> JSONResponse:
        client = await _client(desk, request, "/answers/withdraw", "withdraw")
        body = await _body(request, desk.settings)
        card = await _card(desk, body.get("card"), client)
        number, who = body.get("id"), _who(body.get("who") or card.user)
        if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 2**63:
            raise Refused(400, "id must be the number of an answer")
        reason = _reason(body, needed=True)
        done = await _kept(
            lambda: desk.store.withdraw(card.server, card.patient, number, who, client=client.name, reason=reason)
        )
        if not done:
            raise Refused(404, "the patient has no such answer, or it was taken back before")
        return JSONResponse({})

    return routes


async def _client(desk: Desk, request: Request, path: str, to: str = "") -> Client:
    """Return who calls. Raises Refused: 401 without a reason, 403 where its role may not do it, 503."""
    try:
        client = await desk.verifier.verify(request.headers.get("Authorization"), desk.settings.base + path)
    except Unauthorised:
        raise Refused(401, "", {"WWW-Authenticate": "Bearer"}) from None
    except StoreError as error:
        raise _unkept(error) from None
    if to and to not in _MAY[client.role]:
        raise Refused(403, f"a client of the role {client.role} may not {to}")
    return client


async def _kept(call: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(call)
    except StoreError as error:
        raise _unkept(error) from None


def _unkept(error: StoreError) -> Refused:
    wait = "1" if isinstance(error, StoreBusy) else "30"
    return Refused(503, "the store can't be used now, and nothing was kept; send it again", {"Retry-After": wait})


async def _body(request: Request, settings: Settings) -> Json:
    return parsed(await body_of(request, settings.limits), settings.limits)


def _feedback(body: Json) -> list[Feedback]:
    return [_piece(each) for each in _listed(body, "feedback")]


def _listed(body: Json, name: str) -> list[Json]:
    found = body.get(name)
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in found):
        raise Refused(400, f"{name} must be a list of objects, of one at least")
    if len(found) > _MOST:
        raise Refused(413, f"{name} holds more than {_MOST}")
    return found


def _piece(piece: Json) -> Feedback:
    outcome = piece.get("outcome")
    if outcome not in ("accepted", "overridden"):
        raise Refused(400, "outcome must be accepted or overridden")
    overridden = piece.get("overrideReason") if outcome == "overridden" else None
    if overridden is not None and not isinstance(overridden, dict):
        raise Refused(400, "overrideReason must be an object")
    code, system = _reason_of(overridden or {})
    return Feedback(
        card=_uuid(piece.get("card")),
        outcome=outcome,
        at=_moment(piece),
        reason=code,
        system=system,
        accepted=_accepted(piece) if outcome == "accepted" else (),
        comment=_text(overridden or {}, "userComment", 10 * _LONGEST),
    )


def _reason_of(overridden: Json) -> tuple[str, str]:
    """Return code and system of the reason of an override; both empty where there is none."""
    reason = overridden.get("reason")
    coding = reason if isinstance(reason, dict) else {"code": reason}
    code, system = _text(coding, "code", _LONGEST), _text(coding, "system", _LONGEST)
    if code and not _CODE.fullmatch(code):
        return UNCODED, ""
    return code, system if _SYSTEM.fullmatch(system) else ""


def _uuid(card: object) -> str:
    if not isinstance(card, str) or not _CARD.fullmatch(card):
        raise Refused(400, "card must be the uuid of a card")
    return card


def _text(piece: Json, name: str, longest: int, *, needed: bool = False) -> str:
    value = piece.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or len(value) > longest or (needed and not value):
        raise Refused(400, f"{name} must be a text of at most {longest} characters")
    return value


def _moment(piece: Json) -> str:
    try:
        return moment_of(_text(piece, "outcomeTimestamp", 64, needed=True))
    except ValueError:
        raise Refused(400, "outcomeTimestamp must be an instant with a time zone, as 2025-03-01T09:30:00Z") from None


def _accepted(piece: Json) -> tuple[str, ...]:
    found = piece.get("acceptedSuggestions")
    if found is None:
        return ()  # a card without suggestions can be taken up as well
    if not isinstance(found, list) or len(found) > _MOST or not all(isinstance(each, dict) for each in found):
        raise Refused(400, "acceptedSuggestions must be a list of objects")
    taken = [_text(each, "id", _LONGEST, needed=True) for each in found]
    return tuple(each for each in taken if _CARD.fullmatch(each))


async def _card(desk: Desk, uuid: object, client: Client) -> KeptCard:
    """Return a card that was given to the client. Raises Refused, 404 also for another client's."""
    name = _uuid(uuid)
    card = await _kept(lambda: desk.store.card(name, client.name))
    if card is None:
        raise Refused(404, "no such card was given")
    return card


def _answers(body: Json, card: KeptCard, client: Client, desk: Desk) -> list[Answer]:
    return [_answer(each, card, client, desk) for each in _listed(body, "answers")]


def _answer(piece: Json, card: KeptCard, client: Client, desk: Desk) -> Answer:
    try:
        ask = find_ask(_text(piece, "ask", 200, needed=True), desk.label)
    except UsageError:
        raise Refused(400, "ask names no question of the label") from None
    word = piece.get("answer")
    if word not in ask.answers:
        raise Refused(400, f"the answer to {ask.name} must be one of: {', '.join(ask.answers)}")
    role = _text(piece, "role", 64) or client.role
    if not _ROLE.fullmatch(role):
        raise Refused(400, "role must be a word or two, as rheumatologist")
    softens = word in ask.reassures
    return Answer(
        ask=ask.name,
        answer=word,
        day=desk.settings.day().isoformat(),
        who=_who(piece.get("who") or card.user),
        role=role,
        statement=ask.of,
        reason=_reason(piece, needed=softens),
        expires=_expiry(piece, ask, word, desk) if softens else "",
        seen=card.seen.get(ask.name),
        card=card.uuid,
    )


def _who(who: object) -> str:
    if not isinstance(who, str) or not _WHO.fullmatch(who):
        raise Refused(400, "who must say who answers, as Practitioner/12")
    return who


def _reason(piece: Json, *, needed: bool) -> str:
    reason = _text(piece, "reason", _LONGEST, needed=needed).strip()
    if needed and not reason:
        raise Refused(400, "reason is missing: what makes a warning milder needs one")
    return reason


def _expiry(piece: Json, ask: Ask, word: str, desk: Desk) -> str:
    """Return the last day on which the answer makes anything milder: the one asked for, if it is not too late."""
    today = desk.settings.day()
    latest = today + timedelta(days=days_of(ask, word, desk.label, desk.store.terms))
    wanted = _text(piece, "expires", 10)
    try:
        day = date.fromisoformat(wanted) if wanted else latest
    except ValueError:
        raise Refused(400, "expires must be a day, as 2025-03-01") from None
    if not today <= day <= latest:
        raise Refused(400, f"expires must be from today to {latest.isoformat()}")
    return day.isoformat()


def _shown(answer: Answer) -> Json:
    shown = {
        "ask": answer.ask,
        "answer": answer.answer,
        "day": answer.day,
        "who": answer.who,
        "role": answer.role,
        "statement": list(answer.statement),
        "reason": answer.reason,
        "expires": answer.expires,
    }
    return {name: value for name, value in shown.items() if value}
