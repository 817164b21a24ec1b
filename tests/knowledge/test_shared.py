"""What labels have in common: taken by name, covered by the digest, and wrong names refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from precaution.checks import check
from precaution.errors import KnowledgeError
from precaution.knowledge import shared
from precaution.knowledge.folder import list_files, parts, read_codes
from precaution.knowledge.loading import LABELS, labels, load_label, read_label
from precaution.knowledge.shared_codes import unlisted_of
from precaution.knowledge.terminology import Concept

TOP = """
name = "drug"
version = "1"
title = "Drug"
[shared]
chapters = "{chapters}"
[actions]
order = ["interrupt", "stay-interrupted", "obtain", "may-resume", "due", "clear"]
if-unknown = "obtain"
[therapy]
drug = "drug_own"
grace = "days"
gap = "days"
[records]
absence = "absence"
suspected = "suspected"
same-day = "same-day"
[parameter]
days = {{ value = "30 days", of = "S1", why = "x" }}
absence = {{ value = "list-supplied", choices = ["list-supplied", "attested"], of = "S1", why = "x" }}
suspected = {{ value = "question", choices = ["question", "yes"], of = "S1", why = "x" }}
same-day = {{ value = "worst", choices = ["worst", "unknown"], of = "S1", why = "x" }}
"""
TOPIC = """
[shared]
facts = "{facts}"
[says.S1]
exact = "0-1 5995cd083543fd04094dc9cc925d90cc8e71c4c30758ee8584c593e39ad0925d"
means = "x"
"""


def folder(tmp_path: Path, facts: str = "zoster-now", chapters: str = "herpes") -> Path:
    """Write a label that takes chapters and facts, and has one code list of its own."""
    (tmp_path / "topics").mkdir()
    (tmp_path / "codes").mkdir()
    (tmp_path / "label.toml").write_text(TOP.format(chapters=chapters), encoding="utf-8")
    (tmp_path / "topics" / "one.toml").write_text(TOPIC.format(facts=facts), encoding="utf-8")
    rows = "system,code,display\nLOINC,2160-0,creatinine\nRxNorm,161,acetaminophen\n"
    (tmp_path / "codes" / "drug_own.csv").write_text(rows, encoding="utf-8")
    return tmp_path


def test_a_label_takes_chapters_and_a_topic_takes_facts(tmp_path: Path) -> None:
    label = read_label(folder(tmp_path))
    assert set(label.facts) == {"zoster_now"}
    assert next(iter(label.facts.values())).topic == "one"
    assert "herpes_zoster" in label.concepts
    assert "lab_anc" not in label.concepts


def test_of_a_family_only_the_members_that_are_named_are_taken(tmp_path: Path) -> None:
    assert set(read_label(folder(tmp_path, "zoster-ever")).facts) == {"zoster_ever"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"chapters": "herpe"}, r"no chapter is called 'herpe'. Did you mean 'herpes'"),
        ({"chapters": "herpes herpes"}, "'herpes' stands there twice"),
        ({"facts": "zoster-noww"}, r"has a fact 'zoster-noww'. Did you mean 'zoster-now'"),
        ({"facts": "anc"}, "no chapter of this label has a fact 'anc'"),
    ],
)
def test_what_is_not_there_is_said(tmp_path: Path, given: dict[str, str], says: str) -> None:
    with pytest.raises(KnowledgeError, match=says):
        read_label(folder(tmp_path, **given))


def test_a_fact_can_not_be_taken_and_stand_in_the_topic(tmp_path: Path) -> None:
    path = folder(tmp_path) / "topics" / "one.toml"
    own = '[fact.zoster-now]\nactive = "herpes_zoster"\n'
    path.write_text(path.read_text(encoding="utf-8") + own, encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"fact.zoster-now.*taken from what is shared too"):
        read_label(tmp_path)


def test_the_digest_covers_what_is_taken_and_nothing_else(tmp_path: Path) -> None:
    names = {name for name, _ in parts(folder(tmp_path), None, ())}
    assert {"shared/herpes.toml", "shared/codes/herpes_zoster.csv", "shared/codes/whole.toml"} <= names
    assert not {"shared/liver.toml", "shared/codes/lab_anc.csv"} & names


def test_a_code_of_the_label_s_own_list_is_not_irrelevant_though_others_say_so(tmp_path: Path) -> None:
    lists = read_codes(folder(tmp_path))
    known = unlisted_of(tmp_path, lists, {})
    assert "2160-0" not in known.irrelevant["LOINC"]
    assert "8480-6" in known.irrelevant["LOINC"]
    assert "751-8" in known.irrelevant["LOINC"], "neutrophils are on a list that this label does not take"


def test_a_list_of_its_own_that_nobody_calls_whole_takes_wholeness_away(tmp_path: Path) -> None:
    lists = read_codes(folder(tmp_path))
    assert not unlisted_of(tmp_path, lists, {}).covers("LOINC", "1-8")
    (tmp_path / "codes" / "whole.toml").write_text('[LOINC]\nlists = ["drug_own"]\n', encoding="utf-8")
    assert unlisted_of(tmp_path, lists, {}).covers("LOINC", "1-8")


def test_a_word_that_names_a_concept_of_the_label_is_not_one_of_no_interest(tmp_path: Path) -> None:
    lists, words = read_codes(folder(tmp_path)), shared.CODES / "irrelevant" / "words.txt"
    first = next(line for line in words.read_text(encoding="utf-8").split("\n") if line and line[0] != "#")
    assert first in unlisted_of(tmp_path, lists, {}).words
    assert first not in unlisted_of(tmp_path, lists, {"drug_own": Concept(name="drug_own", words=(first,))}).words


def test_every_shared_list_is_of_a_chapter_and_taken_by_a_label() -> None:
    described = {name for each in shared.every_chapter() for name in shared.section_of(each, "concept")}
    assert {path.name.split(".")[0] for path in shared.CODES.glob("*.csv")} == described
    taken = {name for each in labels() for name in shared.concepts_of(LABELS / each)}
    assert described == taken


def test_a_concept_stands_in_one_chapter() -> None:
    every = [name for each in shared.every_chapter() for name in shared.section_of(each, "concept")]
    assert len(every) == len(set(every))


def test_every_shared_fact_is_taken_by_a_label() -> None:
    taken = {fact for each in labels() for fact in load_label(each).facts}
    known = {name.replace("-", "_") for name in shared.every_fact()}
    assert known <= taken


def test_the_files_of_lists_are_the_label_s_own_and_those_taken(tmp_path: Path) -> None:
    assert {path.name for path in list_files(folder(tmp_path))} >= {"drug_own.csv", "herpes_zoster.csv"}
    assert "lab_anc.csv" not in {path.name for path in list_files(tmp_path)}


def test_a_code_on_a_list_of_the_label_s_own_is_neither_irrelevant_nor_in_doubt(tmp_path: Path) -> None:
    common = unlisted_of(folder(tmp_path, chapters="infections herpes"), read_codes(tmp_path), {})
    assert ("ICD10CM", "K75.0") in common.may_mean
    assert "R06.02" in common.irrelevant["ICD10CM"]
    rows = "system,code,display\nICD10CM,K75*,inflammatory diseases of the liver\nICD10CM,R06*,breathing\n"
    (tmp_path / "codes" / "own_disease.csv").write_text(rows, encoding="utf-8")
    own = unlisted_of(tmp_path, read_codes(tmp_path), {})
    assert ("ICD10CM", "K75.0") not in own.may_mean
    assert "R06.02" not in own.irrelevant["ICD10CM"]


def test_a_list_on_which_a_label_has_a_code_goes_before_one_that_it_does_not_take(tmp_path: Path) -> None:
    both = "232717009"  # on a list of cardiovascular, and on one of thrombosis
    taken = unlisted_of(folder(tmp_path, "", "cardiovascular"), read_codes(tmp_path), {})
    assert both not in taken.irrelevant["SNOMED"]


def test_of_a_chapter_that_is_taken_whole_no_list_is_called_unused(tmp_path: Path) -> None:
    found = list(map(str, check(folder(tmp_path))))
    assert found
    assert not any("code list that nothing looks at" in each for each in found)
