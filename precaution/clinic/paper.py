"""Letters for people: a recall, a letter to the family doctor, an alert card, as pages to print.

Texts are templates (Jinja2) in `templates/letters`; a site's folder replaces those of the same name and may add some.
What an alert card says comes from `letters.toml` of a label's folder. Nothing here changes an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from precaution.engine.answer import Decision
from precaution.errors import InputError, UsageError, did_you_mean
from precaution.knowledge.model import Label
from precaution.knowledge.toml import Place, read, read_toml, refuse_unknown
from precaution.writers.layout import NOTE, STOP, in_words, symbol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precaution.engine.answer import Due

FILE = "letters.toml"
_OURS = Path(__file__).parent / "templates" / "letters"
_OPEN = ("overdue", "due", "unknown")
_ORDER = ("overdue", "due", "unknown", "upcoming", "done")


@dataclass(frozen=True, slots=True)
class AlertLine:
    """`[[alert]]`: what somebody who takes the drug has to know, and the sentences that say it."""

    text: str
    cites: tuple[str, ...]


class DueLine(NamedTuple):
    """Something that is due, as a letter says it."""

    what: str
    when: str
    """In words, with the day: `overdue since 2025-01-05`."""
    sentences: tuple[str, ...]
    open: bool
    """Whether it is to be done now."""


class Letter(NamedTuple):
    """What a template is filled with."""

    label: Label
    decision: Decision
    patient: str
    """The name or id to be shown."""
    due: list[DueLine]
    alerts: list[AlertLine]
    note: str = NOTE

    @property
    def verdict(self) -> str:
        """The action in words."""
        return in_words(self.decision.action, attested=self.decision.attested)

    @property
    def waits(self) -> bool:
        """Whether what the label asks for can wait for a letter by post."""
        urgent = any(each.urgent and each.state != "no" for each in self.decision.findings)
        return symbol(self.decision.action) != STOP and not urgent


def load_alerts(folder: Path, label: Label) -> list[AlertLine]:
    """Return what `letters.toml` of a label's folder says; without one nothing. Raises KnowledgeError."""
    if not (folder / FILE).is_file():
        return []
    tables = read_toml(folder / FILE, FILE)
    refuse_unknown(tables, ("alert",), Place(FILE))
    written = tables.get("alert", [])
    if not isinstance(written, list):
        raise Place(FILE, "alert").error("write each line as [[alert]]")
    return [_alert(table, label, Place(FILE, f"alert.{number}")) for number, table in enumerate(written, 1)]


def _alert(table: Any, label: Label, place: Place) -> AlertLine:
    line = read(AlertLine, table, place)
    if not line.cites:
        raise place.at("cites").error("name the sentences that say this")
    read_so_far = {cited for part in (label.rules, label.duties) for each in part.values() for cited in each.cites}
    for each in line.cites:
        if each not in read_so_far:
            near = did_you_mean(each, read_so_far)
            raise place.at("cites").error(f"no rule or duty of the label cites the sentence '{each}'.{near}")
    return line


def letter_for(decision: Decision, label: Label, alerts: Iterable[AlertLine], patient: str) -> Letter:
    """Return what letters about a patient are filled with. `patient`: the name or id to be shown."""
    wanted = sorted(
        (each for each in decision.due if each.state in _ORDER and (each.state != "done" or each.due)),
        key=lambda each: (_ORDER.index(each.state), each.due, each.duty),
    )
    return Letter(label, decision, patient, [_due(each) for each in wanted], list(alerts))


def _due(due: Due) -> DueLine:
    """Return a duty in words; one of which it is not known whether it is due counts as open where it asks for it."""
    asked = due.state in _OPEN and (due.state != "unknown" or bool(due.action))
    return DueLine(due.tell, _when(due), due.cites, asked)


def _when(due: Due) -> str:
    if due.state == "unknown":
        return f"not known whether done{f' ({due.why})' if due.why else ''}"
    if due.state == "overdue":
        return f"overdue since {due.due}" if due.due else "overdue"
    if due.state == "due":
        return f"due since {due.due}" if due.due else "due now"
    return f"next on {due.due}" if due.due else "later"


def letter_names(folder: Path | None = None) -> list[str]:
    """Return the letters that there are, those of a site's folder too; a name beginning with `_` is a part."""
    places = [_OURS, *([folder] if folder else [])]
    return sorted({each.stem for place in places for each in place.glob("*.html") if not each.name.startswith("_")})


def letter_page(name: str, letter: Letter, folder: Path | None = None) -> str:
    """Return a letter as an HTML page to print, by a site's template where `folder` has one of that name.

    Raises UsageError where there is no such letter, and InputError where an alert card has nothing to say or
    treatment has not begun, or where a template is wrong.
    """
    names = letter_names(folder)
    if name not in names:
        raise UsageError(f"there is no letter '{name}'.{did_you_mean(name, names)} There are: {', '.join(names)}")
    if name == "alert-card" and not letter.alerts:
        raise InputError(f"the label {letter.label.name} says nothing for an alert card: write its {FILE}")
    if name == "alert-card" and letter.decision.stage == "before-start":
        raise InputError("treatment has not begun by the record: no alert card; with --stage on-treatment there is one")
    try:
        return _environment(folder).get_template(f"{name}.html").render(letter=letter)
    except TemplateSyntaxError as error:
        raise InputError(f"template {error.name}, line {error.lineno}: {error.message}") from None
    except TemplateError as error:
        raise InputError(f"template {name}.html: {error.message}") from None


def _environment(folder: Path | None) -> SandboxedEnvironment:
    loaders = [FileSystemLoader(each) for each in ([folder] if folder else []) + [_OURS]]
    made = SandboxedEnvironment(loader=ChoiceLoader(loaders), autoescape=True, undefined=StrictUndefined)
    made.trim_blocks = made.lstrip_blocks = True
    made.filters["day"] = lambda text: date.fromisoformat(text).strftime("%d %B %Y").lstrip("0")
    return made
