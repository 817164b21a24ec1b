"""From tables of entries to decisions, for many patients: `python benchmarks/entries.py [PATIENTS ...] [--workers N]`.

Made-up patients of 60 entries (benchmarks/patients.py) are written as Parquet, `entries` and `persons`: 2,000 of them,
then again and again with other names, each time some days earlier. In turns, in processes of their own: entries to
decisions; a scan that DuckDB groups by person and concept; `orjson.loads` of the same entries as lines of JSON. The
memory is that of all processes of a run together (PSS: what they share counts once), looked at ten times a second.
Ratios and the exponent are those of the processors' time, which is less hurt by what else the machine does.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from math import log
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple

import duckdb
import pyarrow.parquet as pq
from package import announce, python
from patients import SIZE, TODAY, patients
from tree import memory, processor

from precaution.tables.schema import ENTRIES, PERSONS, as_table, person_row, rows_of

BASE = 2000
FILE = 20_000
"""Patients of one file."""
LINES = 10_000
"""Most patients of whom lines of JSON are written: what parsing them takes is counted up."""
SIZES = (10_000, 100_000)
OFTEN = 0.1

_SCAN = """
import sys, duckdb
base = duckdb.connect(config={"threads": int(sys.argv[2]), "memory_limit": "700MB", "temp_directory": sys.argv[3]})
base.execute("create table found as select person, concept, count(*) n, max(start_high) d, max(low) v, max(source) s "
             "from read_parquet(?) group by all", [sys.argv[1] + "/entries/*.parquet"])
"""
_PARSE = """
import sys, orjson
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
def parse(task):
    name, start, end = task
    with open(name, "rb") as file:
        if start:
            file.seek(start - 1)
            file.readline()
        while file.tell() < end:
            for line in file.readlines(min(8 << 20, end - file.tell())):
                orjson.loads(line)
if __name__ == "__main__":
    size, step = __import__("os").path.getsize(sys.argv[1]), 8 << 20
    with ProcessPoolExecutor(int(sys.argv[2]), get_context("fork")) as pool:
        list(pool.map(parse, [(sys.argv[1], at, min(at + step, size)) for at in range(0, size, step)]))
"""


class Run(NamedTuple):
    """What one run took."""

    seconds: float
    processor: float
    """Seconds of the processors: on a busy machine the better measure."""
    memory: float
    """MB."""


def made(folder: Path, count: int, base: Path) -> None:
    """Write `count` patients as Parquet: those of `base` again and again."""
    for name in ("entries", "persons"):
        (folder / name).mkdir(parents=True)
    with duckdb.connect(config={"threads": 2, "memory_limit": "500MB"}) as to:
        for number, first in enumerate(range(0, count, FILE)):
            copies = f"range({first // BASE}, {-(-min(first + FILE, count) // BASE)}) copies(copy)"
            for name, days in (("entries", ("start", "end", "recorded")), ("persons", ("birth", "died"))):
                earlier = ", ".join(
                    f'"{day}_{end}" - (copy % 29) as "{day}_{end}"' for day in days for end in ("low", "high")
                )
                order = 'order by person, concept, "order"' if name == "entries" else "order by person"
                to.execute(f"""
                    copy (select * replace (person || '-' || lpad(copy::varchar, 4, '0') as person, {earlier})
                        from '{base}/{name}.parquet', {copies} {order})
                    to '{folder}/{name}/part-{number:04d}.parquet' (format parquet)
                    """)  # noqa: S608 - paths and names are ours


def written(folder: Path) -> Path:
    """Write the patients of which all others are copies."""
    people = list(patients(BASE))
    pq.write_table(
        as_table([row for name, record in people for row in rows_of(name, record)], ENTRIES), folder / "entries.parquet"
    )
    pq.write_table(as_table([person_row(name, record) for name, record in people], PERSONS), folder / "persons.parquet")
    return folder


def run(*arguments: object) -> Run:
    """Run Python with these arguments in a process of its own."""
    begin, used, most = time.perf_counter(), dict[int, float](), 0.0
    command = python(*arguments)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - the command is ours
        while process.poll() is None:
            most = max(most, memory(process.pid))
            used |= processor(process.pid)
            time.sleep(OFTEN)
    if process.returncode:
        sys.exit(f"it failed: {command}")
    return Run(time.perf_counter() - begin, sum(used.values()), most)


def lines(source: Path, file: Path) -> int:
    """Write entries as lines of JSON, and return how many patients they are of."""
    with duckdb.connect() as base:
        read = f"read_parquet('{source}/entries/part-0000.parquet')"
        finite = ", ".join(
            f'case when not isinf("{field.name}") then "{field.name}" end as "{field.name}"'
            for field in ENTRIES
            if field.type == "double"
        )  # JSON has no infinity
        base.execute(f"""
            copy (select * replace ({finite}) from {read} where person in
                (select distinct person from {read} order by all limit {LINES})) to '{file}' (format json)
            """)  # noqa: S608 - paths and names are ours
        found = base.execute(f"select count(distinct person) from read_json('{file}')").fetchone()  # noqa: S608
    return int(found[0]) if found else 0


def main() -> None:
    parser = argparse.ArgumentParser(description="entries to decisions")
    parser.add_argument("patients", nargs="*", type=int, default=SIZES)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--folder", type=Path, help="where the data goes; 5 GB for a million patients")
    options = parser.parse_args()
    announce()
    print(
        f"{'patients':>9}  {'decided in':>10}  {'patients/s':>10}  {'processors':>10}  {'each':>7}  {'memory':>8}  "
        f"{'exponent':>8}  {'a scan of the entries':>24}  {'orjson.loads of them':>24}"
    )
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        folder = Path(temporary)
        written(folder)
        before: tuple[int, float] | None = None
        for count in options.patients:
            source, out = folder / "source", folder / "out"
            made(source, count, folder)
            scan = run("-c", _SCAN, source, options.workers, folder / "spill")
            ours = run(
                "-m", "precaution", "cohort", source, "--out", out, "--today", TODAY, "--workers", options.workers
            )
            parsed = lines(source, folder / "lines.ndjson")
            parse = run("-c", _PARSE, folder / "lines.ndjson", options.workers).processor * count / parsed
            exponent = log(ours.processor / before[1]) / log(count / before[0]) if before else None
            before = (count, ours.processor)
            print(
                f"{count:9}  {ours.seconds:8.1f} s  {count / ours.seconds:10.0f}  {ours.processor:8.1f} s  "
                f"{ours.processor / count * 1e6:4.0f} µs  {ours.memory:5.0f} MB  "
                f"{'' if exponent is None else f'{exponent:.2f}':>8}  {scan.processor:8.1f} s, ours "
                f"{ours.processor / scan.processor:4.1f} ×  {parse:8.1f} s, ours {ours.processor / parse:4.1f} ×",
                flush=True,
            )
            rmtree(source)
            rmtree(out)
    print(
        f"\n{SIZE} entries each, {options.workers} processes; aims: 18,000 patients/s on two cores, at most 1 GB at "
        "a million, exponent at most 1"
    )


if __name__ == "__main__":
    main()
