"""Writes docs/reference/knowledge-format.md from the dataclasses that describe the tables, and their docstrings.

`python tools/make_format_page.py` writes the page; with `--check` it says whether the page is as it would be
written, with exit code 1 where it is not.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).parent.parent
PAGE = PROJECT / "docs" / "reference" / "knowledge-format.md"
SOURCES = (
    "knowledge/model.py",
    "knowledge/fact.py",
    "knowledge/fact_kinds.py",
    "cases/load.py",
    "knowledge/policy.py",
    "knowledge/assembly.py",
)

HEAD = """\
# The files of a label's folder

<!-- Written by tools/make_format_page.py from the dataclasses; change those, not this page. -->

Everything medical stands in one folder a label: `precaution/labels/<name>/`. The files are [TOML](https://toml.io).

| file | what it holds |
|---|---|
| `label.toml` | name, version and title; `[about...]`, `[actions]`, `[therapy]`, `[records]`, `[audit]`; parameters |
| `concepts.toml` | `[concept.x]`: units and words of code lists |
| `topics/<topic>.toml` | the sentences of one topic, their parameters, facts, asks, rules, duties, measures |
| `topics/<topic>.cases.toml` | `[[case]]`: small records, and what they must lead to |
| `codes/<concept>.csv` | a code list: `system`, `code`, columns for people; `I21*` is every code that begins so |

A list of one may be written without brackets: `cites = "S19"`. What is "for each stage" is a table
(`{ before-start = "...", on-treatment = "..." }`), or one value that stands for every stage. `precaution check`
says what is wrong, with file, table and key.

## Expressions

`when`, `is`, `release` and the like are written in a small language:

| written | means |
|---|---|
| `anc < 1` | a number compared: `<` `<=` `>` `>=` `==` `!=`; the right side may be a parameter |
| `smoking == "former"`, `smoking in ("former", "current")` | a word compared |
| `diabetes`, `not diabetes` | something true or false stands alone |
| `a and b`, `a or b`, `( ... )` | both; at least one |
| `known(x)` | whether `x` can be told |
| `recorded(x)` | whether the record holds anything about `x` |
| `possible(x)` | can't be told where `x` is true or can't be told: a question, never an answer |

What can't be told stays so: `a or b` is true where one is true, and can't be told where one can't and the other is
false. Names are those of facts, asks and parameters, with `_` for `-`.

## Parameters of a site

A site's own file (`--policy FILE`) changes values, and never rules:

```toml
name = "Example clinic"
[parameter]
count-max-age = "14 days"
[lists]
complete = ["condition"]
```

A value must be of the same sort as the label's own, and one of its `choices` where it has any.
"""


def _kinds() -> tuple[str, ...]:
    """Return the kinds of facts, in the order in which they are defined."""
    tree = ast.parse((PROJECT / "precaution" / "knowledge" / "fact_kinds.py").read_text(encoding="utf-8"))
    classes = [each for each in tree.body if isinstance(each, ast.ClassDef)]
    return tuple(each.name for each in classes if any(ast.unparse(base) == "Fact" for base in each.bases))


KINDS = _kinds()
SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("A sentence of the label", "`[says.x]`", ("Says",)),
    ("A parameter", "`[parameter.x]`", ("Parameter",)),
    ("A code list", "`[concept.x]`", ("Concept",)),
    ("A fact", "`[fact.x]`: what every fact has; its kind is told by one more key", ("Fact",)),
    (
        "Kinds of facts",
        "",
        KINDS,
    ),
    ("An ask", "`[ask.x]`", ("Ask",)),
    ("A rule", "`[rule.x]`", ("Rule",)),
    ("A duty", "`[duty.x]`", ("Duty",)),
    ("A measure", "`[measure.x]`", ("Measure",)),
    ("A published figure", "`[[measure.x.published]]`", ("Published",)),
    ("label.toml", "", ("Top", "Actions", "Therapy", "Records", "Audit")),
    ("A case", "`[[case]]`", ("Case",)),
    ("A site's policy", "", ("Policy", "Lists")),
)
NOT_WRITTEN = {"MEANING", "id", "topic", "uses", "overridden", "written", "file"}
NAMED_BY_TABLE = {"Parameter", "Concept", "Fact", "Ask", "Rule", "Duty", "Measure"}
WORDS = {
    "str": "text",
    "float": "number",
    "int": "whole number",
    "bool": "true or false",
    "Expression": "expression",
    "object": "anything",
    "Table": "table",
    "Concepts": "code lists",
    "Sentences": "ids of sentences",
    "ConceptName": "code list",
    "DaysName": "parameter (days)",
    "NumberName": "parameter (number)",
    "WordName": "parameter (word)",
    "FactName": "fact",
    "AskName": "ask",
    "ActionName": "action",
    "RuleOrDuty": "rule or duty",
    "MeasureName": "measure",
    "Published": "published figure",
    "Stage": "stage",
    "Role": "role",
    "Absent": "absent",
    "Kind": "kind of entry",
    "Listed": "kind of entry",
    "None": "",
}


class Field(NamedTuple):
    """One key of a table."""

    key: str
    sort: str
    default: str | None
    means: str


def page() -> str:
    """Return the whole page."""
    classes = {node.name: node for source in SOURCES for node in _parsed(source).body if isinstance(node, ast.ClassDef)}
    literals = dict(_literals(_parsed("knowledge/model.py")))
    parts = [HEAD]
    for title, table, names in SECTIONS:
        parts.append(f"\n## {title}\n" + (f"\n{table}\n" if table else ""))
        explained: dict[str, str] = {}
        parts += [_table(classes[name], explained, single=len(names) == 1) for name in names]
    parts.append("\n## Words with a fixed meaning\n\n")
    parts += [f"- {name}: {words}\n" for name, words in literals.items()]
    return "".join(parts)


def _parsed(source: str) -> ast.Module:
    return ast.parse((PROJECT / "precaution" / source).read_text(encoding="utf-8"))


def _literals(module: ast.Module) -> list[tuple[str, str]]:
    """Return the names that stand for a choice of words, with the words."""
    return [
        (WORDS[node.targets[0].id], _sort(node.value))
        for node in module.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in ("Stage", "Role", "Absent")
    ]


def _table(node: ast.ClassDef, explained: dict[str, str], *, single: bool) -> str:
    """Return one table; a key without a text of its own means what it means in an earlier table of the section."""
    fields = [
        field._replace(means=field.means or explained.get(field.key, ""))
        for field in _fields(node)
        if not (field.key == "name" and node.name in NAMED_BY_TABLE)
    ]
    explained.update(
        {field.key: f"As for {_kind_key(fields, node.name)}." for field in fields if field.key not in explained}
    )
    lines = ["" if single else f"\n### {_kind_key(fields, node.name)}\n", f"\n{_text(ast.get_docstring(node))}\n"]
    if fields:
        lines.append("\n| key | value | left out | meaning |\n|---|---|---|---|\n")
        lines += [
            f"| `{f.key}` | {f.sort} | {'**needed**' if f.default is None else f.default} | {f.means} |\n"
            for f in fields
        ]
    return "".join(lines)


def _kind_key(fields: list[Field], name: str) -> str:
    if name in ("Top", "Actions", "Therapy", "Records", "Audit", "Policy", "Lists"):
        return {"Top": "At its top", "Policy": "At its top"}.get(name, f"`[{name.lower()}]`")
    return "`reached-age` or `reached-age-parameter`" if name == "ReachedAge" else f"`{fields[0].key}`"


def _fields(node: ast.ClassDef) -> list[Field]:
    found = []
    for each, after in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and each.target.id not in NOT_WRITTEN:
            means = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            key = {"expression": "is"}.get(each.target.id, each.target.id.replace("_", "-"))
            found.append(Field(key, _sort(each.annotation), _default(each.value), _text(str(means))))
    return found


def _default(value: ast.expr | None) -> str | None:
    """Return what a key is where it is left out, in words; None where it must be given."""
    if value is None:
        return None
    if isinstance(value, ast.Constant):
        word = str(value.value)
        return {"": "nothing", "None": "nothing", "False": "false", "True": "true"}.get(word, f"`{word}`")
    return (
        ", ".join(
            f"`{each.value!s}`"
            for each in ast.walk(value)
            if isinstance(each, ast.Constant) and isinstance(value, ast.Tuple)
        )
        or "nothing"
    )


def _sort(annotation: ast.expr) -> str:
    """Return a type in words."""
    match annotation:
        case ast.BinOp(left=left, right=right):
            return " or ".join(part for part in (_sort(left), _sort(right)) if part)
        case ast.Subscript(value=ast.Name(id="Literal"), slice=words):
            return ", ".join(f"`{word.value!s}`" for word in ast.walk(words) if isinstance(word, ast.Constant))
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=[each, *_])):
            return f"list of {_sort(each)}"
        case ast.Subscript(value=ast.Name(id="Mapping"), slice=ast.Tuple(elts=[ast.Name(id="Stage"), each])):
            return f"{_sort(each)}, for each stage"
        case ast.Subscript(value=ast.Name(id="Mapping"), slice=ast.Tuple(elts=[key, each])):
            return f"table: {_sort(key)} = {_sort(each)}"
        case ast.Constant(value=value):
            return WORDS[str(value)]
        case _:
            return WORDS[ast.unparse(annotation)]


def _text(doc: str | None) -> str:
    text = " ".join((doc or "").split()).replace("|", "\\|").replace("Parameters: ", "").replace("Parameter: ", "")
    return text[:1].upper() + text[1:]


def main() -> int:
    if "--check" in sys.argv[1:]:
        fresh = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page()
        print("the page is fresh" if fresh else f"{PAGE} is stale: run tools/make_format_page.py")
        return 0 if fresh else 1
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
