"""Gets clients' keys from where they publish them: from the addresses that the settings name, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.service.fhir.addresses import AddressRefused, pool_for
from precaution.service.settings import FhirServer

if TYPE_CHECKING:
    from precaution.service.auth.keys import Fetch
    from precaution.service.settings import Settings

_SECONDS = 5.0
_LARGEST = 256 * 1024


def fetcher_of(settings: Settings) -> Fetch:
    """Return what gets a set of keys. The site names these addresses itself, so they may be of its own network."""
    addresses = frozenset(each.jku for each in settings.issuers if each.jku)
    servers = [FhirServer(url=jku, private=True) for jku in addresses]
    pool = pool_for(servers)

    async def fetch(url: str) -> bytes:
        if url not in addresses:
            raise AddressRefused("it is not on the list")
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), _SECONDS)
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
