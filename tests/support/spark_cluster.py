"""Spark for tests: a session on this machine, a cluster of its own on loopback, and tables compared cell by cell."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from precaution.cohort import cohort, results
from precaution.cohort.tables import SCHEMAS
from support.ndjson_sources import rows, written
from support.project import PROJECT, heed_interrupts, needs
from support.small_people import ordered_by_reference, person, put

PATIENCE = 300.0
QUICK = {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
"""Java's quick compiler alone: what a short run does is over before the other one pays."""
LOOPBACK = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "127.0.0.1"} | QUICK
SMALL = ("spark.executor.memory=512m", "spark.executor.cores=1")


def need_spark() -> None:
    """Skip where PySpark or Java is not here; fail in continuous integration."""
    needs(importlib.util.find_spec("pyspark"), "pyspark")
    needs(shutil.which("java"), "java")


@contextmanager
def session_of_tests(folder: Path) -> Iterator[Any]:
    """Start a session with two cores of this machine; tables that are made without a path are written to `folder`."""
    need_spark()
    from precaution.cohort import Spark
    from precaution.cohort.spark import session

    conf = {"spark.sql.warehouse.dir": str(folder / "tables"), "spark.sql.catalogImplementation": "in-memory"}
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("JDK_JAVA_OPTIONS", QUICK["JDK_JAVA_OPTIONS"])
        with session.opened(Spark("local[2]", conf), folder) as opened:
            yield opened


def until(there: Callable[[], object], what: str) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not there():
        if time.monotonic() > end:
            pytest.fail(f"{what}: not in {PATIENCE:.0f} seconds")
        time.sleep(0.05)


# Tables


def sorted_rows(out: Path, name: str) -> list[str]:
    """Return the rows of a table, each as JSON, in an order that does not depend on files."""
    if not (out / name).is_dir():
        return []
    return sorted(json.dumps(row, sort_keys=True) for row in rows(out, name))


def same(one: Path, other: Path) -> int:
    """Compare two folders of results row by row and say how many cells were the same; fails where one differs."""
    cells = 0
    for name, schema in SCHEMAS.items():
        here, there = sorted_rows(one, name), sorted_rows(other, name)
        assert here == there, f"{name}: {len(set(here) ^ set(there))} rows differ"
        cells += len(here) * len(schema.names)
    assert (one / results.QUALITY).read_bytes() == (other / results.QUALITY).read_bytes()
    print(f"{cells} cells compared, 0 differ")  # noqa: T201 - how much was compared is part of the answer
    return cells


# Sources


def here(source: Path, out: Path, **more: Any) -> results.Summary:
    """Run on one machine."""
    return cohort(source, out, **{"today": "2025-03-01", "workers": 1, **more})


def people(folder: Path, count: int) -> Path:
    """Write so many small records as NDJSON, and return their folder."""
    return written(folder, [each for number in range(count) for each in person(f"p{number}")], files=3)


def hostile(folder: Path) -> Path:
    """Return a source in which everything is wrong that can be."""
    number = {"identifier": [{"system": "urn:mrn", "value": "7"}]}
    claimed = {**person("p9")[1], "id": "k", "subject": {"identifier": number["identifier"][0]}}
    nobody = {**claimed, "id": "n", "subject": {"identifier": {"value": "8"}}}
    order, drug = ordered_by_reference("p0")
    large = {**person("p1")[1], "id": "large", "note": [{"text": "x" * 3_000_000}]}
    put(folder, *(each for number in range(9) for each in person(f"p{number}")), order, person("p9", **number)[0])
    put(
        folder / "deeper",
        *person("p1"),
        large,
        claimed,
        nobody,
        drug,
        *person("gone", deceasedBoolean=True),
        b'{"resourceType":"Condition","subject":{"reference":"Patient/p2"},"code":',
        b"Mustermann",
        b"",
        {**person("p3")[1], "id": "x", "assertedDate": "2020"},
        *person("x")[1:],
        {"resourceType": "Encounter"},
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": each} for name in ("b0", "b1") for each in person(name)],
        },
        name="b.ndjson",
    )
    whole = gzip.compress(b'{"resourceType":"Encounter"}\n' * 5000)
    (folder / "c.ndjson.gz").write_bytes(whole[:-20])
    (folder / "d.json").write_text(
        json.dumps(
            {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in person("doc")]}
        )
    )
    return folder


# The command line, in a process of its own


def command(source: Path, out: Path, *more: str, master: str = "local[1]") -> list[str]:
    """Return the command line of a run on Spark."""
    return [
        sys.executable,
        "-m",
        "precaution",
        "cohort",
        str(source),
        "--out",
        str(out),
        "--today",
        "2025-03-01",
        "--who",
        "everybody",
        "--engine",
        "spark",
        "--master",
        master,
        *more,
    ]


def confs(*settings: str) -> list[str]:
    """Return options that give settings."""
    return [option for each in settings for option in ("--spark-conf", each)]


def ran(arguments: list[str], code: int = 0, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a command line to its end, which has to come to `code`."""
    done = subprocess.run(
        arguments,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        env=os.environ | LOOPBACK,
        check=False,
        **more,
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


@contextmanager
def begun(arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Begin a command line, at the head of a group of processes that ends with the block."""
    process = subprocess.Popen(
        arguments,
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | LOOPBACK,
        start_new_session=True,
        preexec_fn=heed_interrupts,  # noqa: PLW1509
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


# A cluster


class Cluster(NamedTuple):
    """A master and its workers, each a process at the head of its group."""

    url: str
    workers: list[subprocess.Popen[bytes]]
    logs: Path

    def kill_worker(self) -> None:
        """End the first worker, with its executor, as a power failure would."""
        worker = self.workers.pop(0)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """Start a standalone cluster on loopback, and end every process of it."""
    from pyspark.find_spark_home import _find_spark_home

    spark = Path(_find_spark_home(), "bin", "spark-class")
    port = _free_port()
    env = os.environ | LOOPBACK | {"SPARK_DAEMON_MEMORY": "256m", "SPARK_LOCAL_DIRS": str(folder / "local")}
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, kind: str, *more: str) -> Path:
        log = folder / f"{name}.log"
        with log.open("wb") as file:
            started.append(
                subprocess.Popen(
                    [str(spark), f"org.apache.spark.deploy.{kind}", "--host", "127.0.0.1", "--webui-port", "0", *more],
                    cwd=folder,
                    env=env,
                    stdout=file,
                    stderr=file,
                    start_new_session=True,
                )
            )
        return log

    def said(log: Path, words: str, times: int = 1) -> Callable[[], bool]:
        return lambda: log.read_text(errors="replace").count(words) >= times

    try:
        master = start("master", "master.Master", "--port", str(port))
        until(said(master, "New state: ALIVE"), "the master is up")
        for number in range(workers):
            start(
                f"worker{number}",
                "worker.Worker",
                f"spark://127.0.0.1:{port}",
                "--cores",
                "1",
                "--memory",
                "1g",
                "--work-dir",
                str(folder / f"work{number}"),
            )
        until(said(master, "Registering worker", workers), "the workers are up")
        yield Cluster(f"spark://127.0.0.1:{port}", started[1:], folder)
    finally:
        for sent in (signal.SIGTERM, signal.SIGKILL):  # at the first each removes its own folders
            for each in reversed(started):
                with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                    os.killpg(each.pid, sent)
                    each.wait(20)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
