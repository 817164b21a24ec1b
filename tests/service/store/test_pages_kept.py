"""What the page of a decision shows is kept while a link leads to it, on both databases, and no longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from precaution.service.store import KeptDecision, Store, TrailEvent
from precaution.service.store.canonical import moment
from precaution.service.store.packing import packed, text_of

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2025, 3, 1, 9, 30, tzinfo=UTC)


def page(uuid: str, hours: int) -> KeptDecision:
    return KeptDecision(
        uuid=uuid,
        client="c",
        server="https://EHR.example.org/fhir/",
        patient="p",
        content='{"a": "×"}',
        expires_at=moment(NOW + timedelta(hours=hours)),
    )


def store_at(folder: Path, now: datetime) -> Store:
    return Store(f"sqlite:///{folder}/store.sqlite", clock=lambda: now).open()


def test_it_is_kept_with_the_event_and_found(tmp_path: Path) -> None:
    store = store_at(tmp_path, NOW)
    store.keep([], TrailEvent(kind="decision"), page=page("a", 12))
    kept = store.decision("a")
    assert kept is not None
    assert (kept.content, kept.patient, kept.server) == ('{"a": "×"}', "p", "https://ehr.example.org/fhir")
    assert store.decision("b") is None
    assert store.head().seq == 1
    store.close()


def test_after_its_time_nobody_is_shown_it(tmp_path: Path) -> None:
    store_at(tmp_path, NOW).keep([], page=page("a", 12))
    assert store_at(tmp_path, NOW + timedelta(hours=11)).decision("a") is not None
    assert store_at(tmp_path, NOW + timedelta(hours=12)).decision("a") is None


def test_what_is_over_is_deleted(tmp_path: Path) -> None:
    store = store_at(tmp_path, NOW)
    store.keep([], page=page("a", 1))
    store.keep([], page=page("b", 100))
    later = store_at(tmp_path, NOW + timedelta(hours=2))
    later.purge("2025-03-01")
    assert store.decision("a") is None, "deleted, whatever the clock"
    assert store.decision("b") is not None


def test_a_page_that_is_not_kept_keeps_nothing_else(tmp_path: Path) -> None:
    from precaution.errors import StoreError

    store = store_at(tmp_path, NOW)
    store.keep([], page=page("a", 1))
    with pytest.raises(StoreError):
        store.keep([], TrailEvent(kind="decision"), page=page("a", 1))
    assert store.head().seq == 0


def test_what_is_packed_comes_out_again_and_anything_else_is_refused() -> None:
    text = '{"due":[{"state":"done","shown":"● done","tell":"ALT"}]}' * 50
    assert text_of(packed(text)) == text
    assert len(packed(text)) < len(text) / 10
    with pytest.raises(ValueError, match="can't be unpacked"):
        text_of(b"x" + packed(text))
