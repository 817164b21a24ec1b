"""Commands on many patients: cohort, worklist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from precaution.cli import options
from precaution.cli.comparison import comparison_as_dict, comparison_in_text
from precaution.cli.group import precaution
from precaution.cli.output import emit, terminal_width
from precaution.cli.progress import ProgressLine
from precaution.errors import NOT_EVERYBODY, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from precaution.cli.options import ChosenLabels
    from precaution.cohort import Plan, Spark, Summary, Urgent
    from precaution.cohort.comparison import Comparison
    from precaution.cohort.context import LostLines
    from precaution.knowledge.model import Label
    from precaution.service.cohort_answers import CohortAnswers


@precaution.command(
    short_help="Assess many patients: a FHIR export, an OMOP CDM, tables.",
    epilog=options.examples(
        "precaution cohort export/ --out results/ --today 2025-03-01",
        "precaution cohort export/ --out results/ --today 2025-03-01 --dry-run",
        "precaution cohort export/ --out results/ --engine spark --master local[2]",
        "precaution cohort 'postgresql://reader@host/base?schema=cdm' --out results/",
        "precaution worklist results/ --top 20",
    ),
)
@click.argument("source", type=click.Path())
@click.option("--out", required=True, type=click.Path(), metavar="FOLDER", help="Where the results are written.")
@options.day
@options.labels
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Processes. [default: one for each core]")
@click.option(
    "--engine",
    type=click.Choice(["processes", "spark"]),
    default="processes",
    show_default=True,
    help="What does the work: processes of this machine, or Spark.",
)
@click.option("--master", metavar="URL", help="Spark's master: local[2], spark://host:port. [default: local[*]]")
@click.option("--spark-conf", multiple=True, metavar="KEY=VALUE", help="A setting of Spark; may be repeated.")
@click.option(
    "--who",
    metavar="WHO|FILE",
    help="Who is decided: on-drug (taken, paused, ordered, proposed, or stopped in the last 90 days), ever-on-drug, "
    "indication, everybody, or a file with the id of a patient in each line. [default: on-drug; with --audit "
    "ever-on-drug]",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Decide only N patients, always the same ones.")
@click.option(
    "--strict",
    is_flag=True,
    help="Stop at the first problem, with exit code 3.",
)
@click.option("--history", is_flag=True, help="Also write how decisions changed since treatment began.")
@click.option("--entries", is_flag=True, help="Also write the records as tables, which can be a SOURCE again.")
@click.option(
    "--lost-lines",
    type=click.Choice(["everybody", "nobody"]),
    default="everybody",
    show_default=True,
    help="Whose record a line may belong to where that can't be told. With nobody, an answer may lack what it held.",
)
@click.option("--audit", is_flag=True, help="Also write what `precaution audit` and `precaution report` need.")
@click.option(
    "--compare",
    type=click.Path(exists=True, file_okay=False),
    metavar="RESULTS",
    help="Also say who gets another answer than in RESULTS (of another label or policy), and by which sentence.",
)
@click.option("--store", metavar="URL", help="Also heed the answers that the store of `precaution serve` keeps.")
@click.option("--server", metavar="URL", help="With --store: the patients' FHIR server. [default: the only one there]")
@click.option("--overwrite", is_flag=True, help="Replace the results of another run.")
@click.option("--dry-run", is_flag=True, help="Only say what would be read.")
@options.as_json
def cohort(
    chosen: ChosenLabels,
    source: str,
    out: str,
    today: date | None,
    workers: int | None,
    engine: str,
    master: str | None,
    spark_conf: tuple[str, ...],
    who: str | None,
    limit: int | None,
    strict: bool,
    history: bool,
    entries: bool,
    lost_lines: LostLines,
    audit: bool,
    compare: str | None,
    store: str | None,
    server: str | None,
    overwrite: bool,
    dry_run: bool,
    json: bool,
) -> None:
    """Assess every patient of a Bulk FHIR export, of a folder of Bundles, of an OMOP CDM, or of tables.

    SOURCE is a folder of NDJSON files (one resource in each line, any number of files, in any order) or of JSON
    Bundles, or one such file; each may be gzipped. Or an OMOP CDM: a folder of CSV or Parquet, a DuckDB database, or
    postgresql://user@host/name?schema=cdm. Or a folder with `entries` and `persons`, as --entries writes them. One
    bad patient does not stop the run: it is listed among the problems, and the exit code is 6. An interrupted run goes
    on where it ended when it is started again.
    """
    from precaution import cohort as cohorts
    from precaution.cohort.label_source import LabelSource
    from precaution.cohort.processes import keep_out_pandas
    from precaution.writers.structured import as_json, plain

    spark = _spark(engine, master, spark_conf, workers)
    if dry_run:
        _ = chosen.labels  # what is wrong with it is said now, and not only by the run
        plan = cohorts.plan(source, out, workers, spark)
        emit(as_json(plain(plan)) if json else _planned(plan, spark))
        return
    day = options.chosen_day(today, chosen.labels[0])
    for label in chosen.labels:
        _warn_of_readings(label, "this label" if chosen.only else f"the label '{label.name}'")
    if not spark and click.get_current_context().find_root().obj:
        keep_out_pandas()
    try:
        with ProgressLine() as line:
            summary = cohorts.cohort(
                source,
                out,
                today=day,
                labels=[LabelSource(str(each.folder), each.policy, each.codes) for each in chosen.each],
                workers=workers,
                limit=limit or 0,
                strict=strict,
                history=history,
                entries=entries,
                audit=audit,
                lost_lines=lost_lines,
                who=who or ("ever-on-drug" if audit else "on-drug"),
                overwrite=overwrite,
                answers=_answers(store, server, day),
                spark=spark,
                progress=line.show,
            )
    except KeyboardInterrupt:
        raise click.Abort(f"what is done is kept in '{out}'; run the same command again to go on from there") from None
    _warn(summary)
    found = _compared(compare, out) if compare else None
    if json:
        more = {"compared": comparison_as_dict(found)} if found else {}
        emit(as_json({**summary.told(), "clean": summary.clean, **more}))
    else:
        emit(_summed(summary, chosen.labels, out) + (f"\n{comparison_in_text(found)}" if found else ""))
    if not summary.clean:
        raise click.exceptions.Exit(NOT_EVERYBODY)


@precaution.command(
    short_help="Show the most urgent patients of a cohort.",
    epilog=options.examples("precaution worklist results/ --top 20", "precaution worklist results/ --csv worklist.csv"),
)
@click.argument("results", metavar="RESULTS", type=click.Path())
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, metavar="N", help="How many to show.")
@click.option(
    "--csv", "csv", type=click.Path(dir_okay=False), metavar="FILE", help="Write all of them to a CSV file instead."
)
@options.as_json
def worklist(results: str, top: int, csv: str | None, json: bool) -> None:
    """Show the most urgent patients of RESULTS, the folder that `precaution cohort` wrote: one line a patient.

    Gravest action first, then what can't wait, then what is longest overdue.
    """
    from pathlib import Path

    from precaution.cohort.export.worklist import most_urgent, write_csv
    from precaution.cohort.results import stored
    from precaution.writers.structured import as_json, plain

    if csv is not None:
        write_csv(most_urgent(Path(results)), Path(csv))
        _warn(stored(Path(results)))
        return
    found = most_urgent(Path(results), top)
    _warn(stored(Path(results)))
    emit(as_json([plain(each) for each in found]) if json else listed(found, terminal_width()))


def _answers(store: str | None, server: str | None, day: date) -> CohortAnswers | None:
    """Return what clinicians have answered, as a store keeps it; nothing where none is named."""
    if store is None:
        if server is not None:
            raise UsageError("--server says whose patients to look for in a store: give --store too")
        return None
    from precaution.service.cohort_answers import cohort_answers

    return cohort_answers(store, server, day)


def _spark(engine: str, master: str | None, conf: Sequence[str], workers: int | None) -> Spark | None:
    """Return where Spark does the work, or nothing. Raises UsageError for options that do not go together."""
    from precaution.cohort import Spark

    if engine != "spark":
        if master or conf:
            raise UsageError("--master and --spark-conf are for Spark: give --engine spark too")
        return None
    if workers:
        raise UsageError("--workers is for processes; for Spark --master says how many, as --master 'local[2]'")
    if wrong := [each for each in conf if not each.partition("=")[0] or "=" not in each]:
        raise UsageError(f"--spark-conf takes KEY=VALUE, as spark.executor.memory=2g, and not '{wrong[0]}'")
    given = {key: value for key, _, value in (each.partition("=") for each in conf)}
    return Spark(master or Spark().master, given)


def _warn(summary: Summary) -> None:
    """Say it loudly where answers may lack what lost lines held."""
    if summary.disregarded:
        click.echo(
            f"WARNING: {summary.disregarded} lines were lost that may be anybody's, and were taken as nobody's "
            "(--lost-lines nobody):\n         any answer may lack what they held, and may be too mild",
            err=True,
        )


def _warn_of_readings(label: Label, name: str) -> None:
    """Say it loudly where the label's text has changed since it was read: every answer may be wrong."""
    doubtful = [each.id for each in label.says.values() if each.suspect or each.role == "unread"]
    if doubtful:
        click.echo(
            f"WARNING: {len(doubtful)} sentences of {name} are suspect or not read yet ({', '.join(doubtful[:8])}"
            f"{' ...' if doubtful[8:] else ''}):\n         answers may be wrong; `precaution check` lists them",
            err=True,
        )


