"""Strict JSON of a bounded depth: neither more nor less is read than without the bound."""

from __future__ import annotations

import json
from typing import Any

import jiter
import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.service.http.json_body import TooDeep, _jiter_depth, strict_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=30,
)


def depth(value: Any) -> int:
    if isinstance(value, (list, dict)) and value:
        return 1 + max(map(depth, value.values() if isinstance(value, dict) else value), default=0)
    return 0


def refused(data: bytes, most: int) -> bool:
    try:
        strict_json(data, most)
    except ValueError:
        return True
    return False


@given(VALUES, st.integers(1, 8))
def test_what_is_not_too_deep_is_read_as_it_is(value: Any, most: int) -> None:
    data = json.dumps(value).encode()
    if depth(value) > most:
        with pytest.raises(TooDeep):
            strict_json(data, most)
    else:
        assert strict_json(data, most) == value == strict_json(b" " + data + b"\n", most)


@given(st.text('[]{},:"\\ 1a', max_size=24) | st.text(), st.integers(1, 300))
def test_what_is_no_json_alone_is_none_here(text: str, most: int) -> None:
    data = text.encode("utf-8", "surrogatepass")
    try:
        alone = jiter.from_json(data, catch_duplicate_keys=True, allow_inf_nan=False)
    except ValueError:
        assert refused(data, most)
        return
    assert depth(alone) > most or strict_json(data, most) == alone


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"1,2",
        b"1],[2",
        b"],[",
        b"]",
        b"[",
        b"]" * 136,
        b"{}],[{}",
        b"1]" + b"]" * 135 + b"[" * 136 + b"1",
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b"[1]]",
        b"\xff",
        b'"\\ud800"',
    ],
)
@pytest.mark.parametrize("most", [1, 64, 199, 200, 500])
def test_no_bracket_leads_out_of_the_lists_around(data: bytes, most: int) -> None:
    assert refused(data, most)


@pytest.mark.parametrize("most", [1, 2, 64, 150])
def test_the_bound_is_exact(most: int) -> None:
    for begin, end in ((b"[", b"]"), (b'{"a":', b"}")):
        assert depth(strict_json(begin * most + b"1" + end * most, most)) == most
        with pytest.raises(TooDeep):
            strict_json(begin * (most + 1) + b"1" + end * (most + 1), most)


def test_more_than_jiter_reads_is_too_deep_whatever_is_wanted() -> None:
    assert _jiter_depth() >= 64
    levels = _jiter_depth() + 1
    with pytest.raises(TooDeep):
        strict_json(b"[" * levels + b"1" + b"]" * levels, 10_000)
