"""Words, symbols, columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.writers.layout import (
    SYMBOLS,
    WIDTH,
    columns,
    counted,
    folded,
    in_ascii,
    in_words,
    listed,
    status,
    symbol,
)


def test_each_kind_of_status_has_its_own_shape_and_word() -> None:
    assert [status(action) for action in ("do-not-start", "caution", "obtain", "due", "clear", "may-resume")] == [
        "■ do not start",
        "▲ caution",
        "? obtain",
        "○ due",
        "● clear",
        "● may resume",
    ]


def test_an_action_nobody_has_heard_of_is_never_shown_as_clear() -> None:
    assert status("something-new") == "▲ something new"


def test_an_attested_action_is_a_caution_and_says_so() -> None:
    assert symbol("only-if-no-alternative") == "■"
    assert status("only-if-no-alternative", attested=True) == "▲ only if no alternative (attested)"


def test_ascii_keeps_shapes_apart() -> None:
    symbols = {in_ascii(each) for each in SYMBOLS.values()} | {in_ascii("▲")}
    assert len(symbols) == len({*SYMBOLS.values(), "▲"})
    assert in_ascii("0.8 ×10⁹/L ≥ 1 “x”…") == '0.8 x10^9/L >= 1 "x"...'
    assert in_ascii("漢") == "?"


@given(st.text())
def test_ascii_is_always_ascii(text: str) -> None:
    assert in_ascii(text).isascii()


def test_columns_stand_in_one_line_where_they_fit() -> None:
    [line] = columns("■ stop", "A is low", "S01", width=40, left=12)
    assert line == "■ stop      A is low                 S01"


def test_long_columns_run_over_lines_of_the_same_indent() -> None:
    lines = columns("■ stop", "word " * 10, "S01", width=40, left=12)
    assert all(len(line) <= 40 for line in lines)
    assert [line[:12].strip() for line in lines] == ["■ stop", *[""] * (len(lines) - 1)]
    assert lines[-1].endswith("S01")


@given(st.text(st.characters(categories=("L", "Zs")), max_size=300), st.integers(0, 30))
def test_folding_loses_no_word(text: str, indent: int) -> None:
    lines = folded(text, indent=indent)
    assert " ".join(lines).split() == text.split()
    assert all(len(line) <= WIDTH or len(line.split()) == 1 for line in lines)


@pytest.mark.parametrize(("words", "text"), [((), ""), (("a",), "a"), (("a", "b"), "a and b"), ("abc", "a, b and c")])
def test_lists_are_spoken(words: tuple[str, ...], text: str) -> None:
    assert listed(words) == text


def test_counts_agree_with_their_noun() -> None:
    assert (counted(1, "entry", "entries"), counted(2, "entry", "entries"), counted(0, "case")) == (
        "1 entry",
        "2 entries",
        "0 cases",
    )
    assert in_words("stay-interrupted") == "stay interrupted"
