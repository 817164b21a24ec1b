"""Writes the booklet of a label for clinicians: one HTML page that needs nothing else, and the same in Markdown.

First the label in short: what forbids, interrupts and ends treatment, and what is due when. For each topic: the
label's sentences in our words, then every rule and duty with its reading, what it looks at, the parameters, the rule
in English and the cases that show it. Nothing is written by hand, so nothing is stale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from precaution.knowledge.model import Says
from precaution.writers.in_short import actions_in_short, duties_in_short
from precaution.writers.layout import NOTE, in_words
from precaution.writers.measure_content import measures_by_group
from precaution.writers.rule_content import RuleContent, ShownCase, parameter_line, rule_content

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from precaution.knowledge.model import Label, Parameter


class Chapter(NamedTuple):
    """A topic of the label: its sentences, and what explains each of its rules and duties."""

    name: str
    sentences: tuple[Says, ...]
    contents: tuple[RuleContent, ...]


def pages(label: Label, cases: Mapping[str, Sequence[ShownCase]]) -> dict[str, str]:
    """Return file name -> text of the booklet's pages; the same label and cases give the same bytes.

    `cases` maps a rule or duty to the cases that show it.
    """
    environment = page_environment()
    given = {
        "label": label,
        "about": {in_words(key): value for key, value in label.about.items()},
        "actions": actions_in_short(label),
        "duties": duties_in_short(label),
        "chapters": [_chapter(topic, label, cases) for topic in label.topics],
        "parameters": sorted(label.parameters.values(), key=_number),
        "measures": measures_by_group(label),
        "note": NOTE,
    }
    return {
        f"{label.name}.{kind}": environment.get_template(f"booklet.{kind}.jinja").render(given)
        for kind in ("html", "md")
    }


def page_environment() -> Environment:
    """Return what pages are made with."""
    environment = Environment(
        loader=PackageLoader("precaution.writers", "templates"),
        autoescape=select_autoescape(("html.jinja",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["words"] = in_words
    environment.filters["parameter"] = parameter_line
    return environment


def _chapter(topic: str, label: Label, cases: Mapping[str, Sequence[ShownCase]]) -> Chapter:
    rules = [name for name, rule in label.rules.items() if rule.topic == topic]
    duties = [name for name, duty in label.duties.items() if duty.topic == topic]
    said = sorted((says for says in label.says.values() if says.topic == topic), key=lambda says: says.start)
    named = tuple(rule_content(label, name, cases.get(name, ())) for name in (*rules, *duties))
    return Chapter(topic, tuple(said), named)


def _number(parameter: Parameter) -> tuple[str, str]:
    """Return the sort key of parameters: by the number of the default, those without one last."""
    return parameter.default or "~", parameter.name
