"""What a page's form sends: read within limits, and taken only with the token that the form holds."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

    from precaution.clinic.access import ClinicAccess

TOKEN = "token"  # noqa: S105 - the name of a field
FIELDS = ("ask", "answer", "who", "role", "day", "reason", "expires", "id")
"""What forms say."""
_MOST = 16_384
"""Bytes of a form."""
_FIELDS = 40
_FORM = "application/x-www-form-urlencoded"


async def sent_form(request: Request, access: ClinicAccess) -> Mapping[str, Sequence[str]]:
    """Return the fields of a form. Raises HTTPException where it is none of these pages'."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    except ValueError:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from None
    if not access.sent_from_here(fields.get(TOKEN, [""])[0]):
        raise HTTPException(HTTPStatus.FORBIDDEN)
    return fields
