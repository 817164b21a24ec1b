"""The recipes of a label's synthetic patients, `demo.toml` of its folder, as frozen dataclasses.

[base.ready]                a whole record, and what must come of it
[scenario.low-count]        what is different in some patients, and what must come of that instead
[[decoy]]                   what must change nothing: entered in error, of relatives, of the future
[[noise]]                   what fills a record: vital signs
[units."10*9/L"]            spelling = factor: the same amount, written otherwise
[codes] lab_x = [...]       other codes that stand for the same
[trap] negative = "..."     the names of what real records get wrong, which recipes say they hold
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from precaution.cases.lines import resources
from precaution.cases.load import DUTY_STATES, RULE_STATES
from precaution.errors import KnowledgeError, did_you_mean
from precaution.knowledge.refers import STAGES
from precaution.knowledge.toml import Place, Table, as_table, read, read_toml, refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from precaution.knowledge.model import Label
    from precaution.knowledge.terminology import Terminology

FILE = "demo.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """`[base.ready]`: a whole record at one stage of treatment."""

    name: str
    weight: float
    """How often it is drawn, beside the other bases."""
    lines: tuple[str, ...]
    """Its record, in the language of cases, with placeholders."""
    expect: Mapping[str, str]
    """`stage`, `action`, and every rule and duty that is not `no`."""
    draw: Mapping[str, str] = field(default_factory=dict[str, str])
    """name = placeholder: days that several lines share."""
    combine: bool = True
    """Whether several scenarios may stand on it at once: their actions are then compared by rank."""
    why: str = ""
    """What it is, for a reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`[scenario.low-count]`: what is different in some patients."""

    name: str
    on: tuple[str, ...]
    """The bases it may stand on."""
    expect: Mapping[str, str]
    """`action`, and every rule and duty it is about, also those that stay as they were."""
    weight: float = 1.0
    lines: tuple[str, ...] = ()
    """Further lines; `without result lab_x` takes lines of the base away."""
    spoil: Mapping[str, str] = field(default_factory=dict[str, str])
    """Beginning of a line = what is done to its resource, as `no-unit`."""
    draw: Mapping[str, str] = field(default_factory=dict[str, str])
    alone: bool = False
    """Whether no other scenario may stand beside it: it touches more than it names."""
    plain: bool = False
    """Whether its lines are written as they stand: what they show lies in how they are written."""
    traps: tuple[str, ...] = ()
    """The names of what real records get wrong and it holds."""
    refused: str = ""
    """Why no decision is given at all."""
    why: str = ""
    """What it shows, and where the answer is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoy:
    """`[[decoy]]`: lines that must change nothing."""

    lines: tuple[str, ...]
    traps: tuple[str, ...]
    on: tuple[str, ...] = ()
    """The bases it may stand in; all where left out."""
    without: tuple[str, ...] = ()
    """Scenarios beside which it may not stand."""
    why: str = ""


Coding = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class _NoiseTable:
    """`[[noise]]` as it is written."""

    code: str
    text: str
    number: str = ""
    unit: str = ""
    parts: tuple[str, ...] = ()


class VitalComponent(NamedTuple):
    """A component of a vital sign: systolic, diastolic."""

    coding: Coding
    number: str
    unit: str


class Noise(NamedTuple):
    """`[[noise]]`: a vital sign that no rule looks at."""

    coding: Coding
    text: str
    number: str
    """Its range, as a placeholder has it; none where it has parts."""
    unit: str
    parts: tuple[VitalComponent, ...]
    """`LOINC|8480-6 100..150 mm[Hg]`: components."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipes:
    """Everything that a label's `demo.toml` says."""

    bases: Mapping[str, Base]
    scenarios: Mapping[str, Scenario]
    decoys: tuple[Decoy, ...]
    noise: tuple[Noise, ...]
    units: Mapping[str, Mapping[str, float]]
    codes: Mapping[str, tuple[Coding, ...]]
    panel: Coding
    """A code that is no concept of the label, for panels of results."""
    displays: tuple[str, ...]
    """Displays that say something else than their code."""
    traps: Mapping[str, str]


