"""What a source deletes by DELETE entries of Bundles, anywhere in it, looked up on disk by `Type/id`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from precaution.cohort.context import WORK
from precaution.cohort.sort.partition_files import DELETED, framed_slowly
from precaution.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_FILE = "index-deleted.sqlite"
_AT_ONCE = 500


def write_deleted(work: Path) -> None:
    """Write the names of what is deleted, where anything is. Raises OutputError."""
    path = work / _FILE
    path.unlink(missing_ok=True)
    if not any(work.glob(f"{DELETED}.*")):
        return
    try:
        with closing(sqlite3.connect(path)) as base, base:
            base.execute("CREATE TABLE deleted (name TEXT PRIMARY KEY) WITHOUT ROWID")
            names = ((line.key,) for line in framed_slowly(work, DELETED))
            base.executemany("INSERT OR IGNORE INTO deleted VALUES (?)", names)
    except sqlite3.Error as error:
        raise OutputError(f"'{WORK}' can't be written: {error}; make room and run again") from None


class DeletedIndex:
    """Tells which resources the source deletes."""

    def __init__(self, work: Path) -> None:
        """Open the index below `work`, if anything is deleted."""
        path = work / _FILE
        self._base = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True) if path.exists() else None

    def __bool__(self) -> bool:
        """Whether anything is deleted."""
        return self._base is not None

    def among(self, names: Iterable[str]) -> list[str]:
        """Return those of the names (`Type/id`) that are deleted, in order."""
        every, found = sorted(set(names)), list[str]()
        for start in range(0, len(every) if self._base is not None else 0, _AT_ONCE):
            some = every[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            found += [name for (name,) in self._asked(f"SELECT name FROM deleted WHERE name IN ({marks})", some)]  # noqa: S608
        return sorted(found)

    def _asked(self, query: str, names: list[str]) -> Iterable[tuple[str]]:
        return self._base.execute(query, names) if self._base is not None else ()

    def close(self) -> None:
        """Close the index."""
        if self._base is not None:
            self._base.close()
