"""Runs that are killed, disks that fill, folders in use: nothing half-written counts, and a rerun makes it whole."""

from __future__ import annotations

import gzip
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from precaution.cli import run as command
from precaution.cohort import cohort, processes, results, run_fhir, run_lock
from precaution.cohort.problems import KINDS, LOSSES
from precaution.cohort.run_lock import join
from precaution.cohort.sort import files, lines
from precaution.errors import InputError, OutputError, UsageError
from support.effort import first, tries
from support.ndjson_sources import Json, rows, written
from support.project import PROJECT

TODAY = "2025-03-01"
SMALL = 100_000
"""Bytes of a partition and of a piece in runs that are killed."""
KILLS = int(os.environ.get("PRECAUTION_KILLS", str(tries(6, 20))))
"""How many runs are killed in all; `make` may set more."""
EXAMPLES = PROJECT / "examples"
linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


def people(count: int) -> list[Json]:
    """Return copies of the examples: records large enough that their results take a while."""
    found: list[Json] = []
    for number in range(count):
        for file in sorted(EXAMPLES.glob("*.json")):
            text = file.read_text(encoding="utf-8")
            resources = [each["resource"] for each in json.loads(text)["entry"]]
            name = next(each["id"] for each in resources if each["resourceType"] == "Patient")
            for each in resources:
                each["id"] = f"{each['id']}-{number}" if each["resourceType"] != "Patient" else f"{name}-{number}"
                for key in ("subject", "patient"):
                    if key in each:
                        each[key] = {"reference": f"Patient/{name}-{number}"}
            found += resources
    return found


