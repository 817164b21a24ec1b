"""What a label's files say once for several tables: limits by name, sources of published figures, families.

    [says.S19]                                        [source.audit-2020]
    numbers = { anc-limit = "1 ×10⁹/L" }              source = "A published audit"

A rule of any topic names the limit, `when = "anc < anc-limit"`, `tell = "below {anc-limit}"`; a figure of any measure
names the source, `from = "audit-2020"`. `expansion` puts number, text and source where they are named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from precaution.errors import did_you_mean
from precaution.knowledge.families import FOR, mapped, without
from precaution.knowledge.refers import STAGES, ActionName
from precaution.knowledge.shorthand import Limit
from precaution.knowledge.toml import Place, Table, as_table, read

_LIMIT = re.compile(r"([0-9]+(?:\.[0-9]+)?)(?: \S.*)?")
"""A number, with its unit after a space where it has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """`[actions]` of label.toml."""

    order: tuple[str, ...]
    """Every action that a rule or duty may ask for, gravest first."""
    if_unknown: ActionName = ""
    """What a rule asks for where it can't be told, if the rule does not say otherwise."""
    while_interrupted: Mapping[ActionName, ActionName] = field(default_factory=dict[str, str])
    """action = action: what an action of `then` is called while treatment is interrupted already."""
    reasons: tuple[str, ...] = ()
    """Topics in the order in which the first of several reasons is named; the others come after them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureSource:
    """`[source.x]`: where published figures stand; a figure names it with `from`, in any topic."""

    source: str
    """Where it is published, as far as known."""
    status: Literal["verified", "unverified"]
    """Whether it was compared with the publication itself."""
    of: int = 0
    """How many patients; a figure may say otherwise."""
    people: str = ""
    """Whose figures they are, which `who` of a figure names as `{people}`."""


class SaidOnce(NamedTuple):
    """What the tables of all files may name."""

    limits: dict[str, Limit]
    sources: dict[str, Table]
    families: dict[str, dict[str, Table]]
    """Section -> name -> what the members share."""
    actions: Actions
    titles: dict[str, str]
    """Name of a fact -> its title, as far as facts are read."""
    idle: dict[tuple[str, str], Place]
    """Sources and families without members, by section and name, that no table has named so far."""

    def outcome(self, rule: dict[str, Any]) -> None:
        """Complete the plain table of a rule: what it asks for where it can't be told, and while interrupted."""
        if self.actions.if_unknown:
            rule.setdefault("if-unknown", self.actions.if_unknown)
        then = rule.get("then")
        if isinstance(then, str) and then in self.actions.while_interrupted:
            then = dict.fromkeys(STAGES, then)
        if isinstance(then, dict) and (other := self.actions.while_interrupted.get(str(then.get("interrupted")))):
            rule["then"] = {**then, "interrupted": other}

    def figure(self, figure: object, place: Place) -> object:
        """Return a published figure with what its source says for it.

        Raises KnowledgeError where it names a source that is not there.
        """
        if not isinstance(figure, dict) or "from" not in figure:
            return figure
        name = str(figure["from"])
        if name not in self.sources:
            raise place.at("from").error(f"no source is called '{name}'.{did_you_mean(name, self.sources)}")
        self.idle.pop(("source", name), None)
        whole = {**self.sources[name], **without(figure, "from")}
        people = str(whole.get("people", ""))
        return without(mapped(whole, lambda text: text.replace("{people}", people)), "people")


def collected(files: Mapping[str, Table], actions: Actions) -> SaidOnce:
    """Return the limits, sources and families of files (name -> tables), with the label's actions.

    Raises KnowledgeError for a limit that is no number with a unit, and for two of one name.
    """
    found = SaidOnce({}, {}, {}, actions, {}, {})
    for file, tables in files.items():
        for section, entries in tables.items():
            for name, table in as_table(entries, Place(file, section)).items():
                _collect(found, section, name, as_table(table, Place(file, f"{section}.{name}")), file)
    return found


def _collect(found: SaidOnce, section: str, name: str, table: Table, file: str) -> None:
    place = Place(file, f"{section}.{name}")
    if section == "source":
        read(FigureSource, table, place)
        _add(found.sources, name, table, place)
        found.idle[section, name] = place
    elif section == "says" and isinstance(numbers := table.get("numbers"), dict):
        for limit, written in numbers.items():
            at = place.at(f"numbers.{limit}")
            _add(found.limits, limit, _limit(written, at), at)
    elif FOR in table:
        _add(found.families.setdefault(section, {}), name, without(table, FOR), place)
        if not table[FOR]:
            found.idle[section, name] = place


def _limit(written: object, place: Place) -> Limit:
    if isinstance(written, str) and (found := _LIMIT.fullmatch(written)):
        return Limit(found[1], written)
    raise place.error('must be a number with its unit, as "0.5 ×10⁹/L"')


def _add(known: dict[str, Any], name: str, thing: Any, place: Place) -> None:
    if name in known:
        raise place.error(f"there is another '{name}'; give this one its own name")
    known[name] = thing
