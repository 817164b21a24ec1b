"""From a card to feedback, or an answer, to the next card: the whole way through the service, on both databases."""

from __future__ import annotations

import json
import threading
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from precaution.assessment import assess
from precaution.errors import StoreBusy, StoreDown
from precaution.service.settings import Issuer, Limits
from precaution.service.store import Store, TrailEvent
from support.client_tokens import ISS, key, public, token
from support.effort import tries
from support.hook_calls import ID, App, call, cards, draft, example, post, prefetch, strings
from support.hook_calls import settings as hook_settings
from support.stores import execute

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Json = dict[str, Any]
AT = "2025-03-01T09:30:00Z"
SELECT, VIEW = "order-select", "patient-view"
FEEDBACK = f"/cds-services/{ID.format(SELECT)}/feedback"
A1 = "no-suitable-alternative"
PATIENT = str(example("restricted")[0]["id"])
SERVER = "https://fhir.example.org/r4"


@pytest.fixture
def app(tmp_path: Path, store_url: str) -> Iterator[App]:
    store = Store(store_url)
    store.upgrade()
    made = App(hook_settings(tmp_path, store_url=store_url), store=store)
    yield made
    made.close()


def ordered(app: App, resources: list[Json] | None = None, *drafts: Json, **more: Any) -> list[Json]:
    """Return the cards when the drug is ordered for the patient."""
    sent = prefetch(resources if resources is not None else example("restricted"))
    return cards(app, call(SELECT, sent, *(drafts or (draft(),)), **more))


def card_with(found: list[Json], text: str) -> Json:
    (card,) = [each for each in found if text in json.dumps(each)]
    return card


def told(found: list[Json]) -> str:
    """Return everything that the cards say."""
    return "\n".join(f"{each['indicator']}: {each['summary']} {each.get('detail', '')}" for each in found)


def suggestion(card: Json, label: str) -> str:
    (found,) = [each["uuid"] for each in card["suggestions"] if label in each["label"]]
    return str(found)


def overridden(card: str, reason: str = "patient-refuses", **more: Any) -> Json:
    system = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
    why = {"reason": {"code": reason, "system": system}, "userComment": "she said no"}
    return {"card": card, "outcome": "overridden", "overrideReason": why, "outcomeTimestamp": AT, **more}


def accepted(card: str, *suggestions: str) -> Json:
    return {
        "card": card,
        "outcome": "accepted",
        "outcomeTimestamp": AT,
        "acceptedSuggestions": [{"id": each} for each in suggestions],
    }


def send(app: App, *feedback: Any, status: int = 200, path: str = FEEDBACK, **more: Any) -> Any:
    response = app.post(path, json={"feedback": list(feedback)}, **more)
    assert response.status_code == status, response.text
    return response


def events(app: App) -> list[Json]:
    return [link.event for link in app.service.store.trail() if link.event]


# The whole way


def test_a_suggestion_taken_up_softens_the_next_card(app: App) -> None:
    before = ordered(app)
    card = card_with(before, "Is there no suitable alternative")
    assert card["indicator"] == "warning"
    send(app, accepted(card["uuid"], suggestion(card, "Answer yes: Is there no suitable alternative")))
    after = ordered(app)
    assert "Is there no suitable alternative" not in json.dumps(after)
    assert "warning: " not in told(after) or "Aged 65" not in told([c for c in after if c["indicator"] == "warning"])
    kept = app.service.store.kept("", PATIENT, "2025-03-01").answers
    assert [(each.ask, each.answer, each.who, each.role, each.expires) for each in kept] == [
        (A1, "yes", "Practitioner/12", "clinician", "2026-03-01")
    ]


def test_who_answers_yes_and_no_at_once_has_not_answered(app: App) -> None:
    card = ordered(app)[0]
    yes, no = suggestion(card, "Answer yes"), suggestion(card, "Answer no")
    send(app, accepted(card["uuid"], yes, no))
    assert [each["indicator"] for each in ordered(app)] == ["warning", "info"]
    assert not [each for each in events(app) if each["kind"] == "answer"]
    assert app.service.store.kept("", PATIENT, "2025-03-01").answers == ()


