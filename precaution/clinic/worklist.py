"""The list: everybody's decision in a table of DuckDB, filtered, sorted, a page at a time.

What a page shows of a patient beyond the decision is asked for the patients of that page alone, so that a list of a
hundred thousand is as quick as one of a hundred. Values reach DuckDB as parameters, never as text of a query.
"""

from __future__ import annotations

from math import ceil
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import duckdb
import pyarrow as pa

from precaution.clinic.people import PersonDetails
from precaution.cohort.tables import SCHEMAS, decision_rows
from precaution.cohort.who import STOPPED_DAYS
from precaution.engine.answer import Due, Finding, Missing, OpenAsk
from precaution.errors import InputError
from precaution.tables.schema import ENTRIES, PERSONS, record_of
from precaution.values.record import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Label
    from precaution.values.record import Record

Shown = Literal["on-drug", "unclear", "everybody"]
"""on-drug: as `precaution.cohort.who.on_drug` tells from a record. unclear: no such entry, but a medication
that can't be read."""
Sort = Literal["urgency", "overdue", "next", "patient", "stage"]
SHOWN: tuple[Shown, ...] = get_args(Shown)
SORTS: tuple[Sort, ...] = get_args(Sort)
PAGE = 100
_TABLES = ("decisions", "due", "missing", "asks", "findings", "problems", "entries", "persons")
_ORDER = {
    "urgency": "rank, urgent desc, overdue_days desc, person",
    "overdue": "overdue_days desc, rank, person",
    "next": "next_due = '', next_due, rank, person",
    "patient": "lower(name), person",
    "stage": "stage, rank, urgent desc, overdue_days desc, person",
}
_DECIDED = ("stage", "action", "attested", "rank", "urgent", "overdue_days", "reason", "reason_date", "next_due")
_CHOICES = 500
"""Most sites, and most clinicians, that can be chosen from."""
_SEARCHED = "contains(lower(concat_ws(chr(10), person, name, identifiers, born, reason)), $search)"
_PEOPLE = """
create table people as
with drug as (
    select person, bool_or(coalesce(end_high, 'infinity'::double) >= $since or certainty <> 'certain') as now
    from entries where concept = $drug group by person
), unclear as (select distinct person from entries where concept = $unreadable),
next as (
    select person, arg_min(tell, (due, duty)) as next_of from due
    where state in ('due', 'overdue', 'upcoming') and due <> '' group by person
), late as (select distinct person from due where state = 'overdue' and len(lacking) > 0)
select d.person, left(sha256(d.person), 24) as ref, coalesce(names.name, '') as name,
    coalesce(identifiers, '') as identifiers, coalesce(born, '') as born, coalesce(site, '') as site,
    coalesce(clinician, '') as clinician, stage, action, attested, rank, urgent, overdue_days, reason,
    reason_date, next_due, coalesce(next_of, '') as next_of, late.person is not null as missed,
    case when drug.now then 'on-drug' when unclear.person is not null then 'unclear' else 'other' end as who
from decisions d left join drug using (person) left join unclear using (person) left join next using (person)
    left join names using (person)
    left join late on late.person = d.person
"""


class WorklistView(NamedTuple):
    """What of the list is shown; it stands in the address of the page."""

    who: Shown = "on-drug"
    stage: str = ""
    action: str = ""
    before: str = ""
    """An ISO day: only who has something due by then."""
    search: str = ""
    """Part of an id, a name or number of the patient, or of the reason."""
    site: str = ""
    clinician: str = ""
    missed: str = ""
    """Not empty: only who has no result of what is overdue."""
    sort: Sort = "urgency"
    page: int = 1


class Listed(NamedTuple):
    """A patient of the list."""

    person: str
    ref: str
    """What stands for the patient in addresses: a digest of the id."""
    stage: str
    action: str
    attested: bool
    urgent: bool
    overdue_days: int
    reason: str
    reason_date: str
    next_due: str
    next_of: str
    name: str = ""
    """Empty where names are not kept."""
    identifiers: str = ""
    born: str = ""
    site: str = ""
    clinician: str = ""
    missed: bool = False
    """Whether there is no result of something that is overdue: the patient may not have come."""


class ListedPage(NamedTuple):
    """One page of the list."""

    rows: list[Listed]
    number: int
    pages: int
    total: int
    """How many patients the view holds."""


class Undone(NamedTuple):
    """What is behind a patient's decision and not done, as the tables of results hold it."""

    findings: tuple[Finding, ...]
    due: tuple[Due, ...]
    missing: tuple[Missing, ...]
    asks: tuple[OpenAsk, ...]


