"""What rests on a sentence of a label: all that must be read again when the sentence changes."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from precaution.errors import KnowledgeError, UsageError
from precaution.knowledge.toml import Place, as_table, read_toml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from precaution.cases.load import Case
    from precaution.knowledge.model import Label

_RANGE = re.compile(r"\b([A-Za-z]+)(\d+)\s*[-–]\s*([A-Za-z]*)(\d+)\b")
_NAME = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True)
class Resting:
    """The names of what rests on one sentence, by sort."""

    rules: tuple[str, ...] = ()
    duties: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    """Rules and duties beside which it is shown as background."""
    parameters: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    """Cases that expect something of those rules and duties, or name the sentence."""
    differences: tuple[str, ...] = ()
    """Known differences from other texts that name it."""
    hazards: tuple[str, ...] = ()
    """Hazards of a site's log that name it, or one of those rules, duties or measures."""

    def by_sort(self) -> dict[str, tuple[str, ...]]:
        """Return the names by sort; sorts of which there are none are left out."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return {sort: names for sort, names in found.items() if names}


def resting_on(label: Label, cases: Sequence[Case], hazards: Mapping[str, str]) -> dict[str, Resting]:
    """Return what rests on each sentence of a label, by its id; `hazards`: the words of each hazard by its id."""
    return {id_: _resting(id_, label, cases, hazards) for id_ in label.says}


def _resting(id_: str, label: Label, cases: Sequence[Case], hazards: Mapping[str, str]) -> Resting:
    rules = tuple(each.name for each in label.rules.values() if id_ in each.cites)
    duties = tuple(each.name for each in label.duties.values() if id_ in each.cites)
    measures = tuple(each.name for each in label.measures.values() if id_ in each.cites)
    named = {id_, *rules, *duties, *measures}
    return Resting(
        rules=rules,
        duties=duties,
        beside=label.says[id_].explains,
        parameters=tuple(each.name for each in label.parameters.values() if id_ in each.of),
        questions=tuple(f"{each.number} {each.name}" for each in label.asks.values() if id_ in each.of),
        measures=measures,
        cases=tuple(case.name for case in cases if _shows(case, id_, {*rules, *duties})),
        differences=tuple(_differences(label, id_)),
        hazards=tuple(each for each, words in hazards.items() if named & ids_in(words)),
    )


def _shows(case: Case, id_: str, named: set[str]) -> bool:
    listed = {word for key in ("cites", "shows") for word in case.expect.get(key, "").split()}
    return bool(named & set(case.expect)) or id_ in listed


def _differences(label: Label, id_: str) -> Iterator[str]:
    told = label.about.get("differences")
    for each in told if isinstance(told, (list, tuple)) else ():
        if isinstance(each, dict) and id_ in ids_in(str(each.get("about", ""))):
            yield f"{each.get('with', '')}: {each.get('says', '')}"


def ids_in(words: str) -> set[str]:
    """Return the words of a text, and of `S01-S03` every id from the first to the last."""
    found = set(_NAME.findall(words))
    for letters, first, _, last in _RANGE.findall(words):
        if int(last) - int(first) < 1000:  # more is no range of sentences
            found |= {f"{letters}{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)}
    return found


def read_hazards(path: Path) -> dict[str, str]:
    """Return the words of each hazard of a log (TOML, `[[hazard]]` with an `id`), by its id.

    Raises UsageError where it can't be read as one.
    """
    try:
        tables = read_toml(path, path.name).get("hazard", [])
        found = [as_table(each, Place(path.name, "hazard")) for each in tables] if isinstance(tables, list) else []
    except KnowledgeError as error:
        raise UsageError(str(error)) from None
    if not found or any("id" not in each for each in found):
        raise UsageError(f"{path.name} is no log of hazards: it needs tables [[hazard]], each with an id")
    return {str(each["id"]): " ".join(_words(each.values())) for each in found}


def _words(values: Iterable[object]) -> Iterator[str]:
    for each in values:
        yield from _words(each) if isinstance(each, list) else [str(each)]