def test_a_new_restriction_asks_the_question_anew(app: App) -> None:
    card = card_with(ordered(app), "Is there no suitable alternative")
    send(app, accepted(card["uuid"], suggestion(card, "Answer yes: Is there no suitable alternative")))
    stroke = {
        "resourceType": "Condition",
        "id": "new",
        "subject": {"reference": f"Patient/{PATIENT}"},
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "verificationStatus": {"coding": [{"code": "confirmed"}]},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "22298006"}]},
        "onsetDateTime": "2010-01-01",
        "recordedDate": "2025-03-01",
    }
    assert "Is there no suitable alternative" in json.dumps(ordered(app, [*example("restricted"), stroke]))
    assert "Is there no suitable alternative" not in json.dumps(ordered(app))


def test_what_is_answered_here_counts_everywhere(app: App, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from precaution.cli import run

    card = card_with(ordered(app, fhirServer=SERVER), "Is there no suitable alternative")
    send(app, accepted(card["uuid"], suggestion(card, "Answer yes: Is there no suitable alternative")))
    file = tmp_path / "patient.json"
    file.write_text(json.dumps(example("restricted")), encoding="utf-8")
    url = str(app.service.settings.store_url)
    command = ["assess", str(file), "--today", "2025-03-01", "--json"]
    capsys.readouterr()  # what the service has logged
    assert run(command) == 0
    plain = json.loads(capsys.readouterr().out)
    for more in ([], ["--server", SERVER + "/"]):
        assert run([*command, "--store", url, *more]) == 0
        kept = json.loads(capsys.readouterr().out)
        softened = [each["rule"] for each in kept["findings"] if each.get("attested")]
        assert "aged-65-or-older" in softened
        assert not [each for each in plain["findings"] if each["rule"] == "aged-65-or-older" and each["attested"]]
    assert run([*command, "--store", url, "--server", "https://another.example.org"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == plain["findings"]


def test_an_override_is_silent_for_its_user_and_the_verdict_stays(app: App) -> None:
    card = card_with(ordered(app), "Aged 65")
    send(app, overridden(card["uuid"]))
    assert "Aged 65 or older" not in told([c for c in ordered(app) if c["indicator"] == "warning"])
    other = call(SELECT, prefetch(example("restricted")), draft())
    other["context"]["userId"] = "Practitioner/99"
    assert "Aged 65 or older" in told(cards(app, other))


def test_new_evidence_brings_an_overridden_finding_back(app: App) -> None:
    low = example("low-neutrophils")
    card = card_with(ordered(app, low), "Neutrophils 0.8")
    assert card["indicator"] == "critical"
    send(app, overridden(card["uuid"]))
    assert "Neutrophils 0.8" not in told(ordered(app, low))
    again = json.loads(json.dumps(next(each for each in low if each["id"] == "anc-2025-02")))
    again |= {"id": "anc-new", "effectiveDateTime": "2025-02-28"}
    again["valueQuantity"]["value"] = 0.7
    assert "Neutrophils 0.7" in told(ordered(app, [*low, again]))


def changed(resources: list[Json], name: str, **more: Any) -> list[Json]:
    """Return resources with something else said by one of them, under the same id."""
    assert name in [each["id"] for each in resources]
    return [{**each, **more} if each["id"] == name else each for each in resources]


@pytest.mark.parametrize(
    "more",
    [
        {"valueQuantity": {"value": 0.7, "unit": "10*9/L", "system": "http://unitsofmeasure.org", "code": "10*9/L"}},
        {"effectiveDateTime": "2025-02-21"},
        {"status": "preliminary"},
        {"code": {"coding": [{"system": "http://loinc.org", "code": "753-4"}]}},
    ],
    ids=["value", "day", "status", "code"],
)
def test_the_same_result_that_says_something_else_brings_the_finding_back(app: App, more: Json) -> None:
    low = example("low-neutrophils")
    send(app, overridden(card_with(ordered(app, low), "Neutrophils 0.8")["uuid"]))
    assert "Neutrophils 0." not in told(ordered(app, low))
    assert "Neutrophils 0." in told(ordered(app, changed(low, "anc-2025-02", **more)))


def test_a_diagnosis_that_is_coded_anew_brings_the_finding_back(app: App) -> None:
    names = {"22298006": "Heart attack", "57054005": "Acute one"}

    def coded(code: str) -> list[Json]:
        heart = {
            "resourceType": "Condition",
            "id": "heart",
            "subject": {"reference": f"Patient/{PATIENT}"},
            "clinicalStatus": {"coding": [{"code": "active"}]},
            "verificationStatus": {"coding": [{"code": "confirmed"}]},
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": code, "display": names[code]}]},
            "onsetDateTime": "2010-01-01",
        }
        return [*(each for each in example("restricted") if each["resourceType"] != "Condition"), heart]

    def warned(code: str) -> bool:
        return "therosclerotic" in told([c for c in ordered(app, coded(code)) if c["indicator"] == "warning"])

    assert warned("22298006")
    send(app, overridden(card_with(ordered(app, coded("22298006")), "therosclerotic")["uuid"]))
    assert not warned("22298006")
    assert warned("57054005"), "of the same list, and yet another code"


def test_an_override_of_one_order_is_none_of_another(app: App) -> None:
    def vaccine(code: str) -> Json:
        coding = {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": code}]}
        return {"resourceType": "ServiceRequest", "status": "draft", "intent": "order", "code": coding}

    def warned(code: str) -> bool:
        found = ordered(app, example("zoster-on-treatment"), vaccine(code))
        return "Live vaccine planned" in told([c for c in found if c["indicator"] == "warning"])

    (uuid,) = [
        each["uuid"]
        for each in ordered(app, example("zoster-on-treatment"), vaccine("03"))
        if "Live vaccine planned" in each["detail"]
    ]
    send(app, overridden(uuid))
    assert not warned("03")
    assert warned("05"), "the first order of another call is called the same"


@pytest.mark.parametrize(("reason", "there"), [("patient-refuses", False), ("wrong-time-workflow", True)])
def test_a_reason_of_workflow_is_never_silent_when_an_order_is_signed(app: App, reason: str, there: bool) -> None:
    low = example("low-neutrophils")
    send(app, overridden(card_with(ordered(app, low), "Neutrophils 0.8")["uuid"], reason))
    tiers = [each["indicator"] for each in ordered(app, low)]
    assert "critical" not in tiers, "it is silent while orders are chosen"
    signed = [each["indicator"] for each in cards(app, call("order-sign", prefetch(low), draft()))]
    assert ("critical" in signed) is there


def test_a_critical_card_comes_back_after_a_week(tmp_path: Path) -> None:
    app = App(hook_settings(tmp_path))
    card = card_with(ordered(app, example("low-neutrophils")), "Neutrophils 0.8")
    send(app, overridden(card["uuid"]))
    app.close()
    for day, there in (("2025-03-08", False), ("2025-03-09", True)):
        app = App(hook_settings(tmp_path, today=day))
        assert ("Neutrophils 0.8" in told(ordered(app, example("low-neutrophils")))) is there
        app.close()


def test_a_promise_comes_due_on_the_next_cards(tmp_path: Path) -> None:
    app = App(hook_settings(tmp_path))
    send(app, overridden(card_with(ordered(app), "Aged 65")["uuid"], "mitigate-risk-negative-outcome"))
    app.close()
    for day, there in (("2025-03-20", True), ("2025-04-02", True)):
        later = App(hook_settings(tmp_path, today=day))
        assert ("as promised on 2025-03-01" in told(ordered(later))) is there, told(ordered(later))
        later.close()


def test_no_answer_makes_a_low_count_milder(app: App) -> None:
    found = ordered(app, example("low-neutrophils"))
    uuid = card_with(found, "Neutrophils 0.8")["uuid"]
    label = app.service.current.loaded.label
    given_ = [
        {"ask": ask.name, "answer": ask.answers[0], "reason": "because", "day": "2025-03-01"}
        for ask in label.asks.values()
    ]
    response = app.post("/answers", json={"card": uuid, "answers": given_})
    assert response.status_code == 200, response.text
    (critical,) = [each for each in ordered(app, example("low-neutrophils")) if each["indicator"] == "critical"]
    assert "Neutrophils 0.8" in told([critical])


# Feedback


def test_feedback_that_comes_again_changes_nothing(app: App) -> None:
    uuid = ordered(app)[0]["uuid"]
    for _ in range(3):
        assert send(app, overridden(uuid)).json() == {}
    assert len([each for each in events(app) if each["kind"] == "feedback"]) == 1


def test_feedback_on_several_cards_and_on_unknown_ones_is_kept(app: App) -> None:
    uuids = [each["uuid"] for each in ordered(app)]
    unknown = str(uuid4())
    send(app, *(overridden(each) for each in uuids), overridden(unknown))
    states = {each["about"]["card"]: each["about"]["state"] for each in events(app) if each["kind"] == "feedback"}
    assert states == {**dict.fromkeys(uuids, "kept"), unknown: "unmatched"}


@pytest.mark.parametrize(
    "piece",
    [
        {"outcome": "accepted"},
        {"outcome": "overridden"},
        {"outcome": "overridden", "overrideReason": {}},
        {"outcome": "overridden", "overrideReason": {"userComment": "only words"}},
        {"outcome": "overridden", "overrideReason": {"reason": "just-a-code"}},
        {"outcome": "accepted", "acceptedSuggestions": [], "extension": {"x": 1}},
        {"outcome": "overridden", "outcomeTimestamp": "2025-03-01T10:30:00.123456+01:00"},
        {"outcome": "overridden", "outcomeTimestamp": "9999-12-31T23:59:59Z", "overrideReason": {"reason": "x"}},
    ],
)
def test_what_clients_may_leave_out_is_taken(app: App, piece: Json) -> None:
    uuid = ordered(app)[0]["uuid"]
    send(app, {"card": uuid, "outcomeTimestamp": AT, **piece})


def test_a_reason_in_free_text_is_a_reason_and_its_words_are_not_kept(app: App, store_url: str) -> None:
    card = card_with(ordered(app), "Aged 65")
    send(app, overridden(card["uuid"], "Mrs Smith, born 1954, said no"))
    assert [each["about"]["reason"] for each in events(app) if each["kind"] == "feedback"] == ["uncoded"]
    kept = str(execute(store_url, "SELECT * FROM feedback")) + json.dumps(events(app))
    assert "Smith" not in kept
    assert "Aged 65" not in told([each for each in ordered(app) if each["indicator"] == "warning"])


def test_suggestions_that_are_no_ids_are_left_out(app: App, store_url: str) -> None:
    send(app, accepted(ordered(app)[0]["uuid"], "Mrs Smith", "a-1"))
    assert [*execute(store_url, "SELECT accepted FROM feedback")[0]] == ['["a-1"]']


GOOD = {"card": "c", "outcome": "accepted", "outcomeTimestamp": AT}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"feedback": None},
        {"feedback": {}},
        {"feedback": []},
        {"feedback": ["x"]},
        {"feedback": [GOOD, None]},
        *(
            {"feedback": [GOOD, {**GOOD, **wrong}]}
            for wrong in (
                {"card": None},
                {"card": ""},
                {"card": 5},
                {"card": "x" * 201},
                {"outcome": "ignored"},
                {"outcome": None},
                {"outcomeTimestamp": None},
                {"outcomeTimestamp": "yesterday"},
                {"outcomeTimestamp": "2025-03-01"},
                {"outcomeTimestamp": "2025-03-01T10:00:00"},
                {"outcomeTimestamp": "2025-13-01T10:00:00Z"},
                {"outcomeTimestamp": "0001-01-01T00:00:00+14:00"},
                {"outcomeTimestamp": 5},
                {"acceptedSuggestions": "s"},
                {"acceptedSuggestions": [{}]},
                {"acceptedSuggestions": [{"id": 5}]},
                {"outcome": "overridden", "overrideReason": "x"},
                {"outcome": "overridden", "overrideReason": {"reason": {"code": 5}}},
                {"card": "Mrs Smith"},
                {"outcome": "overridden", "overrideReason": {"reason": {"code": "x" * 1001}}},
                {"outcome": "overridden", "overrideReason": {"reason": ["x"]}},
                {"outcome": "overridden", "overrideReason": {"userComment": {}}},
            )
        ),
    ],
)
def test_feedback_that_is_wrong_is_refused_as_a_whole(app: App, store_url: str, body: Json) -> None:
    response = app.post(FEEDBACK, json=body)
    assert response.status_code == 400, response.text
    assert response.json()["resourceType"] == "OperationOutcome"
    assert execute(store_url, "SELECT count(*) FROM feedback")[0][0] == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["accepted", "overridden", AT]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "feedback",
                    "card",
                    "outcome",
                    "outcomeTimestamp",
                    "overrideReason",
                    "reason",
                    "code",
                    "acceptedSuggestions",
                    "id",
                    "userComment",
                    "answers",
                    "ask",
                    "answer",
                    "x",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=14,
)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    made = App(hook_settings(tmp_path_factory.mktemp("app")))
    yield made
    made.close()


