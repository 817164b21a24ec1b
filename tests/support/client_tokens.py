"""Tokens of clients for tests: sound ones, and anything that an attacker may send."""

from __future__ import annotations

import asyncio
import hmac
import json
from base64 import urlsafe_b64encode
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from precaution.service.auth.tokens import Client, Verifier
from precaution.service.settings import Issuer, Settings

if TYPE_CHECKING:
    from collections.abc import Coroutine

NOW = 1_740_821_400  # 2025-03-01T09:30:00Z
BASE = "https://cds.example.org"
AUDIENCE = f"{BASE}/cds-services/x"
ISS, JKU = "https://ehr.example.org", "https://ehr.example.org/jwks.json"
_ALGORITHMS = ["ES384", "RS384", "ES256", "RS256"]
_REGISTRY = jws.JWSRegistry(algorithms=_ALGORITHMS, strict_check_header=False)
_REGISTRY.max_header_length = 100_000


@cache
def key(name: str = "one", kind: str = "EC") -> Any:
    """Return a private key; the same for the same name."""
    parameters = {"kid": name}
    if kind == "EC":
        return ECKey.generate_key("P-384", parameters)
    if kind == "P-256":
        return ECKey.generate_key("P-256", parameters)
    return RSAKey.generate_key(2048, parameters)


def public(*keys: Any) -> bytes:
    """Return the JWK set of some keys."""
    return json.dumps({"keys": [each.as_dict(private=False) for each in keys]}).encode()


def claims(**changed: Any) -> dict[str, Any]:
    """Return claims that are in order, changed; those that are `...` are left out."""
    usual = {"iss": ISS, "aud": AUDIENCE, "iat": NOW, "exp": NOW + 300, "jti": str(uuid4())}
    return {name: value for name, value in {**usual, **changed}.items() if value is not ...}


def token(said: dict[str, Any] | None = None, signed_by: Any = None, **header: Any) -> str:
    """Return the header `Authorization` with a token."""
    usual = {"alg": "ES384", "typ": "JWT", "kid": "one", "jku": JKU}
    protected = {name: value for name, value in {**usual, **header}.items() if value is not ...}
    payload = json.dumps(said if said is not None else claims()).encode()
    return "Bearer " + jws.serialize_compact(protected, payload, signed_by or key(), registry=_REGISTRY)


def raw(header: bytes, payload: bytes, signature: bytes = b"x" * 96) -> str:
    """Return the header `Authorization` with any bytes in the place of a token's parts."""
    return "Bearer " + ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in (header, payload, signature))


def by_secret(shared: bytes, algorithm: str) -> str:
    """Return the header `Authorization` with a token signed by a secret made of something that everybody knows."""
    header = json.dumps({"alg": algorithm, "typ": "JWT", "kid": "one", "jku": JKU}).encode()
    unsigned = raw(header, json.dumps(claims()).encode()).rpartition(".")[0]
    digest = {"HS256": "sha256", "HS384": "sha384"}[algorithm]
    signature = hmac.digest(shared, unsigned.removeprefix("Bearer ").encode(), digest)
    return f"{unsigned}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


class Memory:
    """Where used tokens are noted, in memory."""

    def __init__(self) -> None:
        self.used: dict[tuple[str, str], int] = {}
        self.fails: Exception | None = None

    def claim(self, issuer: str, jti: str, expires: int) -> bool:
        if self.fails is not None:
            raise self.fails
        return self.used.setdefault((issuer, jti), expires) is expires


class Published:
    """Keys as they are published at an address, and how often they were asked for."""

    def __init__(self, *keys: Any) -> None:
        self.keys = keys or (key(), key("two", "RSA"))
        self.asked: list[str] = []
        self.fails: Exception | None = None

    async def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        if self.fails is not None:
            raise self.fails
        return public(*self.keys)


class Time:
    """A clock that stands until it is set."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def settings(**more: Any) -> Settings:
    """Return settings by which one client may call."""
    given = {"public_url": BASE, "require_tokens": True, "issuers": (Issuer(iss=ISS, jku=JKU),)}
    return Settings(**{**given, **more})


class Door:
    """A verifier with all that it needs, called from outside of any loop."""

    def __init__(self, chosen: Settings | None = None, replay: Any = None, published: Published | None = None) -> None:
        self.replay, self.published, self.clock = replay or Memory(), published or Published(), Time()
        self.verifier = Verifier(chosen or settings(), self.replay, self.published, clock=self.clock)
        self._loop = asyncio.new_event_loop()
        for each in self.verifier._keys.values():
            each._clock = self.clock

    def run(self, what: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(what)

    def verify(self, authorization: str | None, audience: str = AUDIENCE, **more: Any) -> Client:
        client: Client = self.run(self.verifier.verify(authorization, audience, **more))
        return client

    def close(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
