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
    "knowledge/refers.py",
    "knowledge/model.py",
    "knowledge/terminology.py",
    "knowledge/families.py",
    "knowledge/said_once.py",
    "knowledge/fact.py",
    "knowledge/fact_kinds.py",
    "knowledge/computed_facts.py",
    "knowledge/formulas.py",
    "cases/load.py",
    "knowledge/policy.py",
    "knowledge/assembly.py",
)

HEAD = """\
# The files of a label's folder

<!-- Written by tools/make_format_page.py from the dataclasses; change those, not this page. -->

Everything medical stands in one folder a label, `precaution/labels/<name>/`, and in `precaution/labels/shared/`, which
holds what labels have in common. The files are [TOML](https://toml.io).

| file | what it holds |
|---|---|
| `label.toml` | name, version and title; `[about...]`, `[actions]`, `[therapy]`, `[records]`, `[audit]`; parameters |
| `concepts.toml` | `[concept.x]`: units and words of the label's own code lists |
| `topics/<topic>.toml` | the sentences of one topic, their parameters, facts, asks, rules, duties, measures |
| `topics/<topic>.cases.toml` | `[[case]]`: small records, and what they must lead to |
| `shared/<chapter>.toml` | what labels share: `[concept.x]`, `[fact.x]`, `[result.x]` |
| `codes/<concept>.csv` | a code list: `system`, `code`, columns for people; `I21*` is every code that begins so |

A list of one may be written without brackets, and a list of names as words: `cites = "S01 S05"`. `precaution check`
says what is wrong, with file, table and key.

Names of facts, asks, parameters, rules, duties and measures have small letters, digits and `-`, and are written so
everywhere. (In answers a fact is called with `_`.) A code list is called as its file.

## Taken from what labels share

In `label.toml`, `[shared] chapters = "blood-counts liver"` takes all concepts of these chapters, with their code lists
in `shared/codes/`. In a topic, `[shared] facts = "anc alc"` takes facts: each is then a fact of that topic, as if its
table stood there. Of a family only the members that are named are taken. A fact names parameters (`count-max-age`);
the label gives them value and reason.

A list of the label's own goes before: its codes are never irrelevant because other labels do not care. Its
`codes/whole.toml` needs only the `lists` that are whole, `[LOINC] lists = ["lab_own"]`; where it does not call a list
whole that has codes of a system, no code of that system is a "no".

## Said once

**For each stage.** One value stands for every stage: `then = "caution"`. A table gives it for some
(`{ before-start = "weigh" }`), with `after-start` for both stages after the start.

**A family** is a table with `for`: it stands for one table for each member. A member's own keys take the place of the
family's; any other key of it is a word that stands in braces. `@` is the member's `fact`, or its name.

```toml
[rule.low-count]
for.low-sodium = { fact = "sodium", ion = "Sodium" }
for.low-potassium = { fact = "potassium", ion = "Potassium" }
title = "{ion} below {@-limit}"
cites = "S01"
when = "@ < @-limit"
then = { before-start = "do-not-start", after-start = "interrupt" }
tell = "{title}: now {@}"
```

A table of any topic joins a family with `like`; a family without members of its own says `for = {}`:

```toml
[rule.low-magnesium]
like = "low-count"
fact = "magnesium"
ion = "Magnesium"
```

**A title** that is left out is that of the member's fact, or the name in words. `tell` may name it: `{title}`; a duty
without `tell` says its title.

**A limit** stands once, in the sentence that states it. Expressions and texts of any topic name it:

```toml
[says.S01]
numbers = { sodium-limit = "130 mmol/L" }
```

`sodium < sodium-limit` compares with 130, and `below {sodium-limit}` says "below 130 mmol/L". A key that is a
number takes one too: `limit = "sodium-limit"`.

**The facts about one test** come from one table, `[result.x]`; see below.

**Short tables** may stand as lines under the name of their section:

```toml
[fact]
diabetes = { ever = "diabetes" }
obese = { title = "obesity", ever = "obesity" }
```

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
| `done(x)` | the test `x` has a result: `recorded(x) and x in ("positive", "negative")` |
| `yes(x)` | `recorded(x) and x`: no where nothing is on record |
| `sure(x)` | `known(x) and x`: no where it can't be told |

What can't be told stays so: `a or b` is true where one is true, and can't be told where one can't and the other is
false. Names are those of facts, asks and parameters; there is no minus.

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
    classes = [
        each
        for module in ("fact_kinds.py", "computed_facts.py")
        for each in ast.parse((PROJECT / "precaution" / "knowledge" / module).read_text(encoding="utf-8")).body
        if isinstance(each, ast.ClassDef)
    ]
    return tuple(each.name for each in classes if any(ast.unparse(base) == "Fact" for base in each.bases))


KINDS = _kinds()
SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("A sentence of the label", "`[says.x]`", ("Sentence",)),
    ("A parameter", "`[parameter.x]`", ("Parameter",)),
    ("A code list", "`[concept.x]`", ("Concept",)),
    ("A fact", "`[fact.x]`: what every fact has; its kind is told by one more key", ("Fact",)),
    (
        "Kinds of facts",
        "",
        KINDS,
    ),
    ("A formula", "`shared/formulas/<name>.toml`", ("Formula",)),
    ("The facts about one test", "`[result.x]`", ("Result",)),
    ("An ask", "`[ask.x]`", ("Ask",)),
    ("A rule", "`[rule.x]`", ("Rule",)),
    ("A duty", "`[duty.x]`", ("Duty",)),
    ("A measure", "`[measure.x]`", ("Measure",)),
    ("A published figure", "`[[measure.x.published]]`", ("Published",)),
    ("A source of figures", "`[source.x]`, in label.toml or a topic", ("FigureSource",)),
    ("label.toml", "", ("Top", "Actions", "TherapySettings", "Records", "Questionnaire", "AuditSettings")),
    ("A case", "`[[case]]`", ("Case",)),
    ("A site's policy", "", ("Policy", "Lists")),
)
NOT_WRITTEN = {"MEANING", "id", "topic", "uses", "questionnaire", "overridden", "written", "file"}
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
    "Suspect": "`changed` or `removed`",
    "View": "view",
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
    literals = {name: words for source in SOURCES for name, words in _literals(_parsed(source))}
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
        and node.targets[0].id in ("Stage", "Role", "Absent", "View")
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
    if name in ("Top", "Actions", "TherapySettings", "Records", "Questionnaire", "AuditSettings", "Policy", "Lists"):
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
    if isinstance(value, ast.Name):
        return {"STAGES": "every stage"}[value.id]
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
