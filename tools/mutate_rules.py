"""Shows that the cases of a label watch over its rules: whatever is changed in a topic file, some case fails.

    python tools/mutate_rules.py [LABEL] [--topic TOPIC ...] [--all]

One thing is changed at a time (a mutant): a comparison, a limit, a switch, an action, a stage, an operand of `and`
or `or`, a window, a code list, a sentence that is cited. It is changed in each plain table, as if every member of a
family had been written by itself, so that each is shown to be watched over. Then what is said once is changed for all
that it is said for: a key of a family or of a result, a limit, what all rules ask for. All cases are run in this
process on records that are read once. A mutant that no case notices is a survivor; it is in order only if
`mutants_equivalent.toml` says why. Prints killed and total by topic and every other survivor, and exits 1 where there
is one or where an entry of that file stands for nothing any more. `--all` also lists those that are in order. What only
an audit's measures use is left out: a case says nothing of them; tests/measures/test_measures.py holds them against a
truth worked out apart.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from argparse import ArgumentParser
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from precaution.assessment import as_day, with_answers  # noqa: E402
from precaution.cases.load import load_cases  # noqa: E402
from precaution.cases.run import came_to, decided, record_of  # noqa: E402
from precaution.errors import KnowledgeError  # noqa: E402
from precaution.knowledge.assembly import Gathered, actions_of, add, plain_tables, read_files  # noqa: E402
from precaution.knowledge.expansion import keys_of  # noqa: E402
from precaution.knowledge.expression import SHORT, names, written  # noqa: E402
from precaution.knowledge.fact_kinds import FACT_KINDS  # noqa: E402
from precaution.knowledge.families import FOR, IT  # noqa: E402
from precaution.knowledge.linking import spoken  # noqa: E402
from precaution.knowledge.loading import find_label, read_label  # noqa: E402
from precaution.knowledge.refers import STAGES  # noqa: E402
from precaution.knowledge.said_once import collected  # noqa: E402
from precaution.knowledge.toml import expressions as expressions_of  # noqa: E402
from precaution.knowledge.toml import references  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from precaution.cases.load import Case
    from precaution.knowledge.model import Label
    from precaution.values.record import Record

EQUIVALENT = Path(__file__).with_name("mutants_equivalent.toml")
GONE = object()
"""What a key is changed to that is taken away."""
LABEL_FILE = "label.toml"
SHOWS = "shows"
"""What a case expects of background sentences."""
ASKS = "asks"
"""What a case expects of open questions."""

EXPRESSIONS = ("is", "when", "done-when", "held", "release", "urgent", "show-when")
ACTIONS = ("then", "if-unknown", "if-attested", "if-denied", "action")
WORDS = {
    "worst": ("low", "high"),
    "undated": ("unknown", "yes"),
    "without-status": ("unknown", "active"),
    "absent": ("unknown", "no-if-list-complete", "no"),
    "never": ("due", "unknown"),
}
"""Keys with few values: each other one is tried."""
DEFAULTS = {"undated": "unknown", "without-status": "unknown", "never": "due"}
NEEDED = (
    "is",
    "when",
    "worst",
    "absent",
    "cites",
    "then",
    "if-unknown",
    "at-least",
    "apart",
    "reached-age-parameter",
    *FACT_KINDS,
)
"""Keys that a table can't do without, or whose loss the loader sees."""
NOT_RULES = frozenset(
    {
        "title",
        "tell",
        "reading",
        "why",
        "ours",
        "question",
        "day",
        "number",
        "resume",
        "of",
        "default",
        "status",
        "choices",
        "unit",
        "means",
        "exact",
        "background",
        "evidence-limit",
        "provenance",
        "numbers",
        "explains",
        "answers",
    }
)
"""Keys that only the reader of an answer sees, or that other checks watch over."""
SECTIONS = ("parameter", "fact", "ask", "rule", "duty", "says")
ACTIONS_TABLE = "actions"


class Change(NamedTuple):
    """A key of a table, by its path in it, and its new value."""

    path: tuple[str | int, ...]
    value: object


