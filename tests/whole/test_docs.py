"""Every page: links lead somewhere, commands and paths exist, examples run, tables are whole, hazards have tests."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
import tomllib
from functools import cache
from typing import TYPE_CHECKING

import click
import pytest

from precaution import errors, load_label
from precaution.cli import group
from precaution.engine import answer
from precaution.values import record
from precaution.writers.structured import to_dict
from support import doc_blocks
from support.project import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from precaution import Label

PAGES = doc_blocks.PAGES
README = PROJECT / "README.md"
ARCHITECTURE = PROJECT / "ARCHITECTURE.md"
CONTRACT = PROJECT / "docs" / "reference" / "json-contract.md"
HAZARDS = PROJECT / "docs" / "hazards.toml"
LATER = re.compile(r"not built yet", re.IGNORECASE)


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name(page: Path) -> str:
    return str(page.relative_to(PROJECT))


# Links


def links(page: str) -> list[str]:
    """Return the targets of a page's relative links."""
    prose = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", prose) if "://" not in link]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_nowhere(page: Path, link: str) -> bool:
    file, _, anchor = link.partition("#")
    target = (page.parent / file).resolve() if file else page
    return not target.exists() or bool(anchor and target.suffix == ".md" and anchor not in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [link for link in links(text(page)) if leads_nowhere(page, link)] == []


@pytest.mark.parametrize("link", ["no-such-page.md", "README.md#no-such-heading", "docs/index.html"])
def test_a_link_that_leads_nowhere_is_seen(link: str) -> None:
    assert leads_nowhere(README, link)


def test_every_page_of_docs_is_reached_from_the_index() -> None:
    index = PROJECT / "docs" / "index.md"
    reached = {(index.parent / link.partition("#")[0]).resolve() for link in links(text(index))}
    assert [name(page) for page in PAGES if page.is_relative_to(index.parent) and page not in {*reached, index}] == []


# Commands


def mentioned(page: str) -> Iterator[tuple[str, list[str]]]:
    """Yield every `precaution COMMAND` of a page, with the options behind it."""
    for line in re.findall(r"`precaution ([^`]+)`|(?:^\$ |\| |&& )precaution ([^\n|>]+)", page, re.MULTILINE):
        words = (line[0] or line[1]).split()
        found = group.precaution.commands.get(words[0])
        if isinstance(found, click.Group) and any(isinstance(each, click.Argument) for each in found.params):
            inner = next((number for number, word in enumerate(words) if word in found.commands), 0)
            words = [f"{words[0]} {words[inner]}", *words[inner + 1 :]] if inner else words
        elif isinstance(found, click.Group) and len(words) > 1 and not words[1].startswith("-"):
            words = [f"{words[0]} {words[1]}", *words[2:]]
        yield words[0], [word.partition("=")[0] for word in words[1:] if word.startswith("--")]


def unknown(command: str, options: list[str]) -> list[str]:
    """Return what of a command line does not exist."""
    if command.startswith("-"):
        known = {option for each in group.precaution.params for option in each.opts} | {"--help", "-h"}
        return [] if command in known else [command]
    found: click.Command | None = group.precaution
    for word in command.split():
        found = found.commands.get(word) if isinstance(found, click.Group) else None
    if found is None:
        return [command]
    known = {option for each in found.params if isinstance(each, click.Option) for option in each.opts} | {"--help"}
    return [option for option in options if option not in known]


WRONG_ON_PURPOSE = {"asses"}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_exists(page: Path) -> None:
    wrong = [each for command, options in mentioned(text(page)) for each in unknown(command, options)]
    assert set(wrong) <= WRONG_ON_PURPOSE


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text(PROJECT / "Makefile"), re.MULTILINE))
    named = re.findall(r"`make ([a-z-]+)`|^make ([a-z-]+)", text(page), re.MULTILINE)
    assert {first or second for first, second in named} <= targets


def test_an_unknown_command_is_seen() -> None:
    wrong = "`precaution evaluate x`, `precaution read x --jsn`, `precaution store verfy`, `precaution store head --x`"
    assert [unknown(*each) for each in mentioned(wrong)] == [["evaluate"], ["--jsn"], ["store verfy"], ["--x"]]


def test_every_command_has_a_page_that_names_it() -> None:
    named = {command.split()[0] for page in PAGES for command, _ in mentioned(text(page))}
    assert set(group.precaution.commands) <= named


# Code blocks


