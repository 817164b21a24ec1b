"""The routes of pages that cards link to: a decision's page, for who has its link, and the page about the label."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from time import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from precaution.service.auth.links import COOKIE, UUID
from precaution.service.cards import pages

if TYPE_CHECKING:
    from precaution.service.hooks import Service

_CLOSED = "Open it by the link of a card. A link is good for some hours; call the service again for a new one."
_GONE = "It was not kept, or is kept no longer. Call the service again for a new one."


def routes(service: Service) -> APIRouter:
    """Return the routes."""
    router = APIRouter()
    root = urlsplit(service.settings.base).path
    secure = service.settings.base.startswith("https://")

    @router.get("/decisions/{uuid}/{ticket}", summary="The link of a card")
    async def opened(uuid: str, ticket: str) -> Response:
        if not service.links.opens(uuid, ticket, time()):
            return _closed(root)
        path = f"{root}/decisions/{uuid}"
        response = RedirectResponse(path, HTTPStatus.SEE_OTHER)
        seconds = service.settings.link_hours * 3600
        response.set_cookie(COOKIE, ticket, path=path, httponly=True, samesite="lax", secure=secure, max_age=seconds)
        return response

    @router.get("/decisions/{uuid}", summary="The page of a decision")
    async def decision(uuid: str, request: Request) -> Response:
        if UUID.fullmatch(uuid) is None or not service.links.opens(uuid, request.cookies.get(COOKIE, ""), time()):
            return _closed(root)
        kept = await asyncio.to_thread(service.store.decision, uuid)
        if kept is None:
            return _page(pages.message("There is no such decision", _GONE, root), HTTPStatus.NOT_FOUND)
        return _page(pages.rendered(kept.content, service.current.loaded.label, root))

    @router.get("/label", summary="The page about the label")
    async def label() -> Response:
        return _page(pages.about(service.current.loaded.label, root))

    @router.get("/static/page.css", include_in_schema=False)
    async def style() -> Response:
        return Response(pages.STYLE, media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    return router


def _page(html: str, status: int = HTTPStatus.OK) -> HTMLResponse:
    return HTMLResponse(html, status, {"Content-Security-Policy": pages.POLICY})


def _closed(root: str) -> HTMLResponse:
    return _page(pages.message("This page is closed", _CLOSED, root), HTTPStatus.FORBIDDEN)
