"""Rules and facts in plain English."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.knowledge.expression import And, Compare, Expression, Literally, Name, Not, Or, compiled, parse
from precaution.knowledge.fact_kinds import FACT_KINDS
from precaution.values import logic
from precaution.values.interval import Interval, exactly
from precaution.writers.english import english, opposite, unit
from precaution.writers.looks_at import fact_in_english
from support.sample_label import FACTS, LABEL


@pytest.mark.parametrize(
    ("when", "text"),
    [
        ("a < 1", "Count of A is below 1 ×10⁹/L"),
        ("a <= 0.5", "Count of A is at most 0.5 ×10⁹/L"),
        ("a > 1", "Count of A is above 1 ×10⁹/L"),
        ("lowest_a >= 1", "Lowest count of A is at least 1 ×10⁹/L"),
        ("enzyme > 3", "ALX is above 3 × the upper limit of normal"),
        ("since_d < 28", "Days since D is below 28"),
        ("since_d < count_max_age", "Days since D is below 28 days (count-max-age, local policy)"),
        ("on_d < lipids_at", "Days on D is below 84 days (lipids-at, the site's policy)"),
        ("antigen == 'positive'", "HBxAg is “positive”"),
        ("antigen != 'positive'", "HBxAg is not “positive”"),
        ("smoking in ('current', 'former')", "Smoking is “current” or “former”"),
        ("not smoking in ('current', 'former')", "Smoking is neither “current” nor “former”"),
        ("past_c", "History of C"),
        ("not past_c", "Not “history of C”"),
        ("known(a)", "Count of A can be told"),
        ("not known(a)", "Count of A can't be told"),
        ("recorded(past_c)", "The record holds something on history of C"),
        ("not recorded(past_c)", "The record holds nothing on history of C"),
        ("possible(past_c)", "Possibly “history of C” (a question only)"),
        ("possible(past_c or active_c)", "Possibly (history of C or active C) (a question only)"),
        ("no_alternative", "A1 is answered yes"),
        ("not no_alternative", "A1 is answered no"),
        ("recorded(no_alternative)", "A1 is answered"),
        ("not known(no_alternative)", "A1 is not answered"),
        ("recorded(no_alternative) and no_alternative", "A1 is answered yes"),
        ("not (recorded(no_alternative) and no_alternative)", "A1 is not answered yes"),
        ("not (known(no_alternative) and not no_alternative)", "A1 is not answered no"),
        ("recorded(past_c) and past_c", "The record holds something on history of C and history of C"),
        ("old or past_c", "“Age 65 or older” or history of C"),
        ("specialist == 'continue'", "The answer to A10 is “continue”"),
        ("not (a < 1)", "Count of A is at least 1 ×10⁹/L"),
        ("not (past_c and active_c)", "It is not so that (history of C and active C)"),
        ("past_c and (active_c or often_c)", "History of C and (active C or recurrent C)"),
        ("(past_c and active_c) or often_c", "(history of C and active C) or recurrent C"),
        ("past_c or old", "History of C or “age 65 or older”"),
    ],
)
def test_an_expression_in_english(when: str, text: str) -> None:
    assert english(parse(when), LABEL) == text


BOOLS = [Name("past_c"), Name("active_c"), Name("often_c")]
COMPARISONS = st.builds(
    Compare,
    st.just(Name("a")),
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    st.builds(Literally, st.sampled_from([0.5, 1.0])),
)
EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(
    st.sampled_from(BOOLS) | COMPARISONS,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(lambda a, b: And((a, b)), inner, inner)
        | st.builds(lambda a, b: Or((a, b)), inner, inner)
    ),
    max_leaves=8,
)


class Patient:
    """A patient of whom every fact is given."""

    def __init__(self, values: dict[str, Interval | bool | None]) -> None:
        self.values = values

    def __getitem__(self, name: str) -> Interval | bool | None:
        return self.values[name]

    def recorded(self, name: str) -> bool:
        return self.values[name] is not None


TRUTHS = st.sampled_from([True, False, None])
PATIENTS = st.builds(
    lambda a, b, c, n: Patient({"past_c": a, "active_c": b, "often_c": c, "a": n}),
    TRUTHS,
    TRUTHS,
    TRUTHS,
    st.sampled_from([None, exactly(0.4), exactly(0.5), exactly(1), exactly(2), Interval(0.4, 2)]),
)


@given(EXPRESSIONS, PATIENTS)
def test_the_opposite_holds_exactly_where_the_expression_does_not(expression: Expression, patient: Patient) -> None:
    assert compiled(opposite(expression))(patient) is logic.negation(compiled(expression)(patient))


@given(EXPRESSIONS)
def test_parentheses_balance_and_nothing_of_the_language_shows(expression: Expression) -> None:
    text = english(expression, LABEL)
    assert text.count("(") == text.count(")")
    assert not any(sign in text for sign in ("<", ">", "==", "_"))


def test_an_unknown_unit_is_left_as_it_is() -> None:
    assert (unit("g/dL"), unit("10*9/L")) == ("g/dL", "×10⁹/L")


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        (
            "a",
            "The latest result of lab_a, of several on one day the lowest. Not older than 28 days (count-max-age, "
            "local policy) before a start. Where there is none, it is worked out from lab_w and lab_p of one day, "
            "and said so.",
        ),
        ("lowest_a", "The lowest result of lab_a since the start of treatment."),
        (
            "often_c",
            "At least 3 (times, local policy) episodes of c in 28 days (count-max-age, local policy), each "
            "28 days (count-max-age, local policy) or more after the one before. Nothing on record means no.",
        ),
        ("old", "Whether 65 years of age are completed."),
        ("since_d", "Days since the latest entry of d. Nothing on record means none."),
        ("risk", "“Age 65 or older” or history of C."),
    ],
)
def test_a_fact_in_english(fact: str, text: str) -> None:
    assert fact_in_english(FACTS[fact], LABEL) == text


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
def test_every_kind_of_fact_has_english_in_whole_sentences(fact: object) -> None:
    text = fact_in_english(fact, LABEL)  # type: ignore[arg-type]
    assert text.endswith(".")
    assert ".." not in text
    assert "  " not in text


def test_the_samples_hold_every_kind_of_fact() -> None:
    assert {type(fact) for fact in FACTS.values()} == set(FACT_KINDS.values())


@pytest.mark.parametrize("fact", [name for name, fact in FACTS.items() if hasattr(fact, "absent")])
def test_every_fact_says_what_absence_means(fact: str) -> None:
    assert "othing on record means" in fact_in_english(FACTS[fact], LABEL)