GUIDES = [page for page in PAGES if page != README]
LONG = ("audit.md", "clinic.md", "cohort.md", "review-and-sign.md", "sql.md")
"""Guides whose commands take long: they decide many people, draw pictures, or read the whole label again and again."""


def transcripts() -> list[object]:
    """Return the blocks with commands and their output."""
    return [
        pytest.param(block, marks=pytest.mark.slow) if block.page.name in LONG else block
        for block in doc_blocks.blocks("console", GUIDES)
    ]


@pytest.mark.skipif(not doc_blocks.can_play(), reason="no shell here")
@pytest.mark.parametrize("block", transcripts(), ids=str)
def test_every_transcript_is_what_comes_out(block: doc_blocks.Block) -> None:
    assert doc_blocks.played(block.text) == block.text, "see `cd tests; python -m support.doc_blocks`"


def test_every_python_example_is_what_comes_out() -> None:
    assert [failed for block in doc_blocks.blocks("pycon", GUIDES) if (failed := doc_blocks.failures(block))] == []


@pytest.mark.parametrize("block", doc_blocks.blocks("toml"), ids=str)
def test_every_toml_block_is_toml(block: doc_blocks.Block) -> None:
    assert tomllib.loads(block.text)


def test_every_json_block_is_json() -> None:
    assert all(json.loads(block.text) for block in doc_blocks.blocks("json"))


def test_every_block_has_a_language_that_is_dealt_with() -> None:
    known = {"console", "pycon", "toml", "json", "sh", "text"}
    used = {word for page in PAGES for word in re.findall(r"^```(\S*)\n.*?^```$", text(page), re.MULTILINE | re.DOTALL)}
    assert used <= known


# Words


HOUSE = re.compile(r"\b(?:recommendations?|alerts?|flag(?:s|ged)?|hits?|triggers?)\b", re.IGNORECASE)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_words_that_are_not_used_here(page: Path) -> None:
    prose = re.sub(r"`[^`]*`", "", text(page))
    assert page.name == "GLOSSARY.md" or HOUSE.findall(prose) == []


# The architecture


TREE = re.compile(r"^```text\n(precaution/.*?)^```$", re.MULTILINE | re.DOTALL)


def tree_paths(tree: str) -> Iterator[str]:
    """Yield the paths of a drawn tree: two spaces a level, a folder ends with `/`, several files stand in one line."""
    folders: list[str] = []
    for line in tree.splitlines():
        names, _, _ = line.strip().partition("  ")
        depth = (len(line) - len(line.lstrip())) // 2
        folders = folders[:depth]
        for each in names.split():
            yield "/".join([*(folder.rstrip("/") for folder in folders), each.rstrip("/")])
        folders.append(names)


def named_paths(page: str) -> set[str]:
    """Return every path of the project that a page names in backquotes."""
    found = re.findall(r"`((?:precaution|tests|docs|examples|benchmarks|tools)/[\w./*-]*)`", page)
    return {each.rstrip("/") for each in found}


def missing(path: str) -> bool:
    return not any(PROJECT.glob(path)) if "*" in path else not (PROJECT / path).exists()


def test_the_tree_is_the_tree() -> None:
    tree = TREE.search(text(ARCHITECTURE))
    assert tree
    drawn = list(tree_paths(tree[1]))
    assert [path for path in drawn if missing(path)] == []
    modules = {str(path.relative_to(PROJECT)) for path in (PROJECT / "precaution").glob("*.py")}
    assert modules - {"precaution/__main__.py"} - set(drawn) == set(), "say in ARCHITECTURE.md what it is for"
    packages = {str(path.parent.relative_to(PROJECT)) for path in (PROJECT / "precaution").glob("*/__init__.py")}
    assert packages - set(drawn) == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_path_that_is_named_exists(page: Path) -> None:
    made = {"docs/clinicians"}
    """Written by `precaution booklet`."""
    assert [path for path in sorted(named_paths(text(page)) - made) if missing(path)] == []


def test_every_invariant_names_a_test_that_exists() -> None:
    page = text(ARCHITECTURE)
    part = page[page.index("## What must always be true") :].split("\n## ")[0]
    items = re.split(r"^\d+\. ", part, flags=re.MULTILINE)[1:]
    assert len(items) >= 7
    for item in items:
        tests = re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", item)
        assert tests or LATER.search(item), item
        assert [each for each in tests if not exists(each)] == []


def test_what_is_not_there_is_marked_as_later() -> None:
    page = text(ARCHITECTURE)
    later = page[page.index("## Not built yet") :]
    for word in ("MeasureReport", "SMART", "CQL"):
        assert word in later


