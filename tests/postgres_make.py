"""A PostgreSQL server of the tests' own: Debian's, started by a user who is not root, gone when the tests are done."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from conftest import needs

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOBODY = "nobody"
_WAIT = 60.0


def programs() -> Path | None:
    """Return the folder with PostgreSQL's programs, the newest; None where there is none."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    return max(found, key=lambda path: float(path.parent.name)) if found else Path(on_path).parent if on_path else None


@contextmanager
def server(**settings: str) -> Iterator[str]:
    """Start a server and yield the URL of its database; more `settings` go to postgresql.conf."""
    folder = programs()
    needs(folder, "PostgreSQL")
    with tempfile.TemporaryDirectory(prefix="precaution-pg-") as name:
        home = Path(name)
        if os.geteuid() == 0:
            shutil.chown(home, _NOBODY)
        data = home / "data"
        _run([str(folder / "initdb"), "-D", str(data), "-A", "trust", "-U", "precaution", "-E", "UTF8", "--no-sync"])
        conf = {"listen_addresses": "''", "unix_socket_directories": f"'{home}'", "fsync": "off", **settings}
        with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("".join(f"{key} = {value}\n" for key, value in conf.items()))
        log = (home / "log").open("wb")
        running = subprocess.Popen(
            _as_user([str(folder / "postgres"), "-D", str(data)]), stdout=log, stderr=subprocess.STDOUT, cwd=home
        )
        try:
            _wait(folder / "pg_isready", home)
            yield f"postgresql://precaution@/postgres?host={home}"
        finally:
            running.terminate()  # SIGTERM: no new sessions; SIGINT ends those that are open
            running.send_signal(2)
            running.wait(_WAIT)
            log.close()


def _as_user(command: list[str]) -> list[str]:
    """Return the command as root would run it for another user: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return command
    user = pwd.getpwnam(_NOBODY)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--", *command]


def _run(command: list[str]) -> None:
    done = subprocess.run(_as_user(command), capture_output=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr.decode()


def _wait(ready: Path, home: Path) -> None:
    until = time.monotonic() + _WAIT
    while subprocess.run([str(ready), "-h", str(home), "-q"], check=False).returncode:
        assert time.monotonic() < until, (home / "log").read_text()
        time.sleep(0.05)
