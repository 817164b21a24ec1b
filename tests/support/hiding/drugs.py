"""Ways of saying that a drug was taken or a vaccine given."""

from __future__ import annotations

from datetime import date, timedelta

from support.hiding.codes import display_of
from support.hiding.kit import CODE, LOCAL, Changed, Json, Shown, codings, day_of, way, without

NDC = "http://hl7.org/fhir/sid/ndc"


def _drug(entry: Json, shown: Shown) -> Json | None:
    found = entry.get("medicationCodeableConcept")
    return found if shown.kind.startswith("Medication") and isinstance(found, dict) else None


def _named(entry: Json, shown: Shown) -> str:
    names = (display_of(each) for each in codings(entry, shown))
    return next((name for name in names if shown.patient.label.terminology.spoken_of(name)), "")


@way("Cerner and MIMIC, whose drugs stand apart from their orders")
def drug_by_reference(entry: Json, shown: Shown) -> Changed:
    drug = _drug(entry, shown)
    if drug is None:
        return None
    made = {**without(entry, "medication"), "medicationReference": {"reference": "Medication/way-drug"}}
    return shown.put(made, {"resourceType": "Medication", "id": "way-drug", "code": drug})


@way("Epic and HL7's examples, which contain the drug")
def drug_contained(entry: Json, shown: Shown) -> Changed:
    drug = _drug(entry, shown)
    if drug is None:
        return None
    inner = {"resourceType": "Medication", "id": "way-drug", "code": drug}
    return shown.put(
        {**without(entry, "medication"), "contained": [inner], "medicationReference": {"reference": "#way-drug"}}
    )


@way("compounds, whose code is local and whose ingredients are not")
def drug_as_an_ingredient(entry: Json, shown: Shown) -> Changed:
    drug = _drug(entry, shown)
    if drug is None:
        return None
    inner = {
        "resourceType": "Medication",
        "id": "way-drug",
        "code": {"coding": [{"system": LOCAL, "code": "C1"}]},
        "ingredient": [{"itemCodeableConcept": drug}],
    }
    return shown.put(
        {**without(entry, "medication"), "contained": [inner], "medicationReference": {"reference": "#way-drug"}}
    )


@way("an order whose drug was not sent along", leaves="unnamed")
def drug_that_can_not_be_found(entry: Json, shown: Shown) -> Changed:
    if _drug(entry, shown) is None:
        return None
    return shown.put({**without(entry, "medication"), "medicationReference": {"reference": "Medication/elsewhere"}})


@way("an order whose drug is named by an identifier, and shown by its name")
def drug_by_identifier_and_name(entry: Json, shown: Shown) -> Changed:
    if _drug(entry, shown) is None or not (name := _named(entry, shown)):
        return None
    reference = {"identifier": {"system": LOCAL, "value": "D1"}, "display": name}
    return shown.put({**without(entry, "medication"), "medicationReference": reference})


@way("pharmacies, which know packs alone", leaves="unnamed")
def drug_as_a_pack(entry: Json, shown: Shown) -> Changed:
    if _drug(entry, shown) is None:
        return None
    return shown.put({**entry, "medicationCodeableConcept": {"coding": [{"system": NDC, "code": "99999-0999-01"}]}})


@way("pharmacies, which show the name of a pack")
def drug_as_a_pack_with_a_name(entry: Json, shown: Shown) -> Changed:
    if _drug(entry, shown) is None or not (name := _named(entry, shown)):
        return None
    pack = {"coding": [{"system": NDC, "code": "99999-0999-01", "display": name}]}
    return shown.put({**entry, "medicationCodeableConcept": pack})


def _taken(entry: Json, shown: Shown) -> tuple[str, str] | None:
    """Return the first and the last day of a reported drug that is known by both, or by the first alone."""
    period = entry.get("effectivePeriod") or {}
    start, end = day_of(period, "start"), day_of(period, "end")
    fits = shown.kind == "MedicationStatement" and entry.get("status") in ("active", "completed") and start
    return (start, end) if fits and not (period.get("end") and not end) else None


def _other_form(entry: Json, shown: Shown, kind: str, **more: object) -> Changed:
    kept = without(entry, "effective", "dateAsserted", "resourceType", "status")
    return shown.put({"resourceType": kind, **kept, **more})


@way("systems that know orders and no statements")
def drug_as_an_order(entry: Json, shown: Shown) -> Changed:
    taken = _taken(entry, shown)
    if taken is None:
        return None
    period = {"start": taken[0], **({"end": taken[1]} if taken[1] else {})}
    return _other_form(
        entry,
        shown,
        "MedicationRequest",
        status=entry["status"],
        intent="order",
        authoredOn=taken[0],
        dosageInstruction=[{"timing": {"repeat": {"boundsPeriod": period}}}],
    )


