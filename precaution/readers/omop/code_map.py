"""What is worked out once for a CDM: what its codes, values and units mean, and a report of those without meaning."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from precaution.readers.json_access import safe_code
from precaution.readers.omop import mapping
from precaution.readers.omop.columns import EVENTS
from precaution.readers.omop.meanings import (
    SYSTEMS,
    CodeMapper,
    Meaning,
    VocabularyConcept,
    event_code,
    most_specific,
    not_mapped,
)
from precaution.readers.omop.rows import unit_codes
from precaution.readers.units import factor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from precaution.readers.codes import Codes
    from precaution.readers.omop.columns import Cdm
    from precaution.readers.omop.meanings import EventCode

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


class CodeMap(NamedTuple):
    """What the codes of one CDM mean, for the mapping and its last step; and a report on those without meaning."""

    meanings: str
    """The name by which a query reads the meanings."""
    values: dict[int, VocabularyConcept]
    units: dict[int, str]
    report: dict[str, list[dict[str, object]]]
    """`not_mapped`: codes without a standard concept; `units`: units that can't be used; each with a count of rows."""


def code_map(cdm: Cdm, codes: Codes, number: int = 0) -> CodeMap:
    """Return what every code that occurs in a CDM means; `number` tells the maps of several labels apart.

    Raises InputError where the CDM can't be read.
    """
    occurring = [
        event_code(row)
        for event in EVENTS
        if EVENTS[event].table in cdm.tables
        for row in cdm.rows(mapping.codes(cdm, event))
    ]
    ancestors, listed = _ancestors(cdm, codes)
    mapper = CodeMapper(codes, ancestors, listed)
    found = dict.fromkeys(meaning for code in occurring for meaning in mapper.meanings(code))
    relation = cdm.relation(f"meanings_{number}" if number else "meanings", Meaning._fields, MEANING_TYPES, found)
    valued = [EVENTS[event].table for event in _VALUED if EVENTS[event].table in cdm.tables]
    values = _concepts(cdm, "value_as_concept_id", valued)
    units = {name: each.code for name, each in _concepts(cdm, "unit_concept_id", valued).items()}
    report = {"not_mapped": _not_mapped(occurring, found), "units": _units(cdm, codes, relation, units)}
    return CodeMap(relation, values, units, report)


def _concepts(cdm: Cdm, column: str, tables: Sequence[str]) -> dict[int, VocabularyConcept]:
    if not tables or "concept" not in cdm.tables:
        return {}
    return {
        int(str(name)): VocabularyConcept(str(vocabulary), str(code), str(words or ""))
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


def _not_mapped(occurring: Iterable[EventCode], found: Iterable[Meaning]) -> list[dict[str, object]]:
    """Return the codes that are mapped to no concept, most frequent first, and what came of each."""
    understood = {each[:4]: each for each in found if each.kind != "immunizing"}
    counts = Counter[tuple[str, str, str, str]]()
    for code in occurring:
        if not_mapped(code):
            meaning = understood.get(code[:4])
            why = "" if meaning is None else meaning.note or "understood by its own code"
            said = code.source
            counts[
                EVENTS[code.event].table,
                said.vocabulary if said else "",
                safe_code(said.code if said else code.source_value),
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
                counts[concept.name, safe_code(spelled[0]) if spelled else "", why] += int(str(many))
    return [
        {"concept": name, "unit": unit, "why": why, "count": many}
        for (name, unit, why), many in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
