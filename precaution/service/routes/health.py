"""The routes for those who watch the service: whether it is alive, whether calls may be sent to it, and its counts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.responses import JSONResponse, PlainTextResponse

from precaution import __version__
from precaution.assessment import assess
from precaution.errors import StoreBusy, StoreError, StoreFull
from precaution.service.cards import pages
from precaution.service.cards.wording import Words
from precaution.service.logs import log, where
from precaution.service.metrics import CONTENT_TYPE
from precaution.values.record import Record

if TYPE_CHECKING:
    from precaution.service.hooks import Service
    from precaution.service.store import Store


def routes(service: Service) -> APIRouter:
    """Return the routes."""
    router = APIRouter()

    @router.get("/health/live", summary="Whether the process answers")
    async def live() -> JSONResponse:
        return JSONResponse({"status": "live", "version": __version__})

    @router.get("/health/ready", summary="Whether calls may be sent here")
    async def ready() -> JSONResponse:
        why = await asyncio.to_thread(_not_ready, service)
        service.metrics.ready.set(0 if why else 1)
        status = {"status": "not ready" if why else "ready", "label": service.current.loaded.label.digest}
        return JSONResponse({**status, "why": why} if why else status, 503 if why else 200)

    @router.get("/metrics", summary="Counts and times for Prometheus")
    async def metrics() -> PlainTextResponse:
        return PlainTextResponse(service.metrics.text(), media_type=CONTENT_TYPE)

    return router


def _not_ready(service: Service) -> list[str]:
    """Return why calls should not be sent here, in our own words; nothing where they may."""
    service.current.reload_if_changed()
    why = [service.current.not_ready] if service.current.not_ready else []
    why += filter(None, (_why_store(service.store), _why_pages(service)))
    return why


def _why_store(store: Store) -> str:
    """Return why nothing can be kept now; empty where it can."""
    try:
        if not store.tables_current():
            return "the store's tables are of another version"
        store.try_writing()
    except StoreBusy:
        return ""  # others write to it
    except StoreFull:
        return "the store has no room"
    except StoreError:
        return "the store can't be reached, or written to"
    return ""


def _why_pages(service: Service) -> str:
    """Render each page once, the decision's for somebody of whom nothing is known. Return why one can't be."""
    loaded, record = service.current.loaded, Record()
    try:
        decision = assess(record, today=service.settings.day(), label=loaded.label)
        words = Words(loaded.label, loaded.vocabulary, record, frozenset())
        pages.rendered(pages.content(decision, loaded.label, loaded.vocabulary, words, ()), loaded.label, "")
        pages.about(loaded.label, "")
        pages.message("", "", "")
    except Exception as error:  # whatever is wrong, no card may link to it
        log().error("page", **where(error))
        return "a page can't be rendered"
    return ""
