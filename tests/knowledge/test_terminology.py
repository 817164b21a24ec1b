"""Codes, words and spellings: what belongs to a concept, what only speaks of it, and what does neither."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.errors import KnowledgeError
from precaution.knowledge.terminology import LONGEST_NAME, SYSTEMS, Concept, Terminology, build, fold, read_lists

if TYPE_CHECKING:
    from pathlib import Path

LISTS = {
    "heart": [("ICD10CM", "I21*"), ("SNOMED", "22298006")],
    "old_heart": [("ICD10CM", "I25.2"), ("ICD10CM", "I25*")],
    "kinase": [("ATC", "L04AF*")],
    "this_kinase": [("ATC", "L04AF02")],
    "yes": [("SNOMED", "10828004")],
    "old_stroke": [("ICD10", "I69.4"), ("ICD10GM", "I25.2")],
}
KNOWN = {
    "heart": Concept(name="heart", words=("heart att", "mi$", "*infarct"), not_words=("family history", "no$")),
    "kinase": Concept(name="kinase", words=("jak$", "jak inh")),
    "this_kinase": Concept(name="this_kinase", outranks=("kinase",)),
    "old_stroke": Concept(name="old_stroke", words=("=cva",)),
    "yes": Concept(name="yes", spellings=("Positive", "+", "not\u200b bad")),
}


@pytest.fixture(scope="module")
def small() -> Terminology:
    return build(LISTS, KNOWN)


@pytest.mark.parametrize(
    ("system", "code", "found"),
    [
        ("SNOMED", "22298006", ("heart",)),
        ("LOINC", "22298006", ()),
        ("SNOMED", "22298007", ()),
        ("SNOMED", "", ()),
        ("ICD10CM", "I21.01", ("heart",)),
        ("ICD10CM", "I21", ("heart",)),
        ("ICD10CM", "I2", ()),
        ("ICD10CM", "I20.9", ()),
        ("ICD10CM", "I25.2", ("old_heart",)),
        ("ICD10CM", "I25.10", ("old_heart",)),
        ("ATC", "I21.01", ()),
        ("ATC", "L04AF01", ("kinase",)),
        ("ATC", "L04AF", ("kinase",)),
        ("ATC", "L04A", ()),
        ("ICD10CM", "I21*", ("heart",)),
        ("nonsense", "I21", ()),
        ("ICD10", "I21.9", ("heart",)),
        ("ICD10", "I69.4", ("old_stroke",)),
        ("ICD10CM", "I69.4", ()),
        ("ICD10GM", "I69.4", ("old_stroke",)),
        ("ICD10GM", "I21.9", ("heart",)),
        ("ICD10", "I25.2", ("old_heart",)),
        ("ICD10GM", "I25.2", ("old_stroke",)),
    ],
)
def test_a_code_belongs_to_its_concepts(small: Terminology, system: str, code: str, found: tuple[str, ...]) -> None:
    assert small.concepts(system, code) == found


def test_a_concept_that_outranks_takes_the_code_away(small: Terminology) -> None:
    assert small.concepts("ATC", "L04AF02") == ("this_kinase",)
    assert build(LISTS, {}).concepts("ATC", "L04AF02") == ("this_kinase", "kinase")


def test_a_very_long_code_costs_no_more_than_its_longest_prefix(small: Terminology) -> None:
    assert small.concepts("ICD10CM", "I21" + "9" * 1_000_000) == ("heart",)


def test_a_concept_without_a_table_is_plain(small: Terminology) -> None:
    assert small.concept("old_heart") == Concept(name="old_heart")
    assert small.concept("kinase").words == ("jak$", "jak inh")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Heart attack", ("heart",)),
        ("HEART  ATTACK", ("heart",)),
        ("heart\u200b att\u00adack", ("heart",)),
        ("Acute MI", ("heart",)),
        ("MI, acute", ("heart",)),
        ("Mitral stenosis", ()),
        ("Semi", ()),
        ("microinfarction", ("heart",)),
        ("Infarct", ("heart",)),
        ("sweetheart attack", ()),
        ("JAK inhibitor", ("kinase",)),
        ("JAK-inhibitor", ("kinase",)),
        ("Jakob", ()),
        ("jak2", ()),
        ("Family history of heart attack", ()),
        ("No heart attack", ()),
        ("", ()),
        ("心筋梗塞", ()),
        ("myocardial_infarct", ("heart",)),
        ("Ｈeart attáck", ("heart",)),
        ("MI and JAK", ("heart", "kinase")),
    ],
)
def test_words_speak_of_a_concept(small: Terminology, text: str, found: tuple[str, ...]) -> None:
    assert small.spoken_of(text) == found


def test_prose_may_speak_of_several_things(small: Terminology) -> None:
    prose = "Family history of asthma. " + "Came in with pain. " * 6 + "Heart attack."
    assert len(prose) > LONGEST_NAME
    assert small.spoken_of(prose) == ("heart",)


@given(st.text(), st.text())
def test_what_stands_around_a_word_hides_nothing(before: str, after: str) -> None:
    text = f"{before} heart attack {after}"
    refused = re.search(r"\bfamily history|\bno\b", fold(text))
    assert refused or "heart" in build(LISTS, KNOWN).spoken_of(text)


@given(st.text())
def test_any_text_can_be_listened_to(text: str) -> None:
    terminology = build(LISTS, KNOWN)
    assert set(terminology.spoken_of(text)) <= set(KNOWN)
    assert terminology.spelled(text) in {"", "yes"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("positive", "yes"),
        (" POSITIVE ", "yes"),
        ("positive\u200b", "yes"),
        ("Not bad", "yes"),
        ("+", "yes"),
        ("not positive", ""),
        ("positive?", ""),
        ("", ""),
        ("++", ""),
    ],
)
def test_a_spelling_is_the_whole_text(small: Terminology, text: str, name: str) -> None:
    assert small.spelled(text) == name


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    once = fold(text)
    assert "  " not in once
    assert once == once.strip()
    assert fold(once.upper().lower()) is not None


def write(folder: Path, name: str, text: str) -> Path:
    folder.joinpath(name).write_text(text, encoding="utf-8")
    return folder


def test_short_and_long_lists_of_a_concept_are_one(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "# why\nsystem,code,display\nSNOMED,22298006,x\n\n")
    write(tmp_path, "a.more.csv", "# source\nsystem,code\nICD10CM,I21*\n")
    assert read_lists(tmp_path) == {"a": [("SNOMED", "22298006"), ("ICD10CM", "I21*")]}


def test_a_list_from_a_spreadsheet_is_read(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "\ufeffsystem,code,display\r\nSNOMED , 22298006,x\r\n,,\r\n")
    assert read_lists(tmp_path) == {"a": [("SNOMED", "22298006")]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.csv: the first columns must be system, code"),
        ("code,system\n1,LOINC\n", "a.csv: the first columns must be system, code"),
        (
            "system,code\nLONIC,718-7\n",
            f"a.csv: 'LONIC' (code 718-7) is no code system of {', '.join(SYSTEMS)}. Did you mean 'LOINC'?",
        ),
        ("system,code\nSNOMED\n", "a.csv: a row of SNOMED has no code"),
        ("system,code\nICD10CM,*\n", "a.csv: a row of ICD10CM has no code"),
        (
            "system,code\nSNOMED,222*\n",
            "a.csv: 222*: only codes of ICD10CM and ICD10GM and ICD10 and ATC have prefixes",
        ),
    ],
)
def test_a_wrong_list_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(KnowledgeError) as caught:
        read_lists(write(tmp_path, "a.csv", text))
    assert str(caught.value) == message


def test_a_word_can_be_the_whole_text(small: Terminology) -> None:
    assert small.spoken_of("CVA") == ("old_stroke",)
    assert small.spoken_of("CVA tenderness") == ()
