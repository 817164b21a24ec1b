"""How the service is put in place: behind nginx with TLS, in several processes with one store, one of them killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from precaution.service.store import Store
from support import client_tokens, hook_calls, postgres_server
from support.project import PROJECT, needs
from support.service_process import free_port, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEPLOY = PROJECT / "deploy"
BODY = hook_calls.call("patient-view", hook_calls.prefetch(hook_calls.example("zoster-on-treatment")))
SERVICE = "cds-services/baricitinib-patient-view"


def certificate(folder: Path) -> None:
    """Write a certificate for this machine, signed by itself."""
    needs(shutil.which("openssl"), "openssl")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        str(folder / "tls.key"),
        "-out",
        str(folder / "tls.crt"),
    ]
    subprocess.run(command, check=True, capture_output=True)


def configured(folder: Path, port: int, workers: list[int]) -> Path:
    """Return our own nginx.conf with this test's ports and places in it, and nothing else changed."""
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    servers = "\n        ".join(f"server 127.0.0.1:{each} max_fails=2 fail_timeout=5s;" for each in workers)
    for old, new in (
        ("server 127.0.0.1:8080 max_fails=2 fail_timeout=5s;", servers),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("server_name cds.example.org;", "server_name localhost;"),
        ("/etc/precaution/", f"{folder}/"),
        ("/var/log/nginx/precaution.log", f"{folder}/access.log"),
    ):
        assert old in text
        text = text.replace(old, new)
    file = folder / "nginx.conf"
    file.write_text(f"pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n{text}", encoding="utf-8")
    return file


@contextlib.contextmanager
def nginx(folder: Path, workers: list[int]) -> Iterator[str]:
    """Run nginx in front of workers; yields its base."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    needs(program, "nginx")
    assert program is not None
    certificate(folder)
    port = free_port()
    command = [program, "-c", str(configured(folder, port, workers)), "-g", "daemon off;"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        try:
            for _ in range(100):
                with contextlib.suppress(httpx.TransportError), trusting(folder, f"https://localhost:{port}") as client:
                    client.get("/health/live")
                    break
                time.sleep(0.1)
            yield f"https://localhost:{port}"
        finally:
            running.terminate()
            running.wait(10)


def trusting(folder: Path, base: str) -> httpx.Client:
    """Return a client that trusts the test's own certificate alone."""
    return httpx.Client(base_url=base, verify=ssl.create_default_context(cafile=str(folder / "tls.crt")), timeout=20)


@pytest.mark.server
def test_our_configuration_of_nginx_serves_hooks_and_keeps_what_is_not_for_clients(tmp_path: Path) -> None:
    port = free_port()
    with served(tmp_path, 'public-url = "https://localhost"\n', port=port), nginx(tmp_path, [port]) as base:
        with trusting(tmp_path, base) as client:
            assert len(client.get("/cds-services").json()["services"]) == 3
            assert client.post(SERVICE, json=BODY).json()["cards"][0]["indicator"] == "critical"
            assert client.post(SERVICE, content=b" " * 6_000_000).status_code == 413
            assert client.get("/metrics").status_code == 200  # from this machine; from others it is denied
        written = (tmp_path / "access.log").read_text(encoding="utf-8")
    assert SERVICE in written
    assert "zoster" not in written


@pytest.mark.server
def test_no_log_holds_what_opens_a_page_nor_a_query(tmp_path: Path) -> None:
    port = free_port()
    with nginx(tmp_path, [port]) as base, trusting(tmp_path, base) as client:
        with served(tmp_path, f'public-url = "{base}"\n', port=port):
            link = client.post(SERVICE, json=BODY).json()["cards"][0]["links"][0]["url"]
            opened = client.get(link.removeprefix(base), follow_redirects=True)
            assert opened.status_code == 200
            assert "zoster" in opened.text.lower()
            client.get("/cds-services?secret-of-a-query")
        assert client.get(link.removeprefix(base)).status_code == 502, "nobody is behind it: that is an error to log"
        assert client.get("/label").status_code == 502
    logs = {each.name: each.read_text(encoding="utf-8") for each in tmp_path.glob("*.log")}
    assert "/decisions/" in logs["access.log"]
    assert "/label" in logs["error.log"], "errors of other addresses are logged"
    uuid, ticket = link.split("/")[-2:]
    for name, written in logs.items():
        assert ticket not in written, name
        assert "secret-of-a-query" not in written, name
    assert uuid in logs["access.log"]


