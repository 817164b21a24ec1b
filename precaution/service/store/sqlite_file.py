"""SQLite as the store uses it: durable, readable by its owner alone, and with writers that take turns."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import TYPE_CHECKING, cast

from sqlalchemy import create_engine, event

from precaution.errors import StoreBusy, StoreDown, StoreError, StoreFull, StoreOutdated

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.pool import ConnectionPoolEntry

WRITES, DURABLE = "precaution_writes", "precaution_durable"
"""Options of a connection: whether a transaction writes, and whether it must outlast a loss of power."""
_FILE, _LOG = "precaution_file", "precaution_log"
"""What a connection remembers: which file it opened, and which log it writes to."""
_making = Lock()
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF", "secure_delete=ON")
"""Readers and a writer beside each other; durable; what is deleted leaves nothing behind in the file."""


def sqlite_engine(url: URL, busy_seconds: float) -> Engine:
    """Return what connects to a file. `busy_seconds`: how long to wait for others who write."""
    path = Path(str(url.database))
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": busy_seconds})
    opened = False

    @event.listens_for(engine, "do_connect")
    def _private(*_: object) -> None:
        make_private(path, make=not opened)

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        nonlocal opened
        connection.isolation_level = None  # we begin transactions ourselves, below
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()
        record.info[_FILE] = _identity(path)
        opened = True

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get(WRITES):
            _synchronous(connection, "FULL" if options.get(DURABLE, True) else "NORMAL")
            _begin_writing(raw(connection), busy_seconds)
            _remember_log(connection, path)
        else:
            raw(connection).execute("BEGIN").close()

    return engine


def is_replaced(connection: Connection, path: Path) -> bool:
    """Whether the file of a connection, or the log beside it, is no longer the one that stands at the path.

    Where it was removed or replaced, SQLite goes on reading and writing what nobody will find again.
    """
    if connection.info[_FILE] != _identity(path):
        return True
    return _LOG in connection.info and connection.info[_LOG] != _identity(log_of(path))


def remember_log(connection: Connection, path: Path) -> None:
    """Read something, so that SQLite opens the log, and remember which log it is."""
    raw(connection).execute("SELECT count(*) FROM sqlite_master").close()
    _remember_log(connection, path)


def _remember_log(connection: Connection, path: Path) -> None:
    connection.info.setdefault(_LOG, _identity(log_of(path)))


def log_of(path: Path) -> Path:
    """Return the write-ahead log of a file. It stays the same file while anybody is connected."""
    return Path(f"{path}-wal")


def _identity(path: Path) -> tuple[int, int] | None:
    """Return which file stands at a path, as device and number; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


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


def make_private(path: Path, *, make: bool = True) -> None:
    """Make a file, and the folders above it, that nobody but its owner can read, whatever the umask.

    SQLite gives the files beside it (-wal, -shm) the same mode. Raises StoreDown where that can't be done, or where the
    file is not there and must not be made.

    A file that is there is not opened: to close it again would take away all locks that this process has on it. Another
    process that closes its own connection would then delete the log, with all that is still to be written to it.
    """
    if not make and not path.exists():
        raise StoreDown(f"there is no store {path} any more")
    try:
        for folder in reversed(path.absolute().parents):
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
        with _making:
            if path.is_symlink():
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
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
