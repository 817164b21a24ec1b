"""How fast a cohort is decided, as ratios to what runs beside it: `python benchmarks/cohort.py [MB] [WORKERS]`.

The shared Synthea NDJSON (../shared/data) is copied into a temporary folder, each time with other patients' ids, until
there are 100 MB. In turns: NDJSON to decisions; `orjson.loads` of every line in as many processes; a plain read.
"""

from __future__ import annotations

import os
import re
import resource
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from shutil import rmtree
from statistics import median
from time import perf_counter

import orjson

from precaution.cohort import cohort

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
TODAY = "2021-07-10"
"""The last day of the shared data."""
MB = 1_000_000
ROUNDS = 3
CHUNK = 8 * 1024 * 1024
_ID = re.compile(rb"[0-9a-f]{8}(?=-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")


def grown(folder: Path, size: int) -> int:
    """Write about `size` bytes of NDJSON and return how many patients there are: every copy has ids of its own."""
    sources = sorted(path for name in ("synthea-v2.4-ndjson", "synthea-v2.7-ndjson")
                     for path in (SHARED / name).glob("*.ndjson"))  # fmt: skip
    texts = {path: path.read_bytes() for path in sources}
    copies = max(1, round(size / sum(map(len, texts.values()))))
    for path, text in texts.items():
        with (folder / f"{path.parent.name}.{path.name}").open("wb") as file:
            for copy in range(copies):
                file.write(_ID.sub(lambda found, copy=copy: b"%08x" % (int(found[0], 16) ^ copy), text))
    return copies * sum(text.count(b"\n") for path, text in texts.items() if path.name.startswith("Patient."))


def parsed(task: tuple[str, int, int]) -> int:
    """Parse every line of a part of a file with orjson, keep nothing, and return how many there are."""
    name, start, end = task
    count = 0
    with Path(name).open("rb") as file:
        if start:
            file.seek(start - 1)
            file.readline()
        while file.tell() < end:
            for line in file.readlines(min(CHUNK, end - file.tell())):
                orjson.loads(line)
                count += 1
    return count


def parse_all(folder: Path, workers: int) -> None:
    """Parse the folder in as many processes."""
    tasks = [(str(path), start, min(start + CHUNK, path.stat().st_size))
             for path in sorted(folder.iterdir()) for start in range(0, path.stat().st_size, CHUNK)]  # fmt: skip
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        sum(pool.map(parsed, tasks))


def read_all(folder: Path) -> None:
    """Read the folder, and do nothing with it."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            while file.read(CHUNK):
                pass


def timed(call: object, *arguments: object) -> float:
    begin = perf_counter()
    call(*arguments)  # type: ignore[operator]
    return perf_counter() - begin


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    workers = int(sys.argv[2]) if len(sys.argv) > 2 else os.cpu_count() or 1
    if not SHARED.is_dir():
        sys.exit("the shared data is not here")
    with tempfile.TemporaryDirectory() as temporary:
        source, out = Path(temporary, "in"), Path(temporary, "out")
        source.mkdir()
        patients = grown(source, size * MB)
        written = sum(path.stat().st_size for path in source.iterdir())
        ours, parse, read = [], [], []
        for _ in range(ROUNDS):
            rmtree(out, ignore_errors=True)
            read.append(timed(read_all, source))
            parse.append(timed(parse_all, source, workers))
            ours.append(timed(lambda: cohort(source, out, today=TODAY, workers=workers)))
        show(patients, written, workers, median(ours), median(parse), median(read))


def show(patients: int, written: int, workers: int, ours: float, parse: float, read: float) -> None:
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    print(f"{written / MB:.0f} MB, {patients} patients, {workers} processes; median of {ROUNDS} rounds\n")
    for what, seconds in (("NDJSON to decisions", ours), ("orjson.loads", parse), ("plain read", read)):
        print(f"{what:<24}{seconds:8.2f} s {written / MB / seconds:8.0f} MB/s {patients / seconds:10.0f} patients/s")
    print(f"\nrate of orjson.loads    {parse / ours:8.0%}   aim: at least 60 %")
    print(f"rate of a plain read    {read / ours:8.0%}")
    print(f"largest process         {peak:8.0f} MB")


if __name__ == "__main__":
    main()