def content(out: Path) -> dict[str, bytes]:
    """Return every file of a folder of results, hidden ones too."""
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def started(source: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start a run in a process of its own, in small partitions."""
    small = (
        "import sys; from precaution.cohort.sort import files, lines; from precaution.cli import main; "
        f"lines.SIZE = {SMALL}; files.pieces.__defaults__ = ({SMALL},); main(sys.argv[1:])"
    )
    arguments = [
        "cohort",
        str(source),
        "--out",
        str(out),
        "--today",
        TODAY,
        "--workers",
        "2",
        "--who",
        "everybody",
        *more,
    ]
    return subprocess.Popen(
        [sys.executable, "-c", small, *arguments],
        cwd=PROJECT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def workers_of(parent: int) -> list[int]:
    """Return the processes below a process, whatever lies between."""
    parents: dict[int, int] = {}
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            try:
                parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue  # it has ended
    found, todo = [], [parent]
    while todo:
        above = todo.pop()
        below = [each for each, of in parents.items() if of == above]
        found += below
        todo += below
    return found


@pytest.mark.kills
@linux
def test_killed_at_any_moment_a_rerun_comes_to_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill the run itself or one of its processes, again and again, and each time finish what it left."""
    monkeypatch.setattr(lines, "SIZE", SMALL)
    monkeypatch.setattr(files.pieces, "__defaults__", (SMALL,))
    source, out, dice = written(tmp_path / "in", people(12), files=3), tmp_path / "out", random.Random(5)  # noqa: S311
    begin = time.monotonic()
    started(source, tmp_path / "whole").communicate()
    whole, long = content(tmp_path / "whole"), time.monotonic() - begin
    assert "_SUCCESS" in whole
    left = {"of the run": 0, "of a process": 0, "half done": 0}
    for number in range(KILLS):
        process = started(source, out)
        while number % 3 and process.poll() is None and not list(out.glob(".work/*")):
            time.sleep(0.005)
        time.sleep(dice.uniform(0, long * 0.6))
        below = workers_of(process.pid)
        victim = dice.choice(below) if below and number % 2 else process.pid
        left["of the run" if victim == process.pid else "of a process"] += 1
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        process.communicate(timeout=60)
        done = (out / "_SUCCESS").exists()
        left["half done"] += not done and (out / ".work").exists()
        if done:
            assert {name for name in content(out) if not name.startswith(".work")} == whole.keys()
        copy = tmp_path / f"copy-{number}"
        if out.exists():
            shutil.copytree(out, copy)
        cohort(source, copy, today=TODAY, workers=1)
        assert content(copy) == whole
        shutil.rmtree(copy)
        if done:
            shutil.rmtree(out)
    print(f"{KILLS} kills: {left}; every rerun came to the same {len(whole)} files")  # noqa: T201
    assert left["half done"] > KILLS // 10
    assert left["of a process"]


@pytest.mark.kills
@linux
def test_the_run_says_so_when_a_process_of_it_is_killed(tmp_path: Path) -> None:
    process = started(written(tmp_path / "in", people(40)), tmp_path / "out")
    while process.poll() is None and not list((tmp_path / "out").glob("decisions/*.parquet")):
        time.sleep(0.01)
    for worker in workers_of(process.pid):
        if b"spawn_main" not in Path(f"/proc/{worker}/cmdline").read_bytes():
            os.kill(worker, signal.SIGKILL)
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 1
    assert "ended from outside" in said
    assert not (tmp_path / "out" / "_SUCCESS").exists()


# Folders


def test_a_run_that_ended_before_it_began_is_no_obstacle(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / ".work").mkdir(parents=True)
    (out / ".work" / "run.json.7-abcd.tmp").write_text("{")
    assert cohort(EXAMPLES, out, today=TODAY, workers=1).decided == 7


def test_a_hidden_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out" / ".work").mkdir(parents=True)
    (tmp_path / "out" / ".work" / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="other files"):
        cohort(EXAMPLES, tmp_path / "out", today=TODAY, workers=1, overwrite=True)
    assert (tmp_path / "out" / ".work" / "thesis.txt").exists()


@pytest.mark.parametrize("after", range(6))
def test_an_overwriting_that_ends_anywhere_can_be_done_again(
    after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends after so many folders and files were removed; the folder is still known to be ours."""
    source, out = EXAMPLES, tmp_path / "out"
    cohort(source, tmp_path / "whole", today="2025-03-02", workers=1)
    cohort(source, out, today=TODAY, workers=1)

    class Ended(BaseException):
        pass

    left = [after]
    remove = shutil.rmtree

    def ends(path: Path, **more: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Ended
        remove(path, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", ends)
        with pytest.raises(Ended):
            cohort(source, out, today="2025-03-02", workers=1, overwrite=True)
    assert not (out / "_SUCCESS").exists()
    cohort(source, out, today="2025-03-02", workers=1, overwrite=True)
    assert content(out) == content(tmp_path / "whole")


def test_two_runs_do_not_work_in_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def again(*_: object) -> None:
        cohort(EXAMPLES, tmp_path / "out", today=TODAY, workers=1)

    monkeypatch.setattr(run_fhir, "_check_unchanged", again)
    with pytest.raises(UsageError, match="another run is at work"):
        cohort(EXAMPLES, tmp_path / "out", today=TODAY, workers=1)


def test_what_a_killed_run_left_alive_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "out" / ".work"
    work.mkdir(parents=True)
    held = os.open(work, os.O_RDONLY)
    assert run_lock._locked(held, exclusive=False)
    monkeypatch.setattr(run_lock, "WAIT", 0.05)
    with pytest.raises(UsageError, match="another run is at work"):
        cohort(EXAMPLES, tmp_path / "out", today=TODAY, workers=1)
    os.close(held)
    assert cohort(EXAMPLES, tmp_path / "out", today=TODAY, workers=1).decided == 7


def test_a_worker_is_seen_at_work(tmp_path: Path) -> None:
    join(tmp_path)
    seen = os.open(tmp_path, os.O_RDONLY)
    assert not run_lock._locked(seen, exclusive=True)
    assert run_lock._locked(seen, exclusive=False)
    os.close(seen)
    join(tmp_path / "not there")


def test_a_source_that_changes_meanwhile_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = written(tmp_path / "in", people(1), files=1)
    file = next(source.iterdir())

    def grows(*_: object) -> processes.Watch:
        with file.open("ab") as opened:
            opened.write(b"\n")
        return processes._here

    monkeypatch.setattr(lines, "watch", grows)
    with pytest.raises(InputError, match="changed while it was read"):
        cohort(source, tmp_path / "out", today=TODAY, workers=1)
    assert not (tmp_path / "out" / "_SUCCESS").exists()


def test_a_place_that_cannot_be_made_is_said_with_another_remedy_than_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    source = written(tmp_path / "in", people(2))
    with pytest.raises(OutputError, match=r"can't be written: Not a directory; name a folder that you may write in"):
        cohort(source, tmp_path / "file" / "out", today=TODAY, workers=1)


# Disks that fill


LIMITS = [1_000, 10_000, 30_000, 100_000]
"""Most bytes of one file; the source has 250,000."""


@pytest.mark.parametrize(
    ("limit", "workers"),
    [(10_000, 2), *(pytest.param(limit, workers, marks=pytest.mark.slow) for limit in LIMITS for workers in (1, 2))],
)
def test_files_that_can_not_grow_are_said_and_nothing_counts_as_done(limit: int, workers: int, tmp_path: Path) -> None:
    """The system refuses to write more than so much to a file, as a full disk does: in either pass, in any process."""
    source, out = written(tmp_path / "in", people(8), files=2), tmp_path / "out"
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {resource.RLIM_INFINITY})); "
        "import sys; from precaution.cli import main; main(sys.argv[1:])"
    )
    arguments = ["cohort", str(source), "--out", str(out), "--today", TODAY, "--workers", str(workers)]
    arguments += ["--who", "everybody"]
    found = subprocess.run([sys.executable, "-c", code, *arguments], cwd=PROJECT, capture_output=True, check=False)
    said = found.stderr.decode()
    assert (found.returncode, (out / "_SUCCESS").exists()) in ((1, False), (0, True)), said
    if found.returncode:
        assert "can't be written" in said
        assert "run again" in said
    assert found.returncode == 1 or limit == LIMITS[-1], "at least the smaller ones are too small"
    cohort(source, out, today=TODAY, workers=1)
    cohort(source, tmp_path / "whole", today=TODAY, workers=1)
    assert content(out) == content(tmp_path / "whole")


@pytest.fixture
def small_disk(tmp_path: Path):  # type: ignore[no-untyped-def]
    """A disk of 1 MB, in memory; only root may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here; files that can not grow stand for it")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S607


@pytest.mark.parametrize("count", first(1, [2, 10, 20, 40]))
def test_a_disk_that_fills(count: int, small_disk: Path, tmp_path: Path) -> None:
    """The more patients, the earlier it is full; with more room the same command goes on."""
    source = written(tmp_path / "in", people(count), files=2)
    try:
        cohort(source, small_disk / "out", today=TODAY, workers=1)
    except OutputError as error:
        assert "can't be written" in str(error)  # noqa: PT017
        assert not (small_disk / "out" / "_SUCCESS").exists()
    else:
        assert count == 2
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)  # noqa: S607
    cohort(source, small_disk / "out", today=TODAY, workers=1)
    cohort(source, tmp_path / "whole", today=TODAY, workers=1)
    assert content(small_disk / "out") == content(tmp_path / "whole")


# Lines that are lost


def lossy(folder: Path) -> Path:
    """Write the patient `ready`, who is clear, and lines of each kind that may be anybody's."""
    folder.mkdir()
    shutil.copy(EXAMPLES / "ready.json", folder)
    (folder / "b.ndjson").write_bytes(
        b'nonsense\n{"resourceType":"Condition","id":"c"}\n'
        b'{"resourceType":"OperationOutcome","issue":[{"severity":"error"}]}\n'
    )
    (folder / "manifest.json").write_text('{"transactionTime":"2025","output":[{"type":"Condition","url":"x/gone"}]}')
    (folder / "c.ndjson.gz").write_bytes(gzip.compress(b'{"resourceType":"Encounter"}\n' * 5000)[:-20])
    return folder


def test_lost_lines_are_anybodys_unless_a_site_says_that_they_are_nobodys(tmp_path: Path) -> None:
    source = lossy(tmp_path / "in")
    found = {
        lost: cohort(source, tmp_path / lost, today=TODAY, workers=1, lost_lines=lost)  # type: ignore[arg-type]
        for lost in ("everybody", "nobody")
    }
    assert found["everybody"].actions == {"obtain": 1}
    assert found["nobody"].actions == {"clear": 1}
    for lost, summary in found.items():
        assert set(summary.problems) == LOSSES, "they are told in either case"
        assert not summary.clean
        assert summary.disregarded == (5 if lost == "nobody" else 0)
        assert results.stored(tmp_path / lost) == summary
        for name in ("run.json", "quality.json"):
            assert json.loads((tmp_path / lost / name).read_text())["lost_lines"] == lost
        messages = {row["message"] for row in rows(tmp_path / lost, "problems") if row["kind"] in LOSSES}
        assert len(messages) >= len(LOSSES)
        assert all(("taken as nobody's" in message) == (lost == "nobody") for message in messages)


def test_the_switch_makes_another_run(tmp_path: Path) -> None:
    source = lossy(tmp_path / "in")
    cohort(source, tmp_path / "out", today=TODAY, workers=1)
    with pytest.raises(UsageError, match="lost_lines"):
        cohort(source, tmp_path / "out", today=TODAY, workers=1, lost_lines="nobody")
    with pytest.raises(UsageError, match="everybody or nobody"):
        cohort(source, tmp_path / "out", today=TODAY, workers=1, lost_lines="no")  # type: ignore[arg-type]


def test_the_switch_is_loud(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    arguments = ["cohort", str(lossy(tmp_path / "in")), "--out", out, "--today", TODAY, "--workers", "1"]
    assert command([*arguments, "--lost-lines", "nobody"]) == 6
    assert capsys.readouterr().err.startswith("WARNING: 5 lines were lost that may be anybody's")
    for more in ([], ["--json"], ["--csv", str(tmp_path / "w.csv")]):
        assert command(["worklist", out, *more]) == 0
        assert "WARNING" in capsys.readouterr().err
    assert command([*arguments, "--overwrite"]) == 6
    assert command(["worklist", out]) == 0
    assert capsys.readouterr().err == ""


def test_with_nothing_lost_the_switch_changes_nothing_and_says_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for lost in ("everybody", "nobody"):
        arguments = ["cohort", str(EXAMPLES), "--out", str(tmp_path / lost), "--today", TODAY, "--workers", "1"]
        assert command([*arguments, "--lost-lines", lost]) == 0
        assert capsys.readouterr().err == ""
    one, other = content(tmp_path / "everybody"), content(tmp_path / "nobody")
    assert {name for name in one if one[name] != other[name]} == {"run.json", "quality.json"}


def test_every_loss_is_a_kind_of_problem() -> None:
    assert set(KINDS) >= LOSSES
