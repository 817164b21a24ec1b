"""What a second label in a run costs: `python benchmarks/labels.py [--label NAME|FOLDER] [--who everybody]`.

The default second label is a copy of the first under another name: as large, and every patient is decided by both,
so that none costs more. Sources: a demo cohort, of whose entries nearly all matter, and the shared Synthea NDJSON grown
as in cohort.py, of which few do. In turns: the first label alone, both. Prints the processor seconds of each, in one
process, and what the second label adds to the first one, as a share of that.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from shutil import copytree, rmtree
from statistics import median
from time import process_time

from package import announce

from cohort import SHARED, TODAY, grown
from precaution.cli import run
from precaution.cohort import cohort
from precaution.cohort.label_source import LabelSource
from precaution.knowledge.loading import find_label
from precaution.labels import DEFAULT

NAME = f'name = "{DEFAULT}"'
DEMO_DAY = "2025-03-01"


def copied(folder: Path) -> Path:
    """Write the default label under another name, and return its folder."""
    copytree(find_label(DEFAULT), folder)
    head = folder / "label.toml"
    text = head.read_text(encoding="utf-8")
    if NAME not in text:
        raise ValueError(f"{head} does not say {NAME}")
    head.write_text(text.replace(NAME, 'name = "again"'), encoding="utf-8")
    return folder


def seconds(source: Path, out: Path, today: str, who: str, labels: list[LabelSource]) -> float:
    """Return the processor seconds of a run in this process alone."""
    rmtree(out, ignore_errors=True)
    before = process_time()
    cohort(source, out, today=today, who=who, workers=1, labels=labels)
    return process_time() - before


def measure(source: Path, out: Path, today: str, who: str, labels: list[LabelSource], rounds: int) -> None:
    """Print what the second label adds for one source."""
    seconds(source, out, today, who, labels)  # what is loaded and learned once is not measured
    alone, both = [], []
    for _ in range(rounds):
        alone.append(seconds(source, out, today, who, labels[:1]))
        both.append(seconds(source, out, today, who, labels))
    one, two = median(alone), median(both)
    print(
        f"{source.name:10} one label {one:7.2f} s, two {two:7.2f} s: the second adds {two / one - 1:.2f} of the first"
    )


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--label", help="the second label; a copy of the first where left out")
    arguments.add_argument("--who", default="everybody")
    arguments.add_argument("--people", type=int, default=400, help="patients of the demo cohort")
    arguments.add_argument("--size", type=int, default=20, help="MB of Synthea")
    arguments.add_argument("--rounds", type=int, default=3)
    asked = arguments.parse_args()
    announce()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        second = find_label(asked.label) if asked.label else copied(folder / "again")
        labels = [LabelSource(str(each)) for each in (find_label(DEFAULT), second)]
        run(["demo-cohort", str(asked.people), "--out", str(folder / "demo"), "--today", DEMO_DAY, "--json"])
        (folder / "demo" / "fhir").rename(folder / "demo-fhir")
        measure(folder / "demo-fhir", folder / "out", DEMO_DAY, asked.who, labels, asked.rounds)
        if SHARED.is_dir():
            grown(folder / "synthea", asked.size * 1024 * 1024)
            measure(folder / "synthea", folder / "out", TODAY, asked.who, labels, asked.rounds)


if __name__ == "__main__":
    main()
