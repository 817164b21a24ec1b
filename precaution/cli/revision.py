"""Commands on a new text of a label: `precaution label diff`, `adopt`, `confirm`, `new`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from precaution.cli import options
from precaution.cli.labels import label_
from precaution.cli.output import emit, writing

if TYPE_CHECKING:
    from precaution.knowledge.model import Label
    from precaution.revision.changes import Revision

_new = click.argument("new", metavar="NEW", type=click.Path(exists=True, dir_okay=False))
_label = click.argument("name", metavar="LABEL")
_sections = click.option(
    "--section",
    "sections",
    multiple=True,
    metavar="CODE",
    help="A section of a document, by its code or number (4.4). Repeatable. [default: where the label stands]",
)
_old = click.option(
    "--old",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="The text that the label was read from; with it the words that differ are shown.",
)
_out = click.option("--out", required=True, type=click.Path(file_okay=False), metavar="FOLDER", help="A new folder.")


@label_.command(
    "diff",
    short_help="Say what a new text changes in a label.",
    epilog=options.examples(
        "precaution label diff baricitinib new.txt --old label.txt",
        "precaution label diff my-label/ epi.json --section 4.4 --json",
    ),
)
@_label
@_new
@_old
@_sections
@click.option(
    "--hazards",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Your log of hazards (TOML); those that name a sentence or what rests on it are listed.",
)
@click.option("--all", "everything", is_flag=True, help="Also list what is unchanged, and every name.")
@options.as_json
def diff(
    name: str, new: str, old: str | None, sections: tuple[str, ...], hazards: str | None, everything: bool, json: bool
) -> None:
    """Say of each sentence whether the text NEW has it unchanged, moved, changed, removed; and what is added.

    NEW is plain text (UTF-8), a product information as FHIR (a Bundle or a Composition, JSON or XML), or an SPL
    document (XML). Behind each sentence stands what rests on it: rules, duties, parameters, questions, measures,
    cases. The package holds no sentence but its digest, so that a sentence is found wherever it moved, and --old is
    needed to show the words that differ.
    """
    from pathlib import Path

    from precaution.revision.listing import changes_in_text, revision_as_dict
    from precaution.revision.resting import read_hazards
    from precaution.writers.structured import as_json

    log = read_hazards(Path(hazards)) if hazards else {}
    found, _ = _revised(name, new, old, sections, log)
    emit(as_json(revision_as_dict(found)) if json else changes_in_text(found, everything=everything))


def _revised(
    name: str, new: str, old: str | None, sections: tuple[str, ...], hazards: dict[str, str] | None = None
) -> tuple[Revision, Label]:
    from pathlib import Path

    from precaution.cases.load import load_cases
    from precaution.knowledge.loading import find_label, load_label
    from precaution.revision.changes import revision
    from precaution.revision.texts import read_text

    folder = find_label(name)
    label = load_label(folder)
    found = revision(
        label,
        load_cases(folder),
        read_text(Path(new), sections),
        old=read_text(Path(old)) if old else None,
        hazards=hazards,
        every_section=bool(sections),
    )
    return found, label


@label_.command(
    "adopt",
    short_help="Take a new text over: a folder in which what changed is suspect.",
    epilog=options.examples("precaution label adopt baricitinib new.txt --out my-label/ --version 2027.01"),
)
@_label
@_new
@_out
@_old
@_sections
@click.option("--version", default="", metavar="TEXT", help="The version of the new text. [default: revised]")
def adopt(name: str, new: str, out: str, old: str | None, sections: tuple[str, ...], version: str) -> None:
    """Write the folder of LABEL anew for the text NEW.

    What is unchanged has its new places; nothing else of it changes. What is changed or removed is marked as suspect,
    what is added waits to be read. Until then `precaution check` fails, and every answer that it touches says so.
    """
    from pathlib import Path

    from precaution.knowledge.loading import find_label
    from precaution.revision.adoption import adopted

    found, _ = _revised(name, new, old, sections)
    with writing(out):
        adopted(find_label(name), found, Path(out), version)
    counts = found.counts()
    waiting = counts["changed"] + counts["removed"] + counts["added"]
    emit(
        f"{out}: {counts['unchanged'] + counts['moved']} sentences taken over, {counts['changed']} changed and "
        f"{counts['removed']} removed are suspect, {counts['added']} added wait to be read\n"
        + (f"hint: `precaution check {out}` lists them\n" if waiting else "")
    )


@label_.command(
    "confirm",
    short_help="Say that the reading of a suspect sentence still holds.",
    epilog=options.examples("precaution label confirm my-label/ S19"),
)
@click.argument("folder", metavar="FOLDER", type=click.Path(exists=True, file_okay=False))
@click.argument("sentences", metavar="SENTENCE...", nargs=-1, required=True)
def confirm(folder: str, sentences: tuple[str, ...]) -> None:
    """Take the mark of a suspect sentence away: it was read anew, and our words, rules and cases are right for it.

    Only a sentence that is changed can be confirmed, each by its name. One that is gone from the text is removed by
    hand, with what rests on it; one that is added is read: it gets our words, a role, and a rule.
    """
    from pathlib import Path

    from precaution.revision.adoption import confirmed

    with writing(folder):
        confirmed(Path(folder), sentences)
    emit(f"{folder}: {', '.join(sentences)} confirmed\n")


@label_.command(
    "new",
    short_help="Begin a folder of a text that nobody has read.",
    epilog=options.examples(
        "precaution label new text.txt --out examplinib/ --drug examplinib",
        "precaution label new epi.json --section 4.3 --section 4.4 --out my-label/",
    ),
)
@click.argument("text", metavar="TEXT", type=click.Path(exists=True, dir_okay=False))
@_out
@click.option("--drug", default="", metavar="NAME", help="The medicine, in one word. [default: the name of FOLDER]")
@click.option("--version", default="1", show_default=True, metavar="TEXT", help="The version of the text.")
@_sections
def new(text: str, out: str, drug: str, version: str, sections: tuple[str, ...]) -> None:
    """Write a folder in which every sentence of TEXT waits to be read, with what to do next.

    TEXT is what `precaution label diff` takes. `precaution check FOLDER` says how many sentences wait.
    """
    from pathlib import Path

    from precaution.revision.fresh import begun
    from precaution.revision.texts import read_text

    read = read_text(Path(text), sections)
    with writing(out):
        number = begun(read, Path(out), drug or Path(out).name, version)
    emit(
        f"{out}: {number} sentences wait to be read\n"
        f"hint: {out}/NEXT.md says what to do next; `precaution check {out} --text {text}` says what is left\n"
    )