def test_the_actions_are_in_the_order_of_the_label(label: Label) -> None:
    page = text(ARCHITECTURE)
    block = re.search(r"gravest first:\n\n(.*?)\n\n", page, re.DOTALL)
    assert block
    assert tuple(re.findall(r"`([a-z+-]+)`", block[1])) == label.actions


@pytest.fixture(scope="module")
def label() -> Label:
    return load_label("baricitinib")


def test_every_action_is_told_in_the_guide(label: Label) -> None:
    guide = text(PROJECT / "docs" / "guides" / "assess-a-patient.md")
    told = set(re.findall(r"^\| `([a-z-]+)` \|", guide, re.MULTILINE))
    assert {action.removesuffix("+attested") for action in label.actions} == told


# The JSON contract


CLASSES: dict[str, type] = {
    "findings": answer.Finding,
    "evidence": answer.Evidence,
    "background": answer.Background,
    "holds": answer.Hold,
    "due": answer.Due,
    "asks": answer.OpenAsk,
    "missing": answer.Missing,
    "ignored": record.Ignored,
    "unrecognised": record.Unrecognised,
}


def keys(kind: type) -> list[str]:
    """Return the fields of a dataclass or of a named tuple."""
    return [*(getattr(kind, "_fields", None) or (each.name for each in dataclasses.fields(kind)))]


def contract(part: str) -> list[str]:
    """Return the keys that the page gives for a part."""
    section = re.search(rf"^## {re.escape(part)}\n(.*?)(?=^## |\Z)", text(CONTRACT), re.MULTILINE | re.DOTALL)
    assert section, part
    return re.findall(r"^\| `(\w+)` \|", section[1], re.MULTILINE)


@pytest.mark.parametrize("part", CLASSES)
def test_the_contract_has_every_key(part: str) -> None:
    assert contract(f"`{part}`") == keys(CLASSES[part])


def test_the_contract_has_every_key_of_the_top() -> None:
    from precaution import assess

    decision = assess(PROJECT / "examples" / "ready.json", today="2025-03-01")
    assert contract("The decision") == list(to_dict(decision))


def test_searched_is_written_as_the_contract_says() -> None:
    assert contract("`searched`") == ["concept", "from", "found"]


# Exit codes


def test_the_page_of_exit_codes_has_the_table_of_the_program() -> None:
    page = text(PROJECT / "docs" / "reference" / "exit-codes.md")
    told = re.findall(r"^\| (\d+) \| (.*?) \|", page, re.MULTILINE)
    assert [(int(code), means.replace("`", "")) for code, means in told] == list(errors.EXIT_CODES.items())


def test_every_error_leaves_with_a_code_of_the_table() -> None:
    raised = {each.exit_code for each in vars(errors).values() if isinstance(each, type)}
    assert raised <= set(errors.EXIT_CODES)


# Hazards


def hazards() -> list[dict[str, object]]:
    found = tomllib.loads(text(HAZARDS))["hazard"]
    assert isinstance(found, list)
    return found


@cache
def functions_of(file: str) -> frozenset[str]:
    """Return the names of the test functions of a file; none where there is no such file."""
    path = PROJECT / file
    if not path.is_file():
        return frozenset()
    tree = ast.parse(text(path))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def exists(test: str) -> bool:
    """Whether a test (`tests/test_x.py::test_y`), or a file of tests, exists."""
    file, _, function = test.partition("::")
    return function in functions_of(file) if function else (PROJECT / file).is_file()


def test_all_hazards_are_there() -> None:
    assert [each["id"] for each in hazards()] == [f"H{number}" for number in range(1, len(hazards()) + 1)]
    assert len(hazards()) >= 19


@pytest.mark.parametrize("hazard", hazards(), ids=lambda each: each["id"])
def test_a_hazard_has_cause_effect_controls_and_tests_that_exist(hazard: dict[str, list[str]]) -> None:
    assert set(hazard) == {"id", "hazard", "cause", "effect", "controls", "tests", "residual"}
    assert all(hazard.values()), "nothing may be empty"
    assert [test for test in hazard["tests"] if "::" not in test or not exists(test)] == []


@pytest.mark.parametrize(
    "test", ["tests/whole/test_docs.py::test_nothing", "tests/test_none.py::test_x", "tests/none.py"]
)
def test_a_test_that_does_not_exist_is_seen(test: str) -> None:
    assert not exists(test)


def test_no_hazard_waits_for_a_later_part() -> None:
    assert [each["id"] for each in hazards() if LATER.search(str(each["residual"]))] == []