class Mutant(NamedTuple):
    """One thing changed in a table of a label's folder."""

    file: str
    section: str
    table: str
    said: str
    """The key, and what was changed."""
    changes: tuple[Change, ...]
    once: bool = False
    """Whether it is a change of what the file says once for several tables."""

    @property
    def name(self) -> str:
        """Return what the mutant is called in mutants_equivalent.toml."""
        return f"{self.section}.{self.table} {self.said}"

    @property
    def stage(self) -> str:
        """Return the only stage at which it can make a difference; empty where at any."""
        only = {key for change in self.changes for key in change.path if key in STAGES}
        return str(only.pop()) if len(only) == 1 else ""

    @property
    def topic(self) -> str:
        """Return the topic of the file."""
        return Path(self.file).stem


# ---- Changed expressions -----------------------------------------------------------------------------------

_TURNED: Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}


def expressions(text: str) -> Iterator[str]:
    """Yield `text` with one thing changed: a comparison, a limit, an operand, `not`, a function, a word."""
    tree = written_out(text)
    whole = ast.unparse(tree)
    for changed in _changed(tree):
        mutated = ast.unparse(ast.fix_missing_locations(changed))
        if mutated != whole:
            yield mutated


_NAME = re.compile(r"""'[^']*'|"[^"]*"|[A-Za-z_][\w-]*""")
_LONG = {
    "done": "recorded({0}) and {0} in ('positive', 'negative')",
    "yes": "recorded({0}) and {0}",
    "sure": "known({0}) and {0}",
}
"""What a short function of the language stands for (expression.SHORT)."""


def written_out(text: str) -> ast.expr:
    """Return an expression as Python reads it, with what its short functions stand for."""
    text = _NAME.sub(lambda found: found[0] if found[0][0] in "'\"" else spoken(found[0]), " ".join(text.split()))
    return _WrittenOut().visit(ast.parse(text, mode="eval").body)


class _WrittenOut(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if not (isinstance(node.func, ast.Name) and node.func.id in SHORT):
            return node
        return ast.parse(_LONG[node.func.id].format(ast.unparse(node.args[0])), mode="eval").body

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        short = [isinstance(value, ast.Call) for value in node.values]
        self.generic_visit(node)
        if isinstance(node.op, ast.And):
            node.values = [
                part
                for value, was_call in zip(node.values, short, strict=True)
                for part in (value.values if was_call and isinstance(value, ast.BoolOp) else [value])
            ]
        return node


def _changed(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.BoolOp(op=op, values=values):
            yield from _of_operands(op, values)
        case ast.UnaryOp(operand=operand):
            yield operand
            yield from (ast.UnaryOp(ast.Not(), changed) for changed in _changed(operand))
        case ast.Compare(left=left, ops=[ast.In()], comparators=[ast.Tuple(elts=words)]):
            yield from (
                ast.Compare(left, [ast.In()], [ast.Tuple([each for each in words if each is not word])])
                for word in words
                if len(words) > 1
            )
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            yield from (ast.Compare(left, [turned()], [right]) for turned in _TURNED[type(operator)])
            yield from (ast.Compare(left, [operator], [limit]) for limit in _limits(right))
        case ast.Call(func=ast.Name(id="possible"), args=[operand]):
            yield operand
            yield from (ast.Call(node.func, [changed], []) for changed in _changed(operand))
        case ast.Call() | ast.Name():
            yield ast.UnaryOp(ast.Not(), node)


def _of_operands(op: ast.boolop, values: Sequence[ast.expr]) -> Iterator[ast.expr]:
    yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), list(values))
    for place, value in enumerate(values):
        rest = [*values[:place], *values[place + 1 :]]
        yield rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
        for changed in _changed(value):
            yield ast.BoolOp(op, [*values[:place], changed, *values[place + 1 :]])


