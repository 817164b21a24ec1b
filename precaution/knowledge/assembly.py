"""Reads label.toml, concepts.toml and the topic files into the dataclasses of `precaution.knowledge.model`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from precaution.errors import did_you_mean
from precaution.knowledge.fact import Fact
from precaution.knowledge.fact_kinds import FACT_KINDS
from precaution.knowledge.folder import topic_files
from precaution.knowledge.model import Ask, Audit, Concept, Duty, Measure, Parameter, Records, Rule, Says, Therapy
from precaution.knowledge.policy import as_written, measured
from precaution.knowledge.toml import Place, Table, as_table, read, read_toml, refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from precaution.knowledge.model import Stage

T = TypeVar("T")
HEAD = ("name", "version", "title", "about", "actions", "therapy", "records", "audit", "parameter")
SECTIONS = ("says", "parameter", "concept", "fact", "ask", "rule", "duty", "measure")


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """What stands at the top of label.toml."""

    name: str
    """Short name, as the folder's."""
    version: str
    """Version of the label's text."""
    title: str
    """Name as it is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """`[actions]` of label.toml."""

    order: tuple[str, ...]
    """Every action that a rule or duty may ask for, gravest first."""


@dataclass
class Gathered:
    """The tables of all files, before they are checked against each other."""

    head: Mapping[str, Any]
    topics: list[str] = field(default_factory=list)
    says: dict[str, Says] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    concepts: dict[str, Concept] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    asks: dict[str, Ask] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    duties: dict[str, Duty] = field(default_factory=dict)
    measures: dict[str, Measure] = field(default_factory=dict)


def gather(folder: Path) -> Gathered:
    """Return everything that the TOML files of a label's folder say.

    Raises KnowledgeError for the first table that can't be read.
    """
    top = read_toml(folder / "label.toml", "label.toml")
    refuse_unknown(top, HEAD, Place("label.toml"))
    found = Gathered(_head(top))
    _add(found, {key: top[key] for key in ("parameter",) if key in top}, "label.toml", "")
    if (folder / "concepts.toml").is_file():
        concepts = read_toml(folder / "concepts.toml", "concepts.toml")
        refuse_unknown(concepts, ("concept",), Place("concepts.toml"))
        _add(found, concepts, "concepts.toml", "")
    for path in topic_files(folder):
        name = f"topics/{path.name}"
        tables = read_toml(path, name)
        refuse_unknown(tables, SECTIONS, Place(name))
        found.topics.append(path.stem)
        _add(found, tables, name, path.stem)
    return found


def _head(top: Table) -> Mapping[str, Any]:
    place = Place("label.toml")
    names = read(Top, {key: top[key] for key in ("name", "version", "title") if key in top}, place)
    return {
        "name": names.name,
        "version": names.version,
        "title": names.title,
        "about": as_table(top.get("about", {}), place._replace(table="about")),
        "actions": read(Actions, top.get("actions", {}), place._replace(table="actions")).order,
        "therapy": read(Therapy, top.get("therapy", {}), place._replace(table="therapy")),
        "records": read(Records, top.get("records", {}), place._replace(table="records")),
        "audit": read(Audit, top["audit"], place._replace(table="audit")) if "audit" in top else None,
    }


def _add(found: Gathered, tables: Table, file: str, topic: str) -> None:
    kinds: Mapping[str, tuple[dict[str, Any], Callable[[str, str, object, Place], object]]] = {
        "says": (found.says, _says),
        "parameter": (found.parameters, _parameter),
        "concept": (found.concepts, _plain(Concept)),
        "fact": (found.facts, _fact),
        "ask": (found.asks, _plain(Ask)),
        "rule": (found.rules, _rule),
        "duty": (found.duties, _plain(Duty)),
        "measure": (found.measures, _plain(Measure)),
    }
    for section, entries in tables.items():
        known, convert = kinds[section]
        for name, table in as_table(entries, Place(file, section)).items():
            place = Place(file, f"{section}.{name}")
            if name in known:
                raise place.error("there is another of this name; give this one its own")
            known[name] = convert(name, topic, table, place)


def _plain(kind: type[T]) -> Callable[[str, str, object, Place], T]:
    return lambda name, topic, table, place: read(kind, table, place, name=name, topic=topic)


def _says(name: str, topic: str, table: object, place: Place) -> Says:
    return read(Says, table, place, id=name, topic=topic)


def _parameter(name: str, topic: str, table: object, place: Place) -> Parameter:
    found = read(Parameter, table, place, name=name, topic=topic, written="")
    raw = as_table(table, place)["value"]
    found = replace(found, value=measured(raw, place.at("value")), written=as_written(raw))
    if found.choices and found.written not in found.choices:
        raise place.at("value").error(f"must be one of its choices: {', '.join(found.choices)}")
    return found


def _fact(name: str, topic: str, table: object, place: Place) -> Fact:
    given = as_table(table, place)
    kinds = [key for key in given if key in FACT_KINDS]
    if len(kinds) > 1:
        raise place.error(f"has {' and '.join(kinds)}; a fact is of one kind only")
    if not kinds:
        near = next((hint for key in given if (hint := did_you_mean(key, FACT_KINDS))), "")
        raise place.error(f"needs one key that says its kind: {', '.join(FACT_KINDS)}.{near}")
    fact = read(FACT_KINDS[kinds[0]], given, place, name=name, topic=topic)
    if wrong := fact.problem():
        raise place.error(wrong)
    return fact


def _rule(name: str, topic: str, table: object, place: Place) -> Rule:
    """Return a rule; what is given once for all stages is kept for the stages of `then` only."""
    rule = read(Rule, table, place, name=name, topic=topic)
    if not rule.then:
        raise place.at("then").error("names no stage")
    given = as_table(table, place)
    for key in ("when", "if-unknown", "if-attested", "if-denied"):
        stages = given.get(key)
        if isinstance(stages, dict):
            _same_stages(stages, rule.then, place.at(key), every=key in ("when", "if-unknown"))
    return replace(
        rule,
        when=_kept(rule.when, rule),
        if_unknown=_kept(rule.if_unknown, rule),
        if_attested=_kept(rule.if_attested, rule),
        if_denied=_kept(rule.if_denied, rule),
    )


def _same_stages(given: Table, then: Mapping[Stage, str], place: Place, *, every: bool) -> None:
    for stage in given:
        if stage not in then:
            raise place.at(stage).error("'then' does not have this stage")
    for stage in then:
        if every and stage not in given:
            raise place.error(f"'{stage}' is missing; 'then' has it")


def _kept(by_stage: Mapping[Stage, T], rule: Rule) -> dict[Stage, T]:
    return {stage: by_stage[stage] for stage in rule.then if stage in by_stage}
