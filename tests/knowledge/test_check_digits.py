"""Check digits and shapes of codes."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.knowledge.check_digits import is_loinc, is_snomed, luhn, verhoeff, well_formed

LISTS = Path(__file__).resolve().parents[3] / "shared/clinical/codes"


@pytest.mark.parametrize("code", ["718-7", "751-8", "26499-4", "72166-2", "5196-1", "42595-9", "LA6577-6"])
def test_true_loinc_numbers(code: str) -> None:
    assert is_loinc(code)


@pytest.mark.parametrize("code", ["13952-0", "11259-1", "38372-3", "11580-3", "718-8", "", "718-77", "x-1", "-7"])
def test_loinc_numbers_that_public_code_invented(code: str) -> None:
    assert not is_loinc(code)


@pytest.mark.parametrize("code", ["128053003", "56717001", "77176002", "16002111000119106", "260385009"])
def test_true_snomed_identifiers(code: str) -> None:
    assert is_snomed(code)


@pytest.mark.parametrize("code", ["16002111000119100", "128053004", "", "0128053003", "12345", "12805300x", "1" * 19])
def test_snomed_identifiers_that_a_spreadsheet_rounded(code: str) -> None:
    assert not is_snomed(code)


@pytest.mark.parametrize(
    ("system", "code", "formed"),
    [
        ("ICD10CM", "A15.0", True),
        ("ICD10CM", "C4A.9", True),
        ("ICD10CM", "U07.1", True),
        ("ICD10CM", "A15.", False),
        ("ICD10CM", "I2101", False),
        ("ICD10CM", "a15", False),
        ("ICD10CM", "XXXX", False),
        ("ATC", "L04AF02", True),
        ("ATC", "L04", True),
        ("ATC", "L04A0", False),
        ("RxNorm", "2047232", True),
        ("RxNorm", "2047232x", False),
        ("RxNorm", "", False),
        ("CVX", "05", True),
        ("CVX", "1234", False),
        ("nonsense", "1", False),
    ],
)
def test_shapes(system: str, code: str, *, formed: bool) -> None:
    assert well_formed(system, code) is formed


@given(st.text("0123456789", min_size=5, max_size=16), st.integers(0, 15), st.integers(1, 9))
def test_verhoeff_finds_every_wrong_digit(digits: str, place: int, shift: int) -> None:
    place %= len(digits)
    wrong = digits[:place] + str((int(digits[place]) + shift) % 10) + digits[place + 1 :]
    assert verhoeff(wrong) != verhoeff(digits)


@given(st.text("0123456789", min_size=5, max_size=16), st.integers(0, 15))
def test_verhoeff_finds_every_swap_of_neighbours(digits: str, place: int) -> None:
    place %= len(digits) - 1
    swapped = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
    assert (verhoeff(swapped) == verhoeff(digits)) is (swapped == digits)


@given(st.text("0123456789", min_size=1, max_size=6), st.integers(0, 5), st.integers(1, 9))
def test_luhn_finds_every_wrong_digit(digits: str, place: int, shift: int) -> None:
    place %= len(digits)
    wrong = digits[:place] + str((int(digits[place]) + shift) % 10) + digits[place + 1 :]
    assert luhn(wrong) != luhn(digits)


@pytest.mark.skipif(not LISTS.exists(), reason="the shared code lists are not here")
def test_every_shared_code_is_well_formed() -> None:
    wrong = []
    for path in LISTS.glob("[a-z]*.csv"):
        with path.open(encoding="utf-8") as file:
            wrong += [
                (path.name, row["code"])
                for row in csv.DictReader(file)
                if row["system"] in ("LOINC", "SNOMED", "ICD10CM", "RxNorm", "ATC", "CVX")
                and not well_formed(row["system"], row["code"].rstrip("*"))
            ]
    assert not wrong
