"""Diagnoses of a visit, which systems leave active for ever: the problem list tells when the disease was over."""

from __future__ import annotations

from functools import reduce
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from precaution.knowledge.terminology import ICD10, fold
from precaution.readers.codes import normal_code, system_name
from precaution.readers.json_access import Json, child, children, coded, text
from precaution.values.interval import EVERYTHING, Interval, larger
from precaution.values.logic import conjunction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from precaution.values.logic import Truth
    from precaution.values.record import Entry

_VISIT = frozenset({"encounter-diagnosis", "encounter diagnosis"})
_PROBLEM = frozenset({"problem-list-item", "problem list item"})


class NamedDisease(NamedTuple):
    """What a Condition names, and whether it does so as the diagnosis of a visit alone."""

    visit: bool
    codes: frozenset[tuple[str, str]]
    """System, the editions of ICD-10 taken as one, and code."""
    words: str


def named_in(condition: Json) -> NamedDisease:
    """Return what a Condition names."""
    code = child(condition, "code")
    codes = frozenset(
        ("ICD10" if (name := system_name(url)) in ICD10 else name or url, normal_code(name, word))
        for url, word in coded(code)
    )
    return NamedDisease(_of_visit(condition), codes, fold(text(code, "text")))


def _of_visit(condition: Json) -> bool:
    categories = children(condition, "category")
    words = {word for each in categories for _, word in coded(each)} | {fold(text(each, "text")) for each in categories}
    return bool(words & _VISIT) and not words & _PROBLEM


def closed_by_problems(entries: Sequence[Entry], named: Mapping[str, NamedDisease | None]) -> list[Entry]:
    """Return the entries of one concept, those of visits with the end that an entry of no visit tells of the same
    disease later. Where it can't be told whether it is the same, or later, their end is not certain.

    `named`: what the Condition of each source names; None where several have that source.
    """
    ended = [(each, name) for each in entries if (name := _closing(each, named)) is not None]
    return [_closed(each, named.get(each.source), ended) for each in entries] if ended else list(entries)


def _closing(entry: Entry, named: Mapping[str, NamedDisease | None]) -> NamedDisease | None:
    name = named.get(entry.source)
    told = name is not None and not name.visit and entry.certainty == "certain" and entry.status == "ended"
    return name if told else None


def _closed(entry: Entry, name: NamedDisease | None, ended: Iterable[tuple[Entry, NamedDisease]]) -> Entry:
    if name is None or not name.visit or entry.status == "ended" or entry.end is not None:
        return entry
    judged = [(each, truth) for each, other in ended if (truth := _over(entry, name, each, other)) is not False]
    sure = [(each.end, each.source) for each, truth in judged if truth and each.end is not None]
    if sure:
        end, source = min(sure)
        return entry._replace(status="ended", end=end, note=_with(entry.note, f"over by {source}"))
    if not judged:
        return entry
    day = _last_told(entry)
    end = EVERYTHING if day is None else Interval(day.low, inf, high_open=True)
    return entry._replace(status="ended", end=end, note=_with(entry.note, f"it may be over: see {judged[0][0].source}"))


def _over(entry: Entry, name: NamedDisease, other: Entry, problem: NamedDisease) -> Truth:
    """Whether a problem that has ended is the disease of a visit, and ended after it."""
    same, told, end = _same(name, problem), _last_told(entry), other.end
    if same is False or told is None or end is None:
        return None if same is not False else False
    return conjunction((same, True if end.low > told.high else False if end.high < told.low else None))


def _last_told(entry: Entry) -> Interval | None:
    """Return the last day of which a diagnosis speaks: that of its onset, or that on which it was written down."""
    days = [day for day in (entry.start, entry.recorded) if day is not None]
    return reduce(larger, days) if days else None


def _same(left: NamedDisease, right: NamedDisease) -> Truth:
    """Whether two entries of one concept name the same disease: by a code or their words, or maybe by its family."""
    if left.codes & right.codes or (left.words and left.words == right.words):
        return True
    if _families(left) & _families(right) or not _systems(left) & _systems(right):
        return None
    return False


def _families(name: NamedDisease) -> set[str]:
    """Return the categories of ICD-10: `B02` of `B02.9`."""
    return {code[:3] for system, code in name.codes if system == "ICD10"}


def _systems(name: NamedDisease) -> set[str]:
    return {system for system, _ in name.codes}


def _with(note: str, more: str) -> str:
    return "; ".join(filter(None, (note, more)))
