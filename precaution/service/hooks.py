"""One call of a hook, from its body to its cards: who calls, what is sent, fetched and kept, what is answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import perf_counter, time
from typing import TYPE_CHECKING, Any

from precaution.service.auth.patients import server_for
from precaution.service.auth.tokens import Unauthorised
from precaution.service.cards import pages
from precaution.service.clinician_answers import evidence_about, kept_card, offered_answer
from precaution.service.deciding import Decider, Outcome
from precaution.service.http.calls import read_call
from precaution.service.http.errors import Refused
from precaution.service.http.json_body import as_object, read_body
from precaution.service.http.middleware import note_for_log
from precaution.service.store import KeptCard, KeptDecision, TrailEvent
from precaution.service.store.canonical import moment

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from starlette.requests import Request

    from precaution.service.auth.links import PageLinks
    from precaution.service.auth.tokens import Client, Verifier
    from precaution.service.cards.build import BuiltCard
    from precaution.service.current_label import CurrentLabel, LoadedLabel
    from precaution.service.fhir.fetching import Fetched, Fetcher
    from precaution.service.fhir.queries import Query
    from precaution.service.http.calls import HookRequest
    from precaution.service.http.concurrency import ConcurrencyLimit
    from precaution.service.metrics import Metrics
    from precaution.service.settings import Settings
    from precaution.service.store import Kept, Store, TokenUse
    from precaution.service.store_client import StoreClient

_LARGE = 400_000
"""Bytes of a body above which deciding gets a thread of its own, so that others need not wait for it."""
_UNREADABLE = "answers and overrides kept by the service could not be read, so nothing is softened by them"


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of the service that a call passes through."""

    settings: Settings
    current: CurrentLabel
    asked: tuple[Query, ...]
    store: Store
    store_client: StoreClient
    verifier: Verifier
    fetcher: Fetcher
    links: PageLinks
    metrics: Metrics
    concurrency: ConcurrencyLimit

    async def cards(self, request: Request, service: str, hook: str) -> dict[str, Any]:
        """Return the response to a call of a hook. Raises Refused."""
        address = f"{self.settings.base}/cds-services/{service}"
        try:
            client, use = await self.verifier.check(request.headers.get("Authorization"), address)
            pending = PendingUse(self.verifier, use)
            try:
                return await self._cards(request, service, hook, client, pending)
            finally:
                await pending.note()
        except Unauthorised as error:
            self.metrics.refused.labels(error.reason).inc()
            note_for_log(request, refused=error.reason)
            raise Refused(401, "", {"WWW-Authenticate": "Bearer"}) from None

    async def _cards(
        self, request: Request, service: str, hook: str, client: Client, pending: PendingUse
    ) -> dict[str, Any]:
        body = await read_body(request, self.settings.limits)
        began = perf_counter()
        async with self.concurrency.slot(self.settings.limits.deadline_seconds):
            call = read_call(as_object(body, self.settings.limits), hook, self.settings.limits)
            note_for_log(request, hook=hook, instance=call.logged_instance)
            server = server_for(client, call.fhir_server, self.settings)
            work = _HookWork(self, call, client, service, len(body), pending, server)
            outcome = await self._in_time(work, began)
        self._count(hook, outcome)
        note_for_log(request, cards=len(outcome.cards), why=outcome.why or "decided")
        return {"cards": [each.card for each in outcome.cards]}

    async def _in_time(self, work: _HookWork, began: float) -> Outcome:
        """Return what comes of a call, or that the time was up. Raises Refused."""
        left = self.settings.limits.deadline_seconds - (perf_counter() - began)
        try:
            async with asyncio.timeout(max(left, 0)):
                return await work.done()
        except TimeoutError:
            if self.settings.on_deadline == "503":
                raise Refused(503, "the time for this call was up; try again", {"Retry-After": "1"}) from None
            return work.decider(self.current.loaded).late()

    def _count(self, hook: str, outcome: Outcome) -> None:
        if outcome.decision is not None:
            self.metrics.decided(hook, outcome.decision)
        elif outcome.cards:
            self.metrics.incomplete.labels(outcome.why).inc()
        for each in outcome.cards:
            self.metrics.cards.labels(hook, each.content.tier).inc()


@dataclass(slots=True)
class PendingUse:
    """The use of the token of a call, which the store notes once: with the cards, or by itself before the answer."""

    verifier: Verifier
    use: TokenUse | None

    def taken(self) -> TokenUse | None:
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


