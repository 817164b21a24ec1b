"""`clinic.toml` of a label's folder: which results are drawn and with which limits.

It changes no answer. Every name in it is checked when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from precaution.errors import did_you_mean
from precaution.knowledge.toml import Place, as_table, read, read_toml, refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from precaution.knowledge.model import Label

FILE = "clinic.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultChart:
    """`[chart.x]`: the results that one small chart shows."""

    concept: str
    upper_limit: str = ""
    """A parameter: the upper limit of results without one of their own. Where named, multiples are drawn."""
    limits: tuple[str, ...] = ()
    """What is drawn as a line: limits that sentences state, or parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMark:
    """`[mark.x]`: events that have a line of their own beside the treatment."""

    title: str
    concepts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClinicSettings:
    """Everything that `clinic.toml` says."""

    charts: Mapping[str, ResultChart] = field(default_factory=dict[str, ResultChart])
    marks: Mapping[str, EventMark] = field(default_factory=dict[str, EventMark])


def load_clinic(folder: Path, label: Label) -> ClinicSettings:
    """Return what `clinic.toml` of a label's folder says; without one nothing is drawn. Raises KnowledgeError."""
    if not (folder / FILE).is_file():
        return ClinicSettings()
    tables = read_toml(folder / FILE, FILE)
    refuse_unknown(tables, ("chart", "mark"), Place(FILE))
    return ClinicSettings(_charts(tables.get("chart", {}), label), _marks(tables.get("mark", {}), label))


def _charts(written: object, label: Label) -> dict[str, ResultChart]:
    charts = {}
    for name, table in as_table(written, Place(FILE, "chart")).items():
        place = Place(FILE, f"chart.{name}")
        charts[name] = chart = read(ResultChart, table, place)
        _known(chart.concept, label.concepts, place.at("concept"), "code list")
        if chart.upper_limit:
            _known(chart.upper_limit, label.parameters, place.at("upper-limit"), "parameter")
        for each in chart.limits:
            _known(each, {*label.limits, *label.parameters}, place.at("limits"), "limit or parameter")
    return charts


def _marks(written: object, label: Label) -> dict[str, EventMark]:
    marks = {}
    for name, table in as_table(written, Place(FILE, "mark")).items():
        place = Place(FILE, f"mark.{name}")
        marks[name] = mark = read(EventMark, table, place)
        for each in mark.concepts:
            _known(each, label.concepts, place.at("concepts"), "code list")
    return marks


def _known(name: str, known: Collection[str], place: Place, what: str) -> None:
    if name not in known:
        raise place.error(f"the label has no {what} '{name}'.{did_you_mean(name, known)}")
