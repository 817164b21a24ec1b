"""Code blocks of the documentation: found, run, and recorded anew by `cd tests; python -m support.doc_blocks`.

Blocks marked `console` hold commands after `$ ` and their exact output; `pycon` blocks are doctests; `toml` and
`json` blocks must be well formed. Blocks marked `sh` show set-up that no test runs.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from support.project import PROJECT

PAGES = sorted(
    [
        *PROJECT.glob("*.md"),
        *PROJECT.glob("examples/*.md"),
        *PROJECT.glob("benchmarks/*.md"),
        *(page for page in PROJECT.glob("docs/**/*.md") if page.parent.name != "clinicians"),
    ]
)
"""Every page written by people."""
_BLOCK = re.compile(r"^```([a-z]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A code block of a page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(PROJECT)}:{self.line}"


def blocks(language: str, pages: list[Path] = PAGES) -> list[Block]:
    """Return the blocks of a language in the pages that exist."""
    found = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        found += [
            Block(page, text.count("\n", 0, match.start()) + 1, language, match[2])
            for match in _BLOCK.finditer(text)
            if match[1] == language
        ]
    return found


def commands(text: str) -> list[str]:
    """Return the commands of a console block, without the `$ `."""
    return [line[2:] for line in text.splitlines() if line.startswith("$ ")]


def played(text: str) -> str:
    """Return a console block as it is when its commands are run now, in the project's folder.

    What a page writes to /tmp is written to a folder of the block's own: others may have the same names there.
    """
    with tempfile.TemporaryDirectory() as folder:
        return _played(text.replace("/tmp/", f"{folder}/")).replace(f"{folder}/", "/tmp/")  # noqa: S108


def _played(text: str) -> str:
    played, code = "", 0
    for command in commands(text):
        done = subprocess.run(
            ["sh", "-c", command.replace("$?", str(code))],  # noqa: S607
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=PROJECT,
            env=_environment(),
            check=False,
        )
        code = done.returncode
        played += f"$ {command}\n{done.stdout.decode('utf-8')}"
    return played


def _environment() -> dict[str, str]:
    """Return an environment in which `precaution` is this project's, and prints as into a file."""
    kept = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "PRECAUTION_TRACEBACK")}
    path = os.pathsep.join([str(_commands()), kept.get("PATH", "")])
    return {**kept, "PATH": path, "PYTHONPATH": str(PROJECT), "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8"}


_made: list[tempfile.TemporaryDirectory[str]] = []


def _commands() -> Path:
    """Return a folder with the command `precaution`."""
    if not _made:
        _made.append(tempfile.TemporaryDirectory())
        script = Path(_made[0].name, "precaution")
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m precaution "$@"\n', encoding="utf-8")
        script.chmod(0o755)
    return Path(_made[0].name)


def can_play() -> bool:
    """Whether there is a shell to play console blocks in."""
    return shutil.which("sh") is not None


def failures(block: Block) -> str:
    """Return what goes wrong with a `pycon` block, as doctest says it; nothing where all is well."""
    said: list[str] = []
    example = doctest.DocTestParser().get_doctest(block.text, {}, str(block), str(block.page), block.line)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    before = Path.cwd()
    os.chdir(PROJECT)
    try:
        runner.run(example, out=said.append)
    finally:
        os.chdir(before)
    return "".join(said)


def _anew(found: re.Match[str]) -> str:
    return f"```console\n{played(found[2])}```" if found[1] == "console" else found[0]


def record() -> None:
    """Write the output of every console block anew."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        anew = _BLOCK.sub(_anew, text)
        if anew != text:
            page.write_text(anew, encoding="utf-8", newline="\n")
            print(f"recorded {page.relative_to(PROJECT)}")  # noqa: T201


if __name__ == "__main__":
    record()
