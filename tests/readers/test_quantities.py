"""Numbers with comparators and units, and reference ranges."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.values.interval import Interval, above, below
from precaution.values.record import Entry
from support.fhir_builders import LOINC, UCUM, code, observation, only, quantity

BLOOD = code(LOINC, "718-7")


def read(**elements: object) -> Entry:
    return only(observation(**elements))


@pytest.mark.parametrize(
    ("comparator", "expected"),
    [
        (None, Interval(0.5, 0.5)),
        ("<", below(0.5)),
        ("<=", below(0.5, inclusive=True)),
        (">", above(0.5)),
        (">=", above(0.5, inclusive=True)),
        ("ad", None),
        ("about", None),
        (5, None),
        ("", None),
    ],
)
def test_comparators(comparator: object, expected: Interval | None) -> None:
    given = {} if comparator is None else {"comparator": comparator}
    entry = read(valueQuantity={**quantity(0.5, "10*9/L"), **given})
    assert entry.value == expected
    assert (entry.note == "") is (expected is not None)


@pytest.mark.parametrize(
    ("value", "low"),
    [
        (quantity(2.5, "10*9/L"), 2.5),
        (quantity(2500, "/uL"), 2.5),
        (quantity(2.5, "10*3/uL"), 2.5),
        ({"value": 2.5, "unit": "K/uL"}, 2.5),
        ({"value": 2.5, "unit": "K/uL", "code": "K/uL", "system": UCUM}, 2.5),
        ({"value": 2.5, "unit": "x10E9/L", "code": "10*9/L", "system": UCUM}, 2.5),
        ({"value": 2.5, "unit": "10*9/L", "code": "TBD", "system": "http://local"}, 2.5),
        ({"value": 2.5, "code": "10*9/L"}, 2.5),
        ({"value": 2.5, "code": "10*9/L", "system": "http://mimic"}, 2.5),
        ({"value": 0, "unit": "10*9/L"}, 0),
    ],
)
def test_units(value: dict[str, object], low: float) -> None:
    entry = read(valueQuantity=value)
    assert entry.value == Interval(low, low)
    assert entry.note == ""


@pytest.mark.parametrize(
    ("value", "note"),
    [
        ({"value": 2.5}, "no unit"),
        ({"value": 2.5, "unit": " "}, "no unit"),
        ({"value": 2.5, "unit": "furlong"}, "unit not convertible to 10*9/L"),
        ({"value": 2.5, "unit": "%"}, "unit not convertible to 10*9/L"),
        ({"value": 2.5, "unit": 7}, "no unit"),
        ({"value": 2.5, "unit": "/uL", "code": "10*9/L", "system": UCUM}, "the unit's code and its text disagree"),
        (quantity(-1, "10*9/L"), "implausible for 10*9/L"),
        (quantity(201, "10*9/L"), "implausible for 10*9/L"),
        (quantity(0, "10*9/L", "<"), "implausible for 10*9/L"),
        (quantity(201, "10*9/L", ">"), "implausible for 10*9/L"),
        (quantity("2.5", "10*9/L"), "the value is not a number"),
        (quantity(True, "10*9/L"), "the value is not a number"),
        (quantity(None, "10*9/L"), "the value is not a number"),
        (quantity([2], "10*9/L"), "the value is not a number"),
        ("2.5", "the value is not a number"),
        ([], "the value is not a number"),
    ],
)
def test_numbers_that_can_not_be_used(value: object, note: str) -> None:
    entry = read(valueQuantity=value)
    assert (entry.value, entry.note, entry.says) == (None, note, "")


def test_hemoglobin_in_the_wrong_unit_is_refused() -> None:
    assert read(code=BLOOD, valueQuantity=quantity(140, "g/dL")).value is None
    assert read(code=BLOOD, valueQuantity=quantity(140, "g/L")).value == Interval(14, 14)
    assert read(code=BLOOD, valueQuantity=quantity(79.9999999, "g/L")).value < Interval(8, 8)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (quantity(2500, "/uL"), "2500 /uL"),
        (quantity(0.5, "10*9/L", "<"), "<0.5 10*9/L"),
        (quantity(17.299999999999997, "10*9/L"), "17.3 10*9/L"),
        ({"value": 2.5, "unit": "K/uL"}, "2.5 10*3/uL"),
    ],
)
def test_says_number_and_unit(value: dict[str, object], says: str) -> None:
    assert read(valueQuantity=value).says == says


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("0.8 10*9/L", Interval(0.8, 0.8)),
        ("<0.5 10*9/L", below(0.5)),
        ("< 0,5 10*9/L", below(0.5)),
        ("≤0.5 10*9/L", below(0.5, inclusive=True)),
        (">= 3 10*9/L", above(3, inclusive=True)),
        ("3 K/uL", Interval(3, 3)),
        ("2500/uL", Interval(2.5, 2.5)),
        ("0.8", None),
        ("1.39E+03 /uL", Interval(1.39, 1.39)),
        ("1.2.3 10*9/L", None),
        ("-1 10*9/L", None),
        ("0.8 or so", None),
        ("1-2 10*9/L", None),
        ("1e3 10*9/L", None),
        ("about 3 10*9/L", None),
        ("NaN", None),
        ("٣ 10*9/L", None),
        ("1:64", None),
        ("9" * 30 + " 10*9/L", None),
    ],
)
def test_numbers_as_text(written: str, expected: Interval | None) -> None:
    entry = read(valueString=written)
    assert entry.value == expected
    assert (entry.note != "") is (expected is None)


def test_a_comma_may_stand_for_thousands_or_for_a_decimal_point() -> None:
    entry = read(valueString="1,390 /uL")
    assert entry.value == Interval(0.00139, 1.39)
    assert entry.note == "the comma may stand for thousands or for a decimal point"
    assert read(valueString="<1,390 /uL").value is None


def test_ranges_and_ratios() -> None:
    ends = {"low": quantity(0.4, "10*9/L"), "high": quantity(600, "/uL")}
    entry = read(valueRange=ends)
    assert (entry.value, entry.says) == (Interval(0.4, 0.6), "0.4-0.6 10*9/L")
    assert read(valueRange={"low": quantity(1, "10*9/L")}).value is None
    assert read(valueRange={"low": quantity(3, "10*9/L"), "high": quantity(1, "10*9/L")}).value is None
    assert read(valueRatio={"numerator": quantity(1), "denominator": quantity(64)}).note == "a ratio is not a value"


def test_dimensionless() -> None:
    def antigen(**elements: object) -> Entry:
        return read(code=code(LOINC, "5196-1"), **elements)

    assert antigen(valueQuantity={"value": 0.1}).value == Interval(0.1, 0.1)
    assert antigen(valueQuantity=quantity(0.1, "{s_co_ratio}")).value == Interval(0.1, 0.1)
    assert antigen(valueInteger=2).value == Interval(2, 2)
    assert antigen(valueQuantity=quantity(0.1, "ng/mL")).note == "a unit is not expected here"
    assert antigen(valueQuantity={"value": -0.1}).note == "implausible"


# Reference ranges


def limits(*ranges: object) -> tuple[float | None, str]:
    entry = read(valueQuantity=quantity(2, "10*9/L"), referenceRange=list(ranges))
    return entry.upper, entry.note


HIGH = quantity(8, "10*9/L")


@pytest.mark.parametrize(
    ("ranges", "upper"),
    [
        ([{"high": HIGH}], 8),
        ([{"low": quantity(1, "10*9/L"), "high": quantity(8000, "/uL")}], 8),
        ([{"high": HIGH, "type": code("x", "normal")}], 8),
        ([{"high": HIGH}, {"high": HIGH, "age": {}}], 8),
        ([{"high": HIGH}, {"high": quantity(9, "10*9/L"), "type": code("x", "critical")}], 8),
        ([{"high": HIGH}, {"low": quantity(9, "10*9/L")}], 8),
        ([{"high": {"value": 8}}], 8),
        ([{"text": "1-8"}], 8),
        ([{"text": "< 8 10*9/L"}], 8),
        ([{"text": "1,5 - 8 10*9/L"}], 8),
        ([{"text": "up to 8000 /uL"}], 8),
        ([{"text": "see comment"}], None),
        ([{"text": "8-"}], None),
        ([], None),
        ([None, 5], None),
    ],
)
def test_upper_limit(ranges: list[object], upper: float | None) -> None:
    assert limits(*ranges) == (upper, "")


@pytest.mark.parametrize(
    ("ranges", "note"),
    [
        ([{"high": HIGH}, {"high": quantity(9, "10*9/L")}], "several reference ranges"),
        ([{"high": quantity(0, "10*9/L")}], "the reference range can't be used"),
        ([{"high": quantity(-1, "10*9/L")}], "the reference range can't be used"),
        ([{"high": quantity(8, "%")}], "the reference range can't be used"),
        ([{"high": quantity(8, "10*9/L", "<")}], "the reference range can't be used"),
        ([{"high": quantity("8", "10*9/L")}], "the reference range can't be used"),
        ([{"high": 8}], "the reference range can't be used"),
    ],
)
def test_upper_limits_that_can_not_be_used(ranges: list[object], note: str) -> None:
    assert limits(*ranges) == (None, note)


@given(st.floats(0, 200), st.sampled_from([("10*9/L", 1), ("/uL", 1000), ("10*6/L", 1000)]))
def test_every_plausible_number_comes_through(value: float, unit: tuple[str, float]) -> None:
    entry = read(valueQuantity=quantity(value * unit[1], unit[0]))
    if entry.value is None:
        assert value * unit[1] / unit[1] > 200
    else:
        assert entry.value.low == pytest.approx(value, rel=1e-9, abs=1e-300)


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([None, "<", ">", "<=", ">="]))
def test_no_value_is_negative_or_beyond_what_is_plausible(value: float, comparator: str | None) -> None:
    found = read(valueQuantity=quantity(value, "10*9/L", comparator)).value
    if found is not None:
        assert found.low >= 0 or found.low == -inf
        assert found.high <= 200 or found.high == inf