@rules(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=tries(30, 150))
@given(body=JSON, path=st.sampled_from([FEEDBACK, "/answers", "/answers/withdraw"]))
def test_whatever_is_sent_is_taken_or_refused_with_a_reason(plain: App, body: Any, path: str) -> None:
    content = json.dumps(body).encode()
    response = plain.post(path, content=content, headers={"Content-Type": "application/json"})
    assert response.status_code in (200, 400, 403, 404, 413), response.text
    if response.status_code != 200:
        assert response.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("POST", "/cds-services/unknown/feedback", {"json": {"feedback": [GOOD]}}, 404),
        ("GET", FEEDBACK, {}, 405),
        ("PUT", FEEDBACK, {"json": {}}, 405),
        ("POST", FEEDBACK, {"content": b"{}"}, 415),
        ("POST", FEEDBACK, {"content": b"{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ("POST", FEEDBACK, {"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", FEEDBACK, {"content": b'{"a":1,"a":2}', "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", FEEDBACK, {"content": b" " * 6_000_000, "headers": {"Content-Type": "application/json"}}, 413),
        ("POST", FEEDBACK, {"json": {"feedback": [GOOD] * 1001}}, 413),
        ("POST", "/answers", {"json": {"card": "none", "answers": []}}, 404),
        ("GET", "/answers/none", {}, 404),
        ("DELETE", "/answers/none", {}, 405),
    ],
)
def test_each_mistake_has_its_status(plain: App, method: str, path: str, more: Any, status: int) -> None:
    response = plain.send(method, path, **more)
    assert response.status_code == status, response.text
    assert response.json()["resourceType"] == "OperationOutcome"


