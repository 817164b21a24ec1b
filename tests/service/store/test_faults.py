"""What was acknowledged is there, and the trail is whole, after processes, disks and servers failed under load."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from precaution.errors import StoreBusy, StoreDown, StoreError, StoreFull, StoreOutdated
from precaution.service.store import Store, TrailEvent
from support.effort import tries
from support.project import PROJECT, needs
from support.store_writer import FOREVER, together, write
from support.stores import PATIENT, SERVER, TODAY, answer, card, execute, fresh_url, holding, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

KILLS = int(os.environ.get("PRECAUTION_KILLS", str(tries(20, 200))))
"""On each database: in continuous integration 200."""
HERE = PROJECT / "tests"


# Killed


class Writer:
    """A process that writes, forked from this one so that it starts at once, and the steps that it acknowledged."""

    def __init__(self, url: str, name: str) -> None:
        self._from, to = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            try:
                write(url, name, to)
            finally:
                os._exit(1)
        os.close(to)

    def first(self) -> bytes:
        """Wait for the first step."""
        return os.read(self._from, 65536)

    def kill(self) -> bytes:
        """End it in the middle of whatever it does, and return what else it had acknowledged."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        said = b""
        while part := os.read(self._from, 65536):
            said += part
        os.close(self._from)
        return said


def acknowledged(said: bytes) -> list[str]:
    """Return the steps that were acknowledged; the last line may be cut off by the end of the writer."""
    return [line[1:] for line in said.decode().split("\n")[:-1] if line.startswith("+")]


def lost(store: Store, url: str, steps: list[str]) -> list[str]:
    """Return what was acknowledged and is not there: cards, feedback, answers, used tokens, events."""
    cards = {row[0] for row in execute(url, "SELECT uuid FROM cards")}
    feedback = {row[0] for row in execute(url, "SELECT card FROM feedback")}
    answers = {row[0] for row in execute(url, "SELECT reason FROM answers")}
    kept = [link.event for link in store.trail() if link.event and link.event["kind"] in ("decision", "beside")]
    both = cards & {event["about"]["step"] for event in kept}
    gone = [step for step in steps if not (step in feedback and step in answers and both.issuperset(whole(step)))]
    return gone + [step for step in steps if any(store.claim("iss", each, FOREVER) for each in whole(step))]


def whole(step: str) -> list[str]:
    """Return the names of all cards of a step; each is also that of a token."""
    return [step, *together(step)]


