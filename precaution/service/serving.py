"""Runs the service with uvicorn: quiet, bounded, and patient with nobody."""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.supervisors import Multiprocess

from precaution.errors import UsageError
from precaution.service.app import make_app
from precaution.service.auth.links import KEY
from precaution.service.logs import set_up
from precaution.service.settings_loading import CONFIG, PREFIX, load

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from fastapi import FastAPI

    from precaution.service.settings import Settings

_HEADERS = 64 * 1024
"""Bytes of a request's head, at most."""


_PATIENCE = 120
"""Seconds for which a worker need not answer its supervisor: on a busy machine the start alone takes many."""


class TimedH11Protocol(H11Protocol):
    """HTTP/1.1 with a client that must send the head of each request in time."""

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
        self._late = self.loop.call_later(self.config.timeout_keep_alive, self._close)

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
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=TimedH11Protocol,
        ws="none",
        lifespan="on",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=settings.trusted_proxy,
        forwarded_allow_ips="127.0.0.1,::1",
        timeout_keep_alive=settings.limits.idle_seconds,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=_HEADERS,
        ssl_certfile=settings.tls_certificate or None,
        ssl_keyfile=settings.tls_key or None,
        **more,
    )


def serve(
    config: Path | None, workers: int = 1, announce: Callable[[str], object] = lambda _: None, **options: Any
) -> None:
    """Serve until interrupted, in so many processes. Options that are None are left to the file and the environment.

    `announce` is told the base of the service before it starts.

    Raises UsageError, KnowledgeError or StoreError where the service can't start.
    """
    settings = load(config or _named(), **options)
    set_up(settings.log_level)
    os.environ.setdefault(KEY, token_urlsafe(48))
    app = make_app(settings)  # what is wrong with it is said before anybody is served
    announce(settings.base)
    try:
        if workers > 1:
            app.state.service.store.close()
            _several(settings, config, workers, options)
        else:
            uvicorn.Server(config_of(app, settings)).run()
    except SystemExit:
        where = f"{settings.host} port {settings.port}"
        raise UsageError(f"{where} can't be listened at; is another service there?") from None


def _several(settings: Settings, config: Path | None, workers: int, options: dict[str, Any]) -> None:
    """Serve in several processes, each of which reads the settings anew."""
    if config:
        os.environ[CONFIG] = str(config.resolve())
    os.environ.update({PREFIX + name.upper(): str(value) for name, value in options.items() if value is not None})
    made = config_of(
        f"{__name__}:application", settings, factory=True, workers=workers, timeout_worker_healthcheck=_PATIENCE
    )
    Multiprocess(made, sockets=[made.bind_socket()]).run()


def application() -> FastAPI:
    """Return the application by the environment alone, for workers, and for whoever runs it with another server."""
    settings = load(_named())
    set_up(settings.log_level)
    return make_app(settings)


def _named() -> Path | None:
    named = os.environ.get(CONFIG, "")
    return Path(named) if named else None
