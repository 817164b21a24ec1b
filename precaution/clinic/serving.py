"""Serves the pages at this machine alone, until interrupted."""

from __future__ import annotations

import logging
import socket
import webbrowser
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import uvicorn

from precaution.clinic.access import ClinicAccess
from precaution.clinic.app import Clinic, make_app
from precaution.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

HOST, PORT = "127.0.0.1", 8090


def serve_clinic(clinic: Clinic, port: int | None, tell: Callable[[str], object], *, browser: bool) -> None:
    """Serve until interrupted. `port`: 0 for any; where not given 8090, or any if that is taken.

    `tell` is told the address with the key once it is listened at; `browser`: whether one is opened there. Raises
    UsageError where the port is taken.
    """
    with closing(_listening(port)) as listening:
        access = ClinicAccess(listening.getsockname()[1])
        config = uvicorn.Config(
            make_app(clinic, access),
            http="h11",
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=3,
        )
        for name in ("uvicorn", "uvicorn.error", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what a library logs may hold an address
        tell(access.address)
        if browser:
            with suppress(webbrowser.Error, OSError):
                webbrowser.open(access.address)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run([listening])


def _listening(port: int | None) -> socket.socket:
    """Return a socket that listens at this machine alone."""
    for wanted in (port,) if port is not None else (PORT, 0):
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((HOST, wanted))
        except OSError:
            found.close()
            continue
        found.listen(64)
        return found
    raise UsageError(f"port {port} of this machine can't be listened at; --port 0 takes any that is free")
