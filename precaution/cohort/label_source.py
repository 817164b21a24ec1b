"""What a label is loaded from: every process, and every machine of a cluster, loads its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from precaution.knowledge.loading import load_label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precaution.knowledge.model import Label


class LabelSource(NamedTuple):
    """The folder of a label, with a site's policy and code lists."""

    folder: str
    policy: Path | None = None
    codes: tuple[Path, ...] = ()

    def load(self) -> Label:
        """Return the label; loaded once in a process. Raises KnowledgeError for a wrong one."""
        return load_label(self.folder, policy=self.policy, codes=self.codes)


def loaded(sources: Iterable[LabelSource]) -> tuple[Label, ...]:
    """Return labels, each loaded once in a process. Raises KnowledgeError for a wrong one."""
    return tuple(each.load() for each in sources)