# Answers


def answered(app: App, *given_: Json, uuid: str = "", status: int = 200, **more: Any) -> Any:
    card = uuid or ordered(app)[0]["uuid"]
    response = app.post("/answers", json={"card": card, "answers": list(given_)}, **more)
    assert response.status_code == status, response.text
    return response.json()


YES = {"ask": A1, "answer": "yes", "reason": "two others failed"}


def test_an_answer_is_kept_with_who_role_day_statement_reason_and_expiry(app: App) -> None:
    (made,) = answered(app, YES)["answers"]
    assert made == {
        "ask": A1,
        "answer": "yes",
        "day": "2025-03-01",
        "who": "Practitioner/12",
        "role": "clinician",
        "statement": ["S05", "S14", "S44", "S48"],
        "reason": "two others failed",
        "expires": "2026-03-01",
        "id": made["id"],
        "state": "kept",
    }
    (again,) = answered(app, YES)["answers"]
    assert (again["state"], again["id"]) == ("again", None)
    uuid = ordered(app)[0]["uuid"]
    (read,) = app.get(f"/answers/{uuid}").json()["answers"]
    assert (read["ask"], read["id"]) == (A1, made["id"])
    assert [each["kind"] for each in events(app)].count("read") == 1
    assert "two others failed" not in json.dumps(events(app))


