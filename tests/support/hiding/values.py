"""Ways of writing what a result is: other units, text, bounds, parts, words, nothing."""

from __future__ import annotations

from precaution.readers.codes import system_name
from support.fhir_builders import UCUM
from support.hiding.kit import ABSENT, LOCAL, Changed, Json, Shown, codings, masked, way, without

CONVERTED: dict[str, tuple[tuple[str, float], ...]] = {
    "10*9/L": (("10*3/uL", 1), ("/uL", 1000), ("10*6/L", 1000), ("/mm3", 1000)),
    "10*3/uL": (("10*9/L", 1), ("/uL", 1000)),
    "/uL": (("10*9/L", 0.001), ("10*3/uL", 0.001)),
    "g/dL": (("g/L", 10), ("mg/dL", 1000)),
    "g/L": (("g/dL", 0.1),),
    "U/L": (("[IU]/L", 1), ("mU/mL", 1)),
}
"""Unit -> other units of the same, and what a number is multiplied by."""
PANEL = {"coding": [{"system": LOCAL, "code": "PANEL"}], "text": "Laboratory panel"}
_OF_VALUE = ("value", "dataAbsentReason", "interpretation", "referenceRange", "component")


def quantity(entry: Json, shown: Shown) -> Json | None:
    """Return the Quantity of a result that is a number with a unit, and nothing else beside; None of anything else."""
    found = entry.get("valueQuantity")
    fits = isinstance(found, dict) and isinstance(found.get("value"), (int, float)) and found.get("unit")
    return found if fits and alone(entry, shown) else None


def alone(entry: Json, shown: Shown) -> bool:
    """Whether an entry is a result that has one value, and is no doubt already."""
    return shown.certain and len([name for name in entry if name.startswith("value")]) == 1


def _emptied(entry: Json, **more: object) -> Json:
    """Return a result without its value, and its components without theirs; `more` stands in place of each."""
    left = {**without(entry, "value", "interpretation", "component"), **more}
    parts = [{**without(part, "value", "interpretation"), **more} for part in entry.get("component", ())]
    return {**left, "component": parts} if parts else left


def _revalued(entry: Json, shown: Shown, **value: object) -> Changed:
    return shown.put({**without(entry, "value"), **value})


def _spelled(found: Json) -> str:
    return f"{found.get('comparator', '')}{found['value']} {found['unit']}"


@way("laboratories that report in other units")
def value_in_another_unit(entry: Json, shown: Shown) -> Changed:
    found = quantity(entry, shown)
    others = CONVERTED.get(str(found.get("code")), ()) if found else ()
    if not found or not others or "referenceRange" in entry:
        return None
    unit, by = others[sum(map(ord, shown.source)) % len(others)]
    return _revalued(
        entry, shown, valueQuantity={**found, "value": found["value"] * by, "unit": unit, "code": unit, "system": UCUM}
    )


@way("systems that know units as text alone")
def unit_without_a_code(entry: Json, shown: Shown) -> Changed:
    found = quantity(entry, shown)
    return _revalued(entry, shown, valueQuantity=without(found, "code", "system")) if found else None


@way("systems that send a number and leave its unit to the reader", leaves="doubt")
def value_without_a_unit(entry: Json, shown: Shown) -> Changed:
    found = quantity(entry, shown)
    return _revalued(entry, shown, valueQuantity=without(found, "code", "system", "unit")) if found else None


@way("a unit of a list that is not UCUM's", leaves="doubt")
def unit_of_the_laboratory(entry: Json, shown: Shown) -> Changed:
    found = quantity(entry, shown)
    changed = {**found, "code": "E9", "system": LOCAL, "unit": "per field"} if found else None
    return _revalued(entry, shown, valueQuantity=changed) if changed else None


@way("HL7 v2 results of type ST turned into FHIR")
def value_as_text(entry: Json, shown: Shown) -> Changed:
    found = quantity(entry, shown)
    return _revalued(entry, shown, valueString=_spelled(found)) if found else None


@way("HL7 v2 results of type ST with a decimal comma")
def value_as_text_with_a_comma(entry: Json, shown: Shown) -> Changed:
    found = quantity(entry, shown)
    return _revalued(entry, shown, valueString=_spelled(found).replace(".", ",")) if found else None


@way("languages without types, which quote numbers")
def value_in_quotes(entry: Json, shown: Shown) -> Changed:
    found = quantity(entry, shown)
    return _revalued(entry, shown, valueQuantity={**found, "value": str(found["value"])}) if found else None


@way("instruments that report below or above what they can count")
def value_as_a_bound(entry: Json, shown: Shown) -> Changed:
    found = quantity(entry, shown)
    if not found or "comparator" in found:
        return None
    return _revalued(entry, shown, valueQuantity={**found, "value": found["value"] * 1.5 + 0.1, "comparator": "<"})


