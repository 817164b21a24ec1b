"""How much more the timeline of a record costs than its decision, and how that grows with the record.

`python benchmarks/timeline.py [MEGABYTES ...]`: for records of these sizes (an example whose entries are repeated, each
time some days earlier) it prints seconds for one decision and for the timeline, both with reading, and their ratio.
"""

from __future__ import annotations

import json
import re
import sys
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from package import announce

from precaution import load_label
from precaution.assessment import assess
from precaution.readers import read_bytes
from precaution.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Label

EXAMPLE = Path(__file__).parent.parent / "examples" / "zoster-on-treatment.json"
TODAY = date(2025, 3, 1)
STEPS = (5, 30)
"""Days between one repetition and the next: some records of real patients have a result every few days."""
_DAY = re.compile(r"\b(19|20)\d\d-\d\d-\d\d\b")
_ONCE = ("Patient", "Practitioner", "Organization")


def record(size: int, step: int = STEPS[0]) -> bytes:
    """Return a Bundle of about `size` bytes."""
    bundle = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    entries = bundle["entry"]
    repeated = [each for each in entries if each["resource"]["resourceType"] not in _ONCE]
    had, number = len(json.dumps(bundle)), 0
    while had < size:
        number += 1
        for each in repeated:
            text = _DAY.sub(partial(_earlier, days=number * step), json.dumps(each))
            again = json.loads(text)
            again["resource"]["id"] += f"-{number}"
            again.pop("fullUrl", None)
            entries.append(again)
            had += len(text)
    return json.dumps(bundle).encode()


def _earlier(found: re.Match[str], days: int) -> str:
    day = found[0]
    try:
        return max(date.fromisoformat(day) - timedelta(days), date(1990, 1, 1)).isoformat()
    except ValueError:
        return day


def seconds(work: Callable[[], object]) -> float:
    """Return the shortest of two times that `work` takes."""
    took = []
    for _ in range(2):
        began = perf_counter()
        work()
        took.append(perf_counter() - began)
    return min(took)


def main(sizes: list[float]) -> None:
    """Print a line for each size in megabytes."""
    announce()
    label = load_label()
    print(f"{'MB':>6} {'every days':>11} {'decision s':>11} {'timeline s':>11} {'ratio':>6} {'changes':>8}")
    for step in STEPS:
        for size in sizes:
            print(line(size, step, label))


def line(size: float, step: int, label: Label) -> str:
    """Return what is measured for a record of so many megabytes."""
    data = record(int(size * 1_000_000), step)
    changes: list[Decision] = []

    def whole() -> None:
        read = read_bytes(data, label.terminology, label.asks, today=TODAY.toordinal())
        changes[:] = timeline(read, label, TODAY.toordinal())

    one, many = seconds(lambda: assess(data, today=TODAY, label=label)), seconds(whole)
    return f"{size:>6} {step:>11} {one:>11.2f} {many:>11.2f} {many / one:>6.1f} {len(changes):>8}"


if __name__ == "__main__":
    main([float(each) for each in sys.argv[1:]] or [0.25, 1, 5])
