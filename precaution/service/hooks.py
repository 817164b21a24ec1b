"""The work of one call of a hook, from its body to its cards: who asks, what is sent, what is known, what to say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import perf_counter, time
from typing import TYPE_CHECKING, Any, TypeVar

from precaution.errors import StoreError
from precaution.service import pages
from precaution.service.bodies import body_of
from precaution.service.calls import call as call_of
from precaution.service.calls import parsed
from precaution.service.deciding import Decider, Outcome
from precaution.service.logs import log, where
from precaution.service.outcomes import Refused, overloaded
from precaution.service.standing import evidence_about, kept_card, offer
from precaution.service.store import UNREADABLE, Event, Kept, KeptCard, KeptDecision
from precaution.service.store.texts import moment
from precaution.service.tokens import Unauthorised

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from precaution.service.calls import Call
    from precaution.service.cards import Shown
    from precaution.service.fetching import Fetched, Fetcher
    from precaution.service.knowledge import Knowledge, Known
    from precaution.service.links import Links
    from precaution.service.metrics import Metrics
    from precaution.service.places import Places
    from precaution.service.queries import Query
    from precaution.service.settings import Settings
    from precaution.service.store import Store
    from precaution.service.tokens import Client, Verifier

T = TypeVar("T")

_LARGE = 400_000
"""Bytes of a body above which deciding gets a thread of its own, so that others need not wait for it."""
_STORE_SHARE = 0.25
"""How much of the time for a call the store may take to say what it keeps, and again to keep what is given."""
_UNREADABLE = "answers and overrides kept by the service could not be read, so nothing is softened by them"


@dataclass(frozen=True, slots=True)
class Service:
    """All that answering needs."""

    settings: Settings
    knowledge: Knowledge
    asked: tuple[Query, ...]
    store: Store
    verifier: Verifier
    fetcher: Fetcher
    links: Links
    metrics: Metrics
    places: Places

    async def client(self, request: Request, path: str) -> Client:
        """Return who calls. Raises Refused: 401 without a reason, or 503."""
        try:
            return await self.verifier.verify(
                request.headers.get("Authorization"), self.settings.base + path, needs_store=False
            )
        except Unauthorised as error:
            self.metrics.refused.labels(error.reason).inc()
            raise Refused(401, "", {"WWW-Authenticate": "Bearer"}) from None
        except StoreError:
            raise overloaded(5) from None

    async def cards(self, request: Request, service: str, hook: str) -> dict[str, Any]:
        """Return the response to a call of a hook. Raises Refused."""
        client = await self.client(request, f"/cds-services/{service}")
        body = await body_of(request, self.settings.limits)
        began = perf_counter()
        async with self.places.one(self.settings.limits.deadline_seconds):
            call = call_of(parsed(body, self.settings.limits), hook, self.settings.limits)
            _tell(request, hook=hook, instance=call.logged_instance)
            outcome = await self._in_time(_Work(self, call, client, service, len(body)), began)
        self._count(hook, outcome)
        _tell(request, cards=len(outcome.cards), why=outcome.why or "decided")
        return {"cards": [each.card for each in outcome.cards]}

    async def _in_time(self, work: _Work, began: float) -> Outcome:
        """Return what comes of a call, or that the time was up. Raises Refused."""
        left = self.settings.limits.deadline_seconds - (perf_counter() - began)
        try:
            async with asyncio.timeout(max(left, 0)):
                return await work.done()
        except TimeoutError:
            if self.settings.on_deadline == "503":
                raise Refused(503, "the time for this call was up; try again", {"Retry-After": "1"}) from None
            return work.decider(self.knowledge.known).late()

    def _count(self, hook: str, outcome: Outcome) -> None:
        if outcome.decision is not None:
            self.metrics.decided(hook, outcome.decision)
        elif outcome.cards:
            self.metrics.incomplete.labels(outcome.why).inc()
        for each in outcome.cards:
            self.metrics.cards.labels(hook, each.part.tier).inc()


def _tell(request: Request, **told: object) -> None:
    request.state.told = {**getattr(request.state, "told", {}), **told}


@dataclass(frozen=True, slots=True)
class _Work:
    """One call being worked on."""

    service: Service
    call: Call
    client: Client
    name: str
    """The id of the service that was called."""
    size: int

    @property
    def server(self) -> str:
        """What the store knows the patient's server by."""
        return self.call.fhir_server or self.client.name

    async def done(self) -> Outcome:
        """Return what comes of the call, kept by the store."""
        known = self.service.knowledge.known
        fetched = await self.service.fetcher.complete(self.call, self.service.asked)
        self.service.metrics.fetched.inc(fetched.asked)
        kept = await self._kept()
        outcome = await self._run(lambda: self._decided(known, fetched, kept))
        if outcome.cards:
            await self._keep(outcome, known)
        return outcome

    async def _run(self, decide: Callable[[], Outcome]) -> Outcome:
        return await asyncio.to_thread(decide) if self.size > _LARGE else decide()

    def decider(self, known: Known) -> Decider:
        """Return what decides by a label."""
        links, about = self.service.links, f"{self.service.settings.base}/label"
        return Decider(known.label, known.vocabulary, self.service.asked, lambda uuid: links.link(uuid, time()), about)

    def _decided(self, known: Known, fetched: Fetched, kept: Kept) -> Outcome:
        notes = () if kept.readable else (_UNREADABLE,)
        late = ("the time for asking the FHIR server was up",) if fetched.late else ()
        today = self.service.settings.day().toordinal()
        return self.decider(known).outcome(
            self.call, fetched.answers, today, shared=fetched.shared, kept=kept, notes=(*notes, *late)
        )

    async def _kept(self) -> Kept:
        store, day = self.service.store, self.service.settings.day().isoformat()
        try:
            return await self._soon(lambda: store.kept(self.server, self.call.patient, day))
        except (StoreError, TimeoutError) as error:
            self._failed(error)
            return UNREADABLE

    async def _keep(self, outcome: Outcome, known: Known) -> None:
        """Keep what is given, before it is given. A store that fails takes no warning away: it is only logged."""
        cards, event, page = self._to_keep(outcome, known)
        try:
            await self._soon(lambda: self.service.store.keep(cards, event, page=page))
        except (StoreError, TimeoutError) as error:
            self._failed(error)

    async def _soon(self, call: Callable[[], T]) -> T:
        """Return what the store says. Raises TimeoutError where it takes a share of the time there is: a store that
        does not answer must not take the warnings with it."""
        patience = self.service.settings.limits.deadline_seconds * _STORE_SHARE
        return await asyncio.wait_for(asyncio.to_thread(call), patience)

    def _failed(self, error: Exception) -> None:
        self.service.metrics.store_failures.inc()
        log().error("store", **where(error))

    def _to_keep(self, outcome: Outcome, known: Known) -> tuple[list[KeptCard], Event, KeptDecision | None]:
        decision = outcome.decision
        event = Event(
            kind="decision", client=self.client.name, user=self.call.user, server=self.server,
            patient=self.call.patient, request=self.call.logged_instance,
            about={"hook": self.call.hook, "action": decision.action if decision else outcome.why,
                   "tiers": [each.part.tier for each in outcome.cards], "label": known.label.digest[:16]},
        )  # fmt: skip
        if decision is None or outcome.record is None or outcome.words is None:
            return [], event, None
        today = self.service.settings.day().toordinal()
        seen = evidence_about(outcome.record, known.label, today)
        cards = [self._card(each, outcome, known, seen) for each in outcome.cards]
        notes = tuple(note for each in outcome.cards for note in each.part.notes)
        content = pages.content(decision, known.label, known.vocabulary, outcome.words, notes)
        page = KeptDecision(
            uuid=outcome.uuid, client=self.client.name, server=self.server, patient=self.call.patient, content=content,
            expires_at=moment(self.service.links.end()),
        )  # fmt: skip
        return cards, event, page

    def _card(self, shown: Shown, outcome: Outcome, known: Known, seen: dict[str, tuple[str, ...]]) -> KeptCard:
        label, terms = known.label, self.service.store.terms
        offers = [
            offer(each.uuid, label.asks[each.ask], each.answer, label, terms) for each in shown.offered if each.ask
        ]
        if outcome.decision is None:
            raise ValueError("a card of no decision is not kept")
        return kept_card(
            outcome.decision, shown.part.findings, uuid=str(shown.card["uuid"]), tier=shown.part.tier,
            server=self.server, patient=self.call.patient, hook=self.call.hook, service=self.name,
            seen=seen, due=shown.part.due, offers=offers, client=self.client.name, user=self.call.user,
        )  # fmt: skip
