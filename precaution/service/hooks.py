"""The work of one call of a hook, from its body to its cards: who asks, what is sent, what is known, what to say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import perf_counter, time
from typing import TYPE_CHECKING, Any

from precaution.service.auth.tokens import Unauthorised
from precaution.service.cards import pages
from precaution.service.clinician_answers import evidence_about, kept_card, offer
from precaution.service.deciding import Decider, Outcome
from precaution.service.http.bodies import body_of
from precaution.service.http.calls import call as call_of
from precaution.service.http.calls import parsed
from precaution.service.http.errors import Refused
from precaution.service.store import Event, KeptCard, KeptDecision
from precaution.service.store.texts import moment

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from starlette.requests import Request

    from precaution.service.auth.links import Links
    from precaution.service.auth.tokens import Client, Verifier
    from precaution.service.cards.build import Shown
    from precaution.service.fhir.fetching import Fetched, Fetcher
    from precaution.service.fhir.queries import Query
    from precaution.service.http.calls import Call
    from precaution.service.http.places import Places
    from precaution.service.knowledge import Knowledge, Known
    from precaution.service.metrics import Metrics
    from precaution.service.settings import Settings
    from precaution.service.store import Kept, Store, Use
    from precaution.service.store_client import StoreClient

_LARGE = 400_000
"""Bytes of a body above which deciding gets a thread of its own, so that others need not wait for it."""
_UNREADABLE = "answers and overrides kept by the service could not be read, so nothing is softened by them"


@dataclass(frozen=True, slots=True)
class Service:
    """All that answering needs."""

    settings: Settings
    knowledge: Knowledge
    asked: tuple[Query, ...]
    store: Store
    asking: StoreClient
    verifier: Verifier
    fetcher: Fetcher
    links: Links
    metrics: Metrics
    places: Places

    async def cards(self, request: Request, service: str, hook: str) -> dict[str, Any]:
        """Return the response to a call of a hook. Raises Refused."""
        address = f"{self.settings.base}/cds-services/{service}"
        try:
            client, use = await self.verifier.check(request.headers.get("Authorization"), address)
            once = Once(self.verifier, use)
            try:
                return await self._cards(request, service, hook, client, once)
            finally:
                await once.note()
        except Unauthorised as error:
            self.metrics.refused.labels(error.reason).inc()
            raise Refused(401, "", {"WWW-Authenticate": "Bearer"}) from None

    async def _cards(self, request: Request, service: str, hook: str, client: Client, once: Once) -> dict[str, Any]:
        body = await body_of(request, self.settings.limits)
        began = perf_counter()
        async with self.places.one(self.settings.limits.deadline_seconds):
            call = call_of(parsed(body, self.settings.limits), hook, self.settings.limits)
            _tell(request, hook=hook, instance=call.logged_instance)
            outcome = await self._in_time(_Work(self, call, client, service, len(body), once), began)
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


@dataclass(slots=True)
class Once:
    """The use of the token of a call, noted by the store once: with the cards, or else by itself before the answer."""

    verifier: Verifier
    use: Use | None

    def taken(self) -> Use | None:
        """Return the use, for who will note it."""
        use, self.use = self.use, None
        return use

    async def note(self) -> None:
        """Note the use if nobody has taken it. Raises Unauthorised where the token was used before.

        Where the store fails this process's own memory must do: a warning that is not given does more harm than one
        that is given twice.
        """
        use = self.taken()
        if use is not None:
            await self.verifier.note(use, needs_store=False)


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
    once: Once

    @property
    def server(self) -> str:
        """What the store knows the patient's server by."""
        return self.call.fhir_server or self.client.name

    async def done(self) -> Outcome:
        """Return what comes of the call, kept by the store."""
        known = self.service.knowledge.known
        if self.call.fhir_server and self.service.settings.fhir_servers:
            await self.once.note()  # nobody makes us ask a server by a token that was used before
        fetched = await self.service.fetcher.complete(self.call, self.service.asked)
        self.service.metrics.fetched.inc(fetched.asked)
        day = self.service.settings.day()
        kept = await self.service.asking.kept(self.server, self.call.patient, day.isoformat())
        outcome = await self._run(lambda: self._decided(known, fetched, kept, day))
        if outcome.cards:
            cards, event, page = self._to_keep(outcome, known)
            if not await self.service.asking.keep(cards, event, page, self.once.taken()):
                raise Unauthorised("replay")
        return outcome

    async def _run(self, decide: Callable[[], Outcome]) -> Outcome:
        return await asyncio.to_thread(decide) if self.size > _LARGE else decide()

    def decider(self, known: Known) -> Decider:
        """Return what decides by a label."""
        links, about = self.service.links, f"{self.service.settings.base}/label"
        return Decider(known.label, known.vocabulary, self.service.asked, lambda uuid: links.link(uuid, time()), about)

    def _decided(self, known: Known, fetched: Fetched, kept: Kept, day: date) -> Outcome:
        notes = () if kept.readable else (_UNREADABLE,)
        late = ("the time for asking the FHIR server was up",) if fetched.late else ()
        return self.decider(known).outcome(
            self.call, fetched.answers, day.toordinal(), shared=fetched.shared, kept=kept, notes=(*notes, *late)
        )

    def _to_keep(self, outcome: Outcome, known: Known) -> tuple[list[KeptCard], Event, KeptDecision | None]:
        """Return what the store is to keep of what is given: cards, an event of the trail, and the decision's page."""
        decision = outcome.decision
        event = Event(
            kind="decision",
            client=self.client.name,
            user=self.call.user,
            server=self.server,
            patient=self.call.patient,
            request=self.call.logged_instance,
            about={
                "hook": self.call.hook,
                "action": decision.action if decision else outcome.why,
                "tiers": [each.part.tier for each in outcome.cards],
                "label": known.label.digest[:16],
            },
        )
        if decision is None or outcome.facts is None or outcome.words is None:
            return [], event, None
        asked = [each.ask for each in decision.asks]
        seen = evidence_about(outcome.facts, asked)
        cards = [self._card(each, outcome, known, seen) for each in outcome.cards]
        notes = tuple(note for each in outcome.cards for note in each.part.notes)
        content = pages.content(decision, known.label, known.vocabulary, outcome.words, notes)
        page = KeptDecision(
            uuid=outcome.uuid,
            client=self.client.name,
            server=self.server,
            patient=self.call.patient,
            content=content,
            expires_at=moment(self.service.links.end()),
        )
        return cards, event, page

    def _card(self, shown: Shown, outcome: Outcome, known: Known, seen: dict[str, tuple[str, ...]]) -> KeptCard:
        label, terms = known.label, self.service.store.terms
        offers = [
            offer(each.uuid, label.asks[each.ask], each.answer, label, terms) for each in shown.offered if each.ask
        ]
        if outcome.decision is None:
            raise ValueError("a card of no decision is not kept")
        return kept_card(
            outcome.decision,
            shown.part.findings,
            uuid=str(shown.card["uuid"]),
            tier=shown.part.tier,
            server=self.server,
            patient=self.call.patient,
            hook=self.call.hook,
            service=self.name,
            seen=seen,
            due=shown.part.due,
            offers=offers,
            client=self.client.name,
            user=self.call.user,
        )
