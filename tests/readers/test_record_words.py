"""What the record itself calls its entries."""

from __future__ import annotations

from support.fhir_builders import CLOT, code, condition, observation, record, request


def test_entries_have_the_words_of_the_record() -> None:
    found = record(condition(code={**CLOT, "text": "Clot in the leg"}), request(id="m"))
    assert found.words["Condition/condition"] == "Clot in the leg"


def test_what_has_no_words_has_none() -> None:
    bare = {"coding": [{key: value for key, value in CLOT["coding"][0].items() if key != "display"}]}
    assert record(condition(code=bare)).words == {}


def test_only_what_is_an_entry_has_words_and_two_records_that_differ_in_words_say_the_same() -> None:
    other = observation(code=code("http://loinc.org", "8302-2") | {"text": "Body height"})
    assert record(other).words == {}
    assert record(condition(code={**CLOT, "text": "a"})) == record(condition(code={**CLOT, "text": "b"}))
