"""The lines of a case's record, as FHIR R4 resources: so a case passes the same reader as a patient.

    born 1980-05-14
    sex female
    condition ascvd_mi active since 2019-03-02 until 2020-01-01       (or: resolved, suspected, refuted, ...)
    condition herpes_zoster of-visit active recorded 2025-02-20       as the diagnosis of a visit, which nobody closes
    result lab_anc <0.5 10*9/L on 2025-02-20 upper 7.5                (or: positive, negative, preliminary, ...)
    medication drug_statin active since 2024-01-01 until 2024-06-30   (or: on-hold, stopped, completed, ...; by oral)
    medication drug_steroid active 15 mg per day since 2024-01-01     (or: per week; as-needed behind it)
    immunization vaccine_live on 2025-02-20
    procedure skin_examination on 2024-06-01
    order major_surgery on 2025-03-20
    answer no-suitable-alternative yes on 2025-02-01
    text condition "Tuberculosis of lung"                             an entry that only its words tell
    without result lab_anc                                            takes lines of the base away

A concept stands for its first exact code; `CVX|33` is a code itself. Days may be `2025-02` or `2025`, or be left out.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from precaution.errors import KnowledgeError, did_you_mean
from precaution.knowledge.terminology import EDITIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from precaution.knowledge.model import Ask
    from precaution.knowledge.terminology import Terminology

Resource = dict[str, object]

_SYSTEMS = {
    "SNOMED": "http://snomed.info/sct",
    "LOINC": "http://loinc.org",
    "ICD10CM": "http://hl7.org/fhir/sid/icd-10-cm",
    "ICD10": "http://hl7.org/fhir/sid/icd-10",
    "ICD10GM": "http://fhir.de/CodeSystem/bfarm/icd-10-gm",
    "RxNorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ATC": "http://www.whocc.no/atc",
    "CVX": "http://hl7.org/fhir/sid/cvx",
}
_NUMBER = re.compile(r"(<=|>=|<|>)?(-?\d+(?:\.\d+)?)")
_CLINICAL = ("active", "recurrence", "relapse", "inactive", "remission", "resolved")
_VERIFICATION = {
    "suspected": "provisional",
    "provisional": "provisional",
    "differential": "differential",
    "unconfirmed": "unconfirmed",
    "refuted": "refuted",
    "entered-in-error": "entered-in-error",
}
_OF_PATIENT = {"born": "birthDate", "died": "deceasedDateTime", "sex": "gender"}
_RESULTS = {"positive": "POS", "negative": "NEG", "indeterminate": "IND"}
_QUOTING = re.compile(r"""["'\\]""")
_WORDS_OF_TIME = ("on", "since", "until", "recorded", "by")


def resources(lines: Iterable[str], terminology: Terminology, asks: Mapping[str, Ask] | None = None) -> list[Resource]:
    """Return the FHIR resources of a case's lines; the first is always the Patient.

    `asks`: those of the label, whose own questionnaire an answer names. Raises KnowledgeError for a line that says
    nothing the case language knows.
    """
    patient: Resource = {"resourceType": "Patient", "id": "case"}
    made: list[Resource] = [patient]
    for number, line in enumerate(lines, start=1):
        words = _words(line)
        try:
            if words[0] in _OF_PATIENT:
                patient[_OF_PATIENT[words[0]]] = words[1]
            else:
                made.append(_made(words, line, f"{words[0]}-{number}", terminology))
                if words[0] == "answer" and asks and words[1] in asks:
                    _name_questionnaire(made[-1], asks[words[1]])
        except (IndexError, KeyError, ValueError, StopIteration):
            raise KnowledgeError(f"'{line}': words are missing, or not where they belong") from None
    return made


def _name_questionnaire(response: Resource, ask: Ask) -> None:
    """Say of an answer that a clinician gave it to the label's own questionnaire, and of which day it is."""
    response["questionnaire"] = ask.questionnaire
    response["author"] = {"reference": "Practitioner/case"}
    if ask.day:
        day = {"linkId": ask.day_link, "answer": [{"valueDate": response["authored"]}]}
        response["item"] = [*response["item"], day]  # type: ignore[misc]


def _words(line: str) -> list[str]:
    if not _QUOTING.search(line):
        return line.split()
    try:
        return shlex.split(line)
    except ValueError:
        raise KnowledgeError(f"'{line}': a quote is not closed") from None


