"""What is shown beside a finding: the entries behind it, what was looked for, and the background that explains it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.answer import Background, Evidence, Searched
from precaution.expression import compiled
from precaution.fact_kinds import Derived, Ever, Fact, Latest, Repeated, Tested
from precaution.facts.known import day_of
from precaution.facts.prepared import concepts_of
from precaution.interval import exactly, show_day

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precaution.definitions import Label, Says
    from precaution.facts import Facts
    from precaution.record import Entry

Backgrounds = dict[str, "tuple[Background, ...]"]
"""By rule or duty, the background sentences shown with it; under "" those that matter for this patient anyway."""


def shown(entries: Iterable[Entry]) -> tuple[Evidence, ...]:
    """Return entries as evidence, each source once, newest first."""
    entries = list(entries)
    if not entries:
        return ()
    ordered = sorted(entries, key=lambda entry: (-_low(entry), entry.source, entry.says))
    unique = {(entry.source, entry.says): entry for entry in reversed(ordered)}
    return tuple(
        Evidence(entry.source, show_day(day_of(entry)), _says(entry), entry.note) for entry in reversed(unique.values())
    )


def _low(entry: Entry) -> float:
    day = day_of(entry)
    return day.low if day is not None else float("-inf")


def _says(entry: Entry) -> str:
    return entry.says or entry.result or entry.status


def searched(name: str, facts: Facts) -> tuple[Searched, ...]:
    """Return what a fact looked for: each concept, from which day, and how many entries there were."""
    kept = facts.searched.get(name)
    if kept is None:
        kept = facts.searched[name] = _searched(facts.chart.label.facts.get(name), facts)
    return kept


def _searched(definition: Fact | None, facts: Facts) -> tuple[Searched, ...]:
    if definition is None or isinstance(definition, Derived):
        return ()
    days = _window(definition, facts)
    first = facts.chart.today - days if days is not None else None
    since = show_day(exactly(max(first, 1))) if first is not None else ""
    return tuple(Searched(concept, since, _found(concept, first, facts)) for concept in concepts_of(definition))


def _found(concept: str, first: float | None, facts: Facts) -> int:
    entries = facts.chart.entries((concept,))
    if first is None or not entries:
        return len(entries)
    return sum(1 for entry in entries if (day := day_of(entry)) is None or day.high >= first)


def _window(definition: Fact, facts: Facts) -> float | None:
    limit = ""
    if isinstance(definition, (Latest, Tested)):
        limit = definition.within.get(facts.chart.stage, "")
    elif isinstance(definition, (Ever, Repeated)):
        limit = definition.within
    return facts.chart.number(limit) if limit else None


def backgrounds(facts: Facts) -> Backgrounds:
    """Return the background sentences that explain rules and duties for this patient."""
    always, sometimes = _backgrounds(facts.chart.label)
    applying = [says for says in sometimes if says.show_when is not None and compiled(says.show_when)(facts) is True]
    if not applying:
        return always
    found = dict(always)
    for says in applying:
        for name in ("", *says.explains):
            found[name] = (*found.get(name, ()), Background(says.id, says.means))
    return found


_BACKGROUNDS: dict[str, tuple[Backgrounds, tuple[Says, ...]]] = {}


def _backgrounds(label: Label) -> tuple[Backgrounds, tuple[Says, ...]]:
    """Background sentences for every patient, and those for some; kept by the label's digest."""
    kept = _BACKGROUNDS.get(label.digest)
    if kept is None:
        always: Backgrounds = {}
        for says in label.says.values():
            for name in says.explains if says.show_when is None else ():
                always[name] = (*always.get(name, ()), Background(says.id, says.means))
        sometimes = tuple(says for says in label.says.values() if says.show_when is not None)
        kept = _BACKGROUNDS[label.digest] = (always, sometimes)
    return kept
