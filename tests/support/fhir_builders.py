"""Small builders of FHIR resources, and a terminology of a few codes, for the tests of the readers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from precaution.knowledge.model import Ask
from precaution.knowledge.terminology import Concept, Terminology, build
from precaution.knowledge.unlisted import Edition, Unlisted
from precaution.readers import read_resources
from precaution.values.record import Entry, Record

Json = dict[str, Any]

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
CVX = "http://hl7.org/fhir/sid/cvx"
ATC = "http://www.whocc.no/atc"
UCUM = "http://unitsofmeasure.org"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
ABSENT = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"

LISTS = {
    "count": [("LOINC", "751-8")],
    "blood": [("LOINC", "718-7")],
    "panel": [("LOINC", "58410-2")],
    "antigen": [("LOINC", "5196-1")],
    "copies": [("LOINC", "42595-9")],
    "habit": [("LOINC", "72166-2")],
    "habit_now": [("SNOMED", "77176002")],
    "habit_past": [("SNOMED", "8517006")],
    "consumption": [("ICD10CM", "A15*"), ("SNOMED", "56717001")],
    "clot": [("SNOMED", "128053003"), ("ICD10CM", "I26*")],
    "old_clot": [("ICD10CM", "Z86.71*")],
    "screened": [("SNOMED", "171126009")],
    "drug": [("RxNorm", "2047232"), ("RxNorm", "2047241"), ("ATC", "L04AF02")],
    "vaccine": [("CVX", "121"), ("CVX", "05")],
    "result_positive": [("SNOMED", "10828004"), ("HL7v3-ObservationInterpretation", "POS")],
    "result_negative": [("SNOMED", "260385009"), ("HL7v3-ObservationInterpretation", "NEG")],
    "result_indeterminate": [("SNOMED", "82334004"), ("HL7v3-ObservationInterpretation", "IND")],
}
CONCEPTS = (
    Concept(name="count", unit="10*9/L", telling_unit=True, plausible=(0, 200), words=("neutrophil",)),
    Concept(name="blood", unit="g/dL", plausible=(1, 30)),
    Concept(name="antigen", words=("hbsag",)),
    Concept(name="copies", unit="[IU]/mL"),
    Concept(name="habit", answers=("habit_now", "habit_past")),
    Concept(name="consumption", words=("tubercul",), not_words=("exposure",)),
    Concept(name="clot", words=("thrombo",)),
    Concept(name="drug", words=("baricit",)),
    Concept(name="vaccine", words=("zoster vaccine",)),
    Concept(name="result_positive", spellings=("positive", "reactive")),
    Concept(name="result_negative", spellings=("negative", "not detected")),
    Concept(name="result_indeterminate", spellings=("equivocal",)),
)
_LISTED = frozenset(LISTS)
UNLISTED = Unlisted(
    editions={
        "ICD10CM": Edition("2025", "by its hierarchy", _LISTED, codes="[A-TV-Z]"),
        "ATC": Edition("2024", "by its hierarchy", _LISTED),
        "LOINC": Edition("to 95416", "by its components", _LISTED, to_number=95416),
        "CVX": Edition("2025", "all are listed", _LISTED, unlisted=("vaccine",)),
    },
    irrelevant={"RxNorm": frozenset({"1191"}), "CVX": frozenset({"207", "19"}), "SNOMED": frozenset({"50373000"})},
    may_mean={("LOINC", "26507-4"): ("count",), ("ICD10CM", "I80.3*"): ("clot",)},
    words=("platelet", "height"),
)
TERMS: Terminology = build(LISTS, {concept.name: concept for concept in CONCEPTS}, unlisted=UNLISTED)
OURS = "https://example.org/Questionnaire/label|1"
ASKS = {
    "no-alternative": Ask(name="no-alternative", topic="t", number="A1", question="?", of=("S1",), questionnaire=OURS),
    "responding": Ask(
        name="responding",
        topic="t",
        number="A3",
        question="Is it better?",
        of=("S2",),
        answers=("better", "worse"),
        questionnaire=OURS,
    ),
    "elsewhere": Ask(
        name="elsewhere", topic="t", number="A6", question="??", of=("S2",), day="On which day?", questionnaire=OURS
    ),
}


def coding(system: str | None, code: str | None, display: str | None = None) -> Json:
    """Return a Coding with the parts that are not None."""
    parts = {"system": system, "code": code, "display": display}
    return {key: value for key, value in parts.items() if value is not None}


def concept(*codings: Json, text: str | None = None) -> Json:
    """Return a CodeableConcept."""
    return {**({"coding": list(codings)} if codings else {}), **({"text": text} if text is not None else {})}


def code(system: str | None, value: str, display: str | None = None) -> Json:
    """Return a CodeableConcept of one coding."""
    return concept(coding(system, value, display))


def status(value: str) -> Json:
    """Return a Condition's status."""
    return concept(coding("http://terminology.hl7.org/CodeSystem/condition-any", value))


