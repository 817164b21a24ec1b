"""How long a call of a hook takes, beside a service that does next to nothing: `python benchmarks/hooks.py`.

Both are FastAPI on uvicorn, each in a process of its own, and are called in turns by the same client over loopback. The
other one verifies the token and parses the body, no more. The body holds a prefetch of about 130 kB of a synthetic
patient on treatment; every call has a token of its own, signed before the clock starts. Cards are kept in SQLite, and
on the disk when they are given, as in earnest.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import jiter
from fastapi import FastAPI, Request
from joserfc import jws
from joserfc.jwk import ECKey, import_key
from package import announce, python

from precaution import load_label
from precaution.demo import Generator, load_recipes
from precaution.knowledge.loading import find_label
from precaution.service.fhir.queries import ALL, PATIENT

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
PROJECT = Path(__file__).resolve().parents[1]
TODAY = date(2025, 3, 1)
SIZE = 130_000
PATH = "/cds-services/baricitinib-patient-view"
ISS = "https://ehr.example.org"
AIMS = {1: 50.0, 8: 200.0}
"""Most milliseconds that one call in a hundred may take, by how many come at once."""


class Timed(NamedTuple):
    """What was measured of one service."""

    p50: float
    p99: float
    each_second: float


def body() -> bytes:
    """Return a call about a synthetic patient on treatment, with a prefetch of about SIZE bytes."""
    label, folder = load_label("baricitinib"), find_label("baricitinib")
    recipes = load_recipes(folder, label)
    entries = 250
    generator = Generator(label, recipes, seed=5, today=TODAY, entries=entries)
    for number in range(1, 60):
        patient = generator.patient(number)
        if patient.truth.get("stage") == "on-treatment" and patient.truth.get("action") == "interrupt":
            break
    made = json.dumps(_call(patient.resources)).encode()
    while len(made) > SIZE * 1.02:
        entries -= 5
        generator = Generator(label, recipes, seed=5, today=TODAY, entries=entries)
        made = json.dumps(_call(generator.patient(number).resources)).encode()
    return made


def _call(resources: list[Json]) -> Json:
    prefetch: Json = {}
    for query in ALL:
        found = [each for each in resources if each["resourceType"] == query.type]
        if query.type == "Observation" and query.key != "laboratory":
            found = []
        entries = [{"resource": each} for each in found]
        result = {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}
        prefetch[query.key] = found[0] if query.key == PATIENT else result
    context = {"userId": "Practitioner/1", "patientId": prefetch[PATIENT]["id"]}
    return {"hook": "patient-view", "hookInstance": str(uuid4()), "context": context, "prefetch": prefetch}


def request(port: int, content: bytes, authorization: str) -> bytes:
    """Return a whole request."""
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Authorization: {authorization}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def tokens(key: Any, base: str, many: int) -> list[str]:
    """Return tokens for the address that is called."""
    now = int(time.time())
    header = {"alg": "ES384", "typ": "JWT", "kid": "one"}
    made = []
    for _ in range(many):
        claims = {"iss": ISS, "aud": f"{base}{PATH}", "iat": now, "exp": now + 3000, "jti": str(uuid4())}
        made.append("Bearer " + jws.serialize_compact(header, json.dumps(claims).encode(), key, algorithms=["ES384"]))
    return made


# The service that does next to nothing


def trivial() -> Any:
    """Return the application beside which ours is measured."""
    app = FastAPI()
    key = import_key(json.loads(Path(os.environ["BENCHMARK_KEYS"]).read_text())["keys"][0])

    @app.post(PATH)
    async def call(request: Request) -> dict[str, list[object]]:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        claims = jiter.from_json(jws.deserialize_compact(token, key, algorithms=["ES384"]).payload)
        assert claims["aud"].endswith(PATH)
        assert claims["exp"] > time.time()
        parsed = jiter.from_json(await request.body())
        assert parsed["hook"]
        return {"cards": []}

    return app


# Running and calling


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, ready: str, **environment: str) -> Iterator[None]:
    """Run a service until the block ends."""
    process = subprocess.Popen(  # noqa: S603  # the commands are written below
        command, cwd=PROJECT, env={**os.environ, **environment}, stderr=subprocess.DEVNULL
    )
    try:
        asyncio.run(_until_ready(port, ready))
        yield
    finally:
        process.terminate()
        process.wait(30)


async def _until_ready(port: int, path: str) -> None:
    for _ in range(1200):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            status = (await reader.read()).split(b" ", 2)[1]
            writer.close()
            if status in (b"200", b"405"):
                return
        except (OSError, IndexError):
            pass
        await asyncio.sleep(0.1)
    raise SystemExit("a service did not start")


async def called(port: int, requests: list[bytes], at_once: int) -> list[float]:
    """Return the milliseconds of each call; so many go on at once, each on a connection that is kept."""
    waiting = list(requests)
    taken: list[float] = []

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        while waiting:
            sent = waiting.pop()
            begin = time.perf_counter()
            writer.write(sent)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line)
            await reader.readexactly(length)
            taken.append((time.perf_counter() - begin) * 1000)
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"a call failed: {head[:40]!r}")
        writer.close()

    await asyncio.gather(*(one() for _ in range(at_once)))
    return taken


def measured(ports: tuple[int, int], content: bytes, key: Any, at_once: int, many: int) -> tuple[Timed, Timed]:
    """Return our service and the other one; they are called in turns, in rounds."""
    rounds: tuple[list[float], list[float]] = ([], [])
    seconds = [0.0, 0.0]
    for number in range(6):
        for which, port in enumerate(ports):
            made = [request(port, content, each) for each in tokens(key, f"http://127.0.0.1:{port}", many // 5)]
            begin = time.perf_counter()
            taken = asyncio.run(called(port, made, at_once))
            if number:  # the first round warms up
                seconds[which] += time.perf_counter() - begin
                rounds[which].extend(taken)
    ours, other = (_timed(taken, spent) for taken, spent in zip(rounds, seconds, strict=True))
    return ours, other


def _timed(taken: list[float], seconds: float) -> Timed:
    cuts = quantiles(taken, n=100)
    return Timed(cuts[49], cuts[98], len(taken) / seconds)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--calls", type=int, default=500, help="calls of each service, at each number at once")
    many = arguments.parse_args().calls
    announce()
    content = body()
    key = ECKey.generate_key("P-384", {"kid": "one"})
    ports = (free_port(), free_port())
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys.json"
        keys.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
        config = Path(folder) / "service.toml"
        config.write_text(
            f'port = {ports[0]}\ntoday = "{TODAY}"\nrequire-tokens = true\nlog-level = "error"\n'
            f'store-url = "sqlite:///{folder}/store.sqlite"\n'
            f'[[issuer]]\niss = "{ISS}"\nkeys = "keys.json"\n'
        )
        ours = python("-m", "precaution", "serve", "--config", config)
        other = python(
            "-m",
            "uvicorn",
            "--factory",
            "hooks:trivial",
            "--app-dir",
            Path(__file__).parent,
            "--port",
            ports[1],
            "--no-access-log",
            "--http",
            "h11",
            "--loop",
            "asyncio",
        )
        with running(ours, ports[0], "/health/ready"), running(other, ports[1], PATH, BENCHMARK_KEYS=str(keys)):
            print(f"a call of {len(content) / 1000:.0f} kB with a token, {os.cpu_count()} cores\n")
            print("| at once | p50 | beside | p50, times | p99 | beside | calls/s | aim |")
            print("|---|---|---|---|---|---|---|---|")
            for at_once, aim in AIMS.items():
                mine, theirs = measured(ports, content, key, at_once, many)
                print(
                    f"| {at_once} | {mine.p50:.1f} ms | {theirs.p50:.1f} ms | {mine.p50 / theirs.p50:.1f} × | "
                    f"{mine.p99:.1f} ms | {theirs.p99:.1f} ms | {mine.each_second:.0f} | p50 ≤ 1.5 ×, "
                    f"p99 ≤ {aim:.0f} ms |"
                )


if __name__ == "__main__":
    main()