def test_an_answer_may_name_another_who_a_role_and_an_earlier_end(app: App) -> None:
    (made,) = answered(
        app, {**YES, "ask": "A1", "who": "Practitioner/7", "role": "rheumatologist", "expires": "2025-06-01"}
    )["answers"]
    assert (made["ask"], made["who"], made["role"], made["expires"]) == (
        A1,
        "Practitioner/7",
        "rheumatologist",
        "2025-06-01",
    )


ELSEWHERE = {"ask": "A6", "answer": "negative", "reason": "a letter of the chest clinic"}


def test_an_answer_about_another_day_is_of_that_day(app: App) -> None:
    (made,) = answered(app, {**ELSEWHERE, "day": "2025-01-20"})["answers"]
    assert made["day"] == "2025-01-20"


@pytest.mark.parametrize("day", [{}, {"day": None}, {"day": "soon"}, {"day": "2025-03-02"}, {"day": 5}])
def test_without_that_day_it_is_refused(app: App, day: Json) -> None:
    answered(app, {**ELSEWHERE, **day}, status=400)


def test_an_answer_that_makes_nothing_milder_needs_no_reason_and_has_no_end(app: App) -> None:
    (made,) = answered(app, {"ask": "venous-thromboembolism-suspected", "answer": "yes"})["answers"]
    assert "expires" not in made
    assert "reason" not in made


