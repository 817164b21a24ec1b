"""What a client sent, query by query: the five states kept apart, lists, drafts, and odd shapes."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution import errors, load_label
from precaution.engine.decision import decide
from precaution.readers.prefetch import NOT_RETRIEVED, Prefetched, Retrieved, joined, read_prefetch, retrieved
from precaution.service.fhir.queries import ALL, PATIENT, lists
from support.hook_calls import Json, draft, example, prefetch, searchset

LABEL = load_label("baricitinib")
LISTS = lists(ALL)
DAY = 739311  # 2025-03-01
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
RA = {
    "resourceType": "Condition",
    "id": "ra",
    "subject": {"reference": "Patient/p"},
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "69896004"}]},
}


def read(sent: Json, *drafts: Json, patient: str = "") -> Prefetched:
    answers = {key: retrieved(value, search=key != PATIENT) for key, value in sent.items()}
    name = patient or str(sent[PATIENT]["id"])
    return read_prefetch(answers, LISTS, name, drafts, LABEL.terminology, LABEL.asks)


def action(sent: Json, *drafts: Json) -> str:
    return decide(read(sent, *drafts).record, LABEL, DAY).decision.action


# The states of one query


NEXT = [{"relation": "next", "url": "https://ehr.example.org/fhir?page=2"}]


@pytest.mark.parametrize(
    ("value", "state"),
    [
        (None, "none"),
        (searchset([RA]), "whole"),
        (searchset([]), "whole"),
        ({"resourceType": "Bundle", "type": "searchset"}, "whole"),
        (searchset([RA], link=NEXT), "incomplete"),
        (searchset([RA], link=[{"relation": "next"}]), "incomplete"),
        (searchset([RA], total=2), "incomplete"),
        (searchset([RA], type="collection"), "incomplete"),
        ({"resourceType": "Bundle", "entry": [{"resource": RA}]}, "incomplete"),
        (searchset([RA], entry=[{"resource": RA}, {}]), "incomplete"),
        (searchset([RA], entry={"resource": RA}), "incomplete"),
        (searchset([RA], entry=[{"resource": RA}, "x"]), "incomplete"),
        (searchset([RA, OUTCOME]), "incomplete"),
        (searchset([{"resourceType": "Bundle", "type": "searchset", "entry": []}]), "incomplete"),
        (OUTCOME, "failed"),
        ({}, "failed"),
        ("x", "failed"),
        (7, "failed"),
        (True, "failed"),
        ([RA], "incomplete"),
        (RA, "incomplete"),
        ({"response": {"status": "200 OK"}, "resource": searchset([RA])}, "whole"),
        ({"response": {"status": "200"}, "resource": RA}, "incomplete"),
        ({"resource": searchset([RA])}, "whole"),
        ({"response": {"status": "404"}, "resource": searchset([RA])}, "failed"),
        ({"response": {"status": "500"}}, "failed"),
        ({"resource": {"resource": {"resource": {"resource": {"resource": RA}}}}}, "failed"),
    ],
    ids=str,
)
def test_a_state_is_told_from_what_was_sent(value: Any, state: str) -> None:
    assert retrieved(value).state == state


def test_a_resource_where_one_was_asked_for_is_whole() -> None:
    assert retrieved({"resourceType": "Patient", "id": "p"}, search=False).state == "whole"
    assert retrieved(searchset([{"resourceType": "Patient", "id": "p"}]), search=False).state == "whole"


@pytest.mark.parametrize(
    ("severity", "code", "state"),
    [
        ("warning", "not-supported", "incomplete"),
        ("information", "processing", "incomplete"),
        ("information", "informational", "whole"),
        ("warning", "suppressed", "incomplete"),
        ("warning", "timeout", "incomplete"),
        ("error", "processing", "incomplete"),
    ],
)
def test_a_message_in_a_search_result_counts_where_it_says_that_something_is_missing(
    severity: str, code: str, state: str
) -> None:
    message = {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}
    found = searchset([RA])
    found["entry"].append({"resource": message, "search": {"mode": "outcome"}})
    assert retrieved(found).state == state


def test_what_is_included_is_no_match() -> None:
    found = searchset([RA], total=1)
    found["entry"].append({"resource": {"resourceType": "Medication", "id": "m"}, "search": {"mode": "include"}})
    assert retrieved(found).state == "whole"


def test_a_next_page_is_remembered_and_joined() -> None:
    first = retrieved(searchset([RA], link=NEXT))
    assert first.following == NEXT[0]["url"]
    second = retrieved(searchset([{**RA, "id": "b"}]))
    assert joined(first, second).state == "whole"
    assert len(joined(first, second).entries) == 2
    assert joined(first, Retrieved("failed")).state == "incomplete"
    assert joined(first, retrieved(searchset([], link=NEXT))).state == "incomplete"


# From states to lists


def sent_for(name: str = "ready") -> Json:
    return prefetch(example(name))


def test_whole_queries_make_whole_lists() -> None:
    record = read(sent_for()).record
    assert {"condition", "medication", "procedure", "immunization", "result"} <= record.lists
    assert not record.partial


def test_a_whole_prefetch_decides_as_the_record_does() -> None:
    for name in ("ready", "low-neutrophils", "zoster-on-treatment", "suspected-thromboembolism", "may-resume"):
        from precaution import assess

        assert action(sent_for(name)) == assess(example(name), today="2025-03-01").action


@pytest.mark.parametrize("query", [each for each in ALL if each.kind not in ("", "answer")], ids=lambda q: q.key)
@pytest.mark.parametrize("state", ["not retrieved", "none", "failed", "incomplete"])
def test_a_list_is_whole_only_where_every_query_of_it_is(query: Any, state: str) -> None:
    sent = sent_for()
    if state == "not retrieved":
        del sent[query.key]
    else:
        sent[query.key] = {"none": None, "failed": OUTCOME, "incomplete": {**sent[query.key], "link": NEXT}}[state]
    record = read(sent).record
    assert query.kind not in record.lists
    assert record.partial == (state != "none"), "the client's own word is no sign that something is missing"


@pytest.mark.parametrize("key", [query.key for query in ALL if query.kind])
@pytest.mark.parametrize("value", [OUTCOME, {}, "x", [], {"resourceType": "Bundle"}], ids=str)
def test_nothing_but_a_whole_result_leads_to_clear(key: str, value: Any) -> None:
    sent = sent_for()
    assert action(sent) == "clear"
    assert action({**sent, key: value}) != "clear"
    assert action({name: each for name, each in sent.items() if name != key}) != "clear"


@pytest.mark.parametrize("key", ["conditions", "laboratory", "medicationRequests", "immunizations", "procedures"])
def test_none_on_file_is_not_clear_either(key: str) -> None:
    assert action({**sent_for(), key: None}) != "clear"


@given(st.data())
def test_taking_anything_away_never_leads_to_clear(data: st.DataObject) -> None:
    sent = sent_for(data.draw(st.sampled_from(["low-neutrophils", "zoster-on-treatment", "restricted"])))
    for key in data.draw(st.sets(st.sampled_from([query.key for query in ALL if query.kind]))):
        value = data.draw(st.sampled_from(["absent", None, OUTCOME, {}, "more"]))
        if value == "absent":
            del sent[key]
        else:
            sent[key] = {**sent[key], "link": NEXT} if value == "more" else value
    assert action(sent) != "clear"


def test_a_broken_resource_breaks_its_list_and_no_other() -> None:
    sent = sent_for()
    broken = {"resourceType": "Condition", "id": "x", "clinicalStatus": "active"}  # STU3: a plain code
    sent["conditions"]["entry"].append({"resource": broken})
    sent["conditions"].pop("total")
    record = read(sent).record
    assert "condition" not in record.lists
    assert "immunization" in record.lists
    assert record.partial
    assert "another release" in next(each.why for each in record.ignored if each.source == "Condition/x")


@pytest.mark.parametrize(
    "resource",
    [
        None,
        "x",
        3,
        [],
        {},
        {"resourceType": 3},
        {"resourceType": []},
        {"resourceType": {}},
        {"resourceType": "MedicationOrder"},
    ],
    ids=str,
)
def test_what_is_no_r4_resource_is_noted(resource: Any) -> None:
    sent = sent_for()
    sent["procedures"]["entry"].append({"resource": resource})
    record = read(sent).record
    assert "procedure" not in record.lists
    assert record.partial


# Whose it is


def test_without_a_patient_there_is_nothing() -> None:
    sent = sent_for()
    for value in (None, {}, OUTCOME, "x"):
        with pytest.raises(errors.NoPatient):
            read({**sent, PATIENT: value}, patient="p")


def test_another_patients_record_is_refused() -> None:
    with pytest.raises(errors.MixedPatients):
        read(sent_for(), patient="somebody-else")
    sent = sent_for()
    sent["conditions"]["entry"].append({"resource": {**RA, "subject": {"reference": "Patient/other"}}})
    with pytest.raises(errors.MixedPatients):
        read(sent)


# Orders that are being written


def planned(*drafts: Json) -> set[str]:
    return {entry.concept for entry in read(sent_for(), *drafts).drafted}


INGREDIENT = {
    "resourceType": "Medication",
    "id": "m",
    "ingredient": [
        {
            "itemCodeableConcept": {
                "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "2047232"}]
            }
        }
    ],
}


@pytest.mark.parametrize(
    "order",
    [
        draft(),
        draft(medicationCodeableConcept={"coding": [{"system": "http://www.whocc.no/atc", "code": "L04AF02"}]}),
        draft(medicationCodeableConcept=INGREDIENT["ingredient"][0]["itemCodeableConcept"]),
        draft(medicationCodeableConcept=None, contained=[INGREDIENT], medicationReference={"reference": "#m"}),
        draft(subject={"reference": "Patient/somebody-else"}),
        draft(status="active"),
        draft(authoredOn="2019-01-01"),
        draft(intent=None, status=None),
        draft(category={"coding": {}}, dosageInstruction="1 tablet"),
        draft(context={"reference": "Encounter/1"}),
        draft(requester={"agent": {"reference": "Practitioner/1"}}),
        draft(medicationCodeableConcept={"text": "Baricitinib 2 mg"}),
    ],
    ids=range(12),
)
def test_an_order_of_the_drug_is_seen_in_every_form(order: Json) -> None:
    assert "drug_baricitinib" in planned(order)


def test_a_medication_beside_the_order_is_followed() -> None:
    order = draft(medicationCodeableConcept=None, medicationReference={"reference": "Medication/m"})
    assert "drug_baricitinib" in planned(order, INGREDIENT)
    sent = sent_for()
    sent["medicationRequests"]["entry"].append({"resource": INGREDIENT, "search": {"mode": "include"}})
    assert {entry.concept for entry in read(sent, order).drafted} == {"drug_baricitinib"}


@pytest.mark.parametrize("status", ["cancelled", "stopped", "entered-in-error", "completed"])
def test_an_order_that_is_taken_back_is_none(status: str) -> None:
    assert planned(draft(status=status)) == set()


def test_an_order_not_to_give_is_none() -> None:
    assert planned(draft(doNotPerform=True)) == set()


@pytest.mark.parametrize(
    "order",
    [
        draft(medicationCodeableConcept=None),
        {"resourceType": "MedicationRequest"},
        {"resourceType": "NutritionOrder"},
        {},
        {"resourceType": 3},
        {"resourceType": "DeviceRequest", "codeCodeableConcept": {}},
        draft(medicationCodeableConcept="x"),
        draft(medicationCodeableConcept={"coding": "x"}),
    ],
    ids=str,
)
def test_an_order_of_something_else_is_not_the_drug(order: Json) -> None:
    assert "drug_baricitinib" not in planned(order)


def test_an_order_makes_no_list_and_leaves_the_record_as_it_is() -> None:
    sent = sent_for()
    del sent["medicationRequests"]
    with_order, without = read(sent, draft()), read(sent)
    assert "medication" not in with_order.record.lists
    assert with_order.record.lists == without.record.lists
    assert decide(with_order.record, LABEL, DAY).decision.missing[0].fact in ("record", "stage")


def test_a_draft_with_the_id_of_an_order_on_record_replaces_nothing() -> None:
    sent = sent_for("zoster-on-treatment")
    before = read(sent).record
    same = copy.deepcopy(sent["medicationDispenses"]["entry"][0]["resource"])
    record = read(sent, draft(id=same["id"])).record
    assert set(before.entries["drug_baricitinib"]) < set(record.entries["drug_baricitinib"])


def test_a_live_vaccine_that_is_ordered_is_planned() -> None:
    vaccine = {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "03"}]}
    as_service = {"resourceType": "ServiceRequest", "status": "draft", "intent": "order", "code": vaccine}
    for order in (as_service, draft(medicationCodeableConcept=vaccine)):
        decision = decide(read(sent_for("zoster-on-treatment"), order).record, LABEL, DAY).decision
        assert "live-vaccine-planned" in {each.rule for each in decision.findings if each.state == "holds"}


def test_what_was_not_retrieved_is_nothing() -> None:
    assert NOT_RETRIEVED.entries == ()
