"""The cases of a label: small records with the answers they must lead to, one file a topic.

    [[case]]
    name = "Neutrophils just below the limit forbid a start"
    today = 2025-03-01
    stage = "before-start"
    record = ["result lab_anc 0.99 10*9/L on 2025-02-20"]
    answers = ["no-suitable-alternative=yes@2025-02-01"]
    policy = { count-max-age = "14 days" }
    expect = { low-neutrophils = "holds", action = "do-not-start" }

`[base.ready] record = [...]` is a record that cases start from with `like = "ready"`; their lines add to it, and
`without result lab_anc` takes the lines that begin so away.

A name under `expect` is a rule (holds, no, unknown), a duty (done, upcoming, due, overdue, unknown, no: it does
not apply), or one of `action` and `stage`. Four more name several things, or `none`: `cites = "S01 S05"` the
sentences behind what holds, can't be told or is not done, `urgent` the rules that can't wait, `asks` the open
questions, and `shows` the background sentences shown for this patient. What the lines of `record` mean is no matter of
this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple, get_args

from precaution.engine.answer import DueState, State
from precaution.errors import KnowledgeError, did_you_mean
from precaution.knowledge.refers import STAGES, Stage
from precaution.knowledge.toml import Place, Table, as_table, read, read_toml, refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from precaution.knowledge.model import Label

RULE_STATES: tuple[str, ...] = get_args(State)
DUTY_STATES: tuple[str, ...] = (*get_args(DueState), "no")
"""`no`: the duty does not apply to the patient."""
WHOLE = ("action", "stage")
"""What a case may expect besides rules and duties."""
NONE = "none"
"""What `cites`, `urgent`, `asks` or `shows` expects where there is nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`[[case]]` of `topics/<topic>.cases.toml`."""

    topic: str
    name: str
    """A sentence that says what the case shows."""
    today: str
    """The day of the decision, as 2025-03-01."""
    record: tuple[str, ...] = ()
    """One line an entry of the record; those of the base come first."""
    like: str = ""
    """A base record, `[base.x]` of any file of cases, to which `record` adds."""
    stage: Stage | None = None
    """The stage where it is given; read from the record where left out."""
    answers: tuple[str, ...] = ()
    """Answers to asks, as on the command line: ask=answer@day."""
    policy: Mapping[str, object] = field(default_factory=dict[str, object])
    """What a site chose otherwise: parameter = value, as in a policy file."""
    expect: Mapping[str, str] = field(default_factory=dict[str, str])
    """rule or duty = its state; `action` = the decision; `stage` = the stage read from the record;
    `cites`, `urgent`, `asks`, `shows` = names with a space between them, or `none`."""


class CaseFiles(NamedTuple):
    """What the files of cases in a label's folder hold."""

    cases: tuple[Case, ...]
    """Those that can be read, in the order of files and of cases in them."""
    errors: tuple[KnowledgeError, ...]
    """What is wrong with the others."""


def load_cases(folder: Path) -> tuple[Case, ...]:
    """Return the cases of a label's folder, in the order of files and of cases in them.

    Raises KnowledgeError, a line for each case that can't be read and for each second one of a name.
    """
    found = read_cases(folder)
    if found.errors:
        raise KnowledgeError("\n".join(map(str, found.errors)))
    return found.cases


def read_cases(folder: Path) -> CaseFiles:
    """Return the cases of a label's folder that can be read, and what is wrong with the others."""
    reading = _Reading()
    files = reading.files(folder)
    bases = reading.bases(files)
    for file, tables in files.items():
        for number, table in enumerate(reading.tables_of(file, tables), start=1):
            with reading:
                reading.add(_case(table, file, number), bases, Place(file, f"case {number}"))
    return CaseFiles(tuple(reading.cases.values()), tuple(reading.errors))


class _Reading:
    """Collects cases by name. `with reading` keeps a KnowledgeError among its errors and goes on."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self.errors: list[KnowledgeError] = []
        self.lacks_bases = False
        """Whether a file or base could not be read: then a base that is not there is no mistake of the case."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, KnowledgeError):
            self.errors.append(error)
        return isinstance(error, KnowledgeError)

    def files(self, folder: Path) -> dict[str, Table]:
        """Return the tables of each file of cases, by its name."""
        found: dict[str, Table] = {}
        for path in sorted(folder.glob("topics/*.cases.toml")):
            file = f"topics/{path.name}"
            with self:
                found[file] = read_toml(path, file)
        self.lacks_bases = bool(self.errors)
        return found

    def bases(self, files: Mapping[str, Table]) -> dict[str, tuple[str, ...]]:
        """Return the lines of each base record, by its name."""
        found: dict[str, tuple[str, ...]] = {}
        before = len(self.errors)
        for file, tables in files.items():
            with self:
                found.update(_bases(tables, file))
        self.lacks_bases = self.lacks_bases or len(self.errors) > before
        return found

    def tables_of(self, file: str, tables: Table) -> list[object]:
        """Return the tables of a file's cases."""
        with self:
            refuse_unknown(tables, ("case", "base"), Place(file))
        with self:
            return _list(tables, file)
        return []

    def add(self, case: Case, bases: Mapping[str, tuple[str, ...]], place: Place) -> None:
        """Add a case. Raises KnowledgeError for a base that is not there, or a second case of a name."""
        if self.lacks_bases and case.like not in ("", *bases):
            return
        whole = _on_base(case, bases, place)
        if case.name in self.cases:
            raise place.error(f"another case is called '{case.name}'")
        self.cases[case.name] = whole


