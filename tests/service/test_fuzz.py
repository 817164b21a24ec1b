"""Bodies that nobody would send: whatever comes, an answer of ours, never a 500, never a death, never a wrong clear."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support import card_rules as cards_check
from support.effort import tries
from support.hook_calls import HOOKS, ID, App, Json, call, draft, example, post, prefetch
from support.hook_calls import settings as service_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = tries(40, 400)
QUICK = settings(max_examples=MANY, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
ALLOWED = {200, 400, 412, 413}
NAMES = ("ready", "low-neutrophils", "restricted", "zoster-on-treatment", "suspected-thromboembolism", "may-resume")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    made = App(service_settings(tmp_path_factory.mktemp("fuzz")))
    yield made
    made.close()


WORDS = ["Patient", "Bundle", "searchset", "Patient/p", "2025-02-30", "http://loinc.org", "entered-in-error"]
KEYS = [
    "resourceType",
    "entry",
    "resource",
    "type",
    "link",
    "relation",
    "url",
    "total",
    "code",
    "coding",
    "system",
    "status",
    "subject",
    "reference",
    "id",
    "valueQuantity",
    "value",
    "unit",
    "effectiveDateTime",
    "contained",
    "component",
    "item",
    "medicationCodeableConcept",
    "answer",
    "identifier",
    "birthDate",
    "response",
]
numbers = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
leaves = st.none() | st.booleans() | numbers | st.text(max_size=20) | st.sampled_from(WORDS)
names = st.sampled_from(KEYS) | st.text(max_size=8)
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5),
    max_leaves=20,
)


def sound(response: Any) -> None:
    assert response.status_code in ALLOWED, response.text
    if response.status_code == 200:
        assert cards_check.wrong(response.json()) == []
    else:
        assert response.json()["resourceType"] == "OperationOutcome"


@QUICK
@given(body=anything, hook=st.sampled_from(HOOKS))
def test_any_json_is_answered(app: App, body: Any, hook: str) -> None:
    sound(
        app.post(
            f"/cds-services/{ID.format(hook)}",
            content=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
    )


@QUICK
@given(body=st.binary(max_size=200))
def test_any_bytes_are_answered(app: App, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    sound(app.post("/cds-services/baricitinib-order-sign", content=body, headers=headers))


@QUICK
@given(data=st.data(), hook=st.sampled_from(HOOKS), name=st.sampled_from(NAMES))
def test_any_value_in_any_place_is_answered(app: App, data: st.DataObject, hook: str, name: str) -> None:
    body = call(hook, prefetch(example(name)), draft())
    for _ in range(data.draw(st.integers(1, 4))):
        changed(body, data)
    sound(post(app, body, service=ID.format(hook)))


def changed(body: Json, data: st.DataObject) -> None:
    """Put anything in the place of something, anywhere."""
    where: Any = body
    for _ in range(data.draw(st.integers(1, 9))):
        keys = list(where) if isinstance(where, dict) else list(range(len(where)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        inner = where[key]
        if not isinstance(inner, (dict, list)) or not inner or data.draw(st.integers(0, 4)) == 0:
            if isinstance(where, dict) and data.draw(st.booleans()):
                del where[key]
            else:
                where[key] = data.draw(anything)
            return
        where = inner


@QUICK
@given(data=st.data(), name=st.sampled_from(NAMES[1:]))
def test_no_broken_prefetch_turns_a_warning_into_silence(app: App, data: st.DataObject, name: str) -> None:
    """Queries are broken, one or several; as long as the patient is had, an order of the drug is not met by silence."""
    sent = prefetch(example(name))
    for key in data.draw(st.sets(st.sampled_from([key for key in sent if key != "patient"]), min_size=1)):
        kind = data.draw(st.sampled_from(["absent", "null", "failed", "more", "untyped", "anything", "emptied"]))
        if kind == "absent":
            del sent[key]
        elif kind in ("null", "failed"):
            sent[key] = None if kind == "null" else {"resourceType": "OperationOutcome", "issue": []}
        elif kind == "emptied":
            sent[key]["entry"] = []
        elif kind == "anything":
            sent[key] = data.draw(anything)
        else:
            sent[key] = (
                {**sent[key], "link": [{"relation": "next", "url": "x"}]}
                if kind == "more"
                else {"resourceType": "Bundle", "entry": sent[key]["entry"]}
            )
    response = post(app, call("order-sign", sent, draft()))
    sound(response)
    if response.status_code == 200 and name != "may-resume":
        assert response.json()["cards"]


@QUICK
@given(drafts=st.lists(anything, max_size=3))
def test_drafts_of_any_shape_hide_no_order_of_the_drug(app: App, drafts: list[Any]) -> None:
    body = call("order-sign", prefetch(example("low-neutrophils")))
    body["context"]["draftOrders"]["entry"] = [*({"resource": each} for each in drafts), {"resource": draft()}]
    response = post(app, body)
    assert response.status_code == 200
    assert response.json()["cards"][0]["indicator"] == "critical"


@QUICK
@given(data=st.data())
def test_a_broken_entry_never_leads_to_silence_where_all_was_well(app: App, data: st.DataObject) -> None:
    """Of a patient with nothing in the way one resource is broken, and may have been anything."""
    sent = prefetch(example("ready"))
    key = data.draw(st.sampled_from([key for key in sent if key != "patient" and sent[key]["entry"]]))
    entry = data.draw(st.sampled_from(sent[key]["entry"]))
    before = copy.deepcopy(entry)
    entry["resource"] = data.draw(st.sampled_from([None, "x", {}, {"resourceType": "X"}, [], 7]))
    response = post(app, call("order-sign", sent, draft()))
    assert before != entry
    assert response.status_code == 200
    assert response.json()["cards"]
