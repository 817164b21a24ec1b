"""The command `letters`: a letter about a patient, as a page to print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from precaution.cli import options
from precaution.cli.group import precaution
from precaution.cli.output import emit
from precaution.errors import InputError

if TYPE_CHECKING:
    from datetime import date

    from precaution.cli.options import Chosen


@precaution.command(
    short_help="Write a letter about a patient, or an alert card, to print.",
    epilog=options.examples(
        "precaution letters patient.json --name Ada --letter recall > recall.html",
        "precaution letters patient.json --name Ada --letter family-doctor",
        "precaution letters patient.json --name Ada --letter alert-card > card.html",
    ),
)
@options.patient
@click.option(
    "--letter",
    metavar="NAME",
    default="recall",
    show_default=True,
    help="recall, family-doctor, alert-card, or a template of your folder.",
)
@click.option(
    "--templates",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Your site's own templates (Jinja2): one of the same name replaces ours.",
)
@click.option("--name", "shown", required=True, help="The patient's name or id, as the letter shows it.")
@options.day
@options.situation
@options.label
def letters(
    chosen: Chosen,
    patient: str,
    letter: str,
    templates: Path | None,
    shown: str,
    today: date | None,
    stage: str | None,
    answers: tuple[str, ...],
) -> None:
    """Write a letter about a patient as a page (HTML) to print: what is due when, or what to heed.

    Where the label asks for more than a letter by post is early enough for, a message says so.
    """
    from precaution.assessment import assess
    from precaution.clinic.paper import letter_for, letter_page, load_alerts

    day = options.chosen_day(today, chosen.label)
    record = options.chosen_record(patient, chosen.label, day)
    if record.died is not None:
        raise InputError("the record says that the patient has died: no letter is written")
    decision = assess(record, today=day, label=chosen.label, stage=stage, answers=answers, everything=True)
    filled = letter_for(decision, chosen.label, load_alerts(chosen.folder, chosen.label), shown)
    page = letter_page(letter, filled, templates)
    if not filled.waits:
        click.echo(f"precaution: call this patient today: the label asks to {filled.verdict}", err=True)
    emit(page)