@pytest.mark.server
def test_two_processes_with_one_postgresql_go_on_when_one_is_killed(tmp_path: Path) -> None:
    with postgres_server.server() as database, contextlib.ExitStack() as stack:
        upgrade = [sys.executable, "-m", "precaution", "store", "upgrade", "--store", database]
        subprocess.run(upgrade, check=True, capture_output=True)
        ports = [free_port(), free_port()]
        more = f'store-url = "{database}"\npublic-url = "https://localhost"\n'
        for port in ports:
            stack.enter_context(served(tmp_path, more, port=port))
        base = stack.enter_context(nginx(tmp_path, ports))
        client = stack.enter_context(trusting(tmp_path, base))
        pages = []
        for turn in range(30):
            if turn == 10:
                os.kill(int((tmp_path / f"service-{ports[0]}.pid").read_text()), signal.SIGKILL)
            found = client.post(SERVICE, json=BODY)
            assert found.status_code == 200, turn
            pages.append(found.json()["cards"][0]["links"][0]["url"])
    assert len(set(pages)) == 30


@pytest.mark.parametrize("file", ["precaution.service", "Containerfile"])
def test_what_starts_the_service_names_the_command_and_the_settings(file: str) -> None:
    text = (DEPLOY / file).read_text(encoding="utf-8")
    assert re.search(r"precaution\W+serve\W+--config\W+/etc/precaution/service\.toml", text)


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not here")
    unit = tmp_path / "precaution.service"
    text = (DEPLOY / "precaution.service").read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/precaution/bin/precaution", "/bin/true"), encoding="utf-8")
    done = subprocess.run([program, "verify", str(unit)], capture_output=True, text=True, check=False)
    assert "precaution.service" not in done.stderr, done.stderr


ISS = "https://ehr.example.org"
RUNS = 2


@pytest.mark.kills
def test_what_clients_were_given_is_kept_when_the_service_is_killed_under_load(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_bytes(client_tokens.public(client_tokens.key()))
    more = (
        "require-tokens = true\n[limits]\ndeadline-seconds = 60.0  # a busy disk is no failing one\n"
        f'[[issuer]]\niss = "{ISS}"\nkeys = "keys.json"\n'
    )
    port, given, used = free_port(), list[str](), list[str]()
    for _ in range(RUNS):
        with served(tmp_path, more, port=port) as base:
            kill = threading.Timer(1.0, os.kill, (int((tmp_path / f"service-{port}.pid").read_text()), signal.SIGKILL))
            kill.start()
            asyncio.run(calling(base, given, used))
            kill.join()
    assert len(given) > 20 * RUNS
    store = Store(f"sqlite:///{tmp_path}/store.sqlite").open()
    try:
        assert store.verify().whole
        assert [uuid for uuid in given if store.card(uuid, ISS) is None] == []
    finally:
        store.close()
    with served(tmp_path, more, port=port) as base, httpx.Client(base_url=base, timeout=20) as client:
        again = [client.post(SERVICE, json=BODY, headers={"Authorization": each}).status_code for each in used[:50]]
        assert again == [401] * len(again), "a token that was used is used, whatever has happened since"
        fresh = client.post(SERVICE, json=BODY, headers={"Authorization": signed(base)})
        assert fresh.json()["cards"]


async def calling(base: str, given: list[str], used: list[str]) -> None:
    """Call from eight clients at once until the service is no more; note the cards given and the tokens used."""

    async def one(client: httpx.AsyncClient) -> None:
        while True:
            authorization = signed(base)
            found = await client.post(SERVICE, json=BODY, headers={"Authorization": authorization})
            assert found.status_code == 200
            given.extend(card["uuid"] for card in found.json()["cards"])
            used.append(authorization)

    async with httpx.AsyncClient(base_url=base, timeout=20) as client:
        ended = await asyncio.gather(*(one(client) for _ in range(8)), return_exceptions=True)
    assert all(isinstance(each, httpx.TransportError) for each in ended), ended


def signed(base: str) -> str:
    now = int(time.time())
    return client_tokens.token(client_tokens.claims(aud=f"{base}/{SERVICE}", iat=now, exp=now + 600), jku=...)
