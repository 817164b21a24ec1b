"""A FHIR server on loopback for tests: it answers as it is told to, counts connections, and remembers requests."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


SOCIAL = ("72166-2", "11367-0", "401201003", "8664-5")
"""Codes of what is social history."""


class Reply(NamedTuple):
    """What the server answers."""

    body: Any
    """`{base}` in it stands for the server's base."""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/fhir+json"),)
    after: float = 0.0
    """Seconds it takes."""
    drip: float = 0.0
    """Seconds between two bytes of the body."""


class Asked(NamedTuple):
    """A request that came in."""

    path: str
    headers: dict[str, str]


class Stub:
    """The server; a context manager."""

    def __init__(self, answer: Callable[[str, dict[str, list[str]]], Reply]) -> None:
        self.asked: list[Asked] = []
        self.connections = 0
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                stub.connections += 1
                super().setup()

            def do_GET(self) -> None:
                stub.asked.append(Asked(self.path, dict(self.headers)))
                parts = urlsplit(self.path)
                reply = answer(parts.path, parse_qs(parts.query))
                time.sleep(reply.after)
                body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                body = body.replace(b"{base}", stub.base.encode())
                self.send_response(reply.status)
                for name, value in reply.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                for part in (body[i : i + 1] for i in range(len(body))) if reply.drip else [body]:
                    self.wfile.write(part)
                    time.sleep(reply.drip)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = (
                64  # a client asks for everything at once; what is not taken in comes again a second later
            )

            def handle_error(self, *_: object) -> None:
                """A client that hangs up is no matter."""

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.base = f"http://127.0.0.1:{self.port}/fhir"

    def __enter__(self) -> Stub:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def of_patient(resources: Iterable[dict[str, Any]], page: int = 1000) -> Callable[[str, dict[str, list[str]]], Reply]:
    """Return what answers for the resources of one patient, in pages of a size."""
    resources = list(resources)

    def answer(path: str, query: dict[str, list[str]]) -> Reply:
        parts = path.removeprefix("/fhir/").split("/")
        found = [each for each in resources if each["resourceType"] == parts[0]]
        if len(parts) == 2:
            one = [each for each in found if each.get("id") == parts[1]]
            return Reply(one[0]) if one else Reply({"resourceType": "OperationOutcome", "issue": []}, 404)
        if "category" in query:
            social = query["category"] == ["social-history"]
            found = [each for each in found if any(code in json.dumps(each) for code in SOCIAL) == social]
        start = int(query.get("page", ["0"])[0])
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
        bundle["entry"] = [{"resource": each} for each in found[start : start + page]]
        if start + page < len(found):
            more = "&".join(f"{name}={value[0]}" for name, value in query.items() if name != "page")
            url = f"{{base}}{path.removeprefix('/fhir')}?{more}&page={start + page}"
            bundle["link"] = [{"relation": "next", "url": url}]
        return Reply(bundle)

    return answer
