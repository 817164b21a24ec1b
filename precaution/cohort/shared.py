"""Resources that belong to no patient and that a patient's point to: looked up on disk by their id."""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from typing import TYPE_CHECKING

from precaution.cohort.sort.lines import framed_slowly
from precaution.readers.bundle_queries import referenced_ids
from precaution.readers.json_input import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from precaution.readers.json_access import Json

FILE = "index.sqlite"


def index(work: Path) -> int:
    """Write the index of all shared resources, and return how many there are."""
    path = work / FILE
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as base:
        base.execute("PRAGMA journal_mode = OFF")
        base.execute("PRAGMA synchronous = OFF")
        base.execute("CREATE TABLE shared (id TEXT, line BLOB)")
        base.executemany(
            "INSERT INTO shared VALUES (?, ?)", ((line.key, line.data) for line in framed_slowly(work, "shared"))
        )
        base.execute("CREATE INDEX by_id ON shared (id)")
        count: int = base.execute("SELECT count(*) FROM shared").fetchone()[0]
    base.close()
    return count


class Shared:
    """Looks shared resources up, and remembers those asked for often."""

    def __init__(self, work: Path) -> None:
        """Open the index below `work`."""
        self._base = sqlite3.connect(f"file:{work / FILE}?mode=ro&immutable=1", uri=True)
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
