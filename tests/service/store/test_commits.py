"""What is written at the same time is committed together, and each is told what became of its own."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from precaution.errors import StoreBusy, StoreDown
from precaution.service.store import Store, TokenUse, TrailEvent
from precaution.service.store.sqlite_file import DURABLE
from support.stores import card, execute, holding, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection


@contextmanager
def waiting(store: Store) -> Iterator[None]:
    """Keep the thread that writes busy until the block ends, so that what comes in meanwhile waits."""
    begun, go_on = threading.Event(), threading.Event()

    def busy(_: object) -> None:
        begun.set()
        assert go_on.wait(60)

    first = store._commits.later(busy)
    assert begun.wait(60)
    try:
        yield
    finally:
        go_on.set()
        first.result(60)


@contextmanager
def commits(store: Store) -> Iterator[list[bool]]:
    """Note the commits, and whether each waits for the disk."""
    noted: list[bool] = []

    def note(connection: Any) -> None:
        noted.append(connection.get_execution_options().get(DURABLE, True))

    event.listen(store._database.engine, "commit", note)
    yield noted
    event.remove(store._database.engine, "commit", note)


def cards(url: str) -> set[str]:
    return {row[0] for row in execute(url, "SELECT uuid FROM cards")}


def use(name: str) -> TokenUse:
    return TokenUse("iss", name, 2**40)


def test_what_waits_is_committed_at_once(store_url: str) -> None:
    with opened(store_url) as store, commits(store) as noted:
        with waiting(store):
            done = [store.keeping([card(f"c{n}")], TrailEvent(kind="decision"), use=use(f"t{n}")) for n in range(20)]
            assert not any(each.done() for each in done)
        assert [each.result(60) for each in done] == [True] * 20
        assert len(noted) == 2, "one for that which was waited for, one for all that waited"
        assert len(cards(store_url)) == 20
        assert store.verify().whole
        assert store.head().seq == 20


def test_one_that_fails_takes_no_other_with_it(store_url: str) -> None:
    with opened(store_url) as store:

        def spoiled(connection: Connection) -> None:
            assert store._claimed(connection, use("bad"))
            raise ValueError("spoiled")

        with waiting(store):
            good = store.keeping([card("good")], TrailEvent(kind="decision"))
            bad = store._commits.later(spoiled)
            also = store.keeping([card("also")], TrailEvent(kind="decision"))
        assert good.result(60)
        assert also.result(60)
        with pytest.raises(ValueError, match="spoiled"):
            bad.result(60)
        assert cards(store_url) == {"good", "also"}
        assert store.verify().whole
        assert store.head().seq == 2
        assert store.claim(*use("bad")), "nothing is kept of what failed"


def test_what_is_cancelled_before_its_turn_is_not_done(store_url: str) -> None:
    with opened(store_url) as store:
        with waiting(store):
            late = store.keeping([card("late")], TrailEvent(kind="decision"))
            good = store.keeping([card("good")], TrailEvent(kind="decision"))
            assert late.cancel()
        assert good.result(60)
        assert cards(store_url) == {"good"}


def test_where_others_write_for_too_long_all_that_wait_are_told_at_once(store_url: str) -> None:
    with opened(store_url, busy_seconds=0.3) as store:
        held = holding(store_url)
        try:
            began = time.monotonic()
            done = [store.keeping([card(f"c{n}")], TrailEvent(kind="decision")) for n in range(8)]
            for each in done:
                with pytest.raises(StoreBusy):
                    each.result(60)
            assert time.monotonic() - began < 0.3 * 5, "they do not wait one after the other"
        finally:
            held.close()
        store.keep([card("good")])
        assert cards(store_url) == {"good"}


def test_a_token_that_was_used_before_keeps_nothing(store_url: str) -> None:
    with opened(store_url) as store:
        assert store.claim(*use("t"))
        assert not store.keep([card("again")], TrailEvent(kind="decision"), use=use("t"))
        assert store.keep([card("first")], TrailEvent(kind="decision"), use=use("u"))
        assert not store.claim(*use("u"))
        assert cards(store_url) == {"first"}
        assert store.head().seq == 1


def test_of_calls_with_one_token_that_come_at_once_one_is_kept(store_url: str) -> None:
    with opened(store_url) as one, opened(store_url) as other:
        for turn in range(10):
            done = [
                store.keeping([card(f"c{turn}{name}")], TrailEvent(kind="decision"), use=use(f"t{turn}"))
                for store in (one, other)
                for name in (id(store), "x")
            ]
            assert sum(each.result(60) for each in done) == 1
        assert len(cards(store_url)) == 10
        assert one.verify().whole


def test_tokens_noted_together_in_another_order_do_not_wait_for_each_other(store_url: str) -> None:
    with opened(store_url, busy_seconds=30) as one, opened(store_url, busy_seconds=30) as other:
        for turn in range(10):
            names = [f"{turn}-{n}" for n in range(8)]
            threads = [
                threading.Thread(target=store.claim, args=use(name))
                for pair in zip(names, reversed(names), strict=True)
                for store, name in zip((one, other), pair, strict=True)
            ]
            for each in threads:
                each.start()
            for each in threads:
                each.join(60)
        assert len(execute(store_url, "SELECT token FROM used_tokens")) == 80


def test_a_token_alone_does_not_wait_for_the_disk_and_beside_a_card_it_does(store_url: str) -> None:
    with opened(store_url) as store, commits(store) as noted:
        store.claim(*use("alone"))
        assert noted == [False]
        store.keep([card()], use=use("beside"))
        assert noted == [False, True]


def test_a_store_that_was_closed_has_finished_and_opens_again(store_url: str) -> None:
    with opened(store_url) as store:
        done = [store.keeping([card(f"c{n}")]) for n in range(5)]
        store.close()
        assert all(each.done() for each in done)
        store.keep([card("later")])
        assert len(cards(store_url)) == 6


def test_without_a_server_what_waits_is_told_and_the_thread_lives_on() -> None:
    store = Store("postgresql://me:hunter2@127.0.0.1:1/none", busy_seconds=0.5)
    for _ in range(2):
        with pytest.raises(StoreDown):
            store.keeping([card()]).result(60)
    store.close()
