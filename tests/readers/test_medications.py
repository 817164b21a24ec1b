"""Prescriptions, statements, dispenses and administrations, and every way to name a drug."""

from __future__ import annotations

import pytest

from precaution.knowledge.loading import load_label
from precaution.readers import read_resources
from precaution.values.interval import Interval
from precaution.values.record import UNREADABLE
from support.fhir_builders import (
    ASKS,
    ATC,
    DRUG,
    RXNORM,
    SNOMED,
    TERMS,
    administration,
    code,
    coding,
    concept,
    day,
    dispense,
    entries,
    ignored,
    only,
    patient,
    record,
    request,
    statement,
)


def on(written: str) -> Interval:
    return Interval(day(written), day(written))


def medication(**elements: object) -> dict[str, object]:
    return {"resourceType": "Medication", "id": "m", "code": DRUG, **elements}


# Naming the drug


@pytest.mark.parametrize(
    "drug",
    [
        code(RXNORM, "2047241"),
        code(RXNORM, "2047232"),
        code(ATC, "L04AF02"),
        concept(coding("http://hl7.org/fhir/sid/ndc", "0002-4182-30"), coding(RXNORM, "2047241")),
    ],
)
def test_codes(drug: object) -> None:
    assert only(request(medicationCodeableConcept=drug)).concept == "drug"


INGREDIENT = {"code": code("http://local", "7"), "ingredient": [{"itemCodeableConcept": DRUG}]}
SUBSTANCE = {"resourceType": "Substance", "id": "s", "code": DRUG}


@pytest.mark.parametrize(
    "reference", ["Medication/m", "http://server/Medication/m", "Medication/m/_history/2", "urn:uuid:m", "#m"]
)
@pytest.mark.parametrize(
    "elements",
    [
        {},
        INGREDIENT,
        {"code": {}, "ingredient": [{"itemReference": {"reference": "Substance/s"}}]},
        {"code": None, "ingredient": [{}, None, {"itemReference": {"reference": "#s"}}]},
    ],
)
def test_references(reference: str, elements: dict[str, object]) -> None:
    inside = [medication(**elements), SUBSTANCE] if reference == "#m" else [SUBSTANCE]
    order = request(medicationCodeableConcept=None, medicationReference={"reference": reference}, contained=inside)
    rest = [] if reference == "#m" else [medication(**elements)]
    assert only(order, SUBSTANCE, *rest).concept == "drug"


def test_references_by_full_url() -> None:
    order = request(medicationCodeableConcept=None, medicationReference={"reference": "urn:uuid:55"})
    whole = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"resource": patient()},
            {"resource": order},
            {"fullUrl": "urn:uuid:55", "resource": {**medication(), "id": "x"}},
        ],
    }
    assert "drug" in read_resources([whole], TERMS, ASKS).entries


@pytest.mark.parametrize("reference", [{"reference": "Medication/none"}, {"reference": "#none"}, {}, None, "x", 5])
def test_a_drug_that_can_not_be_found_may_be_any(reference: object) -> None:
    found = record(request(medicationCodeableConcept=None, medicationReference=reference))
    (entry,) = found.entries[UNREADABLE["medication"]]
    assert (entry.certainty, entry.status) == ("mentioned", "active")
    assert len(found.unrecognised) == 1


@pytest.mark.parametrize(
    "drug",
    [
        {"medicationCodeableConcept": concept(text="Baricitinib 2 mg")},
        {"medicationCodeableConcept": code("http://local", "7", "BARICITINIB")},
        {"medicationReference": {"reference": "Medication/none", "display": "baricitinib"}},
        {"medicationReference": {"display": "baricitinib"}},
        {"medicationCodeableConcept": code(None, "2047241", "pill")},
    ],
)
def test_a_drug_in_words_is_a_doubt(drug: dict[str, object]) -> None:
    found = record(request(**{"medicationCodeableConcept": None, **drug}))
    assert [entry.certainty for entry in found.entries["drug"]] == ["mentioned"]
    assert found.unrecognised


