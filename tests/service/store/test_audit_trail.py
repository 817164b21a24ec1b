"""The audit trail: every way to tamper with it is refused by the database, or found."""

# ruff: noqa: S608  # the statements are those of an attacker who owns the database

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from precaution.service.store import Head, Store, TrailEvent
from precaution.service.store.audit_trail import FIRST, link_hash
from precaution.service.store.canonical import canonical, digest
from support.effort import tries
from support.project import PROJECT
from support.stores import Clock, execute, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = ("audit", "audit_details", "audit_purges")


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with opened(store_url, clock=Clock()) as made:
        for number in range(6):
            made.note(
                TrailEvent(kind="decision", patient=f"p{number}", about={"action": "interrupt", "rules": ["a", "b"]})
            )
        yield made


def disarm(url: str) -> None:
    """Take the triggers away, as somebody who owns the database can."""
    if url.startswith("sqlite"):
        for (name,) in execute(url, "SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            execute(url, f"DROP TRIGGER {name}")
    else:
        for table in TABLES:
            execute(url, f"ALTER TABLE {table} DISABLE TRIGGER ALL")


def unbind(url: str) -> None:
    """Let details stand without their link."""
    for table in ("audit_details", "audit_purges") if not url.startswith("sqlite") else ():
        execute(url, f"ALTER TABLE {table} DROP CONSTRAINT {table}_seq_fkey")


def problems(store: Store, known: Head | None = None) -> list[str]:
    report = store.verify(known)
    assert report.whole is (not report.problems)
    return report.problems


def test_an_untouched_trail_is_whole(store: Store) -> None:
    report = store.verify()
    assert (report.whole, report.links, report.purged) == (True, 6, 0)
    assert report.head == store.head()
    assert store.verify(store.head()).whole
    links = list(store.trail())
    assert [link.seq for link in links] == [1, 2, 3, 4, 5, 6]
    assert links[3].event == {
        "kind": "decision",
        "outcome": "success",
        "patient": "p3",
        "about": {"action": "interrupt", "rules": ["a", "b"]},
    }
    assert [link.seq for link in store.trail(after=4)] == [5, 6]


def test_an_empty_trail_is_whole_unless_a_head_is_known(store_url: str) -> None:
    with opened(store_url) as empty:
        assert empty.head() == Head(0, FIRST)
        assert empty.verify().whole
        assert "cut off" in problems(empty, Head(3, "a" * 64))[0]


@pytest.mark.parametrize("table", TABLES)
def test_the_database_refuses_to_change_or_delete(store: Store, store_url: str, table: str) -> None:
    column = {"audit": "at", "audit_details": "payload", "audit_purges": "up_to"}[table]
    if table == "audit_purges":
        execute(store_url, "INSERT INTO audit_purges (seq, up_to) VALUES (6, 0)")
    value = 5 if column == "up_to" else "'x'"
    with pytest.raises(Exception, match="can only be added to"):
        execute(store_url, f"UPDATE {table} SET {column} = {value} WHERE seq = 6")
    with pytest.raises(Exception, match="can only be added to|time to be kept"):
        execute(store_url, f"DELETE FROM {table} WHERE seq = 6")
    if not store_url.startswith("sqlite"):
        with pytest.raises(Exception, match="can only be added to|referenced in a foreign key"):
            execute(store_url, f"TRUNCATE {table}")
    assert store.verify().whole


@pytest.mark.parametrize("seq", [3, 6, 8])
def test_the_database_refuses_a_link_that_does_not_follow_the_last(store: Store, store_url: str, seq: int) -> None:
    insert = "INSERT OR REPLACE" if store_url.startswith("sqlite") else "INSERT"
    with pytest.raises(Exception, match="must follow the last"):
        execute(store_url, f"{insert} INTO audit (seq, at, previous, digest, hash) VALUES ({seq}, 'a', 'b', 'c', 'd')")
    if store_url.startswith("sqlite"):
        with pytest.raises(Exception, match="can only be added to"):
            execute(store_url, "INSERT OR REPLACE INTO audit_details (seq, payload) VALUES (3, 'x')")
    assert store.verify().whole


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        ("UPDATE audit_details SET payload = replace(payload, 'p2', 'p9') WHERE seq = 3", ["link 3: what happened"]),
        ("UPDATE audit SET at = '2020-01-01T00:00:00.000Z' WHERE seq = 3", ["link 3: was changed"]),
        (f"UPDATE audit SET digest = '{'0' * 64}' WHERE seq = 3", ["link 3: was changed", "link 3: what happened was"]),
        (f"UPDATE audit SET hash = '{'0' * 64}' WHERE seq = 3", ["link 3: was changed", "link 4: does not follow"]),
        (f"UPDATE audit SET previous = '{'0' * 64}' WHERE seq = 3", ["link 3: does not follow", "link 3: was changed"]),
        ("DELETE FROM audit_details WHERE seq = 3", ["link 3: what happened was deleted"]),
        ("DELETE FROM audit_details WHERE seq = 3; DELETE FROM audit WHERE seq = 3", ["link 3: is missing"]),
        ("DELETE FROM audit_details WHERE seq = 1; DELETE FROM audit WHERE seq = 1", ["link 1: is missing"]),
        ("DELETE FROM audit WHERE seq = 6", ["1 events stand beside the chain"]),
        (
            "UPDATE audit_details SET payload = (SELECT payload FROM audit_details WHERE seq = 2) WHERE seq = 3",
            ["link 3: what happened was changed"],
        ),
        (
            "UPDATE audit_details SET seq = seq + 100 WHERE seq = 6; DELETE FROM audit WHERE seq = 6",
            ["1 events stand beside the chain"],
        ),
        (
            "INSERT INTO audit_purges (seq, up_to) VALUES (6, 5); DELETE FROM audit_details WHERE seq = 3",
            ["link 3: what happened was deleted"],
        ),
    ],
)
def test_what_an_owner_of_the_database_changes_is_found(
    store: Store, store_url: str, tamper: str, found: list[str]
) -> None:
    disarm(store_url)
    unbind(store_url)
    execute(store_url, *tamper.split("; "))
    told = problems(store)
    for expected in found:
        assert any(each.startswith(expected) for each in told), told


