"""Runs the service with uvicorn: quiet, bounded, and patient with nobody."""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from precaution.errors import UsageError
from precaution.service.app import make_app
from precaution.service.links import KEY
from precaution.service.logs import set_up
from precaution.service.settings import load

if TYPE_CHECKING:
    import asyncio

    from fastapi import FastAPI

    from precaution.service.settings import Settings

_HEADERS = 64 * 1024
"""Bytes of a request's head, at most."""
_CONFIG = "PRECAUTION_SERVE_CONFIG"
"""Where a worker process reads what the first one was given."""


class Hasty(H11Protocol):
    """HTTP/1.1 with a client that must send the head of each request in time."""

    seconds = 10.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Stop waiting where the head of a request is whole; wait on where only a part of one is there."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            if self._late is None:
                self._wait()
        else:
            self._stop()

    def on_response_complete(self) -> None:
        """Go on with the next request, of which a part may be there already."""
        super().on_response_complete()
        if self.conn.trailing_data[0] and self.conn.their_state is h11.IDLE and self._late is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._late = self.loop.call_later(self.seconds, self._close)

    def _stop(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _close(self) -> None:
        self._late = None
        if not self.transport.is_closing():
            self.transport.close()


def config_of(app: Any, settings: Settings, **more: Any) -> uvicorn.Config:
    """Return how uvicorn is to run the service."""
    protocol = type("Hasty", (Hasty,), {"seconds": float(settings.limits.idle_seconds)})
    return uvicorn.Config(
        app, host=settings.host, port=settings.port, http=protocol, ws="none", lifespan="on", loop="asyncio",
        log_config=None, access_log=False, server_header=False, date_header=True,
        proxy_headers=settings.trusted_proxy, forwarded_allow_ips="127.0.0.1,::1",
        timeout_keep_alive=settings.limits.idle_seconds, timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=_HEADERS,
        ssl_certfile=settings.tls_certificate or None, ssl_keyfile=settings.tls_key or None, **more,
    )  # fmt: skip


def serve(settings: Settings) -> None:
    """Serve until interrupted. Raises UsageError, KnowledgeError or StoreError where the service can't start."""
    set_up(settings.log_level)
    os.environ.setdefault(KEY, token_urlsafe(48))
    server = uvicorn.Server(config_of(make_app(settings), settings))
    try:
        server.run()
    except OSError as error:
        raise UsageError(f"{settings.host} port {settings.port} can't be listened at: {error.strerror}") from None
    if not server.started:
        raise UsageError(f"{settings.host} port {settings.port} can't be listened at")


def application() -> FastAPI:
    """Return the application by the environment alone, for whoever runs it with another server or several workers."""
    config = os.environ.get(_CONFIG, "")
    settings = load(Path(config) if config else None)
    set_up(settings.log_level)
    return make_app(settings)
