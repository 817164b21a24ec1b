"""Signed tokens of clients (JWT): who calls, that the token is for this address and time, and that it was not used.

joserfc checks signatures. What a token must say, and which key may have signed it, is checked here, by the text of CDS
Hooks 2.0. A client is never told why a token is refused, and a token is never logged.
"""

from __future__ import annotations

import asyncio
import re
from base64 import urlsafe_b64decode
from math import isfinite
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import jiter
from joserfc import jws
from joserfc.errors import JoseError

from precaution.errors import StoreError
from precaution.service.auth.keys import ClientKeys
from precaution.service.store.model import TokenUse

if TYPE_CHECKING:
    from collections.abc import Callable

    from precaution.service.auth.keys import Fetch
    from precaution.service.settings import Issuer, Settings

LONGEST = 8192
"""Characters of a token, at most."""
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_FORBIDDEN = ("jwk", "x5u", "x5c", "crit", "b64", "enc", "zip")
"""Headers by which a token brings a key of its own, or asks to be read in another way."""
_PATIENCE = 0.5
"""Seconds to wait for a store that need not answer."""
_LONGEST_JTI = 512
_REMEMBERED = 200_000


class UsedTokens(Protocol):
    """What remembers which tokens were used, for all processes; `Store` is one."""

    def claim(self, issuer: str, jti: str, expires: int) -> bool:
        """Note that a token is used, until `expires` (seconds since 1970); False where it was used before."""


class Unauthorised(Exception):
    """A token that is missing or refused: 401, without a body. `reason` is for counting, not for the client."""

    def __init__(self, reason: str) -> None:
        """Take the reason, one of our own words."""
        super().__init__(reason)
        self.reason = reason


class Client(NamedTuple):
    """The client that calls, as its token and the settings name it."""

    iss: str = ""
    tenant: str = ""
    kid: str = ""
    role: str = "clinician"

    @property
    def name(self) -> str:
        """What the store knows the client by; empty where no token was needed."""
        return f"{self.iss} {self.tenant}".rstrip()


