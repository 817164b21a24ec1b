"""Every error this package raises on purpose, and the exit code of each kind; EXIT_CODES says what each means.

    PrecautionError                     (never raised itself)
    ├── UsageError              2       the command or call was wrong
    ├── InputError              3       a record or file can't be read
    │   ├── NoPatient           3       it holds no patient
    │   ├── MixedPatients       3       it holds more than one
    │   ├── WrongRelease        3       it is FHIR, but not R4
    │   └── PatientDied         3       no decision is left to take
    ├── KnowledgeError          5       a label's folder is wrong
    ├── OutputError             1       results can't be written
    └── StoreError              7       the service's store can't be used
        ├── StoreBusy           7       somebody else writes to it for too long
        ├── StoreFull           7       there is no room
        ├── StoreDown           7       it can't be reached, read or written
        └── StoreOutdated       7       its tables are of another version

A message says what was wrong, where, and what to do; it never holds a value, a name or any text from a patient's
record.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

DONE, MISTAKE, USAGE, INPUT, AS_GRAVE, KNOWLEDGE, NOT_EVERYBODY, STORE, NOT_WHOLE = range(9)
INTERRUPTED = 130

EXIT_CODES = {
    DONE: "done, whatever the decision says",
    MISTAKE: "a mistake in this program, or results that can't be written",
    USAGE: "wrong usage: an unknown command, option, day, question, label",
    INPUT: "the record, or another input, can't be read",
    AS_GRAVE: "the action is at least as grave as --fail-on names",
    KNOWLEDGE: "a label's folder or a site's policy is wrong",
    NOT_EVERYBODY: "a cohort is done, but not everybody in it was decided",
    STORE: "the service's store can't be used",
    NOT_WHOLE: "the service's audit trail is not whole",
    INTERRUPTED: "interrupted",
}
"""What each exit code means: the one table, which `precaution --help` prints and docs/reference/exit-codes.md holds."""


class PrecautionError(Exception):
    """The base of all errors meant for people to read; shown without a traceback."""

    exit_code = MISTAKE


class UsageError(PrecautionError):
    """The command line, or the arguments of a call, can't be carried out."""

    exit_code = USAGE


class InputError(PrecautionError):
    """A record or another input file can't be read."""

    exit_code = INPUT


class NoPatient(InputError):
    """The input holds no Patient, so nobody can be assessed."""


class MixedPatients(InputError):
    """The input holds more than one patient; assessing them as one would be dangerous."""


class WrongRelease(InputError):
    """The resources are of another FHIR release than R4."""


class PatientDied(InputError):
    """The patient died on or before the day asked about."""


class KnowledgeError(PrecautionError):
    """A label's folder breaks a rule of the knowledge format (see docs/reference/knowledge-format.md)."""

    exit_code = KNOWLEDGE


class OutputError(PrecautionError):
    """Results can't be written: no room, no permission, or a process that was ended from outside."""


class StoreError(PrecautionError):
    """The service's store can't be used; what was to be kept is not kept."""

    exit_code = STORE


class StoreBusy(StoreError):
    """Somebody else writes to the store for too long; it helps to try again soon."""


class StoreFull(StoreError):
    """There is no room to write to."""


class StoreDown(StoreError):
    """The store can't be reached, read or written."""


class StoreOutdated(StoreError):
    """The tables of the store are of another version than this program."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?` for the nearest of `known`, or nothing where none is near."""
    near = get_close_matches(word, sorted(known), n=1)
    return f" Did you mean '{near[0]}'?" if near else ""
