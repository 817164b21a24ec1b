"""Nothing of a record gets out: not in cards, errors, logs or metrics; and no text of it can act in a browser."""

from __future__ import annotations

import json
import re
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from precaution.service.settings import FhirServer
from support.fhir_server import Reply, Stub
from support.hook_calls import App, Json, call, draft, example, post, prefetch, settings, strings
from support.service_log import logged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MEANT = {
    "questionnaire",
    "resourceType",
    "reference",
    "system",
    "code",
    "status",
    "intent",
    "linkId",
    "valueString",
    "valueCode",
    "mode",
    "type",
    "relation",
    "comparator",
    "unit",
    "id",
    "authored",
    "issued",
    "birthDate",
}
"""Keys whose value the reader must understand; every other text is replaced."""
WITHOUT_NOTE = {"Patient", "QuestionnaireResponse", "Medication", "Substance", "Encounter", "Provenance", "List"}
"""Types that have no such element: one that FHIR does not know would be a doubt, as it must be."""
NAMES = ("ready", "low-neutrophils", "restricted", "zoster-on-treatment", "suspected-thromboembolism")
TOKEN = "canary-token-9d1f"  # noqa: S105


@pytest.fixture
def log(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Log everything, as the service does, and put things back afterwards."""
    with logged("debug"):
        yield lambda: "".join(capfd.readouterr())


def dated(text: str) -> bool:
    return bool(re.match(r"\d{4}(-\d\d)?(-\d\d)?(T|$)", text))


def poisoned(value: Any, make: Callable[[], str], key: str = "") -> Any:
    """Return JSON with every text that means nothing to the reader replaced, and texts put where there were none."""
    if isinstance(value, list):
        return [poisoned(each, make, key) for each in value]
    if isinstance(value, str):
        return value if key in MEANT or dated(value) else make()
    if not isinstance(value, dict):
        return value
    made = {name: poisoned(each, make, name) for name, each in value.items()}
    if "resourceType" in made and made["resourceType"] not in ("Bundle", "OperationOutcome"):
        made |= {
            "text": {"status": "generated", "div": f"<div>{make()}</div>"},
            **({} if made["resourceType"] in WITHOUT_NOTE else {"note": [{"text": make()}]}),
            "language": make(),
            "extension": [{"url": make(), "valueString": make()}],
            "contained": made.get("contained", []),
        }
    if "coding" in made:
        made |= {"text": make(), "coding": [{**each, "display": make()} for each in made["coding"]]}
    return made


def renamed(sent: Json, make: Callable[[], str]) -> Json:
    """Return a prefetch whose ids are all replaced, with the references to them."""
    text = json.dumps(sent)
    for name in sorted(set(re.findall(r'"id": "([^"]+)"', text)), key=len, reverse=True):
        new = make()
        text = text.replace(f'"id": "{name}"', f'"id": "{new}"')
        text = re.sub(rf'("reference": "[A-Za-z]+/){re.escape(name)}"', rf'\g<1>{new}"', text)
    found: Json = json.loads(text)
    return found


def canaries() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"canary-{next(numbers):04d}"


def hits(text: str) -> list[str]:
    return re.findall(r"canary-[\w-]+", text)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_record_is_in_cards_logs_or_metrics(tmp_path: Path, log: Any, name: str) -> None:
    sent = renamed(poisoned(prefetch(example(name)), canaries()), canaries())
    body = call("order-sign", sent, poisoned(draft(id="x", subject={"display": "x"}), canaries()))
    body |= {"fhirServer": "https://canary-host.example/fhir", "extension": {"x": "canary-extension"}}
    body["fhirAuthorization"] = {"access_token": TOKEN, "subject": "canary-subject", "scope": "canary-scope"}
    body["context"] |= {"userId": "Practitioner/canary-user", "encounterId": "canary-encounter", "x": "canary-x"}
    app = App(settings(tmp_path))
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Canary": "canary-header"}
    response = post(app, body, headers=headers)
    again = app.post("/cds-services/canary-service?canary=canary-query", json=body, headers=headers)
    metrics = app.get("/metrics").text
    app.close()
    assert response.status_code == 200
    assert again.status_code == 404
    found = response.json()
    for card in found["cards"]:
        for suggestion in card.get("suggestions", []):
            for action in suggestion.get("actions", []):
                assert action["resource"].pop("subject") == {"reference": f"Patient/{sent['patient']['id']}"}
    assert hits(response.text.replace(sent["patient"]["id"], "")) == []
    assert hits(json.dumps(found)) == [], "but for the patient's id in an order's subject"
    assert hits(metrics) == []
    assert hits(again.text) == []
    logged = log()
    assert hits(logged) == []
    assert sent["patient"]["id"] not in logged
    assert '"event": "call"' in logged


def test_the_poison_leaves_the_answer_as_it_is(tmp_path: Path) -> None:
    app = App(settings(tmp_path))
    for name in NAMES:
        plain = post(app, call("order-sign", prefetch(example(name)), draft())).json()["cards"]
        sent = poisoned(prefetch(example(name)), canaries())
        poison = post(app, call("order-sign", sent, draft())).json()["cards"]
        assert [each["detail"] for each in poison] == [each["detail"] for each in plain], name
    app.close()


@pytest.mark.parametrize(
    "body",
    [
        b'{"hook": "canary-1',
        b'{"canary-2": NaN}',
        b'"canary-3"',
        b'{"canary-4":1,"canary-4":2}',
        b'{"hook":"canary-5","hookInstance":"canary-6","context":{"patientId":"canary 7"}}',
    ],
)
def test_nothing_of_a_bad_call_is_in_its_error_or_the_log(tmp_path: Path, log: Any, body: bytes) -> None:
    app = App(settings(tmp_path))
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    response = app.post("/cds-services/baricitinib-order-sign", content=body, headers=headers)
    app.close()
    assert response.status_code == 400
    assert hits(response.text + log()) == []


def test_a_mistake_is_logged_by_its_type_and_place_alone(
    tmp_path: Path, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ValueError("canary-value")

    app = App(settings(tmp_path))
    monkeypatch.setattr("precaution.service.hooks.read_call", broken)
    post(app, call("order-sign", {}, patient="p"))
    app.close()
    logged = log()
    assert hits(logged) == []
    assert '"error": "ValueError"' in logged
    assert "test_privacy.py" in logged


def test_what_other_libraries_log_says_only_where(log: Any) -> None:
    import logging

    try:
        raise RuntimeError("canary-inside")
    except RuntimeError:
        logging.getLogger("uvicorn.error").exception("canary-words %s", "canary-argument")
    logged = log()
    assert hits(logged) == []
    assert "RuntimeError" in logged


def test_a_server_that_is_asked_learns_only_the_patients_id(tmp_path: Path, log: Any) -> None:
    told = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "canary-d"}]}
    with Stub(lambda *_: Reply(told, 500)) as server:
        app = App(settings(tmp_path, fhir_servers=(FhirServer(url=server.base, private=True),)))
        body = call("order-sign", {}, draft(), patient="p1", fhirServer=server.base)
        body["fhirAuthorization"] = {"access_token": TOKEN}
        assert hits(post(app, body).text) == []
        app.close()
    assert all("canary" not in each.path for each in server.asked)
    assert {each.headers["User-Agent"] for each in server.asked} == {"precaution"}
    assert TOKEN not in log()


# Text that would act


XSS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>'>",
    "javascript:alert(1)",
    '"><script>alert(1)</script>',
    "'-alert(1)-'",
    "<style>*{display:none}</style>",
    "![x](http://evil.example/x.png)",
    "[x](javascript:alert(1))",
    "<a href='http://evil.example'>x</a>",
    "{{7*7}}",
    "{% for x in y %}",
    "${7*7}",
    "<math><mi//xlink:href='data:x,<script>'>",
    "<body onload=alert(1)>",
    "&#60;script&#62;",
    "<!--",
    "]]>",
    "www.evil.example",
    "https://evil.example/x",
    "a@evil.example",
    "<details open ontoggle=alert(1)>",
    "\u202e<script>",
    "<scr\u0000ipt>",
    "<object data=x>",
    "<meta http-equiv=refresh content=0>",
    "`x`",
    "|a|b|",
]


def hostile() -> Callable[[], str]:
    numbers = count()
    return lambda: XSS[next(numbers) % len(XSS)] + " canary-xss"


@pytest.mark.parametrize("name", NAMES)
def test_no_hostile_text_is_in_a_card_or_a_page(tmp_path: Path, name: str) -> None:
    make = hostile()
    sent = poisoned(prefetch(example(name)), make)
    for value in sent.values():
        for entry in value.get("entry", []):
            if entry["resource"]["resourceType"] != "Medication":
                entry["resource"]["id"] = make()
    app = App(settings(tmp_path))
    order = draft(id=make(), medicationCodeableConcept={"text": f"baricitinib {make()}"})
    response = post(app, call("order-sign", sent, order))
    found = response.json()["cards"]
    assert hits(response.text) == []
    for card in found:
        assert not [each for each in strings(card) if re.search(r"[<>`]|javascript:|evil", each)]
    if found and "links" in found[0]:
        opened = app.get(found[0]["links"][0]["url"])
        page = app.get(opened.headers["location"], headers={"Cookie": opened.headers["set-cookie"].partition(";")[0]})
        assert page.status_code == 200
        assert hits(page.text) == []
        assert "<script" not in page.text
    app.close()
