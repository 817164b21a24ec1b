"""Spark beside one machine, over the same input in one run: `python benchmarks/spark.py [MB]`.

The shared Synthea NDJSON (../shared/data) is copied into a temporary folder, each time with other patients' ids, until
there are 200 MB. In turns, each in a process of its own: one process and two, Spark with one core and with two. Beside
the times stands what starting Spark alone takes (the seven patients of examples/), and the memory of all processes of
a run together, at its highest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import rmtree
from statistics import median
from time import perf_counter, sleep
from typing import NamedTuple

from package import announce, python
from tree import MB, memory

from cohort import SHARED, TODAY, grown
from precaution.cohort.results import stored

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
ROUNDS = 3
WAYS = {
    "one process": ["--workers", "1"],
    "Spark, local[1]": ["--engine", "spark", "--master", "local[1]"],
    "two processes": ["--workers", "2"],
    "Spark, local[2]": ["--engine", "spark", "--master", "local[2]"],
}
BESIDE = {"Spark, local[1]": "one process", "Spark, local[2]": "two processes"}


class Run(NamedTuple):
    """What a run took."""

    seconds: float
    memory: float
    """MB of all its processes together, at most."""


def run(source: Path, out: Path, options: list[str]) -> Run:
    """Run a cohort in a process of its own, and watch it."""
    rmtree(out, ignore_errors=True)
    begin, most = perf_counter(), 0.0
    process = subprocess.Popen(  # noqa: S603 - our own command
        python("-m", "precaution", "cohort", source, "--out", out, "--today", TODAY, *options),
        stdout=subprocess.DEVNULL,
        env=os.environ | {"SPARK_LOCAL_IP": "127.0.0.1"},
    )
    while process.poll() is None:
        most = max(most, memory(process.pid))
        sleep(0.1)
    assert process.returncode == 0, options
    return Run(perf_counter() - begin, most)


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    if not SHARED.is_dir():
        sys.exit("the shared data is not here")
    announce()
    with tempfile.TemporaryDirectory() as temporary:
        source, out = Path(temporary, "in"), Path(temporary, "out")
        grown(source, size * MB)
        written = sum(path.stat().st_size for path in source.iterdir())
        start = median(run(EXAMPLES, out, WAYS["Spark, local[1]"]).seconds for _ in range(ROUNDS))
        taken: dict[str, list[Run]] = {way: [] for way in WAYS}
        for _ in range(ROUNDS):
            for way, options in WAYS.items():
                taken[way].append(run(source, out, options))
        patients = stored(out).people
    show(patients, written, start, taken)


def show(patients: int, written: int, start: float, taken: dict[str, list[Run]]) -> None:
    print(f"{written / MB:.0f} MB, {patients} patients; median of {ROUNDS} rounds in turns\n")
    seconds = {way: median(each.seconds for each in runs) for way, runs in taken.items()}
    for way, runs in taken.items():
        most = max(each.memory for each in runs)
        beside = f"   {seconds[BESIDE[way]] / seconds[way]:5.0%} of the rate of {BESIDE[way]}" if way in BESIDE else ""
        print(
            f"{way:<18}{seconds[way]:8.1f} s {written / MB / seconds[way]:7.1f} MB/s {patients / seconds[way]:7.0f} "
            f"patients/s {most:7.0f} MB of memory{beside}"
        )
    print(f"\nseven patients with Spark, local[1]: {start:.1f} s, nearly all of it to start Spark")
    for way, beside in BESIDE.items():
        print(f"{way} without that: {seconds[beside] / max(seconds[way] - start, 0.1):5.0%} of the rate of {beside}")


if __name__ == "__main__":
    main()
