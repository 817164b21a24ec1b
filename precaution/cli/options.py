"""What several commands take: the patient, the day, the label, answers."""

from __future__ import annotations

import os
import sys
from datetime import date, datetime
from functools import cached_property, wraps
from typing import TYPE_CHECKING

import click

from precaution.errors import UsageError
from precaution.labels import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from precaution.knowledge.model import Label
    from precaution.readers.language import Understood
    from precaution.values.record import Record
    from precaution.writers.rule_content import ShownCase

    Command = Callable[..., None]


class Day(click.ParamType[date]):
    """An ISO date."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the date that `value` is; fails for anything but YYYY-MM-DD."""
        if isinstance(value, date):
            return value
        try:
            if len(str(value)) != len("2025-03-01"):
                raise ValueError
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"'{value}' is no day; write it as 2025-03-01", param, ctx)


class OfLabel(click.Path):
    """A path for every label of a run, or for one: LABEL=PATH."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return `value`; fails where there is no such path."""
        whole = str(value)
        _, equals, path = whole.partition("=")
        super().convert(path if equals and not os.path.exists(whole) else whole, param, ctx)  # noqa: PTH110
        return whole


class Chosen:
    """What `--label`, `--policy` and `--codes` name; the label is loaded when it is first asked for."""

    def __init__(self, name: str, policy: str | None = None, codes: Sequence[str] = ()) -> None:
        """Take what was given. Raises UsageError where there is no such label."""
        from pathlib import Path

        from precaution.knowledge.loading import find_label

        self.folder = find_label(name)
        self.policy = Path(policy) if policy else None
        self.codes = tuple(Path(folder) for folder in codes)

    @cached_property
    def label(self) -> Label:
        """The label. Raises KnowledgeError where something in it is wrong."""
        from precaution.knowledge.loading import load_label

        return load_label(self.folder, policy=self.policy, codes=self.codes)

    def cases(self, names: Container[str]) -> Mapping[str, Sequence[ShownCase]]:
        """Return the cases of the label's folder by the rule or duty of `names` that they show, each run.

        Cases show the label as it comes: they are run without the site's policy and code lists. Raises KnowledgeError
        where a file of cases can't be read.
        """
        from precaution.cases.load import load_cases
        from precaution.cases.run import run
        from precaution.knowledge.loading import load_label
        from precaution.writers.rule_content import ShownCase

        shown: dict[str, list[ShownCase]] = {}
        for case in load_cases(self.folder):
            showing = [name for name in case.expect if name in names]
            wrong = str(run(case, load_label(self.folder))) if showing else ""
            for name in showing:
                shown.setdefault(name, []).append(ShownCase(case.name, case.expect[name], wrong))
        return shown


class ChosenLabels:
    """What `--label`, `--policy` and `--codes` name, where several labels may be named."""

    def __init__(self, names: Sequence[str], policies: Sequence[str] = (), codes: Sequence[str] = ()) -> None:
        """Take what was given. Raises UsageError where there is no such label, or a policy too many."""
        from precaution.assessment import named_labels
        from precaution.labels import ALL

        given = list(names) or [DEFAULT]
        self.all = ALL in given
        """Whether all labels are asked for, and not some by their names."""
        if self.all and len(given) > 1:
            raise UsageError(f"--label {ALL} stands for every label; name no other beside it")
        used = [str(each) for each in named_labels(ALL if self.all else given)]
        self.each = tuple(Chosen(name, _policy_of(name, policies, used), _of(name, codes, used)) for name in used)

    @property
    def only(self) -> Chosen | None:
        """The one label that is named; nothing where several are, or all."""
        return self.each[0] if len(self.each) == 1 and not self.all else None

    @cached_property
    def labels(self) -> tuple[Label, ...]:
        """The labels. Raises KnowledgeError where something in one is wrong, UsageError for two of one name."""
        from precaution.assessment import distinct

        return distinct(each.label for each in self.each)


