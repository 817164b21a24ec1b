"""What is worked out once for a CDM: the meaning of every code that occurs, of values and units, and what has none."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, Protocol

from precaution.readers.json_access import shown
from precaution.readers.omop import mapping
from precaution.readers.omop.columns import EVENTS
from precaution.readers.omop.meanings import SYSTEMS, Known, Meaning, Meanings, most_specific, not_mapped, plain
from precaution.readers.omop.rows import unit_codes
from precaution.readers.units import factor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from precaution.readers.codes import Codes
    from precaution.readers.omop.columns import Sort
    from precaution.readers.omop.meanings import Code

MEANING_TYPES = (
    "varchar",
    "bigint",
    "bigint",
    "varchar",
    "varchar",
    "varchar",
    "boolean",
    "varchar",
    "varchar",
    "varchar",
)
_VALUED = ("measurement", "observation")


class Cdm(Protocol):
    """A CDM, wherever it is."""

    tables: dict[str, dict[str, Sort]]

    def named(self, table: str) -> str:
        """Return what stands for a table in a query."""
        ...

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Return the rows of a query whose result is small."""
        ...

    def relation(
        self, name: str, columns: Sequence[str], types: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> str:
        """Return what stands for given rows in a query."""
        ...


class Prepared(NamedTuple):
    """What the mapping and its last step need, and what is to be reported."""

    meanings: str
    """The relation of meanings, for a query."""
    values: dict[int, Known]
    units: dict[int, str]
    report: dict[str, list[dict[str, object]]]
    """What is mapped to no concept, and the units that can't be used, with how many rows."""


def prepared(cdm: Cdm, codes: Codes) -> Prepared:
    """Look up every code that occurs in a CDM. Raises InputError where it can't be read."""
    met = [
        plain(row)
        for event in EVENTS
        if EVENTS[event].table in cdm.tables
        for row in cdm.rows(mapping.codes(cdm, event))
    ]
    ancestors, listed = _ancestors(cdm, codes)
    meanings = Meanings(codes, ancestors, listed)
    found = dict.fromkeys(meaning for code in met for meaning in meanings.of(code))
    relation = cdm.relation("meanings", Meaning._fields, MEANING_TYPES, found)
    valued = [EVENTS[event].table for event in _VALUED if EVENTS[event].table in cdm.tables]
    values = _concepts(cdm, "value_as_concept_id", valued)
    units = {name: each.code for name, each in _concepts(cdm, "unit_concept_id", valued).items()}
    report = {"not_mapped": _not_mapped(met, found), "units": _units(cdm, codes, relation, units)}
    return Prepared(relation, values, units, report)


def _concepts(cdm: Cdm, column: str, tables: Sequence[str]) -> dict[int, Known]:
    if not tables or "concept" not in cdm.tables:
        return {}
    return {
        int(str(name)): Known(str(vocabulary), str(code), str(words or ""))
        for name, vocabulary, code, words in cdm.rows(mapping.ids(cdm, column, tables))
    }


def _ancestors(cdm: Cdm, codes: Codes) -> tuple[dict[int, set[int]], dict[int, tuple[str, str]]]:
    """Return the most specific listed ancestors of the concepts that occur, and what the listed ones are."""
    if "concept_ancestor" not in cdm.tables:
        return {}, {}
    terminology = codes.terminology
    listed = {name: pair for name, pair in terminology.concept_ids.items() if terminology.concepts(*pair)}
    tables = ((False, terminology.exact), (True, terminology.prefixes))
    rows = [
        (vocabulary, system, code, prefix)
        for prefix, table in tables
        for system, code in table
        for vocabulary in _VOCABULARIES.get(system, ())
    ]
    lists = cdm.relation(
        "lists", ("vocabulary", "system", "code", "prefix"), ("varchar", "varchar", "varchar", "boolean"), rows
    )
    if "concept" in cdm.tables:
        for name, system, code in cdm.rows(mapping.listed(cdm, lists)):
            listed[int(str(name))] = (str(system), str(code))
    ids = cdm.relation("listed_ids", ("id",), ("bigint",), [(name,) for name in sorted(listed)])
    pairs = _pairs(cdm.rows(mapping.ancestors(cdm, ids, f"({mapping.used(cdm)})")))
    above = _pairs(cdm.rows(mapping.ancestors(cdm, ids, ids)))
    return most_specific(pairs, above), listed


_VOCABULARIES: Mapping[str, tuple[str, ...]] = {
    system: tuple(vocabulary for vocabulary, named in SYSTEMS.items() if named == system) for system in SYSTEMS.values()
}


def _pairs(rows: Iterable[tuple[object, ...]]) -> list[tuple[int, int]]:
    return [(int(str(above)), int(str(below))) for above, below in rows]


def _not_mapped(met: Iterable[Code], found: Iterable[Meaning]) -> list[dict[str, object]]:
    """Return the codes that are mapped to no concept, most frequent first, and what came of each."""
    understood = {each[:4]: each for each in found if each.kind != "immunizing"}
    counts = Counter[tuple[str, str, str, str]]()
    for code in met:
        if not_mapped(code):
            meaning = understood.get(code[:4])
            why = "" if meaning is None else meaning.note or "understood by its own code"
            said = code.source
            counts[
                EVENTS[code.event].table,
                said.vocabulary if said else "",
                shown(said.code if said else code.source_value),
                why or "no list knows it",
            ] += code.rows
    return [
        dict(zip(("table", "system", "code", "why", "count"), (*key, many), strict=True))
        for key, many in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def _units(cdm: Cdm, codes: Codes, relation: str, units: Mapping[int, str]) -> list[dict[str, object]]:
    """Return the units with which numbers of the label's tests can't be used, and how many."""
    known = unit_codes(units)
    counts = Counter[tuple[str, str, str]]()
    for event in _VALUED:
        if EVENTS[event].table not in cdm.tables:
            continue
        for name, unit, text, many in cdm.rows(mapping.units(cdm, event, relation)):
            concept = codes.terminology.concept(str(name))
            spelled = [each for each in (known.get(int(str(unit or 0)), ""), str(text or "")) if each]
            if concept.unit and not any(factor(each, concept) for each in spelled):
                why = f"unit not convertible to {concept.unit}" if spelled else "no unit"
                counts[concept.name, shown(spelled[0]) if spelled else "", why] += int(str(many))
    return [
        {"concept": name, "unit": unit, "why": why, "count": many}
        for (name, unit, why), many in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
