"""Ways of saying a diagnosis elsewhere than in a list of problems: reasons, conclusions, claims, flags."""

from __future__ import annotations

from datetime import timedelta

from support.hiding.kit import Changed, Json, Shown, day_of, way


def _active(entry: Json, shown: Shown) -> bool:
    """Whether an entry is a diagnosis that is sure and goes on, and the only one of its sort."""
    words = str(entry.get("clinicalStatus", "'active'")), str(entry.get("verificationStatus", "'confirmed'"))
    open_ended = not any(name.startswith("abatement") for name in entry)
    return (
        shown.alone
        and shown.kind == "Condition"
        and "'active'" in words[0]
        and "'confirmed'" in words[1]
        and open_ended
    )


def _about(entry: Json, shown: Shown, kind: str, **more: object) -> Changed:
    """Return the patient with a resource of this month in place of the diagnosis."""
    others = any(each["resourceType"] == "Condition" for each in shown.put())
    began = day_of(entry, "onsetDateTime", "recordedDate")
    today = shown.patient.today
    if not _active(entry, shown) or "code" not in entry or not others or began > today.isoformat():
        return None  # without any other diagnosis there would be no list of them
    recent = (today - timedelta(days=10)).isoformat()
    day = max(recent, began)
    made = {"resourceType": kind, "id": "way-about", "status": "active", "subject": entry.get("subject")}
    return shown.put({**made, **{name: _filled(value, day) for name, value in more.items()}})


def _filled(value: object, day: str) -> object:
    return (
        day if value == "DAY" else {k: _filled(v, day) for k, v in value.items()} if isinstance(value, dict) else value
    )


@way("visits, whose reason nobody puts on the list", leaves="passing")
def reason_for_a_visit(entry: Json, shown: Shown) -> Changed:
    return _about(entry, shown, "Encounter", period={"start": "DAY"}, reasonCode=[entry.get("code")])


@way("orders of imaging", leaves="passing")
def reason_for_an_order(entry: Json, shown: Shown) -> Changed:
    return _about(entry, shown, "ServiceRequest", intent="order", authoredOn="DAY", reasonCode=[entry.get("code")])


@way("procedures", leaves="passing")
def reason_for_a_procedure(entry: Json, shown: Shown) -> Changed:
    if not any(each["resourceType"] == "Procedure" for each in shown.patient.resources):
        return None
    what = {"text": "Puncture"}
    return _about(
        entry,
        shown,
        "Procedure",
        status="completed",
        code=what,
        performedDateTime="DAY",
        reasonCode=[entry.get("code")],
    )


@way("prescriptions", leaves="passing")
def reason_for_a_drug(entry: Json, shown: Shown) -> Changed:
    if not any(each["resourceType"].startswith("Medication") for each in shown.patient.resources):
        return None  # it would make a list of drugs where there is none
    what = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "161"}], "text": "paracetamol"}
    return _about(
        entry,
        shown,
        "MedicationRequest",
        intent="order",
        medicationCodeableConcept=what,
        authoredOn="DAY",
        reasonCode=[entry.get("code")],
    )


@way("radiologists", leaves="passing")
def conclusion_of_a_report(entry: Json, shown: Shown) -> Changed:
    what = {"text": "Imaging"}
    return _about(
        entry,
        shown,
        "DiagnosticReport",
        status="final",
        code=what,
        effectiveDateTime="DAY",
        conclusionCode=[entry.get("code")],
    )


@way("assessments of a clinician", leaves="passing")
def finding_of_an_assessment(entry: Json, shown: Shown) -> Changed:
    finding = [{"itemCodeableConcept": entry.get("code")}]
    return _about(entry, shown, "ClinicalImpression", status="completed", date="DAY", finding=finding)


@way("warnings on the front of a chart", leaves="passing")
def flag(entry: Json, shown: Shown) -> Changed:
    return _about(entry, shown, "Flag", code=entry.get("code"), period={"start": "DAY"})


@way("plans of care", leaves="passing")
def condition_of_a_plan(entry: Json, shown: Shown) -> Changed:
    activity = [{"detail": {"status": "in-progress", "reasonCode": [entry.get("code")]}}]
    return _about(entry, shown, "CarePlan", intent="plan", period={"start": "DAY"}, activity=activity)


@way("LOINC's way: a result whose value is the diagnosis", leaves="passing")
def diagnosis_as_a_result(entry: Json, shown: Shown) -> Changed:
    what = {"coding": [{"system": "http://loinc.org", "code": "29308-4", "display": "Diagnosis"}]}
    return _about(
        entry,
        shown,
        "Observation",
        status="final",
        code=what,
        effectiveDateTime="DAY",
        valueCodeableConcept=entry.get("code"),
    )


@way("a visit that contains its diagnosis", leaves="doubt")
def diagnosis_contained_in_a_visit(entry: Json, shown: Shown) -> Changed:
    inner = {**entry, "id": "way-inner"}
    return _about(
        entry,
        shown,
        "Encounter",
        period={"start": "DAY"},
        contained=[inner],
        diagnosis=[{"condition": {"reference": "#way-inner"}}],
    )
