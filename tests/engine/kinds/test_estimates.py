"""An estimate: what a formula makes of a result, age, sex and weight where nothing was measured."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precaution.engine.chart import Known
from precaution.engine.kinds.estimates import completed_years
from precaution.errors import KnowledgeError
from precaution.knowledge.computed_facts import Estimated
from precaution.knowledge.formulas import formula, formulas, input_factor
from precaution.knowledge.refers import STAGES
from precaution.knowledge.terminology import Concept
from precaution.values.interval import Interval, above, below, exactly
from precaution.values.record import Entry, Sex
from support.effort import tries
from support.engine_builders import TODAY, day, known, on, result, span
from support.uncertain_results import inside

FILTRATION = Estimated(
    name="f", topic="t", title="f", estimate=("gfr",), input="raw", formula="ckd-epi-2021", worst="low"
)
CLEARANCE = replace(FILTRATION, formula="cockcroft-gault", weight="kilos", weight_within="window")
KINDS = st.sampled_from([FILTRATION, CLEARANCE])
SIXTY = on("1965-01-15")


def of(fact: Estimated, *entries: Entry, birth: Any = SIXTY, sex: Sex = "female", **policy: Any) -> Known:
    return known(fact, *entries, birth=birth, sex=sex, parameters={"window": 90, **policy})


def number(known: Known) -> float:
    assert isinstance(known.value, Interval)
    assert known.value.exact
    return known.value.low


@pytest.mark.parametrize(
    ("creatinine", "born", "sex", "expected"),
    [
        (0.9, "1970-01-15", "female", 76),  # 55 years: worked out by creatinineclearancecalculator.net
        (1.0, "1974-06-01", "male", 91.7),  # 50 years: 142 x (1 / 0.9)^-1.2 x 0.9938^50
        (0.6, "1974-06-01", "female", 109.3),  # below the knee: 142 x (0.6 / 0.7)^-0.241 x 0.9938^50 x 1.012
        (0.6, "1974-06-01", "male", 117.6),
    ],
)
def test_the_equation_of_2021(creatinine: float, born: str, sex: Sex, expected: float) -> None:
    found = of(FILTRATION, result("raw", creatinine, "2025-02-20"), birth=on(born), sex=sex)
    assert number(found) == pytest.approx(expected, abs=0.6)


def test_cockcroft_and_gault() -> None:
    entries = [result("raw", 1.2, "2025-02-20"), result("kilos", 72, "2025-01-20")]
    assert number(of(CLEARANCE, *entries, sex="male")) == pytest.approx((140 - 60) * 72 / (72 * 1.2))
    assert number(of(CLEARANCE, *entries)) == pytest.approx(0.85 * (140 - 60) * 72 / (72 * 1.2))


def test_what_is_measured_is_taken_as_it_is() -> None:
    raw = result("raw", 1.2, "2025-02-20")
    assert of(FILTRATION, raw, result("gfr", 33, "2025-02-20")).value == exactly(33)
    assert of(FILTRATION, result("gfr", above(60), "2025-02-25"), raw).value == above(60)
    assert of(FILTRATION, result("gfr", 33, "2025-02-10"), raw).value != exactly(33)


def test_a_later_measurement_that_cannot_be_read_is_no_measurement() -> None:
    found = of(FILTRATION, result("raw", 1.2, "2025-02-20"), result("gfr", None, "2025-02-20", note="no unit"))
    assert found.value is None or found.value == Interval(-inf, found.value.high, True, False)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("fact", "more", "why"),
    [
        (FILTRATION, {"birth": None}, "CKD-EPI creatinine equation of 2021: no date of birth"),
        (FILTRATION, {"birth": on("2007-02-21")}, "CKD-EPI creatinine equation of 2021: it holds from 18 years of age"),
        (CLEARANCE, {}, "Cockcroft-Gault formula: no recent weight"),
    ],
)
def test_what_the_formula_lacks_is_said(fact: Estimated, more: dict[str, Any], why: str) -> None:
    found = of(fact, result("raw", 1.2, "2025-02-20"), result("kilos", 70, "2024-02-20"), **more)
    assert (found.value, found.why) == (None, why)


def test_without_any_result_nothing_is_estimated() -> None:
    found = of(CLEARANCE, result("kilos", 70, "2025-02-20"))
    assert (found.value, found.why) == (None, "no result on record")


def test_eighteen_is_reached_on_the_birthday() -> None:
    assert of(FILTRATION, result("raw", 1, "2025-02-20"), birth=on("2007-02-20")).value is not None


def test_a_sex_that_is_not_known_is_either() -> None:
    raw = result("raw", 1.2, "2025-02-20")
    woman, man = number(of(FILTRATION, raw)), number(of(FILTRATION, raw, sex="male"))
    for sex in ("", "other"):
        assert of(FILTRATION, raw, sex=sex).value == Interval(woman, man)  # type: ignore[arg-type]


def test_uncertain_inputs_make_an_uncertain_estimate() -> None:
    found = of(FILTRATION, result("raw", below(0.7), "2025-02-20"), birth=span("1965-01-01", "1965-12-31"))
    assert found.value == Interval(number(of(FILTRATION, result("raw", 0.7, "2025-02-20"))), inf, True, True)
    weights = [result("kilos", 60, "2025-02-01"), result("kilos", 66, "2025-02-01")]
    either = of(CLEARANCE, result("raw", 1, "2025-02-20"), *weights).value
    assert either == Interval(*(number(of(CLEARANCE, result("raw", 1, "2025-02-20"), each)) for each in weights))


def test_the_units_of_the_result_and_of_the_formula() -> None:
    moles = Concept(name="raw", unit="umol/L", factors={"mg/dL": 88.4})
    assert input_factor(formula("ckd-epi-2021"), moles) == 88.4
    assert input_factor(formula("ckd-epi-2021"), Concept(name="raw", unit="mg/dL")) == 1
    with pytest.raises(KnowledgeError, match="give the factor from mg/dL"):
        input_factor(formula("ckd-epi-2021"), Concept(name="raw", unit="umol/L"))


def test_every_formula_is_of_the_form_and_of_a_source() -> None:
    for name in formulas():
        found = formula(name)
        assert (found.problem(), bool(found.source)) == ("", True)
    assert replace(formula("ckd-epi-2021"), per_year=1.1).problem()
    assert replace(formula("ckd-epi-2021"), above={"female": 1, "male": 1}).problem()
    assert replace(formula("ckd-epi-2021"), knee={"female": 0, "male": 1}).problem()
    assert replace(formula("ckd-epi-2021"), knee={"male": 1}).problem()


@pytest.mark.parametrize(
    ("born", "then", "years"),
    [("2000-02-29", "2018-02-28", 17), ("2000-02-29", "2018-03-01", 18), ("2000-02-29", "2020-02-29", 20)],
)
def test_years_of_those_born_on_the_29th_of_february(born: str, then: str, years: int) -> None:
    assert completed_years(day(born), day(then)) == years


@settings(max_examples=tries(150, 1500), deadline=None)
@given(st.data(), KINDS, st.sampled_from(["low", "high"]), st.booleans())
def test_what_is_told_holds_however_what_goes_in_turns_out(
    data: st.DataObject, fact: Estimated, worst: Any, same_day_unknown: bool
) -> None:
    """The estimate of exact inputs lies in that of the uncertain inputs they may be."""
    fact = replace(fact, worst=worst, within=dict.fromkeys(STAGES, "window"))
    policy: dict[str, Any] = {"same_day": "unknown"} if same_day_unknown else {}
    numbers = st.sampled_from([0.4, 0.7, 0.9, 1.0, 2.5])
    loose, exact = [], []
    for concept in ["raw"] * data.draw(st.integers(1, 3)) + ["kilos"] * data.draw(st.integers(0, 2)):
        value = data.draw(numbers) * (1 if concept == "raw" else 80)
        when = TODAY - data.draw(st.integers(0, 60))
        wide = data.draw(st.sampled_from([exactly(value), below(value * 1.1), Interval(value * 0.8, value)]))
        month = data.draw(st.sampled_from([exactly(when), Interval(when - 5, min(when + 5, TODAY))]))
        source = f"{concept}/{len(loose)}"
        loose.append(result(concept, wide, month, source=source))
        exact.append(result(concept, value, exactly(when), source=source))
    born = day("1960-02-20") + data.draw(st.integers(0, 400))
    told = of(fact, *loose, birth=Interval(born - 50, born + 30), sex="", **policy).value
    sex = data.draw(st.sampled_from(["female", "male"]))
    found = of(fact, *exact, birth=exactly(born), sex=sex, **policy).value  # type: ignore[arg-type]
    if isinstance(told, Interval) and isinstance(found, Interval):
        assert inside(found, told)
    assert told is None or found is not None