def quantity(value: object, unit: str | None = None, comparator: str | None = None, **more: object) -> Json:
    """Return a Quantity with a UCUM unit."""
    coded = {"unit": unit, "code": unit, "system": UCUM} if unit else {}
    return {"value": value, **coded, **({"comparator": comparator} if comparator else {}), **more}


def _maker(kind: str, subject: str, defaults: Json) -> Callable[..., Json]:
    def make(id: str | None = None, **elements: object) -> Json:  # noqa: A002  FHIR's own name
        whole = {
            "resourceType": kind,
            "id": id or kind.lower(),
            subject: {"reference": "Patient/p"},
            **defaults,
            **elements,
        }
        return {key: value for key, value in whole.items() if value is not None}

    return make


CLOT = code(SNOMED, "128053003", "Deep vein thrombosis")
DRUG = code(RXNORM, "2047241", "a tablet")
condition = _maker(
    "Condition",
    "subject",
    {
        "clinicalStatus": status("active"),
        "verificationStatus": status("confirmed"),
        "code": CLOT,
        "onsetDateTime": "2024-05-01",
    },
)
observation = _maker(
    "Observation", "subject", {"status": "final", "code": code(LOINC, "751-8"), "effectiveDateTime": "2024-05-01"}
)
procedure = _maker(
    "Procedure",
    "subject",
    {"status": "completed", "code": code(SNOMED, "171126009"), "performedDateTime": "2024-05-01"},
)
immunization = _maker(
    "Immunization",
    "patient",
    {"status": "completed", "vaccineCode": code(CVX, "121"), "occurrenceDateTime": "2024-05-01"},
)
request = _maker(
    "MedicationRequest",
    "subject",
    {"status": "active", "intent": "order", "medicationCodeableConcept": DRUG, "authoredOn": "2024-05-01"},
)
statement = _maker("MedicationStatement", "subject", {"status": "active", "medicationCodeableConcept": DRUG})
dispense = _maker(
    "MedicationDispense",
    "subject",
    {"status": "completed", "medicationCodeableConcept": DRUG, "whenHandedOver": "2024-05-01"},
)
administration = _maker(
    "MedicationAdministration",
    "subject",
    {"status": "completed", "medicationCodeableConcept": DRUG, "effectiveDateTime": "2024-05-01"},
)
service = _maker(
    "ServiceRequest",
    "subject",
    {"status": "active", "intent": "order", "code": code(SNOMED, "171126009"), "occurrenceDateTime": "2024-05-01"},
)
report = _maker("DiagnosticReport", "subject", {"status": "final"})
response = _maker(
    "QuestionnaireResponse",
    "subject",
    {
        "status": "completed",
        "authored": "2024-05-01",
        "questionnaire": OURS,
        "author": {"reference": "Practitioner/1"},
    },
)


def patient(id: str | None = "p", **elements: object) -> Json:  # noqa: A002  FHIR's own name
    """Return a Patient."""
    return {"resourceType": "Patient", **({"id": id} if id else {}), "birthDate": "1960-02-03", **elements}


def bundle(*resources: Json, type: str = "collection", **elements: object) -> Json:  # noqa: A002
    """Return a Bundle of resources."""
    return {"resourceType": "Bundle", "type": type, "entry": [{"resource": each} for each in resources], **elements}


def record(*resources: Json) -> Record:
    """Return the record of patient `p` with these resources."""
    return read_resources([patient(), *resources], TERMS, ASKS)


def entries(*resources: Json) -> list[Entry]:
    """Return every entry of patient `p` with these resources, in order."""
    return [entry for found in record(*resources).entries.values() for entry in found]


def only(*resources: Json) -> Entry:
    """Return the one entry of patient `p` with these resources."""
    (entry,) = entries(*resources)
    return entry


def ignored(*resources: Json) -> list[tuple[str, str]]:
    """Return what is ignored of patient `p` with these resources."""
    return [tuple(each) for each in record(*resources).ignored]


def day(written: str) -> int:
    """Return the ordinal of an ISO day."""
    from datetime import date

    return date.fromisoformat(written).toordinal()
