"""A PostgreSQL server of the tests' own: Debian's, started by a user who is not root, gone when the tests are done."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support.project import needs

if TYPE_CHECKING:
    from collections.abc import Iterator

GUARDED = "guarded"
"""A role that needs a password; all others need none."""
_USER = "nobody"
_WAIT = 60.0


def programs() -> Path | None:
    """Return the folder with PostgreSQL's programs, the newest; None where there is none."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    return max(found, key=lambda path: float(path.parent.name)) if found else Path(on_path).parent if on_path else None


class Server:
    """A server on a socket in a folder of its own, or with `tcp` on a port of loopback; `settings` go to
    postgresql.conf."""

    def __init__(self, *, tcp: bool = False, **settings: str) -> None:
        needs(programs(), "PostgreSQL")
        self._programs = programs() or Path()
        self._home = Path(tempfile.mkdtemp(prefix="precaution-pg-"))
        self._settings = {
            "listen_addresses": "''",
            "unix_socket_directories": f"'{self._home}'",
            "fsync": "off",
            **settings,
        }
        self._running: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://precaution@/postgres?host={self._home}"
        if tcp:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            self._settings |= {"listen_addresses": "'127.0.0.1'", "port": str(port)}
            self.url = f"postgresql://precaution@127.0.0.1:{port}/postgres"

    def __enter__(self) -> Server:
        if os.geteuid() == 0:
            shutil.chown(self._home, _USER)
        data = ["-D", str(self._home / "data")]
        made = self._run("initdb", *data, "-A", "trust", "-U", "precaution", "-E", "UTF8", "--no-sync")
        assert made.returncode == 0, made.stdout
        access = self._home / "data" / "pg_hba.conf"
        guarded = f"local all {GUARDED} scram-sha-256\nhost all {GUARDED} 127.0.0.1/32 scram-sha-256\n"
        access.write_text(guarded + access.read_text(encoding="utf-8"), encoding="utf-8")
        with (self._home / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("".join(f"{key} = {value}\n" for key, value in self._settings.items()))
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end(signal.SIGINT)
        shutil.rmtree(self._home, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self._home / "log").open("ab") as log:
            command = self._as_user("postgres", "-D", str(self._home / "data"))
            self._running = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, cwd=self._home, start_new_session=True
            )
        until = time.monotonic() + _WAIT
        port = ("-p", self._settings["port"]) if "port" in self._settings else ()
        while self._run("pg_isready", "-h", str(self._home), *port, "-q").returncode:
            assert time.monotonic() < until, (self._home / "log").read_text()
            time.sleep(0.05)

    def crash(self) -> None:
        """End all of its processes at once, without a chance to write anything."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._running is not None:
            if how is signal.SIGKILL:
                os.killpg(self._running.pid, how)
            else:
                self._running.send_signal(how)
            self._running.wait(_WAIT)
            self._running = None

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self._as_user(program, *arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, cwd="/"
        )

    def _as_user(self, program: str, *arguments: str) -> list[str]:
        """Return a command as root would run it for another user: PostgreSQL refuses to run as root."""
        command = [str(self._programs / program), *arguments]
        if os.geteuid() != 0:
            return command
        user = pwd.getpwnam(_USER)
        return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--", *command]


@contextmanager
def server(*, tcp: bool = False, **settings: str) -> Iterator[str]:
    """Start a server and yield the URL of its database."""
    with Server(tcp=tcp, **settings) as running:
        yield running.url