def _made(words: list[str], line: str, ident: str, terminology: Terminology) -> Resource:
    text = words[0] == "text"
    kind, name, *rest = words[1:] if text else words
    make = _MAKERS.get(kind)
    if make is None:
        raise KnowledgeError(
            f"'{line}': a line begins with born, died, sex, text or {', '.join(_MAKERS)}.{did_you_mean(kind, _MAKERS)}"
        )
    times, rest = _times(rest)
    code: Resource = {"text": name} if text else {} if kind == "answer" else _coded(name, line, terminology)
    resource = make(name, code, times, rest, terminology)
    subject = "patient" if resource["resourceType"] == "Immunization" else "subject"
    return {"id": ident, subject: {"reference": "Patient/case"}, **resource}


def _times(words: list[str]) -> tuple[dict[str, str], list[str]]:
    times: dict[str, str] = {}
    others: list[str] = []
    left = iter(words)
    for word in left:
        if word in _WORDS_OF_TIME:
            times[word] = next(left, "")
        else:
            others.append(word)
    return times, others


def code_of(concept: str, terminology: Terminology) -> tuple[str, str]:
    """Return (system, code) of the first code that belongs to a concept; of a prefix, a code it covers."""
    first = _first_codes(terminology)
    if concept not in first:
        raise KnowledgeError(f"no code list is called '{concept}'")
    return first[concept]


_FIRST: list[tuple[Terminology, dict[str, tuple[str, str]]]] = []


def _first_codes(terminology: Terminology) -> Mapping[str, tuple[str, str]]:
    """Return concept -> the code that stands for it; kept for the last terminology asked for."""
    if not _FIRST or _FIRST[-1][0] is not terminology:
        _FIRST[:] = [(terminology, _codes_by_concept(terminology))]
    return _FIRST[-1][1]


def _codes_by_concept(terminology: Terminology) -> dict[str, tuple[str, str]]:
    first: dict[str, tuple[str, str]] = {}
    ordered = sorted(terminology.exact.items(), key=lambda each: each[0][0] in EDITIONS)
    for (system, code), concepts in ordered:
        for concept in concepts if system in _SYSTEMS else ():
            if concept not in first and concept in terminology.concepts(system, code):
                first[concept] = system, code
    for (system, prefix), concepts in terminology.prefixes.items():
        for concept in concepts:
            first.setdefault(concept, (system, prefix + ("" if "." in prefix or system != "ICD10CM" else ".9")))
    return first if terminology.site is None else {**_codes_by_concept(terminology.site), **first}


def _coded(concept: str, line: str, terminology: Terminology) -> Resource:
    if "|" in concept:
        system, _, code = concept.partition("|")
        return {"coding": [{"system": _SYSTEMS.get(system, system), "code": code}]}
    try:
        system, code = code_of(concept, terminology)
    except KnowledgeError as error:
        known = {name for names in terminology.exact.values() for name in names}
        raise KnowledgeError(f"'{line}': {error}.{did_you_mean(concept, known)}") from None
    return {"coding": [{"system": _SYSTEMS[system], "code": code}]}


def _condition(_: str, code: Resource, times: dict[str, str], words: list[str], __: Terminology) -> Resource:
    made: Resource = {"resourceType": "Condition", "code": code}
    for word in words:
        if word == "of-visit":
            category = "http://terminology.hl7.org/CodeSystem/condition-category"
            made["category"] = [_one(category, "encounter-diagnosis")]
        elif word in _CLINICAL:
            made["clinicalStatus"] = _one("http://terminology.hl7.org/CodeSystem/condition-clinical", word)
        elif word in _VERIFICATION:
            made["verificationStatus"] = _one(
                "http://terminology.hl7.org/CodeSystem/condition-ver-status", _VERIFICATION[word]
            )
        else:
            hint = did_you_mean(word, (*_CLINICAL, *_VERIFICATION, "of-visit"))
            raise KnowledgeError(f"'{word}' is no status of a condition.{hint}")
    day = times.get("since", times.get("on"))
    return made | _given(onsetDateTime=day, abatementDateTime=times.get("until"), recordedDate=times.get("recorded"))


