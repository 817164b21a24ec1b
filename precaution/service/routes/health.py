"""The routes for those who watch the service: whether it is alive, whether calls may be sent to it, and its counts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.responses import JSONResponse, PlainTextResponse

from precaution import __version__
from precaution.errors import StoreError
from precaution.service.metrics import CONTENT_TYPE

if TYPE_CHECKING:
    from precaution.service.hooks import Service


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
    try:
        if not service.store.ready():
            why.append("the store's tables are of another version")
    except StoreError:
        why.append("the store can't be reached")
    return why
