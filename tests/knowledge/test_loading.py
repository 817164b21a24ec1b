"""Loading a label's folder: what is in the result, what changes the digest, what depends on what."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precaution.errors import KnowledgeError, UsageError
from precaution.knowledge.expression import parse
from precaution.knowledge.fact_kinds import Derived, Latest
from precaution.knowledge.linking import named, spoken
from precaution.knowledge.loading import LABELS, find_label, labels, load_label, read_label
from precaution.knowledge.model import Label
from precaution.knowledge.toml import Place
from precaution.knowledge.type_checks import NUMBER, TRUTH, check_expression
from support.project import PROJECT

GOOD = PROJECT / "tests" / "wrong" / "_good"
LIST = "system,code\nLOINC,26499-4\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOOD, tmp_path / "label"))


def site(tmp_path: Path, content: str, name: str = "site.toml") -> Path:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return path


def more_codes(tmp_path: Path, name: str = "lab_anc.csv", content: str = LIST) -> Path:
    folder = tmp_path / "codes-of-the-site"
    folder.mkdir()
    (folder / name).write_text(content, encoding="utf-8")
    return folder


def add(folder: Path, content: str) -> Label:
    """Return the label with one more topic."""
    (folder / "topics" / "more.toml").write_text(content, encoding="utf-8")
    return read_label(folder)


def test_a_label_holds_what_its_files_say() -> None:
    label = read_label(GOOD)
    assert (label.name, label.title, label.version) == ("examplinib", "Examplinib", "1")
    assert label.actions[0] == "do-not-start"
    assert (label.therapy.drug, label.therapy.gap) == ("drug_examplinib", "therapy-gap")
    assert sorted(label.says) == ["E1", "E2", "E3"]
    assert label.says["E1"].topic == "counts"
    assert label.says["E1"].numbers == (1.0,)
    assert label.about["transparency"]["race"] == "Not used"  # type: ignore[index]
    assert label.policy == {}
    assert label.complete_lists == frozenset()


def test_one_window_stands_for_every_stage() -> None:
    fact = read_label(GOOD).facts["anc"]
    assert isinstance(fact, Latest)
    assert set(fact.within.values()) == {"count-max-age"}
    assert len(fact.within) == 3


def test_one_when_is_kept_for_the_stages_of_then() -> None:
    rule = read_label(GOOD).rules["low-neutrophils"]
    assert list(rule.when) == list(rule.then) == list(rule.if_unknown) == ["before-start"]


def test_topics_are_in_the_order_of_the_text(folder: Path) -> None:
    assert read_label(folder).topics == ("counts", "monitoring")
    (folder / "topics" / "counts.toml").rename(folder / "topics" / "zzz.toml")
    assert read_label(folder).topics == ("zzz", "monitoring")


def test_the_terminology_answers_for_the_lists() -> None:
    label = read_label(GOOD)
    assert label.terminology.concepts("LOINC", "751-8") == ("lab_anc",)
    assert label.terminology.concept("lab_anc").unit == "10*9/L"


def test_every_list_is_a_concept_and_so_is_every_table() -> None:
    assert sorted(read_label(GOOD).concepts) == ["drug_examplinib", "lab_anc", "result_positive"]


def test_a_measure_without_an_audit_is_refused(folder: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"\[measure.x\]: label.toml has no \[audit\]"):
        add(folder, '[measure.x]\ntitle = "X"\ncites = "E1"\ngroup = "X"\nreading = "X"\nnumerator = "known(anc)"\n')


# Which parameters something depends on


def test_uses_are_followed_through_facts_and_asks(folder: Path) -> None:
    label = add(
        folder,
        """
        [fact.worrying]
        title = "worrying"
        is = "anc < 1 or (dizzy and anc > counts-interval)"
        [rule.worry]
        title = "Worry"
        cites = "E1"
        when = "possible(not worrying)"
        then = "caution"
        if-unknown = "obtain"
        tell = "Worry"
    """,
    )
    assert label.facts["anc"].uses == ("count-max-age",)
    assert label.facts["worrying"].uses == ("count-max-age", "counts-interval", "dizziness-valid")
    assert label.rules["worry"].uses == label.facts["worrying"].uses
    assert label.duties["counts"].uses == ("counts-interval",)


def test_when_an_ask_is_put_does_not_count_as_a_use(folder: Path) -> None:
    label = add(
        folder,
        """
        [ask.sure]
        number = "A2"
        question = "Are you sure?"
        of = "E1"
        when = "anc < 1 and not sure"
        [fact.told]
        title = "told"
        is = "sure"
    """,
    )
    assert label.facts["told"].uses == ()


def test_an_expression_is_parsed_once(folder: Path) -> None:
    fact = add(folder, '[fact.low]\ntitle = "low"\nis = "anc <\\n 1"\n').facts["low"]
    assert isinstance(fact, Derived)
    assert fact.expression == parse("anc < 1")


@given(st.text(alphabet="abz-", min_size=1))
def test_expressions_write_names_with_underscores(name: str) -> None:
    assert "-" not in spoken(name)
    assert len(spoken(name)) == len(name)


def test_facts_asks_and_parameters_share_their_names() -> None:
    assert {"anc", "dizzy", "count_max_age"} <= set(named(read_label(GOOD)))


# Types of expressions

KNOWN = {"n": NUMBER, "m": NUMBER, "t": TRUTH, "w": ("high", "low"), "v": ("low",)}


@pytest.mark.parametrize(
    "text",
    [
        "t",
        "not t",
        "n < 1",
        "n >= m",
        "w == 'low'",
        "w != v",
        "w in ('low', 'high')",
        "known(n)",
        "recorded(w)",
        "possible(n < 1 or t)",
        "t and (n == 1 or not possible(t))",
    ],
)
def test_what_means_something_passes(text: str) -> None:
    check_expression(parse(text), KNOWN, Place("x.toml"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n", "'n' is a number; compare it with something"),
        ("w", "'w' is a word (high, low); compare it with something"),
        ("t and n", "'n' is a number; compare it with something"),
        ("possible(n)", "'n' is a number; compare it with something"),
        ("t == 1", "'t' is true or false; write 't' or 'not t' alone"),
        ("t == t", "'t' is true or false; write 't' or 'not t' alone"),
        ("n == True", "'n' is a number and can't be compared with true or false"),
        ("n == t", "'n' is a number and can't be compared with true or false"),
        ("n < 'low'", "'n' is a number and can't be compared with a word (low)"),
        ("w == 1", "'w' is a word (high, low) and can't be compared with a number"),
        ("w < 'low'", "'w' is a word; only == and != compare words"),
        ("w == 'lwo'", "'w' is never 'lwo'; it can be high, low. Did you mean 'low'?"),
        ("w in ('low', 'x')", "'w' is never 'x'; it can be high, low."),
        ("n in ('low', 'x')", "'n' is a number, so it is never one of some words"),
        ("done(n)", "'n' is a number; done() and in compare the result of a test"),
        ("yes(n)", "'n' is a number; compare it with something"),
        ("known(a-b)", "no fact, ask or parameter is called 'a-b'."),
        ("known(x)", "no fact, ask or parameter is called 'x'."),
        ("not (t or recorded(tt))", "no fact, ask or parameter is called 'tt'. Did you mean 't'?"),
    ],
)
def test_what_means_nothing_is_refused(text: str, message: str) -> None:
    with pytest.raises(KnowledgeError) as raised:
        check_expression(parse(text), KNOWN, Place("x.toml"))
    assert str(raised.value) == f"x.toml: {message}"


def test_all_that_is_wrong_with_names_is_said_at_once(folder: Path) -> None:
    with pytest.raises(KnowledgeError) as raised:
        add(folder, '[fact.a]\ntitle = "a"\nis = "anc"\n[fact.b]\ntitle = "b"\never = "nothing"\nabsent = "no"\n')
    assert str(raised.value).splitlines() == [
        "topics/more.toml [fact.b] ever: no concept is called 'nothing' (there is no codes/nothing.csv).",
        "topics/more.toml [fact.a] is: 'anc' is a number; compare it with something",
    ]


# A site's policy and code lists


def test_a_policy_changes_values_and_says_what(tmp_path: Path) -> None:
    path = site(tmp_path, '[parameter]\ncount-max-age = "14 days"\n[lists]\ncomplete = ["medication", "condition"]\n')
    label = read_label(GOOD, path)
    assert label.parameters["count-max-age"].value == 14.0
    assert label.parameters["count-max-age"].overridden
    assert not label.parameters["therapy-gap"].overridden
    assert label.policy == {"count-max-age": "14 days", "lists": ("condition", "medication")}
    assert label.complete_lists == {"condition", "medication"}


def test_a_policy_for_a_parameter_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="Did you mean 'count-max-age'"):
        read_label(GOOD, site(tmp_path, '[parameter]\ncount-max-ages = "14 days"\n'))


def test_code_lists_of_a_site_add_to_those_of_the_label(tmp_path: Path) -> None:
    label = read_label(GOOD, codes=(more_codes(tmp_path),))
    assert label.terminology.concepts("LOINC", "26499-4") == ("lab_anc",)
    assert label.terminology.concepts("LOINC", "751-8") == ("lab_anc",)
    assert label.policy == {"codes": ("lab_anc",)}


def test_a_code_list_for_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="Did you mean 'lab_anc'"):
        read_label(GOOD, codes=(more_codes(tmp_path, "lab_ancs.csv"),))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"system,code\n\x00,\x00\n", b""])
def test_a_code_list_that_cannot_be_read_is_refused(content: bytes, tmp_path: Path) -> None:
    folder = more_codes(tmp_path)
    (folder / "lab_anc.csv").write_bytes(content)
    with pytest.raises(KnowledgeError):
        read_label(GOOD, codes=(folder,))


def test_a_folder_of_codes_that_is_not_there_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder of code lists"):
        read_label(GOOD, codes=(tmp_path / "nowhere",))


# The digest


@pytest.mark.parametrize("name", ["label.toml", "concepts.toml", "topics/counts.toml", "codes/lab_anc.csv"])
def test_the_digest_changes_with_what_can_change_an_answer(name: str, folder: Path) -> None:
    before = read_label(folder).digest
    with (folder / name).open("a", encoding="utf-8") as file:
        file.write("#\n")
    assert read_label(folder).digest != before


@pytest.mark.parametrize("name", ["topics/counts.cases.toml", "text.txt", "README.md"])
def test_the_digest_does_not_change_with_anything_else(name: str, folder: Path) -> None:
    before = read_label(folder).digest
    with (folder / name).open("a", encoding="utf-8") as file:
        file.write("# more\n")
    assert read_label(folder).digest == before


def test_the_digest_changes_with_policy_and_code_lists(tmp_path: Path) -> None:
    empty, same = site(tmp_path, ""), site(tmp_path, "", "of-another-name.toml")
    codes = more_codes(tmp_path)
    digests = [
        read_label(GOOD).digest,
        read_label(GOOD, empty).digest,
        read_label(GOOD, None, (codes,)).digest,
        read_label(GOOD, empty, (codes,)).digest,
    ]
    assert len(set(digests)) == 4
    assert read_label(GOOD, same).digest == digests[1]


def test_the_digest_does_not_depend_on_where_the_folder_is(folder: Path) -> None:
    assert read_label(folder).digest == read_label(GOOD).digest
    assert len(read_label(GOOD).digest) == 64


def test_a_renamed_file_changes_the_digest(folder: Path) -> None:
    (folder / "topics" / "counts.toml").rename(folder / "topics" / "count.toml")
    assert read_label(folder).digest != read_label(GOOD).digest


# Finding a label


def test_a_label_is_read_once() -> None:
    assert load_label(GOOD) is load_label(GOOD)
    assert load_label(str(GOOD)).digest == load_label(GOOD, codes=()).digest


def test_a_file_that_changed_is_read_anew(folder: Path, tmp_path: Path) -> None:
    policy, codes = site(tmp_path, '[parameter]\ncount-max-age = "14 days"\n'), more_codes(tmp_path)
    first = load_label(folder, policy=policy, codes=[codes])
    assert load_label(folder, policy=policy, codes=[codes]) is first
    site(tmp_path, '[parameter]\ncount-max-age = "7 days"\n')
    second = load_label(folder, policy=policy, codes=[codes])
    assert second.parameters["count-max-age"].value == 7
    (codes / "lab_anc.csv").write_text("system,code\n", encoding="utf-8")
    third = load_label(folder, policy=policy, codes=[codes])
    assert third.terminology.concepts("LOINC", "26499-4") == ()
    (folder / "topics" / "more.toml").write_text('[fact.low]\nis = "anc < 1"\n', encoding="utf-8")
    assert "low" in load_label(folder, policy=policy, codes=[codes]).facts
    assert len({first.digest, second.digest, third.digest}) == 3


def test_the_same_relative_path_from_another_folder_is_another_label(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other" / "label"
    shutil.copytree(folder, other)
    (other / "topics" / "more.toml").write_text('[fact.low]\nis = "anc < 1"\n', encoding="utf-8")
    monkeypatch.chdir(folder.parent)
    assert "low" not in load_label("label").facts
    monkeypatch.chdir(other.parent)
    assert "low" in load_label("label").facts


def test_a_list_of_folders_may_be_given(tmp_path: Path) -> None:
    codes = [more_codes(tmp_path)]
    assert load_label(GOOD, codes=codes) is load_label(GOOD, codes=iter(codes))


def test_the_labels_of_the_package_are_found_by_name() -> None:
    assert "baricitinib" in labels()
    assert find_label("baricitinib") == LABELS / "baricitinib"


@pytest.mark.parametrize("name", ["baricitinb", "../labels", "", ".", "no/such/folder"])
def test_a_label_that_is_not_there_is_a_wrong_call(name: str) -> None:
    with pytest.raises(UsageError, match="there is no label"):
        find_label(name)


def test_the_nearest_name_is_said() -> None:
    with pytest.raises(UsageError, match="Did you mean 'baricitinib'"):
        load_label("baricitinb")


# The first label


def test_the_first_label_has_all_its_sentences_and_every_uses_is_a_parameter() -> None:
    label = load_label()
    assert len(label.says) == 53
    for thing in (*label.facts.values(), *label.rules.values(), *label.duties.values()):
        assert set(thing.uses) <= set(label.parameters)
        assert list(thing.uses) == sorted(set(thing.uses))
