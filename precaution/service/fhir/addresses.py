"""Which addresses the service may ask: those of the site's list, exactly, on the internet or where the site says so.

An address that a client gives is text until it has passed here. It is compared part by part with the list; nothing in
it is normalised, decoded or guessed, so what is written in any other way is refused. The host is looked up once, every
number it has is judged, and the connection goes to the number that was judged.
"""

from __future__ import annotations

import asyncio
import re
import socket
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any, NamedTuple

import httpcore

from precaution.errors import PrecautionError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ssl import SSLContext

    from precaution.service.settings import FhirServer

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*)(?:\?(?P<query>[A-Za-z0-9._~!$&'()*+,;=:@%/?|-]*))?"
)
"""The addresses that are understood: no user, no fragment, no backslash, no blanks, nothing beyond ASCII."""
_STEPS = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)|%2f|%5c|//", re.IGNORECASE)
"""What makes a path lead elsewhere than it seems."""
_PORTS = {"http": 80, "https": 443}
_EMBEDDING = tuple(map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))
"""Ranges of IPv6 whose addresses lead on to one of IPv4."""


class AddressRefused(PrecautionError):
    """An address that the service does not ask. The message holds nothing of it."""


class Address(NamedTuple):
    """An address taken apart."""

    scheme: str
    host: str
    """In lower case; without the brackets of IPv6."""
    port: int
    path: str
    """Without a slash at its end."""
    query: str = ""

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port."""
        return self.scheme, self.host, self.port


def address(url: str) -> Address:
    """Return an address taken apart. Raises AddressRefused where it is not written plainly."""
    found = _URL.fullmatch(url) if len(url) <= 4096 else None
    if found is None:
        raise AddressRefused("it is no plain http(s) address")
    port = int(found["port"]) if found["port"] else _PORTS[found["scheme"]]
    if not 0 < port < 65536 or _STEPS.search(found["path"]):
        raise AddressRefused("its port or path is not written plainly")
    host = found["host"].strip("[]").lower()
    return Address(found["scheme"], host, port, found["path"].rstrip("/"), found["query"] or "")


def allowed(url: str, servers: Iterable[FhirServer]) -> FhirServer | None:
    """Return the server of the list whose base `url` is, or begins with; None where there is none.

    Scheme, host and port must be the same, and the path must be the server's or go on below it.
    """
    try:
        asked = address(url)
    except AddressRefused:
        return None
    return next((server for server in servers if _below(asked, address(server.url))), None)


def _below(asked: Address, base: Address) -> bool:
    same = asked.origin == base.origin
    return same and (asked.path == base.path or asked.path.startswith(base.path + "/"))


def is_public(number: str) -> bool:
    """Whether an IP address is one of the internet: not of a private network, this machine, or a link."""
    try:
        found: IPv4Address | IPv6Address = ip_address(number.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if any(found in network for network in _EMBEDDING):
            return False
    return found.is_global and not found.is_multicast


@cache
def _certificates() -> SSLContext:
    """Return the authorities that are trusted: the machine's own (SSL_CERT_FILE), and the usual ones."""
    return httpcore.default_ssl_context()


def pool_for(servers: Iterable[FhirServer], **more: Any) -> httpcore.AsyncConnectionPool:
    """Return connections to servers of a list. Raises AddressRefused where one is not written plainly."""
    servers = tuple(servers)
    context = _certificates() if any(address(each.url).scheme == "https" for each in servers) else None
    return httpcore.AsyncConnectionPool(network_backend=Pinned(servers), ssl_context=context, **more)


class Pinned(httpcore.AsyncNetworkBackend):
    """Connects to hosts of the list only, at a number that was judged."""

    def __init__(self, servers: Iterable[FhirServer]) -> None:
        self._private: dict[tuple[str, int], bool] = {}
        for server in servers:
            base = address(server.url)
            private = self._private.get((base.host, base.port), False)
            self._private[base.host, base.port] = private or server.private
        self._below = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Return a connection. Raises httpcore.ConnectError where the host may not be asked, or is not there."""
        private = self._private.get((host.strip("[]").lower(), port))
        if private is None:
            raise httpcore.ConnectError("the host is not on the list")
        number = await self._judged(host.strip("[]"), port, private=private)
        return await self._below.connect_tcp(number, port, timeout, local_address, socket_options)

    async def _judged(self, host: str, port: int, *, private: bool) -> str:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            raise httpcore.ConnectError("the host has no address") from None
        numbers = [str(each[4][0]) for each in found]
        if not numbers or not (private or all(map(is_public, numbers))):
            raise httpcore.ConnectError("the host's address is not one of the internet")
        return numbers[0]

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._below.sleep(seconds)
