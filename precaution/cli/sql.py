"""The command `sql`: a label's rules for a warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from precaution.cli import options
from precaution.cli.group import precaution
from precaution.cli.output import emit, writing

if TYPE_CHECKING:
    from datetime import date

    from precaution.cli.options import Chosen
    from precaution.knowledge.refers import Stage


@precaution.command(
    short_help="Write the rules as SQL, for a warehouse.",
    epilog=options.examples(
        "precaution sql --dialect duckdb --today 2025-03-01 --out rules.sql",
        "precaution sql --dialect postgres | psql warehouse",
    ),
)
@click.option("--dialect", required=True, metavar="DIALECT", help="duckdb, postgres, spark; others are not tested.")
@click.option(
    "--today",
    type=options.Day(),
    metavar="DAY",
    help="Day of the decision, as 2025-03-01. [default: a day for each person, from the table `asked`]",
)
@click.option(
    "--stage",
    type=click.Choice(["before-start", "on-treatment", "interrupted"]),
    help="Where everybody's treatment stands, with --today. [default: read from the entries]",
)
@options.label
@click.option("--out", type=click.Path(dir_okay=False), metavar="FILE", help="Write to a file instead of stdout.")
def sql(chosen: Chosen, dialect: str, today: date | None, stage: Stage | None, out: str | None) -> None:
    """Write the label's facts, rules, duties and decision as one SQL script.

    It runs inside a warehouse over the tables `entries` and `persons`, and leaves the tables `precaution_facts`,
    `precaution_rules`, `precaution_duties` and `precaution_decisions`.
    """
    from precaution.sql import TESTED, script_of

    script = script_of(chosen.label, dialect, today=today.toordinal() if today else None, stage=stage)
    if dialect not in TESTED:
        click.echo(f"precaution: '{dialect}' is not tested: only {', '.join(TESTED)} are", err=True)
    if out is None:
        emit(script)
    else:
        _write(script, out)


def _write(script: str, out: str) -> None:
    """Write a file whole or not at all."""
    from pathlib import Path

    path = Path(out)
    part = path.with_name(f"{path.name}.part")
    with writing(out):
        part.write_text(script, encoding="utf-8")
        part.replace(path)
