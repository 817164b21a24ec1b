"""The README: what it shows is what comes out, and it says what it must."""

from __future__ import annotations

import re

import pytest

from precaution.writers.layout import NOTE
from support import doc_blocks
from support.project import PROJECT

README = PROJECT / "README.md"
TEXT = README.read_text(encoding="utf-8")


@pytest.mark.skipif(not doc_blocks.can_play(), reason="no shell here")
@pytest.mark.parametrize("block", doc_blocks.blocks("console", [README]), ids=str)
def test_every_transcript_is_what_comes_out(block: doc_blocks.Block) -> None:
    assert doc_blocks.played(block.text) == block.text, "see `cd tests; python -m support.doc_blocks`"


@pytest.mark.parametrize("block", doc_blocks.blocks("pycon", [README]), ids=str)
def test_every_python_example_is_what_comes_out(block: doc_blocks.Block) -> None:
    assert doc_blocks.failures(block) == ""


def test_there_is_a_transcript_and_a_python_example() -> None:
    assert doc_blocks.blocks("console", [README])
    assert doc_blocks.blocks("pycon", [README])


def test_the_two_commands_do_all_of_the_set_up() -> None:
    (setup,) = doc_blocks.blocks("sh", [README])
    assert re.findall(r"^make (\w+)", setup.text, re.MULTILINE) == ["run", "test"]


@pytest.mark.parametrize("said", ["not a certified medical device", "not for emergencies", "Unknown is never clear"])
def test_the_limits_are_said(said: str) -> None:
    assert said in TEXT


def test_what_the_program_says_of_itself_is_said_here_too() -> None:
    assert "not a certified medical device" in NOTE


def test_it_is_short() -> None:
    assert len(TEXT.splitlines()) <= 140


# The player itself


@pytest.mark.skipif(not doc_blocks.can_play(), reason="no shell here")
def test_a_transcript_that_is_wrong_is_seen() -> None:
    assert doc_blocks.played("$ echo yes\nno\n") == "$ echo yes\nyes\n"


@pytest.mark.skipif(not doc_blocks.can_play(), reason="no shell here")
def test_the_exit_code_of_the_last_command_can_be_shown() -> None:
    assert doc_blocks.played("$ exit 7\n$ echo $?\n") == "$ exit 7\n$ echo $?\n7\n"


def test_a_python_example_that_is_wrong_is_seen() -> None:
    block = doc_blocks.Block(README, 1, "pycon", ">>> 1 + 1\n3\n")
    assert "Expected:" in doc_blocks.failures(block)
