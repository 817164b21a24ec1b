"""The service's routes, and how its parts are put together."""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager
from http import HTTPStatus
from time import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from precaution import __version__
from precaution.errors import StoreError, UsageError
from precaution.service import metrics as prometheus
from precaution.service.auth.jwks import fetcher_of
from precaution.service.auth.links import COOKIE, UUID, Links, key_of
from precaution.service.auth.tokens import Verifier
from precaution.service.cards import pages
from precaution.service.feedback import Desk, router
from precaution.service.fhir.addresses import AddressRefused
from precaution.service.fhir.fetching import Fetcher
from precaution.service.fhir.queries import HOOKS, queries, service_id, services
from precaution.service.hooks import Service
from precaution.service.http.cors import allow_origins
from precaution.service.http.errors import Refused, refusal
from precaution.service.http.middleware import Guard, refused_of
from precaution.service.http.openapi import HOOK_CALL
from precaution.service.http.places import Places
from precaution.service.keeping import store_of
from precaution.service.knowledge import Knowledge
from precaution.service.logs import log
from precaution.service.metrics import Metrics
from precaution.service.store_client import StoreClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from precaution.service.settings import Settings
    from precaution.service.store import Store

_STORE_SHARE = 0.25
"""How much of the time for a call the store may take to say what it keeps, and again to keep what is given."""


def make_app(settings: Settings, store: Store | None = None) -> FastAPI:
    """Return the service as an ASGI application. Raises UsageError, KnowledgeError or StoreError where it can't be."""
    service = make_service(settings, store)
    app = FastAPI(
        title="precaution",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(service),
        description="A drug label's warnings and precautions by CDS Hooks.",
    )
    app.state.service = service
    _refusals(app)
    _hooks(app, service)
    app.include_router(router(_desk(service)))
    _pages(app, service)
    _health(app, service)
    allow_origins(app, settings)
    tls = settings.base.startswith("https://")
    app.add_middleware(Guard, metrics=service.metrics, tls=tls)
    return app


def make_service(settings: Settings, store: Store | None = None) -> Service:
    """Return the parts of the service. Raises as `make_app`."""
    try:
        fetcher = Fetcher(settings)
    except AddressRefused as error:
        raise UsageError(f"settings: fhir-server: {error}") from None
    knowledge, kept = Knowledge(settings), store or store_of(settings).open()
    metrics = Metrics()
    metrics.know(knowledge.known.label)
    verifier = Verifier(settings, kept, fetcher_of(settings))
    links = Links(settings.base, key_of(settings), settings.link_hours)
    asking = StoreClient(kept, metrics, settings.limits.deadline_seconds * _STORE_SHARE)
    return Service(
        settings, knowledge, queries(settings), kept, asking, verifier, fetcher, links, metrics, Places(settings.limits)
    )


def _desk(service: Service) -> Desk:
    label = service.knowledge.known.label
    ids = tuple(service_id(label, hook) for hook in HOOKS)
    return Desk(service.settings, service.knowledge, service.store, service.verifier, ids)


def _lifespan(service: Service) -> Any:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(service.knowledge.check)
        _seldom()
        log().info("started", version=__version__, label=service.knowledge.known.label.digest[:16])
        yield
        await service.fetcher.close()
        log().info("ended")

    return lifespan


