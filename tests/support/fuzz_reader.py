"""Looks for a record that is neither read nor refused: `cd tests; python -m support.fuzz_reader 100000 /tmp/seeds`.

atheris watches which lines of the readers a record reaches, and keeps records that reach new ones. A record is changed
as JSON, so that it stays JSON and gets past the parser; now and then as bytes.
"""

from __future__ import annotations

import json
import random
import sys
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["precaution.readers"]):
    from precaution.readers import read_bytes

from precaution import load_label
from precaution.errors import PrecautionError
from support.fuzz_hooks import NAMES, changed_once
from support.hook_calls import example

LABEL = load_label("baricitinib")
LONGEST = 8192


def once(data: bytes) -> None:
    """Read a record; anything but a record or an error of ours ends the process with a trace."""
    with suppress(PrecautionError):
        read_bytes(data, LABEL.terminology, LABEL.asks)


def changed(data: bytes, longest: int, seed: int) -> bytes:
    """Return a record with one place of it changed."""
    dice = random.Random(seed)  # noqa: S311
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if value is None or dice.random() < 0.05:
        return bytes(atheris.Mutate(data, longest))
    changed_once(value, dice)
    return json.dumps(value).encode()[:longest]


def seeds(folder: Path) -> str:
    """Write records to begin with, a patient and one resource each, and return their folder."""
    folder.mkdir(exist_ok=True)
    for name in NAMES:
        for number, resource in enumerate(example(name)):
            (folder / f"{name}-{number}").write_text(json.dumps([example(name)[0], resource]), encoding="utf-8")
    return str(folder)


if __name__ == "__main__":
    options = [
        sys.argv[0],
        f"-atheris_runs={sys.argv[1]}",
        f"-max_len={LONGEST}",
        "-len_control=0",
        seeds(Path(sys.argv[2])),
    ]
    atheris.Setup(options, once, custom_mutator=changed)
    atheris.Fuzz()
