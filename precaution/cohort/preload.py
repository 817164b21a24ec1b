"""Loaded last by the process that workers are forked from: what each would work out for itself is there already.

That process is told of the labels by its environment, which is all that it gets from the one that begins it.
"""

from __future__ import annotations

import gc
import json
import os
from contextlib import suppress
from datetime import date
from pathlib import Path

from precaution.cohort.label_source import LabelSource
from precaution.cohort.processes import PRELOAD
from precaution.engine.decision import decide
from precaution.errors import PrecautionError
from precaution.knowledge.refers import STAGES
from precaution.values.record import Record


def preload(text: str) -> None:
    """Load the labels that `text` names, see `processes.preload`, and decide an empty record by each at each stage.

    What is wrong with a label is said by the process that asked for it.
    """
    for folder, policy, codes in json.loads(text):
        with suppress(PrecautionError):
            label = LabelSource(folder, Path(policy) if policy else None, tuple(map(Path, codes))).load()
            for stage in STAGES:
                decide(Record(), label, date.max.toordinal(), stage)
    gc.freeze()  # forked, it is then shared


if PRELOAD in os.environ:
    preload(os.environ.pop(PRELOAD))