def _seldom() -> None:
    """Look for garbage seldom, and never in what was read at start, which takes tens of milliseconds each time.

    A call makes some ten thousand objects and is done with them: counted references free all but a few.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _refusals(app: FastAPI) -> None:
    @app.exception_handler(Refused)
    async def refused(_: Request, error: Exception) -> Response:
        return refusal(error) if isinstance(error, Refused) else Response(status_code=500)

    @app.exception_handler(HTTPException)
    async def framework(_: Request, error: Exception) -> Response:
        return refusal(refused_of(error)) if isinstance(error, HTTPException) else Response(status_code=500)


def _hooks(app: FastAPI, service: Service) -> None:
    label, settings = service.knowledge.known.label, service.settings
    by_id = {service_id(label, hook): hook for hook in HOOKS}
    listed = {"services": services(label, service.asked, settings, __version__)}

    @app.get("/cds-services", summary="Discovery")
    async def discovery() -> JSONResponse:
        return JSONResponse(listed)

    @app.post("/cds-services/{service_name}", summary="A call of a hook", openapi_extra=HOOK_CALL)
    async def call(service_name: str, request: Request) -> JSONResponse:
        hook = by_id.get(service_name)
        if hook is None:
            raise Refused(404, "there is no such service; GET /cds-services lists those there are")
        return JSONResponse(await service.cards(request, service_name, hook))


def _pages(app: FastAPI, service: Service) -> None:
    root = urlsplit(service.settings.base).path

    def page(html: str, status: int = 200) -> HTMLResponse:
        return HTMLResponse(html, status, {"Content-Security-Policy": pages.POLICY})

    def closed() -> HTMLResponse:
        return page(pages.message("This page is closed", _CLOSED, root), HTTPStatus.FORBIDDEN)

    @app.get("/decisions/{uuid}/{token}", summary="The link of a card")
    async def opened(uuid: str, token: str) -> Response:
        if not service.links.opens(uuid, token, time()):
            return closed()
        response = RedirectResponse(f"{root}/decisions/{uuid}", HTTPStatus.SEE_OTHER)
        response.set_cookie(
            COOKIE,
            token,
            path=f"{root}/decisions/{uuid}",
            httponly=True,
            samesite="lax",
            secure=service.settings.base.startswith("https://"),
            max_age=service.settings.link_hours * 3600,
        )
        return response

    @app.get("/decisions/{uuid}", summary="The page of a decision")
    async def decision(uuid: str, request: Request) -> Response:
        if UUID.fullmatch(uuid) is None or not service.links.opens(uuid, request.cookies.get(COOKIE, ""), time()):
            return closed()
        kept = await asyncio.to_thread(service.store.decision, uuid)
        if kept is None:
            return page(pages.message("There is no such decision", _GONE, root), HTTPStatus.NOT_FOUND)
        return page(pages.rendered(kept.content, service.knowledge.known.label, root))

    @app.get("/label", summary="The page about the label")
    async def label() -> Response:
        return page(pages.about(service.knowledge.known.label, root))

    @app.get("/static/page.css", include_in_schema=False)
    async def style() -> Response:
        return Response(pages.STYLE, media_type="text/css", headers={"Cache-Control": "max-age=3600"})


_CLOSED = "Open it by the link of a card. A link is good for some hours; call the service again for a new one."
_GONE = "It was not kept, or is kept no longer. Call the service again for a new one."


def _health(app: FastAPI, service: Service) -> None:
    @app.get("/health/live", summary="Whether the process answers")
    async def live() -> JSONResponse:
        return JSONResponse({"status": "live", "version": __version__})

    @app.get("/health/ready", summary="Whether calls may be sent here")
    async def ready() -> JSONResponse:
        why = await asyncio.to_thread(_not_ready, service)
        service.metrics.ready.set(0 if why else 1)
        told = {"status": "not ready" if why else "ready", "label": service.knowledge.known.label.digest}
        return JSONResponse({**told, "why": why} if why else told, 503 if why else 200)

    @app.get("/metrics", summary="Counts and times for Prometheus")
    async def metrics() -> PlainTextResponse:
        return PlainTextResponse(service.metrics.text(), media_type=prometheus.TYPE)


def _not_ready(service: Service) -> list[str]:
    """Return why calls should not be sent here, in our own words."""
    service.knowledge.look_again()
    why = [service.knowledge.why] if service.knowledge.why else []
    try:
        if not service.store.ready():
            why.append("the store's tables are of another version")
    except StoreError:
        why.append("the store can't be reached")
    return why
