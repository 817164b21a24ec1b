"""What is shown beside a finding: the entries behind it, what was looked for, and the background that explains it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from precaution.engine.answer import Background, Evidence, Searched
from precaution.engine.atoms import key_of
from precaution.engine.chart import day_of
from precaution.engine.compiled import concepts_of
from precaution.knowledge.expression import compiled
from precaution.knowledge.fact_kinds import Derived, Ever, Fact, Latest, Repeated, Tested
from precaution.values.interval import iso_day, show_day

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from precaution.engine.compiled import Prepared
    from precaution.engine.facts import Chart, Facts
    from precaution.knowledge.model import Says
    from precaution.values.record import Entry


class Backgrounds(dict[str, "tuple[Background, ...]"]):
    """By rule or duty, the background sentences shown with it; under "" those that matter for this patient anyway."""

    __slots__ = ("applying",)

    def __init__(self, always: Mapping[str, tuple[Background, ...]], applying: Sequence[Says]) -> None:
        """Add to those of every patient those that apply to this one."""
        super().__init__(always)
        self.applying = tuple([each.id for each in applying])
        for says in applying:
            for name in ("", *says.explains):
                self[name] = (*self.get(name, ()), Background(says.id, says.means))


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


def searched(name: str, facts: Facts) -> tuple[Searched, ...]:
    """Return what a fact looked for: each concept, from which day, and how many entries there were."""
    known = facts.known(name)
    if known.searched is None:
        shared = known is facts.blank.known.get(name)  # other patients get the same: it must hold nothing of this one
        known.searched = _searched(_looks_for(name, facts.prepared), facts.blank.chart if shared else facts.chart)
    return known.searched


def _searched(looks_for: tuple[tuple[str, ...], float | None], chart: Chart) -> tuple[Searched, ...]:
    (concepts, days), past = looks_for, chart.past
    if days is None:
        return tuple([Searched(concept, "", len(past.get(concept, ()))) for concept in concepts])
    first = chart.today - days
    since = iso_day(max(first, 1))
    return tuple([Searched(concept, since, _found(past.get(concept, ()), first)) for concept in concepts])


def _found(entries: Sequence[Entry], first: float) -> int:
    return sum([(day := day_of(entry)) is None or day[1] >= first for entry in entries]) if entries else 0


@lru_cache(maxsize=4096)
def _looks_for(name: str, ready: Prepared) -> tuple[tuple[str, ...], float | None]:
    """Return the code lists that a fact looks at, each once, and the days of its window."""
    definition = ready.label.facts.get(name)
    if definition is None or isinstance(definition, Derived):
        return (), None
    limit = _window(definition, ready)
    return tuple(dict.fromkeys(concepts_of(definition))), float(ready.label.parameters[limit].value) if limit else None


def _window(definition: Fact, ready: Prepared) -> str:
    if isinstance(definition, (Latest, Tested)):
        return definition.within.get(ready.stage, "")
    return definition.within if isinstance(definition, (Ever, Repeated)) else ""


def backgrounds(facts: Facts) -> Backgrounds:
    """Return the background sentences that explain rules and duties for this patient."""
    if facts.background is None:
        ready = _backgrounds(facts.prepared)
        key = ready.key(facts)
        found = ready.found.get(key)
        if found is None:
            found = ready.found[key] = ready.of(facts)
        facts.background = found
    return facts.background


class _Ready:
    """The background sentences of a label at a stage: those for every patient, and those for some."""

    def __init__(self, prepared: Prepared) -> None:
        """Make them ready."""
        says = prepared.label.says.values()
        self.always: dict[str, tuple[Background, ...]] = {}
        for each in says:
            for name in each.explains if each.show_when is None else ():
                self.always[name] = (*self.always.get(name, ()), Background(each.id, each.means))
        self.sometimes = [(each, each.show_when) for each in says if each.show_when is not None]
        self.key = key_of([when for _, when in self.sometimes], prepared)
        self.found: dict[Hashable, Backgrounds] = {}
        """By what the facts are."""

    def of(self, facts: Facts) -> Backgrounds:
        """Return those for a patient."""
        return Backgrounds(self.always, [says for says, when in self.sometimes if compiled(when)(facts) is True])


_backgrounds = lru_cache(maxsize=256)(_Ready)
