"""What workers need is there before they begin, and nothing that they do not need."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from precaution.cohort.label_source import LabelSource
from precaution.cohort.processes import BEGIN, PRELOAD, _environment
from precaution.knowledge.loading import LABELS
from support.ndjson_sources import rows, written
from support.project import PROJECT
from support.small_people import people

OF = LabelSource(str(LABELS / "baricitinib"))
TODAY = "2025-03-01"

# What a worker of a command finds, asked before it has done anything.
ASK = """
import sys
from precaution.cohort.processes import Processes, preload
from precaution.cohort.label_source import LabelSource
from asked import state

if __name__ == "__main__":
    if sys.argv[1] != "none":
        preload(2, [LabelSource(*sys.argv[1:])], ["asked"])
    with Processes(2) as processes:
        print(*processes.run(state, [0]))
"""
STATE = """
import sys

def state(_):
    from precaution.knowledge import loading
    import pyarrow as pa
    pa.array([1, None, 2])
    return [loading._read_once.cache_info().currsize, "pandas" in sys.modules]
"""


def asked(folder: Path, label: str = "", script: str = ASK) -> list[object]:
    (folder / "ask.py").write_text(script)
    (folder / "asked.py").write_text(STATE)
    done = subprocess.run(
        [sys.executable, "ask.py", label],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )
    found: list[object] = json.loads(done.stdout.replace("True", "true").replace("False", "false"))
    return found


@pytest.mark.skipif(BEGIN != "forkserver", reason="workers begin otherwise here")
def test_a_worker_finds_the_label_loaded(tmp_path: Path) -> None:
    assert asked(tmp_path, OF.folder)[0] == 1
    assert asked(tmp_path, "none")[0] == 0


@pytest.mark.skipif(BEGIN != "forkserver", reason="workers begin otherwise here")
def test_a_worker_of_the_python_function_finds_it_too(tmp_path: Path) -> None:
    source = written(tmp_path / "in", people(2))
    script = f"""
from precaution.cohort import cohort
from precaution.cohort.processes import Processes
from asked import state

if __name__ == "__main__":
    cohort({str(source)!r}, {str(tmp_path / "out")!r}, today={TODAY!r}, workers=2)
    with Processes(2) as processes:
        print(*processes.run(state, [0]))
"""
    assert asked(tmp_path, script=script)[0] == 1


def test_a_worker_never_loads_pandas(tmp_path: Path) -> None:
    """pyarrow does, wherever it is installed, to see whether what it is given comes from there."""
    pytest.importorskip("pandas")
    assert asked(tmp_path, OF.folder)[1] is False


@pytest.mark.skipif(BEGIN != "forkserver", reason="workers begin otherwise here")
def test_a_wrong_label_is_left_to_those_who_need_it(tmp_path: Path) -> None:
    assert asked(tmp_path, str(tmp_path / "nowhere"))[0] == 0


def test_only_the_process_that_begins_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PRELOAD, raising=False)
    with _environment([LabelSource("a", Path("b"), (Path("c"), Path("d")))]):
        assert json.loads(os.environ[PRELOAD]) == [["a", "b", ["c", "d"]]]
    with _environment([]):
        assert PRELOAD not in os.environ
    with pytest.raises(ZeroDivisionError), _environment([OF]):
        1 / 0  # noqa: B018
    assert PRELOAD not in os.environ


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "precaution", *map(str, arguments)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_label_in_which_something_is_wrong_is_said_once(tmp_path: Path) -> None:
    source = written(tmp_path / "in", people(3))
    folder = tmp_path / "label"
    shutil.copytree(OF.folder, folder)
    (folder / "label.toml").write_text("[[[")
    done = run("cohort", source, "--out", tmp_path / "out", "--today", TODAY, "--workers", 2, "--label", folder)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.count("precaution: ") == 1
    done = run("cohort", source, "--out", tmp_path / "out", "--today", TODAY, "--label", folder, "--dry-run")
    assert (done.returncode, done.stdout) == (5, "")


@pytest.mark.slow
def test_a_policy_reaches_the_workers(tmp_path: Path) -> None:
    """They decide by the label that was chosen, and not by the one that is there by default."""
    source = written(tmp_path / "in", people(40))
    (tmp_path / "policy.toml").write_text('name = "x"\n[lists]\ncomplete = ["condition", "medication"]\n')
    found = []
    for name, more in (("plain", ()), ("other", ("--policy", tmp_path / "policy.toml"))):
        for workers in (1, 2):
            out = tmp_path / f"{name}-{workers}"
            done = run(
                "cohort", source, "--out", out, "--today", TODAY, "--workers", workers, "--who", "everybody", *more
            )
            assert done.returncode == 0, done.stderr
            found.append(sorted(map(repr, rows(out, "findings"))))
    assert found[0] == found[1]
    assert found[2] == found[3]
    assert found[0] != found[2]