@pytest.mark.parametrize(
    "wrong",
    [
        {"ask": "forgotten"},
        {"ask": None},
        {"answer": "perhaps"},
        {"answer": True},
        {"answer": None},
        {"reason": None},
        {"reason": "  "},
        {"reason": "x" * 1001},
        {"reason": 5},
        {"who": "Dr Smith"},
        {"who": 5},
        {"who": "Practitioner/<script>"},
        {"role": "!"},
        {"role": 5},
        {"expires": "soon"},
        {"expires": "2025-02-28"},
        {"expires": "2026-03-02"},
        {"expires": 5},
        {"expires": "2025-6-1"},
    ],
)
def test_an_answer_that_is_wrong_is_refused(app: App, store_url: str, wrong: Json) -> None:
    answered(app, YES, {**YES, **wrong}, status=400)
    assert execute(store_url, "SELECT count(*) FROM answers")[0][0] == 0


def test_an_answer_to_a_card_of_nobody_known_must_say_who(app: App) -> None:
    body = call(SELECT, prefetch(example("restricted")), draft())
    del body["context"]["userId"]
    uuid = cards(app, body)[0]["uuid"]
    answered(app, YES, uuid=uuid, status=400)
    answered(app, {**YES, "who": "Practitioner/3"}, uuid=uuid)


# Who may


def secured(tmp_path: Path, *issuers: Issuer, **more: Any) -> App:
    file = tmp_path / "jwks.json"
    file.write_bytes(public(key(), key("two")))
    named = issuers or (Issuer(iss=ISS, keys=str(file)),)
    chosen = tuple(Issuer(iss=each.iss, keys=str(file), tenant=each.tenant, role=each.role) for each in named)
    return App(hook_settings(tmp_path, require_tokens=True, issuers=chosen, **more))


def bearer(path: str, **more: Any) -> Json:
    from time import time

    now = int(time())
    said = {"iss": ISS, "aud": f"http://testserver{path}", "iat": now, "exp": now + 300, "jti": str(uuid4()), **more}
    return {"Authorization": token(said, jku=...)}


def asked(app: App, **who: Any) -> list[Json]:
    path = f"/cds-services/{ID.format(SELECT)}"
    response = post(app, call(SELECT, prefetch(example("restricted")), draft()), headers=bearer(path, **who))
    assert response.status_code == 200, response.text
    found: list[Json] = response.json()["cards"]
    return found


def test_a_token_is_for_the_address_of_the_feedback(tmp_path: Path) -> None:
    app = secured(tmp_path)
    uuid = asked(app)[0]["uuid"]
    for path in (f"/cds-services/{ID.format(SELECT)}", "/cds-services", FEEDBACK + "/", "/feedback"):
        response = send(app, overridden(uuid), status=401, headers=bearer(path))
        assert "aud" not in response.text
        assert response.headers["WWW-Authenticate"] == "Bearer"
    send(app, overridden(uuid), status=401)
    good = bearer(FEEDBACK)
    send(app, overridden(uuid), headers=good)
    send(app, overridden(uuid), status=401, headers=good)
    app.close()


def test_a_used_token_is_refused_after_a_restart(tmp_path: Path) -> None:
    app = secured(tmp_path)
    uuid, good = asked(app)[0]["uuid"], bearer(FEEDBACK)
    send(app, overridden(uuid), headers=good)
    app.close()
    app = secured(tmp_path)
    send(app, overridden(uuid), status=401, headers=good)
    app.close()


def test_what_a_role_may_do(tmp_path: Path) -> None:
    roles = ("viewer", "clinician", "admin")
    app = secured(tmp_path, *(Issuer(iss=ISS, tenant=role, role=role) for role in roles))
    may: dict[str, list[int]] = {}
    for role in roles:
        uuid = asked(app, tenant=role)[0]["uuid"]
        read = app.get(f"/answers/{uuid}", headers=bearer(f"/answers/{uuid}", tenant=role))
        give = app.post(
            "/answers",
            json={"card": uuid, "answers": [{**YES, "reason": role}]},
            headers=bearer("/answers", tenant=role),
        )
        number = give.json()["answers"][0]["id"] if give.status_code == 200 else 1
        back = app.post(
            "/answers/withdraw",
            json={"card": uuid, "id": number, "reason": "a mistake"},
            headers=bearer("/answers/withdraw", tenant=role),
        )
        may[role] = [read.status_code, give.status_code, back.status_code]
    assert may == {"viewer": [200, 403, 403], "clinician": [200, 200, 403], "admin": [200, 200, 200]}
    app.close()


