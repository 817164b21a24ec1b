"""The command `clinic`: the list, the patient and the paper as pages on this machine."""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, NoReturn

import click

from precaution.cli import options
from precaution.cli.group import precaution
from precaution.cli.progress import ProgressLine
from precaution.errors import UsageError

if TYPE_CHECKING:
    from datetime import date
    from typing import Literal

    from precaution.cli.options import Chosen
    from precaution.clinic.answering import ClinicAnswers
    from precaution.clinic.opening import OpenedResults
    from precaution.clinic.people import PersonDetails
    from precaution.knowledge.model import Label


@precaution.command(
    short_help="Show list, patients and a paper checklist in a browser.",
    epilog=options.examples(
        "precaution clinic export/",
        "precaution clinic export/ --out results/ --today 2025-03-01",
        "precaution clinic results/ --who everybody --no-browser",
    ),
)
@click.argument("source", metavar="SOURCE")
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    metavar="FOLDER",
    help="Keep the results there. [default: a private folder, removed at the end]",
)
@options.day
@click.option(
    "--who",
    type=click.Choice(["on-drug", "everybody"]),
    default="on-drug",
    show_default=True,
    help="Who is on the list at first: those with the drug (taken, paused, ordered, or stopped lately), or all.",
)
@click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", help="0 takes any. [default: 8090, or any]")
@click.option("--no-browser", is_flag=True, help="Only print the address, and open no browser.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Processes. [default: one for each core]")
@click.option(
    "--people",
    metavar="FILE",
    help="Show names, numbers, birth dates, sites and clinicians of the FHIR files: FILE keeps them, and nothing else "
    "does; only you can read it. With results: FILE as an earlier run left it.",
)
@click.option("--store", metavar="URL", help="Keep answers there, as `precaution serve` does. [default: until ended]")
@click.option("--server", metavar="URL", help="With --store: the patients' FHIR server. [default: the only one there]")
@click.option(
    "--letters",
    type=click.Path(exists=True, file_okay=False),
    metavar="FOLDER",
    help="Your site's own letters (Jinja2): one of the same name replaces ours.",
)
@click.option("--overwrite", is_flag=True, help="Replace the results of another run in --out.")
@options.label
def clinic(
    chosen: Chosen,
    source: str,
    out: str | None,
    today: date | None,
    who: Literal["on-drug", "everybody"],
    port: int | None,
    no_browser: bool,
    workers: int | None,
    people: str | None,
    store: str | None,
    server: str | None,
    letters: str | None,
    overwrite: bool,
) -> None:
    """Decide everybody of SOURCE, and show the list, each patient's page and a start checklist in a browser.

    SOURCE is what `precaution cohort` takes: FHIR files, tables, an OMOP CDM; or a folder of its results made with
    --entries, which are shown as they are. The pages are there for this machine alone, at the address that is
    printed, and only for who has the key in it. Ctrl-C ends it.
    """
    from pathlib import Path

    try:
        from precaution.clinic.app import make_clinic
        from precaution.clinic.serving import serve_clinic
    except ImportError:
        raise UsageError("the pages need more: install it with `pip install '.[clinic]'` in its folder") from None
    signal.signal(signal.SIGTERM, _end)  # else what nobody asked to keep would be left
    with ExitStack() as stack:
        opened = _opened(stack, chosen, source, out, today, workers, overwrite=overwrite)
        answers = _answers(stack, chosen.label, opened.today, store, server)
        own = Path(letters) if letters else None
        made = make_clinic(opened, chosen.folder, chosen.label, who, _names(source, people), answers, own)
        many = made.people.count()
        click.echo(
            f"precaution: {many['everybody']} patients decided for {opened.today}, {many['on-drug']} with the drug",
            err=True,
        )
        serve_clinic(made, port, _told, browser=not no_browser)
    click.echo("precaution: ended", err=True)


def _opened(
    stack: ExitStack,
    chosen: Chosen,
    source: str,
    out: str | None,
    today: date | None,
    workers: int | None,
    *,
    overwrite: bool,
) -> OpenedResults:
    """Return what is shown; a folder that nobody asked to keep is removed when `stack` is left."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from precaution.clinic.opening import decided_results, is_results, opened_results

    if is_results(source) and out is None:
        opened = opened_results(Path(source), chosen.label)
        if today is not None and today != opened.today:
            raise UsageError(
                f"these are results of {opened.today}; for another day decide the records anew, with --out"
            )
        return opened
    folder = out or stack.enter_context(TemporaryDirectory(prefix="precaution-clinic-"))
    day = options.chosen_day(today)
    with ProgressLine() as line:
        return decided_results(
            source,
            Path(folder) if out else Path(folder) / "results",
            day,
            label=chosen.folder,
            policy=chosen.policy,
            codes=chosen.codes,
            workers=workers,
            overwrite=overwrite,
            progress=line.show,
        )


def _answers(stack: ExitStack, label: Label, today: date, url: str | None, server: str | None) -> ClinicAnswers:
    """Return where answers are kept: in the store that is named, or in one that goes when `stack` is left."""
    from tempfile import TemporaryDirectory

    from precaution.clinic.answering import SERVER, ClinicAnswers
    from precaution.service.store import Store

    if url is None:
        folder = stack.enter_context(TemporaryDirectory(prefix="precaution-answers-"))
        kept = Store(f"sqlite:///{folder}/answers.sqlite").open()
    else:
        kept = Store(url).open()
    stack.callback(kept.close)
    servers = [server] if server else kept.every_server() or [SERVER]
    if servers[1:]:
        raise UsageError("--store keeps patients of several servers; name one with --server: " + ", ".join(servers))
    return ClinicAnswers(kept, servers[0], label, today.toordinal(), lasting=url is not None)


def _names(source: str, file: str | None) -> list[PersonDetails]:
    """Return who the patients are, if that was asked for."""
    from pathlib import Path

    from precaution.clinic.opening import is_results
    from precaution.clinic.people import keep_people, kept_people
    from precaution.cohort.run_omop import is_omop
    from precaution.cohort.run_tables import is_tables

    if file is None:
        return []
    if not is_results(source):
        if is_omop(source) or is_tables(Path(source)):
            raise UsageError("--people reads names of FHIR files; the tables of this source hold none")
        keep_people(Path(source), Path(file))
    return kept_people(Path(file))


def _end(number: int, _: object) -> NoReturn:
    """Leave as a shell expects of who was told to end, but by the usual way out."""
    raise click.exceptions.Exit(128 + number)


def _told(address: str) -> None:
    """Print the address to who waits for it: a person at a terminal, or a program that reads it."""
    click.echo(address)
    sys.stdout.flush()
    click.echo("precaution: open this address in a browser of this machine; Ctrl-C ends it", err=True)
