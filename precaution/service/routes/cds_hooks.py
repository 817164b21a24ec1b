"""The routes of CDS Hooks: discovery, and the calls of hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from precaution import __version__
from precaution.service.fhir.queries import HOOKS, service_id, services
from precaution.service.http.errors import Refused
from precaution.service.http.openapi import HOOK_CALL

if TYPE_CHECKING:
    from precaution.service.hooks import Service


def routes(service: Service) -> APIRouter:
    """Return the routes. They raise Refused, which the application answers with an OperationOutcome."""
    label = service.current.loaded.label
    by_id = {service_id(label, hook): hook for hook in HOOKS}
    listed = {"services": services(label, service.asked, service.settings, __version__)}
    router = APIRouter()

    @router.get("/cds-services", summary="Discovery")
    async def discovery() -> JSONResponse:
        return JSONResponse(listed)

    @router.post("/cds-services/{service_name}", summary="A call of a hook", openapi_extra=HOOK_CALL)
    async def call(service_name: str, request: Request) -> JSONResponse:
        hook = by_id.get(service_name)
        if hook is None:
            raise Refused(404, "there is no such service; GET /cds-services lists those there are")
        return JSONResponse(await service.cards(request, service_name, hook))

    return router
