"""Asks a FHIR server for what a client did not send along: missing queries, further pages, the medications referred to.

Only servers of the site's list are asked (see `addresses`), with the token that the client gave for that server and
nothing else: no redirect is followed, no cookie kept, no proxy of the environment used. All of it has one deadline and
one limit of bytes. What can't be had in time counts as it did before: not retrieved, or incomplete.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import httpcore

from precaution.readers.bundle_queries import referenced_ids
from precaution.readers.json_access import Json, child, text
from precaution.readers.prefetch import FAILED, NOT_RETRIEVED, Retrieved, joined, retrieved
from precaution.service.fhir.addresses import AddressRefused, address, allowed, pool_for
from precaution.service.fhir.queries import PATIENT
from precaution.service.http.json_body import strict_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from precaution.service.fhir.queries import Query
    from precaution.service.http.calls import HookRequest
    from precaution.service.settings import Settings

MOST_PAGES = 20
"""Pages of one query that are asked for."""
MOST_MEDICATIONS = 25
_DEPTH = 64
"""Levels of nesting."""
_MARGIN = 0.25
"""Part of the deadline that is kept for deciding."""
_HEADERS = (
    (b"Accept", b"application/fhir+json, application/json;q=0.9"),
    (b"Accept-Encoding", b"identity"),
    (b"Cache-Control", b"no-cache"),
    (b"User-Agent", b"precaution"),
)
"""No cache: HAPI FHIR answers a search that it made within a minute from memory, without what was written since."""


class Fetched(NamedTuple):
    """What was sent and fetched for a call, query by query."""

    answers: dict[str, Retrieved]
    shared: tuple[Json, ...] = ()
    """Medications that others refer to."""
    asked: int = 0
    """How many requests were made."""
    late: bool = False
    """Whether the deadline ended the asking."""


class _Unable(Exception):
    """Something can't be fetched. It holds nothing of what was asked for."""


class Fetcher:
    """Completes calls from the FHIR servers that the settings name, over connections that it keeps open."""

    def __init__(self, settings: Settings) -> None:
        """Raises AddressRefused where a server of the list is not written plainly."""
        self._settings = settings
        self._pool = pool_for(
            settings.fhir_servers, max_connections=64, max_keepalive_connections=16, keepalive_expiry=30
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def complete(self, call: HookRequest, asked: Iterable[Query], standing: tuple[str, ...] = ()) -> Fetched:
        """Return what the client sent, completed from its FHIR server where that may and can be asked.

        `standing`: texts of messages that the source sends with each answer.
        """
        queries = {query.key: query for query in asked}
        sent = {key: _sent(call, key, standing) for key in {**queries, **(call.prefetch or {})}}
        server = allowed(call.fhir_server, self._settings.fhir_servers) if call.fhir_server else None
        if server is None:
            return Fetched(sent)
        work = _Fetching(self._pool, call, self._settings.limits.max_body, standing)
        late = False
        try:
            async with asyncio.timeout(self._settings.limits.deadline_seconds * (1 - _MARGIN)):
                await work.fill(sent, queries)
        except TimeoutError:
            late = True
        return Fetched(sent, tuple(work.shared), work.asked, late)


def _sent(call: HookRequest, key: str, standing: tuple[str, ...]) -> Retrieved:
    prefetch = call.prefetch or {}
    return retrieved(prefetch[key], search=key != PATIENT, standing=standing) if key in prefetch else NOT_RETRIEVED


class _Fetching:
    """The requests made for one call. Each result is kept at once, so that a deadline loses only what is late."""

    def __init__(
        self, pool: httpcore.AsyncConnectionPool, call: HookRequest, room: int, standing: tuple[str, ...]
    ) -> None:
        self._pool = pool
        self._standing = standing
        self._call = call
        self._base = call.fhir_server.rstrip("/")
        self._origin = address(self._base)
        self._room = room
        self.asked = 0
        self.shared: list[Json] = []

    async def fill(self, answers: dict[str, Retrieved], queries: Mapping[str, Query]) -> None:
        """Complete `answers` in place."""
        wanting = [key for key in queries if _wanting(answers[key])]
        await asyncio.gather(*(self._fill(key, queries[key], answers) for key in wanting))
        await self._medications(answers)

    async def _fill(self, key: str, query: Query, answers: dict[str, Retrieved]) -> None:
        if answers[key].state in ("not retrieved", "failed"):
            url = f"{self._base}/{query.template.replace('{{context.patientId}}', self._call.patient)}"
            try:
                answers[key] = retrieved(await self._get(url), search=bool(query.kind), standing=self._standing)
            except _Unable:
                answers[key] = FAILED
                return
        for _ in range(MOST_PAGES):
            following = answers[key].following
            if not following:
                return
            page = await self._page(following)
            if page is None:
                answers[key] = answers[key]._replace(following="")
                return
            answers[key] = joined(answers[key], page)

    async def _page(self, url: str) -> Retrieved | None:
        """Return a further page; None where it may not, or can't, be had."""
        try:
            asked = address(url)
            if asked.origin != self._origin.origin or not f"{asked.path}/".startswith(f"{self._origin.path}/"):
                return None
            return retrieved(await self._get(url), standing=self._standing)
        except (AddressRefused, _Unable):
            return None

    async def _medications(self, answers: Mapping[str, Retrieved]) -> None:
        """Ask for the medications that prescriptions only refer to."""
        resources = [child(entry, "resource") for answer in answers.values() for entry in answer.entries]
        there = {text(each, "id") for each in resources if each.get("resourceType") == "Medication"}
        meant = [*referenced_ids(self._call.drafts, self._base), *referenced_ids(resources, self._base)]
        wanted = [name for name in dict.fromkeys(meant) if name not in there]  # what is being ordered first
        await asyncio.gather(*(self._medication(name) for name in wanted[:MOST_MEDICATIONS]))

    async def _medication(self, name: str) -> None:
        with suppress(_Unable, AddressRefused):
            url = f"{self._base}/Medication/{name}"
            address(url)
            found = await self._get(url)
            if isinstance(found, dict) and found.get("resourceType") == "Medication":
                self.shared.append(found)

    async def _get(self, url: str) -> object:
        """Return what stands at an address as parsed JSON. Raises _Unable."""
        self.asked += 1
        headers = [*_HEADERS]
        if self._call.token:
            headers.append((b"Authorization", b"Bearer " + self._call.token.encode()))
        try:
            async with self._pool.stream("GET", url, headers=headers) as response:
                return await self._body(response)
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.TimeoutException,
            httpcore.UnsupportedProtocol,
            OSError,
            ValueError,
            RecursionError,
        ):
            raise _Unable from None

    async def _body(self, response: httpcore.Response) -> object:
        names = {name.lower(): value.lower() for name, value in response.headers}
        if response.status != 200 or names.get(b"content-encoding", b"identity") != b"identity":
            raise _Unable
        parts: list[bytes] = []
        async for part in response.aiter_stream():
            self._room -= len(part)
            if self._room < 0:
                raise _Unable
            parts.append(part)
        return strict_json(b"".join(parts), _DEPTH)


def _wanting(answer: Retrieved) -> bool:
    return answer.state in ("not retrieved", "failed") or bool(answer.following)


"""`none` is the client's own word, and is believed as far as it goes; it is not asked again."""