class Verifier:
    """Verifies the tokens of all clients that the settings name."""

    def __init__(
        self, settings: Settings, used_tokens: UsedTokens, fetch: Fetch, *, clock: Callable[[], float] = time
    ) -> None:
        """`fetch` gets the keys at a client's `jku`. Raises UsageError where a file of keys can't be read."""
        self._settings, self._used_tokens, self._clock = settings, used_tokens, clock
        self._keys = {issuer: ClientKeys(issuer, fetch) for issuer in settings.issuers}
        self._registry = jws.JWSRegistry(algorithms=list(settings.algorithms), strict_check_header=False)
        self._registry.max_header_length = LONGEST
        self._used: dict[tuple[str, str], int] = {}

    async def verify(self, authorization: str | None, audience: str) -> Client:
        """Return who calls, by the value of the header `Authorization`; the token can't be used again.

        `audience`: the address that was called, as clients know it. Raises Unauthorised; and StoreError where the
        store can't say whether the token was used before.
        """
        client, use = await self.check(authorization, audience)
        if use is not None:
            await self.note(use)
        return client

    async def check(self, authorization: str | None, audience: str) -> tuple[Client, TokenUse | None]:
        """Return who calls, and the use of the token, which is still to be noted by the store: see `note`.

        This process remembers it from now on. None where no token is needed. Raises Unauthorised.
        """
        if not self._settings.require_tokens and (authorization is None or not self._keys):
            return Client(), None
        token = _token(authorization)
        header, claims = _decoded(token)
        issuer = self._issuer(header, claims)
        kid, algorithm = self._header(header)
        self._times(claims)
        if audience not in _audiences(claims.get("aud")):
            raise Unauthorised("audience")
        key = await self._keys[issuer].find(kid, algorithm)
        if key is None:
            raise Unauthorised("unknown-key")
        try:
            jws.deserialize_compact(token, key, registry=self._registry)
        except (JoseError, ValueError):
            raise Unauthorised("signature") from None
        return Client(issuer.iss, str(claims.get("tenant") or ""), kid, issuer.role), self._use(issuer.iss, claims)

    def _header(self, header: dict[str, Any]) -> tuple[str, str]:
        """Return the name of the key and the algorithm."""
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in self._settings.algorithms or str(header.get("typ")).upper() != "JWT":
            raise Unauthorised("algorithm")
        if not isinstance(kid, str) or not kid or any(name in header for name in _FORBIDDEN):
            raise Unauthorised("header")
        return kid, str(algorithm)

    def _issuer(self, header: dict[str, Any], claims: dict[str, Any]) -> Issuer:
        """Return the client that a token says it is from, where that may call and its keys are where it says.

        Where we keep a client's keys ourselves it does not matter where the token says they are: only ours are used.
        """
        tenant = claims.get("tenant")
        if tenant is not None and not isinstance(tenant, str):
            raise Unauthorised("issuer")
        named = [each for each in self._keys if each.iss == claims.get("iss") and each.tenant in ("", tenant)]
        there = [each for each in named if header.get("jku", each.jku) == each.jku]
        for issuer in (*there, *(each for each in named if each.keys)):
            return issuer
        raise Unauthorised("issuer")

    def _times(self, claims: dict[str, Any]) -> None:
        now, leeway = self._clock(), self._settings.leeway_seconds
        issued, expires = _number(claims, "iat"), _number(claims, "exp")
        begins = _number(claims, "nbf") if "nbf" in claims else issued
        if expires <= now - leeway:
            raise Unauthorised("expired")
        if max(issued, begins) > now + leeway:
            raise Unauthorised("not-yet")
        if not 0 < expires - issued <= self._settings.max_token_seconds:
            raise Unauthorised("lifetime")

    def _use(self, iss: str, claims: dict[str, Any]) -> TokenUse:
        """Return the use of a token, and remember it. Raises Unauthorised where this process knows of another one."""
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI:
            raise Unauthorised("jti")
        until = int(_number(claims, "exp")) + self._settings.leeway_seconds + 1
        if not self._remember(iss, jti, until):
            raise Unauthorised("replay")
        return TokenUse(iss, jti, until)

    async def note(self, use: TokenUse, *, needs_store: bool = True) -> None:
        """Note the use of a token in the store. Raises as `verify`.

        Without `needs_store` a store that fails is passed over, and this process's own memory must do: a warning that
        is not given does more harm than one that is given twice.
        """
        claim = asyncio.to_thread(self._used_tokens.claim, *use)
        try:
            first = await (claim if needs_store else asyncio.wait_for(claim, _PATIENCE))
        except (StoreError, TimeoutError):
            if needs_store:
                self._used.pop((use.issuer, use.jti), None)  # the client may try again with it
                raise
            return
        if not first:
            raise Unauthorised("replay")

    def _remember(self, iss: str, jti: str, until: int) -> bool:
        if self._used.get((iss, jti), 0) > self._clock():
            return False
        self._used[iss, jti] = until
        while len(self._used) > _REMEMBERED or self._used[next(iter(self._used))] < self._clock():
            self._used.pop(next(iter(self._used)))
        return True


def _token(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or len(token) > LONGEST or not _COMPACT.fullmatch(token):
        raise Unauthorised("no-token")
    return token


def _decoded(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims, read strictly: no key twice, no number that is none."""
    read = []
    for part in token.split(".")[:2]:
        try:
            found = jiter.from_json(
                urlsafe_b64decode(part + "=" * (-len(part) % 4)), allow_inf_nan=False, catch_duplicate_keys=True
            )
        except ValueError:
            raise Unauthorised("unreadable") from None
        if not isinstance(found, dict):
            raise Unauthorised("unreadable")
        read.append(found)
    return read[0], read[1]


def _number(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        raise Unauthorised("times")
    return float(value)


def _audiences(claim: object) -> list[object]:
    return claim if isinstance(claim, list) else [claim]