def test_a_suggestion_taken_up_by_a_viewer_answers_nothing(tmp_path: Path) -> None:
    for role, answers in (("viewer", 0), ("clinician", 1)):
        app = secured(tmp_path, Issuer(iss=ISS, role=role))  # type: ignore[arg-type]
        card = card_with(asked(app), "Is there no suitable alternative")
        taken = accepted(card["uuid"], suggestion(card, "Answer yes: Is there no suitable alternative"))
        send(app, taken, headers=bearer(FEEDBACK))
        assert len(app.service.store.kept(ISS, PATIENT, "2025-03-01").answers) == answers
        app.close()


def test_nobody_sees_or_answers_for_the_cards_of_another_client(tmp_path: Path) -> None:
    app = secured(tmp_path, *(Issuer(iss=ISS, tenant=name, role="admin") for name in ("a", "b")))
    uuid = asked(app, tenant="a")[0]["uuid"]
    assert app.get(f"/answers/{uuid}", headers=bearer(f"/answers/{uuid}", tenant="b")).status_code == 404
    give = {"card": uuid, "answers": [YES]}
    assert app.post("/answers", json=give, headers=bearer("/answers", tenant="b")).status_code == 404
    back = {"card": uuid, "id": 1, "reason": "x"}
    path = "/answers/withdraw"
    assert app.post(path, json=back, headers=bearer(path, tenant="b")).status_code == 404
    send(app, overridden(uuid), headers=bearer(FEEDBACK, tenant="b"))
    assert [each["about"]["state"] for each in events(app) if each["kind"] == "feedback"] == ["unmatched"]
    app.close()


@pytest.mark.parametrize("wrong", [{"id": None}, {"id": True}, {"id": -1}, {"id": 2**64}, {"id": "1"}, {"reason": ""}])
def test_what_is_taken_back_must_be_named(tmp_path: Path, wrong: Json) -> None:
    app = secured(tmp_path, Issuer(iss=ISS, role="admin"))
    body = {"card": asked(app)[0]["uuid"], "id": 1, "reason": "a mistake", **wrong}
    assert app.post("/answers/withdraw", json=body, headers=bearer("/answers/withdraw")).status_code == 400
    app.close()