def with_base(lines: Iterable[str], base: Iterable[str]) -> tuple[str, ...]:
    """Return the lines of a base record and of a case, less those that the case takes away."""
    own = list(lines)
    gone = [line.removeprefix("without ") for line in own if line.startswith("without ")]
    if any(line.startswith("born ") for line in own):
        gone.append("born ")
    kept = [line for line in base if not any(line.startswith(start) for start in gone)]
    return (*kept, *(line for line in own if not line.startswith("without ")))


def _bases(tables: Table, file: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, base in as_table(tables.get("base", {}), Place(file, "base")).items():
        lines = as_table(base, Place(file, f"base.{name}")).get("record", [])
        if not isinstance(lines, list):
            raise Place(file, f"base.{name}.record").error("must be a list of lines")
        yield name, tuple(str(line) for line in lines)


def _on_base(case: Case, bases: Mapping[str, tuple[str, ...]], place: Place) -> Case:
    if not case.like:
        return case
    if case.like not in bases:
        raise place.at("like").error(f"no base record is called '{case.like}'.{did_you_mean(case.like, bases)}")
    return replace(case, record=with_base(case.record, bases[case.like]))


def _list(tables: Table, file: str) -> list[object]:
    cases = tables.get("case", [])
    if not isinstance(cases, list):
        raise Place(file, "case").error("must be written [[case]], once for each case")
    return cases


def _case(table: object, file: str, number: int) -> Case:
    place = Place(file, f"case {number}")
    given = dict(as_table(table, place))
    given["today"] = _day(given.get("today"), place.at("today"))
    return read(Case, given, place, topic=file.removeprefix("topics/").removesuffix(".cases.toml"))


def _day(value: object, place: Place) -> str:
    """Return a TOML day, or a day in quotes, as an ISO day."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise place.error("must be a day, as 2025-03-01") from None


def place_of(case: Case) -> Place:
    """Return where a case stands."""
    return Place(f"topics/{case.topic}.cases.toml", f"case '{case.name}'")


def unknown_names(case: Case, label: Label) -> Iterator[tuple[Place, str]]:
    """Yield where and what a case says that the label does not know: rules, duties, states, actions, asks."""
    place = place_of(case)
    if not case.expect:
        yield place, "'expect' is empty; say what the case shows"
    for name, expected in case.expect.items():
        for message in _unknown_in(name, expected, label):
            yield place.at(f"expect.{name}"), message
    for name in case.policy:
        if name not in label.parameters:
            hint = did_you_mean(name, label.parameters)
            yield place.at(f"policy.{name}"), f"the label has no such parameter.{hint}"
    for answer in case.answers:
        ask = answer.partition("=")[0]
        if ask not in label.asks:
            yield place.at("answers"), f"no ask is called '{ask}'.{did_you_mean(ask, label.asks)}"


def _unknown_in(name: str, expected: str, label: Label) -> Iterator[str]:
    """Yield what is not known of `name = expected` under `expect`."""
    several: Mapping[str, Mapping[str, object]] = {
        "cites": label.says,
        "urgent": label.rules,
        "asks": label.asks,
        "shows": label.says,
    }
    states = _states(label)
    if name in several:
        for word in expected.split():
            if word not in several[name] and expected != NONE:
                yield f"the label has no '{word}'.{did_you_mean(word, several[name])}"
    elif name not in states:
        yield f"no rule or duty is called '{name}'.{did_you_mean(name, states)}"
    elif expected not in states[name]:
        yield f"must be one of {', '.join(states[name])}.{did_you_mean(expected, states[name])}"


def _states(label: Label) -> Mapping[str, tuple[str, ...]]:
    """Return what may be expected, by name: the states of rules and duties, the actions, the stages."""
    rules, duties = dict.fromkeys(label.rules, RULE_STATES), dict.fromkeys(label.duties, DUTY_STATES)
    return {**rules, **duties, "action": label.actions, "stage": STAGES}
