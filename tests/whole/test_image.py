"""The image of deploy/Containerfile, run as its first lines say: what it answers, and what it may do.

`.ci/image` builds it. Where the machine has no podman, or nobody built it, these tests are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from support import client_tokens, hook_calls
from support.project import PROJECT, needs
from support.service_process import TODAY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.image, pytest.mark.xdist_group("image")]
PLACE = PROJECT / ".venv" / "image"
NAME = f"precaution-{os.getpid()}"
SERVICE = "cds-services/baricitinib-patient-view"
BODY = hook_calls.call("patient-view", hook_calls.prefetch(hook_calls.example("zoster-on-treatment")))
SETTINGS = f"""
host = "0.0.0.0"
today = "{TODAY}"
public-url = "{client_tokens.BASE}"
require-tokens = true
trusted-proxy = true
[[issuer]]
iss = "{client_tokens.ISS}"
keys = "/etc/precaution/jwks.json"
"""


PYTHON = "/opt/precaution/bin/python"
ASK = """
import json, sys, httpx
found = httpx.Client(base_url="http://127.0.0.1:8080", timeout=20).request(**json.load(sys.stdin))
print(json.dumps([found.status_code, found.text]))
"""


def podman(*arguments: str) -> list[str]:
    """Return a command of podman, with all that it keeps in a place of its own."""
    # runc and plain files of cgroups: they run on hosts of either sort of cgroups, also without systemd.
    way = ["--storage-driver", "vfs", "--runtime", "runc", "--cgroup-manager", "cgroupfs"]
    return ["podman", "--root", f"{PLACE}/root", "--runroot", f"{PLACE}/run", *way, *arguments]


def run(command: list[str], given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)


def inside(*command: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command in the container."""
    return run(podman("exec", "--interactive", NAME, *command), given)


def ask(method: str, url: str, **more: Any) -> tuple[int, str]:
    """Return what the service answers: a status and a text; 0 where there is none."""
    done = inside(PYTHON, "-c", ASK, given=json.dumps({"method": method, "url": url, **more}))
    if done.returncode:
        return 0, done.stderr
    status, text = json.loads(done.stdout)
    return int(status), str(text)


@contextmanager
def started(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the image as the Containerfile says, but for the network: it has none, and is asked from within."""
    limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]  # who may not raise limits must say them
    mounts = [f"--volume={folder / file}:/etc/precaution/{file}:ro" for file in ("service.toml", "jwks.json")]
    command = podman(
        "run",
        "--rm",
        "--name",
        NAME,
        "--read-only",
        "--cap-drop",
        "all",
        *limits,
        "--log-driver",
        "none",
        "--network",
        "none",
        *mounts,
        "precaution",
    )
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield process
        finally:
            run(podman("stop", NAME))
            process.wait(60)


@pytest.fixture(scope="module", autouse=True)
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The service in the container, ready."""
    needs(shutil.which("podman") and (PROJECT / ".venv" / ".image").is_file(), "podman with the image of .ci/image")
    folder = tmp_path_factory.mktemp("image")
    (folder / "service.toml").write_text(SETTINGS, encoding="utf-8")
    (folder / "jwks.json").write_bytes(client_tokens.public(client_tokens.key()))
    with started(folder) as process:
        until = time.monotonic() + 60
        while ask("GET", "/health/ready")[0] != 200:
            failed = process.poll() is not None or time.monotonic() > until
            assert not failed, (folder / "log").read_text(encoding="utf-8")
            time.sleep(0.2)
        yield
    assert process.returncode == 0, "it ends in order when it is told to"


def bearer() -> str:
    """Return a token for the hook that is good now: the container's clock is the real one."""
    now = int(time.time())
    audience = f"{client_tokens.BASE}/{SERVICE}"
    said = client_tokens.claims(aud=audience, iat=now, exp=now + 300, jti=str(uuid4()))
    return client_tokens.token(said, jku=...)


def test_it_is_ready() -> None:
    assert json.loads(ask("GET", "/health/ready")[1])["status"] == "ready"
    assert len(json.loads(ask("GET", "/cds-services")[1])["services"]) == 3


def test_it_answers_a_hook_to_whom_may_call() -> None:
    assert ask("POST", f"/{SERVICE}", json=BODY)[0] == 401
    status, text = ask("POST", f"/{SERVICE}", json=BODY, headers={"Authorization": bearer()})
    assert status == 200, text
    (card, *_) = json.loads(text)["cards"]
    assert card["indicator"] == "critical"
    page = card["links"][0]["url"].removeprefix(client_tokens.BASE)
    assert ask("GET", page)[0] == 303, "to the page itself, with a cookie in the place of the secret"
    assert "Baricitinib" in ask("GET", "/label")[1]


def test_it_has_no_rights() -> None:
    assert inside("id", "-u").stdout.strip() == "10001"
    status = inside("cat", "/proc/1/status").stdout
    assert {line.split()[1] for line in status.splitlines() if line.startswith(("CapPrm", "CapEff"))} == {"0" * 16}


def test_it_writes_to_its_volume_alone() -> None:
    assert "Read-only file system" in inside("touch", "/opt/precaution/x").stderr
    assert "Read-only file system" in inside("touch", "/etc/precaution/x").stderr
    kept = inside("stat", "--format", "%n %a", ".", "precaution.sqlite").stdout.split()
    assert kept == [".", "700", "precaution.sqlite", "600"]


def test_it_says_whether_it_is_well() -> None:
    assert run(podman("healthcheck", "run", NAME)).returncode == 0


def test_only_what_the_service_needs_was_taken_in() -> None:
    asked = "import json, importlib.metadata as m; print(json.dumps([d.name for d in m.distributions()]))"
    there = set(json.loads(inside(PYTHON, "-c", asked).stdout))
    assert "precaution" in there
    assert not {"pytest", "pyarrow", "duckdb", "pyspark"} & there
