"""What stands around every request: an id, a line in the log, safe headers, an answer to any mistake, and CORS."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING
from uuid import uuid4

from starlette.middleware.cors import CORSMiddleware

from precaution.service.http.errors import Refused, refusal
from precaution.service.logs import log, where

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from precaution.service.metrics import Metrics
    from precaution.service.settings import Settings

_SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_TLS = (b"strict-transport-security", b"max-age=31536000")
_PLAIN = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
"""For everything but pages, which have a policy of their own."""


class Guard:
    """The outermost ASGI middleware."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, tls: bool) -> None:
        self._app, self._metrics = app, metrics
        self._safe = (*_SAFE, _TLS) if tls else _SAFE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, request = perf_counter(), str(uuid4())
        scope.setdefault("state", {})["request"] = request
        status = 0

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._headers(list(message.get("headers", ())), request)
            await send(message)

        self._metrics.working.inc()
        try:
            await self._app(scope, receive, guarded)
        except Exception as error:  # nothing may get past: the server would log what it says
            log().error("mistake", request=request, **where(error))
            if not status:
                await refusal(Refused(500, "a mistake in the service; it has been logged"))(scope, receive, guarded)
        finally:
            self._metrics.working.dec()
            self._log_and_count(scope, status, perf_counter() - began, request)

    def _headers(self, headers: list[tuple[bytes, bytes]], request: str) -> list[tuple[bytes, bytes]]:
        there = {name.lower() for name, _ in headers}
        more = [*self._safe, _PLAIN, (b"x-request-id", request.encode())]
        return headers + [each for each in more if each[0] not in there]

    def _log_and_count(self, scope: Scope, status: int, seconds: float, request: str) -> None:
        """Log and count a call by its route's own words: never by the address that was asked for."""
        route = getattr(scope.get("route"), "path", "other")
        self._metrics.requests.labels(route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        more = scope.get("state", {}).get("logged", {})
        log().info("call", request=request, route=route, status=status, milliseconds=round(seconds * 1000, 1), **more)


def note_for_log(request: Request, **values: object) -> None:
    """Add values to the line that is logged of a request. They must be our own words, ids and counts."""
    request.state.logged = {**getattr(request.state, "logged", {}), **values}


def allow_origins(app: FastAPI, settings: Settings) -> None:
    """Let pages of the origins that the site names call from a browser, and no others.

    A browser's preflight is answered before anything asks for a token, for it brings none: add this middleware after
    those that do. Cookies and the like are never allowed: a token stands in the header of the call itself.
    """
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(settings.cors_origins),
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type"],
        allow_credentials=False,
        expose_headers=["Retry-After"],
        max_age=600,
    )


def refused_of(error: HTTPException) -> Refused:
    """Return the refusal for an error of the framework's own."""
    why = {404: "there is nothing at this address", 405: "this address does not take this method"}
    text = why.get(error.status_code, "the call can't be answered")
    return Refused(error.status_code, text, dict(error.headers or {}))