def _compared(before: str, out: str) -> Comparison:
    from pathlib import Path

    from precaution.cohort.comparison import compared

    return compared(Path(before), Path(out))


def _planned(plan: Plan, spark: Spark | None) -> str:
    on = f"Spark at {spark.master}" if spark else f"{plan.workers} processes"
    lines = [f"{file.size:>14,}  {file.name}" for file in plan.files]
    what = "tables" if "://" in plan.files[0].name else "files"
    lines.append(
        f"{plan.size:>14,}  bytes in {len(plan.files)} {what}; {plan.partitions} partitions, {on}; "
        "nothing was read or written"
    )
    return "\n".join(lines) + "\n"


def _summed(summary: Summary, labels: Sequence[Label], out: str) -> str:
    from precaution.cohort.problems import KINDS
    from precaution.writers.layout import NOTE

    lines = [
        f"{summary.people} patients: {summary.decided} decided, {summary.died} died before, "
        f"{summary.failed} could not be decided",
        *([_left_out(summary)] if summary.left_out else []),
        "",
    ]
    for label in labels:
        counts = summary.by_label.get(label.name, {}) if len(labels) > 1 else summary.actions
        ranked = {action.partition("+")[0]: None for action in label.actions}
        lines += [*([f"{label.name}"] if len(labels) > 1 else [])]
        lines += [f"{counts[action]:>10}  {action}" for action in ranked if action in counts]
    if summary.problems:
        lines += ["", "problems"]
        lines += [f"{count:>10}  {kind}: {KINDS[kind]}" for kind, count in summary.problems.items()]
    return "\n".join([*lines, "", f"hint: `precaution worklist {out}` shows the most urgent", NOTE]) + "\n"