def load_recipes(folder: Path, label: Label) -> Recipes:
    """Return the recipes of a label's folder.

    Raises KnowledgeError where it has none, or where one names what the label does not know.
    """
    tables = read_toml(folder / FILE, FILE)
    top = Place(FILE)
    refuse_unknown(tables, ("base", "scenario", "decoy", "noise", "units", "codes", "panel", "displays", "trap"), top)
    recipes = Recipes(
        bases={
            name: read(Base, table, Place(FILE, f"base.{name}"), name=name) for name, table in _tables(tables, "base")
        },
        scenarios={
            name: read(Scenario, table, Place(FILE, f"scenario.{name}"), name=name)
            for name, table in _tables(tables, "scenario")
        },
        decoys=tuple(read(Decoy, each, Place(FILE, f"decoy {n}")) for n, each in _listed(tables, "decoy")),
        noise=tuple(
            _noise(read(_NoiseTable, each, Place(FILE, f"noise {n}")), label.terminology)
            for n, each in _listed(tables, "noise")
        ),
        units={
            unit: {spelling: float(str(factor)) for spelling, factor in as_table(table, top).items()}
            for unit, table in _tables(tables, "units")
        },
        codes={
            name: tuple(coding_of(str(code), label.terminology) for code in _list(codes))
            for name, codes in _tables(tables, "codes")
        },
        panel=coding_of(str(tables.get("panel", "")), label.terminology),
        displays=tuple(str(each) for each in _list(tables.get("displays", []))),
        traps={name: str(why) for name, why in _tables(tables, "trap")},
    )
    for place, message in recipe_errors(recipes, label):
        raise place.error(message)
    return recipes


def _noise(table: _NoiseTable, terminology: Terminology) -> Noise:
    parts = [part.split() for part in table.parts]
    return Noise(
        coding_of(table.code, terminology),
        table.text,
        table.number,
        table.unit,
        tuple(VitalComponent(coding_of(code, terminology), number, unit) for code, number, unit in parts),
    )


def coding_of(code: str, terminology: Terminology) -> Coding:
    """Return `LOINC|718-7`, or the first code of a concept, as a Coding of FHIR. Raises KnowledgeError for neither."""
    made = resources([f"condition {code}"], terminology)[-1]["code"]
    coding = made["coding"][0] if isinstance(made, dict) else {}
    return dict(coding)


def recipe_errors(recipes: Recipes, label: Label) -> Iterator[tuple[Place, str]]:
    """Yield the place and the message of everything wrong in recipes: names that neither they nor the label know."""
    for base in recipes.bases.values():
        place = Place(FILE, f"base.{base.name}")
        yield from _state_errors(base.expect, label, place)
        if not {"stage", "action"} <= base.expect.keys():
            yield place.at("expect"), "must say 'stage' and 'action'"
    for scenario in recipes.scenarios.values():
        place = Place(FILE, f"scenario.{scenario.name}")
        yield from _unknown_names(scenario.on, recipes.bases, place.at("on"))
        yield from _unknown_names(scenario.traps, recipes.traps, place.at("traps"))
        yield from _state_errors(scenario.expect, label, place)
        if "action" not in scenario.expect and not scenario.refused:
            yield place.at("expect"), "must say 'action'"
    for number, decoy in enumerate(recipes.decoys, start=1):
        place = Place(FILE, f"decoy {number}")
        yield from _unknown_names(decoy.on, recipes.bases, place.at("on"))
        yield from _unknown_names(decoy.without, recipes.scenarios, place.at("without"))
        yield from _unknown_names(decoy.traps, recipes.traps, place.at("traps"))


def _unknown_names(names: tuple[str, ...], known: Mapping[str, object], place: Place) -> Iterator[tuple[Place, str]]:
    for name in names:
        if name not in known:
            yield place, f"there is no '{name}'.{did_you_mean(name, known)}"


def _state_errors(expect: Mapping[str, str], label: Label, place: Place) -> Iterator[tuple[Place, str]]:
    states = {
        **dict.fromkeys(label.rules, RULE_STATES),
        **dict.fromkeys(label.duties, DUTY_STATES),
        "action": label.actions,
        "stage": STAGES,
    }
    for name, state in expect.items():
        if name not in states:
            yield place.at(f"expect.{name}"), f"no rule or duty is called '{name}'.{did_you_mean(name, states)}"
        elif state not in states[name]:
            yield place.at(f"expect.{name}"), f"must be one of {', '.join(states[name])}"


def _tables(tables: Table, name: str) -> Iterator[tuple[str, object]]:
    yield from as_table(tables.get(name, {}), Place(FILE, name)).items()


def _listed(tables: Table, name: str) -> Iterator[tuple[int, object]]:
    yield from enumerate(_list(tables.get(name, [])), start=1)


def _list(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    raise KnowledgeError(f"{FILE}: a list is expected, or [[...]]")
