"""Spark as it is started from the command line: on a cluster that loses a worker, ended in mid-run, without room."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from precaution.cohort.spark import session
from support.project import PROJECT
from support.small_people import person, put
from support.spark_cluster import (
    PATIENCE,
    SMALL,
    Cluster,
    begun,
    cluster,
    command,
    confs,
    here,
    hostile,
    need_spark,
    people,
    ran,
    same,
    until,
)

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    need_spark()
    with cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


# A machine that is lost


def test_one_core_comes_to_the_same_rows(tmp_path: Path) -> None:
    need_spark()
    source = hostile(tmp_path / "in")
    here(source, tmp_path / "here")
    ran(command(source, tmp_path / "one"), code=6)
    assert same(tmp_path / "one", tmp_path / "here") > 1000


def test_a_cluster_whose_machines_do_not_have_the_package(two_workers: Cluster, tmp_path: Path) -> None:
    """Their Python has the compiled libraries, and no `precaution`; the rows are the same."""
    python, _ = bare_python(tmp_path / "python")
    tried = subprocess.run([python, "-c", "import precaution"], cwd=tmp_path, capture_output=True, check=False)
    assert b"No module named 'precaution'" in tried.stderr
    source = hostile(tmp_path / "in")
    here(source, tmp_path / "here")
    more = confs(f"spark.pyspark.python={python}", "spark.sql.shuffle.partitions=5", *SMALL)
    ran(command(source, tmp_path / "cluster", *more, master=two_workers.url), code=6)
    assert same(tmp_path / "cluster", tmp_path / "here") > 1000


def test_a_python_that_lacks_a_library_is_told(tmp_path: Path) -> None:
    need_spark()
    python, site = bare_python(tmp_path / "python")
    (site / "jiter").unlink()
    arguments = command(PROJECT / "examples", tmp_path / "out", *confs(f"spark.pyspark.python={python}"))
    done = ran(arguments, code=2)
    assert "no 'jiter'" in done.stderr
    assert "Traceback" not in done.stderr


def bare_python(folder: Path) -> tuple[Path, Path]:
    """Return a Python that has nothing but the compiled libraries that a task needs, and where these are."""
    site, python = folder / "site", folder / "python"
    site.mkdir(parents=True)
    for name in ("pyarrow", "jiter", "tomli", "*__mypyc"):
        for found in Path(sysconfig.get_path("platlib")).glob(f"{name}*"):
            (site / found.name).symlink_to(found)
    base = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    python.write_text(f'#!/bin/sh\nPYTHONPATH="$PYTHONPATH:{site}" exec {base} -s "$@"\n')
    python.chmod(0o755)
    return python, site


def test_a_worker_that_is_killed_in_mid_run_changes_nothing(two_workers: Cluster, tmp_path: Path) -> None:
    """The last test of the cluster: one of its workers is gone then."""
    partitions = 24
    source = people(tmp_path / "in", 600)
    here(source, tmp_path / "here")
    more = confs(f"spark.sql.shuffle.partitions={partitions}", *SMALL)
    work = tmp_path / "out" / ".work"
    with begun(command(source, tmp_path / "out", *more, master=two_workers.url)) as process:
        until(lambda: process.poll() is not None or len(list(work.glob("part-*.json"))) > 1, "a partition is decided")
        before = len(list(work.glob("part-*.json")))
        two_workers.kill_worker()
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, ""), (out, err)
    assert 1 < before < partitions - 4, "it was killed in the middle"
    assert "disassociated, removing it" in (two_workers.logs / "master.log").read_text(errors="replace")
    assert same(tmp_path / "out", tmp_path / "here") > 10_000


# Ended, and begun again


def test_ctrl_c_ends_a_run_and_the_next_one_goes_on(tmp_path: Path) -> None:
    need_spark()
    source = people(tmp_path / "in", 600)
    more = confs("spark.sql.shuffle.partitions=24")
    work = tmp_path / "out" / ".work"
    with begun(command(source, tmp_path / "out", *more)) as process:
        until(lambda: process.poll() is not None or list(work.glob("part-*.json")), "a partition is decided")
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
        said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, said
    assert said[1].splitlines()[0] == "precaution: interrupted"
    assert all(line.startswith("hint: ") for line in said[1].splitlines()[1:]), "Java and Spark say nothing there"
    until(lambda: not group(process.pid), "no process is left")
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    done = {path.name: path.stat().st_mtime_ns for path in work.glob("part-*.json")}
    assert 0 < len(done) < 24
    kept = {
        path: path.stat().st_mtime_ns
        for path in (tmp_path / "out" / "decisions").glob("*.parquet")
        if f"{path.stem}.json" in done
    }
    ran(command(source, tmp_path / "out", *more))
    assert {path: path.stat().st_mtime_ns for path in kept} == kept, "what was done is not done again"
    here(source, tmp_path / "here")
    same(tmp_path / "out", tmp_path / "here")


def group(leader: int) -> bool:
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_full_disk_is_said_and_nothing_counts_as_done(tmp_path: Path) -> None:
    """No file may be larger than two megabytes, and the lines of one task are."""
    need_spark()
    dice = os.urandom(4_000_000).hex()
    source = put(tmp_path / "in", *person("p0"), {**person("p0")[1], "id": "large", "note": [{"text": dice}]})

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))

    done = ran(command(source, tmp_path / "out"), code=1, preexec_fn=little_room)
    assert "can't be written: File too large; make room and run again" in done.stderr
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    assert not list((tmp_path / "out").rglob("*.parquet"))


def test_a_java_that_does_not_start_spark_is_said(tmp_path: Path) -> None:
    need_spark()
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho too old >&2\nexit 1\n")
    java.chmod(0o755)
    source = put(tmp_path / "in", *person("p0"))
    done = subprocess.run(
        command(source, tmp_path / "out"),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"JAVA_HOME": str(tmp_path)},
    )
    assert done.returncode == 2
    assert "Spark did not start; it needs Java 17 or newer" in done.stderr
    assert "too old" in (tmp_path / "out" / ".work" / session.LOG).read_text()
