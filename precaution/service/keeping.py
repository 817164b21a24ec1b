"""The store as the settings name it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.errors import UsageError
from precaution.service.store import Store, Terms

if TYPE_CHECKING:
    from precaution.service.settings import Settings


def terms_of(settings: Settings) -> Terms:
    """Return for how long what is kept counts. Raises UsageError where a number of days is none."""
    terms = Terms(
        override_days=settings.override_days,
        critical_days=settings.critical_days,
        promise_days=settings.promise_days,
        answer_days=settings.answer_days,
        retention_days=settings.retention_days,
        comments=settings.keep_comments,
    )
    for name in ("override_days", "critical_days", "promise_days", "answer_days", "retention_days"):
        if not 0 < getattr(terms, name) <= 36_500:
            raise UsageError(f"settings: {name.replace('_', '-')} must be from 1 to 36500")
    return terms


def store_of(settings: Settings) -> Store:
    """Return the store that the settings name, not opened yet. Raises UsageError."""
    return Store(settings.store_url, terms=terms_of(settings))
