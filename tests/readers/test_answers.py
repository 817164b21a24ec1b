"""QuestionnaireResponse -> answers to the label's asks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from precaution.readers import read_resources
from precaution.values.interval import Interval
from support.fhir_builders import ASKS, OURS, TERMS, day, entries, ignored, only, patient, record, response


def item(link: object, *answers: object, **more: object) -> dict[str, object]:
    return {"linkId": link, "answer": list(answers), **more}


YES = {"valueBoolean": True}


@pytest.mark.parametrize("link", ["no-alternative", "A1", "a1", " A1 ", "no_alternative", "No-Alternative"])
def test_an_ask_by_name_or_number(link: str) -> None:
    entry = only(response(item=[item(link, YES)]))
    assert (entry.concept, entry.kind, entry.result, entry.says) == ("ask:no-alternative", "answer", "yes", "yes")
    assert entry.start == Interval(day("2024-05-01"), day("2024-05-01"))


@pytest.mark.parametrize(
    ("link", "answer", "expected"),
    [
        ("A1", {"valueBoolean": False}, "no"),
        ("A1", {"valueString": " YES "}, "yes"),
        ("A1", {"valueCoding": {"code": "no"}}, "no"),
        ("A3", {"valueString": "better"}, "better"),
        ("A3", {"valueCoding": {"code": "worse", "display": "better"}}, "worse"),
    ],
)
def test_every_type_of_answer(link: str, answer: object, expected: str) -> None:
    assert only(response(item=[item(link, answer)])).result == expected


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [YES, YES],
        [YES, {"valueBoolean": False}],
        [{"valueString": "maybe"}],
        [{"valueCoding": {"display": "yes"}}],
        [{"valueInteger": 1}],
        [{}],
        [{"valueBoolean": "true"}],
    ],
)
def test_answers_that_can_not_be_told(answers: list[object]) -> None:
    resource = response(item=[item("A1", *answers)])
    assert entries(resource) == []
    assert len(ignored(resource)) == 1


def test_true_is_no_answer_to_another_question() -> None:
    assert entries(response(item=[item("A3", YES)])) == []


def test_messages_do_not_hold_the_answer() -> None:
    ((_, why),) = ignored(response(item=[item("A1", {"valueString": "Jane"})]))
    assert "Jane" not in why


def test_nested_items() -> None:
    deep = item("A1", YES)
    for _ in range(3000):
        deep = {"linkId": "group", "item": [deep]}
    assert only(response(item=[deep])).result == "yes"
    assert only(response(item=[{"linkId": "x", "answer": [{"valueString": "y", "item": [item("A1", YES)]}]}]))


@pytest.mark.parametrize("status", ["in-progress", "stopped", "entered-in-error", None, "Jane", 5])
def test_a_response_that_is_not_done(status: object) -> None:
    resource = response(status=status, item=[item("A1", YES)])
    assert entries(resource) == []
    assert len(ignored(resource)) == 1
    assert "Jane" not in str(ignored(resource))


def test_an_amended_response_counts() -> None:
    assert only(response(status="amended", item=[item("A1", YES)])).result == "yes"


def test_a_response_without_a_date() -> None:
    entry = only(response(authored=None, item=[item("A1", YES)]))
    assert (entry.start, entry.note) == (None, "the answer has no date")


@pytest.mark.parametrize(
    "items",
    [None, [], "x", [None], [{"linkId": 5}], [{"linkId": ""}], [item("pain", YES)], [{"linkId": "x", "answer": "y"}]],
)
def test_other_questionnaires_leave_nothing(items: object) -> None:
    found = record(response(item=items))
    assert not found.entries
    assert not found.ignored


# Only the label's own questionnaire

NAME = OURS.partition("|")[0]
WORDS = {"text": " is IT better? "}
BETTER = {"valueString": "better"}


@pytest.mark.parametrize(
    ("named", "words", "counts"),
    [
        (OURS, {}, True),
        (OURS, {"text": "Sind Sie gesund?"}, True),
        (NAME, WORDS, True),
        (None, WORDS, True),
        (NAME, {}, False),
        (None, {}, False),
        (NAME, {"text": "Do you sleep better?"}, False),
        (None, {"text": "Do you sleep better?"}, False),
        (f"{NAME}|0", WORDS, False),
        (f"{NAME}|2", WORDS, False),
        ("https://example.org/Questionnaire/intake|1", WORDS, False),
        ("https://example.org/Questionnaire/label-2|1", WORDS, False),
        ("Questionnaire/label", WORDS, False),
        ({"reference": "Questionnaire/label"}, WORDS, False),
    ],
)
def test_only_the_label_s_own_questionnaire_is_answered(named: object, words: dict[str, str], counts: bool) -> None:
    resource = response(questionnaire=named, item=[item("A3", BETTER, **words)])
    assert len(entries(resource)) == counts
    assert len(ignored(resource)) == (not counts)


def test_what_another_questionnaire_says_is_not_repeated() -> None:
    ((_, why),) = ignored(response(questionnaire="https://jane.example|9", item=[item("A3", BETTER, text="Jane?")]))
    assert "jane" not in why.lower()


def test_another_questionnaire_without_our_questions_leaves_nothing() -> None:
    assert ignored(response(questionnaire="https://example.org/Questionnaire/phq-9", item=[item("9", YES)])) == []


def test_a_label_without_a_questionnaire_reads_no_answers() -> None:
    asks = {"no-alternative": replace(ASKS["no-alternative"], questionnaire="")}
    found = read_resources([patient(), response(item=[item("A1", YES)])], TERMS, asks)
    assert not found.entries
    assert len(found.ignored) == 1


# Only a clinician's answers

PRACTITIONER, ROLE, OWN = (
    {"reference": name} for name in ("Practitioner/1", "https://x.example/fhir/PractitionerRole/2", "Patient/p")
)


@pytest.mark.parametrize(
    ("who", "counts"),
    [
        ({"author": PRACTITIONER}, True),
        ({"author": ROLE}, True),
        ({"author": {"type": "Practitioner", "display": "Dr. Jane"}}, True),
        ({"author": {"reference": "urn:uuid:1", "type": "PractitionerRole"}}, True),
        ({"author": {"reference": "#who"}, "contained": [{"resourceType": "Practitioner", "id": "who"}]}, True),
        ({"author": PRACTITIONER, "source": OWN}, True),
        ({"source": PRACTITIONER}, True),
        ({}, True),
        ({"author": OWN}, False),
        ({"author": {"reference": "RelatedPerson/1"}}, False),
        ({"author": {"reference": "#who"}, "contained": [{"resourceType": "Patient", "id": "who"}]}, False),
        ({"source": OWN}, False),
        ({"source": {"type": "RelatedPerson"}}, False),
        ({"author": {"display": "Jane"}, "source": OWN}, False),
        ({"author": {"display": "Jane"}}, False),
        ({"author": {"reference": "urn:uuid:nobody"}}, False),
        ({"author": {"reference": "Device/1"}}, False),
        ({"author": {"reference": "Organization/1"}}, False),
        ({"source": {"display": "Jane"}}, False),
        ({"author": "Practitioner/1"}, False),
    ],
)
def test_only_a_clinician_s_answers_count(who: dict[str, object], counts: bool) -> None:
    resource = response(author=None, item=[item("A1", YES)]) | who
    resource = {key: value for key, value in resource.items() if value is not None}
    assert len(entries(resource)) == counts
    assert len(ignored(resource)) == (not counts)
    assert "Jane" not in str(ignored(resource))


def test_an_author_who_is_in_the_bundle_is_found_by_its_urn() -> None:
    author = {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Practitioner", "id": "x"}}
    given = {"resource": response(author={"reference": "urn:uuid:1"}, item=[item("A1", YES)])}
    whole = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient()}, author, given]}
    assert len(read_resources([whole], TERMS, ASKS).entries) == 1


# The day


@pytest.mark.parametrize(
    ("authored", "counts"), [("2024-05-01", True), ("2024-05-02", True), ("2024-05-03", False), ("2025", False)]
)
def test_an_answer_of_the_future_is_refused(authored: str, counts: bool) -> None:
    given = response(authored=authored, item=[item("A1", YES)])
    found = read_resources([patient(), given], TERMS, ASKS, day("2024-05-01"))
    assert bool(found.entries) == counts
    assert len(found.ignored) == (not counts)


def test_an_answer_of_tomorrow_by_a_clock_elsewhere_settles_nothing() -> None:
    given = response(authored="2024-05-02T01:00:00+10:00", item=[item("A1", YES)])
    ((entry,),) = read_resources([patient(), given], TERMS, ASKS, day("2024-05-01")).entries.values()
    assert (entry.result, entry.certainty) == ("", "mentioned")


@pytest.mark.parametrize(
    "days",
    [
        [{"linkId": "A6-day", "answer": [{"valueDate": "2024-03-02"}]}],
        [{"linkId": "a6_day", "answer": [{"valueString": "2024-03-02"}]}],
        [{"linkId": "group", "item": [{"linkId": "A6-day", "answer": [{"valueDateTime": "2024-03-02T10:00:00Z"}]}]}],
    ],
)
def test_an_answer_of_another_day_is_of_that_day(days: list[object]) -> None:
    beside = response(item=[item("A6", YES), *days])
    within = response(item=[{"linkId": "A6", "answer": [{**YES, "item": days}]}])
    for resource in (beside, within):
        assert only(resource).start == Interval(day("2024-03-02"), day("2024-03-02"))


@pytest.mark.parametrize(
    "days",
    [
        [],
        [{"linkId": "A6-day"}],
        [{"linkId": "A6-day", "answer": [{"valueDate": "soon"}]}],
        [{"linkId": "A6-day", "answer": [{"valueDate": "2024-05-02"}]}],
        [{"linkId": "A6-day", "answer": [{"valueDate": "2024-03-02"}, {"valueDate": "2024-03-03"}]}],
    ],
)
def test_without_that_day_it_does_not_count(days: list[object]) -> None:
    resource = response(item=[item("A6", YES), *days])
    assert entries(resource) == []
    assert len(ignored(resource)) == 1
