"""How fast a cohort is decided, as ratios to what runs beside it: `python benchmarks/cohort.py --help`.

The shared Synthea NDJSON (../shared/data) is copied into a temporary folder, each time with other patients' ids, until
there are as many MB as asked for; or Synthea's own generator writes a source (benchmarks/synthea.py). In turns: NDJSON
to decisions; `orjson.loads` of every line in as many processes; a plain read. All processes begin in the same way, from
one that has loaded what they need.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from shutil import rmtree
from statistics import median
from threading import Event, Thread
from time import perf_counter
from typing import TYPE_CHECKING

import orjson
import synthea
from package import announce
from tree import MB, memory

from precaution.cohort import cohort, processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
TODAY = "2021-07-10"
"""The last day of the shared data."""
CHUNK = 8 * 1024 * 1024
_ID = re.compile(rb"[0-9a-f]{8}(?=-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")


def grown(folder: Path, size: int) -> None:
    """Write about `size` bytes of NDJSON: every copy of the shared data has ids of its own."""
    sources = sorted(
        path for name in ("synthea-v2.4-ndjson", "synthea-v2.7-ndjson") for path in (SHARED / name).glob("*.ndjson")
    )
    texts = {path: path.read_bytes() for path in sources}
    copies = max(1, round(size / sum(map(len, texts.values()))))
    folder.mkdir()
    for path, text in texts.items():
        with (folder / f"{path.parent.name}.{path.name}").open("wb") as file:
            for copy in range(copies):
                file.write(_ID.sub(lambda found, copy=copy: b"%08x" % (int(found[0], 16) ^ copy), text))


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
    """Parse the folder in as many processes, which begin as those of a run do."""
    tasks = [
        (str(path), start, min(start + CHUNK, path.stat().st_size))
        for path in sorted(folder.iterdir())
        for start in range(0, path.stat().st_size, CHUNK)
    ]
    with ProcessPoolExecutor(workers, get_context(processes.BEGIN)) as pool:
        sum(pool.map(parsed, tasks))


def read_all(folder: Path) -> None:
    """Read the folder, and do nothing with it."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            while file.read(CHUNK):
                pass


def timed(call: Callable[[], object]) -> float:
    begin = perf_counter()
    call()
    return perf_counter() - begin


# Memory


@contextmanager
def watched(peaks: list[float]) -> Iterator[None]:
    """Append the most memory that the process and those below it had meanwhile."""
    end, most = Event(), [0.0]

    def look() -> None:
        while not end.wait(0.1):
            most[0] = max(most[0], memory(os.getpid()))

    looking = Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        end.set()
        looking.join()
        peaks.append(most[0])


# What is run


def compare(source: Path, out: Path, workers: int, rounds: int, today: str) -> None:
    ours, parse, read, peaks = [], [], [], []
    summary = None
    for _ in range(rounds):
        rmtree(out, ignore_errors=True)
        read.append(timed(lambda: read_all(source)))
        parse.append(timed(lambda: parse_all(source, workers)))
        begin = perf_counter()
        summary = cohort(source, out, today=today, workers=workers)
        ours.append(perf_counter() - begin)
    rmtree(out, ignore_errors=True)
    if sys.platform == "linux":
        with watched(peaks):
            cohort(source, out, today=today, workers=workers)
    written = sum(path.stat().st_size for path in source.iterdir())
    assert summary is not None
    show(summary.people, written, workers, median(ours), median(parse), median(read))
    print(f"memory of all processes {max(peaks, default=0):8.0f} MB at most, shared memory counted once\n")


def show(patients: int, written: int, workers: int, ours: float, parse: float, read: float) -> None:
    print(f"{written / MB:.0f} MB, {patients} patients, {workers} processes; median of all rounds")
    for what, seconds in (("NDJSON to decisions", ours), ("orjson.loads", parse), ("plain read", read)):
        print(f"{what:<24}{seconds:8.2f} s {written / MB / seconds:8.0f} MB/s {patients / seconds:10.0f} patients/s")
    print(f"rate of orjson.loads    {parse / ours:8.0%}   aim: at least 60 %")
    print(f"rate of a plain read    {read / ours:8.1%}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("size", type=int, nargs="*", default=[100], help="MB of the shared data; several run in turn")
    parser.add_argument("--synthea", type=int, metavar="N", help="patients of Synthea's generator in place of that")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    announce()
    processes.preload(asked.workers, modules=["orjson"])
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary, "out")
        if asked.synthea:
            if missing := synthea.needed():
                sys.exit(f"{missing} is not here")
            source = synthea.generated(asked.synthea, Path(temporary, "synthea"))
            compare(source, out, asked.workers, asked.rounds, f"{synthea.DAY[:4]}-{synthea.DAY[4:6]}-{synthea.DAY[6:]}")
            return
        if not SHARED.is_dir():
            sys.exit("the shared data is not here")
        for size in [0, *asked.size]:
            source = Path(temporary, f"in-{size}")
            grown(source, size * MB)
            compare(source, out, asked.workers, asked.rounds, TODAY)
            rmtree(source)


if __name__ == "__main__":
    main()
