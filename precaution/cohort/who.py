"""Whether somebody is asked for, told from the record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from precaution.engine.therapy import STOPPED_DAYS, on_drug
from precaution.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precaution.knowledge.model import Label
    from precaution.values.record import Record

__all__ = ["CHOICES", "EVERYBODY", "STOPPED_DAYS", "Choice", "Who", "on_drug", "who"]

Choice = Literal["everybody", "on-drug", "ever-on-drug", "indication", "listed"]
CHOICES: dict[str, str] = {
    "everybody": "every patient of the source",
    "on-drug": "who has the drug: taken, paused, ordered, proposed, or stopped in the last 90 days",
    "ever-on-drug": "who has any entry of the drug, however old",
    "indication": "who has a diagnosis that the label's drug is for, or the drug",
}


class Who(NamedTuple):
    """Whom a run is asked for."""

    choice: Choice = "everybody"
    people: frozenset[str] = frozenset()
    """The ids of those who are "listed"."""

    def concepts(self, label: Label) -> tuple[str, ...]:
        """Return the concepts of which a record must have an entry; none where that does not decide."""
        if self.choice in ("everybody", "listed"):
            return ()
        drug = (label.therapy.drug,)
        return (*drug, *label.therapy.indications) if self.choice == "indication" else drug

    def includes(self, person: str, record: Record, label: Label, today: int) -> bool:
        """Whether a patient, by id and record, is asked for on `today` (an ordinal)."""
        if self.choice == "everybody":
            return True
        if self.choice == "listed":
            return person in self.people
        if self.choice == "on-drug":
            return on_drug(record, label, today)
        return any(record.entries.get(name) for name in self.concepts(label))


EVERYBODY = Who()


def who(asked: str, labels: Sequence[Label]) -> Who:
    """Return whom `asked` means: a key of CHOICES, or a file with the id of a patient in each line.

    Raises UsageError where it is neither, or a label names no indication; InputError for a file that can't be read.
    """
    without = [label.name for label in labels if not label.therapy.indications]
    if asked == "indication" and without:
        raise UsageError(f"the label '{without[0]}' names no indications, so --who indication finds nobody")
    if asked in CHOICES:
        return Who(asked)  # type: ignore[arg-type]
    path = Path(asked)
    if not path.is_file():
        raise UsageError(f"--who is one of {', '.join(CHOICES)}, or a file of ids; there is no file '{asked}'")
    return Who("listed", _ids(path))


def _ids(path: Path) -> frozenset[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        raise InputError(f"the file '{path}' can't be read as text; give the id of a patient in each line") from None
    found = frozenset(line.strip().removeprefix("Patient/") for line in text.splitlines() if line.strip())
    if not found:
        raise InputError(f"the file '{path}' holds no id; give the id of a patient in each line")
    return found
