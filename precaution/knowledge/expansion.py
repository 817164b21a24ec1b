"""Turns the tables of a label's files into plain ones: what they say once is written out wherever it is meant.

A plain table is one that could have been written by itself: it has no `for` and no `like`, names no limit or source,
gives its stages one by one. `assembly` reads plain tables into the dataclasses. What an author may write instead stands
in `families` (tables), `shared` (what all files may name) and `shorthand` (values).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from precaution.knowledge.expression import spoken
from precaution.knowledge.fact import Fact
from precaution.knowledge.fact_kinds import FACT_KINDS
from precaution.knowledge.families import LIKE, Member, Result, members, views
from precaution.knowledge.model import Ask, Duty, Measure, Parameter, Rule, Sentence
from precaution.knowledge.shorthand import Shorthand, refuse_underscores
from precaution.knowledge.terminology import Concept
from precaution.knowledge.toml import Place, Table, as_table, columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from precaution.knowledge.said_once import SaidOnce

Plain = tuple[str, str, Table]
"""Section, name and table."""
KINDS: Mapping[str, Any] = {
    "says": Sentence,
    "parameter": Parameter,
    "concept": Concept,
    "result": Result,
    "ask": Ask,
    "rule": Rule,
    "duty": Duty,
    "measure": Measure,
}
"""Section -> the dataclass whose fields are its keys; that of a fact depends on its kind."""
SOURCE = "source"
FACTS = ("fact", "result")
"""Sections that are made plain before the others, which take their titles."""
_REASON = "'background', 'evidence-limit' or 'provenance', each with its reason"
_EXACT = "in 'exact', as \"0-63 50cc...\": start, end and SHA-256"
RENAMED: Mapping[tuple[str, str], str] = {
    ("says", "start"): _EXACT,
    ("says", "end"): _EXACT,
    ("says", "sha256"): _EXACT,
    ("says", "role"): _REASON,
    ("says", "why"): _REASON,
}
"""Section and key of before -> what stands in its place."""


def expanded(file: str, tables: Table, shared: SaidOnce) -> Iterator[Plain]:
    """Yield the plain tables of a file; `shared` is what all files say.

    Raises KnowledgeError for what stands for several tables and can't, and for a name that is written with `_`.
    """
    for section, entries in tables.items():
        if section != SOURCE:
            for name, table in as_table(entries, Place(file, section)).items():
                yield from _tables(section, name, table, Place(file, f"{section}.{name}"), shared)


def _tables(section: str, name: str, table: object, place: Place, shared: SaidOnce) -> Iterator[Plain]:
    """Yield what a table stands for: itself, the entries of its `for`, the facts about a result."""
    families = shared.families.get(section, {})
    if isinstance(table, dict):
        shared.idle.pop((section, str(table.get(LIKE, ""))), None)
    for member in members(name, as_table(table, place), keys_of(section), families, place):
        here = place._replace(table=f"{section}.{member.name}")
        plain = _plain(section, member, shared, here)
        if section == "result":
            yield from (("fact", spoken(fact), view) for fact, view in views(member.name, plain, here))
        else:
            yield section, spoken(member.name) if section == "fact" else member.name, plain


def _plain(section: str, member: Member, shared: SaidOnce, place: Place) -> Table:
    name, given, fact = member
    _refuse_names(section, name, given, shared, place)
    types = _types(section, given)
    whole = {**_defaults(section, types, name, shared.titles.get(spoken(fact), "")), **given}
    whole.update(_named(section, given, shared, place))
    plain = {
        key: Shorthand(shared.limits, key).of(types.get(key), value, place.at(key)) for key, value in whole.items()
    }
    if section == "rule":
        shared.outcome(plain)
    if isinstance(tell := plain.get("tell"), str):
        plain["tell"] = tell.replace("{title}", str(plain["title"]))
    return plain


def _refuse_names(section: str, name: str, given: Table, shared: SaidOnce, place: Place) -> None:
    """Refuse a name with `_`, one that a limit has too, and keys of before."""
    if section not in ("says", "concept"):
        refuse_underscores(name, place)
    if section in ("fact", "ask", "parameter") and name in shared.limits:
        raise place.error("has the name of a limit, which a sentence states; give one of them another")
    for key in given:
        if new := RENAMED.get((section, key)):
            raise place.error(f"'{key}' is now {new}")


def _defaults(section: str, types: Mapping[str, Any], name: str, of_fact: str) -> Table:
    """Return the texts that a table need not give."""
    title = {"title": _title(section, name, of_fact)} if "title" in types else {}
    return {"tell": "{title}", **title} if section == "duty" else title


def _named(section: str, given: Table, shared: SaidOnce, place: Place) -> Table:
    """Return the keys of a table whose values the label says elsewhere: named numbers, and figures of a source."""
    if section == "says" and isinstance(numbers := given.get("numbers"), dict):
        return {"numbers": [float(shared.limits[each].number) for each in numbers]}
    if section == "measure" and "published" in given:
        figures = given["published"] if isinstance(given["published"], list) else [given["published"]]
        return {"published": [shared.figure(each, place.at("published")) for each in figures]}
    return {}


def _title(section: str, name: str, of_fact: str) -> str:
    """Return the title of what has no other: its fact's, or its name in words."""
    if section in FACTS:
        return name.replace("-", " ")
    title = of_fact or name.replace("-", " ")
    return title[:1].upper() + title[1:]


@cache
def keys_of(section: str) -> frozenset[str]:
    """Return the keys that the tables of a section may have."""
    kinds = {Fact, *FACT_KINDS.values()} if section == "fact" else {KINDS[section]}
    return frozenset(key for kind in kinds for key in columns(kind)) - {"name", "topic", "id"}


def _types(section: str, table: Table) -> Mapping[str, Any]:
    """Return key -> type of what may stand there."""
    kind: Any = KINDS.get(section) or next((FACT_KINDS[key] for key in table if key in FACT_KINDS), Fact)
    return {key: column.hint for key, column in columns(kind).items()}