@pytest.mark.parametrize(
    "drug",
    [
        code(RXNORM, "1191"),
        code(RXNORM, "1191", "Aspirin"),
        concept(text="Aspirin"),
        code("http://local", "x", "Aspirin"),
        code(ATC, "N02BA01"),
        concept(text="Isoniazid, for tuberculosis"),
    ],
)
def test_another_drug_leaves_nothing(drug: object) -> None:
    found = record(request(medicationCodeableConcept=drug))
    assert not found.entries
    assert not found.unrecognised
    assert found.lists == {"medication"}


@pytest.mark.parametrize(
    "drug",
    [
        {},
        [],
        "x",
        code("http://local", "x"),
        code(SNOMED, "387458008"),
        code(RXNORM, "2047241x"),
        {"coding": [{"system": RXNORM}]},
    ],
)
def test_a_drug_that_can_not_be_understood_may_be_any(drug: object) -> None:
    assert only(request(medicationCodeableConcept=drug)).concept == UNREADABLE["medication"]


# Prescriptions


@pytest.mark.parametrize(
    ("status", "intent", "expected"),
    [
        ("active", "order", ("medication", "active")),
        ("active", None, ("medication", "active")),
        ("active", "original-order", ("medication", "active")),
        ("active", "instance-order", ("medication", "active")),
        ("on-hold", "order", ("medication", "held")),
        ("stopped", "order", ("medication", "ended")),
        ("completed", "order", ("medication", "ended")),
        ("unknown", "order", ("medication", "unknown")),
        (None, "order", ("medication", "unknown")),
        ("odd", "order", ("medication", "unknown")),
        (5, "order", ("medication", "unknown")),
        ("active", "odd", ("medication", "unknown")),
        ("draft", "order", ("order", "planned")),
        ("active", "plan", ("order", "planned")),
        ("active", "proposal", ("order", "planned")),
        ("on-hold", "option", ("order", "planned")),
    ],
)
def test_prescriptions(status: object, intent: object, expected: tuple[str, str]) -> None:
    entry = only(request(status=status, intent=intent))
    assert (entry.kind, entry.status) == expected
    assert entry.start == on("2024-05-01")


@pytest.mark.parametrize(
    "elements",
    [
        {"status": "cancelled"},
        {"status": "entered-in-error"},
        {"doNotPerform": True},
        {"status": "completed", "intent": "plan"},
    ],
)
def test_prescriptions_that_do_not_count(elements: dict[str, object]) -> None:
    resource = request(**elements)
    assert entries(resource) == []
    assert [source for source, _ in ignored(resource)] == ["MedicationRequest/medicationrequest"]


def test_do_not_perform_that_is_false_counts() -> None:
    assert only(request(doNotPerform=False)).status == "active"


def bounds(**period: str) -> dict[str, object]:
    return {"timing": {"repeat": {"boundsPeriod": period}}}


@pytest.mark.parametrize(
    ("dosages", "start", "end"),
    [
        ([bounds(start="2024-05-10", end="2024-06-10")], "2024-05-10", "2024-06-10"),
        ([bounds(start="2024-05-10")], "2024-05-10", None),
        ([bounds(end="2024-06-10")], "2024-05-01", "2024-06-10"),
        (
            [bounds(start="2024-05-20", end="2024-06-01"), bounds(start="2024-05-10", end="2024-06-10")],
            "2024-05-10",
            "2024-06-10",
        ),
        ([bounds(start="2024-05-20", end="2024-06-01"), bounds(start="2024-05-10")], "2024-05-10", None),
        ([{}, None, {"timing": None}], "2024-05-01", None),
        ([bounds(start="soon", end="later")], "2024-05-01", None),
    ],
)
def test_bounds_of_the_dosage(dosages: list[object], start: str, end: str | None) -> None:
    entry = only(request(dosageInstruction=dosages))
    assert (entry.start, entry.end) == (on(start), on(end) if end else None)


