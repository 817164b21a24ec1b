"""The service as an ASGI application: its parts put together, and its routes."""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from precaution import __version__
from precaution.errors import UsageError
from precaution.service.auth.keys import key_fetcher
from precaution.service.auth.links import PageLinks, signing_key
from precaution.service.auth.tokens import Verifier
from precaution.service.current_label import CurrentLabel
from precaution.service.fhir.addresses import AddressRefused
from precaution.service.fhir.fetching import Fetcher
from precaution.service.fhir.queries import queries
from precaution.service.hooks import Service
from precaution.service.http.concurrency import ConcurrencyLimit
from precaution.service.http.errors import Refused, refusal
from precaution.service.http.middleware import Guard, allow_origins, refused_of
from precaution.service.logs import log
from precaution.service.metrics import Metrics
from precaution.service.routes import answers, cds_hooks, feedback, health, pages
from precaution.service.store import Store, Terms
from precaution.service.store_client import StoreClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from precaution.service.settings import Settings

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
    _answer_errors(app)
    for each in (cds_hooks, feedback, answers, pages, health):
        app.include_router(each.routes(service))
    allow_origins(app, settings)
    app.add_middleware(Guard, metrics=service.metrics, tls=settings.base.startswith("https://"))
    return app


def make_service(settings: Settings, store: Store | None = None) -> Service:
    """Return the parts of the service. Raises as `make_app`."""
    try:
        fetcher = Fetcher(settings)
    except AddressRefused as error:
        raise UsageError(f"settings: fhir-server: {error}") from None
    current, kept = CurrentLabel(settings), store or _store(settings).open()
    metrics = Metrics()
    metrics.show_rules(current.loaded.label)
    return Service(
        settings=settings,
        current=current,
        asked=queries(settings),
        store=kept,
        store_client=StoreClient(kept, metrics, settings.limits.deadline_seconds * _STORE_SHARE),
        verifier=Verifier(settings, kept, key_fetcher(settings)),
        fetcher=fetcher,
        links=PageLinks(settings.base, signing_key(settings), settings.link_hours),
        metrics=metrics,
        concurrency=ConcurrencyLimit(settings.limits),
    )


def _store(settings: Settings) -> Store:
    """Return the store that the settings name, not opened yet. Raises UsageError for another URL."""
    terms = Terms(
        override_days=settings.override_days,
        critical_days=settings.critical_days,
        promise_days=settings.promise_days,
        answer_days=settings.answer_days,
        retention_days=settings.retention_days,
        comments=settings.keep_comments,
    )
    return Store(settings.store_url, terms=terms)


def _lifespan(service: Service) -> Any:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(service.current.decide_canaries)
        _collect_seldom()
        log().info("started", version=__version__, label=service.current.loaded.label.digest[:16])
        yield
        await service.fetcher.close()
        log().info("ended")

    return lifespan


def _collect_seldom() -> None:
    """Look for garbage seldom, and never in what was read at start, which takes tens of milliseconds each time.

    A call makes some ten thousand objects and is done with them: counted references free all but a few.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(Refused)
    async def refused(_: Request, error: Exception) -> Response:
        return refusal(error) if isinstance(error, Refused) else Response(status_code=500)

    @app.exception_handler(HTTPException)
    async def framework(_: Request, error: Exception) -> Response:
        return refusal(refused_of(error)) if isinstance(error, HTTPException) else Response(status_code=500)
