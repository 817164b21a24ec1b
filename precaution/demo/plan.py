"""The plan of one synthetic patient: a base, what scenarios change in it, and so what must be decided.

The truth is worked out here from the recipes alone, before a line becomes FHIR.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from precaution.demo.placeholders import Draw, NotOnThisDay

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from random import Random

    from precaution.demo.recipes import Base, Decoy, Recipes, Scenario
    from precaution.knowledge.model import Label

NO = "no"
HOW_MANY = ((0, 15), (1, 45), (2, 28), (3, 12))
"""(how many scenarios stand on a base, how often of a hundred times), where there may be several."""
_TRIES = 8
_LISTED = frozenset({"condition", "medication", "procedure", "immunization"})
_WHOLE = frozenset({"action", "stage"})


class RecordLine(NamedTuple):
    """A line of a record, its placeholders filled in."""

    text: str
    plain: bool = False
    """Whether it is written as it stands, without a disguise."""
    spoil: str = ""
    """What is taken from its resource, see `precaution.demo.spoils`."""


@dataclass(frozen=True, slots=True)
class PatientPlan:
    """One patient before any FHIR: the lines of the record, and what must be decided on them."""

    base: str
    scenarios: tuple[str, ...]
    lines: tuple[RecordLine, ...]
    expect: Mapping[str, str]
    """`stage`, `action`, and every rule and duty that is not `no`; empty where no decision is given."""
    aimed: tuple[str, ...]
    """The rules and duties that the scenarios are about."""
    refused: str
    """Why no decision is given; empty where one is."""
    traps: tuple[str, ...]
    """The names of what real records get wrong and this one holds."""


def drawn_plan(recipes: Recipes, label: Label, rng: Random, today: date, first: Scenario | None = None) -> PatientPlan:
    """Return a plan drawn by `rng` for a decision on `today`; `first` is a scenario that it should hold.

    Raises KnowledgeError for a placeholder that means nothing.
    """
    while True:
        bases = list(recipes.bases.values()) if first is None else [recipes.bases[name] for name in first.on]
        base = rng.choices(bases, [each.weight for each in bases])[0]
        chosen = _scenarios(base, recipes, rng, [first] if first is not None else [])
        first = None  # only once: on some days it may not exist
        try:
            return plan_of(base, chosen, recipes, label, rng, today)
        except NotOnThisDay:
            continue


def plan_of(
    base: Base, chosen: Sequence[Scenario], recipes: Recipes, label: Label, rng: Random, today: date
) -> PatientPlan:
    """Return the plan of a base with chosen scenarios, and with decoys drawn by `rng`, for a decision on `today`.

    Raises NotOnThisDay where a placeholder has no value on that day.
    """
    draw = Draw(rng, today).name(base.draw)
    lines = _merged([draw.fill(line) for line in base.lines], [_filled(each, draw) for each in chosen])
    decoys = [] if any(each.plain and each.alone for each in chosen) else _decoys(base, chosen, lines, recipes, rng)
    for decoy in decoys:
        lines += [RecordLine(draw.fill(line)) for line in decoy.lines]
    traps = {trap for each in chosen for trap in each.traps} | {trap for each in decoys for trap in each.traps}
    return PatientPlan(
        base.name,
        tuple(each.name for each in chosen),
        tuple(lines),
        _expected(base, chosen, label),
        tuple(sorted({name for each in chosen for name in each.expect} - _WHOLE)),
        next((each.refused for each in chosen if each.refused), ""),
        tuple(sorted(traps)),
    )


def _scenarios(base: Base, recipes: Recipes, rng: Random, chosen: list[Scenario]) -> list[Scenario]:
    """Return the `chosen` scenarios and others drawn beside them; no two are about the same rule or duty."""
    possible = [each for each in recipes.scenarios.values() if base.name in each.on]
    numbers, weights = zip(*HOW_MANY, strict=True)
    wanted = rng.choices(numbers, weights)[0]
    for _ in range(_TRIES):
        if len(chosen) >= (wanted if base.combine else min(wanted, 1)) or not possible:
            break
        next_one = rng.choices(possible, [each.weight for each in possible])[0]
        if all(_independent(next_one, other) for other in chosen):
            chosen.append(next_one)
    return chosen


def _independent(first: Scenario, second: Scenario) -> bool:
    return not (first.alone or second.alone or (first.expect.keys() & second.expect.keys()) - _WHOLE)


def _filled(scenario: Scenario, draw: Draw) -> tuple[Scenario, list[str]]:
    inner = draw.name(scenario.draw)
    return scenario, [inner.fill(line) for line in scenario.lines]


def _merged(base: list[str], own: list[tuple[Scenario, list[str]]]) -> list[RecordLine]:
    """Return the lines of a base and of scenarios, less those that a scenario takes away, each with its spoil."""
    gone = [line.removeprefix("without ") for _, lines in own for line in lines if line.startswith("without ")]
    gone += ["born " for _, lines in own for line in lines if line.startswith("born ")]
    kept = [RecordLine(line) for line in base if not any(line.startswith(start) for start in gone)]
    kept += [
        RecordLine(line, scenario.plain) for scenario, lines in own for line in lines if not line.startswith("without ")
    ]
    spoils = {start: how for scenario, _ in own for start, how in scenario.spoil.items()}
    return [line._replace(spoil=_spoil(line.text, spoils)) for line in kept]


def _spoil(line: str, spoils: Mapping[str, str]) -> str:
    return next((how for start, how in spoils.items() if line.startswith(start)), "")


def _expected(base: Base, chosen: Sequence[Scenario], label: Label) -> dict[str, str]:
    """Return what must be decided: what the base says, what scenarios say instead, and the gravest of their actions."""
    if any(each.refused for each in chosen):
        return {}
    whole = dict(base.expect)
    for each in chosen:
        whole |= each.expect
    actions = [each.expect["action"] for each in chosen] or [base.expect["action"]]
    whole["action"] = min(actions, key=label.actions.index)
    return {name: state for name, state in sorted(whole.items()) if state != NO}


def _decoys(
    base: Base, chosen: Sequence[Scenario], lines: Sequence[RecordLine], recipes: Recipes, rng: Random
) -> list[Decoy]:
    """Return decoys drawn for a record; one of a kind of which the record has no list would make one, so none is."""
    names = {each.name for each in chosen}
    kinds = {kind for line in lines for kind in _kinds(line.text)}
    possible = [
        each
        for each in recipes.decoys
        if (not each.on or base.name in each.on)
        and not names & set(each.without)
        and all(kind in kinds for line in each.lines for kind in _kinds(line))
    ]
    return rng.sample(possible, min(len(possible), rng.choice((0, 1, 1, 2, 3))))


def _kinds(line: str) -> Iterator[str]:
    """Yield the kind of list that a line stands in."""
    words = line.split(maxsplit=2)
    kind = words[1] if words[0] in ("text", "forbidden") else words[0]
    if kind in _LISTED:
        yield kind
