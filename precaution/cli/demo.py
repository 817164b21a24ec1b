"""The command `demo-cohort`: synthetic patients whose answer is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from precaution.cli import options
from precaution.cli.group import precaution
from precaution.cli.output import emit, writing
from precaution.cli.progress import ProgressLine

if TYPE_CHECKING:
    from datetime import date

    from precaution.cli.options import Chosen
    from precaution.demo import CohortCounts

ENTRIES = 60


@precaution.command(
    "demo-cohort",
    short_help="Write synthetic patients whose answer is known.",
    epilog=options.examples(
        "precaution demo-cohort 1000 --out demo/ --today 2025-03-01",
        "precaution demo-cohort 1000 --out demo/ --form bundles --gzip",
    ),
)
@click.argument("many", metavar="N", type=click.IntRange(min=1, max=10_000_000))
@click.option("--out", required=True, type=click.Path(file_okay=False), metavar="FOLDER", help="A new folder.")
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    metavar="NUMBER",
    help="The same seed and day give the same bytes.",
)
@options.day
@click.option(
    "--form",
    type=click.Choice(["ndjson", "bundles"]),
    default="ndjson",
    show_default=True,
    help="Bulk FHIR files of each resource type, or one Bundle a patient.",
)
@click.option(
    "--entries",
    type=click.IntRange(min=0, max=100_000),
    default=ENTRIES,
    show_default=True,
    metavar="N",
    help="About how many resources a patient has; visits and vital signs fill them up.",
)
@click.option("--gzip", "compressed", is_flag=True, help="Compress the files.")
@options.label
@options.as_json
def demo_cohort(
    chosen: Chosen,
    many: int,
    out: str,
    seed: int,
    today: date | None,
    form: Literal["ndjson", "bundles"],
    entries: int,
    compressed: bool,
    json: bool,
) -> None:
    """Write N synthetic patients, on the label's drug or about to start it, and what must come of each.

    The records stand in FOLDER/fhir, written in the many ways that real records are; FOLDER/truth.ndjson has a line
    a patient: stage, action, and the state of every rule and duty. No real patient stands behind any of them.
    """
    from pathlib import Path

    from precaution.demo import Generator, load_recipes, write_cohort
    from precaution.writers.structured import as_json

    day = options.chosen_day(today)
    recipes = load_recipes(chosen.folder, chosen.label)
    generator = Generator(chosen.label, recipes, seed=seed, today=day, entries=entries, bundled=form == "bundles")
    with writing(out), ProgressLine() as line:
        shown = line.of("patients")
        written = write_cohort(
            generator, many, Path(out), form=form, compressed=compressed, progress=lambda done: shown(done, many)
        )
    emit(as_json({"today": day.isoformat(), "seed": seed, **written._asdict()}) if json else _told(written, out, day))


def _told(written: CohortCounts, out: str, day: date) -> str:
    counts = f"{written.resources:,} resources, {written.files:,} files in {out}"
    lines = [f"{written.patients:,} synthetic patients, {counts}"]
    for title, table in (("stages", written.stages), ("actions", written.actions)):
        lines += ["", title, *(f"  {number:>9,}  {name}" for name, number in table.items())]
    lines += [
        "",
        f"{len(written.traps)} kinds of traps, {len(written.disguises)} kinds of disguises; truth.ndjson "
        "says which stand in whom",
        "",
    ]
    lines.append(f"hint: `precaution cohort {out.rstrip('/')}/fhir --out FOLDER --today {day}` decides them")
    return "\n".join(lines) + "\n"
