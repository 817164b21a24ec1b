"""Units: exact at the label's limits, the same as the UCUM library, and unknown rather than wrong."""

from __future__ import annotations

import csv
import subprocess
import sys
from math import inf, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.errors import KnowledgeError
from precaution.knowledge.terminology import Concept
from precaution.readers.units import converted, display_unit, factor
from precaution.values.interval import EVERYTHING, Interval, above, below, exactly
from support.project import PROJECT

PACKAGE = PROJECT / "precaution" / "readers"


def rows(name: str) -> list[dict[str, str]]:
    with (PACKAGE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


UNITS, ALIASES = rows("units.csv"), rows("unit_aliases.csv")


def concept(unit: str, **factors: float) -> Concept:
    return Concept(name="lab_x", unit=unit, factors={key.replace("_", "/"): value for key, value in factors.items()})


COUNT, MASS, ENZYME = concept("10*9/L"), concept("g/dL"), concept("U/L")
LIPID = concept("mg/dL", mmol_L=38.67)
VIRUS, ANTIBODY = concept("[IU]/mL"), concept("m[IU]/mL")


@pytest.mark.parametrize(
    ("value", "unit", "of", "expected"),
    [
        (1000, "/uL", COUNT, 1),
        (500, "/uL", COUNT, 0.5),
        (499, "/uL", COUNT, 0.499),
        (1, "10*3/uL", COUNT, 1),
        (500, "cells/mm3", COUNT, 0.5),
        (500, "#/uL", COUNT, 0.5),
        (0.5, "K/uL", COUNT, 0.5),
        (0.5, "10*3/mm3", COUNT, 0.5),
        (500, "10*6/L", COUNT, 0.5),
        (0.5, "x10^9/L", COUNT, 0.5),
        (0.5, "10E9/L", COUNT, 0.5),
        (0.5, "10⁹/L", COUNT, 0.5),
        (0.5, "10³/µL", COUNT, 0.5),
        (0.5, "G/L", COUNT, 0.5),
        (0.5, "Thousand/uL", COUNT, 0.5),
        (1500, "/mm3", COUNT, 1.5),
        (80, "g/L", MASS, 8),
        (79.9, "g/L", MASS, 7.99),
        (8, "g/dL", MASS, 8),
        (8, "g/dl", MASS, 8),
        (8, "gm/dL", MASS, 8),
        (40, "U/L", ENZYME, 40),
        (40, "U/l", ENZYME, 40),
        (40, "IU/L", ENZYME, 40),
        (40, "[IU]/L", ENZYME, 40),
        (1, "ukat/L", ENZYME, 60),
        (1, "µkat/L", ENZYME, 60),
        (1, "μkat/L", ENZYME, 60),
        (2, "mmol/L", LIPID, 77.34),
        (2, "mmol/l", LIPID, 77.34),
        (130, "MG/DL", LIPID, 130),
        (1.3, "g/L", LIPID, 130),
        (20, "IU/mL", VIRUS, 20),
        (2, "k[IU]/mL", VIRUS, 2000),
        (20000, "[IU]/L", VIRUS, 20),
        (3, "{Log_IU}/mL", VIRUS, 1000),
        (3, "log10 IU/mL", VIRUS, 1000),
        (3, "{Log}[IU]/mL", VIRUS, 1000),
        (10, "mIU/mL", ANTIBODY, 10),
        (10, "[IU]/L", ANTIBODY, 10),
        (0.01, "[IU]/mL", ANTIBODY, 10),
        (45, "%", concept("%"), 45),
        (1, "cm", concept("mm"), 10),
        (20, "{PackYears}", concept("1"), 20),
        (2, "wk", concept("d"), 14),
        (28, "days", concept("d"), 28),
    ],
)
def test_a_value_in_another_unit_is_exact(value: float, unit: str, of: Concept, expected: float) -> None:
    assert converted(exactly(value), unit, of) == exactly(expected)


@pytest.mark.parametrize(
    ("unit", "of"),
    [
        ("", MASS),
        (" ", MASS),
        ("", concept("")),
        ("nonsense", MASS),
        ("g/dL", COUNT),
        ("10*9/L", MASS),
        ("G/L", MASS),  # giga of cells, or a gram in capitals: not ours to guess
        ("g/L", COUNT),  # and a gram is no count
        ("K/uL", MASS),
        ("%", COUNT),
        ("1", concept("%")),
        ("mmol/L", MASS),
        ("mmol/L", COUNT),
        ("{copies}/mL", VIRUS),
        ("/mL", VIRUS),
        ("IU/mL", ENZYME),
        ("[IU]/mL", ENZYME),
        ("U/L", VIRUS),
        ("mg", LIPID),
        ("log copies/mL", VIRUS),
        ("[IU]/mL{log10}", VIRUS),
        ("g/dL\0", MASS),
        ("g/dL; drop", MASS),
    ],
)
def test_a_unit_that_can_not_be_told_gives_no_value(unit: str, of: Concept) -> None:
    assert converted(exactly(5), unit, of) is None


@pytest.mark.parametrize("row", UNITS, ids=lambda row: f"{row['unit']}>{row['to']}")
def test_a_factor_keeps_order_and_open_ends(row: dict[str, str]) -> None:
    of = concept(row["to"])
    found = factor(row["unit"], of)
    assert found is not None
    multiply, divide = found
    assert multiply > 0
    assert divide > 0
    limit = 3 * multiply / divide
    assert converted(below(3), row["unit"], of) == below(limit)
    assert converted(above(3, inclusive=True), row["unit"], of) == above(limit, inclusive=True)
    assert converted(EVERYTHING, row["unit"], of) == EVERYTHING


FINITE = st.floats(min_value=0, max_value=1e9, allow_nan=False)


@given(st.sampled_from(UNITS), FINITE, FINITE, st.booleans(), st.booleans())
def test_conversion_keeps_the_order_of_ends(
    row: dict[str, str],
    one: float,
    other: float,
    low_open: bool,
    high_open: bool,
) -> None:
    given_value = Interval(min(one, other), max(one, other), low_open, high_open)
    found = converted(given_value, row["unit"], concept(row["to"]))
    assert found is not None
    assert found.low <= found.high
    assert (found.low_open, found.high_open) == (low_open, high_open)


@given(st.sampled_from([row for row in UNITS if any(back["unit"] == row["to"] for back in UNITS)]), FINITE)
def test_there_and_back_is_the_same(row: dict[str, str], value: float) -> None:
    there = converted(exactly(value), row["unit"], concept(row["to"]))
    assert there is not None
    multiply, divide = factor(row["unit"], concept(row["to"])) or (0, 1)
    assert isclose(there.low * divide / multiply, value, rel_tol=1e-12, abs_tol=1e-200)


@given(st.floats(min_value=-3, max_value=12, allow_nan=False))
def test_a_logarithm_is_not_linear(value: float) -> None:
    found = converted(exactly(value), "log10 IU/mL", VIRUS)
    assert found == exactly(10.0**value)


def test_a_logarithm_keeps_comparators() -> None:
    assert converted(below(1), "log10 IU/mL", VIRUS) == Interval(0, 10, low_open=True, high_open=True)
    assert converted(above(2), "log10 IU/mL", VIRUS) == Interval(100, inf, low_open=True, high_open=True)
    assert converted(exactly(400), "log10 IU/mL", VIRUS) is None


@pytest.mark.parametrize("wrong", [-1.0, 0.0, inf, float("nan")])
def test_a_concept_s_own_factor_must_be_positive(wrong: float) -> None:
    with pytest.raises(KnowledgeError, match=r"^\[concept\.lab_x\] factors: .* must be a number above 0$"):
        factor("mmol/L", concept("mg/dL", mmol_L=wrong))


def test_own_factors_of_one_concept_are_not_another_s() -> None:
    assert factor("mmol/L", concept("mg/dL", mmol_L=87.94)) == (87.94, 1)
    assert factor("mmol/L", LIPID) == (38.67, 1)
    assert factor("mmol/L", concept("mg/dL")) is None


def test_every_alias_leads_to_a_value() -> None:
    for row in ALIASES:
        of = Concept(name="lab_x", unit=row["only_for"] or "mg/dL", factors={"mmol/L": 2})
        assert factor(row["spelling"], of) is not None, row["spelling"]
        assert row["seen"], f"{row['spelling']}: say where it was seen, or 'ours'"


def test_an_alias_stands_once_and_is_no_ucum_of_its_own_target() -> None:
    keys = [(row["spelling"], row["only_for"]) for row in ALIASES]
    assert len(keys) == len(set(keys))
    computed = {(row["unit"], row["to"]) for row in UNITS}
    assert not computed & set(keys)


@pytest.mark.parametrize(
    ("unit", "shown"),
    [
        ("K/uL", "10*3/uL"),
        ("K/µL", "10*3/uL"),
        ("g/dL", "g/dL"),
        ("mmol/l", "mmol/L"),
        ("{Log_IU}/mL", ""),
        ("IU/L", ""),
        ("", ""),
        ("Robert", ""),
        ("<script>", ""),
    ],
)
def test_only_known_units_are_shown(unit: str, shown: str) -> None:
    assert display_unit(unit) == shown


def test_the_table_is_what_the_library_computes() -> None:
    pytest.importorskip("ucumvert")
    checked = subprocess.run(
        [sys.executable, PROJECT / "tools" / "make_units.py", "--check"], check=False, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr


def test_the_check_of_the_table_can_fail() -> None:
    pytest.importorskip("ucumvert")
    sys.path.insert(0, str(PROJECT / "tools"))
    try:
        import make_units
    finally:
        sys.path.pop(0)
    assert make_units.whole("g/L", "g/dL", 0.1) == ("g/L", "g/dL", 1, 10)
    assert make_units.whole("ukat/L", "U/L", 60.00000000000001) == ("ukat/L", "U/L", 60, 1)
    with pytest.raises(SystemExit, match=r"^g/dL is no 10\*9/L"):
        make_units.ratio(make_units.PintUcumRegistry(), "g/dL", "10*9/L")


def test_every_unit_of_the_shared_list_is_understood(shared: object) -> None:
    """`_lab_units.csv` says what was seen in real data; what it calls convertible must be."""
    with (PROJECT.parent / "shared/clinical/codes/_lab_units.csv").open(encoding="utf-8", newline="") as file:
        seen = [row for row in csv.DictReader(file) if row["multiply_by_to_label_unit"][:1].isdigit()]
    assert seen
    names = {"IU/mL": "[IU]/mL", "mIU/mL": "m[IU]/mL"}
    for row in seen:
        of = Concept(
            name=row["concept"], unit=names.get(row["label_unit"], row["label_unit"]), factors={"mmol/L": 38.67}
        )
        for unit in row["ucum_or_string_seen"].split(" or "):
            if unit != "{copies}/mL":
                assert converted(exactly(1), unit, of) is not None, (row["concept"], unit)
