"""What facts, rules and duties come to where a record says nothing about them, kept from one patient to the next.

Most of what a label asks for is absent from a record, and absence is the same for every record of the same day, stage
and complete lists. So it is worked out once, on a record made here that holds no entry; the facts of a patient begin
with it, less what the patient's own record says anything about. What is kept never saw a patient. The label object
keeps it, and the engine says the same without it: `Facts(chart)` in place of `remembered(chart)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from precaution.engine.chart import Chart
from precaution.engine.duties import schedule
from precaution.engine.facts import Facts
from precaution.engine.findings import judge
from precaution.engine.therapy import Therapy
from precaution.values.record import ANSWER, Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    Places = dict[str, set[str]]

MOST = 64
"""Most blank records kept by a label at a stage: one for each day and set of lists that is met."""


class Blank(NamedTuple):
    """A record without entries: all that it comes to and that depends on nothing but entries."""

    facts: Facts
    facts_at: Places
    """Name under which a record files entries = the facts that are to be worked out anew where it does ..."""
    rules_at: Places
    """... and the rules ..."""
    duties_at: Places
    """... and the duties."""


def remembered(chart: Chart) -> Facts:
    """Return the facts of a chart, with all worked out already that its record says nothing about."""
    facts = Facts(chart)
    blank = _blank(chart, facts.compiled.blanks)
    if blank is not None:
        facts.update(blank.facts)
        facts.details.update(blank.facts.details)
        facts.judged.update(blank.facts.judged)
        facts.scheduled.update(blank.facts.scheduled)
        for name in _touched(blank.facts_at, chart):
            del facts[name], facts.details[name]
        for name in _touched(blank.rules_at, chart):
            del facts.judged[name]
        for name in _touched(blank.duties_at, chart):
            del facts.scheduled[name]
    return facts


def _touched(at: Places, chart: Chart) -> set[str]:
    return set().union(*[at[place] for place in chart.record.entries if place in at])


def _blank(chart: Chart, kept: dict[object, Blank | None]) -> Blank | None:
    """Return the blank record of a chart; None for the first of its sort: many days are looked at but once."""
    record = chart.record
    key = (chart.today, record.lists, record.attested)
    if key not in kept:
        if len(kept) >= MOST:
            kept.clear()
        kept[key] = None
        return None
    blank = kept.get(key)
    if blank is None:
        empty = Record(lists=record.lists, attested=record.attested)
        blank = kept[key] = _worked_out(Chart(empty, chart.label, chart.today, Therapy(chart.stage, "")))
    return blank


def _worked_out(chart: Chart) -> Blank:
    """Return all that depends on entries alone; a hold, and a schedule on treatment, depend on its course too.

    Each is worked out by itself, which shows what it looks at.
    """
    blank = Blank(Facts(chart), {}, {}, {})
    facts = blank.facts
    for name in (*facts.compiled.places, *facts.compiled.parameters):
        alone = Facts(chart)
        known, value = alone.known(name), alone[name]
        if _depends(name, alone, blank.facts_at):
            facts.details[name], facts[name] = known, value
    for name, rule in facts.compiled.rules.items():
        alone = Facts(chart)
        judged = judge(rule.rule, alone)
        if not rule.is_hold and _depends(name, alone, blank.rules_at):
            facts.judged[name] = judged
    for name, duty in chart.label.duties.items() if chart.stage == "before-start" else ():
        alone = Facts(chart)
        scheduled = schedule(duty, alone)
        needs = (*(concept for group in duty.needs for concept in group), ANSWER + duty.ask)
        if _depends(name, alone, blank.duties_at, needs):
            facts.scheduled[name] = scheduled
    return blank


def _depends(name: str, alone: Facts, at: Places, also: Iterable[str] = ()) -> bool:
    """Note on which places it depends what was worked out alone; False for an age, which depends on no entry."""
    looked_at, compiled = alone.keys() | alone.details.keys(), alone.compiled
    if not looked_at.isdisjoint(compiled.ages):
        return False
    for place in (*also, *(place for each in looked_at for place in compiled.places.get(each, ()))):
        at.setdefault(place, set()).add(name)
    return True
