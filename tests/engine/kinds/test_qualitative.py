"""What a test showed, and statuses in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.engine.chart import Known
from precaution.knowledge import fact_kinds as k
from precaution.knowledge.fact import Fact
from precaution.values.interval import Interval, above, below, exactly
from precaution.values.record import Entry
from support.engine_builders import FEBRUARY, MARCH, TODAY, drug, entry, known, result, span

TITLES = {"topic": "t", "title": "a test"}
TEST = k.Tested(name="x", test=("lab",), performed=("done",), within={"before-start": "max-age"}, **TITLES)
FROM = k.Tested(name="x", test=("lab",), positive_from="limit", **TITLES)
ABOVE = k.Tested(name="x", test=("lab",), positive_above="limit", **TITLES)
STATUS = k.Worded(
    name="x",
    latest_of={"now": "current", "past": "former", "never": "never"},
    within={"current": "max-age"},
    questions=("question",),
    **TITLES,
)


def look(*entries: Entry, of: Fact = TEST, limit: float = 10) -> Known:
    return known(of, *entries, parameters={"max_age": 365, "limit": limit})


def lab(
    value: float | Interval | str | None,
    start: str | Interval | None = "2025-01-20",
    source: str = "Observation/1",
    **more: object,
) -> Entry:
    return result("lab", value, start, source=source, **more)


def done(start: str | None = "2025-01-20") -> Entry:
    return entry("done", "procedure", start)


def test_no_result_is_unknown_and_not_on_record() -> None:
    found = look()
    assert (found.value, found.why, found.considered) == (None, "no result in the last 365 days", 0)
    assert look(of=FROM).why == "no result on record"


@pytest.mark.parametrize("word", ["positive", "negative"])
def test_a_result_is_its_word_with_its_evidence(word: str) -> None:
    found = look(lab(word))
    assert (found.value, found.evidence, found.considered, found.since) == (word, (lab(word),), 1, lab(word).start)


@pytest.mark.parametrize(
    "unclear",
    [
        lab("indeterminate"),
        lab(None),
        lab(0.4),
        lab("positive", certainty="mentioned"),
        lab("yes"),
        lab("positive", None),
    ],
)
def test_what_cannot_be_read_or_dated_is_unknown_but_on_record(unclear: Entry) -> None:
    found = look(unclear)
    assert (found.value, found.considered) == (None, 1)
    assert found.why


def test_a_test_only_known_to_be_done_is_unknown_but_on_record() -> None:
    found = look(done())
    assert (found.value, found.why, found.considered) == (None, "done, but the result is not on record", 1)
    assert look(done(), lab("negative")).value == "negative"


@pytest.mark.parametrize(
    ("start", "value"),
    [
        ("2024-03-01", "negative"),
        ("2024-02-29", None),
        ("2025-03-01", "negative"),
        ("2025-03-02", None),
        (FEBRUARY, "negative"),
        (MARCH, "negative"),
        (span("2024-01-01", "2024-12-31"), None),
        (None, None),
    ],
)
def test_only_a_test_surely_of_the_window_counts(start: str | Interval | None, value: str | None) -> None:
    assert look(lab("negative", start)).value == value


def test_on_treatment_any_age_counts_here() -> None:
    assert look(lab("negative", "2010-01-01"), drug()).value == "negative"


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["positive", "negative"], "positive"),
        (["negative", "negative"], "negative"),
        (["negative", "indeterminate"], None),
        (["positive", "indeterminate"], "positive"),
    ],
)
def test_of_one_day_the_worst_counts(words: list[str], value: str | None) -> None:
    entries = [lab(word, source=f"O/{number}") for number, word in enumerate(words)]
    assert look(*entries).value == value
    assert look(*reversed(entries)).value == value


def test_a_bare_figure_beside_a_readable_result_is_part_of_it() -> None:
    assert look(lab("negative"), lab(0.1, source="O/2")).value == "negative"
    assert look(lab("negative"), lab(0.1, "2025-02-20", "O/2")).value is None


@pytest.mark.parametrize(("older", "newer"), [("positive", "negative"), ("negative", "positive")])
def test_the_newest_counts(older: str, newer: str) -> None:
    assert look(lab(older, "2024-12-01"), lab(newer, "2025-01-20", "O/2")).value == newer


@pytest.mark.parametrize(
    "unclear",
    [
        lab("indeterminate", "2025-02-01", "O/2"),
        lab(None, "2025-02-01", "O/2"),
        lab("negative", "2025-02-01", "O/2", certainty="mentioned"),
        lab(None, None, "O/2"),
    ],
)
def test_a_newer_one_that_cannot_be_read_takes_back_a_negative_one_alone(unclear: Entry) -> None:
    assert look(lab("negative"), unclear).value is None
    found = look(lab("positive"), unclear)
    assert (found.value, found.evidence, found.since) == ("positive", (lab("positive"),), lab("positive").start)


def test_where_positive_is_the_better_one_nothing_newer_may_be_passed_over() -> None:
    good = replace(TEST, positive_reassures=True)
    assert look(lab("positive"), lab(None, "2025-02-01", "O/2"), of=good).value is None
    assert look(lab("positive"), of=good).value == "positive"


def test_a_newer_figure_that_does_not_tell_is_no_result_without_words() -> None:
    assert look(lab("positive"), lab(3, "2025-02-01", "O/2"), of=TEST).value is None


def test_a_positive_one_too_old_does_not_stand_for_one_that_cannot_be_read() -> None:
    assert look(lab("positive", "2024-01-01"), lab(None, "2025-02-01", "O/2")).value is None


STAYS = replace(TEST, positive_stays=True)


@pytest.mark.parametrize(
    ("entries", "value"),
    [
        ([lab("positive", "2010-01-01")], "positive"),
        ([lab("positive", None)], "positive"),
        ([lab("positive", "2010-01-01"), lab("negative", "2025-01-20", "O/2")], "positive"),
        ([lab("positive", "2010-01-01"), lab("indeterminate", "2025-01-20", "O/2")], "positive"),
        ([lab("positive", "2010-01-01", status="preliminary"), lab("negative", "2025-01-20", "O/2")], "positive"),
        ([lab("positive", "2010-01-01", certainty="mentioned"), lab("negative", "2025-01-20", "O/2")], "negative"),
        ([lab("positive", "2025-03-02"), lab("negative", "2025-01-20", "O/2")], "negative"),
        ([lab("negative", "2025-01-20")], "negative"),
        ([lab("negative", "2010-01-01")], None),
        ([lab("indeterminate", "2010-01-01"), lab("negative", "2025-01-20", "O/2")], "negative"),
        ([], None),
    ],
)
def test_a_mark_of_past_exposure_stays_whatever_came_after_it(entries: list[Entry], value: str | None) -> None:
    assert look(*entries, of=STAYS).value == value


def test_it_has_been_so_since_the_latest_positive_one() -> None:
    first, second = lab("positive", "2010-01-01"), lab("positive", "2012-01-01", "O/2")
    found = look(first, second, lab("negative", "2025-01-20", "O/3"), of=STAYS)
    assert (found.evidence, found.since, found.considered) == ((first, second), second.start, 3)


BETWEEN = k.Tested(
    name="x", test=("lab", "other"), positive_from="limit", negative_to="none", figures=("lab",), **TITLES
)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (0, "negative"),
        (1, None),
        (9.9, None),
        (10, "positive"),
        (above(9), None),
        (below(10), None),
        (Interval(-1, 0), "negative"),
    ],
)
def test_between_two_limits_a_figure_does_not_tell(value: float | Interval, word: str | None) -> None:
    assert known(BETWEEN, lab(value), parameters={"limit": 10, "none": 0}).value == word


@pytest.mark.parametrize(
    ("says", "figure", "word"),
    [
        ("positive", 0, None),
        ("negative", 10, None),
        ("negative", 5, "negative"),
        ("positive", 5, "positive"),
        ("negative", 0, "negative"),
    ],
)
def test_a_word_and_a_figure_that_contradict_each_other_do_not_tell(says: str, figure: float, word: str | None) -> None:
    both = lab(says)._replace(value=exactly(figure))
    assert known(BETWEEN, both, parameters={"limit": 10, "none": 0}).value == word


def test_figures_of_other_results_are_not_read() -> None:
    other = result("other", 12, "2025-01-20")
    assert known(BETWEEN, other, parameters={"limit": 10, "none": 0}).value is None


def test_results_that_contradict_each_other_and_may_each_be_the_latest() -> None:
    found = look(lab("negative", "2025-01-20"), lab("positive", span("2025-01-01", "2025-01-31"), "O/2"))
    assert (found.value, found.why) == (None, "results that contradict each other may each be the latest")


@pytest.mark.parametrize(
    ("first", "preliminary", "value"),
    [
        ("negative", "positive", "positive"),
        ("negative", "negative", "negative"),
        ("positive", "negative", None),
        ("negative", "indeterminate", None),
    ],
)
def test_a_newer_preliminary_result_may_raise_and_not_reassure(first: str, preliminary: str, value: str | None) -> None:
    found = look(lab(first), lab(preliminary, "2025-02-01", "O/2", status="preliminary"))
    assert found.value in (value, "positive" if first == "positive" else value)


def test_a_preliminary_negative_does_not_make_an_undated_one_recent() -> None:
    assert look(lab("negative", None), lab("negative", "2025-02-01", "O/2", status="preliminary")).value is None
    assert look(lab("positive", None), lab("positive", "2025-02-01", "O/2", status="preliminary")).value == "positive"


@pytest.mark.parametrize(("word", "value"), [("positive", "positive"), ("negative", None)])
def test_a_preliminary_result_alone(word: str, value: str | None) -> None:
    found = look(lab(word, status="preliminary"))
    assert found.value == value
    assert value or found.why == "the only result is preliminary"


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (10, "positive"),
        (9.99, "negative"),
        (above(10), "positive"),
        (below(10), "negative"),
        (below(12), None),
        (below(10, inclusive=True), None),
        (Interval(5, 9), "negative"),
    ],
)
def test_a_figure_from_a_limit(value: float | Interval, word: str | None) -> None:
    assert look(lab(value), of=FROM).value == word


@pytest.mark.parametrize(
    ("value", "word"),
    [(0, "negative"), (1, "positive"), (below(20), None), (above(0), "positive"), (above(10**8), "positive")],
)
def test_a_figure_above_a_limit(value: float | Interval, word: str | None) -> None:
    assert look(lab(value), of=ABOVE, limit=0).value == word


def test_a_word_beside_a_figure() -> None:
    assert look(lab(below(20), result="negative"), of=ABOVE, limit=0).value == "negative"
    assert look(lab(500, result="negative"), of=ABOVE, limit=0).value is None  # one of the two is wrong
    assert look(lab(500), lab("negative", source="O/2"), of=ABOVE, limit=0).value == "positive"


LABS = st.lists(
    st.builds(
        lambda word, start, status, certainty, n: lab(word, start, f"O/{n}", status=status, certainty=certainty),
        st.sampled_from(["positive", "negative", "indeterminate", None]),
        st.one_of(st.none(), st.sampled_from([FEBRUARY, MARCH]), st.integers(TODAY - 400, TODAY).map(exactly)),
        st.sampled_from(["final", "preliminary"]),
        st.sampled_from(["certain", "mentioned"]),
        st.integers(1, 99),
    ),
    min_size=1,
    max_size=4,
)


@given(LABS, st.data(), st.sampled_from(["result", "start", "certainty"]))
def test_corrupting_a_result_never_turns_the_answer_round(entries: list[Entry], data: st.DataObject, part: str) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    garbage = {"result": "", "start": None, "certainty": "mentioned"}[part]
    corrupted = [each._replace(**{part: garbage}) if n == place else each for n, each in enumerate(entries)]  # type: ignore[arg-type]
    before, after = look(*entries).value, look(*corrupted).value
    assert after != "negative" or before == "negative" or part == "start"
    if before == "positive":
        assert after in ("positive", None)


@given(LABS)
def test_negative_needs_a_settled_certain_negative(entries: list[Entry]) -> None:
    if look(*entries).value == "negative":
        assert any(
            each.result == "negative" and each.status == "final" and each.certainty == "certain" for each in entries
        )


# Statuses in words.


def said(concept: str, start: str | Interval | None = "2025-01-15", **more: object) -> Entry:
    return entry(concept, "result", start, **{"source": f"Observation/{concept}", **more})


@pytest.mark.parametrize(("concept", "word"), [("now", "current"), ("past", "former"), ("never", "never")])
def test_each_concept_stands_for_its_word(concept: str, word: str) -> None:
    found = look(said(concept), of=STATUS)
    assert (found.value, found.considered) == (word, 1)


def test_the_word_unknown_cannot_be_told() -> None:
    status = replace(STATUS, latest_of={**STATUS.latest_of, "unsaid": "unknown"})
    assert look(said("unsaid"), of=status).value is None
    assert look(said("never"), said("unsaid", "2025-02-01"), of=status).value is None
    assert look(said("never", "2025-02-01"), said("unsaid"), of=status).value == "never"


def test_none_on_record() -> None:
    assert look(of=STATUS).why == "none on record"


@pytest.mark.parametrize(
    "unclear",
    [
        said("question", "2025-02-01"),
        said("never", "2025-02-01", certainty="mentioned"),
        said("never", "2025-02-01", status="preliminary"),
        said("question", None),
    ],
)
def test_a_later_one_that_cannot_be_read_leaves_it_unknown(unclear: Entry) -> None:
    assert look(said("past", "2025-01-15"), unclear, of=STATUS).value is None


def test_the_latest_counts_and_entries_of_a_day_must_agree() -> None:
    assert look(said("now", "2024-06-01"), said("past"), of=STATUS).value == "former"
    found = look(said("now"), said("past"), of=STATUS)
    assert (found.value, found.why) == (None, "entries of the same day disagree")
    assert look(said("never"), said("never", source="O/2"), of=STATUS).value == "never"


def test_a_status_that_ended_does_not_count() -> None:
    assert look(said("now", "2025-02-01", status="ended"), said("past", "2025-01-15"), of=STATUS).value == "former"


@pytest.mark.parametrize(
    ("concept", "start", "word"),
    [
        ("now", "2024-03-01", "current"),
        ("now", "2024-02-29", None),
        ("now", None, None),
        ("now", span("2024-01-01", "2024-12-31"), None),
        ("past", "2010-01-01", "former"),
        ("past", None, "former"),
    ],
)
def test_a_word_may_grow_too_old(concept: str, start: str | Interval | None, word: str | None) -> None:
    found = look(said(concept, start), of=STATUS)
    assert found.value == word
    assert word or found.why == "'current' was recorded more than 365 days ago"


def test_since_is_the_first_day_of_the_run_of_equal_words() -> None:
    entries = [
        said("past", "2020-01-01", source="O/1"),
        said("now", "2024-05-01", source="O/2"),
        said("now", "2025-01-15", source="O/3"),
    ]
    assert look(*entries, of=STATUS).since == entries[1].start
