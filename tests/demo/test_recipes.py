"""Recipes: placeholders, lines, what is spoiled and what only looks different, and what a wrong recipe is told."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution import Label, load_label
from precaution.demo import Recipes, load_recipes
from precaution.demo.disguises import DISGUISES
from precaution.demo.disguises.kit import Kit
from precaution.demo.disguises.results import scaled
from precaution.demo.placeholders import Draw, NotOnThisDay
from precaution.demo.plan import RecordLine
from precaution.demo.recipes import FILE
from precaution.demo.resources import DemoResource, demo_resources
from precaution.demo.spoils import spoil
from precaution.errors import KnowledgeError
from precaution.knowledge.loading import find_label
from precaution.readers.units import converted
from precaution.values.interval import exactly

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2025, 3, 1)
days = st.dates(date(1990, 1, 1), date(2090, 1, 1))


@cache
def label() -> Label:
    return load_label("baricitinib")


@cache
def recipes() -> Recipes:
    return load_recipes(find_label("baricitinib"), label())


def draw(today: date = TODAY, seed: int = 1) -> Draw:
    return Draw(Random(seed), today)  # noqa: S311


# Placeholders


@pytest.mark.parametrize(
    ("line", "filled"),
    [
        ("on {days-ago 5}", "on 2025-02-24"),
        ("on {days-ahead 30}", "on 2025-03-31"),
        ("on {month-ago 2}", "on 2025-01"),
        ("on {month-ago 3}", "on 2024-12"),
        ("on {year-ago 2}", "on 2023"),
        ("on {this-year}", "on 2025"),
        ("{number 8.0}", "8.0"),
        ("{pick one}", "one"),
        ("born {birthday 65}", "born 1960-03-01"),
        ("born {birth-year 65}", "born 1960"),
        ("no placeholder", "no placeholder"),
    ],
)
def test_a_placeholder_is_filled(line: str, filled: str) -> None:
    assert draw().fill(line) == filled


def test_named_values_are_shared_and_shifted() -> None:
    named = draw().name({"start": "days-ago 100", "later": "start + 10"})
    assert named.fill("{start} {start + 1} {later} {start - 3}") == "2024-11-21 2024-11-22 2024-12-01 2024-11-18"


@given(days, st.integers(0, 10**6))
def test_an_age_is_that_many_completed_years(today: date, seed: int) -> None:
    born = date.fromisoformat(draw(today, seed).value("age 30..40"))
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    assert 30 <= years <= 40


@given(days)
def test_on_a_birthday_the_years_are_completed_and_tomorrow_not_yet(today: date) -> None:
    born = date.fromisoformat(draw(today).value("birthday 65"))
    assert (today.year - born.year, (born.month, born.day) <= (today.month, today.day)) == (65, True)
    try:
        born = date.fromisoformat(draw(today).value("birthday-tomorrow 65"))
    except NotOnThisDay:
        assert (today.month, today.day) in ((2, 28), (2, 29))
        return
    assert (born.month, born.day) > (today.month, today.day) or today.year + 1 - born.year == 65


@given(st.integers(0, 10**6))
def test_a_number_keeps_to_its_limits_and_decimals(seed: int) -> None:
    written = draw(seed=seed).value("number 0.10..0.99")
    assert len(written) == 4
    assert 0.10 <= float(written) <= 0.99


def test_what_does_not_exist_on_a_day_is_refused() -> None:
    with pytest.raises(NotOnThisDay):
        draw(date(2025, 12, 31)).value("birth-year 65")
    with pytest.raises(NotOnThisDay):
        draw(date(2025, 1, 15)).value("this-year")


@pytest.mark.parametrize("line", ["{days-agoo 5}", "{start}", "{days-ago x}", "{number 5..2}", "{start + 5}"])
def test_a_placeholder_that_means_nothing_is_refused(line: str) -> None:
    with pytest.raises(KnowledgeError):
        draw().fill(line)


# Lines and spoils


def one(line: str, how: str = "") -> dict[str, object]:
    made = demo_resources([RecordLine("born 1980-01-01"), RecordLine(line, spoil=how)], "p", label())
    return made[1].resource


def test_a_line_becomes_a_resource_of_the_patient() -> None:
    made = demo_resources([RecordLine("born 1980-01-01"), RecordLine("immunization CVX|33")], "p7", label())
    assert [piece.resource["id"] for piece in made] == ["p7", "p7-2"]
    assert made[0].resource["birthDate"] == "1980-01-01"
    assert made[1].resource["patient"] == {"reference": "Patient/p7"}


def test_relatives_and_forbidden_orders() -> None:
    assert one("family ICD10CM|C50.911")["resourceType"] == "FamilyMemberHistory"
    assert one("forbidden order vaccine_live on 2025-04-01")["doNotPerform"] is True


@pytest.mark.parametrize(
    ("how", "key", "value"),
    [
        ("no-unit", "valueQuantity", {"value": 3.2}),
        ("no-range", "referenceRange", None),
        ("no-date", "effectiveDateTime", None),
        ("no-value", "valueQuantity", None),
        ("month-only", "effectiveDateTime", "2025-02"),
        ("year-only", "effectiveDateTime", "2025"),
        ("preliminary", "status", "preliminary"),
        ("status cancelled", "status", "cancelled"),
        ("text Some words", "code", {"text": "Some words"}),
        ("absent", "valueQuantity", None),
    ],
)
def test_a_result_is_spoiled(how: str, key: str, value: object) -> None:
    assert one("result lab_anc 3.2 10*9/L on 2025-02-20 upper 7", how).get(key) == value


def test_numbers_units_and_comparators_are_spoiled() -> None:
    line = "result lab_anc 3.2 10*9/L on 2025-02-20"
    whole = {"value": 3.2, "unit": "10*9/L", "code": "10*9/L", "system": "http://unitsofmeasure.org"}
    assert one(line, "value -1")["valueQuantity"] == whole | {"value": -1.0}
    assert one(line, "unit mg")["valueQuantity"] == whole | {"unit": "mg", "code": "mg"}
    assert one(line, "comparator <2")["valueQuantity"] == whole | {"value": 2.0, "comparator": "<"}
    assert "modifierExtension" in one(line, "modifier")
    assert "dataAbsentReason" in one(line, "absent")
    assert "loinc" not in json.dumps(one(line, "local-code")["code"])


def test_days_in_words_and_ages() -> None:
    line = "condition ICD10CM|I21.9 active since 2020-01-01"
    assert one(line, "onset-string")["onsetString"] == "some time ago"
    aged = one(line, "onset-age 40")["onsetAge"]
    assert isinstance(aged, dict)
    assert aged["value"] == 40
    assert "clinicalStatus" not in one(line, "no-status")


@pytest.mark.parametrize("how", ["no-units", "comparator two", "value x"])
def test_a_spoil_that_means_nothing_is_refused(how: str) -> None:
    with pytest.raises((KnowledgeError, ValueError)):
        spoil({"valueQuantity": {"value": 1}}, how)


# Disguises


LINES = [
    "result lab_anc 3.21 10*9/L on 2025-02-20 upper 7.5",
    "medication drug_methotrexate active since 2024-01-01 until 2024-06-01",
    "medication drug_baricitinib on-hold since 2024-01-01",
    "condition ICD10CM|B02.9 active since 2025-02-20",
    "procedure skin_examination on 2024-06-01",
    "immunization vaccine_live on 2025-02-20",
]


@pytest.mark.parametrize("disguise", DISGUISES, ids=lambda each: each.name)
def test_each_disguise_fits_something_and_keeps_whose_it_is(disguise: object) -> None:
    done = 0
    for line in LINES:
        piece = demo_resources([RecordLine("born 1980-01-01"), RecordLine(line)], "p", label())[1]
        before = json.dumps(piece.resource)
        applied = disguise.apply(piece, Kit(Random(1), recipes(), "p", bundled=True))  # type: ignore[attr-defined]  # noqa: S311
        assert applied or json.dumps(piece.resource) == before, "what could not be done changed something"
        done += applied
        owner = piece.resource.get("subject", piece.resource.get("patient"))
        assert "p" in json.dumps(owner)
    assert done


def test_spoiled_lines_keep_their_code() -> None:
    piece = DemoResource(
        RecordLine("result lab_anc 3 10*9/L", spoil="local-code"), one("result lab_anc 3 10*9/L", "local-code")
    )
    other_code = next(each for each in DISGUISES if each.name == "other-code")
    assert not other_code.apply(piece, Kit(Random(1), recipes(), "p", bundled=False))  # noqa: S311


@pytest.mark.parametrize(
    ("value", "factor", "came"), [(0.99, 1000, 990), (7.9, 10, 79), (22, 0.001, 0.022), (1.1, 1, 1.1)]
)
def test_a_number_is_scaled_exactly(value: float, factor: float, came: float) -> None:
    assert scaled(value, factor) == came


def test_the_factors_of_the_recipes_are_those_of_ucum() -> None:
    concepts = {"10*9/L": "lab_anc", "g/dL": "lab_hemoglobin", "U/L": "lab_alt", "mg/dL": "lab_ldl"}
    assert recipes().units.keys() == concepts.keys()
    for unit, spellings in recipes().units.items():
        concept = label().concepts[concepts[unit]]
        for spelling, factor in spellings.items():
            one_of_it = converted(exactly(factor), spelling, concept)
            assert one_of_it is not None, spelling
            assert one_of_it.low == pytest.approx(1)


# Wrong recipes


BASE = """
panel = "LOINC|58410-2"
[base.b]
weight = 1
lines = ["born 1980-01-01"]
expect = { stage = "before-start", action = "clear" }
"""


def load(folder: Path, text: str) -> Recipes:
    (folder / FILE).write_text(text, encoding="utf-8")
    return load_recipes(folder, label())


def test_the_smallest_recipes(tmp_path: Path) -> None:
    assert list(load(tmp_path, BASE).bases) == ["b"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[scenario.s]\non = ["c"]\nexpect = { action = "clear" }', "there is no 'c'"),
        ('[scenario.s]\non = ["b"]\nexpect = { low-neutrofils = "no", action = "clear" }', "low-neutrophils"),
        ('[scenario.s]\non = ["b"]\nexpect = { low-neutrophils = "yes", action = "clear" }', "holds"),
        ('[scenario.s]\non = ["b"]\nexpect = { low-neutrophils = "no" }', "must say 'action'"),
        ('[scenario.s]\non = ["b"]\nline = []\nexpect = { action = "clear" }', "'line' is not known"),
        ('[scenario.s]\non = ["b"]\ntraps = ["x"]\nexpect = { action = "clear" }', "there is no 'x'"),
        ('[[decoy]]\nlines = []\ntraps = ["x"]', "there is no 'x'"),
        ("[base.c]\nweight = 1\nlines = []\nexpect = {}", "must say 'stage' and 'action'"),
        ("[bases]\n", "'bases' is not known"),
        ("[[noise]]\ncode = 'LOINC|1'\ntext = 5\n", "text in quotes"),
    ],
)
def test_a_wrong_recipe_is_told_what_is_wrong(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(KnowledgeError) as error:
        load(tmp_path, BASE + more)
    assert FILE in str(error.value)
    assert said in str(error.value)


def test_a_label_without_recipes_says_so(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="there is no such file"):
        load_recipes(tmp_path, label())


def test_recipes_are_no_part_of_what_decides(tmp_path: Path) -> None:
    from shutil import copytree

    copytree(find_label("baricitinib"), tmp_path / "l")
    before = load_label(tmp_path / "l").digest
    (tmp_path / "l" / FILE).write_text("", encoding="utf-8")
    assert load_label(tmp_path / "l").digest == before == label().digest
