"""The service as it is run: a process on a free port, clients that dawdle, several processes, refusals to start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from click.testing import CliRunner

from precaution.cli.group import precaution
from support.few_cases import label_with_few_cases
from support.hook_calls import call, draft, example, prefetch
from support.hook_calls import settings as with_store
from support.project import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.service


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Served:
    """A running service."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log
        self.base = f"http://127.0.0.1:{port}"

    def logged(self) -> str:
        return self.log.read_text(encoding="utf-8")


@contextmanager
def served(folder: Path, *arguments: str, wait: bool = True, **environment: str) -> Iterator[Served]:
    """Run `precaution serve` until the block ends; its label has few cases, so that it is soon ready."""
    port = free_port()
    label = label_with_few_cases(folder)
    with_store(folder)  # a store whose tables are there already
    log = folder / "log"
    command = [
        sys.executable,
        "-m",
        "precaution",
        "serve",
        "--port",
        str(port),
        "--today",
        "2025-03-01",
        "--label",
        str(label),
        "--store-url",
        f"sqlite:///{folder}/store.sqlite",
        *arguments,
    ]
    with log.open("wb") as err:
        process = subprocess.Popen(command, cwd=PROJECT, stderr=err, stdout=err, env={**os.environ, **environment})
        run = Served(process, port, log)
        try:
            if wait:
                until_ready(run)
            yield run
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def until_ready(run: Served) -> None:
    for _ in range(600):
        assert run.process.poll() is None, run.logged()
        try:
            if httpx.get(f"{run.base}/health/ready", timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(run.logged())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served"), PRECAUTION_LIMITS_IDLE_SECONDS="1") as made:
        yield made


def post(run: Served, body: Any) -> httpx.Response:
    return httpx.post(f"{run.base}/cds-services/baricitinib-order-sign", json=body, timeout=60)


def test_it_serves_discovery_cards_and_their_page(run: Served) -> None:
    assert len(httpx.get(f"{run.base}/cds-services", timeout=60).json()["services"]) == 3
    cards = post(run, call("order-sign", prefetch(example("low-neutrophils")), draft())).json()["cards"]
    assert cards[0]["indicator"] == "critical"
    url = cards[0]["links"][0]["url"]
    assert url.startswith(run.base)
    with httpx.Client(follow_redirects=True, timeout=60) as browser:
        page = browser.get(url)
    assert page.status_code == 200
    assert "■ do not start" in page.text


def test_it_logs_one_line_of_json_for_each_call(run: Served) -> None:
    httpx.get(f"{run.base}/cds-services", timeout=60)
    lines = [json.loads(line) for line in run.logged().splitlines()]
    assert {"started", "canaries", "call"} <= {line["event"] for line in lines}
    assert all({"at", "level", "event"} <= set(line) for line in lines)


def test_it_does_not_say_what_it_is_made_of(run: Served) -> None:
    headers = httpx.get(f"{run.base}/health/live", timeout=60).headers
    assert "server" not in headers
    assert headers["x-content-type-options"] == "nosniff"


def closed_in(connection: socket.socket, seconds: float) -> bool:
    """Whether the other side closes a connection in time."""
    connection.settimeout(seconds)
    try:
        while connection.recv(4096):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /cds-serv",
        b"POST /cds-services/baricitinib-order-sign HTTP/1.1\r\nHost: x\r\nContent-Le",
        b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nGET /health/li",
        b"POST /cds-services/baricitinib-order-sign HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 1000\r\n\r\n{",
    ],
    ids=["nothing", "half a line", "half a head", "half a second head", "half a body"],
)
def test_a_client_that_dawdles_is_sent_away(run: Served, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", run.port)) as connection:
        connection.sendall(sent)
        assert closed_in(connection, 30)


def test_while_many_dawdle_others_are_answered(run: Served) -> None:
    slow = [socket.create_connection(("127.0.0.1", run.port)) for _ in range(50)]
    for each in slow:
        each.sendall(b"POST /cds-services/baricitinib-order-sign HTTP/1.1\r\nHost: x\r\n")
    assert post(run, call("order-sign", prefetch(example("low-neutrophils")), draft())).status_code == 200
    for each in slow:
        each.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\xff\x16\x03\x01",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET " + b"x" * 100_000,
        b"A: " + b"b" * 100_000,
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=range(7),
)
def test_what_is_no_http_harms_nobody(run: Served, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", run.port)) as connection:
        with suppress(ConnectionError):
            connection.sendall(sent)
        assert closed_in(connection, 30)
    assert httpx.get(f"{run.base}/health/live", timeout=60).status_code == 200
    assert "Traceback" not in run.logged()


def test_several_processes_share_store_and_links(tmp_path: Path) -> None:
    with served(tmp_path, "--workers", "2") as run:
        for _ in range(12):
            cards = post(run, call("order-sign", prefetch(example("low-neutrophils")), draft())).json()["cards"]
            with httpx.Client(follow_redirects=True, timeout=60) as browser:
                assert browser.get(cards[0]["links"][0]["url"]).status_code == 200
            feedback = {"card": cards[0]["uuid"], "outcome": "accepted", "outcomeTimestamp": "2025-03-01T09:00:00Z"}
            url = f"{run.base}/cds-services/baricitinib-order-sign/feedback"
            assert httpx.post(url, json={"feedback": [feedback]}, timeout=60).status_code == 200
        assert run.logged().count('"event": "started"') == 2


def test_it_ends_when_asked_to(tmp_path: Path) -> None:
    with served(tmp_path) as run:
        pass
    assert run.process.returncode in (0, -signal.SIGTERM)
    assert '"event": "ended"' in run.logged()
    assert "Traceback" not in run.logged()


# Refusals to start


def refused(*arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "precaution", "serve", *arguments],
        cwd=PROJECT,
        capture_output=True,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )
    assert done.returncode in (2, 5, 7), done.stderr
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr
    return done.stderr.decode()


def test_it_refuses_to_be_reached_from_elsewhere_unguarded() -> None:
    assert "set require-tokens" in refused("--host", "0.0.0.0")  # noqa: S104


def test_it_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    file = tmp_path / "service.toml"
    file.write_text("prt = 7")
    assert "Did you mean 'port'" in refused("--config", str(file))
    assert "there is no label 'none'" in refused("--label", "none", "--store-url", f"sqlite:///{tmp_path}/s")
    assert "neither" not in refused("--store-url", "mysql://x/y")
    assert "PRECAUTION_PORTT is not known" in refused(PRECAUTION_PORTT="1")


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        label = label_with_few_cases(tmp_path)
        told = refused("--label", str(label), "--port", port, "--store-url", f"sqlite:///{tmp_path}/s.sqlite")
    assert f"port {port} can't be listened at" in told


def test_its_help_says_how_it_is_wired_in() -> None:
    told = CliRunner().invoke(precaution, ["serve", "--help"]).output
    for word in (
        "/cds-services",
        "/health/ready",
        "/metrics",
        "require-tokens",
        "[[issuer]]",
        "[[fhir-server]]",
        "docs/guides/ehr.md",
        "--workers",
        "Examples",
    ):
        assert word in told
