"""Reads label.toml, concepts.toml and the topic files into the dataclasses of `precaution.knowledge.model`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from precaution.errors import did_you_mean
from precaution.knowledge import shared
from precaution.knowledge.expansion import FACTS, expanded
from precaution.knowledge.expression import written
from precaution.knowledge.fact import Fact
from precaution.knowledge.families import FOR
from precaution.knowledge.folder import topic_files
from precaution.knowledge.model import (
    Ask,
    AuditSettings,
    Duty,
    Measure,
    Parameter,
    Questionnaire,
    Records,
    Rule,
    Says,
    TherapySettings,
)
from precaution.knowledge.said_once import Actions, SaidOnce, collected
from precaution.knowledge.sections import CONVERT
from precaution.knowledge.shorthand import Limit
from precaution.knowledge.terminology import Concept
from precaution.knowledge.toml import Place, Table, as_table, read, read_toml, refuse_unknown

if TYPE_CHECKING:
    from pathlib import Path

    from precaution.knowledge.expansion import Plain


SHARED_BY_TOPICS = ("parameter", "measure", "source")
"""Sections of label.toml: parameters, families of measures, sources of figures."""
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s|#]+")
_VERSION = re.compile(r"[A-Za-z0-9.-]{1,64}")
HEAD = (
    "name",
    "version",
    "title",
    "about",
    "actions",
    "therapy",
    "records",
    "audit",
    "questionnaire",
    shared.SECTION,
    *SHARED_BY_TOPICS,
)
SECTIONS = ("says", "parameter", "concept", "fact", "result", "ask", "rule", "duty", "measure", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """What stands at the top of label.toml."""

    name: str
    """Short name, as the folder's."""
    version: str
    """Version of the label's text."""
    title: str
    """Name as it is shown."""


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
    limits: Mapping[str, Limit] = field(default_factory=dict)

    def of(self, section: str) -> dict[str, Any]:
        """Return the tables of a section."""
        kinds: Mapping[str, dict[str, Any]] = {
            "says": self.says,
            "parameter": self.parameters,
            "concept": self.concepts,
            "fact": self.facts,
            "ask": self.asks,
            "rule": self.rules,
            "duty": self.duties,
            "measure": self.measures,
        }
        return kinds[section]


def gather(folder: Path, site_topics: Mapping[str, Table] | None = None) -> Gathered:
    """Return everything that the TOML files of a label's folder say, and topics of a site beside it.

    Raises KnowledgeError for the first table that can't be read.
    """
    top, files = read_files(folder)
    files |= site_topics or {}
    said = collected(files, actions_of(top))
    found = Gathered(_head(top), limits=said.limits)
    found.topics += filter(None, map(topic_of, files))
    for file, plain in plain_tables(files, said):
        add(found, plain, file)
    return found


def plain_tables(files: Mapping[str, Table], said: SaidOnce) -> Iterator[tuple[str, Plain]]:
    """Yield file and plain table of all files, facts first; `said` is what the files say once.

    Raises KnowledgeError for what stands for several tables and can't.
    """
    for facts in (True, False):
        for file, tables in files.items():
            for plain in expanded(file, {key: tables[key] for key in tables if (key in FACTS) == facts}, said):
                if facts:
                    said.titles[plain[1]] = str(plain[2].get("title", ""))
                yield file, plain
    for place in said.idle.values():
        raise place.error("no table names it; use it or remove it")


def read_files(folder: Path) -> tuple[Table, dict[str, Table]]:
    """Return label.toml, and the tables of every file of a label's folder that `expansion` makes plain, by file.

    Raises KnowledgeError for a file that can't be read, and for a table that has no place in it.
    """
    top = read_toml(folder / "label.toml", "label.toml")
    refuse_unknown(top, HEAD, Place("label.toml"))
    files: dict[str, Table] = {"label.toml": {key: top[key] for key in SHARED_BY_TOPICS if key in top}}
    for name, table in as_table(top.get("measure", {}), Place("label.toml", "measure")).items():
        if not isinstance(table, dict) or table.get(FOR) != {}:
            raise Place("label.toml", f"measure.{name}").error("has no topic; here stands what topics share: for = {}")
    if (folder / "concepts.toml").is_file():
        files["concepts.toml"] = read_toml(folder / "concepts.toml", "concepts.toml")
        refuse_unknown(files["concepts.toml"], ("concept",), Place("concepts.toml"))
    chapters = shared.chapters_of(top)
    for each in chapters:
        files[f"{shared.SECTION}/{each}.toml"] = {"concept": shared.section_of(each, "concept")}
    for path in topic_files(folder):
        name = f"topics/{path.name}"
        tables = read_toml(path, name)
        refuse_unknown(tables, (*SECTIONS, shared.SECTION), Place(name))
        files[name] = shared.with_taken(tables, chapters, Place(name))
    return top, files


def topic_of(file: str) -> str:
    """Return the topic of a file; an empty string for a file that is no topic's."""
    return file.removeprefix("topics/").removesuffix(".toml") if file.startswith("topics/") else ""


def _head(top: Table) -> Mapping[str, Any]:
    place = Place("label.toml")
    names = read(Top, {key: top[key] for key in ("name", "version", "title") if key in top}, place)
    return {
        "name": names.name,
        "version": names.version,
        "title": names.title,
        "about": as_table(top.get("about", {}), place._replace(table="about")),
        "actions": actions_of(top).order,
        "reasons": actions_of(top).reasons,
        "therapy": _therapy(top, place._replace(table="therapy")),
        "records": read(Records, top.get("records", {}), place._replace(table="records")),
        "audit": read(AuditSettings, top["audit"], place._replace(table="audit")) if "audit" in top else None,
        "questionnaire": _questionnaire(top, place._replace(table="questionnaire")),
    }


def _therapy(top: Table, place: Place) -> TherapySettings:
    found = read(TherapySettings, top.get("therapy", {}), place)
    try:
        found.first_day()
    except ValueError:
        raise place.at("available-since").error("must be a day, as 2025-03-01") from None
    return found


def _questionnaire(top: Table, place: Place) -> Questionnaire | None:
    if "questionnaire" not in top:
        return None
    found = read(Questionnaire, top["questionnaire"], place)
    if not _URI.fullmatch(found.canonical):
        raise place.at("canonical").error("must be a URI without '|' and '#', as https://example.org/Questionnaire/x")
    if not _VERSION.fullmatch(found.version):
        raise place.at("version").error("must be letters, digits, '.' and '-', as 1 or 2026-11")
    return found


def actions_of(top: Table) -> Actions:
    """Return `[actions]` of label.toml. Raises KnowledgeError for one that names an action of no order."""
    place = Place("label.toml", "actions")
    actions = read(Actions, top.get("actions", {}), place)
    named = {"if-unknown": (actions.if_unknown,) if actions.if_unknown else (), "while-interrupted": _both(actions)}
    for key, names in named.items():
        for name in names:
            if name not in actions.order:
                raise place.at(key).error(f"no action is called '{name}'.{did_you_mean(name, actions.order)}")
    return actions


def _both(actions: Actions) -> tuple[str, ...]:
    return (*actions.while_interrupted, *actions.while_interrupted.values())


def add(found: Gathered, plain: Plain, file: str) -> None:
    """Read a plain table of a file into what was found.

    Raises KnowledgeError where it can't be read, and where there is another of its name.
    """
    section, name, table = plain
    known = found.of(section)
    place = Place(file, f"{section}.{written(name) if section == 'fact' else name}")
    if name in known:
        raise place.error("there is another of this name; give this one its own")
    known[name] = CONVERT[section](name, topic_of(file), table, place)