@dataclass(frozen=True, slots=True)
class _HookWork:
    """The work on one call."""

    service: Service
    call: HookRequest
    client: Client
    name: str
    """The id of the service that was called."""
    size: int
    pending: PendingUse
    server: str
    """What the store knows the patient's server by."""

    async def done(self) -> Outcome:
        """Return what comes of the call, kept by the store."""
        loaded = self.service.current.loaded
        if self.call.fhir_server and self.service.settings.fhir_servers:
            await self.pending.note()  # nobody makes us ask a server by a token that was used before
        standing = loaded.label.terminology.source.standing_notes
        fetched = await self.service.fetcher.complete(self.call, self.service.asked, standing)
        self.service.metrics.fetched.inc(fetched.asked)
        day = self.service.settings.day()
        kept = await self.service.store_client.kept(self.server, self.call.patient, day.isoformat())
        outcome = await self._run(lambda: self._decided(loaded, fetched, kept, day))
        if outcome.cards:
            cards, event, page = self._to_keep(outcome, loaded)
            if not await self.service.store_client.keep(cards, event, page, self.pending.taken()):
                raise Unauthorised("replay")
        return outcome

    async def _run(self, decide: Callable[[], Outcome]) -> Outcome:
        return await asyncio.to_thread(decide) if self.size > _LARGE else decide()

    def decider(self, loaded: LoadedLabel) -> Decider:
        """Return what decides by a label."""
        links, about = self.service.links, f"{self.service.settings.base}/label"
        return Decider(
            loaded.label, loaded.vocabulary, self.service.asked, lambda uuid: links.link(uuid, time()), about
        )

    def _decided(self, loaded: LoadedLabel, fetched: Fetched, kept: Kept, day: date) -> Outcome:
        notes = () if kept.readable else (_UNREADABLE,)
        late = ("the time for asking the FHIR server was up",) if fetched.late else ()
        return self.decider(loaded).outcome(
            self.call, fetched.answers, day.toordinal(), shared=fetched.shared, kept=kept, notes=(*notes, *late)
        )

    def _to_keep(self, outcome: Outcome, loaded: LoadedLabel) -> tuple[list[KeptCard], TrailEvent, KeptDecision | None]:
        """Return what the store is to keep of what is given: cards, an event of the trail, and the decision's page."""
        decision = outcome.decision
        event = TrailEvent(
            kind="decision",
            client=self.client.name,
            user=self.call.user,
            server=self.server,
            patient=self.call.patient,
            request=self.call.logged_instance,
            about={
                "hook": self.call.hook,
                "action": decision.action if decision else outcome.why,
                "tiers": [each.content.tier for each in outcome.cards],
                "label": loaded.label.digest[:16],
            },
        )
        if decision is None or outcome.facts is None or outcome.words is None:
            return [], event, None
        asked = [each.ask for each in decision.asks]
        seen = evidence_about(outcome.facts, asked)
        cards = [self._card(each, outcome, loaded, seen) for each in outcome.cards]
        notes = tuple(note for each in outcome.cards for note in each.content.notes)
        content = pages.content(decision, loaded.label, loaded.vocabulary, outcome.words, notes)
        page = KeptDecision(
            uuid=outcome.uuid,
            client=self.client.name,
            server=self.server,
            patient=self.call.patient,
            content=content,
            expires_at=moment(self.service.links.end()),
        )
        return cards, event, page

    def _card(
        self, built: BuiltCard, outcome: Outcome, loaded: LoadedLabel, seen: dict[str, tuple[str, ...]]
    ) -> KeptCard:
        label, terms = loaded.label, self.service.store.terms
        offers = [
            offered_answer(each.uuid, label.asks[each.ask], each.answer, label, terms)
            for each in built.offered
            if each.ask
        ]
        if outcome.decision is None or outcome.digests is None:
            raise ValueError("a card of no decision is not kept")
        return kept_card(
            outcome.decision,
            built.content.findings,
            uuid=str(built.card["uuid"]),
            tier=built.content.tier,
            server=self.server,
            patient=self.call.patient,
            hook=self.call.hook,
            service=self.name,
            seen=seen,
            content_of=outcome.digests.of,
            due=built.content.due,
            offers=offers,
            client=self.client.name,
            user=self.call.user,
        )
