"""The label that the service decides by: read at start, checked by its canaries, read anew when its files change."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from precaution.cases import run as canaries
from precaution.errors import PrecautionError
from precaution.knowledge.folder import digest
from precaution.knowledge.loading import find_label, load_label, read_label
from precaution.service.cards.vocabulary import load_vocabulary
from precaution.service.logs import log

if TYPE_CHECKING:
    from precaution.knowledge.model import Label
    from precaution.service.cards.vocabulary import Vocabulary
    from precaution.service.settings import Settings

_LOOK_AGAIN = 30.0
"""Seconds between two looks at the label's files."""


@dataclass(frozen=True, slots=True)
class Known:
    """A label, and what cards say beside it."""

    label: Label
    vocabulary: Vocabulary


class Knowledge:
    """Keeps the label, and whether it is the one that was tested."""

    def __init__(self, settings: Settings) -> None:
        """Read the label. Raises KnowledgeError or UsageError where it, or the site's policy, is wrong."""
        self._settings = settings
        self._looked = monotonic()
        self.known = self._known(load_label(self._folder, policy=self._policy, codes=self._codes))
        self.why = "its canary patients have not been decided yet"
        """Why the service is not ready by it; empty where it is."""

    @property
    def _folder(self) -> Path:
        return find_label(self._settings.label)

    @property
    def _policy(self) -> Path | None:
        return Path(self._settings.policy) if self._settings.policy else None

    @property
    def _codes(self) -> tuple[Path, ...]:
        return tuple(map(Path, self._settings.codes))

    def _known(self, label: Label) -> Known:
        return Known(label, load_vocabulary(self._folder, label))

    def check(self) -> None:
        """Decide the canary patients, and note whether all came to what they should."""
        try:
            failed = canaries.false_in(self._folder)
        except PrecautionError:
            self.why = "the cases of the label, its canary patients, can't be read"
            return
        self.why = f"{len(failed)} canary patients come to something else than they should" if failed else ""
        log().info("canaries", failed=len(failed), label=self.known.label.digest[:16])

    def look_again(self) -> None:
        """Take up a label whose files have changed, if its canaries come true; else go on by the old one, not ready."""
        if monotonic() - self._looked < _LOOK_AGAIN:
            return
        self._looked = monotonic()
        try:
            if digest(self._folder, self._policy, self._codes) == self.known.label.digest:
                return
            read = self._known(read_label(self._folder, policy=self._policy, codes=self._codes))
            failed = canaries.false_in(self._folder)
        except (PrecautionError, OSError):
            self.why = "the label's files have changed and can't be read"
            return
        if failed:
            self.why = f"the label has changed, and {len(failed)} canary patients come to something else"
            return
        self.known, self.why = read, ""
        log().info("label", digest=read.label.digest[:16])
