"""A throw-away PostgreSQL for tests, from the binaries of the system: on loopback, gone with its folder afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
"""Where Debian puts them; they are on no path."""
GUARDED = "guarded"
"""A user who needs a password."""
_ACCESS = f"host all {GUARDED} 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=50")


def binary(name: str) -> str:
    """Return the path of one of PostgreSQL's programs, or an empty text where it is not here."""
    if BINARIES:
        path = BINARIES[-1].with_name(name)
        return str(path) if path.exists() else ""
    return shutil.which(name) or ""


@contextmanager
def server() -> Iterator[str]:
    """Yield the URL of an empty database of a server of its own; it needs no password, except for GUARDED."""
    folder = Path(tempfile.mkdtemp(prefix="precaution-postgres-", dir="/tmp"))
    try:
        user = _user(folder)
        _as(user, [binary("initdb"), "-D", str(folder / "data"), "-U", "tester", "-A", "trust", "--no-sync",
                   "--locale=C.UTF-8", "-E", "UTF8"])  # fmt: skip
        (folder / "data" / "pg_hba.conf").write_text(_ACCESS, encoding="utf-8")
        port = _free_port()
        with _running(user, folder, port):
            yield f"postgresql://tester@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(user: list[str], folder: Path, port: int) -> Iterator[None]:
    settings = [part for each in (*_SETTINGS, f"port={port}", "listen_addresses=127.0.0.1",
                                  f"unix_socket_directories={folder}") for part in ("-c", each)]  # fmt: skip
    log = (folder / "log").open("wb")
    process = subprocess.Popen([*user, binary("postgres"), "-D", str(folder / "data"), *settings],
                               stdout=log, stderr=log)  # fmt: skip
    try:
        _wait(process, port, folder)
        yield
    finally:
        process.send_signal(2)  # fast shutdown: open connections are ended
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _wait(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        ready = subprocess.run([binary("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)], check=False)
        if ready.returncode == 0:
            return
        time.sleep(0.1)
    raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text(errors='replace')[-1000:]}")


def _user(folder: Path) -> list[str]:
    """Return how to run a program as somebody who is not root, which PostgreSQL refuses; the folder becomes theirs."""
    folder.chmod(0o755)
    if os.geteuid() != 0:
        return []
    name = next(each for each in ("postgres", "nobody") if _known(each))
    who = pwd.getpwnam(name)
    os.chown(folder, who.pw_uid, who.pw_gid)
    return [shutil.which("setpriv") or "setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups"]


def _known(name: str) -> bool:
    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False


def _as(user: list[str], command: list[str]) -> None:
    done = subprocess.run([*user, *command], capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name}: {done.stderr[-1000:]}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
