"""Which pages in a browser may call: those of the origins that the site names, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.middleware.cors import CORSMiddleware

if TYPE_CHECKING:
    from fastapi import FastAPI

    from precaution.service.settings import Settings


def allow_origins(app: FastAPI, settings: Settings) -> None:
    """Answer a browser's preflight before anything asks for a token: it brings none. Add this middleware last.

    Cookies and the like are never allowed: a token stands in the header of the call itself.
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
