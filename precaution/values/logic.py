"""Three-valued logic (Kleene's strong one): True, False, and None for "can't be told"."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Truth = bool | None


def negation(value: Truth) -> Truth:
    """Return the opposite; what can't be told stays so."""
    return None if value is None else not value


def conjunction(values: Iterable[Truth]) -> Truth:
    """Return False if any is False, else None if any can't be told, else True."""
    known = True
    for value in values:
        if value is False:
            return False
        known = known and value is not None
    return True if known else None


def disjunction(values: Iterable[Truth]) -> Truth:
    """Return True if any is True, else None if any can't be told, else False."""
    known = True
    for value in values:
        if value:
            return True
        known = known and value is not None
    return False if known else None


def possible(value: Truth) -> Truth:
    """Return None where `value` is true or can't be told, else False: a question may be raised, but never a yes."""
    return None if value is None or value else False
