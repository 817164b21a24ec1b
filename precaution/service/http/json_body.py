"""The body of a request, from its bytes to a JSON object: of the right type, not too long, too slow or too deep.

JSON is read strictly: no key twice, no NaN. jiter bounds the depth of nesting itself, but at a depth of its own. So
what is read is put into as many lists as there are levels too many: to look through ten thousand objects for their
depth afterwards takes half as long again as to read them.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING

import jiter

from precaution.service.http.errors import Refused

if TYPE_CHECKING:
    from starlette.requests import Request

    from precaution.readers.json_access import Json
    from precaution.service.settings import Limits


class TooDeep(ValueError):
    """JSON that is nested more deeply than is allowed."""


async def read_object(request: Request, limits: Limits) -> Json:
    """Return the JSON object in a request's body. Raises as `read_body` and `as_object`."""
    return as_object(await read_body(request, limits), limits)


async def read_body(request: Request, limits: Limits) -> bytes:
    """Return the body. Raises Refused: 415, 413 as soon as it is too long, 408 where it does not come in time."""
    _check_type(request)
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


def _check_type(request: Request) -> None:
    """Raise Refused, 415, where the body is not plain JSON."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Refused(415, "the body must be application/json")
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise Refused(415, "the body must not be compressed")


def _too_long(limits: Limits) -> Refused:
    return Refused(413, f"the body has more than {limits.max_body} bytes", {"Connection": "close"})


def as_object(body: bytes, limits: Limits) -> Json:
    """Return the JSON object that a body holds. Raises Refused, 400, where it holds none or is nested too deeply."""
    try:
        value = strict_json(body, limits.max_depth)
    except TooDeep:
        raise Refused(400, f"the body is nested more than {limits.max_depth} levels deep") from None
    except ValueError:
        raise Refused(400, _NOT_STRICT) from None
    if not isinstance(value, dict):
        raise Refused(400, "the body must be a JSON object")
    return value


_NOT_STRICT = (
    "the body is not strict JSON: check that it is UTF-8, whole, without a key that is given twice and without NaN"
)


def strict_json(data: bytes, max_depth: int) -> object:
    """Return the value of JSON text. Only lists and objects that hold something count as a level of nesting.

    Raises TooDeep, or ValueError where it is not strict JSON.
    """
    around = max(_jiter_depth() - max_depth, 0)
    value = _read(b"[" * around + data + b"]" * around)
    for _ in range(around):
        if not isinstance(value, list) or len(value) != 1:
            raise ValueError("what is read is no value of its own: it ends a list and begins another")
        value = value[0]
    return value


@cache
def _jiter_depth() -> int:
    """Return how many levels of nesting jiter reads."""
    levels = 1
    while True:
        try:
            _read(b"[" * (levels + 1) + b"1" + b"]" * (levels + 1))
        except TooDeep:
            return levels
        levels += 1


def _read(data: bytes) -> object:
    try:
        found: object = jiter.from_json(data, catch_duplicate_keys=True, allow_inf_nan=False, cache_mode="keys")
    except RecursionError:
        raise TooDeep from None
    except ValueError as error:
        if "recursion limit" in str(error):
            raise TooDeep from None
        raise
    return found