def test_links_that_changed_places_are_found(store: Store, store_url: str) -> None:
    """Two links with all that they say, numbers apart: each is sound by itself, but not where it stands."""
    disarm(store_url)
    unbind(store_url)
    for table in ("audit", "audit_details"):
        for seq, other in ((3, 100), (4, 3), (100, 4)):
            execute(store_url, f"UPDATE {table} SET seq = {other} WHERE seq = {seq}")
    told = problems(store)
    assert any(each.startswith("link 3: was changed") for each in told)
    assert any(each.startswith("link 3: does not follow") for each in told)


def test_an_end_that_was_cut_off_shows_only_beside_a_head(store: Store, store_url: str) -> None:
    known = store.head()
    disarm(store_url)
    execute(store_url, "DELETE FROM audit_details WHERE seq > 4", "DELETE FROM audit WHERE seq > 4")
    assert problems(store) == []
    (problem,) = problems(store, known)
    assert problem.startswith("link 6: is missing: the end of the trail was cut off after link 4")


def test_a_trail_made_anew_shows_only_beside_a_head(store: Store, store_url: str) -> None:
    known = store.head()
    disarm(store_url)
    previous = FIRST
    for seq in range(1, 7):
        payload = canonical({"kind": "decision", "patient": "somebody else"})
        link = {"seq": seq, "at": "2025-03-01T09:30:00.000Z", "previous": previous, "digest": digest(payload)}
        previous = link_hash(link)
        execute(
            store_url,
            f"UPDATE audit_details SET payload = '{payload}' WHERE seq = {seq}",
            f"UPDATE audit SET at = '{link['at']}', previous = '{link['previous']}', digest = '{link['digest']}', "
            f"hash = '{previous}' WHERE seq = {seq}",
        )
    assert problems(store) == []
    (problem,) = problems(store, known)
    assert "was made anew" in problem


def test_many_problems_are_counted_and_some_are_listed(store_url: str) -> None:
    with opened(store_url) as store:
        store.note(*(TrailEvent(kind="start") for _ in range(50)))
        disarm(store_url)
        execute(store_url, "UPDATE audit_details SET payload = payload || ' '")
        report = store.verify()
        assert len(report.problems) + report.more == 50
        assert len(report.problems) == 20


def test_threads_and_stores_write_one_chain(store_url: str) -> None:
    with opened(store_url) as store:
        others = [Store(store_url, busy_seconds=60) for _ in range(3)]

        def write(other: Store) -> None:
            for _ in range(20):
                other.note(TrailEvent(kind="start"), TrailEvent(kind="start"))

        threads = [threading.Thread(target=write, args=(each,)) for each in others * 2]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        for other in others:
            other.close()
        report = store.verify()
        assert report.whole
        assert report.links == 240


WRITER = """
import sys
from precaution.service.store import TrailEvent, Store
store = Store(sys.argv[1], busy_seconds=60)
for number in range(50):
    store.note(TrailEvent(kind="start", about={"writer": sys.argv[2], "number": number}))
"""


def test_processes_write_one_chain(store_url: str) -> None:
    with opened(store_url) as store:
        writers = [
            subprocess.Popen([sys.executable, "-c", WRITER, store_url, str(number)], cwd=PROJECT) for number in range(4)
        ]
        assert [each.wait(120) for each in writers] == [0] * 4
        report = store.verify()
        assert report.whole
        assert report.links == 200
        events = [link.event["about"] for link in store.trail() if link.event]
        for writer in "0123":
            assert [each["number"] for each in events if each["writer"] == writer] == list(range(50))


TEXTS = st.text(max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=tries(8, 25))
@given(st.lists(st.dictionaries(TEXTS, st.one_of(TEXTS, st.integers(), st.lists(TEXTS, max_size=3))), max_size=4))
def test_whatever_an_event_says_the_chain_is_whole(store: Store, about: list[dict[str, object]]) -> None:
    before = store.head().seq
    store.note(*(TrailEvent(kind="start", about=each) for each in about))
    report = store.verify()
    assert report.whole, report.problems
    assert report.links == before + len(about)