class ClinicList:
    """The decisions of a folder of results, for any number of threads."""

    def __init__(self, folder: Path, label: Label, today: int, names: Iterable[PersonDetails] = ()) -> None:
        """Open complete results that hold the records. Raises InputError where a table can't be read.

        `names`: who the patients are, if somebody asked for it.
        """
        self._label, self._writing = label, Lock()
        self._anew: dict[str, Decision] = {}
        self._database = duckdb.connect(config={"allow_community_extensions": False})
        try:
            for name in _TABLES:
                files = (Path(folder).resolve() / name / "*.parquet").as_posix()
                table = self._database.read_parquet(files)
                _of(label, table).create_view(name)
            self._database.from_arrow(_table(names)).create("names")
            self._database.execute(
                _PEOPLE,
                {"since": today - STOPPED_DAYS, "drug": label.therapy.drug, "unreadable": UNREADABLE["medication"]},
            )
        except duckdb.Error:
            raise InputError(f"the tables in '{folder}' can't be read; make them anew with --overwrite") from None

    def count(self) -> dict[str, int]:
        """Return how many patients were decided: on-drug, unclear, everybody."""
        found = dict(self._rows("select who, count(*) from people group by who"))
        return {
            "on-drug": found.get("on-drug", 0),
            "unclear": found.get("unclear", 0),
            "everybody": sum(found.values()),
        }

    def choices(self) -> dict[str, list[str]]:
        """Return the stages and the actions that occur, the gravest first."""
        stages = self._rows("select distinct stage from people order by stage")
        actions = self._rows("select action from people group by action order by min(rank)")
        found = {"stage": [row[0] for row in stages], "action": [row[0] for row in actions]}
        for name in ("site", "clinician"):
            rows = self._rows(f"select distinct {name} from people where {name} <> '' order by 1 limit {_CHOICES}")  # noqa: S608
            found[name] = [row[0] for row in rows]
        return found

    def actions(self, view: WorklistView) -> dict[str, int]:
        """Return how many patients of a view have each action, the gravest first; its own filter by action apart."""
        where, values = _filter(view._replace(action=""))
        asked = f"select action, count(*) from people where {where} group by action order by min(rank)"  # noqa: S608
        return dict(self._rows(asked, values))

    def page(self, view: WorklistView, size: int = PAGE) -> ListedPage:
        """Return the page of a view: the last one where there are fewer."""
        where, values = _filter(view)
        total = self._rows(f"select count(*) from people where {where}", values)[0][0]  # noqa: S608 - our own words
        pages = max(ceil(total / size), 1)
        number = min(max(view.page, 1), pages)
        asked = (
            f"select {', '.join(Listed._fields)} from people where {where} order by {_ORDER[view.sort]} "  # noqa: S608
            "limit $size offset $first"
        )
        rows = self._rows(asked, {**values, "size": size, "first": (number - 1) * size})
        return ListedPage([Listed(*row) for row in rows], number, pages, total)

    def pages(self, view: WorklistView, size: int) -> Iterator[list[Listed]]:
        """Yield all patients of a view, `size` at a time."""
        number = 1
        while True:
            found = self.page(view._replace(page=number), size)
            yield found.rows
            if number >= found.pages:
                return
            number += 1

    def find(self, ref: str) -> Listed | None:
        """Return the patient that an address names, or nothing."""
        rows = self._rows(f"select {', '.join(Listed._fields)} from people where ref = $ref", {"ref": ref})  # noqa: S608
        return Listed(*rows[0]) if rows else None

    def knows(self, person: str) -> bool:
        """Whether a patient of this id was decided."""
        return bool(self._rows("select 1 from people where person = $person", {"person": person}))

    def put(self, person: str, decision: Decision) -> None:
        """Show a patient with another decision than that of the results: one that heeds newer answers."""
        row = decision_rows(person, decision, (), self._label)["decisions"][0]
        told = dict(zip(SCHEMAS["decisions"].names, row, strict=True))
        values = {name: told[name] for name in _DECIDED}
        values["next_of"] = min([(each.due, each.duty, each.tell) for each in _dated(decision)], default=("", "", ""))[
            2
        ]
        values["missed"] = any(each.state == "overdue" and each.lacking for each in decision.due)
        changed = ", ".join(f"{name} = ${name}" for name in values)
        with self._writing:
            self._rows(f"update people set {changed} where person = $person", {**values, "person": person})  # noqa: S608
            self._anew[person] = decision

    def record(self, person: str) -> Record:
        """Return the record of a patient who was decided."""
        entries, persons = (
            self._rows(
                f"select {', '.join(_quoted(schema.names))} from {table} where person = $person",  # noqa: S608
                {"person": person},
            )
            for table, schema in (("entries", ENTRIES), ("persons", PERSONS))
        )
        return record_of(persons[0], entries)

    def undone(self, people: Sequence[str]) -> dict[str, Undone | Decision]:
        """Return for each of these patients what is behind the decision and not done."""
        anew = {each: self._anew[each] for each in people if each in self._anew}
        return {**self._stored_undone([each for each in people if each not in anew]), **anew}

    def _stored_undone(self, people: Sequence[str]) -> dict[str, Undone]:
        values = {"people": list(people)}
        found: dict[str, tuple[list[Any], ...]] = {each: ([], [], [], []) for each in people}
        asked = (
            "person, rule, state, action, tell, why, urgent from findings where true",
            "person, duty, state, due, overdue_after, tell, action, lacking, why from due where action <> ''",
            "person, fact, title, why, needed_by from missing where true",
            "person, ask, number, question, answered from asks where answered is null",
        )
        makers: tuple[Callable[..., Any], ...] = (_finding, _due, _missing, _ask)
        for at, (query, make) in enumerate(zip(asked, makers, strict=True)):
            for person, *row in self._rows(f"select {query} and person in (select unnest($people))", values):
                found[person][at].append(make(*row))
        return {person: Undone(*map(tuple, parts)) for person, parts in found.items()}

    def to_come(self, people: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
        """Return for each of these patients what is due or to come, as (ISO day, words), earliest first.

        What is due, or perhaps due, without a day has an empty one and stands last.
        """
        stored = self._rows(
            "select person, due, tell from due where person in (select unnest($people)) and "
            "(state in ('due', 'overdue') or (state = 'upcoming' and due <> '') "
            "or (state = 'unknown' and action <> ''))",
            {"people": [each for each in people if each not in self._anew]},
        )
        found: dict[str, list[tuple[str, str]]] = {each: [] for each in people}
        for person, day, tell in stored:
            found[person].append((day or "", tell))
        for person in found.keys() & self._anew.keys():
            found[person] = [(each.due or "", each.tell) for each in self._anew[person].due if _to_come(each)]
        return {person: sorted(some, key=lambda each: (not each[0], *each)) for person, some in found.items()}

    def not_decided(self, most: int = PAGE) -> tuple[int, list[tuple[str, str]]]:
        """Return how many people have no decision though they live, and of some of them the id and why."""
        asked = (
            "from problems where person is not null and person <> '' "
            "and person not in (select person from people) "
            "and person not in (select person from problems where kind = 'died' and person is not null)"
        )
        many = self._rows(f"select count(distinct person) {asked}")[0][0]
        rows = self._rows(
            f"select person, min(message) {asked} group by person order by person limit $most",
            {"most": most},
        )
        return many, [(str(person), str(why)) for person, why in rows]

    def _rows(self, query: str, values: dict[str, Any] | None = None) -> list[Any]:
        return self._database.cursor().execute(query, values).fetchall()


def _filter(view: WorklistView) -> tuple[str, dict[str, Any]]:
    """Return the condition of a view with its values."""
    parts, values = ["true"], dict[str, Any]()
    for name, condition, value in (
        ("who", "who = $who", "" if view.who == "everybody" else view.who),
        ("stage", "stage = $stage", view.stage),
        ("action", "action = $action", view.action),
        ("before", "next_due <> '' and next_due <= $before", view.before),
        ("site", "site = $site", view.site),
        ("clinician", "clinician = $clinician", view.clinician),
        ("missed", "missed = ($missed <> '')", view.missed),
        ("search", _SEARCHED, view.search.lower()),
    ):
        if value:
            parts.append(condition)
            values[name] = value
    return " and ".join(parts), values


def _dated(decision: Decision) -> list[Due]:
    return [each for each in decision.due if each.due and each.state in ("due", "overdue", "upcoming")]


def _to_come(due: Due) -> bool:
    return due.state in ("due", "overdue") or bool(
        (due.state == "upcoming" and due.due) or (due.state == "unknown" and due.action)
    )


def _table(names: Iterable[PersonDetails]) -> pa.Table:
    columns = pa.schema([(name, pa.string()) for name in PersonDetails._fields])
    return pa.Table.from_pylist([each._asdict() for each in names], columns)


def _of(label: Label, table: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Return the rows of a table that are the label's: results may be of several."""
    if "label" not in table.columns:
        return table
    return table.filter(f"label is null or label = '{label.name.replace(chr(39), chr(39) * 2)}'")


def _quoted(names: Sequence[str]) -> list[str]:
    return [f'"{name}"' for name in names]


def _finding(rule: str, state: Any, action: str, tell: str, why: str, urgent: bool) -> Finding:
    return Finding(rule, state, action, (), tell, (), (), (), urgent=urgent, why=why)


def _due(
    duty: str, state: Any, due: str, overdue_after: str, tell: str, action: str, lacking: list[str], why: str
) -> Due:
    return Due(duty, (), state, due, overdue_after, tell, (), action, tuple(lacking or ()), why=why)


def _missing(fact: str, title: str, why: str, needed_by: list[str]) -> Missing:
    return Missing(fact, title, why, tuple(needed_by or ()))


def _ask(ask: str, number: str, question: str, answered: str | None) -> OpenAsk:
    return OpenAsk(ask, number, question, (), answered)
