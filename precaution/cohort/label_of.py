"""Loaded last by the process from which workers are forked: what each would work out for itself is there already.

That process is told of the label by its environment, which is all that it gets from the one that begins it.
"""

from __future__ import annotations

import gc
import json
import os
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from precaution.errors import PrecautionError

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOLD = "PRECAUTION_WARM_LABEL"


class LabelOf(NamedTuple):
    """What a label is loaded from, for every process loads its own."""

    folder: str
    policy: Path | None = None
    codes: tuple[Path, ...] = ()


@contextmanager
def told(label: LabelOf | None) -> Iterator[None]:
    """Tell a process that begins meanwhile which label its workers will need."""
    if label is not None:
        os.environ[_TOLD] = json.dumps([label.folder, str(label.policy or ""), [str(each) for each in label.codes]])
    try:
        yield
    finally:
        os.environ.pop(_TOLD, None)


def warmed(text: str) -> None:
    """Load the label, and prepare it for each stage by deciding an empty record.

    What is wrong with it is said by the process that asked for it.
    """
    from precaution.engine.decision import decide  # noqa: PLC0415 - this module is also loaded only to tell
    from precaution.knowledge.loading import load_label  # noqa: PLC0415
    from precaution.knowledge.refers import STAGES  # noqa: PLC0415
    from precaution.values.record import Record  # noqa: PLC0415

    folder, policy, codes = json.loads(text)
    with suppress(PrecautionError):
        label = load_label(folder, policy=Path(policy) if policy else None, codes=[Path(each) for each in codes])
        for stage in STAGES:
            decide(Record(), label, date.max.toordinal(), stage)
    gc.freeze()  # forked, it is then shared


if _TOLD in os.environ:
    warmed(os.environ.pop(_TOLD))
