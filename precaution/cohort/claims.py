"""Lines that name their patient by an identifier and not by an id: looked up on disk by a patient's identifiers."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from precaution.cohort.sort.lines import PATIENT, Framed, framed_slowly
from precaution.cohort.sort.owner import identifiers_of_subject
from precaution.readers.json_input import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FILE = "claims.sqlite"


def index(work: Path) -> None:
    """Write the index of all such lines; none where there is no such line."""
    path = work / FILE
    path.unlink(missing_ok=True)
    if not any(work.glob("identified.*")):
        return
    with sqlite3.connect(path) as base:
        base.execute("PRAGMA journal_mode = OFF")
        base.execute("PRAGMA synchronous = OFF")
        base.execute("CREATE TABLE lines (id INTEGER PRIMARY KEY, piece INTEGER, number INTEGER, line BLOB)")
        base.execute("CREATE TABLE names (system TEXT, value TEXT, id INTEGER)")
        for place, line in enumerate(framed_slowly(work, "identified")):
            base.execute("INSERT INTO lines VALUES (?, ?, ?, ?)", (place, line.piece, line.number, line.data))
            base.executemany("INSERT INTO names VALUES (?, ?, ?)", ((*pair, place) for pair in sorted(_names(line))))
        base.execute("CREATE INDEX by_value ON names (value, system)")
    base.close()


def _names(line: Framed) -> set[tuple[str, str]]:
    return {
        pair
        for value in parsed(line.data, "the line")
        if isinstance(value, dict)
        for pair in identifiers_of_subject(value)
    }


class Claims:
    """Looks such lines up."""

    def __init__(self, work: Path) -> None:
        """Open the index below `work`."""
        self._base = sqlite3.connect(f"file:{work / FILE}?mode=ro&immutable=1", uri=True)

    def of(self, person: str, identifiers: Iterable[tuple[str, str]]) -> list[Framed]:
        """Return the lines that name one of a patient's (system, value) pairs; a line without a system means any."""
        found: set[tuple[int, int, int, bytes]] = set()
        for system, value in identifiers:
            found.update(
                self._base.execute(
                    "SELECT lines.* FROM names JOIN lines USING (id) WHERE value = ? AND system IN ('', ?)",
                    (value, system),
                )
            )
        return [Framed(PATIENT, piece, number, person, line) for _, piece, number, line in sorted(found)]

    def close(self) -> None:
        """Close the index."""
        self._base.close()
