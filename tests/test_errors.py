"""The exception tree and its exit codes, as the module's docstring draws them."""

from __future__ import annotations

import re

import pytest

from precaution import errors
from precaution.errors import InputError, KnowledgeError, PrecautionError, UsageError, did_you_mean

ALL = sorted(
    (each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)),
    key=lambda each: each.__name__,
)
CODES = {
    "UsageError": 2,
    "InputError": 3,
    "NoPatient": 3,
    "MixedPatients": 3,
    "WrongRelease": 3,
    "PatientDied": 3,
    "KnowledgeError": 5,
    "OutputError": 1,
    "StoreError": 7,
    "StoreBusy": 7,
    "StoreFull": 7,
    "StoreDown": 7,
    "StoreOutdated": 7,
}


def test_the_drawing_shows_every_error_with_its_exit_code_and_no_other() -> None:
    drawn = dict(re.findall(r"[├└]── (\w+) +(\d)", errors.__doc__ or ""))
    assert {name: int(code) for name, code in drawn.items()} == CODES
    assert {each.__name__ for each in ALL} == {*CODES, "PrecautionError"}


@pytest.mark.parametrize("error", ALL)
def test_every_error_is_caught_as_one_and_says_what_it_was_told(error: type[PrecautionError]) -> None:
    assert issubclass(error, PrecautionError)
    assert error.exit_code == CODES.get(error.__name__, 1)
    assert str(error("what, where, what to do")) == "what, where, what to do"
    assert error.__doc__


@pytest.mark.parametrize("name", ["NoPatient", "MixedPatients", "WrongRelease", "PatientDied"])
def test_what_is_wrong_with_a_record_is_an_input_error(name: str) -> None:
    assert issubclass(getattr(errors, name), InputError)


def test_kinds_do_not_overlap() -> None:
    assert not issubclass(UsageError, InputError)
    assert not issubclass(KnowledgeError, InputError)


def test_no_error_is_a_builtin_that_other_code_might_catch() -> None:
    assert all(not issubclass(each, (ValueError, OSError, LookupError)) for each in ALL)


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("on-treatmnt", ("before-start", "on-treatment"), " Did you mean 'on-treatment'?"),
        ("xyz", ("before-start", "on-treatment"), ""),
        ("x", (), ""),
        ("ab", {"abc", "abd"}, " Did you mean 'abc'?"),
    ],
)
def test_the_nearest_known_word_is_offered(word: str, known: set[str], hint: str) -> None:
    """Of equally near ones always the same, whatever the order of a set."""
    assert did_you_mean(word, known) in (hint, hint.replace("abc", "abd"))
    assert did_you_mean(word, known) == did_you_mean(word, sorted(known, reverse=True))
