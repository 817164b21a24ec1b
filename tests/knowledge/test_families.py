"""What one table stands for: members of a family, the facts about a test, limits, short values."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.errors import KnowledgeError
from precaution.knowledge.assembly import plain_tables
from precaution.knowledge.said_once import Actions, collected
from precaution.knowledge.shorthand import Shorthand
from precaution.knowledge.toml import Place

ACTIONS = Actions(order=("stop", "stay-stopped", "obtain"))


def plain(*files: str, actions: Actions = ACTIONS) -> dict[str, dict[str, Any]]:
    """Return the plain tables of topic files, by `section.name`."""
    read = {f"topics/t{number}.toml": tomllib.loads(text) for number, text in enumerate(files)}
    return {
        f"{section}.{name}": dict(table) for _, (section, name, table) in plain_tables(read, collected(read, actions))
    }


FAMILY = """
[rule.low]
for.low-a = { fact = "a", ion = "A" }
for.low-b = { ion = "B", cites = "S02" }
title = "{ion} below {@-limit}"
cites = "S01"
when = { before-start = "@ < @-limit", after-start = "@ < @-limit or @-last < @-limit" }
tell = "{title}: {@-last}"
[says.S01]
numbers = { a-limit = "0.5 mmol/L", low-b-limit = "7" }
"""


def test_a_member_is_the_family_with_its_own_keys_words_and_fact() -> None:
    found = plain(FAMILY)
    assert set(found) == {"rule.low-a", "rule.low-b", "says.S01"}
    assert found["rule.low-a"] == {
        "title": "A below 0.5 mmol/L",
        "cites": ["S01"],
        "when": {
            "before-start": "a < 0.5",
            "on-treatment": "a < 0.5 or a-last < 0.5",
            "interrupted": "a < 0.5 or a-last < 0.5",
        },
        "tell": "A below 0.5 mmol/L: {a_last}",
    }
    assert found["rule.low-b"]["cites"] == ["S02"]
    assert found["rule.low-b"]["when"]["before-start"] == "low-b < 7"
    assert found["says.S01"]["numbers"] == [0.5, 7.0]


def test_a_table_of_another_topic_joins_a_family_in_its_own_place() -> None:
    found = plain('[rule.low-c]\nlike = "low"\nfact = "a"\nion = "C"\ncites = "S03"\n', FAMILY)
    assert list(found) == ["rule.low-c", "rule.low-a", "rule.low-b", "says.S01"]
    assert found["rule.low-c"] == found["rule.low-a"] | {
        "title": "C below 0.5 mmol/L",
        "tell": "C below 0.5 mmol/L: {a_last}",
        "cites": ["S03"],
    }


def test_a_word_of_the_family_is_for_members_that_have_none_of_their_own() -> None:
    found = plain('[rule.r]\nfor.a = {}\nfor.b.who = "B"\nwho = "{title}"\ntell = "{who}: stop"\n')
    assert (found["rule.a"]["tell"], found["rule.b"]["tell"]) == ("A: stop", "B: stop")


@pytest.mark.parametrize(
    ("text", "name", "title"),
    [
        ('[fact.high-sodium]\nis = "x"\n', "fact.high_sodium", "high sodium"),
        ('[rule.high-sodium]\nwhen = "x"\n', "rule.high-sodium", "High sodium"),
        ('[fact.salt]\ntitle = "too much salt"\nis = "x"\n[rule.r]\nfor.salt = {}\n', "rule.salt", "Too much salt"),
        ('[fact.salt]\ntitle = "too much salt"\nis = "x"\n[rule.salt]\nwhen = "x"\n', "rule.salt", "Salt"),
    ],
)
def test_a_title_is_that_of_the_members_fact_or_the_name(text: str, name: str, title: str) -> None:
    assert plain(text)[name]["title"] == title


def test_a_duty_without_a_text_says_its_title() -> None:
    assert plain('[duty.salt]\ntitle = "Salt in food"\n')["duty.salt"]["tell"] == "Salt in food"


RESULT = """
[result.sodium]
latest = "lab_a lab_b"
worst = "low"
unit = "mmol/L"
within = { before-start = "short", after-start = "long" }
views = "last lowest highest release"
release = "how-many"
"""


def test_a_result_stands_for_the_facts_about_a_test() -> None:
    shares = {"unit": "mmol/L"}
    latest = {"latest": ["lab_a", "lab_b"], "worst": "low", **shares}
    assert plain(RESULT) == {
        "fact.sodium": {
            "title": "sodium",
            "within": {"before-start": "short", "on-treatment": "long", "interrupted": "long"},
            **latest,
        },
        "fact.sodium_last": {"title": "last sodium, however old", **latest},
        "fact.sodium_lowest": {
            "title": "lowest sodium since treatment started",
            "extreme": ["lab_a", "lab_b"],
            "worst": "low",
            **shares,
        },
        "fact.sodium_highest": {
            "title": "highest sodium since treatment started",
            "extreme": ["lab_a", "lab_b"],
            "worst": "high",
            **shares,
        },
        "fact.sodium_release": {
            "title": "sodium that may release",
            "within": "long",
            "last": "how-many",
            **latest,
        },
    }


def test_actions_say_once_what_rules_ask_for() -> None:
    actions = Actions(order=ACTIONS.order, if_unknown="obtain", while_interrupted={"stop": "stay-stopped"})
    found = plain(
        '[rule.a]\nthen = "stop"\n[rule.b]\nthen = { after-start = "stop" }\nif-unknown = "stop"\n'
        '[rule.c]\nthen = { before-start = "stop" }\n',
        actions=actions,
    )
    stopped = {"before-start": "stop", "on-treatment": "stop", "interrupted": "stay-stopped"}
    assert found["rule.a"] == {"title": "A", "then": stopped, "if-unknown": "obtain"}
    assert found["rule.b"]["then"] == {"on-treatment": "stop", "interrupted": "stay-stopped"}
    assert found["rule.b"]["if-unknown"] == "stop"
    assert found["rule.c"]["then"] == {"before-start": "stop"}


def test_a_figure_takes_from_its_source_what_it_does_not_say() -> None:
    found = plain(
        '[source.x]\nsource = "X 2020"\nstatus = "verified"\nof = 10\npeople = "Patients of X"\n'
        "[measure.m]\npublished = [\n"
        '  { share = 0.5, who = "{people}, tested", from = "x" },\n'
        '  { share = 0.1, of = 3, who = "All", from = "x" },\n]\n'
    )
    assert found["measure.m"]["published"] == [
        {"source": "X 2020", "status": "verified", "of": 10, "share": 0.5, "who": "Patients of X, tested"},
        {"source": "X 2020", "status": "verified", "of": 3, "share": 0.1, "who": "All"},
    ]


def test_braces_of_a_unit_are_no_limit() -> None:
    assert plain('[fact.score]\nlatest = "lab"\nworst = "low"\nunit = "{score}"\n')["fact.score"]["unit"] == "{score}"


def test_what_stands_in_quotes_in_an_expression_is_no_name() -> None:
    found = plain("[fact.a]\nis = \"b == 'a_b' or c == 'a-limit'\"\n[says.S1]\nnumbers = { a-limit = \"1\" }\n")
    assert found["fact.a"]["is"] == "b == 'a_b' or c == 'a-limit'"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["@", "{title}", "after-start"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["for", "like", "when", "then", "title", "fact", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["rule", "fact", "result", "says", "measure", "duty", "source", "parameter"]),
        st.dictionaries(st.sampled_from(["a", "b", "a_b"]), ANYTHING, max_size=2) | ANYTHING,
        max_size=3,
    )
)
def test_any_tables_are_made_plain_or_refused_in_words(tables: dict[str, Any]) -> None:
    files = {"topics/t.toml": tables}
    said, found = "topics/t.toml", []
    try:
        found = [table for _, (_, _, table) in plain_tables(files, collected(files, ACTIONS))]
    except KnowledgeError as error:
        said = str(error)
    assert said.startswith("topics/t.toml")
    assert not any("for" in table or "like" in table for table in found)


def test_a_value_that_fits_no_type_is_left_for_the_loader() -> None:
    assert Shorthand({}, "cites").of(tuple[str, ...], 3, Place("t.toml")) == 3
