"""A site says in which zone it is, and what its source sends with each answer: assess, cohort and hooks heed it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from precaution import assess, load_label
from precaution.cli import run
from precaution.cohort import cohort
from precaution.errors import KnowledgeError
from precaution.readers.zones import in_zone
from support.hook_calls import App, cards, draft, example, prefetch
from support.hook_calls import call as hook_call
from support.hook_calls import settings as hook_settings
from support.ndjson_sources import rows
from support.small_people import put

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]
TODAY = "2025-03-01"
NOTE = "Results are limited to those\nreleased to the patient"


def policy(folder: Path, text: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(f"[reading]\n{text}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("written", "there"),
    [
        ("2025-03-02T01:30:00Z", "2025-03-01T19:30:00-06:00"),
        ("2025-03-01T23:30:00.5-05:00", "2025-03-01T22:30:00.500000-06:00"),
        ("2025-03-01T02:00+01:00", "2025-02-28T19:00:00-06:00"),
        ("2025-03-02T00:00:00Z", "2025-03-02T00:00:00Z"),
        ("2025-03-02T00:00:00.000+00:00", "2025-03-02T00:00:00.000+00:00"),
        ("2025-03-02T01:30:00", "2025-03-02T01:30:00"),
        ("2025-03-02", "2025-03-02"),
        ("0001-01-01T01:00:00Z", "0001-01-01T01:00:00Z"),
        ("2025-13-02T01:30:00Z", "2025-13-02T01:30:00Z"),
        ("of 2025-03-02T01:30:00Z", "of 2025-03-02T01:30:00Z"),
    ],
)
def test_a_point_in_time_is_of_the_day_that_it_was_there(written: str, there: str) -> None:
    assert list(in_zone([{"a": [{"b": written}], "c": 7}], "America/Chicago")) == [{"a": [{"b": there}], "c": 7}]


def test_this_evening_in_utc_is_today(tmp_path: Path) -> None:
    """Neutrophils of this evening are low: of tomorrow they are a question, and today they forbid."""
    low = [*example("low-neutrophils")]
    for each in low:
        if "751-8" in json.dumps(each):
            each["effectiveDateTime"] = "2025-03-02T01:30:00Z"
    label = load_label(policy=policy(tmp_path, 'zone = "America/Chicago"'))
    assert label.policy["zone"] == "America/Chicago"
    assert assess(low, today=TODAY).action not in ("clear", "do-not-start")
    assert assess(low, today=TODAY, label=label).action == "do-not-start"
    app = App(hook_settings(tmp_path, timezone="America/Chicago"))
    assert cards(app, hook_call("order-sign", prefetch(low), draft()))[0]["indicator"] == "critical"
    app.close()
    put(tmp_path / "in", *low)
    assert decided(tmp_path, label_policy=tmp_path / "policy.toml") == {"low-neutrophils": "do-not-start"}


def decided(folder: Path, label_policy: Path | None) -> dict[str, str]:
    out = folder / "out"
    cohort(folder / "in", out, today=TODAY, workers=1, overwrite=True, policy=label_policy, who="everybody")
    return {row["person"]: row["action"] for row in rows(out, "decisions")}


def message(**issue: object) -> Json:
    issue = {"severity": "information", "code": "processing", "details": {"text": NOTE}, **issue}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


STANDING = 'standing-notes = ["results are limited to those released to the patient"]'


@pytest.mark.parametrize(
    ("issue", "action"),
    [
        ({}, "clear"),
        ({"details": None, "diagnostics": NOTE}, "clear"),
        ({"severity": "error"}, "obtain"),
        ({"code": "incomplete"}, "obtain"),
        ({"details": {"text": NOTE + " today"}}, "obtain"),
        ({"details": None}, "obtain"),
    ],
)
def test_a_standing_note_says_nothing_where_the_site_names_it(tmp_path: Path, issue: Json, action: str) -> None:
    sent = [*example("ready"), message(**issue)]
    named = policy(tmp_path, STANDING)
    assert assess(sent, today=TODAY).action == "obtain", "off by default"
    assert assess(sent, today=TODAY, policy=named).action == action
    put(tmp_path / "in", *sent)
    assert decided(tmp_path, label_policy=named) == {"ready": action}


def test_a_standing_note_in_a_search_result_leaves_it_whole(tmp_path: Path) -> None:
    sent = prefetch(example("ready"))
    sent["laboratory"]["entry"].append({"resource": message(), "search": {"mode": "outcome"}})
    body = hook_call("order-sign", sent, draft())
    app = App(hook_settings(tmp_path))
    assert cards(app, body)
    app.close()
    app = App(hook_settings(tmp_path, policy=str(policy(tmp_path, STANDING))))
    assert cards(app, body) == []
    app.close()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('zone = "Europe/Nowhere"', "is no time zone"),
        ('zone = "../etc/passwd"', "is no time zone"),
        ('standing-notes = [" "]', "an empty one is no note"),
        ('zones = "Europe/Berlin"', "Did you mean 'zone'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(KnowledgeError, match=says):
        load_label(policy=policy(tmp_path, text))


def test_today_is_that_of_the_zone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one of these two zones it is always another day than in the other, whatever the hour."""
    put(tmp_path / "in", *example("ready"))
    days = []
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):
        chosen = str(policy(tmp_path, f'zone = "{zone}"'))
        assert run(["assess", str(tmp_path / "in"), "--policy", chosen, "--json"]) == 0
        days.append(json.loads(capsys.readouterr().out)["today"])
    assert days[0] > days[1]
