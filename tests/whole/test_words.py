"""Each class has a name of its own, glossary and classes speak of the same things, and docstrings are sentences."""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING, NamedTuple

import pytest

from support.project import PROJECT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

SETTLED = True
"""Whether the names of the package are settled. Until then the package is not held to what stands here."""
settled = pytest.mark.skipif(not SETTLED, reason="names of the package are being changed; see SETTLED")

MOST = 0.02
"""The most of all class names that may stand in more than one file."""
TWICE: dict[str, str] = {}
"""Class names that stand in more than one file, each with the reason why another name would be worse."""

PLAIN = {
    "errors.py": "the errors are drawn as a tree there, each with its exit code",
    "audit/*.py": "parts of a report: counts, intervals and pictures as in any book of statistics",
    "checks/*.py": "what a check is given and returns",
    "cli/*.py": "helpers of click",
    "clinic/access.py": "who may look, in the words of HTTP",
    "clinic/trends.py": "marks of a picture, in the words of SVG",
    "cohort/context.py": "what one run is given",
    "cohort/deciding*.py": "the second pass over each kind of source",
    "cohort/progress.py": "a line on a terminal",
    "cohort/run_omop.py": "the tables of a CDM on their way",
    "cohort/tables.py": "rows of the tables that a run writes",
    "cohort/processes.py": "processes, as in the library that begins them",
    "cohort/sort/*.py": "the mechanics of sorting lines by patient",
    "cohort/spark/*.py": "tasks of Spark, named as Spark does",
    "demo/*.py": "the machinery that writes synthetic patients; its words for a clinician are in demo.toml",
    "engine/compiled.py": "what is worked out once for a label, so that each patient takes less",
    "engine/memo.py": "a cache",
    "knowledge/assembly.py": "the tables of a folder while they are read",
    "knowledge/expression.py": "the nodes of a parsed expression, named as in Python's own `ast`",
    "knowledge/fact_kinds.py": "each kind of fact has its section in docs/reference/knowledge-format.md",
    "knowledge/toml.py": "how TOML is read into dataclasses",
    "readers/*.py": "the mechanics of reading FHIR and OMOP; their words are those of the standards",
    "engine/chart.py::Setting": "a label at a stage, made once",
    "knowledge/model.py::OfOwner": "how a dataclass keeps something of its own",
    "service/cards/*.py": "parts of cards, named as CDS Hooks does",
    "service/hooks.py::PendingUse": "the use of a token until it is kept",
    "service/serving.py": "named as uvicorn does",
    "service/store_client.py": "the store, asked from an event loop",
    "service/auth/*.py": "tokens and keys, named as OAuth and JOSE do",
    "service/fhir/*.py": "requests to a FHIR server",
    "service/http/*.py": "requests, named as HTTP does",
    "service/metrics.py": "named as Prometheus does",
    "service/settings.py": "each setting is explained where it stands, and in the guide",
    "service/store/*.py": "the database and its rows, named as SQLAlchemy does",
    "sql/*.py": "the parts of a SQL script",
    "tables/*.py": "Arrow tables",
    "writers/*.py": "what a page is made of",
}
"""Classes that need no entry in the glossary, each with the reason: modules of technical names that a maintainer knows
or finds explained where they stand, or a single class of a module (`a/b.py::Name`). `*` stands for folders too. All
other public classes are words of the project."""

NO_BEGINNING = re.compile(r"(?:Of|By|What any)\b")
"""A docstring that begins so is the end of a sentence whose beginning only its author knows."""


class Class(NamedTuple):
    """A class of the package and the module in which it stands, from the package on."""

    name: str
    file: str


def modules(*folders: str) -> list[Path]:
    return sorted(path for each in folders for path in (PROJECT / each).rglob("*.py"))


def classes(text: str, file: str) -> Iterator[Class]:
    """Yield the classes at the top of a module."""
    yield from (Class(node.name, file) for node in ast.parse(text).body if isinstance(node, ast.ClassDef))


def of_package() -> list[Class]:
    root = PROJECT / "precaution"
    return [
        each
        for path in modules("precaution")
        for each in classes(path.read_text(encoding="utf-8"), path.relative_to(root).as_posix())
    ]


# (a) A name for each class


def repeated(found: Iterable[Class]) -> dict[str, list[str]]:
    """Return the class names that stand in more than one file, with the files."""
    files: dict[str, list[str]] = {}
    for each in found:
        files.setdefault(each.name, []).append(each.file)
    return {name: where for name, where in sorted(files.items()) if len(where) > 1}


def wrongly_repeated(found: Collection[Class], reasons: Mapping[str, str]) -> list[str]:
    """Return what is wrong with names that stand in more than one file."""
    twice = repeated(found)
    wrong = [
        f"{name} stands in {', '.join(files)}: rename all but one, or give a reason in TWICE"
        for name, files in twice.items()
        if name not in reasons
    ]
    wrong += [f"{name} stands in one file: take it out of TWICE" for name in reasons if name not in twice]
    most = int(MOST * len({each.name for each in found}))
    return wrong + (
        [f"{len(twice)} names stand in more than one file, at most {most} may"] if len(twice) > most else []
    )


@settled
def test_a_class_name_stands_in_one_file() -> None:
    wrong = wrongly_repeated(of_package(), TWICE)
    assert not wrong, "\n" + "\n".join(wrong)


