"""Two folders of results held against each other: who gets another answer, from what to what, by which sentence."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from precaution.cohort.results import RUN, stored
from precaution.engine.answer import ATTESTED
from precaution.errors import InputError, UsageError

try:
    import duckdb
except ImportError:  # pragma: no cover - tested where it is not installed
    raise UsageError("comparing needs duckdb: install it with `pip install '.[cohort]'` in its folder") from None

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Because(NamedTuple):
    """A rule, a hold or a duty that comes to something else."""

    name: str
    before: str
    """Its state and action, as `holds interrupt`; empty where it was no part of the answer."""
    now: str
    cites: tuple[str, ...]


class OtherAnswer(NamedTuple):
    """A patient who gets another answer. Where the action is the same, its reasons are others."""

    person: str
    """The patient's id; where several labels decided, and the label's name behind it in brackets."""
    before: str
    """Stage and action; empty for somebody who was not decided then."""
    now: str
    because: tuple[Because, ...]


class Comparison(NamedTuple):
    """What another label, policy or version of the program changes in a cohort."""

    people: int
    """Patients of both runs together."""
    differ: tuple[str, ...]
    """In what the runs themselves differ: `label`, `policy`, `today`, `who`, `files`."""
    answers: tuple[OtherAnswer, ...]
    """Sorted by person."""

    def moves(self) -> dict[tuple[str, str], int]:
        """Return how many patients went from what to what, most first; those whose action is the same are left out."""
        counts = Counter((each.before, each.now) for each in self.answers if each.before != each.now)
        return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))

    def sentences(self) -> dict[str, int]:
        """Return by which sentence how many patients get another answer, most first."""
        counts = Counter(says for each in self.answers for says in {s for b in each.because for s in b.cites})
        return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


_ITEMS = """
    select {person} as person, rule as name,
        trim(state || ' ' || action || if(attested, '{attested}', '')) as came, cites
    from read_parquet('{folder}/findings/*.parquet')
    union all select {person}, rule || ' (hold)', state, cites from read_parquet('{folder}/holds/*.parquet')
    union all select {person}, duty, trim(state || ' ' || due), cites from read_parquet('{folder}/due/*.parquet')
"""
_ANSWERS = """
    select {person} as person, stage || ': ' || action || if(attested, '{attested}', '') as came
    from read_parquet('{folder}/decisions/*.parquet')
"""
_OF_LABEL = "person || ' [' || label || ']'"
"""Whom an answer is about where several labels decided: there each has an answer of its own."""
_OTHERS = """
    select coalesce(b.person, n.person), coalesce(b.came, ''), coalesce(n.came, '')
    from ({before}) b full join ({now}) n on b.person = n.person
    where b.came is distinct from n.came
"""
_REASONS = """
    select coalesce(b.person, n.person) as person, coalesce(b.name, n.name) as name, coalesce(b.came, ''),
           coalesce(n.came, ''), coalesce(n.cites, b.cites)
    from ({before}) b full join ({now}) n on b.person = n.person and b.name = n.name
    where b.came is distinct from n.came order by person, name
"""

_PEOPLE = "select count(*) from (select person from ({before}) union select person from ({now}))"


def compared(before: Path, now: Path) -> Comparison:
    """Return who gets another answer in the results of `now` than in those of `before`, and why.

    Raises InputError where one of the folders holds no complete results, or its tables can't be read.
    """
    people, runs = 0, []
    for folder in (before, now):
        stored(folder)
        runs.append(_run(folder))
    who = _OF_LABEL if any(isinstance(run.get("label"), list) for run in runs) else "person"
    try:
        with closing(duckdb.connect()) as base:
            others = _others(base, before, now, who)
            because = _because(base, before, now, who)
            people = _count(base, before, now, who)
            same = {person: came for person, came in _rows(base, _of(_ANSWERS, now, who)) if person in because}
    except duckdb.Error:
        raise InputError(
            f"the tables in '{before}' or '{now}' can't be read; make them anew with --overwrite"
        ) from None
    for person in because:
        others.setdefault(person, (same.get(person, ""), same.get(person, "")))
    answers = tuple(OtherAnswer(each, *others[each], tuple(because.get(each, ()))) for each in sorted(others))
    return Comparison(people, _differ(*runs), answers)


def _of(query: str, folder: Path, person: str) -> str:
    return query.format(folder=str(folder).replace("'", "''"), attested=ATTESTED, person=person)


def _rows(base: duckdb.DuckDBPyConnection, query: str) -> Iterator[tuple[str, ...]]:
    found = base.execute(query)
    while rows := found.fetchmany(10_000):
        yield from rows


def _others(base: duckdb.DuckDBPyConnection, before: Path, now: Path, who: str) -> dict[str, tuple[str, str]]:
    query = _OTHERS.format(before=_of(_ANSWERS, before, who), now=_of(_ANSWERS, now, who))
    return {person: (was, came) for person, was, came in _rows(base, query)}


def _because(base: duckdb.DuckDBPyConnection, before: Path, now: Path, who: str) -> dict[str, list[Because]]:
    query = _REASONS.format(before=_of(_ITEMS, before, who), now=_of(_ITEMS, now, who))
    found: dict[str, list[Because]] = {}
    for person, name, was, came, cites in _rows(base, query):
        found.setdefault(person, []).append(Because(name, was, came, tuple(cites)))
    return found


def _count(base: duckdb.DuckDBPyConnection, before: Path, now: Path, who: str) -> int:
    query = _PEOPLE.format(before=_of(_ANSWERS, before, who), now=_of(_ANSWERS, now, who))
    return next(int(number) for (number,) in _rows(base, query))


def _run(folder: Path) -> Mapping[str, object]:
    try:
        found = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(f"'{folder / RUN}' can't be read; --overwrite makes the results anew") from None
    return found if isinstance(found, dict) else {}


def _differ(before: Mapping[str, object], now: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(
        each for each in ("precaution", "label", "policy", "today", "who", "files") if before.get(each) != now.get(each)
    )
