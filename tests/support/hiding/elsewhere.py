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


def _about(entry: Json, shown: Shown, kind: str, /, **more: object) -> Changed:
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


def _words(entry: Json, shown: Shown) -> str:
    """Return words of the diagnosis by which the label knows all that it means; nothing where it has none."""
    concept = entry.get("code")
    if not isinstance(concept, dict):
        return ""
    said = [concept.get("text"), *(each.get("display") for each in concept.get("coding") or ())]
    speaks = shown.patient.label.terminology.spoken_of
    return next((each for each in said if isinstance(each, str) and set(shown.concepts) <= set(speaks(each))), "")


def _in_words(entry: Json, shown: Shown, kind: str, /, **more: object) -> Changed:
    return _about(entry, shown, kind, **more) if _words(entry, shown) else None


@way("visits that name a diagnosis which is not sent", leaves="words")
def shown_by_a_visit(entry: Json, shown: Shown) -> Changed:
    condition = {"reference": "Condition/not-sent", "display": _words(entry, shown)}
    return _in_words(
        entry, shown, "Encounter", status="finished", period={"start": "DAY"}, diagnosis=[{"condition": condition}]
    )


@way("plans that name what they are for", leaves="words")
def shown_by_a_plan(entry: Json, shown: Shown) -> Changed:
    addressed = [{"display": _words(entry, shown)}]
    return _in_words(entry, shown, "CarePlan", intent="plan", created="DAY", addresses=addressed)


@way("lists whose items are not sent", leaves="words")
def shown_by_a_list(entry: Json, shown: Shown) -> Changed:
    item = {"reference": "Condition/not-sent", "display": _words(entry, shown)}
    return _in_words(entry, shown, "List", status="current", mode="working", date="DAY", entry=[{"item": item}])


@way("documents whose entries are not sent", leaves="words")
def shown_by_a_document(entry: Json, shown: Shown) -> Changed:
    named = {"reference": "urn:uuid:not-sent", "type": "Condition", "display": _words(entry, shown)}
    sections = [{"title": "Problems", "entry": [named]}]
    return _in_words(entry, shown, "Composition", status="final", date="DAY", section=sections)


@way("radiologists who write and do not code", leaves="words")
def sentence_of_a_report(entry: Json, shown: Shown) -> Changed:
    said = f"No fracture. In keeping with {_words(entry, shown)}, no effusion."
    return _in_words(entry, shown, "DiagnosticReport", status="final", effectiveDateTime="DAY", conclusion=said)


@way("clinicians who sum up", leaves="words")
def summary_of_an_impression(entry: Json, shown: Shown) -> Changed:
    said = _words(entry, shown)
    return _in_words(entry, shown, "ClinicalImpression", status="completed", effectiveDateTime="DAY", summary=said)


@way("teams that look after somebody", leaves="passing")
def reason_for_a_team(entry: Json, shown: Shown) -> Changed:
    return _about(entry, shown, "CareTeam", period={"start": "DAY"}, reasonCode=[entry.get("code")])
