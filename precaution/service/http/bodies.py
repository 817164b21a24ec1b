"""Takes in the body of a call: of the right type, not too long, not too slow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from precaution.service.http.errors import Refused

if TYPE_CHECKING:
    from starlette.requests import Request

    from precaution.service.settings import Limits


def check_type(request: Request) -> None:
    """Raise Refused, 415, where the body is not plain JSON."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Refused(415, "the body must be application/json")
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise Refused(415, "the body must not be compressed")


async def body_of(request: Request, limits: Limits) -> bytes:
    """Return the body. Raises Refused: 415, 413 as soon as it is too long, 408 where it does not come."""
    check_type(request)
    length = request.headers.get("Content-Length", "")
    if length.isascii() and length.isdecimal() and int(length[:20]) > limits.max_body:
        raise _too_long(limits)
    data = bytearray()
    try:
        async with asyncio.timeout(limits.idle_seconds):
            async for part in request.stream():
                data += part
                if len(data) > limits.max_body:
                    raise _too_long(limits)
    except TimeoutError:
        raise Refused(408, "the body did not come in time", {"Connection": "close"}) from None
    return bytes(data)


def _too_long(limits: Limits) -> Refused:
    return Refused(413, f"the body has more than {limits.max_body} bytes", {"Connection": "close"})
