"""Writes docs/reference/cds-hooks-conformance.md from the file of requirements beside it; `--check` only compares."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
SOURCE, PAGE = FOLDER / "cds-hooks-conformance.toml", FOLDER / "cds-hooks-conformance.md"

Row = dict[str, object]
HEAD = """# CDS Hooks: what is required, and the test that shows it

Written by `tools/make_conformance.py` from `docs/reference/cds-hooks-conformance.toml`;
`tests/service/test_conformance.py` holds both against the tests that there are. The service speaks [CDS Hooks 2.0](https://cds-hooks.hl7.org/2.0/);
[the guide](../guides/ehr.md) says how it is wired in.
"""
OURS = """
## This project's own requirements

| | requirement | shown by |
|---|---|---|
"""
PUBLIC = """
## The public list

The rows for services of the public list of CDS Hooks 2.0 requirements, by the number it gives them: {tested} of {all}
are shown by a test, the others say why they are not.

| row | about | shown by, or why not |
|---|---|---|
"""


def requirements() -> tuple[dict[str, Row], dict[str, Row]]:
    """Return our requirements and the rows of the public list, by number."""
    read = tomllib.loads(SOURCE.read_text(encoding="utf-8"))
    return read["ours"], read["public"]


def shown(row: Row) -> str:
    """Return the last column of a row."""
    tests = row.get("tests")
    return "<br>".join(f"`tests/{each}`" for each in tests) if isinstance(tests, list) else str(row["excuse"])


def page() -> str:
    """Return the whole page."""
    ours, public = requirements()
    tested = sum("tests" in row for row in public.values())
    lines = [HEAD, OURS, *(f"| {name} | {row['says']} | {shown(row)} |\n" for name, row in ours.items())]
    lines.append(PUBLIC.format(tested=tested, all=len(public)))
    lines += [f"| {name} | {row['about']} | {shown(row)} |\n" for name, row in public.items()]
    return "".join(lines)


def main() -> int:
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page() else 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
