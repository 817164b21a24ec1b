"""The public keys of a client: fetched from its `jku`, or read from a file that we keep; parsed once, asked for seldom.

A key that is not known is looked for anew, but not more often than every half minute, however many tokens name it.
While the client's keys can't be fetched, those had before are used for a day. Keys are fetched from the addresses that
the settings name, and from no others.
"""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import jiter
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from precaution.errors import UsageError
from precaution.service.fhir.addresses import AddressRefused, pool_for
from precaution.service.settings import FhirServer

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    from precaution.service.settings import Issuer, Settings

    PublicKey = ECKey | OKPKey | RSAKey

Fetch = Callable[[str], Awaitable[bytes]]
"""Returns what stands at an address; raises any Exception where it can't. It must refuse addresses of no client."""

FRESH = 600.0
"""Seconds after which keys are fetched anew, beside the requests."""
USABLE = 86_400.0
"""Seconds for which keys are used though they can't be fetched anew."""
APART = 30.0
"""Seconds between two attempts to fetch, at least."""
_LARGEST = 256 * 1024
"""Bytes of a set of keys, at most."""
_FETCH_SECONDS = 5.0
_MOST = 100
_PUBLIC = ("kty", "crv", "x", "y", "n", "e")
_FITS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    **{f"{kind}{bits}": ("RSA", ()) for kind in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": ("EC", ("P-256",)),
    "ES384": ("EC", ("P-384",)),
    "ES512": ("EC", ("P-521",)),
    "EdDSA": ("OKP", ("Ed25519", "Ed448")),
}
"""The kind of key, and the curves, of each algorithm: a key never serves another."""
_MODULUS = range(2048, 8193)
"""Bits of an RSA key: fewer are not safe, more only cost time."""


class ClientKeys:
    """The public keys of one client, by their name (`kid`) and algorithm."""

    def __init__(self, issuer: Issuer, fetch: Fetch, clock: Callable[[], float] = monotonic) -> None:
        """Take where the keys are. Raises UsageError where a file of keys can't be read, or holds none."""
        self._issuer, self._fetch, self._clock = issuer, fetch, clock
        self._keys: dict[tuple[str, str], list[PublicKey]] = {}
        self._got = self._tried = -USABLE
        self._lock = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None
        if issuer.keys:
            self._take(_file(issuer))
            if not self._keys:
                raise UsageError(f"issuer {issuer.iss}: the file of keys {issuer.keys} holds none that can be used")

    async def find(self, kid: str, algorithm: str) -> PublicKey | None:
        """Return the one key of this name that fits the algorithm; None where there is none, or more than one."""
        age = self._clock() - self._got
        if age < USABLE and (kid, algorithm) in self._keys:
            if age > FRESH and (self._refreshing is None or self._refreshing.done()):
                self._refreshing = asyncio.create_task(self._refresh())
            return self._only(kid, algorithm)
        await self._refresh()
        return self._only(kid, algorithm) if self._clock() - self._got < USABLE else None

    def _only(self, kid: str, algorithm: str) -> PublicKey | None:
        found = self._keys.get((kid, algorithm), [])
        return found[0] if len(found) == 1 else None

    async def _refresh(self) -> None:
        async with self._lock:
            if self._clock() - self._tried < APART:
                return
            self._tried = self._clock()
            try:
                read = await self._read()
            except Exception:  # whatever went wrong, the keys known go on being used
                return
            self._take(read)

    async def _read(self) -> bytes:
        if self._issuer.keys:
            return await asyncio.to_thread(_file, self._issuer)
        return await self._fetch(self._issuer.jku)

    def _take(self, data: bytes) -> None:
        keys = parse_key_set(data)
        if keys is not None:
            self._keys, self._got = keys, self._clock()


def _file(issuer: Issuer) -> bytes:
    try:
        return Path(issuer.keys).read_bytes()
    except OSError as error:
        why = f"the file of keys {issuer.keys} can't be read: {error.strerror}"
        raise UsageError(f"issuer {issuer.iss}: {why}") from None


def parse_key_set(data: bytes) -> dict[tuple[str, str], list[PublicKey]] | None:
    """Return the keys of a JWK set by name and algorithm; None where it is no such set. Keys of no use are left out."""
    if len(data) > _LARGEST:
        return None
    try:
        found = jiter.from_json(data, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError:
        return None
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list):
        return None
    by_name: dict[tuple[str, str], list[PublicKey]] = {}
    for each in keys[:_MOST]:
        for algorithm in _algorithms(each):
            key = _key(each)
            if key is not None:
                by_name.setdefault((each["kid"], algorithm), []).append(key)
    return by_name


def _algorithms(jwk: Any) -> list[str]:
    """Return the algorithms that a key of a set may be used with."""
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str) or not jwk["kid"]:
        return []
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return []
    return [
        name
        for name, (kind, curves) in _FITS.items()
        if jwk.get("kty") == kind and (not curves or jwk.get("crv") in curves) and jwk.get("alg", name) == name
    ]


def _key(jwk: dict[str, Any]) -> PublicKey | None:
    """Return the public part of a key; None where it is no sound one."""
    try:
        if jwk["kty"] == "RSA" and _bits(jwk["n"]) not in _MODULUS:
            return None
        key: PublicKey = import_key({name: jwk[name] for name in _PUBLIC if name in jwk})  # type: ignore[assignment]
        _ = key.raw_value  # only now is it seen whether the point is on the curve
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key


def _bits(number: object) -> int:
    """Return how many bits a number of a key has, which is written in base64url."""
    if not isinstance(number, str):
        raise TypeError("a number of a key must be a text")
    return int.from_bytes(urlsafe_b64decode(number + "=" * (-len(number) % 4))).bit_length()


def key_fetcher(settings: Settings) -> Fetch:
    """Return what fetches a set of keys. The site itself names these addresses, so they may be of its own network."""
    addresses = frozenset(each.jku for each in settings.issuers if each.jku)
    pool = pool_for([FhirServer(url=jku, private=True) for jku in addresses])

    async def fetch(url: str) -> bytes:
        if url not in addresses:
            raise AddressRefused("it is not on the list")
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), _FETCH_SECONDS)
        headers = [(b"Accept", b"application/json"), (b"Accept-Encoding", b"identity")]
        async with pool.stream("GET", url, headers=headers, extensions={"timeout": timeouts}) as response:
            if response.status != 200:
                raise AddressRefused("it has no keys")
            data = bytearray()
            async for part in response.aiter_stream():
                data += part
                if len(data) > _LARGEST:
                    raise AddressRefused("it sends too much")
            return bytes(data)

    return fetch
