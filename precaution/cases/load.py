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
not apply), or one of `action` and `stage`. Three more name several things, or `none`: `cites = "S01 S05"` the
sentences behind what holds, can't be told or is not done, `urgent` the rules that can't wait, and `shows` the
background sentences shown for this patient. What the lines of `record` mean is no matter of this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, get_args

from precaution.engine.answer import DueState, State
from precaution.errors import did_you_mean
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
"""What `cites`, `urgent` or `shows` expects where there is nothing."""


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
    `cites`, `urgent`, `shows` = names with a space between them, or `none`."""


def load_cases(folder: Path) -> tuple[Case, ...]:
    """Return the cases of a label's folder, in the order of files and of cases in them.

    Raises KnowledgeError for a case that can't be read, or two of one name.
    """
    found: dict[str, Case] = {}
    files = {path.name: read_toml(path, f"topics/{path.name}") for path in sorted(folder.glob("topics/*.cases.toml"))}
    bases = {name: base for file, tables in files.items() for name, base in _bases(tables, f"topics/{file}")}
    for name, tables in files.items():
        file, topic = f"topics/{name}", name.removesuffix(".cases.toml")
        refuse_unknown(tables, ("case", "base"), Place(file))
        for number, table in enumerate(_list(tables, file), start=1):
            case = _on_base(_case(table, topic, Place(file, f"case {number}")), bases, Place(file, f"case {number}"))
            if case.name in found:
                raise Place(file, f"case {number}").error(f"another case is called '{case.name}'")
            found[case.name] = case
    return tuple(found.values())


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


def _case(table: object, topic: str, place: Place) -> Case:
    given = dict(as_table(table, place))
    given["today"] = _day(given.get("today"), place.at("today"))
    return read(Case, given, place, topic=topic)


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


def wrong(case: Case, label: Label) -> Iterator[tuple[Place, str]]:
    """Yield where and what a case says that the label does not know: rules, duties, states, actions, asks."""
    states = {
        **dict.fromkeys(label.rules, RULE_STATES),
        **dict.fromkeys(label.duties, DUTY_STATES),
        "action": label.actions,
        "stage": STAGES,
    }
    several: Mapping[str, Mapping[str, object]] = {"cites": label.says, "urgent": label.rules, "shows": label.says}
    if not case.expect:
        yield place_of(case), "'expect' is empty; say what the case shows"
    for name, state in case.expect.items():
        place = place_of(case).at(f"expect.{name}")
        if name in several:
            yield from (
                (place, f"the label has no '{word}'.{did_you_mean(word, several[name])}")
                for word in state.split()
                if word not in several[name] and state != NONE
            )
        elif name not in states:
            yield place, f"no rule or duty is called '{name}'.{did_you_mean(name, states)}"
        elif state not in states[name]:
            yield place, f"must be one of {', '.join(states[name])}.{did_you_mean(state, states[name])}"
    for name in case.policy:
        if name not in label.parameters:
            yield (
                place_of(case).at(f"policy.{name}"),
                f"the label has no such parameter.{did_you_mean(name, label.parameters)}",
            )
    for answer in case.answers:
        ask = answer.partition("=")[0]
        if ask not in label.asks:
            yield place_of(case).at("answers"), f"no ask is called '{ask}'.{did_you_mean(ask, label.asks)}"