def test_the_validity_of_a_prescription_ends_it_where_nothing_else_tells() -> None:
    validity = {"validityPeriod": {"start": "2024-05-01", "end": "2024-05-02"}}
    assert only(request(dispenseRequest=validity)).end == Interval(day("2024-05-02"), day("2024-05-02"))


@pytest.mark.parametrize(("authored", "note"), [(None, ""), ("some day", "authoredOn can't be read")])
def test_a_prescription_without_a_date(authored: object, note: str) -> None:
    entry = only(request(authoredOn=authored))
    assert (entry.start, entry.note) == (None, note)


# Statements, dispenses, administrations


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("active", ("medication", "active")),
        ("intended", ("order", "planned")),
        ("on-hold", ("medication", "held")),
        ("stopped", ("medication", "ended")),
        ("completed", ("medication", "ended")),
        ("unknown", ("medication", "unknown")),
        (None, ("medication", "unknown")),
    ],
)
def test_statements(status: object, expected: tuple[str, str]) -> None:
    entry = only(
        statement(
            status=status, effectivePeriod={"start": "2024-05-01", "end": "2024-06-01"}, dateAsserted="2024-06-02"
        )
    )
    assert (entry.kind, entry.status) == expected
    assert (entry.start, entry.end, entry.recorded) == (on("2024-05-01"), on("2024-06-01"), on("2024-06-02"))


WHY = {"text": "Surgery planned"}
CODED = {"coding": [{"system": "http://local", "code": "SURG"}]}


@pytest.mark.parametrize(
    ("held", "note"),
    [
        (request(status="on-hold", statusReason=WHY), "reason: Surgery planned"),
        (request(status="on-hold", statusReason=CODED), "reason: SURG"),
        (request(status="on-hold", statusReason={}), ""),
        (request(status="stopped", statusReason=WHY), ""),
        (statement(status="on-hold", statusReason=[WHY, CODED, WHY]), "reason: Surgery planned, SURG"),
        (administration(status="on-hold", statusReason=[WHY]), "reason: Surgery planned"),
        (dispense(status="on-hold", statusReasonCodeableConcept=WHY), "reason: Surgery planned"),
    ],
)
def test_why_a_drug_is_on_hold_is_noted(held: dict[str, object], note: str) -> None:
    assert only(held).note == note


def test_a_statement_of_one_day_has_no_end() -> None:
    entry = only(statement(effectiveDateTime="2024-05-01"))
    assert (entry.start, entry.end) == (on("2024-05-01"), None)


@pytest.mark.parametrize(
    "resource",
    [
        statement(status="not-taken"),
        statement(status="entered-in-error"),
        dispense(status="cancelled"),
        dispense(status="stopped"),
        dispense(status="declined"),
        dispense(status="entered-in-error"),
        administration(status="not-done"),
        administration(status="entered-in-error"),
    ],
)
def test_what_was_not_taken(resource: dict[str, object]) -> None:
    assert entries(resource) == []
    assert len(ignored(resource)) == 1
    assert bool(record(resource).lists) is (resource["status"] != "entered-in-error")


@pytest.mark.parametrize(
    ("supply", "end"),
    [
        ({"value": 30, "unit": "days"}, "2024-05-31"),
        ({"value": 30, "unit": "d", "code": "d"}, "2024-05-31"),
        ({"value": 2, "unit": "wk"}, "2024-05-15"),
        ({"value": 30.9, "unit": "Day"}, "2024-05-31"),
    ],
)
def test_a_supply_lasts(supply: dict[str, object], end: str) -> None:
    entry = only(dispense(daysSupply=supply))
    assert (entry.status, entry.start, entry.end) == ("active", on("2024-05-01"), on(end))


