"""Who may look: only who has the key, from this machine's own browser, at this machine's own name.

The key stands once in the address that is printed. It is taken there into a cookie that no script and no other site
can use, and the browser is sent on to an address without it. What does not bring the cookie sees nothing, whatever it
asks for; what asks under another name (a page elsewhere whose name was turned to this machine) is refused first.
"""

from __future__ import annotations

import sys
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from secrets import compare_digest, token_urlsafe
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a browser may load for a page: its style sheet from here; no script at all, nothing from anywhere else."""
SAFE = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
_CLOSED = "This page is closed. Open the address that `precaution clinic` printed: it holds the key.\n"
_ELSEWHERE = "These pages are only there under this machine's own name.\n"
_FOREIGN = "This was not sent from these pages. Nothing was changed.\n"
_READING = ("GET", "HEAD")
MISTAKE = "A mistake in this program; the terminal says where.\n"


class ClinicAccess:
    """The key of one run, and what a browser that brought it is known by."""

    def __init__(self, port: int) -> None:
        """Make a key for pages at `port` of this machine."""
        self.key, self._session = token_urlsafe(32), token_urlsafe(32)
        self.form_token = token_urlsafe(32)
        """What every form of these pages sends: a page from elsewhere does not know it."""
        self.cookie = f"precaution-clinic-{port}"
        self.hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost"))
        self.address = f"http://127.0.0.1:{port}/?key={self.key}"

    def opens(self, query: bytes) -> bool:
        """Whether an address holds the key."""
        given = parse_qs(query.decode("latin-1")).get("key", [""])[0]
        return compare_digest(given.encode(), self.key.encode())

    def knows(self, cookies: str) -> bool:
        """Whether a browser has brought the key before."""
        try:
            found = SimpleCookie(cookies).get(self.cookie)
        except CookieError:
            return False
        return found is not None and compare_digest(found.value.encode(), self._session.encode())

    def sent_from_here(self, token: str) -> bool:
        """Whether a form brings what only the forms of these pages hold."""
        return compare_digest(token.encode(), self.form_token.encode())

    def let_in(self) -> RedirectResponse:
        """Return the answer to the address with the key: the cookie, and the address without it."""
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        answer.set_cookie(self.cookie, self._session, httponly=True, samesite="strict", path="/")
        return answer


class AccessGuard:
    """The outermost ASGI middleware: lets nothing pass without the key, and nothing out without safe headers."""

    def __init__(self, app: ASGIApp, access: ClinicAccess) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                given = list(message.get("headers", ()))
                own = {name for name, _ in given} & {b"content-security-policy"}  # a letter's, with its own style
                message["headers"] = given + [each for each in _SAFE_PAIRS if each[0] not in own]
            await send(message)

        try:
            await self._guarded(scope)(scope, receive, guarded)
        except Exception as error:  # nothing may get past: the server would print what it says
            sys.stderr.write(f"precaution: a mistake in this program ({_where(error)}); please report it\n")
            if not begun:
                answer = PlainTextResponse(MISTAKE, HTTPStatus.INTERNAL_SERVER_ERROR)
                await answer(scope, receive, guarded)

    def _guarded(self, scope: Scope) -> ASGIApp:
        headers = Headers(scope=scope)
        if headers.getlist("host") not in [[host] for host in self._access.hosts]:
            return PlainTextResponse(_ELSEWHERE, HTTPStatus.MISDIRECTED_REQUEST)
        if scope["path"] == "/" and scope["method"] == "GET" and self._access.opens(scope["query_string"]):
            return self._access.let_in()
        if not self._access.knows(headers.get("cookie", "")):
            return PlainTextResponse(_CLOSED, HTTPStatus.FORBIDDEN)
        if scope["method"] not in _READING and not self._from_here(headers):
            return PlainTextResponse(_FOREIGN, HTTPStatus.FORBIDDEN)
        return self._app

    def _from_here(self, headers: Headers) -> bool:
        """Whether what changes something comes from a page of this address, as the browser says."""
        return headers.getlist("origin") == [f"http://{headers['host']}"]


_SAFE_PAIRS = [(name.encode(), value.encode()) for name, value in SAFE.items()]


def _where(error: BaseException) -> str:
    """Return an error's type and the last line it went through: nothing that it says, for it may say anything."""
    trace, line = error.__traceback__, ""
    while trace is not None:
        line = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {line}"
