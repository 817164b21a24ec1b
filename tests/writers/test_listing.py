"""Lists: a label, a record, a timeline, problems."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from precaution.values.interval import EVERYTHING, Interval, below, exactly
from precaution.values.record import Entry, Ignored, Record, Unrecognised
from precaution.writers import listing
from precaution.writers.structured import as_json
from support.sample_label import AT_RISK, CLEAR, DECISION, LABEL, LIPIDS

DAY = exactly(date(2025, 2, 20).toordinal())
MONTH = Interval(date(2025, 2, 1).toordinal(), date(2025, 2, 28).toordinal())
RECORD = Record(
    birth=exactly(date(1950, 1, 1).toordinal()),
    entries={
        "lab_a": (Entry("lab_a", "result", "Observation/a-7", start=DAY, value=below(0.5), note="derived"),),
        "c": (Entry("c", "condition", "Condition/c", start=MONTH, end=DAY, status="ended", certainty="suspected"),),
        "empty": (),
    },
    lists=frozenset({"condition"}),
    ignored=(Ignored("Observation/x", "entered-in-error"),),
    unrecognised=(Unrecognised("Condition/y", "urn:local", "42", "speaks of C"),),
)


def test_a_record_by_concept_with_dates_values_and_sources() -> None:
    lines = listing.record_in_text(RECORD, LABEL).splitlines()
    assert lines[:2] == ["Birth 1950-01-01; died no", "Lists supplied: condition"]
    assert "lab_a" in lines
    [value] = [line for line in lines if "Observation/a-7" in line]
    assert value.split() == ["2025-02-20", "<0.5", "×10⁹/L", "(final,", "derived)", "Observation/a-7"]
    [condition] = [line for line in lines if "Condition/c" in line]
    assert condition.split()[:3] == ["2025-02", "to", "2025-02-20"]
    assert "(ended, suspected)" in condition
    assert "empty" not in lines


def test_what_was_ignored_and_not_recognised() -> None:
    said = listing.record_in_text(RECORD, LABEL)
    assert "Ignored: 1 entry\n  Observation/x" in said
    assert "Not recognised: 1 entry\n  Condition/y" in said
    assert "urn:local 42" in said
    assert "speaks of C" in said


def test_an_empty_record_says_so() -> None:
    assert listing.record_in_text(Record(), LABEL) == "Birth not known; died no\nLists supplied: none\n"


def test_a_death_without_a_day_is_still_a_death() -> None:
    assert "died yes" in listing.record_in_text(replace(RECORD, died=EVERYTHING), LABEL)


def test_a_record_as_json() -> None:
    answer = json.loads(as_json(listing.record_as_dict(RECORD)))
    assert answer["entries"]["lab_a"] == [
        {
            "concept": "lab_a",
            "kind": "result",
            "source": "Observation/a-7",
            "start": "2025-02-20",
            "status": "final",
            "certainty": "certain",
            "value": "<0.5",
            "note": "derived",
        }
    ]
    assert answer["ignored"] == [{"source": "Observation/x", "why": "entered-in-error"}]


def test_a_timeline_has_one_line_a_change() -> None:
    lines = listing.timeline([DECISION, replace(CLEAR, today="2025-04-01")], LABEL).splitlines()
    assert [line[:10] for line in lines] == ["2025-03-01", "2025-04-01"]
    assert "■ do not start  A 0.8" in lines[0]
    assert listing.timeline([], LABEL) == "nothing in the record could change the decision\n"


def test_a_day_on_which_only_details_changed_says_which() -> None:
    later = replace(
        DECISION, today="2025-07-01", findings=DECISION.findings[:1], due=(LIPIDS._replace(state="overdue"),)
    )
    lines = listing.timeline([DECISION, later], LABEL).splitlines()
    lipids, risk = LABEL.duties["lipids"].title, LABEL.rules["at-risk"].title
    assert lines[1] == f"2025-07-01    {lipids}: overdue 2025-05-24; {risk}: now known: no"
    held = AT_RISK._replace(state="holds", action="screen", tell="Risk 3 of 4")
    held_then = replace(DECISION, today="2025-07-01", findings=(DECISION.findings[0], held))
    assert "Risk 3 of 4" in listing.timeline([DECISION, held_then], LABEL), "with the value"
    assert f"{risk}: no longer" in listing.timeline([held_then, later], LABEL)


def test_a_verdict_that_can_not_be_told_is_not_told_as_if_it_held() -> None:
    unknown = replace(DECISION, action="obtain", findings=(AT_RISK,))
    assert "? obtain  At risk: can't be told" in listing.timeline([unknown], LABEL)


def test_a_label_lists_all_it_holds() -> None:
    said = listing.label_in_text(LABEL)
    for name in (*LABEL.says, *LABEL.rules, *LABEL.duties, *LABEL.parameters, *LABEL.asks):
        assert name in said
    assert "claimed source: a sheet of paper" in said
    assert "from: another" in said


def test_a_label_as_json() -> None:
    answer = json.loads(as_json(listing.label_as_dict(LABEL)))
    assert [rule["name"] for rule in answer["rules"]] == list(LABEL.rules)
    assert answer["rules"][0]["then"]["before-start"] == "do-not-start"
    assert answer["duties"][0]["stages"] == ["on-treatment"]
    assert answer["statements"][0]["means"] == "Do not start while A is below 1."


@pytest.mark.parametrize(
    ("problems", "ran", "cases", "said"),
    [
        (["a: wrong", "b: wrong"], 20, 20, "a: wrong\nb: wrong\nlabel: 2 problems; all 20 cases were run\n"),
        ([], 20, 20, "label: no problems; all 20 cases were run\n"),
        ([], 3, 20, "label: no problems; 3 of 20 cases were run\n"),
        ([], 0, 20, "label: no problems; its cases were not run\n"),
        ([], 0, 0, "label: no problems; it has no cases\n"),
    ],
)
def test_problems_and_cases_are_counted(problems: list[str], ran: int, cases: int, said: str) -> None:
    assert listing.problems_in_text(problems, "label", ran, cases) == said