def _limits(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        yield from (ast.Constant(each) for each in stepped(node.value))


def stepped(number: float) -> tuple[float, ...]:
    """Return the numbers a step below and above: ten percent; of nothing, one."""
    return (1.0,) if not number else (round(number * 0.9, 6), round(number * 1.1, 6))


# ---- Changed tables ----------------------------------------------------------------------------------------


def mutants(file: str, tables: Mapping[str, Any], order: Sequence[str]) -> Iterator[Mutant]:
    """Yield every mutant of a file; `order` are the label's actions, gravest first."""
    for section in SECTIONS:
        for name, table in tables.get(section, {}).items():
            for key, value in table.items():
                if key in NOT_RULES:
                    continue
                for path, said, changed in _of_key(section, key, value, table, order):
                    changes = tuple(Change(each, new) for each, new in zip(path, changed, strict=True))
                    yield Mutant(file, section, name, said, changes)


Found = tuple[tuple[tuple[str | int, ...], ...], str, tuple[object, ...]]


def _one(path: tuple[str | int, ...], said: str, value: object) -> Found:
    return (path,), said, (value,)


def _of_key(section: str, key: str, value: Any, table: Mapping[str, Any], order: Sequence[str]) -> Iterator[Found]:
    if section == "parameter":
        if key == "value":
            yield from _of_parameter(value, table.get("choices", ()))
    elif key in EXPRESSIONS:
        yield from _of_expression(key, value, section)
    elif key in ACTIONS:
        yield from _of_actions(key, value, table, order)
    elif key in WORDS:
        yield from (_one((key,), f"{key}: {value} -> {other}", other) for other in WORDS[key] if other != value)
    else:
        yield from _of_value(key, value)


def _of_value(key: str, value: Any) -> Iterator[Found]:
    if isinstance(value, bool):
        yield _one((key,), f"{key}: {value} -> {not value}", not value)
    elif isinstance(value, (int, float)):
        yield from (_one((key,), f"{key}: {value} -> {other}", other) for other in (value - 1, value + 1))
    elif isinstance(value, list):
        yield from _of_list(key, value)
    elif isinstance(value, dict):
        yield from (
            _one((key, each), f"{key} without {each}", GONE) for each in value if len(value) > 1 or key not in NEEDED
        )
    elif key not in NEEDED:
        yield _one((key,), f"without {key}", GONE)


def _of_parameter(value: Any, choices: Sequence[str]) -> Iterator[Found]:
    if choices:
        others: Iterable[object] = [type(value)(each) for each in choices if each != str(value)]
    elif isinstance(value, bool):
        others = [not value]
    elif isinstance(value, str):
        days = int(value.split()[0])
        others = [f"{each} days" for each in (days - 1, days + 1) if each >= 0]
    else:
        others = stepped(value)
    yield from (_one(("value",), f"value: {value} -> {other}", other) for other in others)


def _of_expression(key: str, value: str | Mapping[str, str], section: str) -> Iterator[Found]:
    if isinstance(value, str):
        yield from (_one((key,), f"{key}: {changed}", changed) for changed in expressions(value))
        if key != "is" and (section != "rule" or key not in NEEDED):
            yield _one((key,), f"without {key}", GONE)
    else:
        for stage, text in value.items():
            yield from (_one((key, stage), f"{key}.{stage}: {changed}", changed) for changed in expressions(text))


def _of_actions(key: str, value: Any, table: Mapping[str, Any], order: Sequence[str]) -> Iterator[Found]:
    """Each action one graver and one milder; each stage taken away, with all that stands for it."""
    if isinstance(value, str):
        yield from (_one((key,), f"{key}: {value} -> {other}", other) for other in _neighbours(value, order))
        return
    for stage, action in value.items():
        for other in _neighbours(action, order):
            yield _one((key, stage), f"{key}.{stage}: {action} -> {other}", other)
        if key == "then" and len(value) > 1:
            paths = tuple(
                (each, stage)
                for each in (*ACTIONS, "when")
                if isinstance(table.get(each), dict) and stage in table[each]
            )
            yield paths, f"without {stage}", (GONE,) * len(paths)
        elif key not in NEEDED:
            yield _one((key, stage), f"{key} without {stage}", GONE)


def _neighbours(action: str, order: Sequence[str]) -> Iterator[str]:
    plain = [each for each in order if "+" not in each]
    place = plain.index(action)
    yield from plain[max(place - 1, 0) : place]
    yield from plain[place + 1 : place + 2]


def _of_list(key: str, value: Sequence[Any]) -> Iterator[Found]:
    for place, each in enumerate(value):
        rest = [*value[:place], *value[place + 1 :]]
        if rest or key not in NEEDED:
            yield _one((key,), f"{key} without {each if isinstance(each, str) else ' '.join(each)}", rest or GONE)
        if isinstance(each, list) and len(each) > 1:
            for name in each:
                smaller = [*value[:place], [other for other in each if other != name], *value[place + 1 :]]
                yield _one((key,), f"{key} without {name}", smaller)


def _spread(section: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plain table with what stands once for all stages, and what is left out, where it can be changed."""
    spread = dict(table)
    if section == "rule" and "then" in spread:
        stages = spread["then"] if isinstance(spread["then"], dict) else STAGES
        for key in ("when", "then", "if-unknown", "if-attested", "if-denied"):
            if isinstance(spread.get(key), str):
                spread[key] = dict.fromkeys(stages, spread[key])
    kind = next((FACT_KINDS[key] for key in table if key in FACT_KINDS), None) if section == "fact" else None
    if kind is not None and (field := kind.__dataclass_fields__.get("absent")):
        spread.setdefault("absent", field.default)
    if section == "duty":
        spread.setdefault("stages", list(STAGES))
    return spread


# ---- What is said once -------------------------------------------------------------------------------------


def of_what_is_said_once(file: str, tables: Mapping[str, Any], order: Sequence[str]) -> Iterator[Mutant]:
    """Yield the mutants of what a file says for several tables; their changes are of the file as it is written."""
    for section, entries in tables.items():
        for name, table in entries.items():
            if section == "says":
                yield from _of_limits(file, name, table.get("numbers"))
            elif section in (*SECTIONS, "result") and (FOR in table or section == "result"):
                yield from _of_family(file, section, name, table, order)


def _of_limits(file: str, name: str, numbers: object) -> Iterator[Mutant]:
    for limit, text in numbers.items() if isinstance(numbers, dict) else ():
        number, space, unit = text.partition(" ")
        for other in stepped(float(number)):
            change = Change(("numbers", limit), f"{other:g}{space}{unit}")
            yield Mutant(file, "says", name, f"{limit}: {number} -> {other:g}", (change,), once=True)


def _of_family(file: str, section: str, name: str, table: Mapping[str, Any], order: Sequence[str]) -> Iterator[Mutant]:
    shares = {key: _listed(key, value) for key, value in table.items() if key in keys_of(section)}
    # What a result releases by is a name, and the loader sees its loss.
    for key in [key for key in shares if key not in NOT_RULES and (section, key) != ("result", "release")]:
        for path, said, new in _of_key(section, key, shares[key], shares, order):
            values = map(_as_written, new) if key in EXPRESSIONS else new
            changes = tuple(map(Change, path, values))
            yield Mutant(file, section, name, f"for all: {said}", changes, once=True)


_LISTS = ("cites", "latest", "ever", "active", "repeated", "test", "doubt", "derived", "performed", "views", "needs")


def _listed(key: str, value: Any) -> Any:
    """Return a list of names as a list, and an expression with a name for `@`."""
    if key in _LISTS and isinstance(value, str):
        return value.split()
    if key in EXPRESSIONS:
        texts = value if isinstance(value, dict) else {"": value}
        named = {stage: text.replace(IT, _IT) for stage, text in texts.items()}
        return named if isinstance(value, dict) else named[""]
    return value


_IT = "the-fact-itself"


def _as_written(value: object) -> object:
    """Return a changed expression as a file writes it."""
    return written(value).replace(_IT, IT) if isinstance(value, str) else value


# ---- Running -----------------------------------------------------------------------------------------------


class Changeable(NamedTuple):
    """A label with the tables of its folder, from which labels with one thing changed are made."""

    folder: Path
    label: Label
    top: Mapping[str, Any]
    written: dict[str, Mapping[str, Any]]
    """File -> its tables, as they are written."""
    files: dict[str, dict[str, dict[str, Any]]]
    """File -> section -> name -> plain table."""
    read: Gathered
    """What the files say, before it is linked."""

    @classmethod
    def of(cls, folder: Path) -> Changeable:
        """Return the label of a folder."""
        top, files = read_files(folder)
        plain: dict[str, dict[str, dict[str, Any]]] = {file: {} for file in files}
        read = Gathered({})
        for file, table in plain_tables(files, collected(files, actions_of(top))):
            add(read, table, file)
            plain[file].setdefault(table[0], {})[table[1]] = _spread(table[0], table[2])
        return cls(folder, read_label(folder), top, dict(files), plain, read)

    def mutants(self) -> list[Mutant]:
        """Return all mutants of the label: of plain tables, then of what is said once and decides something."""
        order = self.label.actions
        plain = [each for file, tables in self.files.items() for each in mutants(file, tables, order)]
        once = [each for file, tables in self.written.items() for each in of_what_is_said_once(file, tables, order)]
        return [*plain, *once, *_of_all_rules(self.top.get(ACTIONS_TABLE, {}), order)]

    def with_(self, mutant: Mutant) -> Label:
        """Return the label with a mutant's change. Raises KnowledgeError where the loader refuses it."""
        found = self._once(mutant) if mutant.once else self._alone(mutant)
        things = {field: {**getattr(self.label, field), **getattr(found, field)} for field in set(_FIELDS.values())}
        return replace(self.label, **things, digest=f"{mutant.file} {mutant.name}")

    def _alone(self, mutant: Mutant) -> Gathered:
        """Return the one table that a mutant changes."""
        table = changed(self.files[mutant.file][mutant.section][mutant.table], mutant.changes)
        found = Gathered({})
        add(found, (mutant.section, mutant.table, table), mutant.file)
        return found

    def _once(self, mutant: Mutant) -> Gathered:
        """Return all tables, made plain after the change."""
        top, files = dict(self.top), dict(self.written)
        if mutant.section == ACTIONS_TABLE:
            top[ACTIONS_TABLE] = changed(top[ACTIONS_TABLE], mutant.changes)
        else:
            tables = dict(files[mutant.file])
            section = {**tables[mutant.section]}
            section[mutant.table] = changed(section[mutant.table], mutant.changes)
            files[mutant.file] = {**tables, mutant.section: section}
        found = Gathered({})
        for file, plain in plain_tables(files, collected(files, actions_of(top))):
            add(found, plain, file)
        return found


def changed(table: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """Return a table with some of its keys changed."""
    new = deepcopy(dict(table))
    for change in changes:
        inner: Any = new
        for key in change.path[:-1]:
            inner = inner[key]
        if change.value is GONE:
            del inner[change.path[-1]]
        else:
            inner[change.path[-1]] = change.value
    return new


def _of_all_rules(actions: Mapping[str, Any], order: Sequence[str]) -> Iterator[Mutant]:
    """Yield the mutants of what `[actions]` says for all rules."""
    if "if-unknown" in actions:
        for other in _neighbours(actions["if-unknown"], order):
            change = Change(("if-unknown",), other)
            said = f"if-unknown: {actions['if-unknown']} -> {other}"
            yield Mutant(LABEL_FILE, ACTIONS_TABLE, "all rules", said, (change,), once=True)
    for action in actions.get("while-interrupted", {}):
        change = Change(("while-interrupted", action), GONE)
        said = f"while-interrupted without {action}"
        yield Mutant(LABEL_FILE, ACTIONS_TABLE, "all rules", said, (change,), once=True)


_FIELDS = {"says": "says", "parameter": "parameters", "fact": "facts", "ask": "asks", "rule": "rules", "duty": "duties"}


class Watched(NamedTuple):
    """A case with its record, read once, and what its rules and duties came to."""

    case: Case
    record: Record
    stage: str
    outcomes: dict[str, object]

    @classmethod
    def of(cls, case: Case, label: Label) -> Watched:
        """Return a case, ready to be run again."""
        record = record_of(case, label)
        answered = with_answers(record, case.answers, label, as_day(case.today))
        found = cls(replace(case, answers=()), answered, decided(case, label, record).stage, {})
        found.outcomes.update(found.come_to(label))
        return found

    def come_to(self, label: Label) -> dict[str, object]:
        """Return all that a case can show of the rules and duties of a label."""
        decision = decided(self.case, label, self.record)
        found: dict[str, list[object]] = {name: [] for name in (*label.rules, *label.duties)}
        for finding in decision.findings:
            found[finding.rule].append((finding.state, finding.action, finding.attested, finding.urgent, finding.cites))
        for hold in decision.holds:
            found[hold.rule].append(hold.state)
        for due in decision.due:
            found[due.duty].append((due.state, due.action, due.cites))
        return dict(found)

    def passes(self, label: Label) -> bool:
        """Whether the case comes to what it expects."""
        try:
            return came_to(self.case, label, self.record) == dict(self.case.expect)
        except Exception:  # whatever goes wrong, the change was seen
            return False

    def notices(self, label: Label, part: Label | None) -> bool:
        """Whether the case fails with a label of which nothing but the rules and duties of `part` may differ."""
        try:
            same = part is not None and self.come_to(part).items() <= self.outcomes.items()
        except Exception:
            return True
        return not same and not self.passes(label)


def watched(folder: Path, label: Label) -> list[Watched]:
    """Return the cases of a label that pass; says which do not."""
    every = [Watched.of(case, label) for case in load_cases(folder)]
    for each in every:
        if not each.passes(label):
            print(f"fails without any change, and is left out: {each.case.topic}: {each.case.name}")
    return [each for each in every if each.passes(label)]


def looks_at(label: Label) -> dict[str, set[str]]:
    """Return, for every rule and duty, the names of all facts, asks and parameters behind it."""
    outcomes = (*label.rules.values(), *label.duties.values())
    return {outcome.name: _reached(_spoken_of(outcome), label) for outcome in outcomes}


def shown_by(label: Label) -> set[str]:
    """Return the names behind the background sentences that are shown for some patients only."""
    conditions = [says.show_when for says in label.says.values() if says.show_when is not None]
    return _reached((name for condition in conditions for name in names(condition)), label)


def only_measured(label: Label) -> set[str]:
    """Return the names of facts, asks and parameters that the measures of an audit use, and nothing that decides."""
    deciding = (*label.rules.values(), *label.duties.values(), label.therapy, label.records)
    used = set().union(*(_reached(_spoken_of(thing), label) for thing in deciding)) | shown_by(label)
    measuring = (*label.measures.values(), *([label.audit] if label.audit is not None else []))
    return set().union(*(_reached(_spoken_of(thing), label) for thing in measuring)) - used


def _spoken_of(thing: object) -> set[str]:
    given = {spoken(name) for _, refers, name in references(thing) if refers.to in ("fact", "ask", "parameter")}
    return given | {name for _, expression in expressions_of(thing) for name in names(expression)}


def _reached(first: Iterable[str], label: Label) -> set[str]:
    by_name = {spoken(thing.name): _spoken_of(thing) for thing in (*label.facts.values(), *label.asks.values())}
    found: set[str] = set()
    todo = list(first)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += by_name.get(name, ())
    return found


def concerned(mutant: Mutant, behind: Mapping[str, set[str]], changed: Changed) -> list[str] | None:
    """Return the rules and duties that a mutant may change; None where that may be anything."""
    if mutant.once:
        return [name for name, looked_at in behind.items() if name in changed.outcomes or looked_at & changed.names]
    if mutant.section in ("rule", "duty"):
        return [mutant.table]
    if mutant.file == LABEL_FILE or mutant.section == "says":
        return None
    return [outcome for outcome, looked_at in behind.items() if spoken(mutant.table) in looked_at]


class Changed(NamedTuple):
    """What a mutant says otherwise than the label."""

    outcomes: set[str]
    """Rules and duties."""
    names: set[str]
    """Facts, asks and parameters, as expressions write them."""

    @classmethod
    def by(cls, mutant: Mutant, before: Gathered, after: Label) -> Changed:
        """Return what a mutant changes; of one table by itself, its name."""
        if not mutant.once:
            return cls(set(), {spoken(mutant.table)})
        found = {
            field: {name for name, thing in getattr(after, field).items() if getattr(before, field).get(name) != thing}
            for field in _FIELDS.values()
        }
        named = found["facts"] | found["asks"] | found["parameters"]
        return cls(found["rules"] | found["duties"], set(map(spoken, named)))


def survivors(changeable: Changeable, wanted: Sequence[Mutant], cases: Sequence[Watched]) -> Iterator[Mutant]:
    """Yield the mutants that no case notices. Cases of the mutant's own table and topic are run first."""
    behind = looks_at(changeable.label)
    sometimes = shown_by(changeable.label)
    for mutant in wanted:
        try:
            label = changeable.with_(mutant)
        except KnowledgeError:
            continue
        changed = Changed.by(mutant, changeable.read, label)
        outcomes = concerned(mutant, behind, changed)
        shown = bool(changed.names & sometimes)
        if mutant.once and not outcomes and not shown:
            continue  # only an audit's measures use it
        part = part_of(label, outcomes) if outcomes is not None else None
        if not any(
            each.notices(label, None if ASKS in each.case.expect or (shown and SHOWS in each.case.expect) else part)
            for each in _ordered(cases, mutant, outcomes or ())
        ):
            yield mutant


def part_of(label: Label, names: Collection[str]) -> Label:
    """Return a label with some of its rules and duties only."""
    return replace(
        label,
        rules={name: rule for name, rule in label.rules.items() if name in names},
        duties={name: duty for name, duty in label.duties.items() if name in names},
        says={},
        digest=f"{label.digest}, a part",
    )


def _ordered(cases: Sequence[Watched], mutant: Mutant, outcomes: Collection[str]) -> list[Watched]:
    """Return the cases that can show a mutant, those that speak of it or of its topic first."""
    shown = [
        each
        for each in cases
        if (mutant.section != "says" or mutant.once or SHOWS in each.case.expect) and mutant.stage in ("", each.stage)
    ]
    own = {mutant.table, *outcomes} if mutant.once else {mutant.table}
    return sorted(shown, key=lambda each: (not own & set(each.case.expect), each.case.topic != mutant.topic))


class Equivalents:
    """The mutants that mean the same or that no case can show, and why."""

    def __init__(self, path: Path) -> None:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", []) if path.is_file() else []
        self.patterns = {
            pattern: re.compile(".*".join(map(re.escape, pattern.split("*"))))
            for entry in entries
            if entry["why"]
            for pattern in entry["mutants"]
        }
        self.used: set[str] = set()

    def know(self, mutant: Mutant) -> bool:
        """Whether a survivor is in order; `*` in an entry stands for anything."""
        matching = {pattern for pattern, compiled in self.patterns.items() if compiled.fullmatch(mutant.name)}
        self.used |= matching
        return bool(matching)

    def idle(self) -> list[str]:
        """Return the entries that no survivor matched."""
        return sorted(self.patterns.keys() - self.used)


def main() -> int:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("label", nargs="?", default="baricitinib")
    parser.add_argument("--topic", action="append", help="only the mutants of this topic")
    parser.add_argument("--all", action="store_true", help="also list the survivors that are in order")
    given = parser.parse_args()
    changeable = Changeable.of(find_label(given.label))
    cases = watched(changeable.folder, changeable.label)
    measured = only_measured(changeable.label)
    wanted = [
        each
        for each in changeable.mutants()
        if (not given.topic or each.topic in given.topic) and spoken(each.table) not in measured
    ]
    equivalents = Equivalents(EQUIVALENT)
    alive = list(survivors(changeable, wanted, cases))
    known = [each for each in alive if equivalents.know(each)]
    report(wanted, alive, known, show_known=given.all)
    idle = [] if given.topic else equivalents.idle()
    for pattern in idle:
        print(f"{EQUIVALENT.name} names what does not survive: {pattern}")
    print(
        f"{len(wanted) - len(alive)} of {len(wanted)} killed by {len(cases)} cases, {len(known)} in order, "
        f"{len(alive) - len(known)} survive"
    )
    return 1 if len(alive) > len(known) or idle else 0


def report(wanted: Iterable[Mutant], alive: Sequence[Mutant], known: Sequence[Mutant], *, show_known: bool) -> None:
    """Print killed and total by topic, and the survivors."""
    total, lost, fine = (Counter(each.topic for each in group) for group in (wanted, alive, known))
    for topic, number in total.items():
        print(
            f"{topic:15} {number - lost[topic]:4} of {number:4} killed, {fine[topic]:3} in order, "
            f"{lost[topic] - fine[topic]:3} survive"
        )
    for mutant in alive:
        if show_known or mutant not in known:
            print(f"{'in order ' if mutant in known else 'SURVIVES '} {mutant.topic}: {mutant.name}")


if __name__ == "__main__":
    sys.exit(main())