def sound(url: str) -> bool:
    return not url.startswith("sqlite") or execute(url, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.kills
def test_no_acknowledged_row_is_lost_when_writers_are_killed(
    store_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(7)  # noqa: S311
    with opened(store_url, busy_seconds=60) as store:
        store.close()  # no connection is shared with the processes that are forked
        steps: list[str] = []
        for kill in range(KILLS // 2):
            writers = [Writer(store_url, f"{kill}{name}") for name in "ab"]
            said = [each.first() for each in writers]
            time.sleep(chance.random() * 0.02)
            for heard, each in zip(said, writers, strict=True):
                steps += acknowledged(heard + each.kill())
        report = store.verify()
        assert sound(store_url)
        assert report.whole, report.problems
        assert len(steps) >= KILLS
        assert lost(store, store_url, steps) == []
    with capsys.disabled():
        sys.stdout.write(
            f"\n{KILLS} SIGKILLs of writers ({store_url.partition(':')[0]}): {len(steps)} acknowledged "
            f"steps, {report.links} links, 0 lost, chain whole\n"
        )


def test_a_row_that_was_lost_would_be_seen(store_url: str) -> None:
    with opened(store_url) as store:
        assert lost(store, store_url, ["never"]) == ["never", "never"]


@pytest.mark.kills
def test_no_acknowledged_row_is_lost_when_the_server_dies(capsys: pytest.CaptureFixture[str]) -> None:
    from support.postgres_server import Server

    with Server(fsync="on") as server, opened(server.url) as store:
        steps: list[str] = []
        for kill in range(5):
            writer = Writer(server.url, f"k{kill}")
            heard = writer.first()
            time.sleep(0.1)
            server.crash()
            steps += acknowledged(heard + writer.kill())
            with pytest.raises(StoreDown, match="can't be reached"):
                store.note(TrailEvent(kind="start"))
            server.start()
            assert store.verify().whole
        assert lost(store, server.url, steps) == []
        with capsys.disabled():
            sys.stdout.write(
                f"\n5 crashes of a PostgreSQL server: {len(steps)} acknowledged steps, 0 lost, chain whole\n"
            )


# Full, and failing disks


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library by which writes and syncs of a process fail when a file says so."""
    needs(shutil.which("gcc"), "gcc")
    library = tmp_path_factory.mktemp("shim") / "faults.so"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-O1", "-o", str(library), str(HERE / "support" / "faults.c"), "-ldl"],  # noqa: S607
        check=True,
    )
    return library


class Stepper:
    """A writer in a process of its own, that does one step when asked to."""

    def __init__(self, url: str, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "support" / "store_writer.py"), url, "s", "step"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(HERE), **environment},
        )

    def step(self) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(60) == 0
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.mark.parametrize(
    ("fault", "told"), [("space", {"StoreFull"}), ("write", {"StoreDown"}), ("sync", {"StoreDown"})]
)
def test_a_disk_that_fails_loses_nothing_that_was_acknowledged(
    tmp_path: Path, shim: Path, fault: str, told: set[str]
) -> None:
    faults = tmp_path / "faults"
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with opened(url) as store:
        writer = Stepper(url, LD_PRELOAD=str(shim), FAULTS=str(faults))
        said = [writer.step() for _ in range(5)]
        for _ in range(3):
            faults.write_text(fault)
            said += [writer.step() for _ in range(4)]
            faults.unlink()
            said += [writer.step() for _ in range(4)]
        writer.end()
        refused = [line[1:].split() for line in said if line.startswith("!")]
        assert {kind for _, kind in refused} == told
        assert len(refused) == 12
        steps = [line[1:] for line in said if line.startswith("+")]
        assert len(steps) == 17
        report = store.verify()
        assert report.whole, report.problems
        assert sound(url)
        assert lost(store, url, steps) == []
        kept = {row[0] for row in execute(url, "SELECT uuid FROM cards")}
        assert not kept.intersection(name for name, _ in refused)


def filled(store: Store) -> list[str]:
    """Keep cards until there is no room, and return those that were kept."""
    for number in range(10_000):
        try:
            store.keep([card(f"c{number}")], TrailEvent(kind="decision"))
        except StoreFull:
            return [f"c{each}" for each in range(number)]
    raise AssertionError("it was never full")


def test_a_file_system_without_room_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(small)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a file system can't be mounted here; the test above does the same by a library")
    try:
        url = f"sqlite:///{small}/store.sqlite"
        with opened(url) as store:
            steps = filled(store)
            assert len(steps) > 10
            with pytest.raises(StoreFull, match="has no room: nothing was kept"):
                store.keep([card("one-more")], TrailEvent(kind="decision"))
            assert store.verify().whole
            assert {row[0] for row in execute(url, "SELECT uuid FROM cards")} == set(steps)
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)  # noqa: S607


def test_a_database_that_may_not_grow_is_full(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with opened(url) as store:
        connection = store._database.engine.raw_connection()
        connection.driver_connection.execute("PRAGMA max_page_count = 40")
        connection.close()
        assert len(filled(store)) > 10
        assert store.kept(SERVER, PATIENT, TODAY).readable


# Locked


def test_a_store_that_others_write_to_for_too_long_is_busy_and_still_read(store_url: str) -> None:
    with opened(store_url, busy_seconds=0.2) as store:
        store.answer(SERVER, PATIENT, [])
        held = holding(store_url)
        try:
            with pytest.raises(StoreBusy, match="Try again"):
                store.keep([card()])
            with pytest.raises(StoreBusy):
                store.note(TrailEvent(kind="start"))
            assert store.kept(SERVER, PATIENT, TODAY).readable
        finally:
            held.close()
        store.keep([card()])
        assert store.card("card-1") is not None


def test_threads_of_one_process_wait_for_their_turn_and_not_for_ever(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/store.sqlite", busy_seconds=0.1) as store:
        with store._database._in_turn(), pytest.raises(StoreBusy):
            store.note(TrailEvent(kind="start"))
        store.note(TrailEvent(kind="start"))


# Down


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("53100", StoreFull),
        ("40001", StoreBusy),
        ("40P01", StoreBusy),
        ("55P03", StoreBusy),
        ("57014", StoreBusy),
        ("58030", StoreDown),
        ("XX000", StoreDown),
        ("25006", StoreDown),
        ("42P01", StoreOutdated),
    ],
)
def test_what_a_server_says_becomes_an_error_of_ours(
    postgres: str, tmp_path: Path, state: str, kind: type[StoreError]
) -> None:
    with fresh_url("postgresql", tmp_path, postgres) as url, opened(url) as store:
        execute(
            url,
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$BEGIN RAISE EXCEPTION 'secret' USING ERRCODE = '{state}'; END$$",
            "CREATE TRIGGER fail BEFORE INSERT ON cards FOR EACH ROW EXECUTE FUNCTION fail()",
        )
        with pytest.raises(kind) as raised:
            store.keep([card(patient="SECRET-PATIENT")], TrailEvent(kind="decision"))
        assert type(raised.value) is kind
        assert "secret" not in str(raised.value).lower()
        assert store.verify().links == 0


def test_a_server_that_is_not_there_is_down_and_its_password_is_not_told() -> None:
    store = Store("postgresql://me:hunter2@127.0.0.1:1/none", busy_seconds=0.5)
    for call in (lambda: store.kept(SERVER, PATIENT, TODAY), store.tables_current, lambda: store.claim("a", "b", 1)):
        with pytest.raises(StoreDown) as raised:
            call()
        assert "hunter2" not in str(raised.value)
    store.close()


def broken(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "folder.sqlite").mkdir()
    yield tmp_path / "folder.sqlite"
    (tmp_path / "text.sqlite").write_text("this is no database, but long enough to look like the beginning of one" * 9)
    yield tmp_path / "text.sqlite"
    store = Store(f"sqlite:///{tmp_path}/cut.sqlite").open()
    store.keep([card()])
    store.close()
    data = (tmp_path / "cut.sqlite").read_bytes()
    (tmp_path / "cut.sqlite").write_bytes(data[:5000] + b"\xff" * (len(data) - 5000))
    yield tmp_path / "cut.sqlite"


def test_a_file_that_is_no_database_or_damaged_is_an_error_of_ours(tmp_path: Path) -> None:
    for path in broken(tmp_path):
        with closing(Store(f"sqlite:///{path}")) as store, pytest.raises(StoreError):
            used(store)


def used(store: Store) -> None:
    store.open()
    store.keep([card("another")], TrailEvent(kind="start"))
    store.kept(SERVER, PATIENT, TODAY)


def test_a_store_that_comes_back_is_used_again(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/store.sqlite") as store:
        store.keep([card()])
        store.close()
        for end in ("", "-wal", "-shm"):
            if (path := tmp_path / f"store.sqlite{end}").exists():
                path.rename(tmp_path / f"away{end}")
        with pytest.raises(StoreError):
            store.card("card-1")
        store.close()
        for end in ("-wal", "-shm"):
            (tmp_path / f"store.sqlite{end}").unlink(missing_ok=True)
        (tmp_path / "away").rename(tmp_path / "store.sqlite")
        assert store.card("card-1") is not None


# Removed or replaced


LOOKS = """
import sys
from precaution.service.store import Store
store = Store(sys.argv[1]).open(make=False)
print(store.head().seq, store.card("card-2") is not None)
store.close()
"""


def looked_into(url: str) -> str:
    """Return what another process finds in a store, as `precaution store verify` beside the service would."""
    done = subprocess.run([sys.executable, "-c", LOOKS, url], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_another_process_that_looks_into_the_store_takes_nothing_away(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with opened(url) as store:
        store.keep([card()], TrailEvent(kind="decision"))
        for _ in range(2):  # each new connection of a thread looks for the file
            with store._database.engine.connect(), store._database.engine.connect():
                pass
        assert looked_into(url) == "1 False"
        store.keep([card("card-2")], TrailEvent(kind="decision"))
        assert looked_into(url) == "2 True"


@pytest.mark.parametrize("ends", [("", "-wal", "-shm"), ("",), ("-wal",)])
def test_nothing_is_acknowledged_that_went_into_a_file_that_was_removed(tmp_path: Path, ends: tuple[str, ...]) -> None:
    with opened(f"sqlite:///{tmp_path}/store.sqlite") as store:
        store.kept(SERVER, PATIENT, TODAY)
        store.keep([card()])
        for end in ends:
            (tmp_path / f"store.sqlite{end}").unlink()
        with pytest.raises(StoreDown, match="was removed or replaced"):
            store.keep([card("card-2")], TrailEvent(kind="decision"))
        if "" in ends:
            with pytest.raises(StoreDown, match="there is no store"):
                store.keep([card("card-3")])
            with pytest.raises(StoreDown):
                store.kept(SERVER, PATIENT, TODAY)
            assert not (tmp_path / "store.sqlite").exists(), "none is made anew in its place"
        else:
            with pytest.raises(StoreBusy):
                store.kept_at_once(SERVER, PATIENT, TODAY)
            store.keep([card("card-3")])
            assert store.card("card-3") is not None, "with another log it goes on"
            assert store.verify().whole


def test_a_file_that_took_the_place_of_another_is_used_from_then_on(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/backup.sqlite") as backup:
        backup.keep([card("of-the-backup")])
    with opened(f"sqlite:///{tmp_path}/store.sqlite") as store:
        store.kept(SERVER, PATIENT, TODAY)
        store.kept_at_once(SERVER, PATIENT, TODAY)
        store.keep([card()])
        for end in ("-wal", "-shm"):
            (tmp_path / f"store.sqlite{end}").unlink()
        (tmp_path / "backup.sqlite").rename(tmp_path / "store.sqlite")
        with pytest.raises(StoreDown, match="was removed or replaced"):
            store.note(TrailEvent(kind="start"))
        with pytest.raises(StoreBusy):
            store.kept_at_once(SERVER, PATIENT, TODAY)
        store.keep([card("new")])
        assert store.card("of-the-backup") is not None
        assert store.card("new") is not None
        assert store.card("card-1") is None


# Damaged


def damaged(url: str, name: str) -> None:
    """Overwrite a page of a table or an index of SQLite, as a failing disk might."""
    found = execute(url, "SELECT name, rootpage, page_size FROM sqlite_master, pragma_page_size()")
    ((root, size),) = [(root, size) for each, root, size in found if each == name]
    path = Path(url.removeprefix("sqlite:///"))
    data = bytearray(path.read_bytes())
    data[(root - 1) * size + 8 : root * size] = b"\xff" * (size - 8)
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["cards_person", "cards", "answers", "audit_details"])
def test_a_damaged_database_is_not_whole(tmp_path: Path, name: str) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with opened(url) as store:
        store.keep([card(f"c{number}") for number in range(5)], TrailEvent(kind="decision"))
        store.answer(SERVER, PATIENT, [answer()])
        assert store.verify().whole
    damaged(url, name)
    with closing(Store(url)) as store:
        report = store.open(make=False).verify()
    assert not report.whole
    assert report.problems[0].startswith("the database: ")
    assert PATIENT not in " ".join(report.problems).split()


def test_writing_is_tried_and_leaves_nothing(store_url: str) -> None:
    with opened(store_url) as store:
        for _ in range(3):
            store.try_writing()
        assert store.head().seq == 0
        assert execute(store_url, "SELECT token, expires FROM used_tokens") == []
        held = holding(store_url)
        try:
            with closing(Store(store_url, busy_seconds=0.1)) as other, pytest.raises(StoreBusy):
                other.try_writing()
        finally:
            held.close()
