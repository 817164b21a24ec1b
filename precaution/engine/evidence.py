"""What is shown beside a finding: the entries behind it, and what was looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.engine.answer import Evidence, Searched
from precaution.engine.chart import day_of
from precaution.values.interval import iso_day, show_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precaution.engine.chart import Chart
    from precaution.engine.compiled import Search
    from precaution.values.record import Entry


def shown(entries: Sequence[Entry]) -> tuple[Evidence, ...]:
    """Return entries as evidence, each source once, newest first."""
    if not entries:
        return ()
    if len(entries) == 1:
        return (_evidence(entries[0]),)
    ordered = sorted(entries, key=_newest_first)
    unique = {(entry.source, entry.says): entry for entry in reversed(ordered)}
    return tuple([_evidence(entry) for entry in reversed(unique.values())])


def _newest_first(entry: Entry) -> tuple[float, str, str]:
    day = day_of(entry)
    return (-day[0] if day is not None else float("inf"), entry.source, entry.says)


def _evidence(entry: Entry) -> Evidence:
    says = entry.says or entry.result or entry.status
    return Evidence(entry.source, show_day(day_of(entry)), says, entry.note)


def searched(search: Search, chart: Chart) -> tuple[Searched, ...]:
    """Return what a fact looked for: each concept, from which day, and how many entries there were."""
    past = chart.past
    if search.days is None:
        return tuple([Searched(concept, "", len(past.get(concept, ()))) for concept in search.concepts])
    first = chart.today - search.days
    since = iso_day(max(first, 1))
    return tuple([Searched(concept, since, _found(past.get(concept, ()), first)) for concept in search.concepts])


def _found(entries: Sequence[Entry], first: float) -> int:
    return sum([(day := day_of(entry)) is None or day[1] >= first for entry in entries])