def _left_out(summary: Summary) -> str:
    """Return how many were not decided, and why."""
    return f"{summary.left_out} others were not asked for (--who {summary.who}); --who everybody decides all"


def listed(found: Sequence[Urgent], width: int) -> str:
    """Return the worklist as a table under a header, each line cut at `width` characters; 0 for no limit."""
    if not found:
        return "nobody was decided\n"
    head: tuple[str, ...] = ("patient", "stage", "what", "overdue", "next due", "why")
    rows = [head, *map(_cells, found)]
    if len({each.label for each in found}) > 1:
        labels = ("label", *(each.label for each in found))
        rows = [(row[0], label, *row[1:]) for row, label in zip(rows, labels, strict=True)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = ["  ".join([*map(str.ljust, row, widths), row[-1]]).rstrip() for row in rows]
    return "\n".join(line if len(line) <= width or not width else f"{line[: width - 1]}…" for line in lines) + "\n"


def _cells(each: Urgent) -> tuple[str, ...]:
    from precaution.writers.layout import status

    overdue = f"{each.overdue_days} days" if each.overdue_days else ""
    reason = each.reason + (f" ({each.reason_date})" if each.reason_date else "")
    return (
        printable(each.person),
        each.stage,
        status(each.action, attested=each.attested),
        overdue,
        each.next_due,
        reason,
    )


def printable(text: str) -> str:
    """Return an id without anything that could steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
