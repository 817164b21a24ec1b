"""The routes of clinicians' answers to the label's questions, for the patient of a card that was given.

    POST {base}/answers              answers, to a card that was given
    GET  {base}/answers/{card}       what was answered for that card's patient
    POST {base}/answers/withdraw     one that was given in error is taken back

What was sent is kept as a whole or not at all; 200 says that it is on the disk. Where the store can't be written it is
503.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from precaution.assessment import find_ask
from precaution.errors import UsageError
from precaution.service.clinician_answers import days_of
from precaution.service.http.errors import Refused
from precaution.service.http.fields import objects, text
from precaution.service.http.json_body import read_object
from precaution.service.routes.access import card_of, client_of, with_store
from precaution.service.store import Answer, TrailEvent

if TYPE_CHECKING:
    from precaution.knowledge.model import Ask
    from precaution.readers.json_access import Json
    from precaution.service.auth.tokens import Client
    from precaution.service.hooks import Service
    from precaution.service.store import KeptCard

_WHO = re.compile(r"[A-Z][A-Za-z]{2,30}/[A-Za-z0-9\-._~]{1,128}")
_ROLE = re.compile(r"[A-Za-z][A-Za-z -]{0,63}")


def routes(service: Service) -> APIRouter:
    """Return the routes. They raise Refused, which the application answers with an OperationOutcome."""
    router, store, limits = APIRouter(), service.store, service.settings.limits

    @router.post("/answers")
    async def answer(request: Request) -> JSONResponse:
        client = await client_of(service, request, "/answers", "answer")
        body = await read_object(request, limits)
        card = await card_of(service, body.get("card"), client)
        given = [_answer(each, card, client, service) for each in objects(body, "answers")]
        numbers = await with_store(lambda: store.answer(card.server, card.patient, given, client=client.name))
        return JSONResponse({"answers": [_state(*each) for each in zip(numbers, given, strict=True)]})

    @router.get("/answers/{uuid}")
    async def answered(uuid: str, request: Request) -> JSONResponse:
        client = await client_of(service, request, f"/answers/{uuid}", "read")
        card = await card_of(service, uuid, client)
        event = TrailEvent(kind="read", client=client.name, server=card.server, patient=card.patient)
        await with_store(lambda: store.note(event))
        today = service.settings.day().isoformat()
        kept = await with_store(lambda: store.kept(card.server, card.patient, today))
        return JSONResponse({"answers": [{**_as_json(each), "id": each.id} for each in kept.answers]})

    @router.post("/answers/withdraw")
    async def withdraw(request: Request) -> JSONResponse:
        client = await client_of(service, request, "/answers/withdraw", "withdraw")
        body = await read_object(request, limits)
        card = await card_of(service, body.get("card"), client)
        number, who, reason = _number(body), _who(body.get("who") or card.user), _reason(body, needed=True)
        of_patient = (card.server, card.patient, number, who)
        if not await with_store(lambda: store.withdraw(*of_patient, client=client.name, reason=reason)):
            raise Refused(404, "the patient has no such answer, or it was taken back before")
        return JSONResponse({})

    return router


def _answer(piece: Json, card: KeptCard, client: Client, service: Service) -> Answer:
    try:
        ask = find_ask(text(piece, "ask", 200, needed=True), service.current.loaded.label)
    except UsageError:
        raise Refused(400, "ask names no question of the label") from None
    word = piece.get("answer")
    if word not in ask.answers:
        raise Refused(400, f"the answer to {ask.name} must be one of: {', '.join(ask.answers)}")
    role = text(piece, "role", 64) or client.role
    if not _ROLE.fullmatch(role):
        raise Refused(400, "role must be a word or two, as rheumatologist")
    softens = word in ask.reassures
    return Answer(
        ask=ask.name,
        answer=word,
        day=_day(piece, ask, service).isoformat(),
        who=_who(piece.get("who") or card.user),
        role=role,
        statement=ask.of,
        reason=_reason(piece, needed=softens),
        expires=_expiry(piece, ask, word, service) if softens else "",
        seen=card.seen.get(ask.name),
        card=card.uuid,
    )


def _day(piece: Json, ask: Ask, service: Service) -> date:
    """Return the day of which an answer is: today, or the one that the question asks for."""
    today = service.settings.day()
    if not ask.day:
        return today
    try:
        day = date.fromisoformat(text(piece, "day", 10, needed=True))
    except ValueError:
        raise Refused(400, f"day must be a day, as 2025-03-01: {ask.day}") from None
    if day > today:
        raise Refused(400, f"day must not be after today: {ask.day}")
    return day


def _number(body: Json) -> int:
    number = body.get("id")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 2**63:
        raise Refused(400, "id must be the number of an answer")
    return number


def _who(who: object) -> str:
    if not isinstance(who, str) or not _WHO.fullmatch(who):
        raise Refused(400, "who must say who answers, as Practitioner/12")
    return who


def _reason(piece: Json, *, needed: bool) -> str:
    reason = text(piece, "reason", needed=needed).strip()
    if needed and not reason:
        raise Refused(400, "reason is missing: what makes a warning milder needs one")
    return reason


def _expiry(piece: Json, ask: Ask, word: str, service: Service) -> str:
    """Return the last day on which the answer makes anything milder: the one asked for, if it is not too late."""
    today = service.settings.day()
    latest = today + timedelta(days=days_of(ask, word, service.current.loaded.label, service.store.terms))
    wanted = text(piece, "expires", 10)
    try:
        day = date.fromisoformat(wanted) if wanted else latest
    except ValueError:
        raise Refused(400, "expires must be a day, as 2025-03-01") from None
    if not today <= day <= latest:
        raise Refused(400, f"expires must be from today to {latest.isoformat()}")
    return day.isoformat()


def _state(number: int, answer: Answer) -> Json:
    """Return what became of an answer that was sent: it was kept, or only says the same again."""
    return {**_as_json(answer), "id": number or None, "state": "kept" if number else "again"}


def _as_json(answer: Answer) -> Json:
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