@pytest.mark.parametrize(
    "supply",
    [
        None,
        {},
        {"value": 30},
        {"value": 30, "unit": "tablets"},
        {"value": 0, "unit": "d"},
        {"value": -3, "unit": "d"},
        {"value": 1e9, "unit": "d"},
        {"value": "30", "unit": "d"},
        {"value": 30, "unit": "d", "comparator": ">"},
        30,
    ],
)
def test_a_supply_that_is_not_known(supply: object) -> None:
    entry = only(dispense(daysSupply=supply))
    assert (entry.status, entry.end) == ("unknown", None)
    assert "supply" in entry.note


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("on-hold", ("medication", "held")),
        ("preparation", ("order", "planned")),
        ("in-progress", ("medication", "active")),
        ("odd", ("medication", "unknown")),
        ("unknown", ("medication", "unknown")),
    ],
)
def test_dispenses(status: str, expected: tuple[str, str]) -> None:
    entry = only(dispense(status=status, daysSupply={"value": 30, "unit": "d"}))
    assert (entry.kind, entry.status) == expected


def test_a_dispense_that_was_prepared() -> None:
    assert only(dispense(whenHandedOver=None, whenPrepared="2024-05-02")).start == on("2024-05-02")
    assert only(dispense(whenHandedOver=None, daysSupply={"value": 3, "unit": "d"})).status == "unknown"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("completed", "active"),
        ("in-progress", "active"),
        ("on-hold", "held"),
        ("stopped", "ended"),
        ("unknown", "unknown"),
    ],
)
def test_administrations(status: str, expected: str) -> None:
    assert only(administration(status=status)).status == expected


def test_an_administration_ends_the_same_day_or_with_its_period() -> None:
    entry = only(administration())
    assert (entry.start, entry.end) == (on("2024-05-01"), on("2024-05-01"))
    entry = only(administration(effectiveDateTime=None, effectivePeriod={"start": "2024-05-01", "end": "2024-05-03"}))
    assert entry.end == on("2024-05-03")
    entry = only(administration(effectiveDateTime=None, effectivePeriod={"start": "2024-05-01"}))
    assert entry.end is None


def test_active_and_stopped_orders_of_one_drug_are_both_kept() -> None:
    two = entries(request("a"), request("b", status="stopped"))
    assert sorted(entry.status for entry in two) == ["active", "ended"]


# ---- Drugs that count by one route only ------------------------------------------------------------------------------

LABEL = load_label("baricitinib")
VAGINAL = {"route": code(SNOMED, "16857009")}
ORAL = {"route": code(SNOMED, "26643006")}


@pytest.mark.parametrize(
    ("resource", "certainty"),
    [
        (request(medicationCodeableConcept=code(ATC, "G03CA03"), dosageInstruction=[VAGINAL]), ""),
        (request(medicationCodeableConcept=code(ATC, "G03CA03"), dosageInstruction=[ORAL]), "certain"),
        (request(medicationCodeableConcept=code(ATC, "G03CA03"), dosageInstruction=[ORAL, VAGINAL]), "mentioned"),
        (request(medicationCodeableConcept=code(ATC, "G03CA03")), "mentioned"),
        (statement(medicationCodeableConcept=code(ATC, "G03CA03"), dosage=[VAGINAL]), ""),
        (
            statement(medicationCodeableConcept=code(ATC, "G03CA03"), dosage=[{"text": "one tablet by mouth"}]),
            "certain",
        ),
        (dispense(medicationCodeableConcept=code(ATC, "G03CA03", "Vagifem 10 vaginal tablets")), ""),
        (administration(medicationCodeableConcept=code(ATC, "G03CA03"), dosage=VAGINAL), ""),
        (
            request(
                contained=[medication(code=code(ATC, "G03CA03"), form=concept(text="Vaginal insert"))],
                medicationReference={"reference": "#m"},
                medicationCodeableConcept=None,
            ),
            "",
        ),
    ],
)
def test_route_and_form_decide_whether_an_oestrogen_counts(resource: dict[str, object], certainty: str) -> None:
    found = read_resources([patient(), resource], LABEL.terminology, LABEL.asks).entries.get(
        "drug_hormone_replacement", ()
    )
    assert [each.certainty for each in found] == ([certainty] if certainty else [])