@way("patient apps, whose orders are plans that a patient reports")
def drug_as_a_reported_plan(entry: Json, shown: Shown) -> Changed:
    taken = _taken(entry, shown)
    if taken is None or taken[1]:
        return None
    return _other_form(
        entry,
        shown,
        "MedicationRequest",
        status="active",
        intent="plan",
        reportedBoolean=True,
        authoredOn=taken[0],
    )


@way("wards, which write down what was given")
def drug_as_given(entry: Json, shown: Shown) -> Changed:
    taken = _taken(entry, shown)
    if taken is None:
        return None
    period = {"start": taken[0], **({"end": taken[1]} if taken[1] else {})}
    return _other_form(entry, shown, "MedicationAdministration", status="completed", effectivePeriod=period)


@way("pharmacies, which write down what was handed over")
def drug_as_handed_over(entry: Json, shown: Shown) -> Changed:
    taken = _taken(entry, shown)
    if taken is None:
        return None
    last = date.fromisoformat(taken[1]) if taken[1] else shown.patient.today
    days = (last - date.fromisoformat(taken[0])).days
    supply = {"value": max(days, 1), "unit": "days", "code": "d", "system": "http://unitsofmeasure.org"}
    return _other_form(
        entry, shown, "MedicationDispense", status="completed", whenHandedOver=taken[0], daysSupply=supply
    )


@way("pharmacies that do not say how long a supply lasts", leaves="dated")
def drug_handed_over_for_nobody_knows_how_long(entry: Json, shown: Shown) -> Changed:
    taken = _taken(entry, shown)
    if taken is None:
        return None
    return _other_form(entry, shown, "MedicationDispense", status="completed", whenHandedOver=taken[0])


@way("plans, which name drugs and have no reader of their own", leaves="passing")
def drug_in_a_plan_of_care(entry: Json, shown: Shown) -> Changed:
    drug = _drug(entry, shown)
    if (
        drug is None
        or not shown.alone
        or not shown.certain
        or not (taken := _taken(entry, shown))
        or taken[1]
        or not codings(entry, shown)
    ):
        return None
    recent = (shown.patient.today - timedelta(days=10)).isoformat()
    detail = {"status": "in-progress", "productCodeableConcept": drug}
    plan = {
        "resourceType": "CarePlan",
        "id": "way-plan",
        "status": "active",
        "intent": "plan",
        "subject": entry.get("subject"),
        "period": {"start": max(recent, taken[0])},
        "activity": [{"detail": detail}],
    }
    return shown.put(plan)


def _vaccine(entry: Json, shown: Shown) -> tuple[Json, str] | None:
    day = day_of(entry, "occurrenceDateTime")
    fits = (
        shown.kind == "Immunization"
        and "unreadable" not in shown.concepts[0]
        and day
        and entry.get("status") == "completed"
    )
    return (entry[CODE["Immunization"]], day) if fits and codings(entry, shown) else None


@way("hospitals that chart vaccines as drugs")
def vaccine_as_a_drug_given(entry: Json, shown: Shown) -> Changed:
    vaccine = _vaccine(entry, shown)
    if vaccine is None or not any(each["resourceType"].startswith("Medication") for each in shown.patient.resources):
        return None  # it would make a list of drugs where there is none
    made = {
        "resourceType": "MedicationAdministration",
        "id": "way-given",
        "status": "completed",
        "subject": entry.get("patient"),
        "medicationCodeableConcept": vaccine[0],
        "effectiveDateTime": vaccine[1],
    }
    return shown.put(made)


@way("practices that bill vaccines as procedures")
def vaccine_as_a_procedure(entry: Json, shown: Shown) -> Changed:
    vaccine = _vaccine(entry, shown)
    if vaccine is None or not any(each["resourceType"] == "Procedure" for each in shown.patient.resources):
        return None  # it would make a list of procedures where there is none
    made = {
        "resourceType": "Procedure",
        "id": "way-done",
        "status": "completed",
        "subject": entry.get("patient"),
        "code": vaccine[0],
        "performedDateTime": vaccine[1],
    }
    return shown.put(made)


@way("registers that keep what a patient remembers")
def vaccine_that_the_patient_tells_of(entry: Json, shown: Shown) -> Changed:
    if _vaccine(entry, shown) is None:
        return None
    return shown.put({**entry, "primarySource": False, "reportOrigin": {"text": "parent"}})
