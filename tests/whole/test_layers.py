"""A module imports only what stands below it, and nothing outside labels/ holds medicine."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from support.project import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

PACKAGE = PROJECT / "precaution"
LAYERS: dict[str, tuple[set[str], ...]] = {
    "": (
        {"labels", "errors", "values"},
        {"knowledge"},
        {"tables", "writers"},
        {"engine"},
        {"sql", "measures", "timeline"},
        {"readers"},
        {"assessment"},
        {"cases"},
        {"revision"},
        {"checks", "demo"},
        {"cohort"},
        {"audit"},
        {"service"},
        {"clinic"},
        {"cli"},
    ),
    "values": ({"logic"}, {"interval"}, {"record"}),
    "knowledge": (
        {"check_digits", "expression", "refers", "source_settings", "strengths", "unlisted"},
        {"terminology", "toml"},
        {"fact", "formulas"},
        {"computed_facts"},
        {"fact_kinds"},
        {"shorthand"},
        {"families", "model"},
        {"said_once", "shared"},
        {"shared_codes"},
        {"expansion", "folder", "policy", "type_checks"},
        {"sections"},
        {"assembly", "linking", "site"},
        {"signatures"},
        {"loading"},
    ),
    "engine": (
        {"answer", "therapy"},
        {"chart", "background", "doubtful", "signed"},
        {"kinds", "evidence"},
        {"compiled"},
        {"facts"},
        {"findings", "duties"},
        {"memo", "daily"},
        {"decision"},
    ),
    "cases": ({"load", "lines"}, {"run"}),
    "readers": (
        {"json_access", "json_input", "units"},
        {"drafts", "merges", "sender", "zones"},
        {"ledger", "manifests"},
        {"authors", "codes", "dates", "quantities", "resource_types"},
        {"lengths", "routes", "strengths"},
        {"frequencies"},
        {"dosages"},
        {"answers", "concept_matches", "contents", "free_text", "lists", "references", "renewals", "visit_diagnoses"},
        {"shown_references"},
        {"language", "patient"},
        {"bundle_queries", "record_builder"},
        {"elsewhere", "unlisted_results"},
        {"conditions", "medications", "observations", "procedures"},
        {"fhir"},
        {"omop", "prefetch"},
    ),
    "readers.omop": (
        {"columns", "doses", "meanings"},
        {"files", "mapping", "postgres", "rows"},
        {"code_map"},
    ),
    "sql": (
        {"literals"},
        {"expressions", "macros", "dialects"},
        {"dependencies", "fact_tables"},
        {"fact_columns", "rules", "duties"},
        {"script"},
    ),
    "measures": ({"exposure"}, {"follow_up"}, {"shares"}, {"events"}),
    "audit": (
        {"intervals", "suppression", "coverage"},
        {"counting"},
        {"lines"},
        {"pictures", "wording"},
        {"report"},
    ),
    "demo": (
        {"placeholders", "spoils", "recipes"},
        {"plan", "filler"},
        {"resources"},
        {"disguises"},
        {"generate"},
        {"output"},
    ),
    "demo.disguises": ({"kit", "whole"}, {"drugs", "results", "times", "wording"}),
    "writers": (
        {"layout", "questionnaire", "structured"},
        {"english", "text"},
        {"looks_at"},
        {"rule_content"},
        {"listing", "labels", "in_short", "explanation", "measure_content"},
        {"booklet"},
        {"review"},
    ),
    "revision": (
        {"likeness", "sections", "sentences", "xml_input"},
        {"finding", "markup", "resting"},
        {"alignment", "fhir_document", "spl_document"},
        {"texts"},
        {"changes"},
        {"toml_edits", "listing"},
        {"adoption"},
        {"fresh"},
    ),
    "cohort": (
        {"problems", "tables", "run_lock", "label_source", "row_checks", "progress", "who"},
        {"context", "processes"},
        {"preload", "results", "sort"},
        {"deciding", "export", "comparison", "scan"},
        {"deciding_fhir", "deciding_rows"},
        {"run_fhir", "run_tables"},
        {"run_omop", "spark"},
        {"run"},
    ),
    "cohort.sort": (
        {"files", "owner", "irrelevant", "kept_people", "partition_files"},
        {"manifests", "deleted"},
        {"template_regex", "indexes", "merged", "sorted", "foreign"},
        {"templates"},
        {"routing"},
        {"lines", "rows"},
    ),
    "cohort.scan": ({"needles"}, {"find"}),
    "cohort.spark": (
        {"lines", "session"},
        {"rows"},
        {"tasks"},
        {"jobs", "shipping"},
        {"backend"},
    ),
    "cohort.export": ({"worklist", "calendar"}, {"csv"}),
    "service": (
        {"settings", "logs", "metrics", "audit_events"},
        {"settings_loading", "store"},
        {"store_client", "clinician_answers", "content_digests", "http"},
        {"fhir", "cards", "cohort_answers"},
        {"auth", "current_label", "deciding"},
        {"hooks", "made_calls"},
        {"routes"},
        {"app"},
        {"serving"},
    ),
    "clinic": (
        {"access", "answering", "opening", "people", "settings"},
        {"forms", "trends", "worklist"},
        {"heeding", "steps"},
        {"checklist", "pages", "paper", "patient"},
        {"printing"},
        {"app"},
        {"serving"},
    ),
    "service.http": ({"errors", "openapi"}, {"calls", "concurrency", "fields", "json_body", "middleware"}),
    "service.auth": ({"keys", "links"}, {"tokens"}, {"patients"}),
    "service.fhir": ({"addresses", "queries"}, {"fetching"}),
    "service.cards": ({"tiers", "vocabulary", "wording"}, {"pages", "suggestions"}, {"build"}),
    "service.store": (
        {"canonical", "model", "packing", "sqlite_file", "statements", "tables"},
        {"answers", "audit_trail", "cards", "database", "migrations"},
        {"commits", "feedbacks", "retention", "upgrading"},
        {"store"},
    ),
    "service.routes": ({"access"}, {"answers", "cds_hooks", "feedback", "health", "pages"}),
}
"""Rooms of the package, and what stands in each, lowest first; "" is the package itself. Those of one layer may import
each other, but not in a circle."""
APART = {("readers", "writers"), ("writers", "readers")}
ROOT = {"__init__", "__main__", "errors", "assessment", "timeline"}
"""The only modules at the root of the package: all others stand in a room."""
FHIR_SPEAKERS = (
    "readers",
    "cases",
    "cohort.scan",
    "cohort.sort",
    "demo",
    "revision.fhir_document",
    "service",
    "writers.questionnaire",
)
"""Who reads FHIR, sorts its lines, or writes what the readers read."""

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


def name_of(path: Path) -> str:
    """Return the name by which a module is imported."""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


NAMES = {name_of(path) for path in modules()}


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the modules of `precaution` that a module imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.startswith("precaution."))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "precaution":
            for each in node.names:
                inner = f"{node.module}.{each.name}"
                if inner in NAMES or node.module != "precaution":
                    yield inner if inner in NAMES else node.module or ""


def typing_only(tree: ast.AST) -> ast.AST:
    """Return the module without what stands under `if TYPE_CHECKING`."""

    class Without(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
            return node.orelse if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)

    return Without().visit(tree)


def place_in(room: str, name: str) -> str:
    """Return the part of a module's name that stands directly in a room; nothing where it stands elsewhere."""
    start = f"precaution.{room}." if room else "precaution."
    return name.removeprefix(start).split(".")[0] if name.startswith(start) else ""