def _of(name: str, given: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return of what is given the paths that are for a label: those of every label, and its own as LABEL=PATH."""
    owned = [(each.partition("=") if each.partition("=")[0] in names else ("", "", each)) for each in given]
    return [path for owner, _, path in owned if owner in ("", name)]


def _policy_of(name: str, given: Sequence[str], names: Sequence[str]) -> str | None:
    found = _of(name, given, names)
    if len(found) > 1:
        raise UsageError(f"--policy is given {len(found)} times for the label '{name}'; give one file for each label")
    return found[0] if found else None


def examples(*lines: str) -> str:
    """Return the end of a command's help: examples, as they are typed."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


patient = click.argument("patient", type=click.Path(allow_dash=True))
day = click.option(
    "--today",
    type=Day(),
    metavar="DAY",
    help="Day of the decision, as 2025-03-01. [default: today; a message says so]",
)
as_json = click.option("--json", "json", is_flag=True, help="Print JSON instead of text.")
words = click.option(
    "--text",
    "text",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="The label's own text (UTF-8), of which this package holds only digests.",
)
_LABEL = (
    click.option(
        "--codes",
        type=click.Path(exists=True, file_okay=False),
        multiple=True,
        metavar="FOLDER",
        help="More code lists of your site (CSV); may be given several times.",
    ),
    click.option(
        "--policy",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="Your site's own choices (TOML) in place of the proposed ones; the answer then says so.",
    ),
    click.option(
        "--label",
        "name",
        default=DEFAULT,
        show_default=True,
        metavar="NAME|FOLDER",
        help="A label of this package, or a label's folder.",
    ),
)
_LABELS = (
    click.option(
        "--codes",
        type=OfLabel(exists=True, file_okay=False),
        multiple=True,
        metavar="[LABEL=]FOLDER",
        help="More code lists of your site (CSV); may be given several times.",
    ),
    click.option(
        "--policy",
        "policies",
        type=OfLabel(exists=True, dir_okay=False),
        multiple=True,
        metavar="[LABEL=]FILE",
        help="Your site's own choices (TOML) in place of the proposed ones; the answer then says so.",
    ),
    click.option(
        "--label",
        "names",
        multiple=True,
        metavar="NAME|FOLDER|all",
        help=f"A label of this package, or a label's folder; may be given several times. all: every label of the "
        f"package whose drug the patient has. [default: {DEFAULT}]",
    ),
)
_SITUATION = (
    click.option(
        "--answer",
        "answers",
        multiple=True,
        metavar="QUESTION=ANSWER[@DAY]",
        help="A clinician's answer, as A1=yes@2025-02-01; without a day that of --today. Repeatable.",
    ),
    click.option(
        "--stage",
        type=click.Choice(["before-start", "on-treatment", "interrupted"]),
        help="Where the treatment stands. [default: read from the record]",
    ),
)


def label(command: Command) -> Command:
    """Add `--label`, `--policy` and `--codes`; the command gets what they name as `chosen`."""

    @wraps(command)
    def with_label(*, name: str, policy: str | None, codes: tuple[str, ...], **others: object) -> None:
        command(chosen=Chosen(name, policy, codes), **others)

    return _with(_LABEL, with_label)


def labels(command: Command) -> Command:
    """Add the same, where several labels may be named; the command gets a `ChosenLabels` as `chosen`."""

    @wraps(command)
    def with_labels(
        *, names: tuple[str, ...], policies: tuple[str, ...], codes: tuple[str, ...], **others: object
    ) -> None:
        command(chosen=ChosenLabels(names, policies, codes), **others)

    return _with(_LABELS, with_labels)


def situation(command: Command) -> Command:
    """Add what is known beside the record: `--stage`, `--answer`."""
    return _with(_SITUATION, command)


def _with(options: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    for option in options:
        command = option(command)
    return command


def chosen_day(today: date | None, label: Label | None = None) -> date:
    """Return the day asked for, or today's, saying so on stderr: the only place that reads the clock.

    Today is that of the zone that the label's policy names, else of this machine.
    """
    if today is not None:
        return today
    from zoneinfo import ZoneInfo

    zone = label.terminology.source.zone if label is not None else ""
    now = datetime.now(ZoneInfo(zone) if zone else None).date()
    click.echo(f"precaution: taking today, {now.isoformat()}; --today DAY takes another", err=True)
    return now


def chosen_record(source: str, label: Label, today: date | None = None) -> Record:
    """Return the record in the file or folder PATIENT, or on stdin for `-`; `today` as `precaution.readers.read`."""
    from precaution.readers import read

    refuse_terminal(source)
    return read(source, label.terminology, label.asks, today.toordinal() if today else None)


def chosen_records(source: str, labels: Sequence[Label], today: date) -> list[Record]:
    """Return the record in the file or folder PATIENT, or on stdin, as each label reads it."""
    from precaution.assessment import records

    refuse_terminal(source)
    return records(source, labels, today.toordinal())


def chosen_words(source: str, label: Label) -> tuple[Record, Understood]:
    """Return the record, as `chosen_record` does, and how much of its words is understood."""
    from precaution.readers import read_with_words

    refuse_terminal(source)
    return read_with_words(source, label.terminology, label.asks)


def chosen_patient(source: str, label: Label, today: date) -> tuple[str, Record]:
    """Return the id of the patient, empty where there is none, and the record."""
    from precaution.readers import read_named

    refuse_terminal(source)
    return read_named(source, label.terminology, label.asks, today.toordinal())


def named_source(source: str) -> str:
    """Return PATIENT as it is given. Raises UsageError for `-` where nothing is piped in."""
    refuse_terminal(source)
    return source


def refuse_terminal(source: str) -> None:
    """Raise UsageError where the record is to come from stdin, and nothing is piped into it."""
    if source == "-" and sys.stdin.isatty():
        raise UsageError("'-' reads the record from stdin, but nothing is piped into it")
