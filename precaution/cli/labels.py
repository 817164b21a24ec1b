"""Commands on a label: explain, label, check, booklet; and completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from precaution.cli import options
from precaution.cli.group import precaution
from precaution.cli.output import emit
from precaution.errors import InputError, KnowledgeError

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from precaution.cli.options import Chosen
    from precaution.knowledge.model import Label


@precaution.command(
    short_help="Explain a rule, a duty or a sentence.",
    epilog=options.examples(
        "precaution explain low-neutrophils",
        "precaution explain S19 --text label.txt",
        "precaution explain low-neutrophils patient.json --today 2025-03-01",
    ),
)
@click.argument("rule")
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

    RULE is the name of a rule or duty, or a sentence's number (S19). With PATIENT also the evidence, and what
    would change the answer.
    """
    from precaution.cli.patients import decided
    from precaution.writers.explanation import explained
    from precaution.writers.rule_content import rules_and_duties

    rules_and_duties(chosen.label, rule)  # a misspelt name is said before a patient is read
    words = exact_words(chosen.label, text) if text else {}
    decision = decided(chosen.label, patient, today, stage, answers, everything=True) if patient else None
    emit(explained(chosen.label, rule, cases=chosen.cases(), words=words, decision=decision))


def exact_words(label: Label, file: str) -> dict[str, str]:
    """Return the exact sentences by id, from the label's own text.

    Raises InputError where the file is not that text: every sentence must have the digest that the label gives.
    """
    from hashlib import sha256
    from pathlib import Path

    try:
        text = Path(file).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{file} can't be read as UTF-8 text") from None
    words = {says.id: text[says.start : says.end] for says in label.says.values()}
    for identifier, sentence in words.items():
        if sha256(sentence.encode()).hexdigest() != label.says[identifier].sha256:
            raise InputError(
                f"{file}: {identifier} is not the sentence that {label.name} {label.version} was read from"
            )
    return words


@precaution.command(
    "label",
    short_help="Show what a label's folder holds.",
    epilog=options.examples("precaution label", "precaution label --json"),
)
@options.label
@options.as_json
def label_(chosen: Chosen, json: bool) -> None:
    """Show a label: where it comes from, known differences, sentences, rules, duties, parameters, questions."""
    from precaution.writers import listing
    from precaution.writers.structured import as_json

    emit(as_json(listing.label_as_dict(chosen.label)) if json else listing.label_in_text(chosen.label))


@precaution.command(
    short_help="Check a label's folder.",
    epilog=options.examples("precaution check", "precaution check my-label/ --text label.txt"),
)
@click.argument("folder", metavar="[LABEL_DIR]", required=False, type=click.Path(exists=True, file_okay=False))
@options.words
@options.as_json
def check(folder: str | None, text: str | None, json: bool) -> None:
    """Check a label's folder: every sentence cited, every rule with cases, every code list used and well formed.

    With the label's own text, every character of it must belong to a sentence of the folder.
    """
    from pathlib import Path

    from precaution import checks
    from precaution.knowledge.loading import find_label
    from precaution.labels import DEFAULT
    from precaution.writers import listing
    from precaution.writers.structured import as_json

    where = Path(folder) if folder else find_label(DEFAULT)
    problems = checks.check(where, text=Path(text) if text else None)
    emit(as_json([str(each) for each in problems]) if json else listing.problems_in_text(problems, where.name))
    if problems:
        raise click.exceptions.Exit(KnowledgeError.exit_code)


@precaution.command(
    short_help="Write the label's booklet for clinicians.",
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

    for name, page in pages(chosen.label, chosen.cases()).items():
        if only_check:
            _same(Path(out, name), page)
        else:
            Path(out).mkdir(parents=True, exist_ok=True)
            Path(out, name).write_text(page, encoding="utf-8", newline="\n")


def _same(file: Path, page: str) -> None:
    if not file.is_file() or file.read_bytes() != page.encode("utf-8"):
        raise KnowledgeError(f"{file} is not what the label says now; write it anew with `precaution booklet`")


@precaution.command(
    short_help="Print your shell's completion script.",
    epilog=options.examples('eval "$(precaution completion bash)"'),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands and options in your shell."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is not None:
        emit(found(precaution, {}, "precaution", "_PRECAUTION_COMPLETE").source() + "\n")
