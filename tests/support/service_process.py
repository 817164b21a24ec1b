"""The service as a process of its own, on a free port of loopback."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TODAY = "2025-03-01"


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def served(folder: Path, more: str = "", *options: str, port: int = 0) -> Iterator[str]:
    """Run `precaution serve` with a store in `folder` and `more` settings; yields its base once it is ready."""
    port = port or free_port()
    config = folder / f"service-{port}.toml"
    store = "" if "store-url" in more else f'store-url = "sqlite:///{folder}/store.sqlite"\n'
    config.write_text(f'port = {port}\ntoday = "{TODAY}"\n{store}{more}', encoding="utf-8")
    command = [sys.executable, "-m", "precaution", "serve", "--config", str(config), *options]
    log = (folder / f"service-{port}.log").open("wb")
    with log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        (folder / f"service-{port}.pid").write_text(str(process.pid))
        try:
            base = f"http://127.0.0.1:{port}"
            _wait(base, process, folder / f"service-{port}.log")
            yield base
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(base: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise AssertionError(log.read_text(encoding="utf-8"))
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{base}/health/ready", timeout=2).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError("the service did not become ready")
