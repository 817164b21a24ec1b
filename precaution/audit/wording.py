"""Writes an audit as text, JSON and CSV: what is hidden is said to be hidden, never left out."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from precaution.audit.suppression import Range
from precaution.cohort.export.worklist import neutral
from precaution.cohort.tables import put
from precaution.writers.layout import NOTE, folded, in_words
from precaution.writers.structured import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from precaution.audit import AuditResult, MeasureResult
    from precaution.audit.intervals import Estimate
    from precaution.audit.lines import Cell, MeasureLine
    from precaution.knowledge.model import Measure, Published

HIDDEN = "not shown"
ABSENT = "the source does not say it, or too few patients are in each"
_BY = {"age": "age", "sex": "sex", "year": "year of the start", "site": "site", "month": "month of the start"}
COLUMNS = (
    "measure",
    "title",
    "group",
    "kind",
    "by",
    "value",
    "people",
    "yes",
    "no",
    "unknown",
    "apart",
    "share",
    "share_low",
    "share_high",
    "least",
    "least_low",
    "least_high",
    "lowest",
    "highest",
    "years",
    "rate",
    "rate_low",
    "rate_high",
    "lower_quartile",
    "median",
    "upper_quartile",
)


def number(count: Cell) -> str:
    """Return a count as text; as a range, or as `not shown`, where it is hidden."""
    if isinstance(count, Range):
        return f"{count.low:,} to {count.high:,}"
    return HIDDEN if count is None else f"{count:,}"


def percent(value: float) -> str:
    """Return a share (0 to 1) in percent, with one decimal."""
    return f"{value * 100:.1f} %"


def interval(estimate: Estimate, *, shares: bool) -> str:
    """Return an estimate with its interval: `62.0 % (59.9 to 64.1)`; without the sign where not `shares`."""
    scale, sign = (100, " %") if shares else (1, "")
    return f"{estimate.value * scale:.1f}{sign} ({estimate.low * scale:.1f} to {estimate.high * scale:.1f})"


def result(line: MeasureLine, measure: Measure) -> str:
    """Return the result of a line: a share, a rate or days; or its bounds; or that nothing can be said."""
    if measure.kind == "rate" and line.rate is not None:
        return f"{interval(line.rate, shares=False)} in 100 years"
    if measure.kind == "share" and line.share is not None:
        return interval(line.share, shares=True)
    if measure.kind == "delay" and line.delays is not None:
        return _days(line.delays)
    if measure.kind == "share" and line.by and line.least is not None and line.no is None:
        return f"at least {interval(line.least, shares=True)}"
    if line.yes == line.no == 0:
        return "nobody is counted" if line.unknown == 0 else "of nobody it is known"
    if measure.kind == "delay" and line.yes == 0:
        return "nobody ended treatment"
    return bounds(line, measure) or HIDDEN


def _days(delays: tuple[float, float, float]) -> str:
    low, middle, high = delays
    return f"median {middle:.0f} days (half of them {low:.0f} to {high:.0f})"


def counts(line: MeasureLine, measure: Measure) -> str:
    """Return the numbers behind a line in words."""
    if line.hidden:
        return ""
    yes, no = {"share": ("yes", "no"), "rate": ("with an event", "without"), "delay": ("ended", "go on")}[measure.kind]
    years = f"; {line.years:,.1f} years at risk" if line.years is not None else ""
    return (
        f"{number(line.yes)} {yes}, {number(line.no)} {no}, {number(line.unknown)} unknown, "
        f"{number(line.apart)} not counted{years}"
    )


def behind(line: MeasureLine) -> str:
    """Return the numbers behind a share in a stratum: `38 of 80`, and how many are unknown."""
    if not isinstance(line.yes, int) or line.people is None or not isinstance(line.apart, int):
        return ""
    if not isinstance(line.no, int):
        return f"{line.yes:,} of {line.people - line.apart:,}, some may be unknown"
    return f"{line.yes:,} of {line.yes + line.no:,}" + (f", {line.unknown:,} unknown" if line.unknown else "")


def bounds(line: MeasureLine, measure: Measure) -> str:
    """Return the bounds of a result, whatever is true of those unknown; nothing where nobody is unknown."""
    if line.lowest is None or line.highest is None or line.lowest == line.highest:
        return ""
    if measure.kind == "rate":
        return f"between {line.lowest:.1f} and {line.highest:.1f} in 100 years"
    return f"between {line.lowest * 100:.1f} and {percent(line.highest)}" if measure.kind == "share" else ""


def stratum(line: MeasureLine) -> str:
    """Return a stratum in words."""
    return f"{_BY[line.by]} {line.value}" if line.by else "all new users"


def published(figure: Published) -> str:
    """Return a figure of a study in words."""
    marked = "" if figure.status == "verified" else "; unverified"
    return f"{percent(figure.share)} of {figure.of:,}: {figure.who}. {figure.source}{marked}"


def in_text(audit: AuditResult) -> str:
    """Return the audit as text for a terminal, 100 columns wide."""
    label = audit.label
    lines = [f"Audit of {label.title}  {audit.today}  label {label.version}", ""]
    for reason in audit.uses:
        said = "new users" if reason.use == "yes" else f"not counted: {reason.why}"
        lines.append(f"{number(reason.people):>10}  {said}")
    for title, table in (("", "audit"), ("New users at the start: ", "baseline")):
        for group, measures in audit.groups(table).items():
            lines += ["", f"{title}{group}"]
            lines += [text for each in measures for text in _measure(each)]
    if audit.treated:
        lines += ["", "Days on treatment, by what the label asked for (all patients)"]
        lines += [
            f"  {in_words(each.action)}: {number(each.days)} days of {number(each.people)} patients"
            for each in audit.treated
        ]
    lines += ["", *folded(_about(audit)), NOTE]
    return "\n".join(lines) + "\n"


def covered(people: int) -> str:
    """Return of how many patients the source holds what a measure needs."""
    if not people:
        return "coverage: the source holds such a test of nobody, so that none is unknown and not a no"
    return f"coverage: the source holds such a test of {people:,} patients"


def _measure(counted: MeasureResult) -> Iterator[str]:
    measure = counted.measure
    yield from folded(f"{measure.title}: {result(counted.whole, measure)}", indent=2)
    if numbers := counts(counted.whole, measure):
        yield from folded(numbers, indent=6)
    said = bounds(counted.whole, measure)
    if said and said != result(counted.whole, measure):
        yield from folded(f"{said}, whatever is true of those unknown", indent=6)
    if counted.coverage is not None:
        yield from folded(covered(counted.coverage), indent=6)
    for figure in measure.published:
        yield from folded(f"published: {published(figure)}", indent=6)
    for line in counted.lines[1:]:
        yield from folded(f"{stratum(line)}: {result(line, measure)}  {counts(line, measure)}".rstrip(), indent=6)


def _about(audit: AuditResult) -> str:
    absent = f" No counts by {' and '.join(audit.absent)}: {ABSENT}." if audit.absent else ""
    hidden = (
        f"Numbers below {audit.smallest} are not shown, nor what would tell them."
        if audit.smallest > 1
        else "All numbers are shown."
    )
    return f"{hidden}{absent} Shares are of those of whom it is known, with 95 % intervals (Wilson; rates exact)."


def in_json(audit: AuditResult) -> dict[str, object]:
    """Return the audit as plain data; a number that is hidden is null."""
    label = audit.label
    return {
        "label": {"name": label.name, "version": label.version, "digest": label.digest},
        "today": audit.today,
        "smallest": audit.smallest,
        "new_users": [plain(reason) for reason in audit.uses],
        "measures": [_measure_in_json(each) for each in audit.counted],
        "treated": [plain(each) for each in audit.treated],
        "absent": list(audit.absent),
        "note": NOTE,
    }


def _measure_in_json(counted: MeasureResult) -> dict[str, object]:
    measure = counted.measure
    return {
        "measure": measure.name,
        "title": measure.title,
        "kind": measure.kind,
        "table": measure.table,
        "group": measure.group,
        "cites": list(measure.cites),
        "reading": measure.reading,
        "parameters": list(measure.uses),
        "coverage": counted.coverage,
        "lines": [plain(line) for line in counted.lines],
        "published": [plain(figure) for figure in measure.published],
    }


def write_csv(audit: AuditResult, folder: Path) -> None:
    """Write the audit to `audit.csv` in a folder, whole or not at all. Raises OutputError."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for counted in audit.counted:
        for line in counted.lines:
            writer.writerow([neutral(cell) for cell in _cells(counted.measure, line)])
    put(folder / "audit.csv", lambda half: half.write_text(written.getvalue(), encoding="utf-8", newline=""))


def _cells(measure: Measure, line: MeasureLine) -> list[object]:
    nothing = (None,) * 3
    shown = (line.people, line.yes, line.no, line.unknown, line.apart)
    return [
        measure.name,
        measure.title,
        measure.group,
        measure.kind,
        line.by,
        line.value,
        *(each if isinstance(each, int) else number(each) for each in shown),
        *(line.share or nothing),
        *(line.least or nothing),
        line.lowest,
        line.highest,
        line.years,
        *(line.rate or nothing),
        *(line.delays or nothing),
    ]
