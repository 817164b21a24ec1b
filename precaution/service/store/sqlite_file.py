"""SQLite as the store uses it: durable, readable by its owner alone, and with writers that take turns."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, cast

from sqlalchemy import create_engine, event

from precaution.errors import StoreBusy, StoreDown, StoreError, StoreFull, StoreOutdated

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

WRITES, DURABLE = "precaution_writes", "precaution_durable"
"""Options of a connection: whether a transaction writes, and whether it must outlast a loss of power."""
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF", "secure_delete=ON")
"""Readers and a writer beside each other; durable; what is deleted leaves nothing behind in the file."""


def sqlite_engine(url: URL, busy_seconds: float) -> Engine:
    """Return what connects to a file. `busy_seconds`: how long to wait for others who write."""
    path = Path(str(url.database))
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": busy_seconds})

    @event.listens_for(engine, "do_connect")
    def _private(*_: object) -> None:
        make_private(path)

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, below
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get(WRITES):
            _synchronous(connection, "FULL" if options.get(DURABLE, True) else "NORMAL")
            _begin_writing(raw(connection), busy_seconds)
        else:
            raw(connection).execute("BEGIN").close()

    return engine


def raw(connection: Connection) -> sqlite3.Connection:
    """Return the driver's own connection."""
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def _begin_writing(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Begin a transaction that writes, as soon as no other process does.

    SQLite's own way is to look again after ever longer pauses, by which one busy process keeps others waiting for
    seconds; short pauses let them take turns.
    """
    until = monotonic() + busy_seconds
    connection.execute("PRAGMA busy_timeout=0").close()
    try:
        while True:
            try:
                return connection.execute("BEGIN IMMEDIATE").close()
            except sqlite3.OperationalError as error:
                if kind_of(error) is not StoreBusy or monotonic() > until:
                    raise
                sleep(0.0005)
    finally:
        connection.execute(f"PRAGMA busy_timeout={int(busy_seconds * 1000)}").close()


def _synchronous(connection: Connection, value: str) -> None:
    """Set for what SQLite waits when it commits, where it is something else."""
    if connection.info.get("synchronous") != value:
        raw(connection).execute(f"PRAGMA synchronous={value}").close()
        connection.info["synchronous"] = value


def make_private(path: Path) -> None:
    """Make a file, and the folders above it, that nobody but its owner can read, whatever the umask.

    SQLite gives the files beside it (-wal, -shm) the same mode. Raises StoreDown where that can't be done.
    """
    try:
        for folder in reversed(path.absolute().parents):
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        for file in (path, *(Path(f"{path}{end}") for end in ("-wal", "-shm"))):
            if file.exists() and file.stat().st_mode & 0o777 != 0o600:
                file.chmod(0o600)
    except OSError as error:
        raise StoreDown(f"the store's file {path} can't be made or opened: {error.strerror}") from None


def kind_of(error: BaseException | None) -> type[StoreError]:
    """Return which error of ours one of SQLite is."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy
    if code == sqlite3.SQLITE_FULL:
        return StoreFull
    return StoreOutdated if "no such table" in str(error) or "no such column" in str(error) else StoreDown