@way("instruments that report a range")
def value_as_a_range(entry: Json, shown: Shown) -> Changed:
    found = quantity(entry, shown)
    if not found or "comparator" in found:
        return None
    return _revalued(entry, shown, valueRange={"low": {**found, "value": found["value"] * 0.8}, "high": found})


@way("numbers that a program worked out")
def value_with_fifteen_decimals(entry: Json, shown: Shown) -> Changed:
    found = quantity(entry, shown)
    if not found or "comparator" in found:
        return None
    return _revalued(entry, shown, valueQuantity={**found, "value": found["value"] * (1 + 1e-15)})


@way("panels whose members are components")
def value_in_a_component(entry: Json, shown: Shown) -> Changed:
    if shown.kind != "Observation" or "component" in entry:
        return None
    part = {name: value for name, value in entry.items() if name.startswith(_OF_VALUE) or name == "code"}
    return shown.put({**without(entry, *_OF_VALUE), "code": PANEL, "component": [part]})


@way("a component that a modifier extension turns round", leaves="doubt")
def value_in_a_modified_component(entry: Json, shown: Shown) -> Changed:
    if shown.kind != "Observation" or "component" in entry:
        return None
    part = {name: value for name, value in entry.items() if name.startswith(_OF_VALUE) or name == "code"}
    part["modifierExtension"] = [{"url": "https://hospital.invalid/not-the-patient", "valueBoolean": True}]
    return shown.put({**without(entry, *_OF_VALUE), "code": PANEL, "component": [part]})


@way("a test that was done, and whose result is not released", leaves="doubt")
def value_masked(entry: Json, shown: Shown) -> Changed:
    if shown.kind != "Observation" or not shown.certain:
        return None
    absent = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "masked"}]}
    return shown.put(_emptied(entry, dataAbsentReason=absent))


@way("an extension in place of a value", leaves="doubt")
def value_as_an_extension(entry: Json, shown: Shown) -> Changed:
    return shown.put(_emptied(entry, _valueString=masked())) if shown.kind == "Observation" and shown.certain else None


@way("a test whose result stands in a note", leaves="doubt")
def value_in_a_note(entry: Json, shown: Shown) -> Changed:
    if shown.kind != "Observation" or not shown.certain:
        return None
    return shown.put({**_emptied(entry), "note": [{"text": "see the report"}]})


def _word(entry: Json, shown: Shown) -> str:
    """Return how the label's spellings write the outcome of a test; nothing where it has none, or more beside it."""
    if not alone(entry, shown):
        return ""
    terms = shown.patient.label.terminology
    for coding in (entry.get("valueCodeableConcept") or {}).get("coding", []):
        for name in terms.concepts(system_name(coding.get("system", "")), coding.get("code", "")):
            if name.startswith("result_"):
                return name.removeprefix("result_")
    return ""


@way("results of type ST that say the outcome in a word")
def outcome_as_text(entry: Json, shown: Shown) -> Changed:
    word = _word(entry, shown)
    return _revalued(entry, shown, valueString=word.upper()) if word else None


@way("outcomes that are coded in text alone")
def outcome_without_a_code(entry: Json, shown: Shown) -> Changed:
    word = _word(entry, shown)
    return _revalued(entry, shown, valueCodeableConcept={"text": word.title()}) if word else None


@way("outcomes under a code of the laboratory's own", leaves="doubt")
def outcome_under_a_local_code(entry: Json, shown: Shown) -> Changed:
    word = _word(entry, shown)
    local = {"coding": [{"system": LOCAL, "code": "R1"}]}
    return _revalued(without(entry, "interpretation"), shown, valueCodeableConcept=local) if word else None


@way("outcomes in a language that we do not know", leaves="doubt")
def outcome_in_another_language(entry: Json, shown: Shown) -> Changed:
    told = without(entry, "interpretation")
    return _revalued(told, shown, valueString="nachgewiesene Spuren") if _word(entry, shown) else None


@way("laboratories that give the outcome as an interpretation")
def outcome_as_an_interpretation(entry: Json, shown: Shown) -> Changed:
    codes = {"positive": "POS", "negative": "NEG", "indeterminate": "IND"}
    word = _word(entry, shown)
    if not word or "interpretation" in entry:
        return None
    system = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
    meant = [{"coding": [{"system": system, "code": codes[word]}]}]
    return shown.put({**without(entry, "value"), "interpretation": meant})


@way("a yes or no where an outcome is asked for", leaves="doubt")
def outcome_as_yes_or_no(entry: Json, shown: Shown) -> Changed:
    word = _word(entry, shown)
    told = without(entry, "interpretation")
    return _revalued(told, shown, valueBoolean=word == "positive") if word else None


@way("values with a reason beside them why they are missing", leaves="doubt")
def value_that_is_said_to_be_missing(entry: Json, shown: Shown) -> Changed:
    if not alone(entry, shown) or not codings(entry, shown):
        return None
    return shown.put(
        {**entry, "dataAbsentReason": {"text": "error"}, "extension": [{"url": ABSENT, "valueCode": "error"}]}
    )