def wrong_imports(name: str, text: str) -> list[str]:
    """Return what a module imports that stands above it, in any room that holds both."""
    found = set(imported(typing_only(ast.parse(text))))
    return sorted(other for other in found for room, layers in LAYERS.items() if above(name, other, room, layers))


def above(name: str, other: str, room: str, layers: tuple[set[str], ...]) -> bool:
    here, there = place_in(room, name), place_in(room, other)
    if not here or not there or here == there or other == f"precaution.{room}":
        return False
    ranks = {each: rank for rank, layer in enumerate(layers) for each in layer}
    return ranks.get(there, 99) > ranks.get(here, -1) or (here, there) in APART


def circles(imports: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the circles among what imports what."""
    found: list[list[str]] = []
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> None:
        if name in way:
            found.append(way[way.index(name) :])
        elif name not in done:
            for other in sorted(imports.get(name, ())):
                walk(other, [*way, name])
            done.add(name)

    for name in sorted(imports):
        walk(name, [])
    return found


def test_no_import_goes_in_a_circle() -> None:
    trees = {name_of(path): typing_only(ast.parse(path.read_text(encoding="utf-8"))) for path in modules()}
    assert circles({name: set(imported(tree)) - {name} for name, tree in trees.items()}) == []


@pytest.mark.parametrize("room", LAYERS)
def test_no_rooms_import_each_other_in_a_circle(room: str) -> None:
    places: dict[str, set[str]] = {}
    for path in modules():
        here = place_in(room, name_of(path))
        if here and here not in ("__init__", "__main__"):
            found = imported(typing_only(ast.parse(path.read_text(encoding="utf-8"))))
            places.setdefault(here, set()).update({place_in(room, other) for other in found} - {here, ""})
    assert circles(places) == []


def test_a_circle_is_seen() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


@pytest.mark.parametrize("room", LAYERS)
def test_each_module_has_its_place(room: str) -> None:
    folder = PACKAGE.joinpath(*room.split(".")) if room else PACKAGE
    here = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert here - {"__init__", "__main__"} == set().union(*LAYERS[room]), "say in LAYERS where it stands"


def test_at_the_root_of_the_package_stand_few_modules() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} == ROOT


def test_a_module_imports_only_what_stands_below_it() -> None:
    # The package itself names everything, but loads it only on use.
    own = [path for path in modules() if path.parent != PACKAGE or path.name not in ("__init__.py", "__main__.py")]
    assert found_in(own, lambda path: wrong_imports(name_of(path), path.read_text(encoding="utf-8"))) == {}


def found_in(paths: Iterable[Path], look: Callable[[Path], list[str]]) -> dict[str, list[str]]:
    """Return by the module's path what is wrong in each, for those in which something is."""
    return {str(path.relative_to(PACKAGE)): wrong for path in paths if (wrong := look(path))}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("values.logic", "from precaution.values.record import Record"),
        ("engine.kinds.figures", "from precaution.readers import read"),
        ("engine.kinds.figures", "from precaution.engine.findings import judge"),
        ("engine.facts", "def f():\n    import precaution.cli.output"),
        ("writers.text", "from precaution.readers.fhir import record_of"),
        ("knowledge.linking", "from precaution.engine import decision"),
        ("service.fhir.queries", "from precaution.service import hooks"),
        ("cohort.sort.owner", "from precaution.cohort.sort.routing import Router"),
    ],
)
def test_an_import_of_what_stands_above_is_seen(name: str, text: str) -> None:
    assert wrong_imports(f"precaution.{name}", text)


