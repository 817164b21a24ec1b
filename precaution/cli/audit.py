"""Commands on the results of a cohort: audit, report, export."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from precaution.cli import options
from precaution.cli.group import precaution
from precaution.cli.output import emit
from precaution.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from precaution.cli.options import Chosen, ChosenLabels
    from precaution.knowledge.model import Label

_TRAIL = ("verify", "head", "export")
"""Commands of `precaution store` that were once looked for here."""

_min_count = click.option(
    "--min-count",
    "smallest",
    type=click.IntRange(min=1),
    metavar="N",
    help="The smallest number of patients that is shown. [default: the label's parameter]",
)


class _AuditCommand(click.Command):
    """`precaution audit`, which says where the commands of the service's audit trail are."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments. Raises UsageError for a command of the trail that is no folder of results."""
        from pathlib import Path

        if args and args[0] in _TRAIL and not Path(args[0]).exists():
            raise UsageError(
                f"`precaution audit` counts how a label is kept to in a cohort; there is no folder '{args[0]}'\n"
                f"hint: `precaution store {args[0]}` is for the audit trail of `precaution serve`"
            )
        return super().parse_args(ctx, args)


@precaution.command(
    cls=_AuditCommand,
    short_help="Count how a label is kept to in a cohort.",
    epilog=options.examples(
        "precaution cohort export/ --out results/ --today 2025-03-01 --audit",
        "precaution audit results/ --strata age,year",
        "precaution audit results/ --csv sheets/",
    ),
)
@click.argument("results", metavar="RESULTS", type=click.Path())
@options.labels
@click.option("--strata", default="", metavar="NAMES", help="Split the counts by age, sex, year and site: any of them.")
@_min_count
@click.option("--csv", "csv", type=click.Path(file_okay=False), metavar="FOLDER", help="Write audit.csv there instead.")
@options.as_json
def audit(chosen: ChosenLabels, results: str, strata: str, smallest: int | None, csv: str | None, json: bool) -> None:
    """Count the label's measures over RESULTS, the folder that `precaution cohort --audit` wrote.

    Each measure says yes, no and unknown; who is unknown is never counted as no. Small numbers of patients are not
    shown, nor anything from which they could be worked out.
    """
    from pathlib import Path

    from precaution.audit import audit_cohort
    from precaution.audit.wording import in_json, in_text, write_csv
    from precaution.writers.structured import as_json

    names = [name.strip() for name in strata.split(",") if name.strip()]
    labels = _that_decided(chosen, Path(results))
    found = [audit_cohort(Path(results), each, names, smallest) for each in labels]
    if csv is not None:
        for each in found:
            write_csv(each, Path(csv) if chosen.only else Path(csv, each.label.name))
    elif json:
        emit(as_json(in_json(found[0]) if chosen.only else {"audits": [in_json(each) for each in found]}))
    else:
        emit("\n".join(map(in_text, found)))


def _that_decided(chosen: ChosenLabels, results: Path) -> list[Label]:
    """Return the labels asked for: of all labels those that decided RESULTS. Raises UsageError where there is none."""
    from precaution.audit.counting import labels_of

    if not chosen.all:
        return list(chosen.labels)
    there = labels_of(results)
    if not (found := [label for label in chosen.labels if label.digest in there]):
        raise UsageError("no label of the package decided these results; name the label with --label")
    return found


@precaution.command(
    short_help="Write the same audit as one HTML page.",
    epilog=options.examples(
        "precaution report results/ --out report.html",
        "precaution report results/ --out report.html --worklist 0",
    ),
)
@click.argument("results", metavar="RESULTS", type=click.Path())
@click.option("--out", required=True, type=click.Path(dir_okay=False), metavar="FILE", help="The page to write.")
@options.label
@click.option(
    "--worklist",
    "top",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help="How many of the most urgent patients are named; with 0 nobody is.",
)
@_min_count
def report(chosen: Chosen, results: str, out: str, top: int, smallest: int | None) -> None:
    """Write the audit of RESULTS, the folder that `precaution cohort --audit` wrote, as one HTML page.

    The page needs nothing else: no script, no network. It prints on A4.
    """
    from pathlib import Path

    from precaution.audit import audit_cohort
    from precaution.audit.report import STRATA, write_report

    write_report(audit_cohort(Path(results), chosen.label, STRATA, smallest), Path(results), Path(out), top)


@precaution.command(
    short_help="Write a cohort's results as CSV, what is due as a calendar.",
    epilog=options.examples("precaution export results/ --csv sheets/", "precaution export results/ --ics due.ics"),
)
@click.argument("results", metavar="RESULTS", type=click.Path())
@click.option("--csv", "csv", type=click.Path(file_okay=False), metavar="FOLDER", help="Write every table as CSV.")
@click.option("--ics", "ics", type=click.Path(dir_okay=False), metavar="FILE", help="Write what is due as iCalendar.")
def export(results: str, csv: str | None, ics: str | None) -> None:
    """Write RESULTS, the folder that `precaution cohort` wrote, for other programs.

    The sheets and the calendar name patients by their ids: keep them as you keep the records. A cell that a
    spreadsheet would take as a formula begins with an apostrophe.
    """
    from pathlib import Path

    from precaution.cohort.export.calendar import write_calendar
    from precaution.cohort.export.csv import write_sheets

    if csv is None and ics is None:
        raise UsageError("say what to write: --csv FOLDER, --ics FILE, or both")
    if csv is not None:
        write_sheets(Path(results), Path(csv))
    if ics is not None:
        write_calendar(Path(results), Path(ics))
