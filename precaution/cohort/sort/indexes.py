"""Lines that no id sends to a partition, looked up on disk: what others point to, and what names its patient otherwise.

Both are SQLite files, written when the first pass is done and only read in the second.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from precaution.cohort.context import WORK
from precaution.cohort.sort.owner import identifiers_of_subject
from precaution.cohort.sort.partition_files import IDENTIFIED, PATIENT, SHARED, FramedLine, framed_slowly
from precaution.errors import OutputError
from precaution.readers.bundle_queries import referenced_ids
from precaution.readers.json_input import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from precaution.readers.json_access import Json

_SHARED, _IDENTIFIERS = "index-shared.sqlite", "index-identifiers.sqlite"
"""Not called as the lines are: `framed_slowly` takes all files of one name."""


def write_indexes(work: Path) -> None:
    """Write both indexes; that of identifiers only where a line names its patient by one. Raises OutputError."""
    try:
        _write_shared(work)
        (work / _IDENTIFIERS).unlink(missing_ok=True)
        if any(work.glob(f"{IDENTIFIED}.*")):
            _write_identifiers(work)
    except sqlite3.Error as error:
        raise OutputError(f"'{WORK}' can't be written: {error}; make room and run again") from None


@contextmanager
def _new(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a new database; half of one is written anew, so it need not be safe."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("PRAGMA journal_mode = OFF")
        base.execute("PRAGMA synchronous = OFF")
        yield base


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)


def _write_shared(work: Path) -> None:
    with _new(work / _SHARED) as base:
        base.execute("CREATE TABLE shared (id TEXT, line BLOB)")
        base.executemany(
            "INSERT INTO shared VALUES (?, ?)", ((line.key, line.data) for line in framed_slowly(work, SHARED))
        )
        base.execute("CREATE INDEX by_id ON shared (id)")


class SharedIndex:
    """Finds resources that belong to no patient and that a patient's point to; remembers those asked for often."""

    def __init__(self, work: Path) -> None:
        """Open the index below `work`."""
        self._base = _opened(work / _SHARED)
        self._find = lru_cache(maxsize=4096)(self._looked_up)

    def behind(self, documents: Iterable[Json]) -> Iterator[Json]:
        """Yield every shared resource that these point to, and what those point to in turn.

        Raises InputError where one of them is no JSON.
        """
        wanted = list(referenced_ids(documents))
        met: set[str] = set()
        while wanted:
            name = wanted.pop()
            if name not in met:
                met.add(name)
                for resource in self._find(name):
                    yield resource
                    wanted.extend(referenced_ids([resource]))

    def _looked_up(self, name: str) -> tuple[Json, ...]:
        found = self._base.execute("SELECT line FROM shared WHERE id = ? ORDER BY line", (name,))
        return tuple(
            each
            for (line,) in found
            for each in parsed(line, "a resource that others point to")
            if isinstance(each, dict)
        )

    def close(self) -> None:
        """Close the index."""
        self._base.close()


def _write_identifiers(work: Path) -> None:
    with _new(work / _IDENTIFIERS) as base:
        base.execute("CREATE TABLE lines (id INTEGER PRIMARY KEY, piece INTEGER, number INTEGER, line BLOB)")
        base.execute("CREATE TABLE names (system TEXT, value TEXT, id INTEGER)")
        for at, line in enumerate(framed_slowly(work, IDENTIFIED)):
            base.execute("INSERT INTO lines VALUES (?, ?, ?, ?)", (at, line.piece, line.number, line.data))
            base.executemany("INSERT INTO names VALUES (?, ?, ?)", ((*pair, at) for pair in sorted(_names(line))))
        base.execute("CREATE INDEX by_value ON names (value, system)")


def _names(line: FramedLine) -> set[tuple[str, str]]:
    return {
        pair
        for value in parsed(line.data, "the line")
        if isinstance(value, dict)
        for pair in identifiers_of_subject(value)
    }


class IdentifierIndex:
    """Finds lines that name their patient by an identifier and not by an id."""

    def __init__(self, work: Path) -> None:
        """Open the index below `work`, if there are such lines."""
        path = work / _IDENTIFIERS
        self._base = _opened(path) if path.exists() else None

    def lines_of(self, person: str, identifiers: Iterable[tuple[str, str]]) -> list[FramedLine]:
        """Return the lines that name one of a patient's (system, value) pairs; a line without a system means any."""
        found: set[tuple[int, int, int, bytes]] = set()
        if self._base is None:
            return []
        for system, value in identifiers:
            found.update(
                self._base.execute(
                    "SELECT lines.* FROM names JOIN lines USING (id) WHERE value = ? AND system IN ('', ?)",
                    (value, system),
                )
            )
        return [FramedLine(PATIENT, piece, number, person, line) for _, piece, number, line in sorted(found)]

    def __bool__(self) -> bool:
        """Whether there are such lines."""
        return self._base is not None

    def close(self) -> None:
        """Close the index."""
        if self._base is not None:
            self._base.close()


def unclaimed(work: Path, claimed: set[tuple[int, int]]) -> Iterator[FramedLine]:
    """Yield the lines that name their patient by an identifier, without those of the (piece, number) `claimed`."""
    return (line for line in framed_slowly(work, IDENTIFIED) if (line.piece, line.number) not in claimed)