def test_an_import_for_types_alone_may_name_what_stands_above() -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from precaution.engine.answer import Decision"
    assert wrong_imports("precaution.values.record", text) == []


def test_nothing_above_the_readers_knows_fhir() -> None:
    words = re.compile(r"(?i)\b(?:resourceType|CodeableConcept|valueQuantity|effectiveDateTime)\b")
    speakers = tuple(f"precaution.{each}" for each in FHIR_SPEAKERS)
    others = [path for path in modules() if not name_of(path).startswith(speakers)]
    assert found_in(others, lambda path: words.findall(code_of(path))) == {}


OMOP = re.compile(
    r"\b(?:condition_occurrence|drug_exposure|procedure_occurrence|observation_period|concept_ancestor|"
    r"value_as_concept_id|person_id)\b",
    re.IGNORECASE,
)


def test_no_module_but_its_reader_knows_the_tables_of_omop() -> None:
    others = [path for path in modules() if path.relative_to(PACKAGE).parts[:2] != ("readers", "omop")]
    assert found_in(others, lambda path: OMOP.findall(code_of(path))) == {}


def test_no_code_outside_labels_holds_medicine() -> None:
    assert found_in(modules(), lambda path: medicine_in(code_of(path))) == {}


@pytest.mark.parametrize("text", ['limit = "lab_alt"', "def f(neutrophils): ...", 'drug = "Baricitinib"'])
def test_medicine_in_code_is_seen(text: str) -> None:
    assert medicine_in(text.replace("_", " "))


def medicine_in(code: str) -> list[str]:
    return [found[0] for found in MEDICINE.finditer(code.replace("_", " "))]


@cache
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


def test_no_module_is_too_long() -> None:
    lines = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {path: number for path, number in lines.items() if number > 500} == {}
