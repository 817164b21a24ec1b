"""What went wrong in a run: each as a row that names file, line and person, and holds nothing of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from precaution.errors import InputError, MixedPatients, NoPatient, PatientDied, PrecautionError, WrongRelease

if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS = {
    "cut-short": "a file ends early, or a line is too long: lines are lost, so no list of anybody is complete",
    "unreadable-line": "a line is no strict JSON and names nobody: it may be anybody's, so no list is complete",
    "nobody's": "a resource does not say whose it is: it may be anybody's, so no list of its type is complete",
    "sender-error": "the sending system reports an error, so parts may be missing: no list is complete",
    "incomplete-export": "the manifest of the export says that something is not here: no list of it is complete",
    "withheld": "the sending system says that parts of this patient's record may be missing: no list is complete",
    "unread-line": "a line is no JSON, but of a type that is not looked at: nobody's answer changes",
    "no-id": "a patient has no id, so nothing can refer to it",
    "no-patient": "resources name a patient whose Patient resource is not in the source",
    "no-person": "rows name a person whose row in the table of persons is not in the source",
    "bad-row": "a row of a table can't be right, so that person is not decided",
    "unreadable": "the patient's record can't be read",
    "mixed-patients": "the patient's record refers to somebody else",
    "wrong-release": "the patient's record is FHIR of another release than R4",
    "mistake": "a mistake in this program; please report it",
    "died": "the patient died by the day of the decision; nothing is left to decide",
    "deleted": "the sender deletes this patient as well: no list is complete",
    "merged": "the sender has merged this patient with another one, whose answer is for both",
    "patient-twice": "the Patient resource came more than once; the versions were joined as one record's",
    "row-twice": "rows came more than once, the same each time; each counts once",
    "resource-twice": "resources came more than once; of different versions the latest counts",
}
"""Every kind of problem, and what it means."""

HARMLESS = frozenset({"died", "merged", "patient-twice", "resource-twice", "row-twice", "unread-line"})
"""Kinds that leave no living patient without an answer."""
LOSSES = frozenset({"cut-short", "unreadable-line", "nobody's", "sender-error", "incomplete-export"})
"""Kinds that may concern anybody."""
_OF_ERRORS = (
    (NoPatient, "no-patient"),
    (MixedPatients, "mixed-patients"),
    (WrongRelease, "wrong-release"),
    (PatientDied, "died"),
    (InputError, "unreadable"),
)


class Problem(NamedTuple):
    """One thing that went wrong."""

    person: str
    """Whose record it concerns; empty where it concerns nobody in particular."""
    kind: str
    file: str
    line: int
    """0 where the file is one document, or the line is not known."""
    message: str
    lines: int = 1
    """How many lines it concerns."""


def kind_of(error: Exception) -> str:
    """Return the kind of problem that an error is."""
    return next((kind for error_type, kind in _OF_ERRORS if isinstance(error, error_type)), "mistake")


def message_of(error: Exception) -> str:
    """Return what an error says; of one that is not ours only its type and place, for it may quote the record."""
    if isinstance(error, PrecautionError):
        return str(error)
    trace, where = error.__traceback__, ""
    while trace is not None:
        where = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"a mistake in this program ({type(error).__name__} at {where}); please report it"


def first_grave(problems: Iterable[Problem]) -> Problem | None:
    """Return the first problem that left a living patient without an answer, or made all answers uncertain."""
    return next((problem for problem in problems if problem.kind not in HARMLESS), None)


def strict_error(problem: Problem) -> InputError:
    """Return the error with which a strict run ends."""
    where = ", ".join(filter(None, (problem.file, f"line {problem.line}" if problem.line else "")))
    return InputError(f"{where or 'the source'}: {problem.message}; --strict stops at the first problem")
