"""Many patients: every patient of a source decided as a single one would be, and a worklist of the results.

    files ── first pass ──> partitions on disk ── second pass ──> tables (Parquet), quality.json, _SUCCESS

The first pass sends each line to the partition of its patient, without parsing it where its bytes are enough.
The second takes a partition into memory, gathers each patient's lines, and reads and decides them with the same
two functions as `precaution assess`. Both run in processes, or on Spark. What the source's size decides is the number
of partitions, not the memory needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from precaution.cohort.export.worklist import Urgent, most_urgent
    from precaution.cohort.results import Summary
    from precaution.cohort.run import Plan, cohort, plan
    from precaution.cohort.spark import Spark

__all__ = ["Plan", "Spark", "Summary", "Urgent", "cohort", "most_urgent", "plan"]

_HOMES = {
    "Plan": "run",
    "Spark": "spark",
    "Summary": "results",
    "Urgent": "export.worklist",
    "cohort": "run",
    "most_urgent": "export.worklist",
    "plan": "run",
}


def __getattr__(name: str) -> object:
    """Load a public name from the module where it lives: pyarrow is needed only then."""
    if name not in _HOMES:
        raise AttributeError(f"module 'precaution.cohort' has no attribute '{name}'")
    return getattr(import_module(f"precaution.cohort.{_HOMES[name]}"), name)
