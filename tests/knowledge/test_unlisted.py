"""What is known of codes that no list has: whole editions, irrelevant codes, codes that may mean a concept."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from precaution.errors import KnowledgeError
from precaution.knowledge.check_digits import well_formed
from precaution.knowledge.loading import load_label
from precaution.knowledge.terminology import SYSTEMS, Terminology, build
from precaution.knowledge.unlisted import Edition, Unlisted, read_unlisted

if TYPE_CHECKING:
    from pathlib import Path


@cache
def terminology() -> Terminology:
    return load_label("baricitinib").terminology


@pytest.mark.parametrize(
    ("edition", "code", "covered"),
    [
        (Edition("e", "h", frozenset({"a"})), "X", True),
        (Edition("e", "h", frozenset()), "X", False),
        (Edition("e", "h", frozenset({"a"}), codes="[A-TV-Z]"), "B02.9", True),
        (Edition("e", "h", frozenset({"a"}), codes="[A-TV-Z]"), "U09.9", False),
        (Edition("e", "h", frozenset({"a"}), to_number=100), "100-8", True),
        (Edition("e", "h", frozenset({"a"}), to_number=100), "101-6", False),
        (Edition("e", "h", frozenset({"a"}), to_number=100), "LA1-1", False),
        (Edition("e", "h", frozenset({"a"}), unlisted=("a",)), "X", False),
    ],
)
def test_which_codes_an_edition_covers(edition: Edition, code: str, covered: bool) -> None:
    assert edition.covers(code) is covered


def test_what_a_code_may_mean_goes_by_its_beginning_and_by_the_edition_below() -> None:
    lists = {"clot": [("ICD10CM", "I80.1*"), ("ICD10CM", "I26.0")], "virus": [("ICD10", "B18.1")]}
    unlisted = Unlisted(may_mean={("ICD10CM", "I80.3*"): ("clot",), ("ICD10CM", "K73.9"): ("virus",)})
    terms = build(lists, {}, unlisted=unlisted)
    assert terms.possible("ICD10CM", "I80.30") == ("clot",)
    assert terms.possible("ICD10GM", "K73.9") == ("virus",)
    assert terms.possible("ICD10CM", "I80") == ("clot",)
    assert terms.possible("ICD10CM", "I26") == ("clot",)
    assert terms.possible("ICD10", "B18") == ("virus",)
    assert terms.possible("ICD10CM", "B18") == ()
    assert terms.possible("ICD10CM", "I8") == ()
    assert terms.possible("SNOMED", "I80") == ()


def test_without_such_files_nothing_is_known(tmp_path: Path) -> None:
    assert read_unlisted(tmp_path, SYSTEMS, ()) == Unlisted(folder=tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("whole.toml", "[ATC\n", "it is no TOML"),
        ("whole.toml", "ATC = 1\n", "it must be a table"),
        ("whole.toml", "[ACT]\n", "'ACT' is no code system that is known. Did you mean 'ATC'?"),
        ("whole.toml", '[ATC]\nedition = 3\nhow = ""\nlists = []\n', "edition: it must be of type str"),
        ("whole.toml", '[ATC]\nediton = ""\n', "'editon' is no key that is known"),
        ("whole.toml", '[ATC]\nedition = ""\nhow = ""\nlists = []\nwithout = ["b"]\n', "'b' is no concept"),
        ("may_mean/ATC.csv", "code\nX\n", "the first columns must be code, concepts"),
        ("may_mean/ATC.csv", "code,concepts\nX,b\n", "'b' is no concept"),
        ("may_mean/ATC.csv", "code,concepts\nX\n", "a row needs a code and what it may mean"),
        ("irrelevant/ACT.txt", "1\n", "'ACT' is no code system"),
    ],
)
def test_what_is_wrong_is_refused_and_named(name: str, text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        read_unlisted(tmp_path, SYSTEMS, ("a",))
    assert name in str(caught.value)
    assert message in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "irrelevant").mkdir()
    (tmp_path / "irrelevant" / "ATC.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(KnowledgeError, match="can't be read as UTF-8"):
        read_unlisted(tmp_path, SYSTEMS, ())


# The first label's


def test_no_code_is_both_irrelevant_and_of_a_concept_or_possible() -> None:
    unlisted = terminology().unlisted
    for system, codes in unlisted.irrelevant.items():
        for code in codes:
            assert not terminology().concepts(system, code)
            assert not unlisted.possible(system, code), (system, code)


def test_what_may_mean_a_concept_is_well_formed_and_on_no_list() -> None:
    for system, code in terminology().unlisted.may_mean:
        assert well_formed(system, code.removesuffix("*").removesuffix(".")), code
        assert code.endswith("*") or not terminology().concepts(system, code), code


@pytest.mark.parametrize(
    ("system", "code", "concept"),
    [
        ("LOINC", "26507-4", "lab_anc"),  # band form neutrophils
        ("LOINC", "20585-6", "lab_alc"),
        ("ICD10CM", "I80.3", "vte"),
        ("ICD10", "I80.9", "vte"),
        ("ICD10GM", "K73.9", "hepatitis_b"),
        ("ICD10CM", "I82", ""),  # on a list itself
        ("ICD10CM", "R76.1", "tb_latent"),  # above R76.11
        ("CVX", "345", "vaccine_live"),  # newer than the table
        ("LOINC", "2160-0", ""),  # creatinine
        ("LOINC", "5821-4", ""),  # leukocytes in urine
        ("ICD10CM", "M54.5", ""),
    ],
)
def test_what_codes_on_no_list_may_mean(system: str, code: str, concept: str) -> None:
    found = terminology().possible(system, code) if not terminology().concepts(system, code) else ()
    assert (concept in found) if concept else not found


def test_every_system_of_the_lists_is_declared_and_the_open_ones_are_not_called_whole() -> None:
    editions = terminology().unlisted.editions
    assert set(editions) == {system for system, _ in (*terminology().exact, *terminology().prefixes)}
    assert {name for name, edition in editions.items() if not edition.lists} == {
        "SNOMED",
        "RxNorm",
        "HL7v3-ObservationInterpretation",
    }
    assert all(edition.edition and edition.how for edition in editions.values())
