"""The command: it decides, says where the pages are, serves this machine alone, and ends clean."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

pytest.importorskip("duckdb")
pytest.importorskip("starlette")

from precaution.cli import run
from support.clinic_pages import TODAY, people, write
from support.effort import first
from support.project import heed_interrupts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPTIONS = ("--no-browser", "--port", "0", "--workers", "1")


@contextmanager
def started(*arguments: str, temporary: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command; yields the process and the address that it prints."""
    command = [sys.executable, "-m", "precaution", "clinic", *arguments, *OPTIONS]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
        preexec_fn=heed_interrupts,  # noqa: PLW1509 - it takes no lock
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "fhir", people())


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


def decide(source: Path, out: Path, *more: str) -> None:
    """Decide everybody, as `precaution cohort` does."""
    arguments = ["cohort", str(source), "--out", str(out), "--who", "everybody", "--today", TODAY, "--workers", "1"]
    assert run([*arguments, *more]) in (0, 6)


@pytest.mark.parametrize("end", first(1, [signal.SIGINT, signal.SIGTERM]))
def test_it_decides_serves_and_leaves_nothing_behind(source: Path, temporary: Path, end: signal.Signals) -> None:
    with started(str(source), "--today", TODAY, temporary=temporary) as (process, address):
        base = address.partition("/?key=")[0]
        assert base.startswith("http://127.0.0.1:")
        with httpx.Client(base_url=base, follow_redirects=True) as browser:
            assert browser.get("/").status_code == 403
            page = browser.get(address.removeprefix(base))
            assert "key=" not in str(page.url)
            assert "followed" in page.text
        (kept,) = temporary.glob("precaution-clinic-*")
        assert kept.stat().st_mode & 0o077 == 0, "nobody else may read it"
        process.send_signal(end)
        out, err = process.communicate(timeout=60)
        assert process.returncode == (0 if end == signal.SIGINT else 143)
        assert "Traceback" not in err
        assert out == ""
        assert not list(temporary.glob("precaution-clinic-*"))


def test_it_listens_at_this_machine_alone(source: Path, temporary: Path) -> None:
    with started(str(source), "--today", TODAY, temporary=temporary) as (_, address):
        port = int(address.partition("/?")[0].rpartition(":")[2])
        with socket.socket() as other:
            other.bind(("127.0.0.2", port))  # were it listened at on every address, this could not be taken
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 403


def test_results_are_shown_as_they_are_and_kept(source: Path, temporary: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    assert run(
        [
            "cohort",
            str(source),
            "--out",
            str(out),
            "--who",
            "everybody",
            "--today",
            TODAY,
            "--entries",
            "--workers",
            "1",
        ]
    ) in (0, 6)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with (
        started(str(out), "--who", "everybody", temporary=temporary) as (process, address),
        httpx.Client(follow_redirects=True) as browser,
    ):
        assert "stopped-long-ago" in browser.get(address).text
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(
    ("made", "asked", "says"),
    [
        (["--entries"], ["--today", "2025-03-02"], "these are results of 2025-03-01"),
        ([], [], "--entries"),
        (["--entries"], ["--policy", "POLICY"], "another label, policy or code lists"),
    ],
)
def test_results_that_do_not_fit_are_refused(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], made: list[str], asked: list[str], says: str
) -> None:
    out, policy = tmp_path / "results", tmp_path / "policy.toml"
    policy.write_text('name = "x"\n[parameter]\ntherapy-gap = "60 days"\n')
    assert run(
        ["cohort", str(source), "--out", str(out), "--who", "everybody", "--today", TODAY, "--workers", "1", *made]
    ) in (0, 6)
    capsys.readouterr()
    asked = [str(policy) if each == "POLICY" else each for each in asked]
    assert run(["clinic", str(out), *OPTIONS, *asked]) != 0
    assert says in capsys.readouterr().err


def test_results_that_are_not_whole_are_refused(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results"
    assert run(
        [
            "cohort",
            str(source),
            "--out",
            str(out),
            "--who",
            "everybody",
            "--today",
            TODAY,
            "--entries",
            "--workers",
            "1",
        ]
    ) in (0, 6)
    (out / "_SUCCESS").unlink()
    assert run(["clinic", str(out), *OPTIONS]) == 3
    assert "no complete results" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        arguments = ["clinic", str(source), "--today", TODAY, "--no-browser", "--workers", "1", "--port", port]
        assert run(arguments) == 2
    assert f"port {port} of this machine can't be listened at" in capsys.readouterr().err


def test_a_source_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["clinic", str(tmp_path / "none"), "--today", TODAY, *OPTIONS]) == 3
    assert "none" in capsys.readouterr().err
