"""Commands on a label: explain, label, check, booklet; and completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from precaution.cli import options
from precaution.cli.group import Helpful, precaution
from precaution.cli.output import emit, writing
from precaution.cli.progress import ProgressLine
from precaution.errors import KnowledgeError, UsageError

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from precaution.cli.options import Chosen
    from precaution.knowledge.model import Label


@precaution.command(
    short_help="Explain a rule, a duty or a sentence, with its cases.",
    epilog=options.examples(
        "precaution explain low-neutrophils",
        "precaution explain S19 --text label.txt",
        "precaution explain low-neutrophils patient.json --today 2025-03-01",
    ),
)
@click.argument("rule", metavar="NAME")
@click.argument("patient", type=click.Path(allow_dash=True), required=False)
@options.words
@options.day
@options.situation
@options.label
def explain(
    chosen: Chosen,
    rule: str,
    patient: str | None,
    text: str | None,
    today: date | None,
    stage: str | None,
    answers: tuple[str, ...],
) -> None:
    """Explain a rule or duty: the label's sentence, how it is read, the parameters, the cases.

    NAME is that of a rule or duty, or a sentence's number (S19); `precaution label` lists them. With PATIENT, a record
    as `precaution assess` takes it, also the evidence, and what would change the answer.
    """
    from precaution.cli.patients import decided
    from precaution.writers.explanation import explained
    from precaution.writers.rule_content import rules_and_duties

    names = rules_and_duties(chosen.label, rule)  # a misspelt name is said before a patient is read
    words = exact_words(chosen.label, text) if text else {}
    decision = decided(chosen.label, patient, today, stage, answers, everything=True)[0] if patient else None
    emit(explained(chosen.label, rule, cases=chosen.cases(names), words=words, decision=decision))


def exact_words(label: Label, file: str) -> dict[str, str]:
    """Return the exact sentences by id, from the label's own text.

    Raises InputError where the file is not that text: every sentence must have the digest that the label gives.
    """
    from pathlib import Path

    from precaution.revision.changes import concerned
    from precaution.revision.changes import exact_words as words_in
    from precaution.revision.texts import read_text

    return words_in(label, concerned(label, read_text(Path(file))))


@precaution.group(
    "label",
    cls=Helpful,
    invoke_without_command=True,
    short_help="List what a label holds; take a new text over.",
    epilog=options.examples("precaution label", "precaution label --json", "precaution label diff baricitinib new.txt"),
)
@options.label
@options.as_json
def label_(chosen: Chosen, json: bool) -> None:
    """Show a label: where it comes from, known differences, sentences, rules, duties, parameters, questions.

    With one of its commands: what a new text changes in a label, and how it is taken over.
    """
    if click.get_current_context().invoked_subcommand:
        return
    from precaution.writers import listing
    from precaution.writers.structured import as_json

    emit(as_json(listing.label_as_dict(chosen.label)) if json else listing.label_in_text(chosen.label))


@precaution.command(
    short_help="List the labels: source, date, how much is read and signed.",
    epilog=options.examples("precaution labels", "precaution labels my-label/ --json"),
)
@click.argument("folders", metavar="[FOLDER]...", nargs=-1)
@options.as_json
def labels(folders: tuple[str, ...], json: bool) -> None:
    """List the labels of the package, and those in each FOLDER: drug, text, region and date.

    Also how many sentences of the text are read, and how many readings are signed.
    """
    from precaution.knowledge.loading import labels as of_package
    from precaution.knowledge.loading import load_label
    from precaution.writers.labels import label_in_short, labels_in_text
    from precaution.writers.structured import as_json

    found = [load_label(name) for name in (*of_package(), *folders)]
    emit(as_json([label_in_short(each) for each in found]) if json else labels_in_text(found))


@precaution.command(
    short_help="Write a label's questions as a FHIR Questionnaire.",
    epilog=options.examples("precaution questionnaire", "precaution questionnaire > questionnaire.json"),
)
@options.label
def questionnaire(chosen: Chosen) -> None:
    """Write the questions that only a clinician can answer as a FHIR R4 Questionnaire, for an EHR to load.

    Answers count in a QuestionnaireResponse that names its canonical and version, and whose author is a clinician.
    """
    from precaution.writers.questionnaire import questionnaire as written
    from precaution.writers.structured import as_json

    emit(as_json(written(chosen.label)))


@precaution.command(
    short_help="Look for what is wrong with a label's folder; run its cases.",
    epilog=options.examples(
        "precaution check",
        "precaution check my-label/ --text label.txt",
        "precaution check my-label/ --rule low-neutrophils",
    ),
)
@click.argument("label", metavar="[NAME|FOLDER]", required=False)
@click.option("--label", "name", metavar="NAME|FOLDER", help="The same, as other commands take it.")
@options.words
@click.option("--rule", default="", metavar="NAME", help="Run only the cases that expect something of a rule or duty.")
@click.option("--no-cases", is_flag=True, help="Run no cases.")
@click.option(
    "--site",
    type=click.Path(exists=True, file_okay=False),
    metavar="FOLDER",
    help="Check a site's own folder beside the label, and that no decision is milder with it.",
)
@options.as_json
def check(
    label: str | None, name: str | None, text: str | None, rule: str, no_cases: bool, site: str | None, json: bool
) -> None:
    """Check a label's folder, and run its cases: small patients with the answers that they must lead to.

    Every sentence must be cited, every rule have cases, every code list be used and well formed, and every case come
    to what it expects. With the label's own text, every character of it must belong to a sentence of the folder.
    Leaves with exit code 5 where something is wrong.
    """
    from pathlib import Path

    from precaution.checks import checked
    from precaution.knowledge.loading import find_label
    from precaution.labels import DEFAULT
    from precaution.writers import listing
    from precaution.writers.structured import as_json

    if rule and no_cases:
        raise UsageError("--rule runs the cases of a rule, and --no-cases none: give one of them")
    if label and name:
        raise UsageError("a label is named twice, as argument and by --label: give one of them")
    where = find_label(label or name or DEFAULT)
    if site is not None:
        if rule or no_cases or text:
            raise UsageError(
                "--site checks a site's folder, with all cases: give it without --rule, --no-cases, --text"
            )
        return _check_site(where, Path(site), json=json)
    with ProgressLine() as line:
        found = checked(
            where, Path(text) if text else None, run_cases=not no_cases, rule=rule, progress=line.of("cases")
        )
    lines = [str(each) for each in found.problems]
    emit(as_json(lines) if json else listing.problems_in_text(lines, where.name, found.ran, found.cases))
    if lines:
        raise click.exceptions.Exit(KnowledgeError.exit_code)
    return None


def _check_site(label: Path, site: Path, *, json: bool) -> None:
    from precaution.checks.site import check_site
    from precaution.writers import listing
    from precaution.writers.structured import as_json

    found = check_site(label, site)
    lines = [str(each) for each in found.problems]
    emit(as_json(lines) if json else listing.site_problems_in_text(lines, found.site, found.cases, found.compared))
    if lines:
        raise click.exceptions.Exit(KnowledgeError.exit_code)


@precaution.command(
    short_help="Write the pages for clinicians.",
    epilog=options.examples("precaution booklet", "precaution booklet --check"),
)
@options.label
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    default="docs/clinicians",
    show_default=True,
    metavar="FOLDER",
    help="Where the pages are written.",
)
@click.option("--check", "only_check", is_flag=True, help="Write nothing; fail where the pages there are not these.")
def booklet(chosen: Chosen, out: str, only_check: bool) -> None:
    """Write the label's booklet for clinicians: one HTML page, and the same in Markdown."""
    from pathlib import Path

    from precaution.writers.booklet import pages

    cases = chosen.cases((*chosen.label.rules, *chosen.label.duties))
    if wrong := {case.name for shown in cases.values() for case in shown if case.wrong}:
        click.echo(f"precaution: cases that do not come true: {len(wrong)}; `precaution check` lists them", err=True)
    for name, page in pages(chosen.label, cases).items():
        if only_check:
            _same(Path(out, name), page)
        else:
            with writing(out):
                Path(out).mkdir(parents=True, exist_ok=True)
                Path(out, name).write_text(page, encoding="utf-8", newline="\n")


def _same(file: Path, page: str) -> None:
    if not file.is_file() or file.read_bytes() != page.encode("utf-8"):
        raise KnowledgeError(f"{file} is not what the label says now; write it anew with `precaution booklet`")


@precaution.command(
    short_help="Print the script that completes commands in your shell.",
    epilog=options.examples('eval "$(precaution completion bash)"'),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands and options in your shell."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is not None:
        emit(found(precaution, {}, "precaution", "_PRECAUTION_COMPLETE").source() + "\n")
