"""Which package a benchmark measures: the sources of the checkout, or those that `make compiled` compiled to C.

A benchmark measures what the Python that runs it has: `.venv/bin/python` the sources, `.venv/compiled/bin/python` the
compiled package. Each prints it first, so that no figure stands without it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import precaution
from precaution.engine import findings

_WHERE = "from precaution.engine import findings; print(findings.__file__)"


def python(*arguments: object) -> list[str]:
    """Return a command that runs this Python, with the package that this process has loaded.

    Without `-P` the folder in which a module is run (`-m`) is looked in first, and where that is the checkout the
    sources would be measured in place of the compiled package.
    """
    return [sys.executable, "-P", *map(str, arguments)]


def announce() -> None:
    """Print which package is measured: its version, compiled or not, its folder, the version of Python.

    Ends the benchmark where the processes that it starts would load another one than this process.
    """
    here = findings.__file__ or ""
    there = subprocess.run(python("-c", _WHERE), capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    if there != here:
        sys.exit(f"this process has {here}, those that it starts have {there}: nothing is measured")
    how = "as sources" if here.endswith(".py") else "compiled"
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"precaution {precaution.__version__}, {how}, of {Path(precaution.__file__).parent}; Python {version}\n")
