"""Gathers all that explains a measure, in English made from the same expressions that are evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from precaution.knowledge.model import Published
from precaution.writers.english import english
from precaution.writers.layout import in_words
from precaution.writers.rule_content import parameter_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.knowledge.model import Label, Measure

KINDS = {
    "share": "a share of the new users",
    "rate": "first events in 100 years of treatment",
    "delay": "days from an event to the end of treatment",
}


class MeasureContent(NamedTuple):
    """All that explains one measure, in English."""

    name: str
    title: str
    kind: str
    cites: tuple[str, ...]
    reading: str
    notes: tuple[str, ...]
    published: tuple[Published, ...]
    parameters: tuple[str, ...]


def measures_by_group(label: Label) -> list[tuple[str, list[MeasureContent]]]:
    """Return (heading, measures) for each group of a label's measures, in the order in which they are shown."""
    groups = label.audit.groups if label.audit else ()
    ordered = sorted(label.measures.values(), key=lambda each: label.topics.index(each.topic))
    found = [(group, [measure_content(label, each) for each in ordered if each.group == group]) for group in groups]
    return [(group, measures) for group, measures in found if measures]


def measure_content(label: Label, measure: Measure) -> MeasureContent:
    """Return all that explains a measure of a label."""
    return MeasureContent(
        measure.name,
        measure.title,
        KINDS[measure.kind],
        measure.cites,
        measure.reading,
        tuple(_notes(label, measure)),
        measure.published,
        tuple(parameter_line(label.parameters[name]) for name in measure.uses),
    )


def _notes(label: Label, measure: Measure) -> Iterator[str]:
    if measure.kind == "share":
        yield f"Looked at {_when(label, measure)}, as {in_words(measure.stage)}."
    if measure.of:
        yield f"Only patients with: {label.measures[measure.of].title}."
    if measure.exclude is not None:
        yield f"Left out: {english(measure.exclude, label)}."
    if measure.denominator is not None:
        yield f"Counted when: {english(measure.denominator, label)}."
    if measure.numerator is not None:
        yield f"Yes when: {english(measure.numerator, label)}."
    if measure.action:
        yield f"Yes when: a rule asks for “{in_words(measure.action)}”."
    if measure.event is not None:
        yield f"Event: {english(measure.event, label)}."


def _when(label: Label, measure: Measure) -> str:
    if measure.look == "end":
        return "on the last day of treatment"
    if measure.look == "start":
        return "on the day of the start"
    days = sum(float(label.parameters[name].value) for name in measure.after)
    return f"{days:.0f} days after the start ({' + '.join(measure.after)}, local policy)"
