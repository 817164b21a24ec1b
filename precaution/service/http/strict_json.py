"""Strict JSON of a bounded depth: no key twice, no NaN, no more levels than are wanted.

jiter bounds the depth itself, but at a depth of its own. So what is read is put into as many lists as there are levels
too many: to look through ten thousand objects for their depth afterwards takes half as long again as to read them.
"""

from __future__ import annotations

from functools import cache

import jiter


class TooDeep(ValueError):
    """Nested more deeply than is wanted."""


def read(data: bytes, most: int) -> object:
    """Return what is read of `data`, nested at most `most` levels deep: lists and objects that hold something.

    Raises TooDeep, or ValueError.
    """
    around = max(deepest() - most, 0)
    value = _read(b"[" * around + data + b"]" * around)
    for _ in range(around):
        if not isinstance(value, list) or len(value) != 1:
            raise ValueError("what is read is no value of its own: it ends a list and begins another")
        value = value[0]
    return value


@cache
def deepest() -> int:
    """Return how many levels jiter reads."""
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
