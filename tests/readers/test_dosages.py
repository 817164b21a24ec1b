"""The dosage of a medication in the forms that FHIR has -> its dose a day, as an interval; what is not told is None."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precaution.knowledge.strengths import Strength, strength_of
from precaution.knowledge.terminology import Concept
from precaution.readers.dosages import doses, strength_in
from precaution.readers.frequencies import times_a_day
from precaution.values.interval import Interval, exactly
from support.effort import tries
from support.engine_builders import day

MG = {"unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
TABLET = Strength(piece=2.5)
START = exactly(day("2025-01-01"))


def quantity(value: float, unit: str = "mg") -> dict[str, Any]:
    return {"value": value, "unit": unit}


def every(period: float, unit: str, **more: Any) -> dict[str, Any]:
    return {"repeat": {"frequency": 1, "period": period, "periodUnit": unit, **more}}


def taken(value: float = 10, timing: dict[str, Any] | None = None, unit: str = "mg", **more: Any) -> dict[str, Any]:
    return {
        "timing": timing or every(1, "d"),
        "doseAndRate": [{"doseQuantity": quantity(value, unit)}],
        **more,
    }


def order(*dosages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "MedicationRequest", "dosageInstruction": list(dosages), **more}


def of(*dosages: dict[str, Any], strength: Strength = TABLET, **more: Any) -> Interval | None:
    """Return the dose of an order a day."""
    (found,) = doses(order(*dosages, **more), strength, START)
    if found.value is None:
        return None
    return Interval(round(found.value.low, 9), round(found.value.high, 9), *found.value[2:])


@pytest.mark.parametrize(
    ("timing", "a_day"),
    [
        (every(1, "d"), 1),
        (every(2, "d"), 0.5),
        (every(1, "wk"), 1 / 7),
        (every(12, "h"), 2),
        (every(1, "mo"), 12 / 365.2425),
        ({"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}}, 3),
        ({"repeat": {"period": 1, "periodUnit": "d"}}, 1),
        ({"repeat": {"timeOfDay": ["08:00:00", "20:00:00"]}}, 2),
        ({"repeat": {"dayOfWeek": ["mon"]}}, 1 / 7),
        ({"repeat": {"dayOfWeek": ["mon", "thu"], "timeOfDay": ["08:00:00"]}}, 2 / 7),
        (every(1, "wk", dayOfWeek=["sun"]), 1 / 7),
        (every(1, "d", dayOfWeek=["mon", "wed", "fri"]), 3 / 7),
        ({"repeat": {"when": ["MORN", "EVE"]}}, 2),
        ({"code": {"coding": [{"code": "BID"}]}}, 2),
        ({"code": {"coding": [{"code": "QOD"}]}}, 0.5),
        ({"code": {"coding": [{"code": "Q8H"}]}}, 3),
        ({"code": {"text": "qd"}}, 1),
        ({"code": {"coding": [{"code": "WK"}]}}, 1 / 7),
    ],
)
def test_how_often_a_dose_is_taken(timing: dict[str, Any], a_day: float) -> None:
    found = times_a_day(timing)
    assert found is not None
    assert found == pytest.approx((a_day, a_day, False, False))


def test_what_may_be_read_in_two_ways_is_both() -> None:
    assert times_a_day({"repeat": {"frequency": 1, "frequencyMax": 2, "period": 1, "periodUnit": "d"}}) == (1, 2, 0, 0)
    assert times_a_day({"repeat": {"frequency": 1, "period": 1, "periodMax": 2, "periodUnit": "d"}}) == (0.5, 1, 0, 0)
    assert times_a_day(every(1, "wk", dayOfWeek=["mon", "thu"])) == pytest.approx((1 / 7, 2 / 7, 0, 0))
    assert times_a_day({**every(1, "d"), "code": {"coding": [{"code": "BID"}]}}) == (1, 2, 0, 0)


@pytest.mark.parametrize(
    "timing",
    [
        {},
        {"code": {"text": "as directed"}},
        {"repeat": {"frequency": 2}},
        {"repeat": {"period": 1}},
        {"repeat": {"period": 1, "periodUnit": "fortnight"}},
        {"repeat": {"period": 0, "periodUnit": "d"}},
        {"repeat": {"when": ["C"]}},
        {"event": ["2025-01-01"]},
        {"repeat": {"period": -1, "periodUnit": "d", "dayOfWeek": ["mon"]}},
    ],
)
def test_how_often_is_never_guessed(timing: dict[str, Any]) -> None:
    assert times_a_day(timing) is None


def test_masses_tablets_and_volumes() -> None:
    assert of(taken(10)) == exactly(10)
    assert of(taken(0.01, unit="g")) == of(taken(10_000, unit="ug")) == exactly(10)
    assert of(taken(4, unit="TAB")) == of(taken(4, unit="{tbl}")) == of(taken(4, unit="tablets")) == exactly(10)
    assert of(taken(0.4, unit="mL"), strength=Strength(ml=25)) == exactly(10)
    assert of(taken(4, unit="tablet"), strength=Strength(ml=25)) is None
    assert of(taken(4, unit="tablet"), strength=Strength()) is None
    for unit in ("mg/kg", "mg/m2", "[iU]", "puff", "drop"):
        assert of(taken(4, unit=unit)) is None


def test_the_strength_of_a_medication_and_of_the_labels_folder() -> None:
    drug = Concept(name="d", strengths={"RxNorm 1": "2.5 mg", "RxNorm 2": "15 mg/5 mL", "RxNorm 3": "1 g"})
    assert strength_in(drug, None, [("RxNorm", "1")]) == Strength(piece=2.5)
    assert strength_in(drug, None, [("ATC", "1"), ("RxNorm", "2")]) == Strength(ml=3)
    assert strength_in(drug, None, [("RxNorm", "3")]) == Strength(piece=1000)
    ratio = {"numerator": quantity(5), "denominator": quantity(1, "tablet")}
    told = {"resourceType": "Medication", "ingredient": [{"strength": ratio}]}
    assert strength_in(drug, told, [("RxNorm", "1")]) == Strength(piece=5)
    two = {**told, "ingredient": told["ingredient"] * 2}
    assert strength_in(drug, two, []) == Strength()
    syrup = {"numerator": quantity(50), "denominator": quantity(2, "mL")}
    assert strength_in(drug, {"ingredient": [{"strength": syrup}]}, []) == Strength(ml=25)
    assert [strength_of(each) for each in ("2.5", "mg", "2.5 mg/", "1.2.3 mg", "2 mg/0 mL")] == [None] * 5


def test_ranges_comparators_and_as_needed() -> None:
    span = {"doseAndRate": [{"doseRange": {"low": quantity(5), "high": quantity(10)}}], "timing": every(1, "d")}
    assert of(span) == Interval(5, 10)
    assert of({**span, "asNeededBoolean": True}) == Interval(0, 10)
    assert of(taken(10, asNeededCodeableConcept={"text": "pain"})) == Interval(0, 10)
    assert of({**span, "doseAndRate": [{"doseRange": {"low": quantity(5)}}]}) is None
    several = [{"doseQuantity": quantity(5)}, {"doseQuantity": quantity(7.5)}]
    assert of({**span, "doseAndRate": several}) == Interval(5, 7.5)


def test_the_most_that_is_allowed() -> None:
    most = {"numerator": quantity(15), "denominator": {"value": 1, "unit": "d", "code": "d"}}
    assert of(taken(10, every(12, "h"), asNeededBoolean=True, maxDosePerPeriod=most)) == Interval(0, 15)
    assert of({"text": "when it hurts", "maxDosePerPeriod": most}) == Interval(0, 15)
    assert of(taken(10, maxDosePerPeriod=most)) == exactly(10)


def test_instructions_of_one_time_are_added() -> None:
    assert of(taken(5), taken(2.5, every(1, "d"))) == exactly(7.5)
    assert of(taken(5, sequence=1), taken(2.5, sequence=1)) == exactly(7.5)
    assert of(taken(5), {"text": "and some more in the evening"}) == Interval(5, inf, False, True)


def test_a_taper_is_a_dose_for_each_part_of_it() -> None:
    weeks = [
        taken(mg, every(1, "d", boundsDuration={"value": 7, "code": "d"}), sequence=n) for n, mg in enumerate((20, 10))
    ]
    last = taken(5, sequence=2)
    found = doses(order(*weeks, last), TABLET, START)
    assert [(each.value, each.start, each.end) for each in found] == [
        (exactly(20), START, exactly(START.low + 6)),
        (exactly(10), exactly(START.low + 7), exactly(START.low + 13)),
        (exactly(5), exactly(START.low + 14), None),
    ]


def test_numbered_instructions_whose_times_are_not_told_may_be_each_or_all() -> None:
    assert of(taken(5, sequence=1), taken(2.5, sequence=2)) == Interval(2.5, 7.5)
    assert of(taken(5, sequence=1), {"text": "less", "sequence": 2}) == Interval(0, inf, False, True)


def test_periods_of_their_own() -> None:
    june = every(1, "d", boundsPeriod={"start": "2025-06-01", "end": "2025-06-30"})
    july = every(1, "d", boundsPeriod={"start": "2025-07-01"})
    found = doses(order(taken(20, june), taken(10, july)), TABLET, START)
    assert [(each.value, each.start, each.end) for each in found] == [
        (exactly(20), exactly(day("2025-06-01")), exactly(day("2025-06-30"))),
        (exactly(10), exactly(day("2025-07-01")), None),
    ]


def test_a_supply_for_so_many_days_where_no_instruction_tells_the_dose() -> None:
    month = {"quantity": quantity(12, "tablet"), "expectedSupplyDuration": {"value": 28, "code": "d"}}
    words = {"text": "three tablets on Sundays"}
    assert of(words, dispenseRequest=month) == exactly(round(12 * 2.5 / 28, 9))
    assert of(taken(10), dispenseRequest=month) == exactly(10)
    supply = {"resourceType": "MedicationDispense", "quantity": quantity(28, "tablet"), "daysSupply": quantity(28, "d")}
    assert [each.value for each in doses(supply, TABLET, START)] == [exactly(2.5)]


def test_a_statement_and_an_administration() -> None:
    statement = {"resourceType": "MedicationStatement", "dosage": [taken(15, every(1, "wk"))]}
    (found,) = doses(statement, TABLET, START)
    assert found.value == pytest.approx((15 / 7, 15 / 7, 0, 0))
    given_ = {"resourceType": "MedicationAdministration", "dosage": {"dose": quantity(15)}}
    assert [each.value for each in doses(given_, TABLET, START)] == [exactly(15)]


@pytest.mark.parametrize(
    "dosage", [{}, {"text": "10 mg daily"}, {"timing": every(1, "d")}, taken(-1), {**taken(), "doseAndRate": [{}]}]
)
def test_words_and_halves_tell_nothing(dosage: dict[str, Any]) -> None:
    assert of(dosage) is None


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 40)
    | st.sampled_from(["mg", "d", "wk", "QD", "mon", "", "<", "tablet"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "dosageInstruction",
                    "timing",
                    "repeat",
                    "code",
                    "coding",
                    "text",
                    "frequency",
                    "period",
                    "periodUnit",
                    "dayOfWeek",
                    "boundsDuration",
                    "boundsPeriod",
                    "start",
                    "end",
                    "doseAndRate",
                    "doseQuantity",
                    "doseRange",
                    "low",
                    "high",
                    "value",
                    "unit",
                    "comparator",
                    "sequence",
                    "maxDosePerPeriod",
                    "numerator",
                    "denominator",
                    "dispenseRequest",
                    "quantity",
                    "expectedSupplyDuration",
                    "when",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@settings(max_examples=tries(200, 3000), deadline=None)
@given(ANY, st.sampled_from(["MedicationRequest", "MedicationDispense", "MedicationStatement"]))
def test_anything_is_a_dose_or_not_told(dosage: Any, kind: str) -> None:
    held = {"resourceType": kind, "dosageInstruction": dosage, "dosage": dosage}
    held |= dosage if isinstance(dosage, dict) else {}
    found = doses(held, TABLET, START)
    assert found
    for each in found:
        assert each.value is None or 0 <= each.value.low <= each.value.high
