"""A copy of a label's folder with the cases of one topic alone, for tests of what is decided anew at every start."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from precaution.knowledge.loading import find_label

if TYPE_CHECKING:
    from pathlib import Path


def label_with_few_cases(folder: Path, topic: str = "skin") -> Path:
    """Return the copy, made in a folder of a test: the same rules, and the cases of one topic."""
    copy = folder / "label"
    shutil.copytree(find_label("baricitinib"), copy)
    for cases in copy.glob("topics/*.cases.toml"):
        if not cases.name.startswith((topic, "bases")):
            cases.unlink()
    return copy
