"""Keeps the list in line with the answers of a store, whoever gave them: here, by a card, or by another process."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from precaution.errors import StoreError

if TYPE_CHECKING:
    from precaution.clinic.answering import ClinicAnswers
    from precaution.clinic.worklist import ClinicList
    from precaution.service.store import Kept


class HeededAnswers:
    """Which answers the list heeds by now."""

    def __init__(self, people: ClinicList, answers: ClinicAnswers) -> None:
        self._people, self._answers, self._lock = people, answers, Lock()
        self._state: str | None = None
        self._kept: dict[str, Kept] = {}

    def refresh(self) -> bool:
        """Decide anew whose answers are others than before; False where the store can't be read, so some may be."""
        with self._lock:
            try:
                state = self._answers.state()
                if state == self._state:
                    return True
                whole = all(self._heed(each) for each in self._answers.patients() | self._kept.keys())
            except StoreError:
                return False
            self._state = state if whole else None
            return whole

    def _heed(self, person: str) -> bool:
        """Decide a patient anew where their answers are others; False where they can't be read."""
        kept = self._answers.kept(person)
        if not kept.readable:
            return False
        if kept != self._kept.get(person) and self._people.knows(person):
            self._people.put(person, self._answers.decide(self._people.record(person), kept))
        self._kept[person] = kept
        return True
