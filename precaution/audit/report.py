"""Writes an audit as one HTML file: no script, no request, readable in print and without colour."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from precaution.audit import MeasureResult, pictures, wording
from precaution.audit.pictures import Picture
from precaution.audit.suppression import small
from precaution.cohort.export.worklist import most_urgent
from precaution.cohort.problems import KINDS
from precaution.cohort.results import QUALITY
from precaution.cohort.tables import put
from precaution.writers.layout import NOTE, status
from precaution.writers.rule_content import parameter_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from precaution.audit import AuditResult

STRATA = ("age", "sex", "month", "site")
"""What a report splits its counts by."""
TITLES = {"age": "By age at the start", "sex": "By sex", "month": "By month of the start", "site": "By site"}
MOST_CODES = 20


class StratumTable(NamedTuple):
    """The table of the first group's shares by stratum: a row for each stratum, a column for each measure."""

    by: str
    title: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    pictures: tuple[Picture, ...]


class MeasureGroup(NamedTuple):
    """Measures under one heading, with their picture."""

    title: str
    measures: tuple[MeasureResult, ...]
    picture: Picture | None


def write_report(audit: AuditResult, out: Path, path: Path, top: int = 10) -> None:
    """Write the report on the results in `out` to `path`, whole or not at all.

    `audit`: the audit of these results by STRATA. `top`: how many of the most urgent patients are named; with 0 nobody
    is, and the report holds no small number of patients. Raises InputError for results that can't be read, OutputError.
    """
    text = report(audit, out, top)
    put(path, lambda half: half.write_text(text, encoding="utf-8", newline="\n"))


def report(audit: AuditResult, out: Path, top: int = 10) -> str:
    """Return the report as HTML, as `write_report` writes it; the same results and label give the same text."""
    environment = _environment()
    style = environment.get_template("report.css").render()
    quality = json.loads((out / QUALITY).read_text(encoding="utf-8"))
    return environment.get_template(
        "report.html.jinja"
    ).render(
        audit=audit,
        label=audit.label,
        note=NOTE,
        style=Markup(style),  # noqa: S704 - our own style sheet
        digest=_digest(style),
        urgent=[each for each in most_urgent(out) if each.label == audit.label.name][:top],
        figures=_figures(audit, named=bool(top)),
        actions=_actions(audit, named=bool(top)),
        shown=partial(_shown, audit, named=bool(top)),
        groups=[_group(name, found) for name, found in audit.groups("audit").items()],
        baseline=list(audit.groups("baseline").items()),
        splits=list(_splits(audit)),
        kinds=KINDS,
        quality=quality,
        codes=_codes(quality, audit.smallest),
        parameters=_parameters(audit),
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("precaution.audit", "templates"),
        autoescape=select_autoescape(("html.jinja",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"number": wording.number, "published": wording.published, "status": status}
    environment.globals |= {"result": wording.result, "bounds": wording.bounds, "absent": wording.ABSENT}
    return environment


def _digest(style: str) -> str:
    """Return the SHA-256 by which the page's Content-Security-Policy allows its own style."""
    return b64encode(sha256(style.encode()).digest()).decode()


def _figures(audit: AuditResult, *, named: bool) -> list[tuple[str, int | None]]:
    """Return the counts of the headline; where nobody is named, none if one of them or of their parts is small."""
    summary = audit.summary
    parts = (summary.died, summary.failed, *summary.actions.values())
    safe = named or not any(small(part, audit.smallest) for part in parts)
    counts = {
        "Patients in the source": summary.people,
        "Decided": summary.decided,
        "Had died before": summary.died,
        "Could not be decided": summary.failed,
    }
    return [(title, count if safe else None) for title, count in counts.items()]


def _actions(audit: AuditResult, *, named: bool) -> list[tuple[str, int | None]]:
    """Return how many decisions came to each action, gravest first."""
    ranked = dict.fromkeys(action.partition("+")[0] for action in audit.label.actions)
    actions = audit.summary.actions
    return [(action, _shown(audit, actions[action], named=named)) for action in ranked if action in actions]


def _shown(audit: AuditResult, many: int, *, named: bool) -> int | None:
    return None if small(many, audit.smallest) and not named else many


def _group(title: str, measures: Sequence[MeasureResult]) -> MeasureGroup:
    picture = pictures.shares(title, [each for each in measures if each.measure.kind == "share"])
    return MeasureGroup(title, tuple(measures), picture or pictures.rates(title, measures))


def _splits(audit: AuditResult) -> Iterator[StratumTable]:
    """Yield the first group's shares by each stratum that the source gives."""
    first = next(iter(audit.groups("audit").values()), [])
    shown = [each for each in first if each.measure.kind == "share"]
    for by in STRATA:
        if audit.strata.get(by):
            rows = tuple(
                (stratum.value, tuple(_cell(each, by, number) for each in shown))
                for number, stratum in enumerate(audit.strata[by])
            )
            yield StratumTable(by, TITLES[by], rows, tuple(_pictures(by, shown, audit)))


def _cell(counted: MeasureResult, by: str, number: int) -> str:
    lines = counted.of(by)
    if number >= len(lines):
        return wording.HIDDEN
    line = lines[number]
    return f"{wording.result(line, counted.measure)}; {wording.behind(line)}".removesuffix("; ")


def _pictures(by: str, shown: Sequence[MeasureResult], audit: AuditResult) -> Iterator[Picture]:
    for each in shown:
        found = [pictures.months(each)] if by == "month" else []
        if by == "site":
            found = [pictures.funnel(each), pictures.spread(each, audit.deciles.get(each.measure.name, ()))]
        yield from (picture for picture in found if picture is not None)


def _codes(quality: Mapping[str, Any], smallest: int) -> tuple[list[Mapping[str, object]], int]:
    """Return the most frequent codes that no list knows, and how many more there are; rare ones are not named."""
    found = quality["unrecognised"]
    shown = [each for each in found if not small(each["count"], smallest)][:MOST_CODES]
    return shown, len(found) - len(shown)


def _parameters(audit: AuditResult) -> list[str]:
    used = {name for each in audit.counted for name in each.measure.uses}
    about = audit.label.audit
    used |= {audit.label.therapy.grace, audit.label.therapy.gap}
    used |= {about.washout, about.open_order, about.smallest} if about else set()
    return [parameter_line(audit.label.parameters[name]) for name in sorted(used)]
