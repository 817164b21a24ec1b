"""Which tests a result may be of whose code no list has: by its words, by its code, or by its unit.

A code of LOINC names a test and nothing else, so its words may only mean tests; any other result may name a disease. A
unit takes away what can't be given in it, and where nothing else tells it speaks for what is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.readers.codes import words_of
from precaution.readers.concept_matches import NO_LIST, expected, not_whole, possible_codes, possible_concepts
from precaution.readers.json_access import child, text
from precaution.readers.quantities import amount
from precaution.readers.units import display_unit, factor, of_one_quantity

if TYPE_CHECKING:
    from precaution.knowledge.terminology import Concept
    from precaution.readers.codes import CodeLookup, Codes
    from precaution.readers.json_access import Json

BY_UNIT = "no list has its code, and its unit may be of it"


def is_no_test(codes: Codes, lookup: CodeLookup) -> bool:
    """Whether a code on no list is known to be no test of the label's: by the list of such, or as lists are whole."""
    if lookup.irrelevant:
        return True
    for system in lookup.covered:  # no generator: every result of a record is asked for
        if not not_whole(codes, "result", system):
            return not lookup.possible
    return False


def value_tells(codes: Codes, holder: Json) -> bool:
    """Whether the value of a result may tell its test: no list has its code, and it is not known as another."""
    lookup = codes.look_up(holder.get("code"))
    unknown = not lookup.concepts or lookup.beside
    return unknown and not is_no_test(codes, lookup) and may_be_told_by_unit(codes, _words(holder))


def _words(holder: Json) -> list[str]:
    return words_of(child(holder, "code"))


def possible_tests(codes: Codes, lookup: CodeLookup, holder: Json, source: str) -> tuple[list[str], str]:
    """Return the concepts that a result may be of though no list has its code, and why that can't be told.

    `holder` is an Observation or a component of one. Raises InputError where its number is not finite.
    """
    words = _words(holder)
    found, why = possible_results(codes, lookup, words)
    if not found and may_be_told_by_unit(codes, words):
        return _of_unit(codes, holder, source), BY_UNIT
    return [name for name in found if can_be_given(codes.terminology.concept(name), _units(holder))], why


def possible_results(codes: Codes, lookup: CodeLookup, words: list[str]) -> tuple[list[str], str]:
    """Return the concepts that a result may be of by its words or its codes, and why that can't be told."""
    found, why = possible_concepts(codes, [lookup], words)
    if lookup.formed == ("LOINC",):
        found = [name for name in found if name in expected(codes, "result")]
    return (found, why) if found else (possible_codes(codes, [lookup], words), NO_LIST)


def may_be_told_by_unit(codes: Codes, words: list[str]) -> bool:
    """Whether a result whose words speak of nothing may be told by its unit: they name no other test."""
    return not any(codes.terminology.names_another(each) for each in words)


def _of_unit(codes: Codes, holder: Json, source: str) -> list[str]:
    """Return the tests whose unit and plausible values a number has."""
    if "valueQuantity" not in holder:
        return []
    return [name for name in of_telling_unit(codes) if told_by_unit(codes.terminology.concept(name), holder, source)]


def told_by_unit(concept: Concept, holder: Json, source: str) -> bool:
    """Whether a number is given in a unit of the concept's quantity, and is one that a patient can have."""
    if not any(of_one_quantity(each, concept) for each in _units(holder)):
        return False
    return amount(holder, concept, source).value is not None


def of_telling_unit(codes: Codes) -> list[str]:
    """Return the tests that a unit may tell."""
    return [each.name for each in codes.terminology.known.values() if each.telling_unit]


def _units(holder: Json) -> list[str]:
    quantity = child(holder, "valueQuantity")
    return [each for each in (text(quantity, "code"), text(quantity, "unit")) if each]


def can_be_given(concept: Concept, units: list[str]) -> bool:
    """Whether a result whose unit has these spellings may be of a concept: none is known to be another's."""
    if not concept.unit or not units:
        return True
    return any(factor(each, concept) or not display_unit(each) for each in units)