def test_a_name_in_two_files_is_seen() -> None:
    found = [*classes("class A: ...\nclass B: ...", "x.py"), *classes("class A: ...", "y.py")]
    assert wrongly_repeated(found, {})[0].startswith("A stands in x.py, y.py")
    assert wrongly_repeated(found, {"A": "why", "B": "why"})[0].startswith("B stands in one file")
    assert wrongly_repeated(found, {"A": "why"}) == ["1 names stand in more than one file, at most 0 may"]


# (b) The glossary


def heads(glossary: str) -> set[str]:
    """Return the words that the glossary explains, as a class would be called: `CodeList` for **code list**."""
    return {re.sub(r"[^A-Za-z]", "", found.title()) for line in glossary.splitlines() for found in leading(line)}


def leading(line: str) -> list[str]:
    """Return the words in bold with which an entry begins."""
    begin = re.match(r"\*\*[^*]+\*\*(?: or \*\*[^*]+\*\*)*", line)
    return re.findall(r"\*\*([^*]+)\*\*", begin[0]) if begin else []


def quoted(glossary: str) -> set[str]:
    """Return the classes that the glossary names in backquotes."""
    return set(re.findall(r"`([A-Z][A-Za-z]+)`", glossary))


def unexplained(found: Iterable[Class], glossary: str, plain: Collection[str]) -> list[Class]:
    """Return the public classes that are no plain technical names, and that the glossary does not name."""
    known = heads(glossary) | quoted(glossary)
    return [
        each
        for each in found
        if not each.name.startswith("_")
        and not {each.name, each.name.removesuffix("s")} & known
        and not any(is_plain(each, pattern) for pattern in plain)
    ]


def is_plain(found: Class, pattern: str) -> bool:
    return fnmatch(f"{found.file}::{found.name}", pattern if "::" in pattern else f"{pattern}::*")


def glossary() -> str:
    return (PROJECT / "GLOSSARY.md").read_text(encoding="utf-8")


@settled
def test_the_glossary_names_every_class_that_is_a_word_of_the_project() -> None:
    missing = unexplained(of_package(), glossary(), PLAIN)
    assert not missing, (
        "\nGLOSSARY.md does not name these. Put the class in backquotes into the entry whose word it stands for, "
        "write an entry, or say in PLAIN why it needs none:\n"
        + "\n".join(f"{name} in {file}" for name, file in missing)
    )


@settled
def test_every_class_that_the_glossary_names_exists() -> None:
    gone = quoted(glossary()) - {each.name for each in of_package()}
    assert not gone, f"GLOSSARY.md names classes that are not there: {sorted(gone)}"


@settled
def test_what_is_called_plain_exists() -> None:
    found = of_package()
    idle = [pattern for pattern in PLAIN if not any(is_plain(each, pattern) for each in found)]
    assert not idle, f"no class stands there; take it out of PLAIN: {idle}"


def test_a_class_without_an_entry_and_an_entry_without_a_class_are_seen() -> None:
    text = "**code list** The codes. `Terminology` holds all.\n\n**hold** or **stop** What stops, see **other**.\n"
    made = "class CodeLists: ...\nclass Terminology: ...\nclass Stop: ...\nclass Other: ...\nclass _Own: ..."
    found = list(classes(made, "engine/a.py"))
    assert unexplained(found, text, ()) == [Class("Other", "engine/a.py")]
    assert unexplained(found, text, ["engine/*.py"]) == []
    assert unexplained(found, text, ["engine/a.py::Other"]) == []
    assert unexplained(found, text, ["engine/a.py::Another"]) != []
    assert quoted(text) == {"Terminology"}


# (c) Docstrings


def texts(tree: ast.AST) -> Iterator[ast.Constant]:
    """Yield every docstring, also those below a constant or a field."""
    for node in ast.walk(tree):
        for each in getattr(node, "body", None) or [] if not isinstance(node, (ast.Lambda, ast.IfExp)) else []:
            if (
                isinstance(each, ast.Expr)
                and isinstance(each.value, ast.Constant)
                and isinstance(each.value.value, str)
            ):
                yield each.value


def without_beginning(text: str, file: str) -> list[str]:
    """Return where docstrings begin in the middle of a thought."""
    return [
        f"{file}:{each.lineno}: {str(each.value).partition(chr(10))[0][:60]}"
        for each in texts(ast.parse(text))
        if NO_BEGINNING.match(str(each.value))
    ]


@settled
@pytest.mark.parametrize("folder", ["precaution", "benchmarks", "tools", "tests/support"])
def test_a_docstring_begins_as_a_sentence_does(folder: str) -> None:
    found = [
        each
        for path in modules(folder)
        for each in without_beginning(path.read_text(encoding="utf-8"), str(path.relative_to(PROJECT)))
    ]
    assert not found, "\nsay it as a sentence that a stranger understands:\n" + "\n".join(found)


def test_a_docstring_without_a_beginning_is_seen() -> None:
    text = '"""Of x."""\nclass A:\n    """Offers."""\n    b: int\n    """By name."""\ndef f():\n    """What any is."""'
    assert [each.partition(": ")[0] for each in without_beginning(text, "a")] == ["a:1", "a:5", "a:7"]
