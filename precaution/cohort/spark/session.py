"""A session of Spark: started quietly, and ended with the run; without PySpark or Java it is said what to do."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from precaution.errors import OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

    from precaution.cohort.spark import Spark

LOG = "spark.log"
"""What Java says, in the run's folder of work."""
_LOOPBACK = ("127.", "localhost", "[::1]")
_JAVA = (
    "Java 17 or newer (Debian and Ubuntu: `apt install openjdk-17-jre-headless`), on the PATH or where JAVA_HOME says"
)
_SETTINGS = {
    "spark.app.name": "precaution cohort",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "WARN",
}
_OF_THE_SESSION = {
    "spark.sql.adaptive.enabled": "false",  # it may join partitions, and reads what it measures twice
    "spark.sql.execution.arrow.maxRecordsPerBatch": "2000",
    "spark.sql.execution.arrow.maxBytesPerBatch": str(16 * 1024 * 1024),
}


@contextmanager
def opened(spark: Spark, work: Path) -> Iterator[SparkSession]:
    """Return a session, which ends with the block unless it was there before.

    Raises UsageError where PySpark or Java is missing, or no cluster answers.
    """
    check_installed()
    if spark.session is not None:
        yield _set_up(spark.session.newSession())
        return
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT)
    session = _started(spark, work)
    try:
        yield _set_up(session)
    finally:
        with suppress(Exception):  # what ends a session that broke has nothing to add
            session.stop()
        if main:
            signal.signal(signal.SIGINT, before)


def check_installed() -> None:
    """Raise UsageError where PySpark, what it needs, or Java is missing."""
    try:
        import pandas  # noqa: F401, PLC0415
        import pyspark  # noqa: F401, PLC0415
    except ImportError:
        raise UsageError("--engine spark needs PySpark: `pip install '.[spark]'` in its folder") from None
    home = os.environ.get("JAVA_HOME")
    if not (shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")):
        raise UsageError(f"--engine spark needs {_JAVA}")


def _started(spark: Spark, work: Path) -> SparkSession:
    from pyspark import SparkConf  # noqa: PLC0415
    from pyspark.errors import PySparkException  # noqa: PLC0415
    from pyspark.sql import SparkSession  # noqa: PLC0415

    _check_master(spark.master)
    if SparkSession.getActiveSession() is not None:
        raise UsageError("this process has a Spark session already; give it to the run as Spark(session=...)")
    conf = SparkConf().setMaster(spark.master).setAll(list(settings(spark, work).items()))
    try:
        with _python(spark), _said_to(work / LOG):
            return SparkSession.builder.config(conf=conf).getOrCreate()
    except PySparkException:
        raise UsageError(f"Spark did not start; it needs {_JAVA}. What it said is in '{work / LOG}'") from None
    except Exception:  # of Java
        raise OutputError(
            f"Spark did not start with --master {spark.master}; what it said is in '{work / LOG}'"
        ) from None


def settings(spark: Spark, work: Path) -> dict[str, str]:
    """Return the settings that a session is started with: ours, unless others are given."""
    ours = dict(_SETTINGS)
    if spark.master.startswith("local"):
        ours |= {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.local.dir": str((work / "spark").resolve()),
        }
    return ours | dict(spark.conf)


def _set_up(session: SparkSession) -> SparkSession:
    for name, value in _OF_THE_SESSION.items():
        session.conf.set(name, value)
    return session


def _check_master(master: str) -> None:
    """Raise UsageError where nobody listens: Spark itself would try for a minute."""
    if master.startswith("sc://"):
        raise UsageError("--master takes no Spark Connect server (sc://); give local[N] or spark://host:port")
    if not master.startswith("spark://"):
        return
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        with suppress(OSError, ValueError, OverflowError), socket.create_connection((host.strip("[]"), int(port)), 5):
            return
    raise UsageError(f"no Spark master answers at {master}; start one, or give --master local[2]")


@contextmanager
def _python(spark: Spark) -> Iterator[None]:
    """Let tasks on this machine run by the Python that runs this, unless another one is named."""
    name, before = "PYSPARK_PYTHON", os.environ.get("PYSPARK_PYTHON")
    here = spark.master.removeprefix("spark://").startswith(("local", *_LOOPBACK))
    chosen = spark.conf.get("spark.pyspark.python") or before or (sys.executable if here else None)
    if chosen:
        os.environ[name] = chosen
    try:
        yield
    finally:
        os.environ.pop(name, None)
        if before:
            os.environ[name] = before


@contextmanager
def _said_to(path: Path) -> Iterator[None]:
    """Let what is started inside write its messages to a file: Java's are not for people."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    with suppress(OSError), path.open("ab") as file:
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def uri(path: Path) -> str:
    """Return a path as Spark reads it: of a file system all machines see, with nothing in it taken as a pattern."""
    return "file://" + re.sub(r"([\\\[\]{}*?])", r"\\\1", str(path.resolve()))
