"""Connections to SQLite or PostgreSQL: durable when a commit returns, readable by their owner alone, errors as ours."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, exc, make_url

from precaution.errors import StoreBusy, StoreDown, StoreError, StoreFull, StoreOutdated, UsageError
from precaution.service.store import sqlite_file
from precaution.service.store.sqlite_file import DURABLE, WRITES, sqlite_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, Engine

_POSTGRES = ("postgres", "postgresql", "postgresql+psycopg")
_MOST_DAMAGE = 20
"""Kinds of damage that are listed."""
_TRAIL = 7_420_531_844_012_907_653
"""The advisory lock under which PostgreSQL lets one transaction at a time write to the trail, or upgrade."""


class Database:
    """A database with transactions that read, and transactions that write, one after the other."""

    def __init__(self, url: str, busy_seconds: float = 2.0) -> None:
        """Name a database; nothing is opened yet. `busy_seconds`: how long to wait for others who write.

        Raises UsageError for a URL of neither SQLite nor PostgreSQL.
        """
        self.url = _url(url)
        self.embedded = self.url.get_backend_name() == "sqlite"
        self._path = Path(str(self.url.database))
        self._busy = busy_seconds
        self._turn = Lock()
        self.engine = sqlite_engine(self.url, busy_seconds) if self.embedded else _postgres(self.url, busy_seconds)
        self.errors: type[Exception] = self.engine.dialect.loaded_dbapi.Error
        """What the driver itself raises."""
        self._quick: Connection | None = None
        self._opening = Lock()

    @contextmanager
    def read_transaction(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises StoreError; StoreDown where SQLite's file was removed or replaced."""
        with _translated(self), self.engine.connect() as connection:
            self._refuse_replaced(connection)
            with connection.begin():
                yield connection

    @contextmanager
    def quick_read(self) -> Iterator[Connection]:
        """A connection to SQLite that waits for nothing, for each `SqlStatement` that reads, each by itself.

        For one thread. Raises StoreError; StoreBusy where the file is locked as a whole, or `open_quick_read` was not
        called.
        """
        if self._quick is not None and sqlite_file.is_replaced(self._quick, self._path):
            self._close_quick_read()
        connection = self._quick
        if connection is None:
            raise StoreBusy("the store is busy: no connection to it is free. Try again")
        try:
            with _translated(self):
                yield connection
        except StoreError:
            self._close_quick_read()
            raise

    def _close_quick_read(self) -> None:
        """Close it for good: no other may have one that waits for nothing."""
        connection, self._quick = self._quick, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def open_quick_read(self) -> None:
        """Open what `quick_read` needs, where it is not open; this may wait. Raises StoreError."""
        if not self.embedded or self._quick is not None:
            return
        with self._opening, _translated(self):
            if self._quick is None:
                connection = self.engine.connect()
                sqlite_file.raw(connection).execute("PRAGMA busy_timeout=0").close()
                sqlite_file.remember_log(connection, self._path)
                self._quick = connection

    @contextmanager
    def write_transaction(self, *, durable: bool = True, exclusive: bool = True) -> Iterator[Connection]:
        """A transaction that writes; committed, and durable, when the block ends. Raises StoreError.

        `exclusive`: no other such transaction at the same time, of any process or host. Without `durable` what is
        committed to SQLite outlives this process, but perhaps not a loss of power.
        """
        with self._in_turn(), _translated(self), self.engine.connect() as opened:
            connection = opened.execution_options(**{WRITES: True, DURABLE: durable})
            with connection.begin():
                if exclusive and not self.embedded:
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TRAIL})")
                yield connection
            self._refuse_replaced(connection)

    def _refuse_replaced(self, connection: Connection) -> None:
        """Raise StoreDown where SQLite's file was removed or replaced; then the one that stands there is used."""
        if not self.embedded or not sqlite_file.is_replaced(connection, self._path):
            return
        connection.invalidate()
        self.engine.dispose()
        raise StoreDown(f"the store's file {self.url.database} was removed or replaced while it was in use")

    def refuse_missing(self) -> None:
        """Raise StoreDown where SQLite's file is not there, and would be made."""
        if self.embedded and not self._path.is_file():
            raise StoreDown(f"there is no store {self.url.database}")

    def refuse_full(self, needed: int) -> None:
        """Raise StoreFull where the disk of SQLite's file has fewer than `needed` bytes left."""
        if self.embedded and shutil.disk_usage(self._path.absolute().parent)[2] < needed:
            raise _error(StoreFull, self)

    def damage(self) -> list[str]:
        """Return what SQLite finds wrong with its file, in its own words, which hold nothing of what is kept."""
        if not self.embedded:
            return []
        try:
            with self.read_transaction() as connection:
                found = [str(row[0]) for row in connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST_DAMAGE})")]
        except StoreDown:
            return ["it is damaged, and can't be read through"]
        return [" ".join(each.split()) for each in found if each != "ok"]

    def close(self) -> None:
        """Close every connection."""
        self._close_quick_read()
        self.engine.dispose()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Threads of this process wait here: SQLite itself would let them poll, and lets the lucky one in."""
        if not self.embedded:
            yield
            return
        if not self._turn.acquire(timeout=self._busy):
            raise StoreBusy("the store is busy: others write to it for too long. Try again")
        try:
            yield
        finally:
            self._turn.release()


def _url(text: str) -> URL:
    try:
        url = make_url(text)
    except exc.ArgumentError:
        raise UsageError(
            "the store's URL can't be read: write it as sqlite:///store.sqlite or postgresql://host/database"
        ) from None
    if url.drivername in _POSTGRES:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise UsageError(f"the store's URL names '{url.drivername}': it must be sqlite or postgresql")
    if url.database in (None, "", ":memory:") or str(url.database).startswith("file:") or url.query:
        raise UsageError("the store's URL must name a file, as sqlite:///store.sqlite: what is only in memory is lost")
    return url


def _postgres(url: URL, busy_seconds: float) -> Engine:
    try:
        import psycopg  # noqa: F401, PLC0415
    except ImportError:
        raise UsageError("PostgreSQL needs psycopg: `pip install '.[postgres]'` in its folder") from None
    wait = int(busy_seconds * 1000)
    options = f"-c lock_timeout={wait} -c statement_timeout={wait * 5} -c idle_in_transaction_session_timeout=30000"
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_timeout=busy_seconds,
        connect_args={
            "connect_timeout": max(2, int(busy_seconds)),
            "options": options,
            "application_name": "precaution",
        },
    )

    @event.listens_for(engine, "connect")
    def _durable(connection: Any, _: object) -> None:
        """A server may be set not to wait for the disk; what we acknowledge must be there."""
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
        connection.commit()

    return engine


@contextmanager
def _translated(database: Database) -> Iterator[None]:
    try:
        yield
    except exc.TimeoutError:
        raise StoreBusy("the store is busy: every connection to it is in use. Try again") from None
    except exc.DBAPIError as error:
        raise _ours(error.orig, database) from None
    except database.errors as error:
        raise _ours(error, database) from None


def _ours(error: BaseException | None, database: Database) -> StoreError:
    return _error(sqlite_file.kind_of(error) if database.embedded else _kind_postgres(error), database)


def _error(kind: type[StoreError], database: Database) -> StoreError:
    where = str(database.url.database) if database.embedded else database.url.render_as_string(hide_password=True)
    return kind(f"the store {where} {_WHY[kind]}")


_WHY: dict[type[StoreError], str] = {
    StoreBusy: "is busy: others write to it for too long. Try again",
    StoreFull: "has no room: nothing was kept. Make room on its disk",
    StoreDown: "can't be reached, read or written. See that it runs, and that its disk is sound",
    StoreOutdated: "has no tables, or those of another version: run `precaution store upgrade`",
}
_BUSY = ("55P03", "40001", "40P01", "57014", "53300", "25P03")
"""SQLSTATEs: no lock, serialisation, deadlock, cancelled for time, too many connections, idle too long."""


def _kind_postgres(error: BaseException | None) -> type[StoreError]:
    state = getattr(error, "sqlstate", None) or ""
    if state in _BUSY:
        return StoreBusy
    if state == "53100":
        return StoreFull
    return StoreOutdated if state in ("42P01", "42703") else StoreDown
