"""What a process and all that it started take of the machine, as Linux tells it in /proc."""

from __future__ import annotations

import os
from pathlib import Path

MB = 1_000_000


def tree(root: int) -> list[int]:
    """Return a process and every process below it."""
    below: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        if fields := _stat(path):
            below.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found = [root]
    for each in found:
        found += below.get(each, [])
    return found


def memory(root: int) -> float:
    """Return the MB that a process and all below it hold together (PSS: what several share counts once)."""
    return sum(map(_held, tree(root))) / MB


def processor(root: int) -> dict[int, float]:
    """Return the seconds of the processors that a process and each below it have taken, by process."""
    ticks = os.sysconf("SC_CLK_TCK")
    found = {each: _stat(Path(f"/proc/{each}/stat")) for each in tree(root)}
    return {each: (int(fields[11]) + int(fields[12])) / ticks for each, fields in found.items() if fields}


def _stat(path: Path) -> list[str]:
    """Return the fields of a process from its state on; none where it has ended."""
    try:
        return path.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _held(process: int) -> int:
    """Return the bytes of a process; none where it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
