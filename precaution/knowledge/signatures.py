"""Who has signed which reading, and whether it still holds: a signature is of exactly what was read, and ends with it.

What was read of a rule or duty has parts: its sentences, its reading, the facts, parameters, questions, code lists and
cases behind it. A line of the file of signatures holds a digest of each part, so that it can be said what has changed.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from precaution.errors import KnowledgeError
from precaution.knowledge import folder as files
from precaution.knowledge.expression import names
from precaution.knowledge.linking import named
from precaution.knowledge.model import Ask, Parameter, SignOff
from precaution.knowledge.toml import expressions, read_toml, references

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from precaution.knowledge.linking import Named
    from precaution.knowledge.model import Duty, Label, Rule

Parts = dict[str, str]
"""part = SHA-256 (hex)."""
DECISIONS = {"agree": "signed", "disagree": "disagreed", "change": "change wanted"}
KEYS = frozenset(("name", "decision", "who", "role", "day", "words", "parts"))


class Behind:
    """Everything that stands behind a rule or duty of a label."""

    def __init__(self, label: Label, what: Rule | Duty) -> None:
        """Follow all names from a rule or duty on."""
        self.things: dict[str, Named] = {}
        """Facts, questions and parameters, by the names of expressions."""
        self.concepts: set[str] = set()
        known, todo = named(label), [what]
        by_name: dict[str, str] = {each.name: name for name, each in known.items()}
        while todo:
            thing: Any = todo.pop()
            used = {name for _, expression in expressions(thing) for name in names(expression)}
            for _, refers, name in references(thing):
                if refers.to == "concept":
                    self.concepts.add(name)
                elif refers.to in ("fact", "ask", "parameter"):
                    used.add(by_name.get(name, name))
            for name in used & known.keys() - self.things.keys():
                self.things[name] = known[name]
                todo.append(known[name])  # type: ignore[arg-type]


def contents(label: Label, folder: Path, codes: Iterable[Path] = ()) -> dict[str, Parts]:
    """Return the digest of each part of what is read of every rule and duty of a label's folder."""
    lists = files.read_codes(folder, *codes)
    cases = _cases(folder)
    outcomes: list[Rule | Duty] = [*label.rules.values(), *label.duties.values()]
    return {what.name: _parts(what, label, lists, cases.get(what.name, [])) for what in outcomes}


def _parts(what: Rule | Duty, label: Label, lists: files.Lists, cases: Sequence[str]) -> Parts:
    behind = Behind(label, what)
    things = sorted(behind.things.items())
    beside = [says.id for says in label.says.values() if what.name in says.explains]
    told = [label.says[id_] for id_ in dict.fromkeys((*what.cites, *beside))]
    of_all: dict[str, object] = {
        "sentences": [(s.id, s.sha256, s.role, s.means, s.why, s.numbers, s.show_when) for s in told],
        "reading": what,
        "facts": [each for _, each in things if not isinstance(each, (Ask, Parameter))],
        "parameters": [(e.name, e.written, e.why) for _, e in things if isinstance(e, Parameter)]
        + [(name, label.parameters[name].written) for name in what.uses],
        "questions": [each for _, each in things if isinstance(each, Ask)],
        "codes": [(name, label.concepts.get(name), sorted(lists.get(name, ()))) for name in sorted(behind.concepts)],
        "cases": sorted(cases),
    }
    return {part: sha256(repr(content).encode()).hexdigest() for part, content in of_all.items()}


def _cases(folder: Path) -> dict[str, list[str]]:
    """Return the cases of a label's folder as they are written, with their bases, by rule or duty."""
    read = [read_toml(path, path.name) for path in sorted(folder.glob("topics/*.cases.toml"))]
    bases: dict[str, object] = {name: base for each in read for name, base in _table(each.get("base")).items()}
    found: dict[str, list[str]] = {}
    for each in read:
        tables = each.get("case", [])
        for case in tables if isinstance(tables, list) else ():
            base = bases.get(str(_table(case).get("like", "")))
            written = json.dumps([case, base], sort_keys=True, default=str)
            for name in _table(_table(case).get("expect")):
                found.setdefault(name, []).append(written)
    return found


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def read_signatures(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file of signatures, in their order. Raises KnowledgeError for one that is none."""
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise KnowledgeError(f"{path.name}: can't be read as UTF-8 text") from None
    for number, line in enumerate(lines, start=1):
        try:
            value = json.loads(line) if line.strip() else None
        except ValueError:
            value = ()
        if value is None:
            continue
        if not isinstance(value, dict) or not value.keys() >= KEYS or value["decision"] not in DECISIONS:
            raise KnowledgeError(f"{path.name}: line {number} is no signature; `precaution review` writes them")
        found.append(value)
    return found


def sign_offs(label: Label, signatures: Sequence[Mapping[str, Any]], now: Mapping[str, Parts]) -> dict[str, SignOff]:
    """Return what was said last of each rule and duty, and whether it still holds for what is read `now`."""
    latest = {str(each["name"]): each for each in signatures}
    return {name: _sign_off(latest.get(name), now[name]) for name in (*label.rules, *label.duties)}


def _sign_off(last: Mapping[str, Any] | None, now: Parts) -> SignOff:
    if last is None:
        return SignOff("not signed")
    then = _table(last["parts"])
    changed = tuple(part for part in now if then.get(part) != now[part])
    state: Any = "ended" if changed and last["decision"] == "agree" else DECISIONS[last["decision"]]
    return SignOff(state, str(last["who"]), str(last["role"]), str(last["day"]), str(last["words"]), changed)


def code_of(parts: Parts) -> str:
    """Return the short code of what is read, as a sheet prints it."""
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