def _observation(_: str, code: Resource, times: dict[str, str], words: list[str], terminology: Terminology) -> Resource:
    made: Resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": code,
        **_given(effectiveDateTime=times.get("on")),
    }
    left = iter(words)
    for word in left:
        if word in _RESULTS:
            made["valueCodeableConcept"] = _coded(f"result_{word}", word, terminology)
        elif word == "upper":
            made["referenceRange"] = [{"high": {"value": float(next(left))}}]
        elif match := _NUMBER.fullmatch(word):
            made["valueQuantity"] = _given(value=float(match[2]), comparator=match[1])
        elif word in ("preliminary", "entered-in-error", "cancelled", "amended", "corrected", "registered"):
            made["status"] = word
        elif word in _first_codes(terminology):
            made["valueCodeableConcept"] = _coded(word, word, terminology)
        else:
            _set_unit(made, word)
    return _unit_of_range(made)


def _set_unit(made: Resource, unit: str) -> None:
    quantity = made.get("valueQuantity")
    if not isinstance(quantity, dict):
        raise KnowledgeError(f"'{unit}' stands where a number, a result or a status is expected")
    quantity.update(unit=unit, code=unit, system="http://unitsofmeasure.org")


def _unit_of_range(made: Resource) -> Resource:
    ranges, quantity = made.get("referenceRange"), made.get("valueQuantity")
    if isinstance(ranges, list) and isinstance(quantity, dict) and "unit" in quantity:
        ranges[0]["high"].update({key: quantity[key] for key in ("unit", "code", "system")})
    return made


def _medication(_: str, code: Resource, times: dict[str, str], words: list[str], __: Terminology) -> Resource:
    status = words[0] if words else "active"
    made: Resource = {"resourceType": "MedicationStatement", "status": status, "medicationCodeableConcept": code}
    return made | _given(
        dosage=_dosages(words[1:], times) or None,
        effectivePeriod=_given(start=times.get("since", times.get("on")), end=times.get("until")) or None,
    )


def _dosage(words: list[str]) -> Resource:
    """Return a dosage from `15 mg per week`, perhaps with `as-needed` behind it."""
    value, unit, per, time = words[:4]
    if per != "per" or words[4:] not in ([], ["as-needed"]):
        raise ValueError(words)
    repeat = {"frequency": 1, "period": 1, "periodUnit": {"day": "d", "week": "wk"}[time]}
    return {
        "timing": {"repeat": repeat},
        "doseAndRate": [{"doseQuantity": {"value": float(value), "unit": unit}}],
        **_given(asNeededBoolean=bool(words[4:]) or None),
    }


def _dosages(words: list[str], times: dict[str, str]) -> list[Resource]:
    """Return the dosage that the words of a dose and the route (`by`) make, if there are any."""
    return (
        [{**(_dosage(words) if words else {}), **_given(route={"text": times["by"]} if "by" in times else None)}]
        if words or "by" in times
        else []
    )


def _immunization(_: str, code: Resource, times: dict[str, str], words: list[str], __: Terminology) -> Resource:
    return {
        "resourceType": "Immunization",
        "status": words[0] if words else "completed",
        "vaccineCode": code,
        **_given(occurrenceDateTime=times.get("on")),
    }


def _procedure(_: str, code: Resource, times: dict[str, str], words: list[str], __: Terminology) -> Resource:
    return {
        "resourceType": "Procedure",
        "status": words[0] if words else "completed",
        "code": code,
        **_given(performedDateTime=times.get("on")),
    }


def _order(_: str, code: Resource, times: dict[str, str], words: list[str], __: Terminology) -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "status": words[0] if words else "active",
        "intent": "order",
        "code": code,
        **_given(occurrenceDateTime=times.get("on"), authoredOn=times.get("recorded")),
    }


def _answer(name: str, _: Resource, times: dict[str, str], words: list[str], __: Terminology) -> Resource:
    return {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "authored": times.get("on", ""),
        "item": [{"linkId": name, "answer": [{"valueString": words[0]}]}],
    }


_MAKERS: dict[str, Callable[[str, Resource, dict[str, str], list[str], Terminology], Resource]] = {
    "condition": _condition,
    "result": _observation,
    "medication": _medication,
    "immunization": _immunization,
    "procedure": _procedure,
    "order": _order,
    "answer": _answer,
}


def _one(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def _given(**members: object) -> Resource:
    return {name: value for name, value in members.items() if value is not None}
