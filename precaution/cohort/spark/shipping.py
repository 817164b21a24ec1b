"""What is sent to the machines of a cluster: this package, labels, a site's policies and code lists, as one archive.

So every machine decides by the same bytes, whatever is installed on it. What can't be sent are the compiled libraries
the package needs (`jiter`, `pyarrow`, `tomli`): the Python of the machines must have them, and it is said where not.
"""

from __future__ import annotations

import atexit
import hashlib
import io
import shutil
import tempfile
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import precaution
from precaution.cohort.spark.tasks import CODES, LABEL, POLICY, folder_of
from precaution.knowledge.folder import SIGNATURES, signature_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from precaution.cohort.label_source import LabelSource

PACKAGE = Path(precaution.__file__).parent
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def archive(*labels: LabelSource) -> Path:
    """Return the archive; its name is a digest of what is in it. It is there until this process ends."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as made:
        for name, path in sorted(_contents(labels)):
            made.writestr(zipfile.ZipInfo(name, _LONG_AGO), path.read_bytes(), zipfile.ZIP_DEFLATED)
    data = written.getvalue()
    path = _folder() / f"precaution-{hashlib.sha256(data).hexdigest()[:16]}.zip"
    path.write_bytes(data)
    return path


@lru_cache(maxsize=1)
def _folder() -> Path:
    folder = tempfile.mkdtemp(prefix="precaution-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _contents(labels: Sequence[LabelSource]) -> Iterator[tuple[str, Path]]:
    for path in PACKAGE.rglob("*"):
        name = path.relative_to(PACKAGE).as_posix()
        if path.is_file() and path.suffix != ".pyc" and (not _is_of_a_label(name) or path.suffix == ".py"):
            yield f"{PACKAGE.name}/{name}", path
    for at, label in enumerate(labels):
        yield from ((f"{folder_of(at)}/{name}", path) for name, path in _given(label))


def _is_of_a_label(name: str) -> bool:
    """Whether a file of the package is one label's, which goes along by itself; what labels share is every label's."""
    return name.startswith("labels/") and not name.startswith("labels/shared/")


def _given(label: LabelSource) -> Iterator[tuple[str, Path]]:
    folder = Path(label.folder)
    yield from (
        (f"{LABEL}/{path.relative_to(folder).as_posix()}", path)
        for path in folder.rglob("*")
        if path.is_file() and (path.suffix in (".toml", ".csv", ".txt") or path == folder / SIGNATURES)
    )
    if label.policy:
        yield POLICY, label.policy
        signatures = signature_file(folder, label.policy)
        if signatures and signatures != folder / SIGNATURES:
            yield signatures.name, signatures
    for number, more in enumerate(label.codes):
        yield from ((f"{CODES}/{number}/{path.name}", path) for path in more.glob("*.csv"))


def shipped(name: str, call: str, given: bytes) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return what a task runs: the function `call` of `precaution.cohort.spark.tasks` out of the archive `name`.

    It is a function inside another, and names nothing outside itself: so it is sent as its code, and can be read where
    the package is not yet on the path. `given` is what the function is called with, pickled.
    """

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import sys  # noqa: PLC0415
        from importlib import import_module  # noqa: PLC0415

        import pyarrow as pa  # noqa: PLC0415
        from pyspark import SparkFiles  # noqa: PLC0415

        root = SparkFiles.get(name)
        if root not in sys.path:
            sys.path.insert(0, root)
        try:
            tasks = import_module("precaution.cohort.spark.tasks")
        except ModuleNotFoundError as error:
            for _ in batches:
                pass
            columns = {
                "number": pa.array([-1], pa.int32()),
                "lines": pa.array([0], pa.int64()),
                "error": ["lacking"],
                "message": [error.name or ""],
            }
            yield pa.RecordBatch.from_pydict(columns)
            return
        yield from getattr(tasks, call)(batches, root, given)

    return run
