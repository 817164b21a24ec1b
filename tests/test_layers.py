"""A module imports only what stands below it, and nothing outside labels/ holds medicine."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from conftest import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = PROJECT / "precaution"
LAYERS = (
    {"labels", "errors", "logic", "interval", "checkdigit"},
    {"quantity", "expression", "record"},
    {"definitions", "answer", "terminology", "entries"},
    {"fact_kinds"},
    {"tables", "policy"},
    {"knowledge", "cases", "checks"},
    {"therapy", "facts"},
    {"evidence"},
    {"findings"},
    {"duties"},
    {"decision"},
    {"readers", "writers", "case_records"},
    {"assessment", "timeline", "case_records"},
    {"demo", "cohort"},
    {"sql"},
    {"service"},
    {"cli"},
)
"""The modules and packages of `precaution`, lowest first. Those of one layer may import each other."""
RANKS = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
FHIR_SPEAKERS = ("readers", "case_records", "demo", "service")
APART = {("readers", "writers"), ("writers", "readers")}

MEDICINE = re.compile(
    r"baricitinib|olumiant|tofacitinib|methotrexate|statin|rheumatoid|neutrophil|lymphocyte|lymphoma|emoglobin|"
    r"transaminase|tubercul|hepatitis|herpes|zoster|thrombo|embolism|malignan|cholesterol|lipid|vaccin|smok|contracept|"
    r"\b(?:anc|alc|alt|ldl|hdl|hbsag|igra|vte)\b",
    re.IGNORECASE,
)
NOT_MEDICINE = re.compile(
    r"vaccine ?code|vaccination ?protocol|options\.examples\(.*?\)\)|(?<![.\w])examples\(.*?\)",
    re.IGNORECASE | re.DOTALL,
)
"""A name of FHIR, and the examples of the command line."""


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "labels" not in path.parts)


def top(path: Path) -> str:
    """Return the module or package of `precaution` that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the modules of `precaution` that a module imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "precaution":
            names = [f"precaution.{each.name}" for each in node.names if each.name != "__version__"]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("precaution."))


def typing_only(tree: ast.AST) -> ast.AST:
    """Return the module without what stands under `if TYPE_CHECKING`."""

    class Without(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
            return node.orelse if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)

    return Without().visit(tree)


def wrong_imports(path: Path, text: str) -> list[str]:
    here = top(path)
    return [
        name
        for name in imported(typing_only(ast.parse(text)))
        if name != here and (RANKS.get(name, 99) > RANKS[here] or (here, name) in APART)
    ]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_stands_below_it(path: Path) -> None:
    if path.parent == PACKAGE and path.name in ("__init__.py", "__main__.py"):
        pytest.skip("the package itself names everything, but loads it only on use")
    assert top(path) in RANKS, "say in LAYERS where the new module stands"
    assert wrong_imports(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("logic.py", "from precaution.record import Record"),
        ("facts/latest.py", "from precaution.readers import read"),
        ("facts/latest.py", "def f():\n    import precaution.cli.output"),
        ("writers/text.py", "from precaution.readers.fhir import record_of"),
        ("knowledge/names.py", "from precaution import decision"),
    ],
)
def test_an_import_of_what_stands_above_is_seen(file: str, text: str) -> None:
    assert wrong_imports(PACKAGE / file, text)


def test_an_import_for_types_alone_may_name_what_stands_above() -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from precaution.answer import Decision"
    assert wrong_imports(PACKAGE / "record.py", text) == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_above_the_readers_knows_fhir(path: Path) -> None:
    words = re.findall(r"(?i)\b(?:resourceType|CodeableConcept|valueQuantity|effectiveDateTime)\b", code_of(path))
    assert top(path) in FHIR_SPEAKERS or words == []  # case_records and demo write what the readers read


OMOP = re.compile(
    r"\b(?:condition_occurrence|drug_exposure|procedure_occurrence|observation_period|concept_ancestor|"
    r"value_as_concept_id|person_id)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_but_its_reader_knows_the_tables_of_omop(path: Path) -> None:
    here = path.relative_to(PACKAGE).parts
    assert here[:2] == ("readers", "omop") or OMOP.findall(code_of(path)) == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_code_outside_labels_holds_medicine(path: Path) -> None:
    assert medicine_in(code_of(path)) == []


@pytest.mark.parametrize("text", ['limit = "lab_alt"', "def f(neutrophils): ...", 'drug = "Baricitinib"'])
def test_medicine_in_code_is_seen(text: str) -> None:
    assert medicine_in(text.replace("_", " "))


def medicine_in(code: str) -> list[str]:
    return [found[0] for found in MEDICINE.finditer(code.replace("_", " "))]


def code_of(path: Path) -> str:
    """Return a module without docstrings and comments: examples there may name a rule of a label."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_text(each)] or [ast.Pass()]
    return NOT_MEDICINE.sub("", ast.unparse(tree))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_is_too_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500
