"""Commands on the review of a label's readings: `precaution review LABEL`, `precaution review LABEL sign RULE`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from precaution.cli import options
from precaution.cli.group import Helpful, precaution
from precaution.cli.options import Chosen, Day
from precaution.cli.output import emit, writing
from precaution.errors import UsageError, did_you_mean
from precaution.labels import DEFAULT

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from precaution.knowledge.model import Duty, Rule, SignOff
    from precaution.knowledge.signatures import Parts


class _Review:
    """A label's readings, with what was said of each."""

    def __init__(self, chosen: Chosen, signatures: str | None) -> None:
        from pathlib import Path

        from precaution.knowledge.folder import SIGNATURES, signature_file

        own = signature_file(chosen.folder, chosen.policy) or chosen.folder / SIGNATURES
        self.chosen, self.label = chosen, chosen.label
        self.file = Path(signatures) if signatures else own

    @cached_property
    def parts(self) -> dict[str, Parts]:
        """The digests of what is read now, by rule and duty."""
        from precaution.knowledge.signatures import contents

        return contents(self.label, self.chosen.folder, self.chosen.codes)

    @cached_property
    def signed(self) -> dict[str, SignOff]:
        """What was said of each rule and duty."""
        from precaution.knowledge.signatures import read_signatures, sign_offs

        known = read_signatures(self.file) if self.file.exists() else []
        return sign_offs(self.label, known, self.parts)


class _AfterLabel(Helpful):
    """A group that takes LABEL before its command, and options on either side of LABEL where no command follows."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; what follows the name of a command is that command's. LABEL may be left out."""
        if args and args[0] in self.commands:
            args = [DEFAULT, *args]
        ctx.allow_interspersed_args = not any(each in self.commands for each in args[1:])
        return super().parse_args(ctx, args)


@precaution.group(
    "review",
    cls=_AfterLabel,
    invoke_without_command=True,
    short_help="Review and sign how a label is read.",
    epilog=options.examples(
        "precaution review baricitinib",
        "precaution review baricitinib --out review.html",
        "precaution review sign lipids --who Ada --role GP --day 2025-03-01 --agree",
    ),
)
@click.argument("name", metavar="[LABEL]", default=DEFAULT)
@click.option(
    "--policy", type=click.Path(exists=True, dir_okay=False), metavar="FILE", help="Your site's choices (TOML)."
)
@click.option(
    "--codes",
    type=click.Path(exists=True, file_okay=False),
    multiple=True,
    metavar="FOLDER",
    help="More code lists of your site (CSV); may be given several times.",
)
@click.option(
    "--signatures",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Where signatures stand. [default: that of the policy, or signatures.jsonl in the label's folder]",
)
@click.option("--out", type=click.Path(dir_okay=False), metavar="FILE", help="Write the sheets as one HTML page.")
@options.words
@click.pass_context
def review(
    ctx: click.Context,
    name: str,
    policy: str | None,
    codes: tuple[str, ...],
    signatures: str | None,
    out: str | None,
    text: str | None,
) -> None:
    """Show who has signed which reading, and write the sheets to be read and signed.

    A sheet holds all that is read of a rule or duty: its sentences, how they are taken, the parameters, code lists and
    cases, and what has changed since it was last signed. A signature holds for exactly that, and ends when any of it
    changes. A policy with `signed-only = true` demands signed readings.
    """
    ctx.obj = found = _Review(Chosen(name, policy, codes), signatures)
    if ctx.invoked_subcommand:
        return
    if out:
        with writing(out):
            _write(found, out, text)
    emit(_listed(found) + (f"hint: read {out}, then `precaution review {name} sign RULE`\n" if out else ""))


def _write(found: _Review, out: str, text: str | None) -> None:
    from pathlib import Path

    from precaution.cli.labels import exact_words
    from precaution.knowledge.folder import read_codes
    from precaution.knowledge.signatures import Behind, code_of
    from precaution.writers.review import sheet, sheets_page

    label, chosen = found.label, found.chosen
    lists = read_codes(chosen.folder, *chosen.codes)
    cases = chosen.cases((*label.rules, *label.duties))
    outcomes: dict[str, Rule | Duty] = {**label.rules, **label.duties}
    sheets = [
        sheet(
            label,
            name,
            code_of(found.parts[name]),
            found.signed[name],
            sorted(Behind(label, what).concepts),
            lists,
            cases.get(name, ()),
        )
        for name, what in outcomes.items()
    ]
    words = exact_words(label, text) if text else {}
    Path(out).write_text(sheets_page(label, sheets, words), encoding="utf-8", newline="\n")


def _listed(found: _Review) -> str:
    from precaution.writers.layout import columns

    signed = sum(each.state == "signed" for each in found.signed.values())
    lines = [line for name, each in found.signed.items() for line in columns(name, str(each), "", left=36)]
    return "\n".join([f"{found.label.name}: {signed} of {len(found.signed)} readings are signed", "", *lines]) + "\n"


@review.command(
    short_help="Keep what a clinician says of a reading.",
    epilog=options.examples("precaution review sign lipids --who Ada --role GP --day 2025-03-01 --agree"),
)
@click.argument("rule", metavar="RULE")
@click.option("--who", required=True, metavar="NAME", help="Who signs.")
@click.option("--role", required=True, metavar="ROLE", help="As what: rheumatologist, pharmacist ...")
@click.option("--day", required=True, type=Day(), metavar="DAY", help="When, as 2025-03-01.")
@click.option("--agree", "decision", flag_value="agree", help="Yes, so it is meant.")
@click.option("--disagree", "decision", flag_value="disagree", help="No; --words says why.")
@click.option("--change", "decision", flag_value="change", help="It should be otherwise; --words says how.")
@click.option("--words", default="", metavar="TEXT", help="What is said to it.")
@click.option("--read", "code", metavar="CODE", help="The code on the sheet that was read; another one is refused.")
@click.pass_obj
def sign(
    found: Any, rule: str, who: str, role: str, day: date, decision: str | None, words: str, code: str | None
) -> None:
    """Keep that somebody agrees with the reading of RULE (a rule or duty), disagrees, or wants it changed.

    It is added to the file of signatures: the latest one counts, and none is taken away.
    """
    from json import dumps

    from precaution.knowledge.signatures import code_of

    if rule not in found.parts:
        raise UsageError(f"'{rule}' is no rule or duty of {found.label.name}.{did_you_mean(rule, found.parts)}")
    if decision is None:
        raise UsageError("say what is decided: --agree, --disagree or --change")
    if decision != "agree" and not words.strip():
        raise UsageError(f"--{decision} needs --words: what is wrong, or how it should be")
    if not who.strip() or not role.strip():
        raise UsageError("--who and --role must not be empty")
    if code and code != code_of(found.parts[rule]):
        raise UsageError(f"{rule} has changed since the sheet {code} was made; write the sheets anew and read it again")
    line = {
        "name": rule,
        "decision": decision,
        "who": who,
        "role": role,
        "day": day.isoformat(),
        "words": words,
        "label": f"{found.label.name} {found.label.version}",
        "parts": found.parts[rule],
    }
    _ = found.signed  # a file that can't be read is said before anything is added to it
    with writing(str(found.file)):
        _add(found.file, dumps(line, ensure_ascii=False))
    emit(f"{rule}: {decision}, {who} ({role}), {day.isoformat()}; kept in {found.file}\n")


def _add(file: Path, line: str) -> None:
    ends = not file.exists() or file.read_bytes()[-1:] in (b"", b"\n")
    with file.open("a", encoding="utf-8", newline="\n") as out:
        out.write(("" if ends else "\n") + line + "\n")