def test_answers_are_taken_by_the_label_that_is_decided_by_now(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    uuid = ordered(app)[0]["uuid"]
    known = app.service.current.loaded
    others = {name: ask for name, ask in known.label.asks.items() if name != A1}
    monkeypatch.setattr(app.service.current, "loaded", replace(known, label=replace(known.label, asks=others)))
    assert app.post("/answers", json={"card": uuid, "answers": [YES]}).status_code == 400
    monkeypatch.setattr(app.service.current, "loaded", known)
    assert app.post("/answers", json={"card": uuid, "answers": [YES]}).status_code == 200


# A store that fails


@pytest.mark.parametrize(("error", "wait"), [(StoreBusy, "1"), (StoreDown, "30")])
def test_feedback_that_can_t_be_kept_is_to_be_sent_again(
    app: App, monkeypatch: pytest.MonkeyPatch, error: type[Exception], wait: str
) -> None:
    uuid = ordered(app)[0]["uuid"]

    def fails(*_: object, **__: object) -> None:
        raise error("no")

    for name in ("feedback", "answer", "note"):
        monkeypatch.setattr(app.service.store, name, fails)
    response = send(app, overridden(uuid), status=503)
    assert response.headers["Retry-After"] == wait
    assert response.json()["resourceType"] == "OperationOutcome"
    assert app.post("/answers", json={"card": uuid, "answers": [YES]}).status_code == 503
    assert app.get(f"/answers/{uuid}").status_code == 503


def test_without_the_store_cards_are_given_and_nothing_is_softened(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(app, YES)
    softened = told(ordered(app))

    def fails(*_: object, **__: object) -> None:
        raise StoreDown("no")

    for name in ("kept", "kept_at_once", "keeping", "claim"):
        monkeypatch.setattr(app.service.store, name, fails)
    blind = ordered(app)
    assert "Is there no suitable alternative" in json.dumps(blind)
    assert "Aged 65" in told([each for each in blind if each["indicator"] == "warning"])
    assert "could not be read" in told(blind)
    assert "could not be read" not in softened
    assert "could not be read" in told(ordered(app, example("ready")))


def test_a_store_that_does_not_answer_takes_no_warning_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, let_go = secured(tmp_path, limits=Limits(deadline_seconds=2.0)), threading.Event()

    def waits(*_: object, **__: object) -> None:
        let_go.wait(60)
        raise StoreDown("no")

    monkeypatch.setattr("precaution.service.auth.tokens._PATIENCE", 0.1)
    for name in ("kept", "claim"):
        monkeypatch.setattr(app.service.store, name, waits)
    monkeypatch.setattr(app.service.store, "keeping", lambda *_, **__: Future())
    try:
        found = asked(app)
        assert "Aged 65" in told([each for each in found if each["indicator"] == "warning"])
        assert "could not be read" in told(found)
        assert "the time for it was up" not in told(found)
    finally:
        let_go.set()
        app.close()


# The trail


def test_each_call_is_on_the_trail_without_any_of_the_record(app: App) -> None:
    found = ordered(app)
    send(app, overridden(found[0]["uuid"]))
    first = events(app)[0]
    assert (first["kind"], first["patient"], first["user"]) == ("decision", PATIENT, "Practitioner/12")
    whole = json.dumps(events(app))
    assert "she said no" not in whole
    assert app.service.store.verify().whole
    patient = example("restricted")[0]
    words = {
        *strings(patient.get("name", [])),
        patient["birthDate"],
        *(each["code"]["text"] for each in example("restricted") if "text" in each.get("code", {})),
    }
    kept = whole + json.dumps(execute(app.service.settings.store_url, "SELECT content FROM cards"), default=str)
    assert not [word for word in words if word in kept and word not in ("official", "usual")]


# Browsers


ORIGIN = "https://ehr.example.org"


def test_a_preflight_is_answered_before_any_token_is_asked_for(tmp_path: Path) -> None:
    app = secured(tmp_path, cors_origins=(ORIGIN,))
    wants = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    for path in ("/cds-services", f"/cds-services/{ID.format(SELECT)}", FEEDBACK, "/answers"):
        response = app.send("OPTIONS", path, headers=wants)
        assert response.status_code == 200
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "Access-Control-Allow-Credentials" not in response.headers
        assert "authorization" in response.headers["Access-Control-Allow-Headers"].lower()
    refused = app.post(FEEDBACK, json={}, headers={"Origin": ORIGIN})
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == ORIGIN, "a browser must see that it is a 401"
    app.close()


@pytest.mark.parametrize(
    "origin", ["https://evil.example.org", "https://ehr.example.org.evil.org", "http://ehr.example.org", "null", "*"]
)
def test_pages_of_other_origins_get_no_leave(tmp_path: Path, origin: str) -> None:
    app = secured(tmp_path, cors_origins=(ORIGIN,))
    wants = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    assert "Access-Control-Allow-Origin" not in app.send("OPTIONS", FEEDBACK, headers=wants).headers
    assert "Access-Control-Allow-Origin" not in app.get("/cds-services", headers={"Origin": origin}).headers
    app.close()


def test_without_origins_no_page_gets_leave(app: App) -> None:
    response = app.get("/cds-services", headers={"Origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in response.headers


def test_the_store_and_the_engine_agree_on_what_is_kept(app: App) -> None:
    """A kept answer and the same answer given on the command line come to the same decision."""
    answered(app, YES)
    service = app.service
    from precaution.service.clinician_answers import assess_kept

    label = service.current.loaded.label
    from precaution.readers import read_resources

    record = read_resources(example("restricted"), label.terminology, label.asks)
    kept = service.store.kept("", PATIENT, "2025-03-01")
    ours = assess_kept(record, label, "2025-03-01", kept)
    given_ = assess(record, today="2025-03-01", label=label, answers=[f"{A1}=yes"])
    assert [(each.rule, each.action, each.attested) for each in ours.findings] == [
        (each.rule, each.action, each.attested) for each in given_.findings
    ]
    assert service.store.note(TrailEvent(kind="start")).seq > 0
