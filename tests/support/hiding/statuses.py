"""Ways of saying how sure and how far something is, and of taking a part of it back."""

from __future__ import annotations

from support.hiding.kit import Changed, Json, Shown, bundle, named_by_others, way, without

_SECURITY = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
_STATUSED = (
    "Observation",
    "Procedure",
    "Immunization",
    "MedicationRequest",
    "MedicationStatement",
    "MedicationDispense",
    "MedicationAdministration",
)


def _statused(entry: Json, shown: Shown, status: str, *kinds: str) -> Changed:
    fits = shown.kind in kinds and entry.get("status") in ("final", "completed", "active")
    return shown.put({**entry, "status": status}) if fits else None


@way("laboratories that correct a result")
def result_amended(entry: Json, shown: Shown) -> Changed:
    return _statused(entry, shown, "amended", "Observation")


@way("laboratories that correct a result that was wrong")
def result_corrected(entry: Json, shown: Shown) -> Changed:
    return _statused(entry, shown, "corrected", "Observation")


@way("laboratories that send what they have so far", leaves="unsettled")
def result_preliminary(entry: Json, shown: Shown) -> Changed:
    instant = entry.get("effectiveDateTime")
    if any(each.get("effectiveDateTime") == instant for each in shown.put()):
        return None  # a final one of the same instant would replace it
    return _statused(entry, shown, "preliminary", "Observation")


@way("HL7 v2 without OBX-11", leaves="unsettled")
def status_left_out(entry: Json, shown: Shown) -> Changed:
    return shown.put(without(entry, "status")) if shown.kind in _STATUSED and "status" in entry else None


@way("mappers that do not know a status", leaves="unsettled")
def status_unknown(entry: Json, shown: Shown) -> Changed:
    return _statused(entry, shown, "unknown", *_STATUSED)


@way("systems with a word of their own for a status", leaves="unsettled")
def status_of_our_own(entry: Json, shown: Shown) -> Changed:
    return _statused(entry, shown, "validated", *_STATUSED)


@way("Synthea's older patients and claims")
def diagnosis_without_a_clinical_status(entry: Json, shown: Shown) -> Changed:
    ended = any(name.startswith("abatement") for name in entry)
    if "clinicalStatus" not in entry or (ended and "'active'" in str(entry["clinicalStatus"])):
        return None  # of two that contradict each other one would be left
    return shown.put(without(entry, "clinicalStatus"))


@way("eCQM patients")
def diagnosis_without_verification(entry: Json, shown: Shown) -> Changed:
    confirmed = "'confirmed'" in str(entry.get("verificationStatus", ""))
    return shown.put(without(entry, "verificationStatus")) if shown.kind == "Condition" and confirmed else None


def _verified(entry: Json, shown: Shown, word: str) -> Changed:
    status = entry.get("verificationStatus")
    if shown.kind != "Condition" or (status and "'confirmed'" not in str(status)):
        return None
    system = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
    return shown.put({**entry, "verificationStatus": {"coding": [{"system": system, "code": word}]}})


@way("lists of what may be behind a complaint")
def diagnosis_differential(entry: Json, shown: Shown) -> Changed:
    return _verified(entry, shown, "differential")


@way("diagnoses that are not confirmed yet")
def diagnosis_provisional(entry: Json, shown: Shown) -> Changed:
    return _verified(entry, shown, "provisional")


@way("hospitals with words of their own for how sure a diagnosis is")
def diagnosis_verified_in_words(entry: Json, shown: Shown) -> Changed:
    fits = shown.kind == "Condition" and "'confirmed'" in str(entry.get("verificationStatus", "'confirmed'"))
    return shown.put({**entry, "verificationStatus": {"text": "gesichert"}}) if fits else None


@way("STU3 records sent as R4")
def clinical_status_as_a_string(entry: Json, shown: Shown) -> Changed:
    codes = [each.get("code") for each in (entry.get("clinicalStatus") or {}).get("coding", [])]
    return shown.put({**entry, "clinicalStatus": codes[0]}) if codes else None


@way("a profile with modifiers that we do not know", leaves="doubt")
def modifier_extension(entry: Json, shown: Shown) -> Changed:
    return shown.put({**entry, "modifierExtension": [{"url": "https://hospital.invalid/m", "valueBoolean": True}]})


@way("a profile with modifiers inside a code or a dosage", leaves="doubt")
def modifier_extension_inside(entry: Json, shown: Shown) -> Changed:
    inside = {"modifierExtension": [{"url": "https://hospital.invalid/m", "valueBoolean": True}]}
    return shown.put({**entry, "performer": [{"actor": {"display": "x"}, **inside}]})


@way("a custom set of rules", leaves="doubt")
def implicit_rules(entry: Json, shown: Shown) -> Changed:
    return shown.put({**entry, "implicitRules": "https://hospital.invalid/rules"})


@way("servers that leave elements out on request", leaves="doubt")
def tagged_as_subsetted(entry: Json, shown: Shown) -> Changed:
    return shown.put({**entry, "meta": {"tag": [{"system": _SECURITY, "code": "SUBSETTED"}]}})


@way("servers that heed consent", leaves="doubt")
def labelled_as_redacted(entry: Json, shown: Shown) -> Changed:
    return shown.put({**entry, "meta": {"security": [{"system": _SECURITY, "code": "REDACTED"}]}})


@way("a newer release of FHIR than R4", leaves="doubt")
def element_of_another_release(entry: Json, shown: Shown) -> Changed:
    return shown.put({**entry, "participant": [{"actor": {"display": "x"}}], "negation": False})


@way("registries of transplants and newborns, whose results may be about a donor or a child", leaves="doubt")
def focus_on_somebody_else(entry: Json, shown: Shown) -> Changed:
    focus = [{"reference": "RelatedPerson/donor"}]
    return shown.put({**entry, "focus": focus}) if shown.kind == "Observation" else None


@way("laboratories that take a report back and leave its results", leaves="doubt")
def report_in_error(entry: Json, shown: Shown) -> Changed:
    if shown.kind != "Observation" or named_by_others(shown):
        return None  # another report says it all the same
    report = {
        "resourceType": "DiagnosticReport",
        "id": "way-report",
        "status": "entered-in-error",
        "subject": entry.get("subject"),
        "result": [{"reference": shown.source}],
    }
    return shown.put(entry, report)


@way("collections of changes, with the deletion beside what is deleted", leaves="doubt")
def deleted_beside(entry: Json, shown: Shown) -> Changed:
    changes = bundle([])
    changes["entry"] = [{"request": {"method": "DELETE", "url": shown.source}}]
    return shown.put(entry, changes)


@way("collections of changes, with a deletion by a search", leaves="nothing")
def deleted_by_a_search(entry: Json, shown: Shown) -> Changed:
    changes = bundle([], "transaction")
    changes["entry"] = [{"request": {"method": "DELETE", "url": f"{shown.kind}?identifier=x|y"}}]
    return shown.put(changes)
