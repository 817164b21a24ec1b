"""Calls of hooks: when there are cards and when none, every error with its status, odd shapes, limits."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from html import unescape
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from precaution.engine import decision, memo
from precaution.engine.facts import Facts
from precaution.engine.therapy import therapy
from precaution.service import clinician_answers
from precaution.service.fhir.queries import ALL, HOOKS
from precaution.service.settings import FhirServer
from support import card_rules as cards_check
from support.fhir_server import Reply, Stub
from support.hook_calls import (
    DRUG,
    ID,
    INSTANCE,
    RXNORM,
    App,
    Json,
    Limits,
    by_tier,
    call,
    cards,
    draft,
    example,
    post,
    prefetch,
    searchset,
    settings,
)
from support.prefetch_templates import wrong_template

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    made = App(settings(tmp_path_factory.mktemp("hooks")))
    yield made
    made.close()


# Discovery


def test_discovery_names_each_hook_once(app: App) -> None:
    response = app.get("/cds-services")
    assert response.status_code == 200
    found = response.json()["services"]
    assert [each["hook"] for each in found] == list(HOOKS)
    assert len({each["id"] for each in found}) == len(HOOKS)
    for each in found:
        assert set(each) == {"hook", "id", "title", "description", "prefetch", "usageRequirements"}
        assert each["prefetch"] == {query.key: query.template for query in ALL}
        assert all(isinstance(value, str) and value for key, value in each.items() if key != "prefetch")


def test_with_3_0_it_says_its_versions(tmp_path: Path) -> None:
    app = App(settings(tmp_path, hook_version="3.0"))
    found = app.get("/cds-services").json()["services"]
    app.close()
    assert all({"version", "hookVersion"} <= set(each) for each in found)


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("query", ALL, ids=lambda query: query.key)
def test_any_client_can_fill_the_templates(hook: str, query: Any) -> None:
    assert wrong_template(query.template, hook) == ""


@pytest.mark.parametrize(
    "template",
    [
        "Observation?patient={{context.patientId}}&date=gt{{today() - 90 days}}",
        "MedicationRequest?patient={{context.draftOrders.patient}}",
        "Patient/{{context.draftOrders}}",
        "Patient/{{user}}",
        "Patient/{{context.encounterId.x}}",
        "Patient/{{context.patientId}}/$everything",
        "Observation?code:not=1",
        "Observation?code:text=x",
        "Observation?subject.name=x",
        "Condition?_has:X:y:z=1",
        "Condition?patient=1&_include=Condition:x",
        "Condition?patient=1&_revinclude=*",
        "Observation?date=ne2020",
        "Observation?date=sa2020-01-01",
        "Observation?_count=0",
        "Observation?_count=many",
        "Observation?_sort=",
        "Observation",
        "Observation?",
        "observation?code=1",
        "https://x.example/Observation?code=1",
        "Observation?patient={{context.patientId}",
        "Observation?code=" + "1" * 500,
        "Observation?patient",
    ],
)
def test_a_template_outside_the_subset_is_seen(template: str) -> None:
    assert wrong_template(template, "order-sign")


@pytest.mark.parametrize(
    "template",
    [
        "Patient/{{context.patientId}}",
        "Practitioner/{{userPractitionerId}}",
        "Observation?code=http://loinc.org|1-8",
        "Observation?patient={{context.patientId}}&code:in=http://x.example/vs",
        "Observation?date=gt2020-01-01&_count=5",
        "Encounter/{{context.encounterId}}",
        "Observation?_id=7&_sort=-date,code",
    ],
)
def test_a_template_inside_it_is_not(template: str) -> None:
    assert wrong_template(template, "order-sign") == ""


# When there are cards


CONCERNED = ["low-neutrophils", "restricted", "screening-missing", "zoster-on-treatment", "suspected-thromboembolism"]


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
@pytest.mark.parametrize("name", CONCERNED)
def test_the_drug_being_ordered_gives_cards(app: App, hook: str, name: str) -> None:
    response = post(app, call(hook, prefetch(example(name)), draft()))
    assert response.status_code == 200
    assert response.json()["cards"]
    assert cards_check.wrong(response.json()) == []


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("name", ["zoster-on-treatment", "suspected-thromboembolism"])
def test_the_drug_being_taken_gives_cards_whatever_is_ordered(app: App, hook: str, name: str) -> None:
    assert cards(app, call(hook, prefetch(example(name)), draft(medicationCodeableConcept={"text": "Aspirin"})))


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("name", ["low-neutrophils", "restricted", "screening-missing", "ready"])
def test_neither_ordered_nor_taken_gives_none(app: App, hook: str, name: str) -> None:
    assert post(app, call(hook, prefetch(example(name)))).json() == {"cards": []}


def test_nothing_in_the_way_gives_none(app: App) -> None:
    assert cards(app, call("order-sign", prefetch(example("ready")), draft())) == []


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_a_live_vaccine_for_somebody_on_the_drug_is_a_warning(app: App, hook: str) -> None:
    vaccine = {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "03"}]}
    order = {"resourceType": "ServiceRequest", "status": "draft", "intent": "order", "code": vaccine}
    sent = prefetch(example("zoster-on-treatment"))
    found = by_tier(cards(app, call(hook, sent, order)))
    assert "Live vaccine planned: not recommended" in found["warning"]["detail"]
    assert "now being written" in found["warning"]["detail"]
    assert "S32" in found["warning"]["detail"]


def test_a_live_vaccine_for_somebody_who_may_be_on_it_is_told(app: App) -> None:
    vaccine = {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "03"}]}
    order = draft(medicationCodeableConcept=vaccine)
    sent = {key: value for key, value in prefetch(example("ready")).items() if key != "medicationRequests"}
    assert "Live vaccine planned" in by_tier(cards(app, call("order-sign", sent, order)))["warning"]["detail"]
    assert cards(app, call("order-sign", prefetch(example("ready")), order)) == []


@pytest.mark.parametrize("state", ["absent", "failed", "more"])
def test_where_nobody_knows_whether_it_is_taken_a_chart_says_so(app: App, state: str) -> None:
    sent = prefetch(example("zoster-on-treatment"))
    for key in ("medicationRequests", "medicationStatements", "medicationDispenses", "medicationAdministrations"):
        sent[key] = searchset([])
    assert cards(app, call("patient-view", sent)) == []
    if state == "absent":
        del sent["medicationRequests"]
    else:
        sent["medicationRequests"] = {} if state == "failed" else searchset([], link=[{"relation": "next"}])
    (card,) = cards(app, call("patient-view", sent))
    assert card["indicator"] == "info"
    assert "can't tell whether it is taken" in card["summary"]
    assert cards(app, call("order-sign", sent)) == [], "an order of something else is no place to say so"


def test_a_medication_that_nobody_can_read_may_be_it(app: App) -> None:
    sent = prefetch(example("ready"))
    order = draft(
        medicationCodeableConcept=None,
        medicationReference={"reference": "Medication/gone"},
        id="x",
        subject={"reference": f"Patient/{sent['patient']['id']}"},
        status="active",
    )
    sent["medicationRequests"] = searchset([order])
    (card,) = cards(app, call("patient-view", sent))
    assert "can't be read" in card["summary"]


LOCAL = {"coding": [{"system": "urn:of-this-hospital", "code": "77"}]}
UNREAD = "an order that is being written can't be read, and was not checked"


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
@pytest.mark.parametrize(
    "order",
    [
        draft(medicationCodeableConcept=LOCAL),
        draft(medicationCodeableConcept=None, medicationReference={"reference": "Medication/gone"}),
        draft(medicationCodeableConcept=None),
        draft(medicationCodeableConcept={}),
        {**draft(), "resourceType": "MedicationOrder"},
        {**draft(), "resourceType": None},
        {**draft(), "resourceType": ["MedicationRequest"]},
        {"resourceType": "Bundle", "entry": [{"resource": draft(medicationCodeableConcept=LOCAL)}]},
        {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:1"}]},
        {"resourceType": "Bundle", "entry": {"resource": draft()}},
        "Medication/1",
        None,
    ],
    ids=range(12),
)
def test_an_order_that_cant_be_read_is_never_passed_over_in_silence(app: App, hook: str, order: Any) -> None:
    (card,) = cards(app, call(hook, prefetch(example("ready")), order))
    assert card["indicator"] == "info"
    assert UNREAD in card["summary"]
    assert cards_check.wrong({"cards": [card]}) == []
    found = cards(app, call(hook, prefetch(example("low-neutrophils")), draft(), order))
    assert found[0]["indicator"] == "critical", "the others are checked"
    assert UNREAD in found[-1]["detail"]


MEDICATION = {"resourceType": "Medication", "id": "m", "code": DRUG}
INSIDE = {**draft(medicationCodeableConcept=None, medicationReference={"reference": "#m"}), "id": "x"}


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
@pytest.mark.parametrize(
    "order",
    [
        {"resourceType": "MedicationDispense", "status": "preparation", "medicationCodeableConcept": DRUG},
        {"resourceType": "MedicationStatement", "status": "intended", "medicationCodeableConcept": DRUG},
        {"resourceType": "SupplyRequest", "status": "draft", "itemCodeableConcept": DRUG, "quantity": {"value": 1}},
        {"resourceType": "SupplyRequest", "contained": [MEDICATION], "itemReference": {"reference": "#m"}},
        {"resourceType": "CarePlan", "activity": [{"detail": {"productCodeableConcept": DRUG}}]},
        {"resourceType": "RequestGroup", "status": "draft", "contained": [INSIDE, MEDICATION]},
        {"resourceType": "Parameters", "parameter": [{"name": "p", "part": [{"name": "o", "resource": draft()}]}]},
        draft(medicationReference={"reference": "Medication/gone"}),
    ],
    ids=lambda order: order["resourceType"],
)
def test_the_drug_is_seen_in_whatever_resource_it_is_ordered(app: App, hook: str, order: Json) -> None:
    found = cards(app, call(hook, prefetch(example("low-neutrophils")), order))
    assert found[0]["indicator"] == "critical"
    assert "now being written" not in found[0]["summary"]


@pytest.mark.parametrize("words", [{"text": "Olumiant 4 mg"}, {"display": "baricitinib 4 MG Oral Tablet"}])
def test_words_that_name_the_drug_are_heard_beside_a_code_of_another(app: App, words: Json) -> None:
    coding = {"system": RXNORM, "code": "723", **words}
    order = draft(medicationCodeableConcept={"coding": [coding], "text": words.get("text", "")})
    assert cards(app, call("order-sign", prefetch(example("low-neutrophils")), order))[0]["indicator"] == "critical"
    found = cards(app, call("order-sign", prefetch(example("low-neutrophils")), draft()))
    named = {**DRUG, "text": "Baricitinib 4 mg"}
    again = cards(app, call("order-sign", prefetch(example("low-neutrophils")), draft(medicationCodeableConcept=named)))
    assert [each["detail"] for each in again] == [each["detail"] for each in found], (
        "words that say the same add nothing"
    )


def test_an_order_finds_its_medication_by_the_address_of_its_entry(app: App) -> None:
    url = "urn:uuid:6f0c2f5e-0000-4000-8000-000000000001"
    body = call("order-sign", prefetch(example("low-neutrophils")))
    order = draft(medicationReference={"reference": url})
    del order["medicationCodeableConcept"]
    entries = [{"resource": order}, {"fullUrl": url, "resource": {"resourceType": "Medication", "code": DRUG}}]
    body["context"]["draftOrders"]["entry"] = entries
    assert by_tier(cards(app, body))["critical"]


@pytest.mark.parametrize("kind", ["Immunization", "ImmunizationRecommendation"])
def test_a_live_vaccine_is_seen_in_whatever_resource_it_is_planned(app: App, kind: str) -> None:
    vaccine = {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "03"}]}
    order: Json = {"resourceType": kind, "status": "completed", "vaccineCode": vaccine}
    if kind == "ImmunizationRecommendation":
        order = {"resourceType": kind, "recommendation": [{"vaccineCode": [vaccine]}]}
    found = by_tier(cards(app, call("order-sign", prefetch(example("zoster-on-treatment")), order)))
    assert "Live vaccine planned" in found["warning"]["detail"]


NAMELESS = "names no patient"


@pytest.mark.parametrize("key", ["laboratory", "conditions", "medicationRequests"])
@pytest.mark.parametrize("subject", [None, {"display": "Somebody"}])
def test_what_names_nobody_is_said_and_reassures_nobody(app: App, key: str, subject: Json | None) -> None:
    sent = prefetch(example("ready"))
    for entry in sent[key]["entry"]:
        entry["resource"]["subject"] = subject
    (card,) = cards(app, call("order-sign", sent, draft()))
    assert NAMELESS in card["detail"]
    sent = prefetch(example("low-neutrophils"))
    for entry in sent["laboratory"]["entry"]:
        entry["resource"]["subject"] = subject
    found = cards(app, call("order-sign", sent, draft()))
    assert found[0]["indicator"] == "critical", "it may raise"
    assert NAMELESS in found[-1]["detail"]


def test_a_report_that_was_entered_in_error_takes_its_results_along(app: App) -> None:
    sent = prefetch(example("ready"))
    found = cards(app, call("order-sign", sent, draft()))
    results = [{"reference": f"Observation/{each['resource']['id']}"} for each in sent["laboratory"]["entry"]]
    subject = {"reference": f"Patient/{sent['patient']['id']}"}
    report = {"resourceType": "DiagnosticReport", "id": "r", "status": "entered-in-error", "code": {"text": "Panel"}}
    sent["diagnosticReports"] = searchset([{**report, "subject": subject, "result": results}])
    assert found == []
    assert cards(app, call("order-sign", sent, draft()))


@pytest.mark.parametrize("orders", [..., {"resourceType": "Bundle", "entry": {}}, {"entry": 7}, {}])
def test_without_orders_to_look_at_an_order_that_is_signed_was_not_checked(app: App, orders: Any) -> None:
    body = call("order-sign", prefetch(example("ready")))
    body["context"] |= {"draftOrders": orders}
    if orders is ...:
        del body["context"]["draftOrders"]
    (card,) = cards(app, body)
    assert UNREAD in card["summary"]
    assert cards(app, call("order-sign", prefetch(example("ready")))) == [], "an empty list holds nothing"


def test_an_order_in_a_bundle_of_its_own_or_alone_is_read_as_any_other(app: App) -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft()}]}
    sent = prefetch(example("low-neutrophils"))
    for order in (bundle, {"resourceType": "Bundle", "entry": [{"resource": bundle}]}):
        assert by_tier(cards(app, call("order-sign", sent, order)))["critical"]
    body = call("order-sign", sent)
    body["context"]["draftOrders"] = draft()
    assert by_tier(cards(app, body))["critical"]


@pytest.mark.parametrize(
    "order",
    [
        draft(medicationCodeableConcept={"coding": [{"system": RXNORM, "code": "723"}]}),
        {"resourceType": "NutritionOrder", "status": "draft"},
        {"resourceType": "Medication", "id": "m", "code": LOCAL},
        draft(medicationCodeableConcept=LOCAL, status="cancelled"),
    ],
)
def test_an_order_of_something_else_is_no_reason_for_a_card(app: App, order: Json) -> None:
    assert cards(app, call("order-sign", prefetch(example("ready")), order)) == []


def test_a_service_that_cant_be_read_matters_where_the_drug_may_be_taken(app: App) -> None:
    order = {"resourceType": "ServiceRequest", "status": "draft", "intent": "order", "code": LOCAL}
    assert cards(app, call("order-sign", prefetch(example("ready")), order)) == []
    found = cards(app, call("order-sign", prefetch(example("zoster-on-treatment")), order))
    assert UNREAD in found[-1]["detail"]
    sent = {key: value for key, value in prefetch(example("ready")).items() if key != "medicationRequests"}
    (card,) = cards(app, call("order-sign", sent, order))
    assert UNREAD in card["summary"]


def test_a_chart_that_is_opened_speaks_of_no_order_that_is_written(app: App) -> None:
    body = call("patient-view", prefetch(example("ready")))
    body["context"]["draftOrders"] = {"entry": [{"resource": draft(medicationCodeableConcept=LOCAL)}, {}]}
    assert cards(app, body) == []


@pytest.mark.parametrize(("bound", "status"), [("ready", 200), ("Patient/ready", 200), ("", 200), ("other", 400)])
def test_a_token_for_another_patient_is_refused(app: App, bound: str, status: int) -> None:
    rights = {"access_token": "x", "token_type": "Bearer", "expires_in": 300, "patient": bound}
    body = call("order-sign", prefetch(example("ready")), draft(), fhirAuthorization=rights)
    body["fhirServer"] = "https://fhir.example.org/r4"
    assert body["context"]["patientId"] == "ready"
    assert post(app, body).status_code == status


@pytest.mark.parametrize("link", ["replaces", "replaced-by", "refer", "seealso"])
def test_a_patient_who_was_merged_with_another_gets_cards(app: App, link: str) -> None:
    for name, tier in (("low-neutrophils", "critical"), ("ready", "info")):
        sent = prefetch(example(name))
        sent["patient"]["link"] = [{"type": link, "other": {"reference": "Patient/other"}}]
        assert cards(app, call("order-sign", sent, draft()))[0]["indicator"] == tier


@pytest.mark.parametrize(
    "said",
    [
        {"meta": {"security": [{"code": "REDACTED"}]}},
        {"meta": {"tag": [{"code": "SUBSETTED"}]}},
        {"implicitRules": "urn:x"},
    ],
)
def test_a_search_result_of_which_something_was_taken_out_is_not_whole(app: App, said: Json) -> None:
    sent = prefetch(example("ready"))
    sent["conditions"] |= said
    (card,) = cards(app, call("order-sign", sent, draft()))
    assert "only a part was retrieved: diagnoses" in unescape(card["detail"])


def test_an_old_plan_is_forgotten(app: App) -> None:
    sent = prefetch(example("restricted"))
    plan = draft(id="x", subject={"reference": f"Patient/{sent['patient']['id']}"}, intent="plan", status="active")
    sent["medicationRequests"]["entry"].append({"resource": {**plan, "authoredOn": "2025-02-01"}})
    sent["medicationRequests"].pop("total")
    assert cards(app, call("patient-view", sent))
    sent["medicationRequests"]["entry"][-1]["resource"]["authoredOn"] = "2019-02-01"
    assert cards(app, call("patient-view", sent)) == []


def test_of_the_dead_nothing_is_asked(app: App) -> None:
    sent = prefetch(example("zoster-on-treatment"))
    sent["patient"]["deceasedDateTime"] = "2025-02-27"
    assert cards(app, call("patient-view", sent)) == []
    (card,) = cards(app, call("order-sign", sent, draft()))
    assert "has died" in card["summary"]


def test_selections_narrow_nothing(app: App) -> None:
    body = call("order-select", prefetch(example("restricted")), draft(id="a"), {"resourceType": "NutritionOrder"})
    body["context"]["selections"] = ["NutritionOrder/b"]
    assert cards(app, body)


OTHER = {"coding": [{"system": RXNORM, "code": "723"}]}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["MedicationRequest/a"], False),
        (["MedicationRequest/a/_history/1", "NutritionOrder/z", 7, None], False),
        (["MedicationRequest/gone"], True),
        (["MedicationRequest/a", "ServiceRequest/gone"], True),
        ("MedicationRequest/gone", False),
        (None, False),
    ],
)
def test_a_selected_order_that_is_not_among_the_drafts_was_not_checked(app: App, names: Any, said: bool) -> None:
    body = call("order-select", prefetch(example("ready")), draft(id="a", medicationCodeableConcept=OTHER))
    body["context"]["selections"] = names
    assert [UNREAD in card["summary"] for card in cards(app, body)] == [True] * said
    body["context"]["draftOrders"]["entry"][0]["resource"].pop("id")
    body["context"]["selections"] = ["MedicationRequest/gone"]
    assert cards(app, body) == [], "a draft without an id may be the one"
    body["context"]["draftOrders"] = {"resourceType": "Bundle"}
    assert UNREAD in cards(app, body)[0]["summary"]


def test_for_a_call_nothing_is_worked_out_twice(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """At which stage the patient is, and every fact: cards, page and what is kept ask one assessment."""
    counts: Counter[str] = Counter()

    def counting(name: str, work: Any) -> Any:
        def counted(*args: Any, **kwargs: Any) -> Any:
            counts[name] += 1
            return work(*args, **kwargs)

        return counted

    counted = counting("therapy", therapy)
    for module in [clinician_answers, decision]:
        assert module.therapy is therapy
        monkeypatch.setattr(module, "therapy", counted)
    monkeypatch.setattr(Facts, "__init__", counting("facts", Facts.__init__))
    monkeypatch.setattr(memo, "_blank", lambda *_: None)
    assert cards(app, call("order-sign", prefetch(example("restricted")), draft()))
    assert counts == {"therapy": 1, "facts": 1}


# Errors


def outcome(response: httpx.Response, status: int) -> str:
    assert response.status_code == status
    body = response.json()
    assert body["resourceType"] == "OperationOutcome"
    (issue,) = body["issue"]
    assert issue["severity"] in ("error", "fatal")
    return str(issue["diagnostics"])


def good(**more: Any) -> Json:
    return {**call("order-sign", prefetch(example("ready")), draft()), **more}


def context(**more: Any) -> Json:
    body = good()
    return {**body, "context": {**body["context"], **more}}


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (good(hook="patient-view"), "hook"),
        (good(hook=None), "hook"),
        (good(hook=7), "hook"),
        (good(hook="medication-prescribe"), "hook"),
        (good(hookInstance=None), "hookInstance"),
        (good(hookInstance=""), "hookInstance"),
        (good(hookInstance=["x"]), "hookInstance"),
        (good(hookInstance="x" * 300), "hookInstance"),
        (good(context=None), "context"),
        (good(context=[]), "context"),
        (good(prefetch=[]), "prefetch"),
        (good(prefetch="x"), "prefetch"),
        (context(patientId=None), "patientId"),
        (context(patientId=""), "patientId"),
        (context(patientId=7), "patientId"),
        (context(patientId="../x"), "patientId"),
        (context(patientId="a b"), "patientId"),
        (context(draftOrders=[]), "draftOrders"),
        (context(draftOrders="x"), "draftOrders"),
        (context(patientId="somebody-else"), "more than one patient"),
    ],
    ids=range(20),
)
def test_a_body_that_makes_no_sense_is_400(app: App, body: Json, names: str) -> None:
    assert names in outcome(post(app, body, service="baricitinib-order-sign"), 400)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b'"x"',
        b"null",
        b'{"hook": NaN}',
        b'{"hook":"a","hook":"b"}',
        b"\xff",
        b'{"a":1}x',
        b"[" * 500 + b"]" * 500,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b'{"a": 1e999}',
    ],
    ids=range(13),
)
def test_a_body_that_is_no_strict_json_is_400(app: App, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    outcome(app.post("/cds-services/baricitinib-order-sign", content=body, headers=headers), 400)


def test_a_number_that_is_not_finite_is_400(app: App) -> None:
    result = {
        "resourceType": "Observation",
        "id": "x",
        "status": "final",
        "valueQuantity": {"value": 12345},
        "code": {"coding": [{"system": "http://loinc.org", "code": "751-8"}]},
    }
    body = good()
    body["prefetch"]["laboratory"] = searchset([result])
    content = json.dumps(body).replace("12345", "1e999").encode()
    headers = {"Content-Type": "application/json"}
    outcome(app.post("/cds-services/baricitinib-order-sign", content=content, headers=headers), 400)


def test_without_the_patient_it_is_412(app: App) -> None:
    for value in (None, {}, {"resourceType": "OperationOutcome", "issue": []}):
        assert "patient" in outcome(post(app, call("patient-view", {"patient": value}, patient="p")), 412)
    outcome(post(app, call("patient-view", {}, patient="p")), 412)
    body = call("patient-view", {}, patient="p")
    del body["prefetch"]
    outcome(post(app, body), 412)


@pytest.mark.parametrize("path", ["/cds-services/none", "/cds-services/baricitinib", "/nothing", "/"])
def test_what_is_not_there_is_404(app: App, path: str) -> None:
    outcome(app.post(path, json=good()), 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_405(app: App, method: str) -> None:
    response = app.send(method, "/cds-services/baricitinib-order-sign")
    outcome(response, 405)
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "", "json"])
def test_another_type_is_415(app: App, kind: str) -> None:
    response = app.post("/cds-services/baricitinib-order-sign", content=b"{}", headers={"Content-Type": kind})
    outcome(response, 415)


def test_json_of_any_name_is_taken(app: App) -> None:
    for kind in ("application/json; charset=utf-8", "application/fhir+json", "APPLICATION/JSON"):
        content = json.dumps(good()).encode()
        response = app.post("/cds-services/baricitinib-order-sign", content=content, headers={"Content-Type": kind})
        assert response.status_code == 200


def test_a_compressed_body_is_415(app: App) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    outcome(app.post("/cds-services/baricitinib-order-sign", content=b"{}", headers=headers), 415)


def test_too_much_is_413(tmp_path: Path) -> None:
    app = App(settings(tmp_path, limits=Limits(max_body=2000, max_entries=3)))
    outcome(post(app, good()), 413)

    def endless() -> Any:
        async def parts() -> Any:
            for _ in range(100):
                yield b'{"x": "' + b"y" * 100

        return parts()

    headers = {"Content-Type": "application/json"}
    outcome(app.post("/cds-services/baricitinib-order-sign", content=endless(), headers=headers), 413)
    many = call("order-sign", {"patient": {"resourceType": "Patient", "id": "p"}, "x": {"entry": [{}] * 4}})
    outcome(post(app, many), 413)
    inner = {"resource": {"resourceType": "Bundle", "entry": [1] * 3}}
    nested = {"resource": {"resourceType": "Bundle", "entry": [inner]}}
    outcome(post(app, call("order-sign", {"patient": {"resourceType": "Patient", "id": "p"}, "x": nested})), 413)
    app.close()


def test_an_error_holds_nothing_of_the_call(app: App) -> None:
    secret = "canary-7f3a"  # noqa: S105
    for body in (good(hook=secret), context(patientId=f"{secret} x"), good(**{secret: 1}, context=secret)):
        assert secret not in post(app, body, service="baricitinib-order-sign").text


# Odd shapes


def odd() -> list[Json]:
    sent = prefetch(example("restricted"))
    who = sent["patient"]["id"]
    named = {**sent["patient"], "name": [{"family": "Ünïcødé 🦠 \u202e"}]}
    nameless = {key: value for key, value in sent["patient"].items() if key != "id"}
    wrapped = {key: {"response": {"status": "200"}, "resource": value} for key, value in sent.items()}
    no_user = call("order-sign", sent, draft())
    del no_user["context"]["userId"]
    extra = call("order-sign", sent, draft())
    extra["context"] |= {"services": None, "encounterId": None, "medications": {}}
    typeless = call("order-sign", sent)
    typeless["context"]["draftOrders"] = {"entry": [{"resource": draft()}, {}, None, {"resource": None}]}
    bundled = call("order-sign", {**sent, "patient": searchset([sent["patient"]])}, draft(), patient=who)
    return [
        call("order-sign", wrapped, draft(), patient=who),
        no_user,
        extra,
        typeless,
        bundled,
        call("order-sign", {**sent, "mine": {"resourceType": "Coverage"}, "other": 7}, draft()),
        call(
            "order-sign",
            sent,
            draft(
                category={"x": 1},
                dosageInstruction=[{"doseAndRate": [{"doseQuantity": {"code": "{pill}"}}]}],
                identifier="x",
                note=7,
            ),
            draft(medicationCodeableConcept=None),
        ),
        {**call("order-sign", sent, draft()), "fhirAuthorization": "x", "fhirServer": 7, "extension": {}, "user": "x"},
        call("order-sign", sent, draft(), patient=f"Patient/{who}"),
        {**call("order-sign", sent, draft()), "hookInstance": "test"},
        call("order-sign", {**sent, "patient": named}, draft()),
        call("order-sign", {**sent, "patient": nameless}, draft(), patient=who),
    ]


@pytest.mark.parametrize("number", range(12))
def test_odd_shapes_lose_no_warning(app: App, number: int) -> None:
    response = post(app, odd()[number])
    assert response.status_code == 200, response.text
    assert "only if no alternative" in by_tier(response.json()["cards"])["warning"]["summary"]
    assert cards_check.wrong(response.json()) == []


def test_every_request_of_the_shared_data(app: App, shared: Path) -> None:
    statuses = []
    for path in sorted((shared / "data" / "cds-hooks").rglob("*")):
        if path.suffix not in (".json", ".txt"):
            continue
        text = path.read_text(encoding="utf-8")
        try:
            hook = json.loads(text).get("hook")
        except (ValueError, AttributeError):
            hook = "bad"
        for service in HOOKS:
            response = app.post(
                f"/cds-services/{ID.format(service)}",
                content=text.encode(),
                headers={"Content-Type": "application/json"},
            )
            statuses.append(response.status_code)
            assert response.status_code in (200, 400, 412), (path, service)
            if response.status_code == 200:
                assert service == hook
                assert cards_check.wrong(response.json()) == []
            else:
                assert response.json()["resourceType"] == "OperationOutcome"
    assert statuses.count(200) >= 5
    assert statuses.count(412) >= 8


def test_every_request_of_the_shared_data_with_the_drug_on_it(app: App, shared: Path) -> None:
    """The same requests, with an order of the drug put in and the patient where there was none: always a card."""
    for path in sorted((shared / "data" / "cds-hooks").rglob("*.json")):
        body = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(body, dict) or body.get("hook") not in ("order-select", "order-sign"):
            continue
        patient = str(body["context"]["patientId"]).removeprefix("Patient/")
        body["context"]["draftOrders"] = {"entry": [{"resource": draft()}]}
        body["prefetch"] = {"patient": {"resourceType": "Patient", "id": patient}}
        response = post(app, body)
        assert response.status_code == 200, path
        assert response.json()["cards"], path
        assert cards_check.wrong(response.json()) == []


# Too many, too late


def test_the_time_that_is_up_gives_a_card_or_503(tmp_path: Path) -> None:
    limits = Limits(deadline_seconds=0.000001)
    app = App(settings(tmp_path, limits=limits))
    (card,) = cards(app, call("order-sign", prefetch(example("restricted")), draft()))
    assert "assessment incomplete" in card["summary"]
    assert card["indicator"] == "info"
    app.close()
    app = App(settings(tmp_path, limits=limits, on_deadline="503"))
    response = post(app, call("order-sign", prefetch(example("restricted")), draft()))
    outcome(response, 503)
    assert response.headers["retry-after"] == "1"
    app.close()


def test_more_calls_than_there_is_room_for_are_turned_away(tmp_path: Path) -> None:
    with Stub(lambda *_: Reply({"resourceType": "Bundle", "type": "searchset"}, after=1.0)) as server:
        chosen = settings(
            tmp_path,
            limits=Limits(max_concurrent=1, queue=1, deadline_seconds=20),
            fhir_servers=(FhirServer(url=server.base, private=True),),
        )
        app = App(chosen)
        body = call("order-sign", {"patient": {"resourceType": "Patient", "id": "p"}}, draft(), fhirServer=server.base)

        async def at_once() -> list[httpx.Response]:
            transport = httpx.ASGITransport(app.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as many:
                url = "/cds-services/baricitinib-order-sign"
                return list(await asyncio.gather(*(many.post(url, json=body, timeout=60) for _ in range(6))))

        responses = app.run(at_once())
        app.close()
    statuses = [each.status_code for each in responses]
    assert statuses.count(200) == 2
    assert statuses.count(503) == 4
    assert all(each.headers["retry-after"] for each in responses if each.status_code == 503)


def test_a_mistake_of_ours_is_500_without_a_word_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = App(settings(tmp_path))

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("canary-of-a-patient")

    monkeypatch.setattr("precaution.service.hooks.read_call", broken)
    response = post(app, good())
    outcome(response, 500)
    assert "canary" not in response.text
    app.close()


def test_a_store_that_fails_takes_no_warning_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from precaution.errors import StoreDown

    app = App(settings(tmp_path))

    def down(*_: Any, **__: Any) -> None:
        raise StoreDown("the store is down")

    monkeypatch.setattr(app.service.store, "kept", down)
    monkeypatch.setattr(app.service.store, "kept_at_once", down)
    monkeypatch.setattr(app.service.store, "keeping", down)
    found = by_tier(cards(app, call("order-sign", prefetch(example("restricted")), draft())))
    assert "only if no alternative" in found["warning"]["summary"]
    assert "could not be read" in found["info"]["detail"]
    assert cards(app, call("order-sign", prefetch(example("ready")), draft())), "unknown is never clear"
    app.close()


def test_answers_that_are_kept_soften_the_next_decision(app: App) -> None:
    sent = prefetch(example("restricted"))
    sent["patient"]["id"] = "another"
    text = json.dumps(sent).replace("Patient/restricted", "Patient/another")
    body = call("order-sign", json.loads(text), draft())
    found = by_tier(cards(app, body))
    label = "Answer yes: Is there no suitable alternative treatment for this patient?"
    (suggestion,) = [each for each in found["warning"]["suggestions"] if each["label"] == label]
    feedback = {
        "card": found["warning"]["uuid"],
        "outcome": "accepted",
        "outcomeTimestamp": "2025-03-01T09:00:00Z",
        "acceptedSuggestions": [{"id": suggestion["uuid"]}],
    }
    response = app.post("/cds-services/baricitinib-order-sign/feedback", json={"feedback": [feedback]})
    assert response.status_code == 200
    again = by_tier(cards(app, body))
    assert "only if no alternative (attested)" in unescape(again["info"]["detail"])
    assert "Aged 65" not in again.get("warning", {}).get("detail", "")


def test_an_override_silences_the_card_for_its_user_alone(app: App) -> None:
    text = json.dumps(prefetch(example("restricted"))).replace("restricted", "third")
    body = call("order-sign", json.loads(text), draft())
    first = by_tier(cards(app, body))["info"]
    assert "Elderly" in first["detail"]
    feedback = {
        "card": first["uuid"],
        "outcome": "overridden",
        "outcomeTimestamp": "2025-03-01T09:00:00Z",
        "overrideReason": {"reason": {"code": "patient-ineligible", "system": "x"}},
    }
    assert app.post("/cds-services/baricitinib-order-sign/feedback", json={"feedback": [feedback]}).status_code == 200
    assert "info" not in by_tier(cards(app, body))
    body["context"]["userId"] = "Practitioner/other"
    assert "info" in by_tier(cards(app, body))


def test_the_drug_of_the_tests_is_the_labels(app: App) -> None:
    assert DRUG["coding"]
    assert INSTANCE
