"""The label that the service decides by: loaded at start, tested by its canaries, reloaded when its files change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from precaution.cases import run as case_runs
from precaution.errors import PrecautionError
from precaution.knowledge.folder import digest
from precaution.knowledge.loading import find_label, load_label, read_label
from precaution.service.cards.vocabulary import load_vocabulary
from precaution.service.logs import log

if TYPE_CHECKING:
    from precaution.knowledge.model import Label
    from precaution.service.cards.vocabulary import Vocabulary
    from precaution.service.settings import Settings

_RELOAD_SECONDS = 30.0
"""Seconds between two looks at the label's files."""


@dataclass(frozen=True, slots=True)
class LoadedLabel:
    """A label, with the words that cards use beside it. A call is decided by one of them from its start to its end."""

    label: Label
    vocabulary: Vocabulary


class CurrentLabel:
    """Keeps the label that is decided by now, and says whether its canary patients came true."""

    def __init__(self, settings: Settings) -> None:
        """Load the label. Raises KnowledgeError or UsageError where it, or the site's policy, is wrong."""
        self._settings = settings
        self._looked = monotonic()
        self.loaded = self._with_vocabulary(load_label(self._folder, policy=self._policy, codes=self._codes))
        self.not_ready = "its canary patients have not been decided yet"
        """Why the service must not be used with it; empty where it may."""

    @property
    def _folder(self) -> Path:
        return find_label(self._settings.label)

    @property
    def _policy(self) -> Path | None:
        return Path(self._settings.policy) if self._settings.policy else None

    @property
    def _codes(self) -> tuple[Path, ...]:
        return tuple(map(Path, self._settings.codes))

    def _with_vocabulary(self, label: Label) -> LoadedLabel:
        terms, zone = label.terminology, self._settings.timezone
        if zone and not terms.source.zone:
            label = replace(label, terminology=replace(terms, source=replace(terms.source, zone=zone)))
        return LoadedLabel(label, load_vocabulary(self._folder, label))

    def decide_canaries(self) -> None:
        """Decide the canary patients, and note whether all came to what they should."""
        try:
            failed = case_runs.false_in(self._folder)
        except PrecautionError:
            self.not_ready = "the cases of the label, its canary patients, can't be read"
            return
        self.not_ready = f"{len(failed)} canary patients come to something else than they should" if failed else ""
        log().info("canaries", failed=len(failed), label=self.loaded.label.digest[:16])

    def reload_if_changed(self) -> None:
        """Load a label whose files have changed, if its canaries come true; else keep the old one, and be not ready.

        The files are looked at every 30 seconds at most.
        """
        if monotonic() - self._looked < _RELOAD_SECONDS:
            return
        self._looked = monotonic()
        try:
            if digest(self._folder, self._policy, self._codes) == self.loaded.label.digest:
                return
            changed = self._with_vocabulary(read_label(self._folder, policy=self._policy, codes=self._codes))
            failed = case_runs.false_in(self._folder)
        except (PrecautionError, OSError):
            self.not_ready = "the label's files have changed and can't be read"
            return
        if failed:
            self.not_ready = f"the label has changed, and {len(failed)} canary patients come to something else"
            return
        self.loaded, self.not_ready = changed, ""
        log().info("label", digest=changed.label.digest[:16])
