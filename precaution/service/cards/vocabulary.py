"""What cards say beside the rules: titles of code lists, tests that may be ordered, reasons to override.

`cards.toml` of a label's folder holds the first two, `override-reasons.toml` beside this module the published reasons.
Each code of an order must stand in the label's own list, marked as verified.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from precaution.errors import did_you_mean
from precaution.knowledge.expression import Expression, names
from precaution.knowledge.folder import list_files
from precaution.knowledge.toml import Place, as_table, read, read_toml, refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from precaution.knowledge.model import Label

FILE = "cards.toml"
REASONS = Path(__file__).parent / "override-reasons.toml"
LOINC = "http://loinc.org"


class LabTest(NamedTuple):
    """One laboratory test that may be ordered."""

    concept: str
    code: str
    display: str


class OrderSet(NamedTuple):
    """Tests that a card may offer to order together."""

    name: str
    title: str
    settles: frozenset[str]
    """Facts that it may make known, and duties that it does."""
    tests: tuple[LabTest, ...]
    only_where: Expression | None = None
    """What must hold of the patient: without that reason nobody is offered it. None where no reason is needed."""


class OverrideReason(NamedTuple):
    """A reason to override a card."""

    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The titles of code lists and the order sets of one label."""

    titles: Mapping[str, str] = field(default_factory=dict[str, str])
    orders: tuple[OrderSet, ...] = ()

    def title(self, concept: str) -> str:
        """Return what a code list is called."""
        return self.titles.get(concept) or concept.replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class _OrderSetTable:
    """`[order.x]` as it is written."""

    title: str
    settles: tuple[str, ...]
    codes: Mapping[str, str]
    only_where: Expression | None = None


def load_vocabulary(folder: Path, label: Label) -> Vocabulary:
    """Return what `cards.toml` of a label's folder says; nothing where there is none. Raises KnowledgeError."""
    if not (folder / FILE).is_file():
        return Vocabulary()
    tables = read_toml(folder / FILE, FILE)
    refuse_unknown(tables, ("titles", "order"), Place(FILE))
    titles = as_table(tables.get("titles", {}), Place(FILE, "titles"))
    _refuse_strange(titles, label)
    orders = as_table(tables.get("order", {}), Place(FILE, "order"))
    return Vocabulary(
        {name: str(title) for name, title in titles.items()},
        tuple(_order(name, table, folder, label) for name, table in orders.items()),
    )


def _refuse_strange(titles: Mapping[str, object], label: Label) -> None:
    for name in titles:
        if name not in label.concepts and not name.startswith("unreadable-"):
            hint = did_you_mean(name, label.concepts)
            raise Place(FILE, "titles", name).error(f"the label has no such code list.{hint}")


def _order(name: str, table: object, folder: Path, label: Label) -> OrderSet:
    place = Place(FILE, f"order.{name}")
    written = read(_OrderSetTable, table, place)
    for thing in written.settles:
        if thing not in label.facts and thing not in label.duties:
            hint = did_you_mean(thing, [*label.facts, *label.duties])
            raise place.at("settles").error(f"the label has no fact or duty '{thing}'.{hint}")
    for fact in names(written.only_where) if written.only_where is not None else ():
        if fact not in label.facts:
            raise place.at("only-where").error(f"the label has no fact '{fact}'.{did_you_mean(fact, label.facts)}")
    tests = tuple(_test(concept, code, folder, place) for concept, code in written.codes.items())
    return OrderSet(name, written.title, frozenset(written.settles), tests, written.only_where)


def _test(concept: str, code: str, folder: Path, place: Place) -> LabTest:
    for row in _rows(folder, concept):
        if row.get("system") == "LOINC" and row.get("code") == code:
            if row.get("verified") != "yes":
                raise place.at("codes").error(f"{code} is not verified in codes/{concept}.csv")
            return LabTest(concept, code, row.get("display", ""))
    raise place.at("codes").error(f"{code} is not in codes/{concept}.csv")


def _rows(folder: Path, concept: str) -> Iterator[dict[str, str]]:
    for path in list_files(folder):
        if path.name != f"{concept}.csv":
            continue
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(line for line in file if not line.startswith("#"))


@cache
def reasons() -> tuple[str, tuple[OverrideReason, ...]]:
    """Return the code system of the reasons to override a card, and those that cards offer."""
    table = read_toml(REASONS, REASONS.name)
    given = as_table(table["reasons"], Place(REASONS.name, "reasons"))
    return str(table["system"]), tuple(OverrideReason(code, str(display)) for code, display in given.items())


@cache
def workflow_reasons() -> frozenset[str]:
    """Return the codes of reasons that are about the card's time or reader, and not about what it says."""
    found = read_toml(REASONS, REASONS.name)["workflow"]
    return frozenset(map(str, found)) if isinstance(found, list) else frozenset()
